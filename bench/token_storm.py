"""Processes that send to one account at once while its platform drops the access token.

`python -m bench.token_storm SENDS` is one of them: it begins at the first line on standard input and prints
how each send ended.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from app.channel_accounts import service as channel_accounts
from app.core import audit, clock, db, vault
from channels.base import Reply
from config.settings import Settings
from tests.channels import platform_wechat
from tests.channels.server import a_platform

KEY = "storm"
ROOT = Path(__file__).resolve().parent.parent
WAIT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Storm:
    """``fetches`` counts the tokens that the platform gave out, ``arrived`` the messages it took."""

    fetches: int
    arrived: int
    outcomes: tuple[str, ...]


def run(environment: Mapping[str, str], processes: int, sends: int) -> Storm:
    """Let ``processes`` send ``sends`` messages each; half way the platform drops the token.

    The database is migrated, and has no account of ours yet.
    """
    api = platform_wechat.Api()
    with a_platform(api) as platform, ExitStack() as stack:
        _add_account(environment, platform.base_url)
        command = [sys.executable, "-W", "ignore", "-m", "bench.token_storm", str(sends)]
        started = [
            stack.enter_context(
                subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env={**os.environ, **environment},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(processes)
        ]
        for process in started:
            assert process.stdout
            process.stdout.readline()  # it is ready
        for process in started:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        _wait_until(lambda: len(api.sent) >= processes * sends // 2)
        api.drop_token()
        said = [process.communicate(timeout=WAIT_SECONDS)[0].split() for process in started]
    return Storm(api.issued, len(api.sent), tuple(outcome for one in said for outcome in one))


def _wait_until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not done():
        if time.monotonic() > end:
            raise RuntimeError("the processes did not get half way")
        time.sleep(0.001)


def _add_account(environment: Mapping[str, str], base_url: str) -> None:
    config = platform_wechat.config(base_url)
    app = _light_app(environment)
    with app.app_context():
        db.transaction(
            lambda: channel_accounts.create_account(
                kind="wechat",
                key=KEY,
                name=KEY,
                values={**config.settings, **config.secrets},
                actor="bench",
                now=clock.system_clock(),
            )
        )
    app.extensions["hall_db"].dispose()


def _light_app(environment: Mapping[str, str]) -> Flask:
    """Return what accounts and their tokens need of the hall: database and vault."""
    settings = Settings.from_env(environment)
    app = Flask(KEY)
    db.init_app(app, settings.database_url)
    vault.init_app(app, settings)
    audit.init_app(app, settings.audit_key)
    return app


def main(sends: int) -> None:
    app = _light_app(os.environ)
    with app.app_context():
        account = channel_accounts.by_key(KEY)
        adapter = channel_accounts.adapter(account.id)
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(sends):
        with app.app_context():
            result = adapter.send(platform_wechat.RECIPIENT, Reply(text=str(number)))
        print(result.outcome.value, flush=True)
    app.extensions["hall_db"].dispose()


if __name__ == "__main__":
    main(int(sys.argv[1]))
