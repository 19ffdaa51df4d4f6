"""What items are called, for lists that need nothing else of them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from app.catalogue.models import ItemDirectory, ItemImplementation
from app.core import db


def names_of(implementation_ids: Iterable[int]) -> dict[int, tuple[str, int]]:
    """Return the directory's name and the body of implementations; those that do not exist are left out."""
    query = (
        select(ItemImplementation.id, ItemDirectory.name, ItemImplementation.body_id)
        .join(ItemDirectory, ItemDirectory.id == ItemImplementation.directory_id)
        .where(ItemImplementation.id.in_(set(implementation_ids)))
    )
    return {item_id: (name, body_id) for item_id, name, body_id in db.session().execute(query)}
