"""How items stand to each other (事项关联): what comes first, what goes together, what excludes what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.exc import IntegrityError

from app.catalogue.content import from_json
from app.catalogue.domain import MUTUAL, RelationCycle, RelationKind
from app.catalogue.models import (
    ItemDirectory,
    ItemImplementation,
    ItemRelation,
    ItemVersion,
    RelationGraph,
)
from app.core import audit, db
from app.core.access import Permission
from app.core.errors import Conflict, Invalid, NotFound
from app.organisations import service as organisations
from app.organisations.service import Principal

_ONLY_ROW = 1


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation as it is read from an item.

    Attributes:
        other_directory_id: the item at the other end.
        variant: 情形 of the item it is read from, ``""`` for all of them.
        backwards: written down at the other item: there it says ``kind``, here the reverse of it.
    """

    id: int
    kind: RelationKind
    other_directory_id: int
    variant: str = ""
    backwards: bool = False


def relations_of(directory_id: int) -> list[Relation]:
    """Return what an item says of others: its prerequisites, what goes or does not go with it, what its
    result serves; by kind, then by the other item.
    """
    return [one for one in all_relations_of(directory_id) if not one.backwards]


def all_relations_of(directory_id: int) -> list[Relation]:
    """Return :func:`relations_of` and, backwards, what other items say of this one."""
    query = select(ItemRelation).where(
        or_(ItemRelation.directory_id == directory_id, ItemRelation.other_id == directory_id)
    )
    found = []
    for row in db.session().scalars(query):
        if row.directory_id == directory_id:
            found.append(Relation(row.id, row.kind, row.other_id, row.variant))
        else:
            # What goes together goes together from both sides; its variant is the other item's.
            found.append(Relation(row.id, row.kind, row.directory_id, "", row.kind not in MUTUAL))
    order = list(RelationKind)
    return sorted(found, key=lambda one: (one.backwards, order.index(one.kind), one.other_directory_id))


def add_relation(
    directory_id: int,
    kind: RelationKind,
    other_directory_id: int,
    *,
    variant: str = "",
    actor: str,
    now: datetime,
) -> int:
    """Say how an item stands to another; return the relation's id, also when it is said already.

    Raises:
        NotFound: one of the items does not exist.
        Invalid: an item and itself, or a variant that no version in force has.
        RelationCycle: the items would wait for each other.
        Conflict: they exclude each other and belong together at once.
    """
    if directory_id == other_directory_id:
        raise Invalid("事项不能与自己关联", fields={"other_directory_id": ["不能是同一个事项"]})
    _raise_version()
    _demand_items({directory_id, other_directory_id})
    if variant and variant not in variants_of(directory_id):
        raise Invalid("事项没有这种情形", fields={"variant": ["没有这种情形"]})
    for row in _between(directory_id, other_directory_id):
        if row.kind is kind and row.variant == variant and (row.directory_id == directory_id):
            return row.id
        if row.kind is kind and kind in MUTUAL and not row.variant and not variant:
            return row.id
        if RelationKind.EXCLUSIVE in {row.kind, kind} and row.kind is not kind:
            raise Conflict("“不能同时办”与其他关联矛盾")
    if kind is RelationKind.PREREQUISITE and _leads_to(other_directory_id, directory_id):
        raise RelationCycle("那个事项直接或间接要先办本事项")
    row = ItemRelation(
        directory_id=directory_id,
        other_id=other_directory_id,
        kind=kind,
        variant=variant,
        created_at=now,
        created_by=actor,
    )
    db.writing().add(row)
    db.writing().flush()
    told = {"kind": kind.value, "other": str(other_directory_id), "variant": variant}
    audit.record(actor, "catalogue.relation_added", "item_directory", directory_id, told)
    return row.id


def remove_relation(directory_id: int, relation_id: int, *, actor: str) -> None:
    """Take a relation away that is written down at this item.

    Raises:
        NotFound: there is no such relation.
    """
    _raise_version()
    row = db.writing().get(ItemRelation, relation_id)
    if row is None or row.directory_id != directory_id:
        raise NotFound("没有这条关联")
    told = {"kind": row.kind.value, "other": str(row.other_id), "variant": row.variant}
    db.writing().execute(delete(ItemRelation).where(ItemRelation.id == relation_id))
    audit.record(actor, "catalogue.relation_removed", "item_directory", directory_id, told)


