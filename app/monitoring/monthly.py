"""The monthly report (运行月报) of the province, a city or a body: figures once reckoned, then kept.

All figures come from stored daily roll-ups and incidents, so a report can be reckoned again and must
say the same; a published one keeps what it said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.core import audit, clock, db, outbox
from app.core.access import Permission
from app.core.errors import Invalid, NotFound
from app.mobile_access import service as mobile_access
from app.monitoring.domain import CheckKind, Outcome
from app.monitoring.history_models import Rollup, Scope
from app.monitoring.history_models import Span as Length
from app.monitoring.marks import Mark, marks
from app.monitoring.models import Incident, MonthlyReport, Watch
from app.monitoring.reckoning import cities as city_of_bodies
from app.monitoring.rollup_rows import check_rows, group_rows
from app.organisations import service as organisations
from app.organisations.service import BodyView, Principal, RegionLevel, ScopeKind
from mobile_pages.probe.bucket import Bucket, Pool
from mobile_pages.probe.uptime import OfficialRule, Window, month_window

PRINT_JOB = "monitoring.print-monthly-report"
ASK_AGAIN_AFTER = timedelta(minutes=10)
OBJECT = "monthly_report"
PROVINCE = "全省"
# Below this share of known time a rate says little, so nobody is ranked by it.
COVERAGE_LEAST = 0.5
LISTED_MAX = 500
_VETO = OfficialRule().veto_rate
_VISITS_LEAST = OfficialRule().visits_per_day


GroupOf = Callable[[str], str | None]
"""Gives the group that a body, by its id as text, counts for; None for none."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a report: a city, a body or a page.

    Attributes:
        rank: by availability, the best is 1, equals share; None when too little is known.
        availability_rate, coverage_rate, p95_ms: None when nothing is known.
        mtta_seconds, mttr_seconds: means until acknowledged and until over; None without any.
        visit_rate: failing visits ÷ visits, as the inspection counts; None without visits.
        vetoed: pages that the inspection would turn down over the whole month.
    """

    ref: str
    name: str
    pages: int
    rank: int | None
    availability_rate: float | None
    coverage_rate: float | None
    down_seconds: int
    maintenance_seconds: int
    p95_ms: int | None
    incidents: int
    mtta_seconds: int | None
    mttr_seconds: int | None
    visits: int
    visit_failures: int
    visit_rate: float | None
    vetoed: int


@dataclass(frozen=True, slots=True)
class Table:
    """A ranking: lines in the order of their rank, the unranked last."""

    title: str
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Figures:
    """What a report says. ``schedule`` counts annex 3: members, met, late; only the province's has it."""

    month: str
    name: str
    whole: Line
    tables: list[Table]
    schedule: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of_json(cls, raw: Mapping[str, Any]) -> Figures:
        """Read what :func:`dataclasses.asdict` wrote."""
        tables = [Table(one["title"], [Line(**line) for line in one["lines"]]) for one in raw["tables"]]
        return cls(raw["month"], raw["name"], Line(**raw["whole"]), tables, dict(raw["schedule"]))


@dataclass(frozen=True, slots=True)
class ReportView:
    """A published report; ``paper`` is the PDF, None until it is printed."""

    id: int
    month_on: date
    scope_ref: str
    figures: Figures
    made_at: datetime
    asked_at: datetime | None
    paper: bytes | None = field(repr=False)


def reckon(scope_ref: str, month_on: date, *, today: date) -> Figures:
    """Return the figures of a month; ``scope_ref`` is ``""``, a city's code or a body's id.

    Raises:
        NotFound: no such city or body.
    """
    month = _Month(month_on, today)
    if not scope_ref:
        return month.province()
    city = next((one for one in organisations.regions() if one.code == scope_ref), None)
    if city is not None and city.level is RegionLevel.CITY:
        return month.city(city.code, city.name)
    body = next((one for one in organisations.bodies() if str(one.id) == scope_ref), None)
    if body is None:
        raise NotFound("没有这个地市或单位")
    return month.body(body)


