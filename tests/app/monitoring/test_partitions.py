"""Looks by the day: made ahead, caught up with, dropped whole; nothing is lost in between."""

from datetime import date

import pytest
from sqlalchemy import create_engine, func, select

from app.core import db, migrate
from app.monitoring import jobs, marks, partitions, rollups
from app.monitoring.marks import Mark
from app.monitoring.models import ProbeSample
from app.monitoring.reckoning import paces
from tests import mariadb
from tests.app.monitoring.builders import TERMS, at, seen

DAY = 24 * 60


@pytest.fixture(scope="module")
def server():
    reason = mariadb.missing()
    if reason:
        pytest.skip(f"MariaDB half: {reason}")
    with mariadb.server() as url:
        migrate.upgrade(url)
        engine = create_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture
def engine(server):
    """An empty table without days, as after the migration."""
    undivide(server)
    with server.begin() as connection:
        connection.execute(ProbeSample.__table__.delete())
    return server


@pytest.fixture
def undivided(app, tables):
    """Leave no days behind: every other test's clean-up would have to go through them."""
    yield
    if app.extensions["hall_db"].write_engine.dialect.name != "sqlite":
        undivide(app.extensions["hall_db"].write_engine)


def undivide(engine):
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "ALTER TABLE probe_sample PARTITION BY RANGE COLUMNS(at) "
            "(PARTITION later VALUES LESS THAN (MAXVALUE))"
        )


def store(engine, *minutes):
    times = dict.fromkeys(("dns_ms", "connect_ms", "tls_ms", "first_byte_ms", "total_ms"), 9)
    rows = [
        {"check_id": 1, "at": at(minute), "prober": 1, "verdict": 0, "cause": 0, "http_status": 200} | times
        for minute in minutes
    ]
    with engine.begin() as connection:
        connection.execute(ProbeSample.__table__.insert(), rows)


def stored(engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(ProbeSample))


def test_days_are_made_ahead_once(engine):
    made = partitions.keep_ahead(engine, at(0), ahead=2)

    assert made == [date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)]
    assert partitions.keep_ahead(engine, at(0), ahead=2) == []
    assert partitions.days_of(engine) == made


def test_looks_stored_before_any_day_was_made_are_sorted_into_theirs(engine):
    store(engine, -3 * DAY, -DAY, 5)

    partitions.keep_ahead(engine, at(0), ahead=1)

    assert partitions.days_of(engine)[0] == date(2026, 2, 27)
    assert stored(engine) == 3


def test_days_nobody_made_in_time_are_caught_up_with(engine):
    partitions.keep_ahead(engine, at(0), ahead=1)
    store(engine, 3 * DAY, 4 * DAY)

    made = partitions.keep_ahead(engine, at(5 * DAY), ahead=1)

    assert made == [date(2026, 3, day) for day in (4, 5, 6, 7, 8)]
    assert partitions.drop_before(engine, at(4 * DAY)) == [date(2026, 3, day) for day in (2, 3, 4, 5)]
    assert stored(engine) == 1


def test_a_day_ends_at_midnight_in_guangdong(engine):
    partitions.keep_ahead(engine, at(0), ahead=3)
    midnight = 15 * 60
    store(engine, midnight - 0.001, midnight)

    gone = partitions.drop_before(engine, at(midnight))

    assert gone == [date(2026, 3, 2)]
    assert stored(engine) == 1


def test_a_day_that_is_not_over_stays(engine):
    partitions.keep_ahead(engine, at(0), ahead=3)

    assert partitions.drop_before(engine, at(15 * 60 - 1)) == []


def test_keeping_the_history_drops_what_is_old_and_rolled_up_and_nothing_else(app, given, undivided):
    given(seen, "U" * 60, every=60)

    with app.app_context():
        jobs.keep_history({})
        before = db.session().scalar(select(func.count()).select_from(ProbeSample))
        rollups.roll_up(at(2 * DAY), paces(TERMS))
        jobs.keep_history({})
        after = db.session().scalar(select(func.min(ProbeSample.at)))
        forgotten = marks.marks()[Mark.SAMPLES]

    assert before == 60
    assert forgotten == at(39 * 60)
    assert after >= at(39 * 60)


def test_the_hall_is_prepared_with_days_ahead(app, undivided):
    with app.app_context():
        partitions.prepare(lambda _done, _total: None)
        engine = db.database().write_engine
        days = partitions.days_of(engine)

    assert (engine.dialect.name == "sqlite") == (days == [])
