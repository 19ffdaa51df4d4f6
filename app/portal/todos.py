"""What waits for a resident: shown first on the home page, the most urgent first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.applications import service as applications
from app.applications.service import State
from app.notices import service as notices
from app.themes import service as themes
from app.themes.service import State as ThemeState

CASES_LOOKED_AT = 50
"""The newest of them; who has more finds the others in the list of cases."""
SHOWN_MAX = 5

_UNDER_WAY = frozenset({State.SUBMITTED, State.ACCEPTED, State.HANDLING, State.SUSPENDED})
_RESULTS = frozenset({State.DECIDED, State.COMPLETED})


class Kind(StrEnum):
    SUPPLEMENT = "supplement"  # 补正
    RESULT = "result"
    DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class Todo:
    """One case that waits for its applicant. ``until``: the last day, None when there is none."""

    kind: Kind
    path: str
    name: str
    until: date | None


@dataclass(frozen=True, slots=True)
class Todos:
    """What waits. ``more_count``: of the same, not shown here."""

    shown: tuple[Todo, ...]
    more_count: int
    under_way_count: int
    unread_count: int

    def __bool__(self) -> bool:
        return bool(self.shown or self.under_way_count or self.unread_count)


def _until(kind: Kind, due_on: date | None) -> date | None:
    return due_on if kind is Kind.SUPPLEMENT else None


def todos_of(resident_id: int) -> Todos:
    """Return what waits for a resident: supplements by their last day, results, drafts."""
    cases = applications.mine(resident_id, limit=CASES_LOOKED_AT).items
    waiting = [
        Todo(
            kind,
            f"/me/applications/{case.id}",
            case.item_name,
            case.due_on if kind is Kind.SUPPLEMENT else None,
        )
        for kind, states in (
            (Kind.SUPPLEMENT, {State.SUPPLEMENT_DUE}),
            (Kind.RESULT, _RESULTS),
            (Kind.DRAFT, {State.DRAFT}),
        )
        for case in sorted(cases, key=lambda one: one.due_on or date.max)
        if case.state in states
    ]
    together = themes.mine(resident_id, limit=CASES_LOOKED_AT).items
    waiting += [
        Todo(Kind.DRAFT, f"/me/themes/{one.id}", one.name, None)
        for one in together
        if one.state is ThemeState.DRAFT
    ]
    return Todos(
        tuple(waiting[:SHOWN_MAX]),
        max(0, len(waiting) - SHOWN_MAX),
        sum(case.state in _UNDER_WAY for case in cases),
        notices.unread_count(resident_id),
    )
