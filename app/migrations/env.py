"""Runs migrations; SQLite's foreign keys are off meanwhile and checked afterwards."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Enum, create_engine, pool

from app.core.db import Instant, Key, Medium, Model, Paper, Small, Tiny
from app.core.migrate import only_on

_NUMBERS = {"Key": Key, "Tiny": Tiny, "Small": Small, "Medium": Medium, "Paper": Paper}


def render(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Write our own column types by name; enums are text, so a new member needs no migration."""
    if kind != "type":
        return False
    if isinstance(item, Enum):
        return f"sa.String(length={item.length})"
    if isinstance(item, Instant):
        return "Instant()" if item.fsp == Instant().fsp else f"Instant({item.fsp})"
    return next((name for name, own in _NUMBERS.items() if item is own), False)


def run() -> None:
    engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        if sqlite:
            # A batch rebuild of a parent table would delete its children through ON DELETE CASCADE.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Model.metadata,
            render_as_batch=sqlite,
            render_item=render,
            compare_type=True,
            include_object=only_on("sqlite" if sqlite else "mysql"),
            transactional_ddl=False,
        )
        with context.begin_transaction():
            context.run_migrations()
        if sqlite:
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise RuntimeError(f"foreign keys broken by the migration: {broken[:5]}")
        connection.commit()
    engine.dispose()


run()
