"""Annex 3's progress beside the watch: who is connected, and whether its pages open now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.core import clock
from app.core.access import Permission
from app.mobile_access import service as mobile_access
from app.mobile_access.service import ScheduleRow
from app.monitoring.freshness import Freshness
from app.monitoring.shapes import Counts
from app.monitoring.wall import Places, counts_of_bodies, sum_counts
from app.organisations import service as organisations
from app.organisations.service import Principal, RegionLevel


@dataclass(frozen=True, slots=True)
class ScheduleNow:
    """A member of annex 3; ``city_code`` is None for provincial bodies."""

    row: ScheduleRow
    city_code: str | None
    counts: Counts


def schedule_now(by: Principal, *, now: datetime) -> list[ScheduleNow]:
    """Return the members of annex 3 that ``by`` watches, in the notice's order.

    A city's pages are those of every body there.
    """
    places = Places.load()
    mine = {one.id for one in organisations.bodies_of(by, Permission.WATCH)}
    counts = counts_of_bodies(Freshness.load(None, now), now)
    members: dict[str | None, list[int]] = {}
    for body in places.bodies.values():
        members.setdefault(places.city_of(body), []).append(body.id)
    found = []
    for row in mobile_access.schedule_state(today=clock.day_of(now)):
        if row.body_id not in mine:
            continue
        body = places.bodies[row.body_id]
        city = places.city_of(body) if body.level is RegionLevel.CITY else None
        own = members[city] if city else [body.id]
        found.append(ScheduleNow(row, city, sum_counts(counts[one] for one in own if one in counts)))
    return found
