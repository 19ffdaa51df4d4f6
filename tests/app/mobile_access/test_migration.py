"""What earlier checks kept is known after the migration, so that nothing of it is cleared away."""

import json
import sqlite3

from alembic import command

from app.core import migrate

RUN = {
    "id": 7,
    "page_id": 1,
    "number": 1,
    "asked_by": "system",
    "asked_at": "2026-03-02 01:00:00",
    "spec_version": "1",
    "profile": "standard",
    "counts": "{}",
    "artifact": "a" * 64,
    "report": json.dumps({"screenshots": [{"sha256": "b" * 64}, {"sha256": "b" * 64}]}),
}


def insert(connection, table, **values):
    """Insert a row; columns that must hold something and are not named hold the least there is."""
    for _, name, kind, needed, default, _ in connection.execute(f"PRAGMA table_info({table})").fetchall():
        if needed and default is None and name not in values:
            values[name] = RUN["asked_at"] if kind == "DATETIME" else 1 if "INT" in kind else "[]"
    names, marks = (", ".join(f"{sign}{name}{end}" for name in values) for sign, end in ('""', (":", "")))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)


def test_files_of_checks_made_before_are_named(tmp_path):
    path = tmp_path / "hall.sqlite"
    command.upgrade(migrate.config(f"sqlite:///{path}"), "0006")
    connection = sqlite3.connect(path)
    insert(connection, "region", code="440000")
    insert(connection, "body", id=1, region_code="440000")
    insert(connection, "mobile_page", id=1, body_id=1)
    insert(connection, "check_run", **RUN)
    connection.commit()

    command.upgrade(migrate.config(f"sqlite:///{path}"), "head")

    kept = connection.execute("SELECT run_id, digest FROM check_file ORDER BY digest").fetchall()
    kind = connection.execute("SELECT kind, because, decided_review FROM check_run").fetchall()
    connection.close()
    assert kept == [(7, "a" * 64), (7, "b" * 64)]
    assert kind == [("asked", "", 0)]
