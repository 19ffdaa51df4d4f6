"""Real servers on 127.0.0.1 for the tests: the sandbox itself and a tiny hall that answers as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
from flask import Flask, request
from flask.typing import ResponseReturnValue

from sandbox import serving
from sandbox.pages.outage import Outage
from sandbox.pages.site import create_pages
from sandbox.web import create_app
from sandbox.world import World
from tests.sandbox import builders


@dataclass(frozen=True, slots=True)
class Received:
    """One request as the hall saw it."""

    method: str
    args: dict[str, str]
    body: bytes


@dataclass(slots=True)
class FakeHall:
    """Remembers what came and answers with ``reply``, which may be changed at any time."""

    reply: Callable[[Received], ResponseReturnValue] = lambda _received: "success"
    received: list[Received] = field(default_factory=list)
    url: str = ""

    def handle(self, path: str) -> ResponseReturnValue:
        received = Received(request.method, request.args.to_dict(), request.get_data())
        self.received.append(received)
        return self.reply(received)


@contextmanager
def served(app: Flask) -> Iterator[str]:
    server = serving.listen(app, 0)
    thread = serving.start(server, poll_seconds=0.01)
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()


@contextmanager
def a_hall() -> Iterator[FakeHall]:
    hall = FakeHall()
    app = Flask("hall")
    app.add_url_rule("/<path:path>", "callback", hall.handle, methods=["GET", "POST"])
    with served(app) as base:
        hall.url = base
        yield hall


@dataclass(slots=True)
class Sandbox:
    """A running sandbox; JSON calls raise on anything but 2xx unless asked for the whole response."""

    base: str
    world: World
    clock: builders.SetClock
    outage: Outage

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return requests.request(method, self.base + path, timeout=10, **options)

    def get(self, path: str, **params: Any) -> Any:
        return self.call("GET", path, params=params).json()

    def post(self, path: str, body: Any) -> Any:
        response = self.call("POST", path, json=body)
        response.raise_for_status()
        return response.json()

    def act(self, account: str, kind: str, value: str = "") -> list[str]:
        """Do something as the resident; returns the outcomes of the deliveries."""
        outcomes: list[str] = self.post(
            "/control/messages", {"account": account, "kind": kind, "value": value}
        )["outcomes"]
        return outcomes


@contextmanager
def a_sandbox(*accounts: dict[str, Any], **changes: Any) -> Iterator[Sandbox]:
    clock = builders.SetClock()
    world = builders.a_world(*accounts, clock=clock, **changes)
    outage = Outage(world.config.outage, clock)
    with served(create_app(world, outage)) as base:
        try:
            yield Sandbox(base, world, clock, outage)
        finally:
            world.stopping.set()


@contextmanager
def sample_pages() -> Iterator[tuple[str, Outage, builders.SetClock]]:
    clock = builders.SetClock()
    outage = Outage(builders.a_config().outage, clock)
    stopping = threading.Event()
    with served(create_pages(outage, stopping)) as base:
        try:
            yield base, outage, clock
        finally:
            stopping.set()
