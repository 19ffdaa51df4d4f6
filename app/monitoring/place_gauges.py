"""Figures of each city for Prometheus: availability over 30 days, days of the first certificate to end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from app.core import db
from app.monitoring import figures
from app.monitoring.domain import CheckKind
from app.monitoring.figures import Figure
from app.monitoring.freshness import Freshness
from app.monitoring.models import Watch
from app.monitoring.public import PROVINCE
from app.monitoring.wall import Places
from app.organisations.service import RegionLevel

DAYS = 30


@dataclass(frozen=True, slots=True)
class PlaceGauge:
    """A city, or all provincial bodies (``""``); None where nothing is known.

    Attributes:
        availability_rate: fraction 0–1 of the known time.
        certificate_days: until the first certificate of its pages ends, negative after.
    """

    city_code: str
    name: str
    availability_rate: float | None
    certificate_days: float | None


def place_gauges(*, now: datetime) -> list[PlaceGauge]:
    """Return the provincial bodies and every city, in this order."""
    places = Places.load()
    pace, asked = Freshness.load(None, now).pace, figures.window(DAYS, now)
    running = figures.lately(pace, now)
    by_city = figures.by_city(asked, pace, running=running)
    own = [body.id for body in places.bodies.values() if body.level is RegionLevel.PROVINCE]
    provincial = figures.pooled(figures.by_body(asked, pace, own, running=running).values())
    ends = _certificate_ends(places)
    cities = [(one.code, one.name) for one in places.regions.values() if one.level is RegionLevel.CITY]
    return [
        PlaceGauge(code, name, found.availability_rate, _days(ends.get(code), now))
        for code, name, found in (
            ("", PROVINCE, provincial),
            *((code, name, by_city.get(code, Figure())) for code, name in cities),
        )
    ]


def _days(end: datetime | None, now: datetime) -> float | None:
    return None if end is None else round((end - now).total_seconds() / 86_400, 2)


def _certificate_ends(places: Places) -> dict[str, datetime]:
    """Return when the first certificate of each city (``""``: provincial bodies) ends; one reading."""
    # Times are kept in one spelling and one zone, so that the least text is the earliest.
    ends = func.min(Watch.facts["certificate"]["not_after"].as_string())
    query = (
        select(Watch.body_id, ends)
        .where(Watch.watched.is_(True), Watch.kind == CheckKind.PAGE, Watch.facts.is_not(None))
        .group_by(Watch.body_id)
    )
    found: dict[str, datetime] = {}
    for body_id, text in db.session().execute(query):
        if text is None:
            continue
        end = datetime.fromisoformat(text)
        code = places.city_of(places.bodies[body_id]) or ""
        found[code] = min(end, found.get(code, end))
    return found
