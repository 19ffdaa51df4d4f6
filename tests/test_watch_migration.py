"""What the watch knew before checks and roll-ups came (0007) is still known after (0008)."""

from datetime import datetime

import pytest
from alembic import command
from sqlalchemy import JSON, Boolean, DateTime, Integer, MetaData, create_engine, insert, select, text
from sqlalchemy.dialects.mysql import LONGTEXT

from app.core import migrate

PAGE, BODY = 4611686018427387904, 77
BEGUN = datetime.fromisoformat("2026-03-02T01:00:00.123456")
LATER = datetime.fromisoformat("2026-03-02T01:01:00.987654")


@pytest.fixture(params=["sqlite", "mariadb"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/hall.sqlite"
    server = request.getfixturevalue("mariadb_url")
    engine = create_engine(server)
    with engine.begin() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS carried"))
        connection.execute(text("CREATE DATABASE carried CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"))
    engine.dispose()
    return server.replace("/hall", "/carried")


@pytest.fixture
def carried(url):
    """A connection to a database that was filled at 0007 and migrated to 0008."""
    command.upgrade(migrate.config(url), "0007")
    engine = create_engine(url)
    with engine.begin() as connection:
        fill(connection)
    command.upgrade(migrate.config(url), "0008")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def fill(connection):
    metadata = MetaData()
    metadata.reflect(connection)

    def add(name, /, **values):
        table = metadata.tables[name]
        known = {column.name: plain(column) for column in table.columns if not column.nullable}
        connection.execute(insert(table), known | values)

    add("region", code="440000")
    add("body", id=BODY, region_code="440000")
    add("mobile_page", id=PAGE, body_id=BODY)
    watch = {"page_id": PAGE, "body_id": BODY, "name": "户政服务"}
    add("watch_state", **watch, begun_at=BEGUN, since=LATER, condition="down", cause="tls_expired")
    add("state_span", page_id=PAGE, started_at=BEGUN, ended_at=LATER, condition="up")
    add("state_span", page_id=PAGE, started_at=LATER, condition="down", cause="tls_expired")
    held = {"page_id": PAGE, "body_id": BODY, "page_name": "户政服务", "started_at": LATER}
    add("incident", id=1, open_page_id=PAGE, cause="tls_expired", **held)
    add("incident", id=2, cause="dns_failure", resolved_at=LATER, outcome="recovered", **held)
    add("incident", id=3, open_page_id=None, cause="slow", acknowledged_at=LATER, **held)
    for number, name in enumerate(("prober-b", "prober-a")):
        add("prober_beat", name=name, looks=number)
    look = {"page_id": PAGE, "at": LATER, "total_ms": 70_000, "dns_ms": 12}
    add("probe_sample", **look, prober="prober-a", verdict="down", cause="timeout")
    add("probe_sample", **look, prober="prober-b", verdict="up", cause="", http_status=200)
    add("probe_sample", **look, prober="gone", verdict="down", cause="guard_private")


def plain(column):
    """Return a value that fits a column the test is not about."""
    if isinstance(column.type, DateTime):
        return BEGUN
    if isinstance(column.type, Integer | Boolean):
        return 0
    return {} if isinstance(column.type, JSON) else "{}" if isinstance(column.type, LONGTEXT) else ""


def rows(connection, name, *columns):
    table = MetaData()
    table.reflect(connection, only=[name])
    chosen = [table.tables[name].c[column] for column in columns]
    return {tuple(row) for row in connection.execute(select(*chosen))}


def test_watch_and_spans_hang_on_the_pages_main_check(carried):
    assert rows(carried, "watch_state", "check_id", "page_id", "kind", "condition", "cause") == {
        (PAGE, PAGE, "page", "down", "tls_expired")
    }
    assert rows(carried, "state_span", "check_id", "started_at", "ended_at", "condition") == {
        (PAGE, BEGUN, LATER, "up"),
        (PAGE, LATER, None, "down"),
    }


def test_incidents_have_a_state_and_a_phase(carried):
    assert rows(carried, "incident", "id", "check_id", "open_check_id", "state", "phase") == {
        (1, PAGE, PAGE, "open", "tls"),
        (2, PAGE, None, "resolved", "dns"),
        (3, PAGE, None, "resolved", "slow"),
    }


def test_probers_are_numbered_by_name(carried):
    assert rows(carried, "prober_beat", "name", "number", "looks") == {
        ("prober-a", 1, 1),
        ("prober-b", 2, 0),
    }


def test_looks_are_numbers_now_and_their_times_fit(carried):
    milliseconds = LATER.replace(microsecond=987000)

    assert rows(carried, "probe_sample", "at", "prober", "verdict", "cause", "dns_ms", "total_ms") == {
        (milliseconds, 1, 2, 13, 12, 65_535),
        (milliseconds, 2, 0, 0, 12, 65_535),
        (milliseconds, 0, 2, 19, 12, 65_535),
    }
