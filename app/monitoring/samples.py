"""Looks as stored rows: small numbers instead of words, one statement a batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from app.core import db
from app.monitoring import marks
from app.monitoring.marks import Mark
from app.monitoring.models import ProberBeat, ProbeSample
from mobile_pages.probe.base import Cause, ProbeResult, Verdict

# Numbers are for ever: stored rows keep them. New words go to the end.
VERDICTS = (Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN)
CAUSES = (
    Cause.NONE,
    Cause.DNS_FAILURE,
    Cause.CONNECT_REFUSED,
    Cause.CONNECT_TIMEOUT,
    Cause.UNREACHABLE,
    Cause.TLS_INVALID,
    Cause.TLS_EXPIRED,
    Cause.HTTP_STATUS,
    Cause.WRONG_CONTENT,
    Cause.REDIRECT_LOOP,
    Cause.BAD_REDIRECT,
    Cause.BAD_ANSWER,
    Cause.CONNECTION_LOST,
    Cause.TIMEOUT,
    Cause.TOO_LARGE,
    Cause.SLOW,
    Cause.MISSED,
    Cause.PROBER_OFFLINE,
    Cause.PROBER_FAULT,
    "guard_refused",
    Cause.BLANK_PAGE,
    Cause.SCRIPT_ERROR,
    Cause.RESOURCE_FAILED,
    Cause.MAINTENANCE_PAGE,
)
_REFUSED = CAUSES.index("guard_refused")
_VERDICT_NUMBERS = {verdict: number for number, verdict in enumerate(VERDICTS)}
_CAUSE_NUMBERS = {str(cause): number for number, cause in enumerate(CAUSES)}
_MOST_MS = 65_535
_FORGET_SLICE = timedelta(hours=1)


def prober_number(name: str) -> int:
    """Return the number that stands for a prober in its looks; the next free one for a new prober.

    A new one counts from the prober's first :func:`~app.monitoring.watching.beat` on.
    """
    known = db.writing().scalar(select(ProberBeat.number).where(ProberBeat.name == name))
    if known is not None:
        return known
    return (db.writing().scalar(select(func.max(ProberBeat.number))) or 0) + 1


def store(prober: int, looks: Sequence[tuple[int, ProbeResult]]) -> None:
    """Store looks, each with its check's id; one told before changes nothing.

    Looks of days that are already forgotten are dropped: their figures cannot change any more.
    """
    forgotten = marks.held_marks().get(Mark.SAMPLES)
    looks = [one for one in looks if forgotten is None or one[1].started_at >= forgotten]
    if not looks:
        return
    rows = [
        {
            "check_id": check_id,
            "at": look.started_at,
            "prober": prober,
            "verdict": _VERDICT_NUMBERS[look.verdict],
            "cause": _CAUSE_NUMBERS.get(look.cause, _REFUSED),
            "http_status": look.status,
            "dns_ms": _ms(look.phases.dns_ms),
            "connect_ms": _ms(look.phases.connect_ms),
            "tls_ms": _ms(look.phases.tls_ms),
            "first_byte_ms": _ms(look.phases.first_byte_ms),
            "total_ms": _ms(look.phases.total_ms),
        }
        for check_id, look in looks
    ]
    db.writing().execute(db.insert_ignoring(ProbeSample), rows)
    marks.looks_came((check_id, look.started_at) for check_id, look in looks)


def forget(before: datetime) -> bool:
    """Delete the oldest looks made before ``before``, an hour's worth; return whether there are more.

    For databases without partitions; elsewhere :mod:`app.monitoring.partitions` drops whole days.
    """
    marks.put(Mark.SAMPLES, before)
    oldest = db.writing().scalar(select(func.min(ProbeSample.at)))
    if oldest is None or oldest >= before:
        return False
    old = delete(ProbeSample).where(ProbeSample.at < min(oldest + _FORGET_SLICE, before))
    db.writing().execute(old.execution_options(synchronize_session=False))
    return True


def verdict_of(number: int) -> Verdict:
    """Return the verdict a stored number stands for."""
    return VERDICTS[number]


def cause_of(number: int) -> str:
    """Return the cause a stored number stands for; refusals of the guard share one."""
    return str(CAUSES[number])


def verdict_numbers(verdicts: Iterable[Verdict]) -> list[int]:
    """Return the stored numbers of ``verdicts``."""
    return [_VERDICT_NUMBERS[verdict] for verdict in verdicts]


def _ms(value: float) -> int:
    return min(round(value), _MOST_MS)
