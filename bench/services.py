"""Items and cases over HTTP beside FastAPI on the same MariaDB, and search over 100,000 items.

`python -m bench.services` alone; `--items 5000` for a smaller catalogue, `--only search` for a part.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlencode

from sqlalchemy import insert

from app import create_app
from app.applications.models import Application
from app.applications.progress import query_code_of
from app.core import audit, clock, db, migrate
from app.core.audit import AuditHead
from app.organisations import service as organisations
from bench import a_catalogue
from bench.load import Load, free_port, measure_each
from bench.servers import BIN, ROOT, Server, gunicorn, wait_for
from config import notice
from config.settings import Settings
from tests import mariadb
from tests.app.applications import builders as cases
from tests.app.identity.builders import a_bearer
from tests.builders import an_environment

ROUNDS = 5
READS = 400
SUBMITS = 240
"""Drafts of each side in each round."""

PEER_CHAINS = range(100, 116)
SEARCHES = 300
SEARCH_MS = 50
REGION = "440106"


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft ready to be submitted, and who may."""

    id: int
    version: int
    bearer: str


def run(items: int = a_catalogue.ITEMS, only: str = "") -> None:
    """Print every figure."""
    missing = mariadb.missing()
    if missing:
        print(f"items and cases beside FastAPI: not run, {missing}")
        return
    with (
        mariadb.server(memory="1G", durable=True) as url,
        tempfile.TemporaryDirectory(prefix="hall-services-") as folder,
    ):
        environment = an_environment(
            DATABASE_URL=url,
            HALL_VAR_DIR=folder,
            HALL_TRUSTED_HOSTS="127.0.0.1",
            HALL_TRUSTED_PROXIES="1",
        )
        began = time.perf_counter()
        item_ids = _fill(environment, items)
        print(f"items and cases, {items} items on MariaDB, load {os.getloadavg()[0]:.1f}:")
        print(f"  (catalogue made in {time.perf_counter() - began:.0f} s)")
        with gunicorn("wsgi:application", environment) as hall, _peer(url) as peer:
            if only in ("", "search"):
                _search(hall)
            if only in ("", "routes"):
                _routes(environment, hall, peer, item_ids)


def _fill(environment: Mapping[str, str], items: int) -> list[int]:
    settings = Settings.from_env(environment)
    migrate.upgrade(settings.database_url)
    app = create_app(settings)
    with app.app_context():
        db.transaction(lambda: organisations.import_notice(notice.load(), lambda _done, _total: None))
        # The peer keeps its trail in chains of its own; to begin them all at once would be a race.
        heads = [{"chain": chain, "number": 0, "mac": audit.GENESIS} for chain in PEER_CHAINS]
        db.transaction(lambda: db.writing().execute(insert(AuditHead), heads))
        return a_catalogue.fill(app.extensions["hall_db"].write_engine, items)


