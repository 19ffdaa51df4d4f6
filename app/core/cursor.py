"""Where a listing goes on: the sort key of the last row shown, opaque to the caller."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime

from app.core.errors import Invalid
from app.core.ids import read_id

CURSOR_MAX = 120


def encode(at: datetime, row_id: int) -> str:
    """Return the cursor of a row."""
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{row_id}".encode()).decode().rstrip("=")


def decode(cursor: str) -> tuple[datetime, int]:
    """Read what :func:`encode` wrote.

    Raises:
        Invalid: it is no cursor of ours.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        at, _, row_id = text.partition("|")
        moment, number = datetime.fromisoformat(at), read_id(row_id)
        if moment.tzinfo is None or not number:
            raise _bad()
        return moment.astimezone(UTC), number  # the first and the last day of all time have no UTC everywhere
    except (binascii.Error, ValueError, OverflowError):
        raise _bad() from None


def _bad() -> Invalid:
    return Invalid("分页标记无效", fields={"cursor": ["分页标记无效"]})
