"""What the applicant is told at once when a case was handed in (回执)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from app.applications.domain import PLAIN_LABELS, State
from app.applications.models import Application
from app.applications.parties import party_locked


@dataclass(frozen=True, slots=True)
class Receipt:
    """Nothing personal: it is kept for repeats, outside the vault."""

    id: int
    version: int
    number: str | None
    state: State
    state_label: str
    submitted_at: datetime | None
    intake_due_on: date | None


def receipt(resident_id: int, application_id: int) -> Receipt:
    """Return the receipt of a case, in the transaction that handed it in.

    Raises:
        NotFound: not theirs.
    """
    return receipt_of(party_locked(resident_id, application_id))


def receipt_of(row: Application) -> Receipt:
    """Return the receipt of a case whose row is at hand."""
    return Receipt(
        id=row.id,
        version=row.version,
        number=row.number,
        state=row.state,
        state_label=PLAIN_LABELS[row.state],
        submitted_at=row.submitted_at,
        intake_due_on=row.intake_due_on,
    )
