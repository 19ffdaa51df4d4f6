"""Availability from stored spans, pooled over pages; the inspection's figure from stored looks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select

from app.core import clock, db
from app.monitoring import samples
from app.monitoring.domain import CheckKind, Terms
from app.monitoring.models import ProbeSample, StateSpan, Watch
from app.monitoring.shapes import WindowFigure
from mobile_pages.probe.base import Condition, Span
from mobile_pages.probe.state import HOLDS
from mobile_pages.probe.uptime import (
    OfficialFigure,
    OfficialRule,
    Tally,
    Visit,
    Window,
    day_window,
    official_figure,
    tally,
)

WINDOWS = (("today", "今日", 1), ("7d", "近 7 天", 7), ("30d", "近 30 天", 30))
TODAY = WINDOWS[:1]


@dataclass(frozen=True, slots=True)
class _History:
    """One page's spans and since when it is watched."""

    begun_at: datetime
    spans: list[Span]


def uptime(
    *conditions: ColumnElement[bool],
    terms: Terms,
    now: datetime,
    windows: Iterable[tuple[str, str, int]] = WINDOWS,
) -> list[WindowFigure]:
    """Return the pooled figures of all pages that fit ``conditions`` on :class:`Watch`; one query."""
    wanted = [(name, label, _window(days, now)) for name, label, days in windows]
    earliest = min(window.start for _, _, window in wanted)
    histories = _histories(conditions, earliest, terms, now)
    return [_figure(name, label, window, histories) for name, label, window in wanted]


def _window(days: int, now: datetime) -> Window:
    first = clock.day_of(now) - timedelta(days=days - 1)
    return day_window(first, days).until(now)


def _figure(name: str, label: str, window: Window, histories: Iterable[_History]) -> WindowFigure:
    pooled, count = Tally(), 0
    for history in histories:
        start = max(window.start, history.begun_at)
        if start < window.end:
            pooled += tally(history.spans, Window(start, window.end))
            count += 1
    return WindowFigure(name, label, window.start, window.end, count, pooled)


def _histories(
    conditions: Iterable[ColumnElement[bool]], since: datetime, terms: Terms, now: datetime
) -> list[_History]:
    query = (
        select(
            Watch.page_id,
            StateSpan.started_at,
            StateSpan.ended_at,
            StateSpan.condition,
            Watch.begun_at,
            Watch.sampled_at,
        )
        .join(Watch, Watch.check_id == StateSpan.check_id)
        .where(Watch.kind == CheckKind.PAGE)
        .where(or_(StateSpan.ended_at.is_(None), StateSpan.ended_at > since), *conditions)
    )
    found: dict[int, _History] = {}
    for page_id, started_at, ended_at, condition, begun_at, sampled_at in db.session().execute(query):
        history = found.setdefault(page_id, _History(begun_at, []))
        end = ended_at or _known_until(condition, started_at, sampled_at, terms, now)
        history.spans.append(Span(started_at, end, condition))
    return list(found.values())


def _known_until(
    condition: Condition, started_at: datetime, sampled_at: datetime | None, terms: Terms, now: datetime
) -> datetime:
    """Return how far the span still open may be believed: a prober that stands still says nothing."""
    if condition in HOLDS or sampled_at is None:
        return max(started_at, now)
    return max(started_at, min(now, sampled_at + terms.fresh))


def official(page_id: int, terms: Terms, now: datetime) -> OfficialFigure:
    """Return what the national inspection would say of the last seven days of one page; one query.

    A visit stands for the time until the next one, which is never less than a minute.
    """
    window = _window(7, now)
    query = select(ProbeSample.at, ProbeSample.verdict, ProbeSample.total_ms).where(
        ProbeSample.check_id == page_id, ProbeSample.at >= window.start
    )
    visits = (
        Visit(at, samples.verdict_of(verdict), total_ms)
        for at, verdict, total_ms in db.session().execute(query)
    )
    every = max(OfficialRule().slot, timedelta(seconds=terms.interval_seconds))
    rule = OfficialRule(slot=every)
    return official_figure(visits, day_window(clock.day_of(window.start), 7), now, rule)
