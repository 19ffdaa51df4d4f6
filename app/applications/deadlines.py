"""What the calendar does to applications, and when items may be retired."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import exists, select

from app.applications import attachments, moving, telling
from app.applications.domain import OPEN, Event, State, Who
from app.applications.models import Application
from app.catalogue import service as catalogue
from app.catalogue.service import VersionEvent
from app.core import db, working_years
from app.core.clock import day_of

CLOCK = "system"
BATCH = 200


def overdue_intakes(today: date) -> list[int]:
    """Return the cases that nobody answered within five working days."""
    query = select(Application.id).where(Application.state == State.SUBMITTED, Application.desk_on < today)
    return list(db.session().scalars(query.limit(BATCH)))


def deem_accepted(application_id: int, *, now: datetime) -> bool:
    """Take a case as accepted on the day it was received, when its intake is overdue; tell whether.

    Source: 行政许可法 32.
    """
    row = moving.locked(application_id)
    overdue = row.intake_due_on is not None and row.intake_due_on < day_of(now)
    if row.state is not State.SUBMITTED or row.received_at is None or not overdue or _reckoned_before(row):
        return False
    item = catalogue.version(row.item_version_id)
    moving.start_handling(row, item, row.received_at)
    received = telling.day(day_of(row.received_at))
    moving.make_move(
        row,
        Event.DEEM_ACCEPT,
        Who.CLOCK,
        actor=CLOCK,
        now=now,
        text=f"超过五个工作日没有告知，依法视为自{received}收到申请之日起受理。",
        detail={"supervision": "intake_overdue"},
    )
    telling.tell(row, item, telling.ACCEPTED, now)
    return True


def overdue_supplements(today: date) -> list[int]:
    """Return the cases whose applicants did not hand in what was asked for."""
    query = select(Application.id).where(
        Application.state == State.SUPPLEMENT_DUE, Application.supplement_due_on < today
    )
    return list(db.session().scalars(query.limit(BATCH)))


def return_overdue(application_id: int, *, now: datetime) -> bool:
    """Return a case whose supplement is overdue to its applicant; tell whether."""
    row = moving.locked(application_id)
    overdue = row.supplement_due_on is not None and row.supplement_due_on < day_of(now)
    if row.state is not State.SUPPLEMENT_DUE or not overdue or _reckoned_before(row):
        return False
    attachments.forget_unsent(row)
    row.reason, row.remedy = "逾期没有补正", "可以补齐后重新申请"
    moving.make_move(
        row,
        Event.SUPPLEMENT_OVERDUE,
        Who.CLOCK,
        actor=CLOCK,
        now=now,
        text="逾期没有补正，已退件。补齐后可以重新申请。",
        detail={"result_code": "5"},
    )
    telling.tell(row, catalogue.version(row.item_version_id), telling.DOCUMENT, now, paper="退件通知书")
    return True


def _reckoned_before(row: Application) -> bool:
    """Tell whether a newer calendar may still move the limit; nothing ends by it before that is known."""
    return row.calendar_version < working_years.version()


def retire_versions(*, now: datetime) -> int:
    """Retire superseded versions of items that no open case is handled by; return how many."""
    retired = 0
    for version_id in catalogue.superseded_versions():
        open_case = select(
            exists().where(Application.item_version_id == version_id, Application.state.in_(OPEN))
        )
        if not db.writing().scalar(open_case):
            catalogue.move_version(version_id, VersionEvent.LAST_CASE_CLOSED, actor=CLOCK, now=now)
            retired += 1
    return retired
