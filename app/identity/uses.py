"""The log of who used what of a person's data, and why: rows are added and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, or_, select

from app.core import db
from app.core.cursor import decode, encode
from app.identity.people import accounts_of
from app.identity.people_domain import BY_MAX, CASE_NUMBER_MAX, PURPOSE_MAX, WHAT_MAX
from app.identity.people_models import DataUse

USES_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Use:
    """One use, as the person sees it: what was used, by whom, what for, and for which case."""

    id: int
    what: str
    by: str
    purpose: str
    case_number: str
    at: datetime


@dataclass(frozen=True, slots=True)
class UsePage:
    """A part of a long list; ``next_cursor`` is None at its end."""

    items: list[Use]
    next_cursor: str | None


def record_use(
    resident_id: int, *, what: str, by: str, purpose: str, case_number: str = "", now: datetime
) -> None:
    """Write down in the running transaction that a person's data was used.

    Args:
        what: which data, in words for the person, e.g. ``"姓名、证件号码"``; never the data itself.
        by: who, in words for the person, e.g. a body's name.
        case_number: the case it was for; ``""`` when for none.

    Raises:
        ValueError: a text is empty or too long; the caller's mistake.
    """
    for text, longest in ((what, WHAT_MAX), (by, BY_MAX), (purpose, PURPOSE_MAX)):
        if not 0 < len(text) <= longest:
            raise ValueError(f"a use is told in 1 to {longest} characters")
    if len(case_number) > CASE_NUMBER_MAX:
        raise ValueError("the case number is too long")
    db.writing().add(
        DataUse(resident_id=resident_id, what=what, by=by, purpose=purpose, case_number=case_number, at=now)
    )


def uses(resident_id: int, *, before: datetime | None = None, limit: int = USES_AT_ONCE) -> list[Use]:
    """Return what was used of a person, of all their merged accounts, the latest first.

    Args:
        before: only what happened before this moment.
    """
    query = _of(resident_id)
    if before is not None:
        query = query.where(DataUse.at < before)
    return [_use(row) for row in db.session().scalars(query.limit(limit))]


def uses_page(resident_id: int, *, cursor: str | None = None, limit: int = USES_AT_ONCE) -> UsePage:
    """Return a part of :func:`uses` and where the next one begins.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    query = _of(resident_id)
    if cursor:
        at, last = decode(cursor)
        query = query.where(or_(DataUse.at < at, and_(DataUse.at == at, DataUse.id < last)))
    rows = list(db.session().scalars(query.limit(limit + 1)))
    more = encode(rows[limit - 1].at, rows[limit - 1].id) if len(rows) > limit else None
    return UsePage([_use(row) for row in rows[:limit]], more)


def _of(resident_id: int) -> Select[DataUse]:
    mine = DataUse.resident_id.in_(accounts_of(resident_id))
    return select(DataUse).where(mine).order_by(DataUse.at.desc(), DataUse.id.desc())


def _use(row: DataUse) -> Use:
    return Use(row.id, row.what, row.by, row.purpose, row.case_number, row.at)
