"""Names of items for capabilities below the catalogue, which ask through the core."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import or_, select

from app.catalogue.models import ItemDirectory, ItemImplementation
from app.catalogue.searching import search
from app.core import db

FOUND_MAX = 10


def item_names(text: str, ids: Collection[int]) -> dict[int, str]:
    """Return the names of the items that fit words, and of those with given ids, by directory id.

    Ids that are none are left out.
    """
    found = [match.id for match in search(text, limit=FOUND_MAX)] if text else []
    of_found = select(ItemImplementation.directory_id).where(ItemImplementation.id.in_(found))
    query = (
        select(ItemDirectory.id, ItemDirectory.name)
        .where(or_(ItemDirectory.id.in_(ids), ItemDirectory.id.in_(of_found)))
        .order_by(ItemDirectory.name, ItemDirectory.id)
    )
    return {row.id: row.name for row in db.session().execute(query)}
