"""Reminders before a limit: each once per limit and day, anew when the limit moves."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, select

from app.applications import moving, telling
from app.applications.desk_domain import ReminderKind
from app.applications.desk_models import ApplicationReminder
from app.applications.domain import DELIVERY_DAYS, State
from app.applications.models import Application, ApplicationSupplement
from app.catalogue import service as catalogue
from app.core import db, hearing
from app.core.clock import HALL_TIME, day_of
from app.core.working_time import calendar
from config import time_limits

BATCH = 200
LIMITS_NEAR = "desk.limits-near"
FROM_HOUR, TO_HOUR = 8, 21


def fit_hour(now: datetime) -> bool:
    """Tell whether people may be reminded at this time of the day; what is due waits for the morning."""
    return FROM_HOUR <= now.astimezone(HALL_TIME).hour < TO_HOUR


def due_reminders(today: date) -> list[tuple[int, ReminderKind]]:
    """Return some of the cases whose applicants are to be reminded today, and of what."""
    rules = time_limits.load()
    last = today + timedelta(days=rules.supplement_last)
    early = today + timedelta(days=rules.supplement_early)
    waiting, due = Application.state == State.SUPPLEMENT_DUE, Application.supplement_due_on
    soon = calendar().at_place(calendar().place(today) + DELIVERY_DAYS - rules.fetch_after)
    wanted: tuple[tuple[ReminderKind, ColumnElement[bool], Any], ...] = (
        (ReminderKind.SUPPLEMENT_LAST, and_(waiting, due >= today, due <= last), due),
        (ReminderKind.SUPPLEMENT_EARLY, and_(waiting, due > last, due <= early), due),
        (
            ReminderKind.FETCH,
            and_(Application.state == State.COMPLETED, Application.desk_on <= soon),
            Application.delivery_due_on,
        ),
    )
    found: list[tuple[int, ReminderKind]] = []
    for kind, condition, due_on in wanted:
        sent = exists().where(
            ApplicationReminder.application_id == Application.id,
            ApplicationReminder.kind == kind,
            ApplicationReminder.due_on == due_on,
        )
        query = select(Application.id).where(condition, ~sent).limit(BATCH)
        found += [(application_id, kind) for application_id in db.session().scalars(query)]
    return found


def tell_desks(today: date, *, now: datetime) -> int:
    """Tell each body once on a working day how many of its cases are late or nearly so; return how many.

    Whoever carries words to staff hears of it; the marks of single cases stand on the desk.
    """
    days = calendar()
    if not days.is_workday(today) or not fit_hour(now):
        return 0
    soon = days.at_place(days.place(today) + time_limits.load().warning_left_days)
    late = func.sum(case((Application.desk_on < today, 1), else_=0))
    query = (
        select(Application.body_id, func.count(), late)
        .where(Application.desk_on <= soon)
        .group_by(Application.body_id)
    )
    told = [tuple(row) for row in db.writing().execute(query)]
    for body_id, count, over in told:
        near = {"body_id": str(body_id), "late": int(over), "near": count - int(over), "at": now.isoformat()}
        hearing.tell(LIMITS_NEAR, near, dedup_key=f"{body_id}:{today}")
    return len(told)


def remind(application_id: int, kind: ReminderKind, *, now: datetime) -> bool:
    """Remind the applicant of a limit in the running transaction; tell whether it was still to be done.

    The row that says so is written with the notice: both or neither.
    """
    row, today = moving.locked(application_id), day_of(now)
    due = row.delivery_due_on if kind is ReminderKind.FETCH else row.supplement_due_on
    state = State.COMPLETED if kind is ReminderKind.FETCH else State.SUPPLEMENT_DUE
    if due is None or row.state is not state or _was_sent(row.id, kind, due):
        return False
    # Who was asked today has just been told the day.
    quiet = kind is not ReminderKind.FETCH and _asked_on(row.id) == today
    db.writing().add(ApplicationReminder(application_id=row.id, kind=kind, due_on=due, sent_at=now))
    db.writing().flush()
    if not quiet:
        telling.remind(row, catalogue.version(row.item_version_id), kind, due, now)
    return not quiet


def _was_sent(application_id: int, kind: ReminderKind, due: date) -> bool:
    query = select(ApplicationReminder.id).where(
        ApplicationReminder.application_id == application_id,
        ApplicationReminder.kind == kind,
        ApplicationReminder.due_on == due,
    )
    return db.writing().scalar(query) is not None


def _asked_on(application_id: int) -> date | None:
    query = select(ApplicationSupplement.asked_at).where(
        ApplicationSupplement.application_id == application_id, ApplicationSupplement.supplied_at.is_(None)
    )
    asked_at = db.writing().scalar(query.order_by(ApplicationSupplement.number.desc()).limit(1))
    return day_of(asked_at) if asked_at else None
