"""The watch's past at a province's size: room and speed of looks, roll-ups, and reading a year of them.

`python -m bench.history` alone; `--pages 2000` for a smaller province.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import Connection, Engine, bindparam, func, insert, select, text

from app import create_app
from app.core import db, migrate
from app.mobile_access.models import MobilePage
from app.mobile_access.service import State, Theme
from app.monitoring import figures, marks, partitions, reckoning, rollups
from app.monitoring.domain import CheckKind, terms
from app.monitoring.history_models import GroupRollup, HistoryMark, Rollup, Scope
from app.monitoring.history_models import Span as Length
from app.monitoring.marks import HOUR, Mark
from app.monitoring.models import ProbeSample, StateSpan, Watch
from app.monitoring.reckoning import paces
from app.organisations import service as organisations
from bench.load import cpu_seconds
from config import notice
from config.settings import Settings
from mobile_pages.probe.base import Condition
from mobile_pages.probe.bucket import NUMBERS
from mobile_pages.probe.histogram import LogHistogram
from tests import mariadb
from tests.builders import an_environment

PAGES = 20_000
HOUR_PAGES = 500
"""So many pages have 90 days of hours; 43 million rows for all are more than a bench can wait for."""

NOW = datetime(2026, 3, 2, 1, 20, tzinfo=UTC)
DAY = timedelta(days=1)
TIMED_MINUTES = 25
_FIRST_ID = 10**15
_STEP = 41_234_567_891


def run(pages: int = PAGES) -> None:
    """Print every figure, on MariaDB and on SQLite."""
    missing = mariadb.missing()
    if missing:
        print(f"history on MariaDB: not run, {missing}")
    else:
        with mariadb.server() as url:
            _run("MariaDB", url, pages)
    with tempfile.TemporaryDirectory(prefix="hall-history-") as folder:
        _run("SQLite", f"sqlite:///{folder}/hall.sqlite", pages)


def _run(name: str, url: str, pages: int) -> None:
    print(f"history of {pages} pages on {name}, load {os.getloadavg()[0]:.1f}:")
    with _hall(url) as (app, engine):
        with app.app_context():
            a_province(pages)
        _looks(app, engine, pages)
        with app.app_context():
            _roll_up(pages)
        _drop(engine)
        with app.app_context(), engine.begin() as connection:
            began = time.perf_counter()
            days, hours = a_year_of_rollups(connection, pages=pages)
        print(f"  (a year of {days} days and {hours} hours made in {time.perf_counter() - began:.0f} s)")
        with app.app_context():
            _read(pages)


@contextmanager
def _hall(url: str) -> Iterator[tuple[Flask, Engine]]:
    with tempfile.TemporaryDirectory(prefix="hall-bench-") as folder:
        settings = Settings.from_env(an_environment(DATABASE_URL=url, HALL_VAR_DIR=folder))
        migrate.upgrade(url)
        app = create_app(settings)
        with app.app_context():
            db.transaction(lambda: organisations.import_notice(notice.load(), lambda _done, _total: None))
        database = app.extensions["hall_db"]
        try:
            yield app, database.write_engine
        finally:
            database.dispose()


def page_ids(pages: int = PAGES) -> list[int]:
    """Return the ids of the bench's pages: scattered like those of a running hall."""
    return [_FIRST_ID + number * _STEP for number in range(pages)]


