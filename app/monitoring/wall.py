"""What the wall shows, in a fixed small number of queries however many pages there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from app.core import db
from app.core.access import Permission
from app.core.errors import NotFound
from app.monitoring import figures, samples
from app.monitoring.domain import (
    BEAT_FRESH,
    BEATS_SHOWN,
    INCIDENTS_SHOWN,
    PAGES_SHOWN,
    CheckKind,
    Terms,
    worst,
)
from app.monitoring.figures import DayFigure
from app.monitoring.freshness import Freshness
from app.monitoring.history_models import Rollup
from app.monitoring.history_models import Span as Length
from app.monitoring.incidents import newest, open_count, visible
from app.monitoring.models import Incident, PageCheck, ProberBeat, ProbeSample, Watch
from app.monitoring.page_detail import PageDetail, besides, certificate_days, stands
from app.monitoring.policy import book
from app.monitoring.reckoning import histogram_of
from app.monitoring.rules import terms_of
from app.monitoring.shapes import (
    BodyWatch,
    CityWatch,
    Counts,
    PageWatch,
    ProberView,
    SampleView,
    Status,
    Tile,
    Wall,
    WindowFigure,
)
from app.organisations import service as organisations
from app.organisations.service import BodyView, Principal, RegionLevel, RegionView, ScopeKind
from mobile_pages.probe.base import Condition
from mobile_pages.probe.facts import from_dict
from mobile_pages.probe.uptime import OfficialFigure, OfficialVerdict

_COUNTED = (Condition.UP, Condition.DEGRADED, Condition.DOWN)


_LONGEST_DAYS = max(days for _, _, days in figures.WINDOWS)
PLACE_WINDOWS = (*figures.WINDOWS, ("90d", "近 90 天", 90))


def wall(by: Principal, terms: Terms | None = None, *, now: datetime) -> Wall:
    """Return the wall as ``by`` may see it; without ``terms`` by the rules that hold now."""
    places = Places.load()
    freshness = Freshness.load(terms, now)
    counts = counts_of_bodies(freshness, now, _seen_by(by))
    found = probers(now=now)
    everything = _province_wide(by)
    mine = None if everything else _bodies_with_pages(_seen_by(by))
    departments = [body for body in places.bodies.values() if body.level is RegionLevel.PROVINCE]
    tiles = [_body_tile(body, counts) for body in departments if body.id in counts]
    return Wall(
        at=now,
        status=Status(
            counts=sum_counts(counts.values()),
            open_incidents=open_count(visible(by)),
            watching=any(prober.alive for prober in found),
            at=now,
        ),
        today=figures.windows_of(mine, freshness.pace, now, figures.TODAY)[0],
        cities=_city_tiles(places, counts, None if everything else _cities_of(by)),
        departments=tiles,
        bare_bodies=len(departments) - len(tiles) if everything else 0,
        province_wide=everything,
        incidents=newest(visible(by), limit=INCIDENTS_SHOWN),
        bodies=places.bodies,
        probers=found,
    )


def city_watch(by: Principal, code: str, terms: Terms, *, now: datetime) -> CityWatch:
    """Return one city.

    Raises:
        NotFound: no such city, or nothing in it that ``by`` may watch.
    """
    places = Places.load()
    city = places.regions.get(code)
    if city is None or city.level is not RegionLevel.CITY:
        raise NotFound("没有这个城市")
    members = [body for body in places.bodies.values() if places.city_of(body) == code]
    within = [Watch.body_id.in_([body.id for body in members]), _seen_by(by)]
    freshness = Freshness.load(terms, now)
    counts = counts_of_bodies(freshness, now, *within)
    if not (_province_wide(by) or code in _cities_of(by) or counts):
        raise NotFound("没有这个城市")
    return CityWatch(
        at=now,
        code=code,
        name=city.name,
        counts=sum_counts(counts.values()),
        windows=figures.windows_of(_bodies_with_pages(*within), freshness.pace, now, PLACE_WINDOWS),
        tiles=[_body_tile(body, counts) for body in members if body.id in counts],
        pages=_pages(freshness, now, *within),
        incidents=newest(
            Incident.body_id.in_([body.id for body in members]), visible(by), limit=INCIDENTS_SHOWN
        ),
        bodies=places.bodies,
    )


def body_watch(by: Principal, body_id: int, terms: Terms, *, now: datetime) -> BodyWatch:
    """Return one body.

    Raises:
        NotFound: no such body in the scope of ``by``.
    """
    if not organisations.covers(by, Permission.WATCH, body_id):
        raise NotFound("没有这个单位")
    places = Places.load()
    body = places.bodies[body_id]
    freshness = Freshness.load(terms, now)
    city = places.city_of(body)
    return BodyWatch(
        at=now,
        body=body,
        city_code=city,
        city_name=places.regions[city].name if city else "",
        counts=counts_of_bodies(freshness, now, Watch.body_id == body_id).get(body_id, Counts()),
        windows=figures.windows_of([body_id], freshness.pace, now, PLACE_WINDOWS),
        pages=_with_times(_pages(freshness, now, Watch.body_id == body_id), now),
        incidents=newest(Incident.body_id == body_id, limit=INCIDENTS_SHOWN),
    )


def page_watch(
    by: Principal, page_id: int, terms: Terms, *, now: datetime, days: int = _LONGEST_DAYS
) -> PageDetail:
    """Return one page that is or was watched.

    Args:
        days: how far back :attr:`PageDetail.days` reaches, at least the longest window shown.

    Raises:
        NotFound: no such page in the scope of ``by``, or it has never been online.
    """
    row = db.session().scalar(select(Watch).where(Watch.check_id == page_id, _seen_by(by)))
    if row is None:
        raise NotFound("没有这个网页的监测记录")
    freshness = Freshness.load(terms, now)
    held = book(now)
    rules = held.of_city(organisations.places([row.body_id])[row.body_id].city_code)
    own = terms_of(rules) if held.cities else terms
    past = figures.page(page_id, max(days, _LONGEST_DAYS), own, now, hours=1)
    return PageDetail(
        at=now,
        watch=page_shown(row, freshness.of(row.body_id, _interval_of(page_id)), now),
        body=organisations.get_body(row.body_id),
        samples=_samples(page_id),
        windows=_windows(past.days, now),
        official=_warned(figures.official(page_id, own, now), rules.official_warn_rate),
        incidents=newest(Incident.page_id == page_id, limit=INCIDENTS_SHOWN),
        besides=besides(row, freshness, now=now),
        days=past.days,
    )


def _warned(figure: OfficialFigure, warn_rate: float) -> OfficialFigure:
    """Return the figure with our own early warning as the place's rules set it."""
    if figure.verdict not in (OfficialVerdict.PASS, OfficialVerdict.WARN) or figure.rate is None:
        return figure
    verdict = OfficialVerdict.WARN if figure.rate >= warn_rate else OfficialVerdict.PASS
    return replace(figure, verdict=verdict)


