"""What everybody may know of the watch: how each city's services stand, what is out of order now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select

from app.core import db
from app.core.errors import NotFound
from app.monitoring.domain import CheckKind, MaintenanceScope, Outcome, Terms
from app.monitoring.freshness import Freshness
from app.monitoring.holds import announced, falls_at
from app.monitoring.incidents import view
from app.monitoring.models import Incident, Maintenance, PageCheck, Watch
from app.monitoring.policy import book
from app.monitoring.shapes import Badge, Counts, GroupStanding, PublicIncident, PublicNotice
from app.monitoring.wall import Places, counts_of_bodies, page_shown, sum_counts
from app.organisations.service import RegionLevel
from mobile_pages.probe.base import Condition
from mobile_pages.probe.uptime import Window

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


def published_standing(terms: Terms, *, now: datetime) -> list[GroupStanding]:
    """Return what :func:`standing` does of the places whose rules make it public."""
    held = book(now)
    return [one for one in standing(terms, now=now) if held.of_city(one.city_code or None).publish_status]


def counts_of(groups: Iterable[GroupStanding]) -> Counts:
    """Return the counts of several groups together."""
    return sum_counts(one.counts for one in groups)


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
    places, held = Places.load(), book(now)
    return [
        PublicIncident(one, places.bodies[one.body_id].full_name)
        for one in map(view, db.session().scalars(query))
        if held.of_city(places.city_of(places.bodies[one.body_id])).publish_status
    ]


def public_maintenance(*, now: datetime, days: int = NEWS_DAYS) -> list[PublicNotice]:
    """Return the maintenance under way and that of the next ``days``, the soonest first.

    Each announcement is there once, with the time it falls on next.
    """
    asked = Window(now, now + timedelta(days=days))
    rows = [row for row in announced(asked) if row.condition is Condition.MAINTENANCE]
    if not rows:
        return []
    places, held, pages = Places.load(), book(now), _pages_of(rows)
    found = []
    for row in rows:
        where = _place(row, places, pages)
        falls = falls_at(row, asked)
        if where is None or not falls or not held.of_city(where[1]).publish_status:
            continue
        first = falls[0]
        found.append(PublicNotice(row.id, where[0], row.title, row.notice, first.start, first.end))
    return sorted(found, key=lambda one: (one.starts_at, one.id))[:NEWS_MAX]


def _pages_of(rows: Iterable[Maintenance]) -> dict[str, Watch]:
    ids = [int(row.scope_ref) for row in rows if row.scope is MaintenanceScope.PAGE]
    if not ids:
        return {}
    return {
        str(one.page_id): one for one in db.session().scalars(select(Watch).where(Watch.check_id.in_(ids)))
    }


def _place(row: Maintenance, places: Places, pages: Mapping[str, Watch]) -> tuple[str, str | None] | None:
    """Return what a window covers, in words, and its city; None of what residents do not know."""
    if row.scope is MaintenanceScope.PROVINCE:
        return "全省", None
    if row.scope is MaintenanceScope.CITY:
        return places.regions[row.scope_ref].name, row.scope_ref
    if row.scope is MaintenanceScope.BODY:
        body = places.bodies[int(row.scope_ref)]
        return body.full_name, places.city_of(body)
    page = pages.get(row.scope_ref) if row.scope is MaintenanceScope.PAGE else None
    if page is None:
        return None
    body = places.bodies[page.body_id]
    return f"{body.full_name} · {page.name}", places.city_of(body)


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
