"""A theme application under way: sub-cases opened, followed, gathered in; withdrawn one after another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import structlog
from sqlalchemy import select

from app.applications import service as applications
from app.applications.service import Standing
from app.core import db
from app.core.clock import day_of
from app.core.working_time import calendar
from app.identity import service as identity
from app.themes import domain, drafts, moving, opening, sealing, telling
from app.themes.domain import (
    ACTIVE,
    ENDED,
    JOINT_DAYS,
    PART_LABELS,
    Event,
    PartStatus,
    State,
    Statuses,
    Who,
)
from app.themes.made import Made, made_of
from app.themes.models import NUMBER_LENGTH, ThemeApplication, ThemePart
from app.themes.moving import SYSTEM

log = structlog.get_logger(__name__)
_CASE = applications.State
_OUTCOMES = {
    _CASE.DRAFT: PartStatus.NEEDS_APPLICANT,
    _CASE.WITHDRAWN: PartStatus.WITHDRAWN,
    _CASE.NOT_ACCEPTED: PartStatus.REFUSED,
    _CASE.RETURNED: PartStatus.REFUSED,
    _CASE.VOIDED: PartStatus.REFUSED,
    _CASE.CLOSED_NO_RESULT: PartStatus.REFUSED,
}

Parts = Mapping[str, ThemePart]


def submit(resident_id: int, theme_application_id: int, *, version: int, level: int, now: datetime) -> None:
    """Submit a draft: one number for all, and a sub-case for each item whose turn it is.

    Args:
        level: how sure the hall is of who submits.

    Raises:
        As ``drafts.check_submittable``.
    """
    row, made = drafts.check_submittable(
        resident_id, theme_application_id, version=version, level=level, now=now
    )
    row.number = _free_number(row, now)
    row.submitted_at, row.expires_on = now, None
    for place, (item, view) in enumerate(made.views.items()):
        db.writing().add(
            ThemePart(
                theme_application_id=row.id,
                item=item,
                place=place,
                item_version_id=view.version_id,
                status=PartStatus.WAITING,
                reason="",
            )
        )
    moving.make_move(row, Event.SUBMIT, Who.RESIDENT, actor=identity.actor_of(resident_id), now=now)
    _advance(row, made, now)


def _free_number(row: ThemeApplication, now: datetime) -> str:
    while True:
        number = applications.free_number(row.region_code, row.channel, now)
        query = select(ThemeApplication.id).where(ThemeApplication.number == number)
        if len(number) == NUMBER_LENGTH and db.writing().scalar(query) is None:
            return number


def parts_of(theme_application_id: int) -> dict[str, ThemePart]:
    """Return the parts of a theme application by item, in the theme's order."""
    query = (
        select(ThemePart)
        .where(ThemePart.theme_application_id == theme_application_id)
        .order_by(ThemePart.place)
    )
    return {one.item: one for one in db.session().scalars(query)}


def follow(theme_application_id: int, *, now: datetime) -> None:
    """Let what the sub-cases came to have its effect; again as often as one likes, with no other effect.

    Raises:
        NotFound: there is none.
    """
    row = moving.locked(theme_application_id)
    if row.state is State.WITHDRAWN:
        _look_at_kept(row, now)
    elif row.state is not State.DRAFT and row.state not in ENDED:
        _advance(row, made_of(row), now)


def _advance(row: ThemeApplication, made: Made, now: datetime) -> None:
    parts = parts_of(row.id)
    known = standings_of(parts)
    for part in parts.values():
        _look(part, known, now)
    _run_joint_clock(row, made, known)
    _return_lost(made, parts, now)
    feeding = {
        item: known[one.application_id]
        for item, one in parts.items()
        if one.application_id is not None and one.application_id in known
    }
    opened = [
        item
        for item in domain.ready(statuses_of(parts), made.needs)
        if opening.open_part(row, made, parts[item], feeding, now)
    ]
    # An item that is not carried out any more is given back; what waits for it cannot wait longer.
    _return_lost(made, parts, now)
    _move_on(row, made, parts, bool(opened), now)
    row.followed_at = now
    db.writing().flush()


def _look_at_kept(row: ThemeApplication, now: datetime) -> None:
    """Follow what was decided already when the rest was withdrawn; nothing else is opened or moved."""
    parts = parts_of(row.id)
    known = standings_of(parts)
    for part in parts.values():
        _look(part, known, now)
    db.writing().flush()


def standings_of(parts: Parts) -> dict[int, Standing]:
    """Return where the sub-cases stand, by the id that a part keeps."""
    return applications.standings([one.application_id for one in parts.values() if one.application_id])


def statuses_of(parts: Parts) -> Statuses:
    """Return where each part stands."""
    return {item: part.status for item, part in parts.items()}


def _look(part: ThemePart, known: Mapping[int, Standing], now: datetime) -> None:
    standing = known.get(part.application_id) if part.application_id is not None else None
    if part.status not in ACTIVE or standing is None:
        return
    part.status = _status(standing)
    if part.status not in ACTIVE:
        part.ended_at, part.reason = now, standing.reason


def _status(standing: Standing) -> PartStatus:
    if standing.state in {_CASE.COMPLETED, _CASE.DELIVERED}:
        return PartStatus.GRANTED if standing.granted else PartStatus.REFUSED
    return _OUTCOMES.get(standing.state, PartStatus.OPEN)