def _interval_of(check_id: int) -> int | None:
    return db.session().scalar(select(PageCheck.interval_seconds).where(PageCheck.id == check_id))


def _windows(days: Sequence[DayFigure], now: datetime) -> list[WindowFigure]:
    made = []
    for name, label, length in figures.WINDOWS:
        cells = [cell.figure for cell in days[-length:] if cell.figure]
        asked = figures.window(length, now)
        tally = figures.pooled(cells).tally
        made.append(WindowFigure(name, label, asked.start, asked.end, min(1, len(cells)), tally))
    return made


def uptime_of(
    by: Principal,
    terms: Terms,
    *,
    now: datetime,
    page_id: int | None = None,
    body_id: int | None = None,
    city_code: str | None = None,
) -> tuple[list[WindowFigure], OfficialFigure | None]:
    """Return availability of what is asked for, and for a single page the inspection's figure.

    Args:
        page_id, body_id, city_code: the narrowest given counts; none is all that ``by`` may watch.

    Raises:
        NotFound: it lies outside the scope of ``by``.
    """
    if page_id is not None:
        page = page_watch(by, page_id, terms, now=now)
        return page.windows, page.official
    if body_id is not None:
        return body_watch(by, body_id, terms, now=now).windows, None
    if city_code is not None:
        return city_watch(by, city_code, terms, now=now).windows, None
    bodies = None if _province_wide(by) else _bodies_with_pages(_seen_by(by))
    freshness = Freshness.load(terms, now)
    return figures.windows_of(bodies, freshness.pace, now), None


