"""Drafts: begun on one device, saved field by field, gone on with on another, submitted once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from app.applications import materials as handed
from app.applications import moving, sealing, telling
from app.applications.domain import (
    DRAFTS_MAX,
    OPEN,
    AnswersRefused,
    Channel,
    Event,
    ItemChanged,
    ItemClosed,
    MoveNotAllowed,
    State,
    Who,
    new_number,
)
from app.applications.models import Application
from app.applications.own import actor_of, mine_locked
from app.applications.views import form_of
from app.catalogue import service as catalogue
from app.catalogue.service import Form, ItemView
from app.core import audit, db
from app.core.clock import day_of
from app.core.errors import Conflict, NotFound
from app.organisations import service as organisations


@dataclass(frozen=True, slots=True)
class Started:
    """What beginning an application led to.

    Attributes:
        continued: an old draft is gone on with.
        open_number: a case about the same item that is under way already; ``""`` for none.
    """

    id: int
    continued: bool
    open_number: str


@dataclass(frozen=True, slots=True)
class Saved:
    """What saving led to.

    Attributes:
        cleared: fields whose answers were dropped because they are not asked for any more.
        problems: per visible field, what still keeps the draft from being submitted.
        item_changed: the draft now follows a newer version of the item.
    """

    version: int
    cleared: list[str]
    problems: Mapping[str, list[str]]
    item_changed: bool


def start_draft(
    resident_id: int, item_id: int, *, fresh: bool = False, channel: Channel, now: datetime
) -> Started:
    """Begin an application for an item, or go on with the draft there is.

    Args:
        fresh: discard the old draft and begin anew.

    Raises:
        NotFound: no such item.
        ItemClosed: it cannot be applied for here now.
        Conflict: too many drafts lie about.
    """
    item = _open_item(item_id)
    under_way = _open_number(resident_id, item_id)
    former = draft_of(resident_id, item_id)
    if former is not None and not fresh:
        return Started(former, True, under_way)
    if former is not None:
        discard(resident_id, former, now=now)
    if _draft_count(resident_id) >= DRAFTS_MAX:
        raise Conflict(f"草稿已有 {DRAFTS_MAX} 份，请先办完或放弃一些")
    row = Application(
        resident_id=resident_id,
        implementation_id=item.id,
        item_version_id=item.version_id,
        form_version_id=item.version_id,
        body_id=item.body_id,
        region_code=item.region_code,
        state=State.DRAFT,
        version=1,
        channel=channel,
        answers={},
        sealed={},
        materials=handed.only_ways(item),
        event_count=0,
        step=0,
        extension_days=0,
        pauses=[],
        reason="",
        remedy="",
        created_at=now,
        saved_at=now,
    )
    db.writing().add(row)
    db.writing().flush()
    audit.record(actor_of(resident_id), "application.start", "application", row.id, {"item": str(item.id)})
    return Started(row.id, False, under_way)


def draft_of(resident_id: int, item_id: int) -> int | None:
    """Return the id of the newest draft of somebody for an item, None when there is none."""
    query = (
        select(Application.id)
        .where(
            Application.resident_id == resident_id,
            Application.implementation_id == item_id,
            Application.state == State.DRAFT,
        )
        .order_by(Application.created_at.desc())
        .limit(1)
    )
    return db.session().scalar(query)


def _open_number(resident_id: int, item_id: int) -> str:
    query = select(Application.number).where(
        Application.resident_id == resident_id,
        Application.implementation_id == item_id,
        Application.state.in_(OPEN),
    )
    return db.session().scalar(query.limit(1)) or ""


def _draft_count(resident_id: int) -> int:
    query = select(func.count()).where(
        Application.resident_id == resident_id, Application.state == State.DRAFT
    )
    return db.session().scalar(query) or 0


def _open_item(item_id: int) -> ItemView:
    item = catalogue.item(item_id)
    if not item.open:
        raise ItemClosed
    return item


def save_draft(
    resident_id: int,
    application_id: int,
    changes: Mapping[str, Any],
    *,
    materials: Mapping[str, str | None] | None = None,
    version: int,
    now: datetime,
) -> Saved:
    """Save some answers of a draft; None takes one away.

    Half-typed answers are kept and named in ``problems``. A draft for an older version of the item
    moves to the one in force, with the answers that still have a field there.

    Args:
        materials: by code, how a material is handed in; None takes the choice away.

    Raises:
        NotFound: not theirs.
        MoveNotAllowed: it is submitted already.
        Stale: another device saved meanwhile.
        AnswersRefused: an answer cannot be kept: unknown or hidden field, wrong kind, too long.
    """
    row = _draft(resident_id, application_id)
    moving.check_version(row, version)
    item_changed, cleared = _follow_item(row)
    item = catalogue.version(row.item_version_id)
    form = form_of(row)
    wanted = {name: catalogue.normalised(form, name, value) for name, value in changes.items()}
    refused = catalogue.shape_problems(form, wanted)
    if refused:
        raise AnswersRefused(fields=refused)
    for name, value in wanted.items():
        sealing.put(row, form, name, value)
    visible = catalogue.visible_fields(form, row.answers)
    hidden = [name for name in (*row.answers, *row.sealed) if name not in visible]
    asked_in_vain = {name: ["这一项不需要填写"] for name in hidden if wanted.get(name) is not None}
    if asked_in_vain:
        raise AnswersRefused(fields=asked_in_vain)
    for name in hidden:
        sealing.put(row, form, name, None)
    row.materials = handed.chosen(item, row.materials, materials or {})
    row.version += 1
    row.saved_at = now
    db.writing().flush()
    return Saved(row.version, cleared + hidden, problems_of(row, form, item, now), item_changed)


def _draft(resident_id: int, application_id: int) -> Application:
    row = mine_locked(resident_id, application_id)
    if row.state is not State.DRAFT:
        raise MoveNotAllowed("已经提交，不能再改。要补充材料，请等补正通知或联系办理单位")
    return row


def _follow_item(row: Application) -> tuple[bool, list[str]]:
    """Move a draft to the version of the item that is in force; return whether, and what was dropped."""
    item = _open_item(row.implementation_id)
    if item.version_id == row.item_version_id or item.form is None:
        return False, []
    former = form_of(row)
    properties = item.form["schema"]["properties"]
    same = former["schema"]["properties"]
    lost = [name for name in (*row.answers, *row.sealed) if properties.get(name) != same.get(name)]
    for name in lost:
        sealing.drop(row, name)
    row.item_version_id = row.form_version_id = item.version_id
    row.body_id, row.region_code = item.body_id, item.region_code
    row.materials = handed.only_ways(item)
    return True, lost


def draft_problems(resident_id: int, application_id: int, *, now: datetime) -> dict[str, list[str]]:
    """Return what keeps a draft from being submitted.

    Raises:
        NotFound: not theirs.
    """
    row = db.session().get(Application, application_id)
    if row is None or row.resident_id != resident_id:
        raise NotFound("没有这个办件")
    return problems_of(row, form_of(row), catalogue.version(row.item_version_id), now)


def problems_of(row: Application, form: Form, item: ItemView, now: datetime) -> dict[str, list[str]]:
    """Return, per field and material, what keeps an application from being submitted."""
    answers = catalogue.problems(form, sealing.opened(row, form), day_of(now))
    return {**answers, **handed.missing(item, row.materials)}


def submit(resident_id: int, application_id: int, *, version: int, now: datetime) -> None:
    """Submit a draft: number, clock of intake, notice; the form it was filled in with stays with it.

    Raises:
        NotFound: not theirs.
        MoveNotAllowed: it is submitted already.
        Stale: another device saved meanwhile; look at it first.
        ItemChanged: the item has a newer version; save once to see what changed.
        ItemClosed: it cannot be applied for here now.
        AnswersRefused: the answers do not fit the form.
    """
    row = _draft(resident_id, application_id)
    moving.check_version(row, version)
    item = _open_item(row.implementation_id)
    if item.version_id != row.item_version_id:
        raise ItemChanged
    faults = problems_of(row, form_of(row), item, now)
    if faults:
        raise AnswersRefused(fields=faults)
    row.number = free_number(item.region_code, row.channel, now)
    row.submitted_at = now
    moving.start_intake(row, now)
    moving.make_move(row, Event.SUBMIT, Who.RESIDENT, actor=actor_of(resident_id), now=now)
    telling.tell(row, item, telling.SUBMITTED, now)


def free_number(region_code: str, channel: Channel, now: datetime) -> str:
    """Return a case number nobody has."""
    regions = {one.code: one for one in organisations.regions()}
    place = regions[region_code]
    # Zones have no GB/T 2260 code of their own: their number names the city they lie in.
    while not place.code.isdigit() and place.parent_code:
        place = regions[place.parent_code]
    while True:
        number = new_number(place.code, day_of(now), channel)
        if db.writing().scalar(select(Application.id).where(Application.number == number)) is None:
            return number


def discard(resident_id: int, application_id: int, *, now: datetime) -> None:
    """Give a draft up; its personal answers are forgotten at once.

    Raises:
        NotFound: not theirs.
        MoveNotAllowed: it is submitted already.
    """
    row = _draft(resident_id, application_id)
    for name in [*row.answers, *row.sealed]:
        sealing.drop(row, name)
    moving.make_move(row, Event.DISCARD, Who.RESIDENT, actor=actor_of(resident_id), now=now)
