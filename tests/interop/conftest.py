"""What the tests against other people's libraries share: Node, and a hall that answers real HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from flask import Flask
from werkzeug.serving import make_server

from app import create_app
from app.channel_accounts import service as channel_accounts
from app.core import db, migrate
from channels.base import AccountConfig
from tests.builders import NOW, settings_for
from tests.emptying import empty_tables
from tests.interop import node


@dataclass(frozen=True)
class Hall:
    """A served hall on SQLite. ``base`` has no slash at the end."""

    base: str
    app: Flask

    def run(self, builder: Callable[..., Any], *args: Any, **details: Any) -> Any:
        """Run a builder in a context and transaction of its own."""
        with self.app.app_context():
            return db.transaction(lambda: builder(*args, **details))

    def add(self, key: str, config: AccountConfig) -> None:
        """Add the account of ``config`` under ``/callbacks/<key>``."""
        self.run(
            channel_accounts.create_account,
            kind=config.kind,
            key=key,
            name="测试账号",
            values={**config.settings, **config.secrets},
            actor="system",
            now=NOW,
        )

    def call(
        self, key: str, query: Any, body: bytes | str, content_type: str = "text/xml"
    ) -> requests.Response:
        """Call the callback as a platform does; return the answer."""
        return requests.post(
            f"{self.base}/callbacks/{key}",
            params=query,
            data=body.encode() if isinstance(body, str) else body,
            headers={"Content-Type": content_type},
            timeout=10,
        )


@pytest.fixture(scope="session")
def with_node() -> None:
    reason = node.missing()
    if reason:
        pytest.skip(f"Node half: {reason}")


@pytest.fixture(scope="module")
def hall(with_node: None, apps: dict[str, Flask], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """Serve the hall over real HTTP while the tests of one module run; its tables are empty at the end."""
    if "sqlite" not in apps:
        folder = tmp_path_factory.mktemp("var")
        url = f"sqlite:///{folder}/hall.sqlite"
        migrate.upgrade(url)
        apps["sqlite"] = create_app(settings_for(url, folder))
        apps["sqlite"].testing = False
    app = apps["sqlite"]
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        # The tests' installation knows no other name of its own.
        yield Hall(f"http://localhost:{server.server_port}", app)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        app.extensions["hall_limits"].forget()
        empty_tables(app.extensions["hall_db"].write_engine)
