"""Finding items by the code that departments' systems know them by (事项编码)."""

from __future__ import annotations

from sqlalchemy import select

from app.catalogue.models import ItemImplementation, ItemVersion
from app.core import db


def item_by_code(code: str, body_id: int, region_code: str | None = None) -> int | None:
    """Return the id of an item in force by its code, as a body carries it out; None when there is none.

    Args:
        region_code: only as carried out for this place; None for any.
    """
    query = (
        select(ItemImplementation.id)
        .join(ItemVersion, ItemVersion.implementation_id == ItemImplementation.id)
        .where(ItemImplementation.code == code, ItemImplementation.body_id == body_id, ItemVersion.live == 1)
        .order_by(ItemImplementation.id)
    )
    if region_code is not None:
        query = query.where(ItemImplementation.region_code == region_code)
    return db.session().scalar(query.limit(1))


def codes_of(body_id: int) -> dict[str, int]:
    """Return the codes of the items in force of a body with their ids, by code."""
    query = (
        select(ItemImplementation.code, ItemImplementation.id)
        .join(ItemVersion, ItemVersion.implementation_id == ItemImplementation.id)
        .where(ItemImplementation.body_id == body_id, ItemVersion.live == 1)
        .order_by(ItemImplementation.code)
    )
    return {row.code: row.id for row in db.session().execute(query)}
