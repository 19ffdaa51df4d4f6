"""Reading forms and saying what is wrong with them."""

from __future__ import annotations

from datetime import datetime

from app.core import clock
from app.core.errors import DomainError

_DIGITS_MAX = 9


def problems_of(error: DomainError) -> dict[str, str]:
    """Return one sentence per field of a form; ``""`` is the form as a whole."""
    return {"": str(error), **{name: "；".join(map(str, said)) for name, said in error.fields.items()}}


def read_number(text: str) -> int | None:
    """Return a count as typed; None for anything else."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX else None


def read_moment(text: str) -> datetime | None:
    """Return what a ``datetime-local`` input says, as Guangdong's time; None when it says nothing."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=clock.HALL_TIME)
    except ValueError:
        return None
