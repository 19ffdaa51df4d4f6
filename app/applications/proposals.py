"""Decisions that wait for a second person: one at most per case, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.applications.desk_domain import Outcome, SecondPersonNeeded
from app.applications.desk_models import ApplicationProposal
from app.applications.domain import Event
from app.applications.models import Application
from app.core import db


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A decision that waits; ``granted`` and the words are what its author wants to decide."""

    event: Event
    granted: bool
    reason: str
    remedy: str
    opinion: str
    proposed_by_id: int
    proposed_at: datetime


def propose(row: Application, event: Event, told: Mapping[str, Any], *, staff_id: int, now: datetime) -> None:
    """Write a decision down that takes effect when somebody else confirms it."""
    proposal = ApplicationProposal(
        application_id=row.id,
        open_for=row.id,
        event=event,
        told=dict(told),
        proposed_by_id=staff_id,
        proposed_at=now,
        outcome=Outcome.OPEN,
        opinion="",
    )
    db.writing().add(proposal)
    row.proposed_by_id = staff_id
    row.version += 1
    db.writing().flush()


def open_row(row: Application) -> ApplicationProposal:
    """Return the proposal that waits.

    Raises:
        SecondPersonNeeded: none does.
    """
    found = db.session().scalar(select(ApplicationProposal).where(ApplicationProposal.open_for == row.id))
    if found is None:
        raise SecondPersonNeeded("这个办件没有等待复核的决定")
    return found


def view(row: Application) -> ProposalView | None:
    """Return what waits for a second person, None when nothing does."""
    if row.proposed_by_id is None:
        return None
    found = open_row(row)
    told = found.told
    return ProposalView(
        found.event,
        bool(told["granted"]),
        told["reason"],
        told["remedy"],
        told["opinion"],
        found.proposed_by_id,
        found.proposed_at,
    )


def close(
    row: Application, outcome: Outcome, *, staff_id: int | None, opinion: str, now: datetime
) -> ApplicationProposal:
    """Write down what became of the proposal that waits.

    Raises:
        SecondPersonNeeded: none does.
    """
    found = open_row(row)
    found.open_for = None
    found.outcome = outcome
    found.answered_by_id, found.answered_at, found.opinion = staff_id, now, opinion
    row.proposed_by_id = None
    db.writing().flush()
    return found


def drop(row: Application, now: datetime) -> None:
    """Close what waits because the case went another way."""
    if row.proposed_by_id is not None:
        close(row, Outcome.DROPPED, staff_id=None, opinion="", now=now)