def _run_joint_clock(row: ThemeApplication, made: Made, known: Mapping[int, Standing]) -> None:
    """Run the joint clock from the first acceptance; what pauses one sub-case lawfully pauses it."""
    accepted = [day_of(one.accepted_at) for one in known.values() if one.accepted_at is not None]
    row.accepted_on = min(accepted, default=None)
    if made.definition.joint and row.accepted_on is not None:
        pauses = [pause for one in known.values() for pause in one.pauses]
        days = JOINT_DAYS + row.extension_days
        row.joint_due_on = applications.due_on(row.accepted_on, days, pauses, calendar())


def _return_lost(made: Made, parts: Parts, now: datetime) -> None:
    for item, cause in domain.lost(statuses_of(parts), made.needs).items():
        name, before = made.views[cause].content.name, parts[cause]
        said = f"：{before.reason}" if before.reason else ""
        parts[item].status, parts[item].ended_at = PartStatus.RETURNED, now
        parts[item].reason = f"前置事项“{name}”{PART_LABELS[before.status]}{said}"[: domain.REASON_MAX]


def _move_on(row: ThemeApplication, made: Made, parts: Parts, opened: bool, now: datetime) -> None:
    statuses = statuses_of(parts)
    while event := domain.next_event(row.state, statuses, made.needs, opened=opened):
        moving.make_move(row, event, Who.CLOCK, actor=SYSTEM, now=now, text=_words(event, made, parts))
        opened = False
    if row.state in ENDED:
        _end(row, made, now)


def _words(event: Event, made: Made, parts: Parts) -> str:
    """Return what an applicant is told with an event."""

    def named(*statuses: PartStatus) -> str:
        return "、".join(
            made.views[item].content.name for item, part in parts.items() if part.status in statuses
        )

    waiting = named(PartStatus.WAITING)
    match event:
        case Event.DISTRIBUTE:
            later = f"；等前置事项办完再提交：{waiting}" if waiting else ""
            return f"已提交：{named(*ACTIVE)}{later}"
        case Event.ONLY_BLOCKED_LEFT:
            return f"等待：{waiting}"
        case Event.PREREQUISITE_DONE:
            return f"正在办理：{named(*ACTIVE)}"
        case Event.ALL_ENDED_SOME_REFUSED | Event.PREREQUISITE_REFUSED:
            failed = named(PartStatus.REFUSED, PartStatus.RETURNED, PartStatus.WITHDRAWN)
            return f"办成：{named(PartStatus.GRANTED) or '无'}；没有办成：{failed}"
    return ""


def _end(row: ThemeApplication, made: Made, now: datetime) -> None:
    sealing.forget_personal(row)
    telling.tell_end(row, made, now)


def withdraw(resident_id: int, theme_application_id: int, *, version: int, now: datetime) -> None:
    """Withdraw what is under way, each sub-case in turn; what is decided already stays decided.

    Raises:
        NotFound: not theirs.
        Stale: it, or a sub-case, moved on meanwhile.
        MoveNotAllowed: it has ended.
    """
    row = moving.mine_locked(resident_id, theme_application_id)
    moving.check_version(row, version)
    domain.move(row.state, Event.WITHDRAW, Who.RESIDENT)
    made, parts = made_of(row), parts_of(row.id)
    known = standings_of(parts)
    kept = []
    for item, part in parts.items():
        standing = known.get(part.application_id or 0)
        if part.status in ACTIVE and standing is not None and not _withdrawn(row, standing, now):
            _look(part, known, now)
            kept.append(made.views[item].content.name)
        elif part.status in domain.LEFT:
            part.status, part.ended_at = PartStatus.WITHDRAWN, now
    said = f"已作出决定的继续办完：{'、'.join(kept)}" if kept else ""
    moving.make_move(
        row, Event.WITHDRAW, Who.RESIDENT, actor=identity.actor_of(resident_id), now=now, text=said
    )
    sealing.forget_personal(row)
    db.writing().flush()


def _withdrawn(row: ThemeApplication, standing: Standing, now: datetime) -> bool:
    """Withdraw a sub-case; return False when it is too late for that."""
    if standing.state is _CASE.DRAFT:
        applications.discard(row.resident_id, standing.id, now=now)
        return True
    if applications.Event.WITHDRAW not in applications.events_from(standing.state, applications.Who.RESIDENT):
        return False
    applications.withdraw(row.resident_id, standing.id, version=standing.version, now=now)
    return True


def followers_of(application_id: int) -> list[int]:
    """Return the theme applications under way that a case is part of, or was before it was referred up."""
    query = (
        select(ThemePart.theme_application_id)
        .where(ThemePart.application_id.in_(applications.origins(application_id)))
        .distinct()
    )
    return list(db.session().scalars(query))


def unfinished(*, limit: int) -> list[int]:
    """Return theme applications under way, those first that were looked at longest ago."""
    query = (
        select(ThemeApplication.id)
        .where(ThemeApplication.state.in_((State.SPLIT, State.RUNNING, State.WAITING_PREREQUISITE)))
        .order_by(ThemeApplication.followed_at)
        .limit(limit)
    )
    return list(db.session().scalars(query))
