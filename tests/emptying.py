"""Every table empty again, in one statement and a few more."""

from __future__ import annotations

from functools import cache

import sqlalchemy as sa

from app.core import db


def empty_tables(engine: sa.Engine) -> None:
    """Delete all rows. Most tables hold none, and to ask all of them at once is cheaper than to delete."""
    with engine.begin() as connection:
        filled = set(connection.scalars(_filled()))
        for table in reversed(db.Model.metadata.sorted_tables):
            if table.name in filled:
                connection.execute(table.delete())


@cache
def _filled() -> sa.CompoundSelect[tuple[str]]:
    return sa.union_all(
        *(
            sa.select(sa.literal(table.name)).where(sa.exists().select_from(table))
            for table in db.Model.metadata.sorted_tables
        )
    )