def demand_editor(by: Principal, directory_id: int) -> None:
    """Let pass who may write an item's relations.

    Raises:
        NotFound: there is no such item that this person may write about.
    """
    if not may_edit_relations(by, directory_id):
        raise NotFound("没有这个事项")


def may_edit_relations(by: Principal, directory_id: int) -> bool:
    """Tell who may write an item's relations: reviewers, and who edits it for the highest body.

    The relations hold for everybody, so that a county does not write them for the province.
    """
    if by.may(Permission.ITEMS_REVIEW):
        return bool(directory_names([directory_id]))
    query = select(ItemImplementation.body_id).where(ItemImplementation.directory_id == directory_id)
    bodies = [organisations.get_body(one) for one in db.session().scalars(query)]
    levels = [level for level in organisations.RegionLevel if any(one.level is level for one in bodies)]
    highest = [one for one in bodies if one.level is levels[0]]
    return any(organisations.covers(by, Permission.ITEMS_EDIT, one.id) for one in highest)


def directory_names(directory_ids: Iterable[int]) -> dict[int, str]:
    """Return the names of items by directory entry."""
    query = select(ItemDirectory.id, ItemDirectory.name).where(ItemDirectory.id.in_(set(directory_ids)))
    return {row.id: row.name for row in db.session().execute(query)}


def variants_of(directory_id: int) -> dict[str, str]:
    """Return the names of the variants (情形) that versions in force of an item have, by code."""
    query = (
        select(ItemVersion.content)
        .join(ItemImplementation, ItemImplementation.id == ItemVersion.implementation_id)
        .where(ItemImplementation.directory_id == directory_id, ItemVersion.live == 1)
        .order_by(ItemImplementation.region_code)
    )
    found: dict[str, str] = {}
    for raw in db.session().scalars(query):
        for one in from_json(raw).variants:
            found.setdefault(one.code, one.name)
    return found


def live_variants(codes: Iterable[str]) -> dict[tuple[str, str], set[str]]:
    """Return the codes of variants (情形) by scheme and code of the items that somebody carries out now."""
    query = (
        select(ItemDirectory.code_scheme, ItemDirectory.code, ItemVersion.content)
        .join(ItemImplementation, ItemImplementation.directory_id == ItemDirectory.id)
        .join(ItemVersion, ItemVersion.implementation_id == ItemImplementation.id)
        .where(ItemDirectory.code.in_(set(codes)), ItemVersion.live == 1)
    )
    found: dict[tuple[str, str], set[str]] = {}
    for scheme, code, raw in db.session().execute(query):
        found.setdefault((scheme, code), set()).update(one.code for one in from_json(raw).variants)
    return found


def _raise_version() -> None:
    """Hold the graph until the commit, so that two halves of a circle cannot be added side by side."""
    raised: Any = db.writing().execute(
        update(RelationGraph)
        .where(RelationGraph.id == _ONLY_ROW)
        .values(version=RelationGraph.version + 1)
        .execution_options(synchronize_session=False)
    )
    if raised.rowcount:
        return
    try:
        with db.writing().begin_nested():
            db.writing().add(RelationGraph(id=_ONLY_ROW, version=1))
    except IntegrityError:
        _raise_version()  # another transaction made the row in this moment


def _demand_items(directory_ids: set[int]) -> None:
    query = select(ItemDirectory.id).where(ItemDirectory.id.in_(directory_ids))
    if set(db.session().scalars(query)) != directory_ids:
        raise NotFound("没有这个事项")


def _between(one: int, other: int) -> list[ItemRelation]:
    there = and_(ItemRelation.directory_id == one, ItemRelation.other_id == other)
    back = and_(ItemRelation.directory_id == other, ItemRelation.other_id == one)
    return list(db.writing().scalars(select(ItemRelation).where(or_(there, back))))


def _leads_to(start: int, wanted: int) -> bool:
    """Tell whether ``wanted`` is a prerequisite of ``start``, however far away."""
    seen: set[int] = set()
    edge = {start}
    while edge:
        if wanted in edge:
            return True
        seen |= edge
        edge = _prerequisites(edge) - seen
    return False


def _prerequisites(directory_ids: Iterable[int]) -> set[int]:
    query = select(ItemRelation.other_id).where(
        ItemRelation.directory_id.in_(list(directory_ids)), ItemRelation.kind == RelationKind.PREREQUISITE
    )
    return set(db.writing().scalars(query))