class _Month:
    def __init__(self, month_on: date, today: date) -> None:
        self._on = month_on
        self._today = today
        self._window = month_window(month_on.year, month_on.month)
        self._starts = [self._window.start + timedelta(days=n) for n in range(self._window.length.days)]
        self._bodies = {str(one.id): one for one in organisations.bodies()}
        self._city_of = city_of_bodies()
        self._incidents = _incidents(self._window)

    def province(self) -> Figures:
        regions = [one for one in organisations.regions() if one.level is RegionLevel.CITY]
        cities = self._groups(Scope.CITY, {one.code: one.name for one in regions}, self._city_of.get)
        departments = {
            ref: body.name for ref, body in self._bodies.items() if body.level is RegionLevel.PROVINCE
        }
        rows = mobile_access.schedule_state(today=min(self._last_day(), self._today))
        return self._figures(
            PROVINCE,
            self._groups(Scope.PROVINCE, {"": PROVINCE}, lambda _: ""),
            [
                Table("地市排名", cities),
                Table("省级部门排名", self._groups(Scope.BODY, departments, lambda ref: ref)),
            ],
            {
                "members": len(rows),
                "met": sum(one.met for one in rows),
                "late": sum(one.late for one in rows),
            },
        )

    def city(self, code: str, name: str) -> Figures:
        inside = {ref: self._bodies[ref].name for ref, city in self._city_of.items() if city == code}
        whole = self._groups(Scope.CITY, {code: name}, self._city_of.get)
        lines = self._groups(Scope.BODY, inside, lambda ref: ref)
        return self._figures(name, whole, [Table("单位排名", lines)])

    def body(self, body: BodyView) -> Figures:
        ref = str(body.id)
        whole = self._groups(Scope.BODY, {ref: body.full_name}, lambda one: one, always=True)
        return self._figures(body.full_name, whole, [Table("网页", self._pages(body.id))])

    def _figures(
        self, name: str, whole: list[Line], tables: list[Table], schedule: dict[str, int] | None = None
    ) -> Figures:
        total = whole[0] if whole else _line("", name, 0, Bucket(), [], 0)
        return Figures(f"{self._on:%Y-%m}", name, total, tables, schedule or {})

    def _groups(
        self,
        scope: Scope,
        names: Mapping[str, str],
        group_of: GroupOf,
        *,
        always: bool = False,
    ) -> list[Line]:
        pools: dict[str, Pool] = defaultdict(Pool)
        pages: dict[str, int] = defaultdict(int)
        for start in self._starts:
            for ref, row in group_rows(Length.DAY, scope, start, names).items():
                pools[ref].add(row.bucket.numbers(), row.bucket.histogram)
                pages[ref] = max(pages[ref], row.pages)
        if always:
            for ref in names:
                pools.setdefault(ref, Pool())  # a body without a day still has its report
        vetoed = self._vetoed(group_of)
        incidents: dict[str | None, list[_Outage]] = defaultdict(list)
        for one in self._incidents:
            incidents[group_of(str(one.body_id))].append(one)
        return _ranked(
            _line(ref, names[ref], pages[ref], pool.bucket(), incidents[ref], vetoed.get(ref, 0))
            for ref, pool in pools.items()
        )

    def _pages(self, body_id: int) -> list[Line]:
        query = select(Watch.check_id, Watch.name).where(
            Watch.body_id == body_id, Watch.kind == CheckKind.PAGE, Watch.begun_at < self._window.end
        )
        names = {row[0]: row[1] for row in db.session().execute(query)}
        pools = self._pools_of_checks(names)
        incidents: dict[int, list[_Outage]] = defaultdict(list)
        for one in self._incidents:
            incidents[one.check_id].append(one)
        return _ranked(
            _line(
                str(check_id),
                names[check_id],
                1,
                bucket := pool.bucket(),
                incidents[check_id],
                int(_is_vetoed(pool.count, bucket.visits, bucket.visit_failures)),
            )
            for check_id, pool in pools.items()
        )

    def _pools_of_checks(self, check_ids: Collection[int]) -> dict[int, Pool]:
        pools: dict[int, Pool] = defaultdict(Pool)
        for start in self._starts:
            for check_id, row in check_rows(Length.DAY, start, list(check_ids)).items():
                pools[check_id].add(row.bucket.numbers(), row.bucket.histogram)
        return pools

    def _vetoed(self, group_of: GroupOf) -> dict[str | None, int]:
        """Count the pages that fail the inspection's measure, by group; one statement."""
        found: dict[str | None, int] = defaultdict(int)
        for body_id, days, visits, failures in _visits(self._starts):
            if _is_vetoed(int(days), int(visits), int(failures)):
                found[group_of(str(body_id))] += 1
        return found

    def _last_day(self) -> date:
        return clock.day_of(self._window.end - timedelta(seconds=1))


