"""What is forgotten, and when: drafts nobody goes on with, personal answers and files of ended cases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

import structlog
from sqlalchemy import and_, or_, select

from app.applications import attachments, moving, papers, sealing
from app.applications.domain import DRAFT_DAYS, DRAFT_REMINDER_DAYS, State
from app.applications.drafts import give_up
from app.applications.models import Application
from app.applications.telling import day, link_of
from app.catalogue import service as catalogue
from app.core import audit, db, hearing
from app.core.clock import day_of
from app.core.errors import Invalid
from app.identity import service as identity
from app.notices import service as notices
from app.notices.service import UnknownTemplate

BY = "system"
BATCH = 200
DRAFT_ENDING = "application.draft-ending"
FORGOTTEN = "application.forgotten"
"""Heard by who holds something personal of the case too."""
DECIDED = frozenset({State.DELIVERED, State.NOT_ACCEPTED})
"""Ends that a person may want to have reviewed; the others decide nothing."""

UNDECIDED = frozenset({State.RETURNED, State.WITHDRAWN, State.VOIDED, State.CLOSED_NO_RESULT})

log = structlog.get_logger(__name__)


def ended_drafts(today: date) -> list[int]:
    """Return the drafts that nobody saved for so long that they end."""
    # Those from before drafts had an end go by when they were saved, to the day.
    long_ago = datetime.combine(today - timedelta(days=DRAFT_DAYS), time(), UTC)
    over = or_(
        Application.expires_on < today,
        and_(Application.expires_on.is_(None), Application.saved_at < long_ago),
    )
    query = select(Application.id).where(Application.state == State.DRAFT, over)
    return list(db.session().scalars(query.limit(BATCH)))


def end_draft(application_id: int, *, now: datetime) -> bool:
    """Give up a draft that has come to its end, unless somebody saved it meanwhile; tell whether."""
    row = moving.locked(application_id)
    ends_on = row.expires_on or day_of(row.saved_at) + timedelta(days=DRAFT_DAYS)
    if row.state is not State.DRAFT or ends_on >= day_of(now):
        return False
    give_up(row, actor=BY, now=now)
    return True


def ending_drafts(today: date) -> list[int]:
    """Return the drafts whose owners are to be reminded that they end soon."""
    query = select(Application.id).where(
        Application.state == State.DRAFT,
        Application.expires_on <= today + timedelta(days=DRAFT_REMINDER_DAYS),
        Application.reminded_at.is_(None),
    )
    return list(db.session().scalars(query.limit(BATCH)))


def remind_of_draft(application_id: int, *, now: datetime) -> bool:
    """Tell whoever fills a draft in that it ends soon; once, unless it is saved again."""
    row = moving.locked(application_id)
    if row.state is not State.DRAFT or row.reminded_at is not None or row.expires_on is None:
        return False
    row.reminded_at = now
    values = {
        "事项": catalogue.version(row.item_version_id).content.name,
        "时间": day(row.expires_on),
    }
    try:
        notices.send(
            row.agent_id or row.resident_id,
            DRAFT_ENDING,
            values,
            link=f"{link_of(row.id)}/form",
            dedup_key=f"draft:{row.id}:{row.expires_on}",
            now=now,
        )
    except (UnknownTemplate, Invalid) as error:
        log.error("notice_not_sent", template=DRAFT_ENDING, because=error.code, application=row.id)
    return True


def forgettable_cases(kept_days: Mapping[State, int], now: datetime) -> list[int]:
    """Return the ended cases whose personal answers and files are kept no longer.

    Args:
        kept_days: per way of ending, how many days after it.
    """
    over = [
        and_(Application.state == state, Application.ended_at < now - timedelta(days=days))
        for state, days in kept_days.items()
    ]
    query = select(Application.id).where(
        Application.forgotten_at.is_(None), Application.submitted_at.is_not(None), or_(*over)
    )
    return list(db.session().scalars(query.limit(BATCH)))


def kept_days(decided: int, undecided: int) -> dict[State, int]:
    """Return how many days each way of ending is kept."""
    return {**dict.fromkeys(DECIDED, decided), **dict.fromkeys(UNDECIDED, undecided)}


def forget_case(application_id: int, *, now: datetime) -> None:
    """Forget the personal answers and the files of an ended case; its steps and other answers stay."""
    row = moving.locked(application_id)
    if not row.ended_at or row.forgotten_at is not None:
        return
    for name in list(row.sealed):
        sealing.drop(row, name)
    attachments.forget_all_but(row, frozenset())
    papers.forget_names(row.id)
    row.sources = {}
    row.forgotten_at = now
    audit.record(BY, "application.forget", "application", row.id)
    hearing.tell(FORGOTTEN, {"application_id": str(row.id)}, dedup_key=str(row.id))


def forget_resident(resident_id: int, *, now: datetime) -> int:
    """Give up the drafts of a closed account, and what it uploaded and never sent; return how many.

    Cases that were submitted are kept as long as the law wants; and all of them for a person who has another
    account that was merged with this one, and goes on there.
    """
    accounts = identity.accounts_of(resident_id)
    if any(identity.is_open(one) for one in accounts):
        return 0
    theirs = or_(Application.resident_id.in_(accounts), Application.agent_id.in_(accounts))
    query = select(Application.id).where(theirs, Application.state.in_((State.DRAFT, State.SUPPLEMENT_DUE)))
    found = list(db.writing().scalars(query))
    for application_id in found:
        row = moving.locked(application_id)
        if row.state is State.DRAFT:
            give_up(row, actor=BY, now=now)
        else:
            attachments.forget_unsent(row)
    return len(found)