def a_province(pages: int = PAGES, now: datetime = NOW) -> None:
    """Register ``pages`` pages over all bodies of the notice, each watched for a year, most of them up."""
    bodies = organisations.bodies()
    begun = now - 366 * DAY
    common = {
        "theme": list(Theme)[0],
        "description": "面向居民的办事服务，可查询办理条件、预约窗口和查看进度。",
        "hotline": "12345",
        "domains": [],
        "state": State.ONLINE,
        "version": 1,
        "served": True,
        "checks": 1,
        "created_by": "bench",
        **dict.fromkeys(("first_online_at", "created_at", "changed_at"), begun),
        **dict.fromkeys(("elder_url", "health_url", "icp_number", "name_reason", "suspension_reason"), ""),
    }
    registered, watched, spans = [], [], []
    for number, page_id in enumerate(page_ids(pages)):
        body_id = bodies[number % len(bodies)].id
        url = f"https://page{number}.gd.gov.cn/m/"
        name = f"样例服务{number}"
        condition = Condition.DOWN if number % 100 == 0 else Condition.UP
        since = now - timedelta(minutes=number % 600)
        registered.append(
            {"id": page_id, "body_id": body_id, "name": name, "url": url, "url_digest": f"{number}", **common}
        )
        watched.append(
            {
                "check_id": page_id,
                "page_id": page_id,
                "kind": CheckKind.PAGE,
                "body_id": body_id,
                "name": name,
                "url": url,
                "watched": True,
                "begun_at": begun,
                "condition": condition,
                "since": since,
                "cause": "",
                "sampled_at": now - timedelta(seconds=number % 60),
                "total_ms": 200,
                "memory": {"version": 1, "stretches": [[since.isoformat(), condition.value, ""]]},
                "version": 1,
            }
        )
        spans += [
            {"check_id": page_id, "cause": "", **one}
            for one in (
                {"started_at": begun, "ended_at": since, "condition": Condition.UP},
                {"started_at": since, "ended_at": None, "condition": condition},
            )
        ]
    for model, rows in ((MobilePage, registered), (Watch, watched), (StateSpan, spans)):
        _put(model, rows)


def _put(model: Any, rows: Sequence[dict[str, Any]], portion: int = 5000) -> None:
    for at in range(0, len(rows), portion):
        db.transaction(lambda at=at: db.writing().execute(insert(model), rows[at : at + portion]))  # type: ignore[misc]


def _looks(app: Flask, engine: Engine, pages: int) -> None:
    """Store minutes of looks in the order in which they come, then the rest of the hour in bulk."""
    hour = marks.hour_of(NOW) - HOUR
    partitions.keep_ahead(engine, hour - 2 * DAY)
    minutes = TIMED_MINUTES if engine.dialect.name != "sqlite" else 5
    chance = random.Random(5)
    times = [round(200 * chance.lognormvariate(0, 0.4)) for _ in range(997)]
    ids = page_ids(pages)
    count, spent = 0, 0.0
    with app.app_context():
        for minute in range(minutes):
            rows = [
                _look(
                    page_id,
                    hour + timedelta(minutes=minute, milliseconds=number * 3 % 59_000),
                    times[(number * 7 + minute * 13) % len(times)],
                )
                for number, page_id in enumerate(ids)
            ]
            began = time.perf_counter()
            _put(ProbeSample, rows, 2000)
            spent += time.perf_counter() - began
            count += len(rows)
    print(f"  looks stored             {count / spent:9.0f} rows/s in batches of 2,000 (at least 5,000)")
    if engine.dialect.name != "sqlite":
        size = _bytes(engine, "probe_sample")
        print(f"  room of a look           {size / count:9.1f} bytes on disk after {count} rows (at most 80)")
    begun = f"{hour:%Y-%m-%d %H:%M:%S}"
    with engine.begin() as connection:
        for shift in range(minutes, 60, minutes):
            given = {
                "shift": shift,
                "end": 60 - shift,
                "minutes": minutes,
                "hour": begun,
            }
            connection.execute(text(_SHIFTED[engine.dialect.name]), given)


_COLUMNS = "prober, verdict, cause, http_status, dns_ms, connect_ms, tls_ms, first_byte_ms, total_ms"
_SHIFTED = {
    "mysql": f"INSERT INTO probe_sample (check_id, at, {_COLUMNS}) "
    f"SELECT check_id, at + INTERVAL :shift MINUTE, {_COLUMNS} FROM probe_sample "
    "WHERE at >= :hour AND at < :hour + INTERVAL :minutes MINUTE AND at < :hour + INTERVAL :end MINUTE",
    "sqlite": f"INSERT INTO probe_sample (check_id, at, {_COLUMNS}) "
    f"SELECT check_id, strftime('%Y-%m-%d %H:%M:%f', at, '+' || :shift || ' minutes') || '000', {_COLUMNS} "
    "FROM probe_sample WHERE at >= :hour AND at < strftime('%Y-%m-%d %H:%M:%f', :hour, "
    "'+' || min(:minutes, :end) || ' minutes')",
}


def _look(page_id: int, at: datetime, total: int) -> dict[str, Any]:
    return {
        "check_id": page_id,
        "at": at,
        "prober": 1,
        "verdict": 0,
        "cause": 0,
        "http_status": 200,
        "dns_ms": total // 20,
        "connect_ms": total // 10,
        "tls_ms": total // 5,
        "first_byte_ms": total // 2,
        "total_ms": total,
    }


