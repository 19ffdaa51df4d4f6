"""Writing the catalogue: items, who carries them out, and their immutable versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from app.catalogue import searching, standing
from app.catalogue.content import Content, from_json, to_json
from app.catalogue.domain import (
    LIVE,
    REASON_MAX,
    Domain,
    ItemType,
    VersionEvent,
    VersionState,
    version_move,
)
from app.catalogue.forms import form_problems
from app.catalogue.models import ItemDirectory, ItemImplementation, ItemVersion
from app.catalogue.quality import quality_problems
from app.core import audit, db
from app.core.clock import day_of
from app.core.errors import Conflict, Invalid, NotFound


def add_directory(
    *,
    code: str,
    code_scheme: str,
    name: str,
    item_type: ItemType,
    domain: Domain,
    legal_basis: Sequence[Mapping[str, str]],
    sample: bool,
    actor: str,
    now: datetime,
) -> int:
    """Add an item to the directory (基本目录); return its id."""
    row = ItemDirectory(
        code=code,
        code_scheme=code_scheme,
        name=name,
        item_type=item_type,
        domain=domain,
        legal_basis=[dict(one) for one in legal_basis],
        sample=sample,
        created_at=now,
    )
    db.writing().add(row)
    db.writing().flush()
    audit.record(actor, "catalogue.item_added", "item_directory", row.id, {"code": code})
    return row.id


def find_directory(code_scheme: str, code: str) -> int | None:
    """Return the id of the item with this code, None when there is none."""
    query = select(ItemDirectory.id).where(
        ItemDirectory.code_scheme == code_scheme, ItemDirectory.code == code
    )
    return db.session().scalar(query)


def add_implementation(
    directory_id: int,
    *,
    body_id: int,
    region_code: str,
    code: str,
    code_scheme: str,
    actor: str,
    now: datetime,
) -> int:
    """Say that a body carries an item out for a region (实施清单); return the implementation's id."""
    row = ItemImplementation(
        directory_id=directory_id,
        body_id=body_id,
        region_code=region_code,
        code=code,
        code_scheme=code_scheme,
        created_at=now,
    )
    db.writing().add(row)
    db.writing().flush()
    standing.touch(row.id)
    audit.record(actor, "catalogue.implementation_added", "item_implementation", row.id, {"code": code})
    return row.id


def link_page(implementation_id: int, page_id: int | None, *, actor: str) -> None:
    """Say which mobile page of the body serves the item; None for none.

    Raises:
        NotFound: no such implementation.
    """
    row = db.writing().get(ItemImplementation, implementation_id)
    if row is None:
        raise NotFound("没有这个事项")
    if row.page_id != page_id:
        row.page_id = page_id
        audit.record(
            actor, "catalogue.page_linked", "item_implementation", row.id, {"page": str(page_id or "")}
        )


def draft_version(
    implementation_id: int,
    content: Content,
    form: Mapping[str, Any] | None,
    *,
    effective_on: date,
    actor: str,
    now: datetime,
) -> int:
    """Begin the next version of an implementation; return its id.

    Raises:
        Invalid: the form is not sound.
    """
    _check_form(form)
    last = db.writing().scalar(
        select(func.max(ItemVersion.number)).where(ItemVersion.implementation_id == implementation_id)
    )
    row = ItemVersion(
        implementation_id=implementation_id,
        number=(last or 0) + 1,
        state=VersionState.DRAFT,
        content=to_json(content),
        form=dict(form) if form is not None else None,
        effective_on=effective_on,
        created_at=now,
        created_by=actor,
    )
    db.writing().add(row)
    db.writing().flush()
    standing.touch(implementation_id)
    audit.record(actor, "catalogue.version_drafted", "item_version", row.id, {"number": row.number})
    return row.id


def edit_version(
    version_id: int,
    content: Content,
    form: Mapping[str, Any] | None,
    *,
    effective_on: date,
    actor: str,
) -> None:
    """Change a draft, or take up one that was returned.

    Raises:
        Invalid: the form is not sound.
        VersionMoveNotAllowed: the version left the desk; a published one is never changed.
    """
    _check_form(form)
    row = _get(version_id)
    to = row.state
    if row.state is not VersionState.DRAFT:
        to = version_move(row.state, VersionEvent.EDIT).to
    row.content, row.form = to_json(content), dict(form) if form is not None else None
    row.effective_on, row.state = effective_on, to
    row.version += 1
    standing.touch(row.implementation_id)
    audit.record(actor, "catalogue.version_edited", "item_version", row.id)


def _check_form(form: Mapping[str, Any] | None) -> None:
    faults = form_problems(form) if form is not None else []
    if faults:
        raise Invalid("表单有误", fields={"form": faults})


