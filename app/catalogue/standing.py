"""How implementations stand: newest and live version, score, breaches. Made anew when a version changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.orm import Session

from app.catalogue.content import from_json
from app.catalogue.domain import NAME_MAX, VersionState
from app.catalogue.models import ItemDirectory, ItemFault, ItemImplementation, ItemStanding, ItemVersion
from app.catalogue.quality import Assessment, assess
from app.catalogue.quality_rules import EDITION, Subject
from app.core import db

_TOUCHED = "item_standings"


def touch(implementation_id: int) -> None:
    """Have the standing of an implementation made anew at the end of the running transaction."""
    db.writing().info.setdefault(_TOUCHED, set()).add(implementation_id)


def touch_directory(directory_id: int) -> None:
    """Have the standings of all implementations of an item made anew."""
    query = select(ItemImplementation.id).where(ItemImplementation.directory_id == directory_id)
    for implementation_id in db.writing().scalars(query):
        touch(implementation_id)


@db.before_commit
def _write_touched(session: Session) -> None:
    # Once per transaction: a version often takes several steps in one.
    touched: set[int] = session.info.pop(_TOUCHED, set())
    if touched:
        _refresh(session, sorted(touched))


def outdated(*, limit: int = 500) -> list[int]:
    """Return implementations without a standing, or with one of older rules."""
    query = (
        select(ItemImplementation.id)
        .outerjoin(ItemStanding, ItemStanding.implementation_id == ItemImplementation.id)
        .where(or_(ItemStanding.implementation_id.is_(None), ItemStanding.edition != EDITION))
        .limit(limit)
    )
    return list(db.session().scalars(query))


def _refresh(session: Session, implementation_ids: Collection[int]) -> None:
    places = _places(session, implementation_ids)
    newest, live = _versions(session, implementation_ids)
    judged = {key: live.get(key, newest[key]) for key in newest}
    contents = _contents(session, [one.id for one in judged.values()])
    standings, faults = [], []
    for key, (implementation, directory) in places.items():
        version, assessment = judged.get(key), None
        if version is not None:
            content, form = contents[version.id]
            assessment = assess(Subject(from_json(content), form, directory.legal_basis, directory.item_type))
            faults += [
                {"implementation_id": key, "rule": one.rule.code, "body_id": implementation.body_id}
                for one in assessment.failed
            ]
            name = content["name"]
        else:
            name = directory.name
        standings.append(_row(implementation, name, newest.get(key), live.get(key), assessment))
    session.execute(delete(ItemFault).where(ItemFault.implementation_id.in_(implementation_ids)))
    session.execute(delete(ItemStanding).where(ItemStanding.implementation_id.in_(implementation_ids)))
    session.execute(insert(ItemStanding), standings)
    if faults:
        session.execute(insert(ItemFault), faults)


def _places(
    session: Session, implementation_ids: Collection[int]
) -> dict[int, tuple[ItemImplementation, ItemDirectory]]:
    query = (
        select(ItemImplementation, ItemDirectory)
        .join(ItemDirectory, ItemDirectory.id == ItemImplementation.directory_id)
        .where(ItemImplementation.id.in_(implementation_ids))
        .order_by(ItemImplementation.id)
    )
    return {row[0].id: (row[0], row[1]) for row in session.execute(query)}


def _versions(session: Session, implementation_ids: Iterable[int]) -> tuple[dict[int, Any], dict[int, Any]]:
    """Return, per implementation, the newest version and the live one, without what they say."""
    query = (
        select(
            ItemVersion.id,
            ItemVersion.implementation_id,
            ItemVersion.number,
            ItemVersion.state,
            ItemVersion.live,
            ItemVersion.submitted_at,
        )
        .where(ItemVersion.implementation_id.in_(implementation_ids))
        .order_by(ItemVersion.number)
    )
    newest, live = {}, {}
    for row in session.execute(query):
        newest[row.implementation_id] = row
        if row.live:
            live[row.implementation_id] = row
    return newest, live


def _contents(session: Session, version_ids: Collection[int]) -> dict[int, tuple[Any, Any]]:
    query = select(ItemVersion.id, ItemVersion.content, ItemVersion.form).where(
        ItemVersion.id.in_(version_ids)
    )
    return {row.id: (row.content, row.form) for row in session.execute(query)}


def _row(
    implementation: ItemImplementation, name: str, newest: Any, live: Any, assessment: Assessment | None
) -> dict[str, Any]:
    waits = newest is not None and newest.state is VersionState.IN_REVIEW
    return {
        "implementation_id": implementation.id,
        "directory_id": implementation.directory_id,
        "body_id": implementation.body_id,
        "name": name[:NAME_MAX],
        "newest_id": newest.id if newest else None,
        "newest_number": newest.number if newest else 0,
        "newest_state": newest.state if newest else None,
        "live_id": live.id if live else None,
        "live_state": live.state if live else None,
        "score": assessment.score if assessment else None,
        "waiting_since": newest.submitted_at if waits else None,
        "edition": EDITION,
    }
