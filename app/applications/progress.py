"""Progress without signing in: number and query code, nothing personal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from secrets import compare_digest

from sqlalchemy import select

from app.applications.domain import PLAIN_LABELS, QUERY_CODE_DIGITS, ProgressUnknown, State
from app.applications.models import Application
from app.applications.views import EventView, due_of, events_of
from app.catalogue import service as catalogue
from app.core import db, vault

_NONE = 0


@dataclass(frozen=True, slots=True)
class ProgressView:
    """Where a case stands; the steps carry no words of anybody's."""

    number: str
    item_name: str
    body_name: str
    state: State
    state_label: str
    submitted_at: datetime
    due_on: date | None
    steps: list[EventView]


def query_code_of(application_id: int, issue: int = 0) -> str:
    """Return the code (查询密码) that belongs to a case; derived, so that it is stored nowhere.

    Args:
        issue: how often a new one was asked for; each issue has another code.
    """
    told = f"{application_id}:{issue}" if issue else str(application_id)
    digest = vault.blind_index("application.query_code", told)
    return f"{int(digest, 16) % 10**QUERY_CODE_DIGITS:0{QUERY_CODE_DIGITS}}"


def progress(number: str, query_code: str) -> ProgressView:
    """Return where a case stands.

    As much is reckoned for a number that does not exist as for one whose code is wrong.

    Raises:
        ProgressUnknown: no such number, or not its code.
    """
    query = select(Application).where(Application.number == number, Application.submitted_at.is_not(None))
    row = db.session().scalar(query)
    expected = query_code_of(row.id, row.code_issue) if row else query_code_of(_NONE)
    right = compare_digest(expected.encode(), query_code.encode())
    if row is None or not right or row.number is None or row.submitted_at is None:
        raise ProgressUnknown
    item = catalogue.version(row.item_version_id)
    return ProgressView(
        number=row.number,
        item_name=item.content.name,
        body_name=item.body_name,
        state=row.state,
        state_label=PLAIN_LABELS[row.state],
        submitted_at=row.submitted_at,
        due_on=due_of(row),
        steps=events_of(row.id),
    )
