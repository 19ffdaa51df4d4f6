"""Progress without signing in: number and query code, nothing personal."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from secrets import compare_digest

from sqlalchemy import bindparam, select

from app.applications.domain import EVENT_LABELS, PLAIN_LABELS, QUERY_CODE_DIGITS, ProgressUnknown, State
from app.applications.models import Application, ApplicationEvent
from app.applications.views import due_of
from app.catalogue import service as catalogue
from app.core import db, elsewhere, vault

_NONE = 0
_CASE = Application.__table__.c
_EVENT = ApplicationEvent.__table__.c
# Put together once and no wider than needed: to read a column that nobody looks at costs as much.
_BY_NUMBER = select(
    _CASE.id,
    _CASE.number,
    _CASE.code_issue,
    _CASE.item_version_id,
    _CASE.state,
    _CASE.submitted_at,
    _CASE.intake_due_on,
    _CASE.supplement_due_on,
    _CASE.promise_due_on,
    _CASE.delivery_due_on,
).where(_CASE.number == bindparam("number"), _CASE.submitted_at.is_not(None))
_STEPS = (
    select(_EVENT.number, _EVENT.event, _EVENT.at)
    .where(_EVENT.application_id == bindparam("application_id"))
    .order_by(_EVENT.number)
)


@dataclass(frozen=True, slots=True)
class ProgressStep:
    """One step, without anybody's words."""

    number: int
    label: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ProgressPart:
    """One sub-case (子办件) of a number that stands for several; ``number`` is None until it is opened."""

    number: str | None
    item_name: str
    body_name: str
    state_label: str
    due_on: date | None
    done: bool


@dataclass(frozen=True, slots=True)
class ProgressView:
    """Where a case stands, or several that go under one number; nobody's words are in it."""

    number: str
    item_name: str
    body_name: str
    state: State
    state_label: str
    submitted_at: datetime
    due_on: date | None
    steps: list[ProgressStep]
    parts: list[ProgressPart] = field(default_factory=list)

    @property
    def done_count(self) -> int:
        return sum(one.done for one in self.parts)


def query_code_of(application_id: int, issue: int = 0) -> str:
    """Return the code (查询密码) that belongs to a case; derived, so that it is stored nowhere.

    Args:
        issue: how often a new one was asked for; each issue has another code.
    """
    told = f"{application_id}:{issue}" if issue else str(application_id)
    digest = vault.blind_index("application.query_code", told)
    return f"{int(digest, 16) % 10**QUERY_CODE_DIGITS:0{QUERY_CODE_DIGITS}}"


def progress(number: str, query_code: str) -> ProgressView:
    """Return where a case stands, or what a capability above calls by this number.

    As much is reckoned for a number that does not exist as for one whose code is wrong.

    Raises:
        ProgressUnknown: no such number, or not its code.
    """
    row = db.rows(_BY_NUMBER, {"number": number}).first()
    expected = query_code_of(row.id, row.code_issue) if row else query_code_of(_NONE)
    right = compare_digest(expected.encode(), query_code.encode())
    if row is None or not right:
        other: ProgressView | None = elsewhere.find_number(number, query_code)
        if other is None:
            raise ProgressUnknown
        return other
    item = catalogue.version(row.item_version_id)
    steps = db.rows(_STEPS, {"application_id": row.id})
    return ProgressView(
        number=row.number,
        item_name=item.content.name,
        body_name=item.body_name,
        state=row.state,
        state_label=PLAIN_LABELS[row.state],
        submitted_at=row.submitted_at,
        due_on=due_of(row),
        steps=[ProgressStep(one.number, EVENT_LABELS[one.event], one.at) for one in steps],
    )
