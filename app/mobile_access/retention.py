"""Which artifacts and screenshots are kept, and clearing up the rest.

Kept are those of a page's latest checks, of every check that a review was decided on, and of all
others for a time. A file goes when no check, no ruling and no printed report refers to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from app.core import db
from app.mobile_access.files import FileStore
from app.mobile_access.models import CheckFile, CheckRun, MobilePage, PrintedReport, Ruling

LATEST_KEPT = 5
KEEP_FOR = timedelta(days=90)
KEEP_PRINTED_FOR = timedelta(days=7)
UNTOUCHED_FOR = timedelta(days=1)
"""Longer than any check takes: what it has written is not referred to before it ends."""

_AT_ONCE = 200


def forget_files(*, now: datetime) -> int:
    """Let the files of checks go that are no longer to be kept, some at a time.

    Returns:
        how many checks; 0 when nothing is left to do.
    """
    query = (
        select(CheckRun.id)
        .join(MobilePage, MobilePage.id == CheckRun.page_id)
        .where(
            CheckRun.files_forgotten_at.is_(None),
            CheckRun.finished_at < now - KEEP_FOR,
            CheckRun.decided_review.is_(False),
            CheckRun.number <= MobilePage.checks - LATEST_KEPT,
        )
        .limit(_AT_ONCE)
    )
    runs = list(db.writing().scalars(query))
    if runs:
        db.writing().execute(delete(CheckFile).where(CheckFile.run_id.in_(runs)))
        db.writing().execute(update(CheckRun).where(CheckRun.id.in_(runs)).values(files_forgotten_at=now))
    return len(runs)


def forget_printed(*, now: datetime) -> int:
    """Let go reports printed some time ago: they are made anew when asked for; return how many."""
    gone = db.writing().execute(delete(PrintedReport).where(PrintedReport.asked_at < now - KEEP_PRINTED_FOR))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def clear_folder(store: FileStore, folder: str, *, now: datetime) -> int:
    """Delete the files of one folder of the store that nothing refers to; return how many."""
    long_ago = now - UNTOUCHED_FOR
    old = store.older_than(long_ago, folder)
    gone = 0
    for start in range(0, len(old), _AT_ONCE):
        some = old[start : start + _AT_ONCE]
        kept = _referred_to(some)
        gone += sum(store.discard(one, unless_wanted_since=long_ago) for one in some if one not in kept)
    return gone


def _referred_to(digests: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for column in (CheckFile.digest, Ruling.evidence, PrintedReport.digest):
        found.update(one for one in db.session().scalars(select(column).where(column.in_(digests))) if one)
    return found
