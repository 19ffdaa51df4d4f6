"""Items as lists show them: each once, as the nearest place carries it out, a page in one statement.

The statements are put together once and read only what a line shows; the content of an item, many times
as long, stays in the database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, Subquery, bindparam, case, or_, select
from sqlalchemy.sql.expression import and_

from app.catalogue.domain import Domain, VersionState
from app.catalogue.models import ItemDirectory, ItemImplementation, ItemVersion
from app.catalogue.reach import Reach
from app.core import db
from app.organisations import service as organisations

_DIRECTORY = ItemDirectory.__table__.c
_PLACE = ItemImplementation.__table__.c
_VERSION = ItemVersion.__table__.c
_ABOVE = 3
"""A place, what lies above it and the province: within them the order is by code."""


@dataclass(frozen=True, slots=True)
class ItemMatch:
    """One item as a list shows it.

    Attributes:
        id: of the implementation; what the guide's address names.
        online: one can apply here and now.
        page_id: the body's own mobile page for it, None when there is none.
    """

    id: int
    name: str
    body_name: str
    region_code: str
    region_name: str
    summary: str
    online: bool
    sample: bool
    page_id: int | None


def carried_out(directory_id: Any, *, somewhere: bool) -> Any:
    """Return the condition that an item is carried out; within the bound ``codes`` unless ``somewhere``."""
    places = ItemImplementation.__table__.alias("elsewhere")
    versions = ItemVersion.__table__.alias("their")
    found = (
        select(places.c.id)
        .join(versions, versions.c.implementation_id == places.c.id)
        .where(places.c.directory_id == directory_id, versions.c.live == 1)
    )
    if not somewhere:
        found = found.where(places.c.region_code.in_(bindparam("codes", expanding=True)))
    return found.exists()


def bound(reach: Reach) -> dict[str, Any]:
    """Return the values that statements about ``reach`` need."""
    if reach.codes is None:
        return {}
    above = [*reach.codes[:_ABOVE], *[""] * _ABOVE][:_ABOVE]
    return {"codes": list(reach.codes), **{f"place_{at}": code for at, code in enumerate(above)}}


def page(
    reach: Reach, after: tuple[str, str] | None, limit: int, domain: Domain | None = None
) -> list[tuple[str, str, ItemMatch]]:
    """Return up to ``limit`` items after a name and code, by name, each with its own name and code."""
    given = {**bound(reach), "limit": limit}
    if domain is not None:
        given["domain"] = domain
    if after is not None:
        given |= {"name": after[0], "code": after[1]}
    statement = _page(reach.codes is None, after is not None, domain is not None)
    return [(row.directory_name, row.directory_code, _match(row)) for row in db.rows(statement, given)]


def nearest(directory_ids: Sequence[int], reach: Reach) -> dict[int, ItemMatch]:
    """Return items by directory entry; those that are not carried out within ``reach`` are left out."""
    if not directory_ids:
        return {}
    given = {**bound(reach), "directory_ids": list(directory_ids)}
    return {row.directory_id: _match(row) for row in db.rows(_chosen(reach.codes is None), given)}


@cache
def _page(somewhere: bool, goes_on: bool, of_domain: bool) -> Select[*tuple[Any, ...]]:
    name, code = _DIRECTORY.name, _DIRECTORY.code
    entries = _entries().where(carried_out(_DIRECTORY.id, somewhere=somewhere))
    if of_domain:
        entries = entries.where(_DIRECTORY.domain == bindparam("domain", type_=_DIRECTORY.domain.type))
    if goes_on:
        last_name, last_code = bindparam("name", type_=name.type), bindparam("code", type_=code.type)
        # By name, which people can read; those that share one are told apart by the code.
        entries = entries.where(or_(name > last_name, and_(name == last_name, code > last_code)))
    picked = entries.order_by(name, code).limit(bindparam("limit")).subquery("entry")
    return _lines(picked, somewhere).order_by(picked.c.name, picked.c.code)


@cache
def _chosen(somewhere: bool) -> Select[*tuple[Any, ...]]:
    chosen = _DIRECTORY.id.in_(bindparam("directory_ids", expanding=True))
    return _lines(_entries().where(chosen).subquery("entry"), somewhere)


def _entries() -> Select[*tuple[Any, ...]]:
    return select(_DIRECTORY.id, _DIRECTORY.name, _DIRECTORY.code, _DIRECTORY.sample)


def _lines(entry: Subquery, somewhere: bool) -> Select[*tuple[Any, ...]]:
    places = ItemImplementation.__table__.alias("candidate")
    versions = ItemVersion.__table__.alias("current")
    order: list[Any] = [places.c.region_code, places.c.id]  # codes sort the province before its cities
    first = (
        select(places.c.id)
        .join(versions, versions.c.implementation_id == places.c.id)
        .where(places.c.directory_id == entry.c.id, versions.c.live == 1)
    )
    if not somewhere:
        first = first.where(places.c.region_code.in_(bindparam("codes", expanding=True)))
        ranks = {f"place_{rank}": rank for rank in range(_ABOVE)}
        whens = [(places.c.region_code == bindparam(name), rank) for name, rank in ranks.items()]
        order.insert(0, case(*whens, else_=_ABOVE))
    chosen = first.order_by(*order).limit(1).correlate(entry).scalar_subquery()
    query = (
        select(
            entry.c.id.label("directory_id"),
            entry.c.name.label("directory_name"),
            entry.c.code.label("directory_code"),
            entry.c.sample,
            _PLACE.id,
            _PLACE.region_code,
            _PLACE.page_id,
            _VERSION.state,
            _VERSION.content["name"].as_string().label("name"),
            _VERSION.content["summary"].as_string().label("summary"),
            _VERSION.content["online"].as_string().label("online"),
        )
        .select_from(entry)
        .join(ItemImplementation.__table__, _PLACE.id == chosen)
        .join(ItemVersion.__table__, and_(_VERSION.implementation_id == _PLACE.id, _VERSION.live == 1))
    )
    return organisations.join_names(query, _PLACE.body_id)


def _match(row: Any) -> ItemMatch:
    # A truth inside JSON comes out as a word or as a number, as the database likes.
    online = str(row.online) in {"true", "1"} and row.state is VersionState.PUBLISHED
    return ItemMatch(
        id=row.id,
        name=row.name,
        body_name=row.joined_full_name,
        region_code=row.region_code,
        region_name=row.joined_region_name,
        summary=row.summary,
        online=online,
        sample=bool(row.sample),
        page_id=row.page_id,
    )


def to_json(match: ItemMatch) -> Mapping[str, Any]:
    """Return a line as the API gives it: keys are text, because JavaScript rounds long numbers."""
    return {
        "id": str(match.id),
        "name": match.name,
        "body_name": match.body_name,
        "region_code": match.region_code,
        "region_name": match.region_name,
        "summary": match.summary,
        "online": match.online,
        "sample": match.sample,
        "page_id": str(match.page_id) if match.page_id is not None else None,
    }
