"""What the watch over a page saw in its last days, for the rules that judge a page over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from app.core import clock, db
from app.monitoring import samples
from app.monitoring.check_settings import HEALTH_SLOW_MS
from app.monitoring.domain import CheckKind, Outcome, Terms
from app.monitoring.figures import official
from app.monitoring.models import Incident, ProbeSample, StateSpan, Watch
from app.monitoring.policy import terms_for
from mobile_pages.artifact import Monitoring
from mobile_pages.probe.base import Cause, Condition, Verdict
from mobile_pages.probe.uptime import Window

WINDOW_DAYS = 7
_FAILED = samples.verdict_numbers([Verdict.DOWN])
_ANSWERED = samples.verdict_numbers([Verdict.UP, Verdict.DEGRADED])


def seen(page_id: int) -> Monitoring | None:
    """Return the figures of the last seven days; None for a page that was never watched."""
    return seen_until(page_id, clock.system_clock())


def seen_until(page_id: int, now: datetime) -> Monitoring | None:
    """Return the figures of the seven days before ``now``.

    Visits of the page and of its health address are counted alike, so that one may be held against
    the other.
    """
    watch = (
        db.session().execute(select(Watch.begun_at, Watch.body_id).where(Watch.check_id == page_id)).first()
    )
    if watch is None:
        return None
    begun_at, body_id = watch
    terms = terms_for(body_id, now)
    figure = official(page_id, terms, now)
    since = now - timedelta(days=WINDOW_DAYS)
    days = min(WINDOW_DAYS, (now - begun_at).days)
    outages = _outages(page_id, since, now)
    visits, told = _maintenance(page_id, since, now)
    return Monitoring(
        window_days=days,
        visits=figure.visit_count,
        failures=figure.failure_count,
        fewest_daily_visits=_fewest(page_id, since, now, days),
        outages=len(outages),
        maintenance_visits=visits,
        maintenance_told=told,
        **_health(page_id, terms, outages, since, now),
    )


def _health(
    page_id: int, terms: Terms, outages: Sequence[Window], since: datetime, now: datetime
) -> dict[str, int]:
    """Return what the health address said; nothing where none was looked at."""
    health = Watch.page_id == page_id, Watch.kind == CheckKind.HEALTH
    check_id = db.session().scalar(select(Watch.check_id).where(*health, Watch.watched.is_(True)))
    if check_id is None:
        return {}
    figure = official(check_id, terms, now)
    looks = select(ProbeSample.at).where(ProbeSample.check_id == check_id, ProbeSample.at >= since)
    slow = looks.where(ProbeSample.verdict.in_(_ANSWERED), ProbeSample.total_ms > HEALTH_SLOW_MS)
    failed = list(db.session().scalars(looks.where(ProbeSample.verdict.in_(_FAILED))))
    return {
        "health_visits": figure.visit_count,
        "health_failures": figure.failure_count,
        "health_slow": len(list(db.session().scalars(slow))),
        "outages_told": sum(any(one.start <= at < one.end for at in failed) for one in outages),
    }


def _maintenance(page_id: int, since: datetime, now: datetime) -> tuple[int, int]:
    """Return how often the page was found closed in announced maintenance, and how often it said so well."""
    spans = select(StateSpan.started_at, StateSpan.ended_at).where(
        StateSpan.check_id == page_id, StateSpan.condition == Condition.MAINTENANCE
    )
    held = [(start, end or now) for start, end in db.session().execute(spans) if (end or now) > since]
    if not held:
        return 0, 0
    query = select(ProbeSample.at, ProbeSample.cause).where(
        ProbeSample.check_id == page_id, ProbeSample.at >= since, ProbeSample.verdict.in_(_FAILED)
    )
    causes = [
        samples.cause_of(cause)
        for at, cause in db.session().execute(query)
        if any(start <= at < end for start, end in held)
    ]
    return len(causes), causes.count(Cause.MAINTENANCE_PAGE)


def _fewest(page_id: int, since: datetime, now: datetime, days: int) -> int:
    """Return the visits of the whole day with the fewest; 0 before a whole day was watched."""
    at = db.session().scalars(
        select(ProbeSample.at).where(ProbeSample.check_id == page_id, ProbeSample.at >= since)
    )
    per_day = Counter(clock.day_of(moment) for moment in at)
    whole = [clock.day_of(now) - timedelta(days=back) for back in range(1, days + 1)]
    return min((per_day[day] for day in whole), default=0)


def _outages(page_id: int, since: datetime, now: datetime) -> list[Window]:
    """Return when the page itself was down; outages that were taken back never were."""
    query = select(Incident.started_at, Incident.resolved_at).where(
        Incident.check_id == page_id,
        Incident.started_at >= since,
        or_(Incident.outcome.is_(None), Incident.outcome != Outcome.VOIDED),
    )
    return [Window(start, max(start, end or now)) for start, end in db.session().execute(query)]
