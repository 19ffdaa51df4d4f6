"""How far each kind of history has come, and which sealed hours changed afterwards.

Before hours are rolled up they are sealed. Whoever changes something in a sealed hour notes it in the
same transaction, and the roll-up looks at that hour again. The mark is read under a shared lock, so
that sealing waits for every transaction that still believed the hour open: nothing falls between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select, update

from app.core import db
from app.monitoring.history_models import HistoryMark, RollupTouch
from mobile_pages.probe.base import Cause, Condition, Span

HOUR = timedelta(hours=1)
_SEEN = "history_marks"


class Mark(StrEnum):
    """What has come how far; nothing before the mark is still to be done."""

    SEALED = "sealed"  # changes before it must be noted
    HOURS = "hours"  # hours are rolled up
    DAYS = "days"  # days are
    SAMPLES = "samples"  # looks before it are deleted


class Reason(StrEnum):
    """Why a sealed hour is looked at again."""

    LATE_LOOK = "late_look"
    STATE = "state"
    VOIDED = "voided"
    RECOMPUTED = "recomputed"


REASON_LABELS = {
    Reason.LATE_LOOK: "收到迟到的探测结果",
    Reason.STATE: "状态记录事后确认或调整",
    Reason.VOIDED: "误报撤销（探测机网络中断）",
    Reason.RECOMPUTED: "复算发现不一致",
}


def hour_of(at: datetime) -> datetime:
    """Return the beginning of the hour of ``at``; Guangdong's hours begin when those of UTC do."""
    return at.replace(minute=0, second=0, microsecond=0)


def hours(start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the beginnings of the hours that touch the time from ``start`` to ``end``."""
    at = hour_of(start)
    while at < end:
        yield at
        at += HOUR


def marks() -> dict[str, datetime]:
    """Return how far everything has come; what has not begun is missing."""
    return dict(db.session().execute(select(HistoryMark.name, HistoryMark.at)).all())


def put(mark: Mark, at: datetime) -> None:
    """Move a mark, in the running transaction; never backwards."""
    moved = update(HistoryMark).where(HistoryMark.name == mark, HistoryMark.at < at).values(at=at)
    db.writing().execute(moved.execution_options(synchronize_session=False))
    db.writing().execute(db.insert_ignoring(HistoryMark), [{"name": mark.value, "at": at}])


def held_marks() -> dict[str, datetime]:
    """Return the marks, none of which moves before the running transaction ends; one query in each."""
    found: dict[str, datetime] | None = db.writing().info.get(_SEEN)
    if found is None:
        query = select(HistoryMark.name, HistoryMark.at).with_for_update(read=True)
        wanted = query.where(HistoryMark.name.in_((Mark.SEALED, Mark.SAMPLES)))
        found = dict(db.writing().execute(wanted).all())
        db.writing().info[_SEEN] = found
    return found


def looks_came(looks: Iterable[tuple[int, datetime]]) -> None:
    """Note the looks, each with its check's id, that fall into sealed hours."""
    sealed = held_marks().get(Mark.SEALED)
    if sealed is not None:
        _note({(check_id, hour_of(at)) for check_id, at in looks if at < sealed}, Reason.LATE_LOOK)


def spans_changed(
    check_id: int,
    before: Sequence[Span],
    after: Sequence[Span],
    *,
    seen_at: datetime | None = None,
    retract_from: datetime | None = None,
) -> None:
    """Note the sealed hours in which a check now stands differently; see :func:`first_difference`.

    Args:
        seen_at: when the last look began; what was told of the time since was only believed.
    """
    since = first_difference(before, after)
    if since is not None and seen_at is not None:
        since = min(since, seen_at)
    if retract_from is not None:
        since = min(retract_from, since or retract_from)
    sealed = held_marks().get(Mark.SEALED) if since is not None else None
    if since is None or sealed is None or since >= sealed:
        return
    told = _at(after, first_difference(before, after) or since)
    offline = retract_from is not None or (told is not None and told.cause == Cause.PROBER_OFFLINE)
    reason = Reason.VOIDED if offline else Reason.STATE
    _note({(check_id, hour) for hour in hours(since, sealed)}, reason)


def first_difference(before: Sequence[Span], after: Sequence[Span]) -> datetime | None:
    """Return from when on the two say different conditions; None when they agree throughout.

    Both are in order and without gaps, the last span of each lasts.
    """
    starts = sorted({span.start for span in (*before, *after)})
    return next((at for at in starts if _condition(before, at) != _condition(after, at)), None)


def _condition(spans: Sequence[Span], at: datetime) -> Condition | None:
    found = _at(spans, at)
    return None if found is None else found.condition


def _at(spans: Sequence[Span], at: datetime) -> Span | None:
    return next((span for span in reversed(spans) if span.start <= at), None)


def _note(touched: Iterable[tuple[int, datetime]], reason: Reason) -> None:
    rows = [
        {"check_id": check_id, "hour_at": hour, "reason": reason.value}
        for hour, check_id in sorted((hour, check_id) for check_id, hour in touched)
    ]
    if rows:
        db.writing().execute(db.insert_ignoring(RollupTouch), rows)
