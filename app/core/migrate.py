"""Alembic without an ini file: the same migrations for every start, test and command.

Alembic is imported where it is used: a web worker never migrates and is spared its 10 MB.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def config(url: str) -> Config:
    """Return Alembic's configuration for the database at ``url``."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    made.attributes["url"] = url
    return made


def upgrade(url: str) -> str:
    """Bring the database to the newest version; return what was done in a few words."""
    from alembic import command

    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    before = current(url)
    command.upgrade(config(url), "head")
    after = current(url)
    return f"up to date ({after})" if before == after else f"migrated {before or 'empty'} → {after}"


def current(url: str) -> str | None:
    """Return the version the database is at, None when it is empty."""
    from alembic.runtime.migration import MigrationContext

    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def only_on(dialect: str) -> Callable[..., bool]:
    """Return Alembic's ``include_object`` that leaves out what is meant for another dialect.

    Say so with ``info={"only_on": "sqlite"}`` on an index.
    """

    def include(item: Any, _name: str, _kind: str, _reflected: bool, _other: object) -> bool:
        return bool(item.info.get("only_on", dialect) == dialect)

    return include


def heads() -> list[str]:
    """Return the newest versions there are; more than one is a conflict between branches."""
    from alembic.script import ScriptDirectory

    return list(ScriptDirectory(str(MIGRATIONS)).get_heads())
