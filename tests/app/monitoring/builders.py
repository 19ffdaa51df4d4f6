"""Watched pages and the looks at them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from app.core import db
from app.mobile_access import service as mobile_access
from app.mobile_access.service import PageView, State
from app.monitoring import service
from app.monitoring.domain import Terms
from app.monitoring.history_models import GroupRollup, HistoryMark, Rollup, RollupTouch
from app.monitoring.models import StateSpan
from mobile_pages.probe.base import Phases, ProbeResult, Verdict
from mobile_pages.probe.runner import Stats
from mobile_pages.probe.state import Rule
from tests.app.mobile_access.builders import a_page
from tests.builders import NOW

MINUTE = timedelta(minutes=1)
TERMS = Terms(
    interval_seconds=60,
    timeout_seconds=15.0,
    slow_ms=5000,
    grace=MINUTE,
    rule=Rule(longest_gap=3 * MINUTE),
)
_VERDICTS = {"U": Verdict.UP, "S": Verdict.DEGRADED, "D": Verdict.DOWN, "?": Verdict.UNKNOWN}
_CAUSES = {"S": "slow", "D": "http_status", "?": "missed"}


def take_list(now: datetime = NOW) -> None:
    service.take_list(mobile_access.watched_pages(), TERMS, now=now)


def a_watched_page(*, now: datetime = NOW, **details) -> PageView:
    """Bring a page online and begin to watch it."""
    page = a_page(state=State.ONLINE, now=now, **details)
    take_list(now)
    return page


def looks(page_id: int, letters: str, *, minute: float = 1, every: float = 1) -> list[ProbeResult]:
    """Return one look per letter (up, slow, down, ?), ``every`` minutes, from ``minute`` after NOW."""
    return [
        ProbeResult(
            str(page_id),
            at(minute + index * every),
            _VERDICTS[letter],
            _CAUSES.get(letter, ""),
            detail="服务器返回状态码 503。" if letter == "D" else "",
            status={"U": 200, "S": 200, "D": 503}.get(letter),
            phases=Phases(dns_ms=2, connect_ms=3, tls_ms=10, first_byte_ms=30, transfer_ms=5),
        )
        for index, letter in enumerate(letters)
    ]


def looks_from(start: datetime, page_id: int, letters: str) -> list[ProbeResult]:
    """Return one look per letter, a minute apart, the first a minute after ``start``."""
    return [
        replace(look, started_at=start + (index + 1) * MINUTE)
        for index, look in enumerate(looks(page_id, letters))
    ]


def tell(results: list[ProbeResult], prober: str = "test") -> None:
    service.ingest(prober, results, TERMS)


def seen(letters: str, *, now: datetime = NOW, minute: float = 1, every: float = 1, **details) -> PageView:
    """Return a page that was looked at with these results."""
    page = a_watched_page(now=now, **details)
    tell(looks(page.id, letters, minute=minute, every=every))
    return page


def at(minute: float) -> datetime:
    return NOW + timedelta(minutes=minute)


def spans(page_id: int) -> list[tuple[float, float | None, str]]:
    """Return the stored spans as (first minute, last minute, condition), in order."""
    query = select(StateSpan).where(StateSpan.check_id == page_id).order_by(StateSpan.started_at)
    return [
        (_minute(row.started_at), row.ended_at and _minute(row.ended_at), row.condition.value)
        for row in db.session().scalars(query)
    ]


def _minute(instant: datetime) -> float:
    return (instant - NOW) / MINUTE


def a_beat(now, **changed):
    health = {"targets": 1, "running": 0, "looks": 5, "missed": 0, "waiting": 0, "lost": 0, "offline": False}
    service.beat("p1", Stats(**{**health, "lag_p50_ms": 1.0, "lag_p99_ms": 7.0, **changed}), now=now)


def nothing_rolled_up() -> None:
    """Begin the history anew: a page that begins before hours already rolled up exists in tests only."""
    for model in (HistoryMark, Rollup, GroupRollup, RollupTouch):
        db.writing().execute(delete(model))