def _bytes(engine: Engine, table: str) -> int:
    """Return what a table takes on disk, free space inside its pages included."""
    with engine.connect() as connection:
        connection.execute(text(f"ANALYZE TABLE {table}")).all()
        query = text(
            "SELECT SUM(data_length + index_length) FROM information_schema.partitions "
            "WHERE table_schema = DATABASE() AND table_name = :table AND table_rows > 0"
        )
        return int(connection.scalar(query, {"table": table}) or 0)


def _roll_up(pages: int) -> None:
    hour = marks.hour_of(NOW) - HOUR
    pace = _pace()

    def begin() -> None:
        marks.put(Mark.HOURS, hour)
        marks.put(Mark.DAYS, _today())

    db.transaction(begin)
    count = db.session().scalar(
        select(func.count())
        .select_from(ProbeSample)
        .where(ProbeSample.at >= hour, ProbeSample.at < hour + HOUR)
    )
    cpu, began = cpu_seconds([os.getpid()]), time.perf_counter()
    done = rollups.roll_up(NOW, pace)
    spent, cpu = time.perf_counter() - began, cpu_seconds([os.getpid()]) - cpu
    assert done.hours == 1
    mean = db.session().scalar(
        select(func.avg(func.length(Rollup.histogram))).where(Rollup.span == Length.HOUR)
    )
    print(f"  an hour rolled up        {spent:9.1f} s for {count} looks of {pages} checks (well under 60)")
    print(f"  client CPU for it        {cpu:9.1f} s")
    print(f"  its histograms           {float(mean or 0):9.0f} bytes an hour and check on average")