@dataclass(frozen=True, slots=True)
class _Outage:
    check_id: int
    body_id: int
    opened_at: datetime
    started_at: datetime
    acknowledged_at: datetime | None
    resolved_at: datetime | None


def _incidents(window: Window) -> list[_Outage]:
    query = select(
        Incident.check_id,
        Incident.body_id,
        Incident.opened_at,
        Incident.started_at,
        Incident.acknowledged_at,
        Incident.resolved_at,
    ).where(
        Incident.kind == CheckKind.PAGE,
        Incident.opened_at >= window.start,
        Incident.opened_at < window.end,
        (Incident.outcome.is_(None)) | (Incident.outcome != Outcome.VOIDED),
    )
    return [_Outage(*row) for row in db.session().execute(query)]


def _visits(starts: list[datetime]) -> Iterable[Any]:
    query = (
        select(Rollup.body_id, func.count(), func.sum(Rollup.visits), func.sum(Rollup.visit_failures))
        .join(Watch, Watch.check_id == Rollup.check_id)
        .where(Rollup.span == Length.DAY, Rollup.start_at.in_(starts), Watch.kind == CheckKind.PAGE)
        .group_by(Rollup.check_id, Rollup.body_id)
    )
    return db.session().execute(query)


def _is_vetoed(days: int, visits: int, failures: int) -> bool:
    return visits >= _VISITS_LEAST * days and bool(failures) and failures >= _VETO * visits


def _line(ref: str, name: str, pages: int, bucket: Bucket, outages: Collection[_Outage], vetoed: int) -> Line:
    quantile = bucket.histogram.quantile(0.95)
    return Line(
        ref=ref,
        name=name,
        pages=pages,
        rank=None,
        availability_rate=bucket.availability_rate,
        coverage_rate=bucket.coverage_rate,
        down_seconds=bucket.down_s,
        maintenance_seconds=bucket.maintenance_s,
        p95_ms=None if quantile is None else round(quantile),
        incidents=len(outages),
        mtta_seconds=_mean(one.acknowledged_at - one.opened_at for one in outages if one.acknowledged_at),
        mttr_seconds=_mean(one.resolved_at - one.started_at for one in outages if one.resolved_at),
        visits=bucket.visits,
        visit_failures=bucket.visit_failures,
        visit_rate=bucket.visit_failures / bucket.visits if bucket.visits else None,
        vetoed=vetoed,
    )


def _mean(lengths: Iterable[timedelta]) -> int | None:
    seconds = [max(0.0, one.total_seconds()) for one in lengths]
    return round(sum(seconds) / len(seconds)) if seconds else None


def _ranked(lines: Iterable[Line]) -> list[Line]:
    """Give ranks by availability; who is down the same share of the time shares a rank."""

    def known(line: Line) -> bool:
        return line.availability_rate is not None and (line.coverage_rate or 0) >= COVERAGE_LEAST

    several = sorted(lines, key=lambda one: (not known(one), -(one.availability_rate or 0), one.name))
    rates = [one.availability_rate for one in several if known(one)]
    return [
        replace(one, rank=rates.index(one.availability_rate) + 1 if known(one) else None) for one in several
    ]


def scopes(by: Principal) -> list[tuple[str, str]]:
    """Return whose reports ``by`` may read: refs and names, the province first."""
    watching = [grant for grant in by.grants if grant.carries(Permission.WATCH)]
    everything = any(grant.scope_kind is ScopeKind.PROVINCE for grant in watching)
    own = {grant.scope_ref for grant in watching if grant.scope_kind is ScopeKind.CITY}
    cities = [
        (one.code, one.name)
        for one in organisations.regions()
        if one.level is RegionLevel.CITY and (everything or one.code in own)
    ]
    watched = set(db.session().scalars(select(Watch.body_id).distinct()))
    bodies = [
        (str(one.id), one.full_name)
        for one in organisations.bodies_of(by, Permission.WATCH)
        if one.id in watched
    ]
    return [*([("", PROVINCE)] if everything else []), *cities, *bodies]


def published_months(by: Principal) -> list[ReportView]:
    """Return the published reports that ``by`` may read, the newest month first."""
    refs = [ref for ref, _ in scopes(by)]
    query = (
        select(MonthlyReport)
        .where(MonthlyReport.scope_ref.in_(refs))
        .order_by(MonthlyReport.month_on.desc(), MonthlyReport.scope_ref)
        .limit(LISTED_MAX)
    )
    return [_view(row) for row in db.session().scalars(query)]


