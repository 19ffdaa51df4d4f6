"""Where cases stand, for who waits for what they come to; a case that was referred up is followed there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from app.applications.clock import Pause, pauses_from
from app.applications.domain import ENDED, State
from app.applications.models import Application
from app.applications.views import due_of
from app.core import db
from app.core.clock import day_of


@dataclass(frozen=True, slots=True)
class Standing:
    """What others may know of a case: nothing of its answers.

    Attributes:
        id: of the case that decides, which is another than the one asked for after a referral.
        accepted_at: when it was first accepted, be it before a referral.
        pauses: those before a referral too; a case that has ended pauses nothing any more.
        granted: None while it is not decided.
    """

    id: int
    number: str | None
    state: State
    version: int
    body_id: int
    item_version_id: int
    submitted_at: datetime | None
    accepted_at: datetime | None
    promise_due_on: date | None
    lawful_due_on: date | None
    due_on: date | None
    pauses: list[Pause]
    granted: bool | None
    reason: str
    result: Mapping[str, str] | None

    @property
    def ended(self) -> bool:
        return self.state in ENDED


def standings(application_ids: Collection[int]) -> dict[int, Standing]:
    """Return where cases stand, by the id asked for; those that do not exist are left out."""
    asked = {one: one for one in application_ids}
    found: dict[int, Standing] = {}
    while asked:
        rows = {row.id: row for row in _rows(Application.id, asked)}
        found |= {asked[row_id]: _standing(row, found.get(asked[row_id])) for row_id, row in rows.items()}
        referred = {one for one, row in rows.items() if row.state is State.CLOSED_NO_RESULT}
        above = _rows(Application.referred_from_id, referred) if referred else []
        asked = {row.id: asked[row.referred_from_id] for row in above if row.referred_from_id is not None}
    return found


def _rows(column: InstrumentedAttribute[Any], values: Collection[int]) -> list[Application]:
    # Anew: whoever waits for a case must not go by what was read before its last step.
    query = select(Application).where(column.in_(values)).execution_options(populate_existing=True)
    return list(db.session().scalars(query))


def _standing(row: Application, below: Standing | None) -> Standing:
    """Return where a case stands; ``below`` is the one that it was referred up from."""
    before = below.accepted_at if below else None
    accepted = [one for one in (before, row.accepted_at) if one is not None]
    return Standing(
        id=row.id,
        number=row.number,
        state=row.state,
        version=row.version,
        body_id=row.body_id,
        item_version_id=row.item_version_id,
        submitted_at=row.submitted_at,
        accepted_at=min(accepted, default=None),
        promise_due_on=row.promise_due_on,
        lawful_due_on=row.lawful_due_on,
        due_on=due_of(row),
        pauses=[*(below.pauses if below else ()), *_pauses(row)],
        granted=row.granted,
        reason=row.reason,
        result=row.result,
    )


def _pauses(row: Application) -> list[Pause]:
    pauses = pauses_from(row.pauses)
    if row.ended_at is None:
        return pauses
    last = day_of(row.ended_at)
    return [replace(one, ended_on=one.ended_on or max(last, one.began_on)) for one in pauses]


def origins(application_id: int) -> tuple[int, ...]:
    """Return a case and those it was referred up from, itself first."""
    found: list[int] = []
    following: int | None = application_id
    while following is not None:
        found.append(following)
        query = select(Application.referred_from_id).where(Application.id == following)
        following = db.session().scalar(query)
    return tuple(found)
