"""Looks by the day: on MariaDB each day of Guangdong is a partition, made ahead and dropped whole.

The partition named ``later`` takes everything after the last day made, so that storing never fails
when nobody made days for a while; its looks are sorted into days when somebody does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, Engine, func, select, text

from app.core import clock, db
from app.monitoring.models import ProbeSample
from mobile_pages.probe.uptime import day_window

DAYS_AHEAD = 7
LATER = "later"
_DAY = timedelta(days=1)
_LOCK_SECONDS = 20
"""How long a change of partitions waits for running transactions; storing queues up behind it."""

_BOUNDS = text(
    "SELECT partition_name, partition_description FROM information_schema.partitions "
    "WHERE table_schema = DATABASE() AND table_name = 'probe_sample' AND partition_name IS NOT NULL "
    "ORDER BY partition_ordinal_position"
)


def prepare(_report: Callable[[int, int], None]) -> None:
    """Make the days ahead before the first look comes."""
    keep_ahead(db.database().write_engine, clock.system_clock())


def days_of(engine: Engine) -> list[date]:
    """Return the days that have partitions, in order; none where there are no partitions."""
    with _connection(engine) as connection:
        return _days(connection)


def keep_ahead(engine: Engine, now: datetime, ahead: int = DAYS_AHEAD) -> list[date]:
    """Make the days up to ``ahead`` days after today; return those made. Does nothing on SQLite."""
    if engine.dialect.name == "sqlite":
        return []
    today = clock.day_of(now)
    with _connection(engine) as connection:
        held = _days(connection)
        first = held[-1] + _DAY if held else min(today, _oldest(connection) or today)
        wanted = [first + n * _DAY for n in range((today + ahead * _DAY - first).days + 1)]
        if wanted:
            parts = ", ".join(f"PARTITION {_name(day)} VALUES LESS THAN ('{_end(day)}')" for day in wanted)
            connection.exec_driver_sql(
                f"ALTER TABLE probe_sample REORGANIZE PARTITION {LATER} INTO "
                f"({parts}, PARTITION {LATER} VALUES LESS THAN (MAXVALUE))"
            )
    return wanted


def drop_before(engine: Engine, before: datetime) -> list[date]:
    """Drop the days that ended by ``before``, each whole; return them. Does nothing on SQLite."""
    if engine.dialect.name == "sqlite":
        return []
    with _connection(engine) as connection:
        gone = [day for day in _days(connection) if day_window(day).end <= before]
        if gone:
            names = ", ".join(_name(day) for day in gone)
            connection.exec_driver_sql(f"ALTER TABLE probe_sample DROP PARTITION {names}")
    return gone


def _connection(engine: Engine) -> Connection:
    connection = engine.connect()
    if engine.dialect.name != "sqlite":
        connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {_LOCK_SECONDS}")
        connection.commit()
    return connection


def _days(connection: Connection) -> list[date]:
    if connection.dialect.name == "sqlite":
        return []
    return [_day(name) for name, _ in connection.execute(_BOUNDS) if name != LATER]


def _oldest(connection: Connection) -> date | None:
    at = connection.scalar(select(func.min(ProbeSample.at)))
    return None if at is None else clock.day_of(at)


def _name(day: date) -> str:
    return f"d{day:%Y%m%d}"


def _day(name: str) -> date:
    return datetime.strptime(name, "d%Y%m%d").replace(tzinfo=UTC).date()


def _end(day: date) -> str:
    return f"{day_window(day).end:%Y-%m-%d %H:%M:%S}"
