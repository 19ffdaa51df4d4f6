"""What everybody may know of the watch: how each city's services stand, what is out of order now."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, or_, select

from app.core import db
from app.core.errors import NotFound
from app.monitoring.domain import CheckKind, Outcome, Terms
from app.monitoring.freshness import Freshness
from app.monitoring.incidents import view
from app.monitoring.models import Incident, PageCheck, Watch
from app.monitoring.shapes import Badge, Counts, GroupStanding, PublicIncident
from app.monitoring.wall import Places, counts_of_bodies, page_shown, sum_counts
from app.organisations.service import RegionLevel

NEWS_MAX = 50
NEWS_DAYS = 14
PROVINCE = "省级部门"


def standing(terms: Terms, *, now: datetime) -> list[GroupStanding]:
    """Return the provincial bodies and every city, in this order, with what is watched there."""
    places = Places.load()
    counts = counts_of_bodies(Freshness.load(terms, now), now)
    open_ = _open_by_body()
    members: dict[str, list[int]] = {}
    for body in places.bodies.values():
        members.setdefault(places.city_of(body) or "", []).append(body.id)
    cities = [(one.code, one.name) for one in places.regions.values() if one.level is RegionLevel.CITY]
    return [
        GroupStanding(
            code,
            name,
            sum_counts(counts.get(body_id, Counts()) for body_id in members.get(code, ())),
            sum(open_.get(body_id, 0) for body_id in members.get(code, ())),
        )
        for code, name in (("", PROVINCE), *cities)
    ]


def _open_by_body() -> dict[int, int]:
    query = (
        select(Incident.body_id, func.count())
        .where(Incident.open_check_id.is_not(None), Incident.kind == CheckKind.PAGE)
        .group_by(Incident.body_id)
    )
    return {row[0]: row[1] for row in db.session().execute(query)}


def public_incidents(*, now: datetime, days: int = NEWS_DAYS) -> list[PublicIncident]:
    """Return outages of pages that last or ended in the last ``days``, the last opened first."""
    query = (
        select(Incident)
        .where(
            Incident.kind == CheckKind.PAGE,
            or_(Incident.outcome.is_(None), Incident.outcome != Outcome.VOIDED),
            or_(Incident.open_check_id.is_not(None), Incident.opened_at >= now - timedelta(days=days)),
        )
        .order_by(Incident.opened_at.desc(), Incident.id.desc())
        .limit(NEWS_MAX)
    )
    places = Places.load()
    return [
        PublicIncident(one, places.bodies[one.body_id].full_name)
        for one in map(view, db.session().scalars(query))
    ]


def badge(page_id: int, terms: Terms, *, now: datetime) -> Badge:
    """Return how one page stands.

    Raises:
        NotFound: no such page is watched.
    """
    query = (
        select(Watch, PageCheck.interval_seconds)
        .outerjoin(PageCheck, PageCheck.id == Watch.check_id)
        .where(Watch.check_id == page_id, Watch.kind == CheckKind.PAGE, Watch.watched.is_(True))
    )
    found = db.session().execute(query).one_or_none()
    if found is None:
        raise NotFound("没有监测这个网页")
    row, every = found
    shown = page_shown(row, Freshness.load(terms, now).of(row.body_id, every), now)
    return Badge(shown.name, shown.condition)