_NEEDS_REASON = frozenset({VersionEvent.RETURN, VersionEvent.SUSPEND, VersionEvent.CANCEL})
_CLEARS_REASON = frozenset({VersionEvent.FILE, VersionEvent.RESUME})
_NOT_ASKED_FOR = frozenset({VersionEvent.EDIT, VersionEvent.NEW_VERSION_PUBLISHED})
"""What happens in the course of something else, never by itself."""


def move_version(
    version_id: int, event: VersionEvent, *, actor: str, now: datetime, reason: str = ""
) -> None:
    """Move a version on its way; who publishes one supersedes the older in the same transaction.

    Whoever cancels a version has made sure that no case of it is open.

    Raises:
        Invalid: the version does not pass the standard checks, or a reason is missing.
        Conflict: its effective date is not here yet.
        VersionMoveNotAllowed: the version stands where this cannot be done.
    """
    row = _get(version_id)
    move = version_move(row.state, event)
    if event in _NOT_ASKED_FOR:
        raise ValueError(f"{event} is no move of its own")
    if event in _NEEDS_REASON and not reason.strip():
        raise Invalid("请说明理由", fields={"reason": ["请说明理由"]})
    if event is VersionEvent.SUBMIT:
        _check_quality(row)
        row.submitted_at, row.submitted_by = now, actor
    if event is VersionEvent.EFFECTIVE_DATE:
        if day_of(now) < row.effective_on:
            raise Conflict(f"生效日期是 {row.effective_on.isoformat()}")
        _supersede_older(row, now)
        row.published_at = now
    _enter(row, move.to, now)
    if reason or event in _CLEARS_REASON:
        row.reason = reason.strip()[:REASON_MAX]
    audit.record(
        actor, f"catalogue.version_{event}", "item_version", row.id, {"reason": reason} if reason else None
    )
    if LIVE & {move.state, move.to}:
        searching.reindex(_locked_directory(row))


def _check_quality(row: ItemVersion) -> None:
    fields: dict[str, list[str]] = {}
    for fault in quality_problems(from_json(row.content), row.form):
        fields.setdefault(fault.field, []).append(fault.text)
    if fields:
        raise Invalid("标准化检查未通过", fields=fields)


def _supersede_older(row: ItemVersion, now: datetime) -> None:
    older = db.writing().scalar(
        select(ItemVersion).where(
            ItemVersion.implementation_id == row.implementation_id, ItemVersion.live == 1
        )
    )
    if older is None:
        return
    if older.state is VersionState.SUSPENDED:
        raise Conflict("现行版本处于暂停状态，恢复后才能发布新版本")
    _enter(older, version_move(older.state, VersionEvent.NEW_VERSION_PUBLISHED).to, now)
    audit.record("system", "catalogue.version_superseded", "item_version", older.id, {"by": row.number})
    db.writing().flush()  # before the newer one: both may not be live at once


def _enter(row: ItemVersion, state: VersionState, now: datetime) -> None:
    row.state = state
    row.version += 1
    standing.touch(row.implementation_id)
    row.live = 1 if state in LIVE else None
    if state in {VersionState.SUPERSEDED, VersionState.RETIRED} and row.ended_at is None:
        row.ended_at = now


def reindex(directory_id: int) -> None:
    """Write anew what an item is found under; its row is locked."""
    db.writing().flush()
    searching.reindex(directory_id)


def _locked_directory(row: ItemVersion) -> int:
    query = (
        select(ItemDirectory.id)
        .join(ItemImplementation, ItemImplementation.directory_id == ItemDirectory.id)
        .where(ItemImplementation.id == row.implementation_id)
        .with_for_update(of=ItemDirectory)
    )
    return db.writing().scalars(query).one()


def _get(version_id: int) -> ItemVersion:
    row = db.writing().get(ItemVersion, version_id, with_for_update=True)
    if row is None:
        raise NotFound("没有这个事项版本")
    return row


def due_versions(today: date, *, limit: int = 100) -> list[int]:
    """Return filed versions whose effective date has come, the earliest first."""
    query = (
        select(ItemVersion.id)
        .where(ItemVersion.state == VersionState.FILED, ItemVersion.effective_on <= today)
        .order_by(ItemVersion.effective_on, ItemVersion.number)
        .limit(limit)
    )
    return list(db.session().scalars(query))


def superseded_versions(*, limit: int = 1000) -> list[int]:
    """Return the versions that a newer one has taken the place of, and that are not retired yet."""
    query = select(ItemVersion.id).where(ItemVersion.state == VersionState.SUPERSEDED).limit(limit)
    return list(db.session().scalars(query))