def report(by: Principal, month_on: date, scope_ref: str) -> ReportView:
    """Return one published report.

    Raises:
        NotFound: it was not published, or lies outside what ``by`` may read.
    """
    row = None
    if scope_ref in {ref for ref, _ in scopes(by)}:
        row = db.session().scalar(_row(month_on, scope_ref))
    if row is None:
        raise NotFound("没有这份月报")
    return _view(row, with_paper=True)


def preview(by: Principal, month_on: date, scope_ref: str, *, now: datetime) -> Figures:
    """Return the figures of a month so far, published or not.

    Raises:
        NotFound: the scope lies outside what ``by`` may read.
        Invalid: the month has not begun.
    """
    if scope_ref not in {ref for ref, _ in scopes(by)}:
        raise NotFound("没有这个地市或单位")
    today = clock.day_of(now)
    if month_on > today:
        raise Invalid("这个月还没有开始", fields={"month": ["不能晚于本月"]})
    return reckon(scope_ref, month_on.replace(day=1), today=today)


def publish(scope_ref: str, month_on: date, actor: str, *, now: datetime) -> bool:
    """Publish the report of a month that is over; return False when it was there already.

    Raises:
        Invalid: the month is not over.
    """
    if month_window(month_on.year, month_on.month).end > now:
        raise Invalid("这个月还没有结束", fields={"month": ["月报在次月生成"]})
    if db.writing().scalar(_row(month_on, scope_ref).with_only_columns(MonthlyReport.id)) is not None:
        return False
    figures = reckon(scope_ref, month_on, today=clock.day_of(now))
    row = MonthlyReport(
        month_on=month_on,
        scope_ref=scope_ref,
        figures=asdict(figures),
        made_at=now,
        made_by=actor,
    )
    try:
        with db.writing().begin_nested():
            db.writing().add(row)
    except IntegrityError:
        return False  # another worker was quicker
    audit.record(
        actor, "monthly_report.publish", OBJECT, row.id, {"month": figures.month, "scope": scope_ref}
    )
    return True


def ask_for_paper(by: Principal, month_on: date, scope_ref: str, *, now: datetime) -> None:
    """Ask for a report as PDF. Safe to repeat.

    Raises:
        NotFound: as :func:`report`.
    """
    found = report(by, month_on, scope_ref)
    if found.paper is not None or (found.asked_at and now < found.asked_at + ASK_AGAIN_AFTER):
        return
    row = db.writing().get_one(MonthlyReport, found.id)
    row.asked_at = now
    db.writing().flush()
    outbox.enqueue(PRINT_JOB, {"id": str(row.id)}, dedup_key=f"{PRINT_JOB}:{row.id}:{now.timestamp():.0f}")


def to_print(report_id: int) -> ReportView | None:
    """Return a report that waits for its PDF; None when it has one."""
    row = db.session().get(MonthlyReport, report_id)
    return None if row is None or row.paper is not None else _view(row)


def keep_paper(report_id: int, paper: bytes) -> None:
    """Keep a report's PDF."""
    row = db.writing().get(MonthlyReport, report_id)
    if row is not None:
        row.paper = paper
        db.writing().flush()


def is_rolled_up(month_on: date) -> bool:
    """Tell whether the month is over and all its days are rolled up."""
    done = marks().get(Mark.DAYS)
    return done is not None and done >= month_window(month_on.year, month_on.month).end


def due_scopes() -> list[str]:
    """Return whose reports are due each month: province, cities and bodies with a page once watched."""
    watched = {str(one) for one in db.session().scalars(select(Watch.body_id).distinct())}
    inside = city_of_bodies()
    return ["", *sorted({inside[ref] for ref in watched if ref in inside}), *sorted(watched)]


def _row(month_on: date, scope_ref: str) -> Any:
    return select(MonthlyReport).where(
        MonthlyReport.month_on == month_on, MonthlyReport.scope_ref == scope_ref
    )


def _view(row: MonthlyReport, *, with_paper: bool = False) -> ReportView:
    return ReportView(
        id=row.id,
        month_on=row.month_on,
        scope_ref=row.scope_ref,
        figures=Figures.of_json(row.figures),
        made_at=row.made_at,
        asked_at=row.asked_at,
        paper=row.paper if with_paper else None,
    )