def status(terms: Terms, *, now: datetime) -> Status:
    """Return how many pages stand how, for everybody."""
    return Status(
        counts=sum_counts(counts_of_bodies(Freshness.load(terms, now), now).values()),
        open_incidents=open_count(),
        watching=any(prober.alive for prober in probers(now=now)),
        at=now,
    )


@dataclass(frozen=True, slots=True)
class Places:
    bodies: Mapping[int, BodyView]
    regions: Mapping[str, RegionView]

    @classmethod
    def load(cls) -> Places:
        return cls(
            {body.id: body for body in organisations.bodies()},
            {region.code: region for region in organisations.regions()},
        )

    def city_of(self, body: BodyView) -> str | None:
        """Return the code of the city that a body stands in; None for provincial bodies."""
        region = self.regions.get(body.region_code)
        while region is not None and region.level is not RegionLevel.CITY:
            region = self.regions.get(region.parent_code or "")
        return region.code if region else None


def _seen_by(by: Principal) -> ColumnElement[bool]:
    return organisations.scope_condition(by, Permission.WATCH, Watch.body_id)


def _bodies_with_pages(*conditions: ColumnElement[bool]) -> list[int]:
    return list(db.session().scalars(select(Watch.body_id).where(*conditions).distinct()))


def _province_wide(by: Principal) -> bool:
    return any(
        grant.carries(Permission.WATCH) and grant.scope_kind is ScopeKind.PROVINCE for grant in by.grants
    )


def _cities_of(by: Principal) -> set[str]:
    return {
        grant.scope_ref
        for grant in by.grants
        if grant.carries(Permission.WATCH) and grant.scope_kind is ScopeKind.CITY
    }


def _stands(freshness: Freshness, now: datetime) -> ColumnElement[Condition]:
    """Return the condition as it may be shown: unknown when no look has come for too long."""
    return case((freshness.stale(now), Condition.UNKNOWN), else_=Watch.condition)


def counts_of_bodies(
    freshness: Freshness, now: datetime, *conditions: ColumnElement[bool]
) -> dict[int, Counts]:
    """Return the counts of each body that has a watched page; one query."""
    stands = _stands(freshness, now).label("stands")
    query = (
        select(Watch.body_id, stands, func.count())
        .outerjoin(PageCheck, PageCheck.id == Watch.check_id)
        .where(Watch.watched.is_(True), Watch.kind == CheckKind.PAGE, *conditions)
        .group_by(Watch.body_id, stands)
    )
    found: dict[int, dict[str, int]] = {}
    for body_id, condition, count in db.session().execute(query):
        name = condition if condition in _COUNTED else Condition.UNKNOWN
        of_body = found.setdefault(body_id, {})
        of_body[name.value] = of_body.get(name.value, 0) + count
    return {body_id: Counts(**counts) for body_id, counts in found.items()}


def sum_counts(several: Iterable[Counts]) -> Counts:
    together = list(several)
    return Counts(
        up=sum(one.up for one in together),
        degraded=sum(one.degraded for one in together),
        down=sum(one.down for one in together),
        unknown=sum(one.unknown for one in together),
    )


def _worst(counts: Counts) -> Condition | None:
    present = {
        Condition.UP: counts.up,
        Condition.DEGRADED: counts.degraded,
        Condition.DOWN: counts.down,
        Condition.UNKNOWN: counts.unknown,
    }
    return worst(condition for condition, count in present.items() if count)


def _body_tile(body: BodyView, counts: Mapping[int, Counts]) -> Tile:
    own = counts.get(body.id, Counts())
    return Tile(str(body.id), body.name, own, _worst(own))


