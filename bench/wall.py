"""The pages of the watch at a province's size, over HTTP, with a year of roll-ups behind them.

`python -m bench.wall` alone; `--year-pages 20000` for a year of every page, which takes minutes to make.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from app import create_app
from app.core import clock, db, migrate
from app.organisations import service as organisations
from app.organisations.service import Role
from bench import history
from bench.load import cpu_seconds
from bench.servers import gunicorn
from config import notice
from config.settings import Settings
from tests import mariadb
from tests.builders import a_principal, an_environment

YEAR_PAGES = 2000
"""So many pages have a year of days of their own; bodies, cities and the province all have theirs."""

HOUR_PAGES = 100
ROUNDS = 9
HOST = "http://127.0.0.1"
WALL_MS, WALL_KB, PAGE_MS = 300, 150, 200


def run(pages: int = history.PAGES, year_pages: int = YEAR_PAGES) -> None:
    """Print every figure, on SQLite and on MariaDB."""
    with tempfile.TemporaryDirectory(prefix="hall-wall-") as folder:
        _run("SQLite", f"sqlite:///{folder}/hall.sqlite", Path(folder), pages, year_pages)
    missing = mariadb.missing()
    if missing:
        print(f"wall on MariaDB: not run, {missing}")
        return
    with mariadb.server() as url, tempfile.TemporaryDirectory(prefix="hall-wall-") as folder:
        _run("MariaDB", url, Path(folder), pages, year_pages)


def _run(name: str, url: str, folder: Path, pages: int, year_pages: int) -> None:
    environment = an_environment(DATABASE_URL=url, HALL_VAR_DIR=str(folder), HALL_TRUSTED_HOSTS="127.0.0.1")
    cookie = fill(environment, pages, year_pages)
    print(f"pages of the watch, {pages} pages and a year on {name}, load {os.getloadavg()[0]:.1f}:")
    measure(environment, cookie, pages)


def fill(environment: Mapping[str, str], pages: int, year_pages: int) -> str:
    """Make the province and its year in an empty database; return a session cookie of its watch."""
    settings = Settings.from_env(environment)
    migrate.upgrade(settings.database_url)
    app = create_app(settings)
    now = clock.system_clock()
    with app.app_context():
        db.transaction(lambda: organisations.import_notice(notice.load(), lambda _done, _total: None))
        # So that no page grows out of date while the bench runs.
        history.a_province(pages, now + timedelta(minutes=1))
        with app.extensions["hall_db"].write_engine.begin() as connection:
            history.a_year_of_rollups(
                connection, min(pages, year_pages), hour_pages=min(pages, HOUR_PAGES), now=now
            )
    cookie = sign_in(environment)
    app.extensions["hall_db"].dispose()
    return cookie


def sign_in(environment: Mapping[str, str]) -> str:
    """Return the session cookie of somebody who watches the province."""
    app = create_app(Settings.from_env(environment))
    now = clock.system_clock()
    with app.app_context():
        who = db.transaction(lambda: a_principal(Role.PROVINCE_WATCH.value))
        secret = db.transaction(lambda: organisations.open_session(who.staff_id, by="bench", now=now))
    client = app.test_client()
    with client.session_transaction(base_url=HOST) as cookie:
        cookie["staff_session"] = secret
    held = client.get_cookie("session", HOST.removeprefix("http://"))
    app.extensions["hall_db"].dispose()
    assert held is not None
    return held.value


def measure(environment: Mapping[str, str], cookie: str, pages: int) -> None:
    """Print the median time, CPU and size of each page, as a browser would ask for it."""
    middle = history.page_ids(pages)[min(pages, HOUR_PAGES) // 2]
    with gunicorn("wsgi:application", environment, path="/healthz") as server:
        base = f"http://127.0.0.1:{server.port}"
        page = _get(base + f"/wall/page/{middle}", cookie)[0]
        body = re.search(rb'href="(/wall/body/\d+)"', page)
        assert body is not None
        for name, path, limit in (
            ("the wall", "/wall", f"(at most {WALL_MS} ms, {WALL_KB} KB)"),
            ("the part that refreshes", "/wall/live", f"(at most {WALL_MS} ms, {WALL_KB} KB)"),
            ("the big screen", "/tv", f"(at most {WALL_MS} ms, {WALL_KB} KB)"),
            ("a page, 90 days", f"/wall/page/{middle}", f"(at most {PAGE_MS} ms)"),
            ("its latency, 90 days", f"/wall/page/{middle}/latency.json?days=90", f"(at most {PAGE_MS} ms)"),
            ("a body", body[1].decode(), ""),
            ("a city", "/wall/city/440100", ""),
            ("heat, 90 days", "/wall/heat?days=90", ""),
            ("error budgets", "/wall/budgets", ""),
            ("the public status page", "/status", ""),
        ):
            _get(base + path, cookie)
            before = cpu_seconds(server.pids)
            found = [_get(base + path, cookie) for _ in range(ROUNDS)]
            cpu = (cpu_seconds(server.pids) - before) / ROUNDS * 1000
            times = [spent for _, spent in found]
            size = len(found[-1][0]) / 1000
            print(
                f"  {name:<26}{statistics.median(times):6.0f} ms, {max(times):.0f} at most, CPU {cpu:.0f} ms,"
                f" {size:.0f} KB {limit}"
            )


def _get(url: str, cookie: str) -> tuple[bytes, float]:
    """Return the body and the milliseconds from the request to its last byte."""
    request = urllib.request.Request(url, headers={"Cookie": f"session={cookie}", "Accept": "text/html"})
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=60) as answer:
        body: bytes = answer.read()
    return body, (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=history.PAGES)
    parser.add_argument("--year-pages", type=int, default=YEAR_PAGES)
    given = parser.parse_args()
    run(given.pages, given.year_pages)
