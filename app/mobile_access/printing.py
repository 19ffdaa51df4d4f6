"""Reports as PDF: printing takes a browser and seconds, so a job does it and staff come back for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core import db, outbox
from app.mobile_access.models import PrintedReport

PRINT_JOB = "mobile_access.print-report"
ASK_AGAIN_AFTER = timedelta(minutes=10)
"""A print not there by then will not come: it may be asked for anew."""


@dataclass(frozen=True, slots=True)
class PrintState:
    """Whether a PDF was asked for, and the content address it is kept under; None while there is none."""

    asked: bool
    digest: str | None


def print_state(key: str) -> PrintState:
    """Return how far the PDF asked for under ``key`` has come."""
    row = db.session().get(PrintedReport, key)
    return PrintState(row is not None, None if row is None else row.digest)


def ask_for_print(key: str, page_id: int, number: int, run_id: int, *, now: datetime) -> None:
    """Ask for a check's report as PDF. Safe to repeat.

    Args:
        key: SHA-256 over what is to be printed, so that a changed report is printed anew.
    """
    row = db.writing().get(PrintedReport, key)
    if row is None:
        row = PrintedReport(key=key, run_id=run_id, asked_at=now)
        db.writing().add(row)
    elif row.digest is not None or now < row.asked_at + ASK_AGAIN_AFTER:
        return
    row.asked_at = now
    db.writing().flush()
    payload = {"key": key, "page_id": str(page_id), "number": number}
    outbox.enqueue(PRINT_JOB, payload, dedup_key=f"{PRINT_JOB}:{key[:32]}:{now.timestamp():.0f}")


def note_printed(key: str, digest: str, *, now: datetime) -> None:
    """Note where the PDF is kept; nothing happens when nobody waits for it any more."""
    row = db.writing().get(PrintedReport, key)
    if row is not None:
        row.digest, row.ready_at = digest, now
        db.writing().flush()
