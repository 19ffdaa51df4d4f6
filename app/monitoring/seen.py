"""What the watch over a page saw in its last days, for the rules that judge a page over time."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import func, select

from app.core import clock, db
from app.core.installation import settings
from app.monitoring.domain import terms
from app.monitoring.figures import official
from app.monitoring.models import Incident, ProbeSample, Watch
from mobile_pages.artifact import Monitoring

WINDOW_DAYS = 7


def seen(page_id: int) -> Monitoring | None:
    """Return the figures of the last seven days; None for a page that was never watched."""
    return seen_until(page_id, clock.system_clock())


def seen_until(page_id: int, now: datetime) -> Monitoring | None:
    """Return the figures of the seven days before ``now``.

    The health address is not probed yet, so its figures are 0 and its rule says so.
    """
    begun_at = db.session().scalar(select(Watch.begun_at).where(Watch.check_id == page_id))
    if begun_at is None:
        return None
    figure = official(page_id, terms(settings()), now)
    since = now - timedelta(days=WINDOW_DAYS)
    days = min(WINDOW_DAYS, (now - begun_at).days)
    return Monitoring(
        window_days=days,
        visits=figure.visit_count,
        failures=figure.failure_count,
        fewest_daily_visits=_fewest(page_id, since, now, days),
        outages=_outages(page_id, since),
    )


def _fewest(page_id: int, since: datetime, now: datetime, days: int) -> int:
    """Return the visits of the whole day with the fewest; 0 before a whole day was watched."""
    at = db.session().scalars(
        select(ProbeSample.at).where(ProbeSample.check_id == page_id, ProbeSample.at >= since)
    )
    per_day = Counter(clock.day_of(moment) for moment in at)
    whole = [clock.day_of(now) - timedelta(days=back) for back in range(1, days + 1)]
    return min((per_day[day] for day in whole), default=0)


def _outages(page_id: int, since: datetime) -> int:
    query = select(func.count()).select_from(Incident)
    return db.session().scalar(query.where(Incident.page_id == page_id, Incident.started_at >= since)) or 0
