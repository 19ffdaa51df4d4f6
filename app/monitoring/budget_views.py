"""What may still go wrong: error budgets of each place, beside what the inspection would say of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from app.monitoring import figures
from app.monitoring.domain import MaintenanceScope
from app.monitoring.figures import OFFICIAL_DAYS, Figure
from app.monitoring.freshness import Freshness
from app.monitoring.policy import Book, book
from app.monitoring.slo import BudgetView, budgets
from app.organisations import service as organisations
from app.organisations.service import Principal
from mobile_pages.probe.uptime import OfficialRule, OfficialVerdict

BODIES_SHOWN = 30

_RULE = OfficialRule()


@dataclass(frozen=True, slots=True)
class Inspected:
    """The inspection's count (国办检查指标) over all pages of a place, in whole hours.

    Attributes:
        rate: failures ÷ visits, fraction 0–1; None without visits.
        minutes_left: time that its pages together may still be closed before they reach the veto.
    """

    visits: int
    failures: int
    rate: float | None
    verdict: OfficialVerdict
    minutes_left: float


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One place: its error budget and its inspection's count."""

    view: BudgetView
    inspected: Inspected


@dataclass(frozen=True, slots=True)
class BudgetPage:
    """Places worst first; ``bodies`` are no more than a screen can show of ``body_count``."""

    places: list[BudgetLine]
    bodies: list[BudgetLine]
    body_count: int


def budget_page(by: Principal, *, now: datetime, city_code: str | None = None) -> BudgetPage:
    """Return the budgets of what ``by`` watches, or of one city and its bodies."""
    found = budgets(by, now=now)
    bodies = [one for one in found if one.scope is MaintenanceScope.BODY]
    places = organisations.places(int(one.scope_ref) for one in bodies)
    city_of = {str(one.body_id): one.city_code for one in places.values()}
    if city_code is not None:
        bodies = [one for one in bodies if city_of.get(one.scope_ref) == city_code]
    groups = [
        one
        for one in found
        if one.scope is not MaintenanceScope.BODY and (city_code is None or one.scope_ref == city_code)
    ]
    counts, held = _Counts.load(now), book(now)
    shown = [
        BudgetLine(one, _inspected(counts.of(one), one.pages, _warn_rate(one, held, city_of)))
        for one in (*groups, *bodies[:BODIES_SHOWN])
    ]
    return BudgetPage(shown[: len(groups)], shown[len(groups) :], len(bodies))


@dataclass(frozen=True, slots=True)
class _Counts:
    """Figures of the inspection's days, by scope."""

    province: Figure
    cities: dict[str, Figure]
    bodies: dict[int, Figure]

    @classmethod
    def load(cls, now: datetime) -> _Counts:
        pace = Freshness.load(None, now).pace
        asked, running = figures.window(OFFICIAL_DAYS, now), figures.lately(pace, now)
        return cls(
            figures.province(asked, pace, running=running),
            figures.by_city(asked, pace, running=running),
            figures.by_body(asked, pace, running=running),
        )

    def of(self, one: BudgetView) -> Figure:
        if one.scope is MaintenanceScope.CITY:
            return self.cities.get(one.scope_ref, Figure())
        if one.scope is MaintenanceScope.BODY:
            return self.bodies.get(int(one.scope_ref), Figure())
        return self.province


def _warn_rate(one: BudgetView, held: Book, city_of: dict[str, str | None]) -> float:
    city = one.scope_ref if one.scope is MaintenanceScope.CITY else city_of.get(one.scope_ref)
    return held.of_city(city).official_warn_rate


def _inspected(figure: Figure, pages: int, warn_rate: float) -> Inspected:
    visits, failures = figure.bucket.visits, figure.bucket.visit_failures
    week = pages * (timedelta(days=OFFICIAL_DAYS) // _RULE.slot)
    allowed = ceil(_RULE.veto_rate * max(visits, week))
    left = max(0, allowed - failures) * _RULE.slot / timedelta(minutes=1)
    if not visits:
        return Inspected(0, 0, None, OfficialVerdict.TOO_FEW_VISITS, left)
    rate = failures / visits
    verdict = OfficialVerdict.WARN if rate >= warn_rate else OfficialVerdict.PASS
    found = Inspected(visits, failures, rate, verdict, left)
    return replace(found, verdict=OfficialVerdict.VETO) if rate >= _RULE.veto_rate else found