def _city_tiles(places: Places, counts: Mapping[int, Counts], only: set[str] | None) -> list[Tile]:
    by_city: dict[str, list[Counts]] = {}
    for body_id, own in counts.items():
        city = places.city_of(places.bodies[body_id])
        if city is not None:
            by_city.setdefault(city, []).append(own)
    shown = [region for region in places.regions.values() if region.level is RegionLevel.CITY]
    tiles = []
    for city_region in shown:
        if only is not None and city_region.code not in only | by_city.keys():
            continue
        own = sum_counts(by_city.get(city_region.code, ()))
        tiles.append(Tile(city_region.code, city_region.name, own, _worst(own)))
    return tiles


def _pages(freshness: Freshness, now: datetime, *conditions: ColumnElement[bool]) -> list[PageWatch]:
    """Return watched pages, worst first, no more than a screen can show."""
    stands = _stands(freshness, now)
    rank = case(
        (stands == Condition.DOWN, 0), (stands == Condition.DEGRADED, 1), (stands == Condition.UP, 3), else_=2
    )
    query = (
        select(Watch, PageCheck.interval_seconds)
        .outerjoin(PageCheck, PageCheck.id == Watch.check_id)
        .where(Watch.watched.is_(True), Watch.kind == CheckKind.PAGE, *conditions)
        .order_by(rank, Watch.name, Watch.page_id)
        .limit(PAGES_SHOWN)
    )
    return [
        page_shown(row, freshness.of(row.body_id, every), now) for row, every in db.session().execute(query)
    ]


def _with_times(pages: list[PageWatch], now: datetime) -> list[PageWatch]:
    """Return the pages with the 95th percentile of yesterday's times, where it was rolled up."""
    yesterday = figures.window(2, now).start
    query = select(Rollup.check_id, Rollup.histogram).where(
        Rollup.span == Length.DAY,
        Rollup.start_at == yesterday,
        Rollup.check_id.in_([one.page_id for one in pages]),
    )
    p95 = {id_: histogram_of(raw).quantile(0.95) for id_, raw in db.session().execute(query)}
    return [replace(one, p95_ms=p95.get(one.page_id)) for one in pages]


def page_shown(row: Watch, fresh: timedelta, now: datetime) -> PageWatch:
    """Return a page as it may be shown; ``fresh`` is how long its looks are believed."""
    condition, since, cause = stands(row, fresh, now)
    return PageWatch(
        page_id=row.page_id,
        body_id=row.body_id,
        name=row.name,
        url=row.url,
        watched=row.watched,
        condition=condition,
        since=since,
        cause=cause,
        sampled_at=row.sampled_at,
        total_ms=row.total_ms,
        certificate_days=certificate_days(from_dict(row.facts), now),
    )


def _samples(page_id: int) -> list[SampleView]:
    query = (
        select(ProbeSample)
        .where(ProbeSample.check_id == page_id)
        .order_by(ProbeSample.at.desc())
        .limit(BEATS_SHOWN)
    )
    return [sample_view(row) for row in reversed(list(db.session().scalars(query)))]


def sample_view(row: Any) -> SampleView:
    return SampleView(
        at=row.at,
        verdict=samples.verdict_of(row.verdict),
        cause=samples.cause_of(row.cause),
        http_status=row.http_status,
        dns_ms=row.dns_ms,
        connect_ms=row.connect_ms,
        tls_ms=row.tls_ms,
        first_byte_ms=row.first_byte_ms,
        total_ms=row.total_ms,
    )


def probers(*, now: datetime) -> list[ProberView]:
    return [
        ProberView(
            name=row.name,
            alive=now - row.seen_at <= BEAT_FRESH,
            seen_at=row.seen_at,
            own_network_ok=row.own_network_ok,
            lag_p99_ms=row.lag_p99_ms,
            targets=row.targets,
            looks=row.looks,
            missed=row.missed,
            waiting=row.waiting,
            lost=row.lost,
            running=row.running,
            spooled=row.spooled,
        )
        for row in db.session().scalars(select(ProberBeat).order_by(ProberBeat.name))
    ]