def _drop(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        return
    began = time.perf_counter()
    gone = partitions.drop_before(engine, NOW + 9 * DAY)
    spent = time.perf_counter() - began
    print(f"  old days dropped         {spent:9.2f} s for {len(gone)} days, an hour of looks (at most 1)")


def a_year_of_rollups(
    connection: Connection, pages: int = PAGES, *, hour_pages: int = HOUR_PAGES, now: datetime = NOW
) -> tuple[int, int]:
    """Fill the roll-ups of :func:`a_province`: a year of days, 90 days of hours for the first ``hour_pages``.

    Bodies, cities and the province have theirs too, hours of the last two days only. Returns how many
    rows of days and hours of checks there are.
    """
    for model in (Rollup, GroupRollup, HistoryMark):
        connection.execute(model.__table__.delete())
    today = figures.window(1, now).start
    body_of = dict(connection.execute(select(Watch.check_id, Watch.body_id)).all())
    ids = [page_id for page_id in page_ids(pages) if page_id in body_of]
    days = [today - n * DAY for n in range(1, 366)]
    hours = [marks.hour_of(now) - n * HOUR for n in range(1, 90 * 24)]
    _fill(connection, Length.DAY, days, [(page_id, body_of[page_id]) for page_id in ids], 1440)
    _fill(connection, Length.HOUR, hours, [(page_id, body_of[page_id]) for page_id in ids[:hour_pages]], 60)
    _fill_groups(connection, body_of, days, hours[:48])
    for mark, at in ((Mark.SEALED, marks.hour_of(now)), (Mark.HOURS, marks.hour_of(now)), (Mark.DAYS, today)):
        connection.execute(insert(HistoryMark), [{"name": mark.value, "at": at}])
    return len(days) * len(ids), len(hours) * len(ids[:hour_pages])


def _fill(
    connection: Connection,
    length: Length,
    starts: Sequence[datetime],
    checks: Sequence[tuple[int, int]],
    looks: int,
) -> None:
    """Write the newest hour or day row by row and copy it to all the others."""
    own = {"slot_s": 60, "fresh_s": 195, "revision": 1, "computed_at": NOW, "span": length.value}
    variants = [_variant(number, looks) for number in range(16)]
    rows = [
        {"check_id": check_id, "body_id": body_id, "start_at": starts[0], **own, **variants[check_id % 16]}
        for check_id, body_id in checks
    ]
    for at in range(0, len(rows), 5000):
        connection.execute(insert(Rollup), rows[at : at + 5000])
    names = [column.name for column in Rollup.__table__.columns if column.name != "start_at"]
    columns = [Rollup.__table__.c[name] for name in names]
    chosen = select(bindparam("there", type_=Rollup.start_at.type), *columns).where(
        Rollup.span == length, Rollup.start_at == starts[0]
    )
    copy = insert(Rollup).from_select(["start_at", *names], chosen)
    for start in starts[1:]:
        connection.execute(copy, {"there": start})


def _variant(number: int, looks: int) -> dict[str, Any]:
    chance = random.Random(number)
    times = [round(200 * chance.lognormvariate(0, 0.4)) for _ in range(looks)]
    down = number % 8 * looks // 1440
    return {
        **dict.fromkeys(NUMBERS, 0),
        "up_s": 60 * (looks - down),
        "down_s": 60 * down,
        "looks": looks,
        "failures": down,
        "visits": looks,
        "visit_failures": down,
        "dns_ms": 10 * looks,
        "connect_ms": 20 * looks,
        "tls_ms": 40 * looks,
        "first_byte_ms": 100 * looks,
        "total_ms": sum(times),
        "histogram": LogHistogram(times).to_bytes(),
    }


def _fill_groups(
    connection: Connection, body_of: dict[int, int], days: Sequence[datetime], hours: Sequence[datetime]
) -> None:
    members: dict[int, int] = {}
    for body_id in body_of.values():
        members[body_id] = members.get(body_id, 0) + 1
    city_of = reckoning.cities()
    for length, starts, looks in ((Length.DAY, days, 1440), (Length.HOUR, hours, 60)):
        one = _variant(3, looks)
        sizes = {(Scope.BODY, str(body_id)): count for body_id, count in members.items()}
        for body_id, count in members.items():
            code = city_of.get(str(body_id))
            for key in [(Scope.PROVINCE, ""), *([(Scope.CITY, code)] if code else [])]:
                sizes[key] = sizes.get(key, 0) + count
        for start in starts:
            connection.execute(
                insert(GroupRollup),
                [
                    {
                        **{name: count * one[name] for name in NUMBERS},
                        "histogram": one["histogram"],
                        "span": length.value,
                        "scope": scope.value,
                        "ref": ref,
                        "start_at": start,
                        "pages": count,
                        "revision": 1,
                        "computed_at": NOW,
                    }
                    for (scope, ref), count in sizes.items()
                ],
            )


def _read(pages: int) -> None:
    pace, own = _pace(), terms(Settings.from_env(an_environment()))
    middle = page_ids(pages)[min(pages, HOUR_PAGES) // 2]

    def asked(days: int) -> Any:
        return figures.window(days, NOW)

    def wall() -> None:
        running = figures.lately(pace, NOW)
        figures.province(asked(1), pace, running=running)
        figures.province(asked(30), pace, times=True, running=running)
        figures.by_city(asked(30), pace, running=running)
        figures.heat(Scope.CITY, 30, NOW)

    questions: list[tuple[str, Callable[[], object], str]] = [
        ("the wall's figures", wall, "(the whole wall: at most 300)"),
        ("of these, the running hour", lambda: figures.lately(pace, NOW), ""),
        ("of these, the heat", lambda: figures.heat(Scope.CITY, 30, NOW), ""),
        ("a page, 90 days", lambda: figures.page(middle, 90, own, NOW), "(the whole page: at most 200)"),
        ("the same, 90 days of hours", lambda: figures.page(middle, 90, own, NOW, hours=2160), ""),
        ("inspection of a page", lambda: figures.official(middle, own, NOW), ""),
    ]
    for days in (7, 30, 90, 365):
        questions += [
            (f"province, {days} days", lambda days=days: figures.province(asked(days), pace, times=True), ""),  # type: ignore[misc]
            (f"every city, {days} days", lambda days=days: figures.by_city(asked(days), pace), ""),  # type: ignore[misc]
            (f"every body, {days} days", lambda days=days: figures.by_body(asked(days), pace), ""),  # type: ignore[misc]
        ]
    for name, ask, limit in questions:
        spent = []
        for _ in range(5):
            db.session().expire_all()
            began = time.perf_counter()
            ask()
            spent.append((time.perf_counter() - began) * 1000)
        print(f"  {name:<26}{statistics.median(spent):7.0f} ms, {max(spent):.0f} at most {limit}")


def _pace() -> reckoning.Paces:
    return paces(terms(Settings.from_env(an_environment())))


def _today() -> datetime:
    return figures.window(1, NOW).start


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=PAGES)
    run(parser.parse_args().pages)