@contextmanager
def _peer(url: str) -> Iterator[Server]:
    port = free_port()
    process = subprocess.Popen(
        [
            BIN / "uvicorn",
            "bench.peers.fastapi_hall:app",
            *("--host", "127.0.0.1", "--port", str(port), "--loop", "uvloop", "--http", "httptools"),
            "--no-access-log",
        ],
        env={**os.environ, "HALL_PEER_URL": url.replace("+pymysql", "+asyncmy")},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/openapi.json", process)
        yield Server(port, process.pid, 0)
    finally:
        process.terminate()
        process.wait(20)


def _search(hall: Server) -> None:
    words = list(a_catalogue.names(60)) + a_catalogue.asked()
    times = []
    for number in range(SEARCHES):
        word = words[number % len(words)]
        region = {"region": REGION} if number % 2 else {}
        began = time.perf_counter()
        _get(hall, f"/api/v1/items?{urlencode({'q': word, 'limit': 20, **region})}")
        times.append((time.perf_counter() - began) * 1000)
    middle, slow = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    print(
        f"  search                   {slow:6.0f} ms p95, {middle:.0f} ms in the middle (at most {SEARCH_MS})"
    )


def _routes(environment: Mapping[str, str], hall: Server, peer: Server, item_ids: Sequence[int]) -> None:
    listed = f"/api/v1/items?region={REGION}&limit=20"
    assert json.loads(_get(hall, listed)) == json.loads(_get(peer, listed)), (
        "the two sides list different items"
    )
    one = f"/api/v1/items/{item_ids[7]}"
    assert json.loads(_get(hall, one)) == json.loads(_get(peer, one)), "the two sides show different items"
    drafts = _drafts(environment, 2 * ROUNDS * SUBMITS)
    ours, theirs = drafts[: ROUNDS * SUBMITS], drafts[ROUNDS * SUBMITS :]
    after = [f"{listed}&after={quote(name)}|" for name in a_catalogue.names(READS)]
    _compare("item list", hall, peer, lambda _side, _turn: [_asking(path) for path in after])
    paths = [f"/api/v1/items/{item_id}" for item_id in item_ids[:READS]]
    _compare("item guide", hall, peer, lambda _side, _turn: [_asking(path) for path in paths])
    sides = {hall.port: ours, peer.port: theirs}

    def submissions(side: Server, turn: int) -> list[bytes]:
        return [_submitting(one) for one in sides[side.port][turn * SUBMITS : (turn + 1) * SUBMITS]]

    _compare("submit", hall, peer, submissions)
    looks = _looks(environment, ours)
    _compare("progress", hall, peer, lambda _side, turn: looks[turn * SUBMITS : (turn + 1) * SUBMITS])


def _compare(
    name: str, hall: Server, peer: Server, requests: Callable[[Server, int], Sequence[bytes]]
) -> None:
    """Print the ratio of two sides, medians of interleaved rounds."""
    pairs: list[tuple[Load, Load]] = []
    for turn in range(ROUNDS):
        first, second = ((hall, peer), (peer, hall))[turn % 2]
        loads = {
            side.port: measure_each(side.port, requests(side, turn), side.pids) for side in (first, second)
        }
        pairs.append((loads[hall.port], loads[peer.port]))
    rate = statistics.median(ours.per_second / theirs.per_second for ours, theirs in pairs)
    cost = statistics.median(theirs.cpu_ms / ours.cpu_ms for ours, theirs in pairs)
    ours, theirs = pairs[-1]
    print(
        f"  {name:12} {rate:5.2f}x FastAPI's requests/s, {cost:5.2f}x less CPU ("
        f"{ours.per_second:.0f} and {theirs.per_second:.0f}/s, {ours.cpu_ms:.2f} and {theirs.cpu_ms:.2f} ms)"
    )


def _asking(path: str, **headers: str) -> bytes:
    return _request("GET", path, b"", headers)


def _submitting(draft: Draft) -> bytes:
    headers = {
        "Authorization": draft.bearer,
        "Idempotency-Key": f"bench-{draft.id}",
        "Content-Type": "application/json",
    }
    return _request(
        "POST", f"/api/v1/my/applications/{draft.id}/submit", b'{"version":%d}' % draft.version, headers
    )


def _request(method: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _drafts(environment: Mapping[str, str], count: int) -> list[Draft]:
    app = create_app(Settings.from_env(environment))
    found: list[Draft] = []
    with app.app_context():
        item_id = db.transaction(cases.an_open_item)
        while len(found) < count:
            found += db.transaction(lambda: [_draft(item_id) for _ in range(40)])
    return found


def _draft(item_id: int) -> Draft:
    resident_id = cases.a_resident()
    draft_id = cases.a_draft(item_id, resident_id, now=clock.system_clock() - timedelta(minutes=1))
    return Draft(draft_id, cases.version_of(draft_id), a_bearer(resident_id)["Authorization"])


def _looks(environment: Mapping[str, str], drafts: Sequence[Draft]) -> list[bytes]:
    """Return a look at each case, each from another address: tries are counted by address."""
    app = create_app(Settings.from_env(environment))
    with app.app_context():
        numbers = [(one.id, db.session().get_one(Application, one.id).number) for one in drafts]
        return [
            _asking(
                f"/api/v1/progress?number={number}&query_code={query_code_of(case_id)}",
                **{"X-Forwarded-For": f"198.51.{place // 250}.{place % 250}"},
            )
            for place, (case_id, number) in enumerate(numbers)
        ]


def _get(side: Server, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{side.port}{path}", timeout=20) as answer:
        return bytes(answer.read())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=a_catalogue.ITEMS)
    parser.add_argument("--only", choices=("search", "routes"), default="")
    chosen = parser.parse_args()
    run(chosen.items, chosen.only)
