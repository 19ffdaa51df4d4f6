"""Steps that a department's own system reports: the rules of the desk, with nobody of the hall's staff."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select

from app.applications import moving, own, steps, telling
from app.applications.domain import (
    EVENT_LABELS,
    STATE_LABELS,
    Event,
    MoveNotAllowed,
    Who,
    events_from,
)
from app.applications.models import ApplicationEvent
from app.applications.steps import Act, Told
from app.catalogue import service as catalogue
from app.core import db
from app.core.errors import Invalid, NotFound

SKEW = timedelta(minutes=5)
"""How far two clocks may stand apart before a time is taken for wrong."""

SPEAKS_FOR = (Who.DEPARTMENT, Who.SUPERVISOR, Who.RESIDENT)
"""Whose steps a system reports: of its handlers, of its head, and of applicants who came in person."""


def supply(act: Act, told: Told) -> None:
    """Take in what the applicant brought to the department itself; a new clock of intake begins."""
    notice = own.open_notice(act.row)
    notice.supplied_at, notice.statement = act.now, told.reason or "已向办理单位当面补正"
    moving.start_intake(act.row, act.now)
    act.move(told, told.reason)
    act.tell(telling.SUBMITTED)


def withdraw(act: Act, told: Told) -> None:
    """End a case that its applicant withdrew at the department."""
    act.move(told, told.reason)


STEPS: Mapping[Event, Callable[[Act, Told], None]] = {
    **steps.STEPS,
    Event.SUPPLY: supply,
    Event.WITHDRAW: withdraw,
}
"""Every step that may be reported."""


def step_by_system(
    application_id: int,
    event: Event,
    told: Told,
    *,
    actor: str,
    body_id: int,
    at: datetime,
    now: datetime,
) -> None:
    """Take the step with a case that the body's own system reports.

    What needs a second person was agreed on over there; a second supplement notice and reopening
    what has ended stay impossible.

    Args:
        told: its ``version`` is not looked at: messages of a case come one after the other.
        actor: name of the system for the trail, e.g. ``system:12``.
        at: when it was done (业务时间); limits are reckoned from it.

    Raises:
        NotFound: the body has no such case.
        MoveNotAllowed: not from this state, or not for this item.
        Forbidden: a supervisor's step.
        Invalid: something the step needs was not said, or ``at`` cannot be; ``fields`` says what.
    """
    row = moving.locked(application_id)
    if row.body_id != body_id or row.submitted_at is None:
        raise NotFound("没有这个办件")
    who = next((one for one in SPEAKS_FOR if event in events_from(row.state, one)), None)
    if who is None or event not in STEPS:
        raise MoveNotAllowed(f"办件处于“{STATE_LABELS[row.state]}”，不能“{EVENT_LABELS[event]}”")
    act = Act(
        row=row,
        item=catalogue.version(row.item_version_id),
        event=event,
        who=who,
        actor=actor,
        staff_id=None,
        supervises=False,
        now=_business_time(application_id, at, now),
        recorded_at=now,
    )
    STEPS[event](act, told)


def _business_time(application_id: int, at: datetime, now: datetime) -> datetime:
    """Return when the step was done, never after now nor before the step before it."""
    query = select(func.max(ApplicationEvent.at)).where(ApplicationEvent.application_id == application_id)
    before = db.writing().scalar(query) or at
    if at > now + SKEW:
        raise Invalid(fields={"at": ["办理时间不能晚于现在"]})
    if at < before - SKEW:
        raise Invalid(fields={"at": ["办理时间不能早于前一个环节"]})
    return max(min(at, now), before)
