"""How each rule of the access spec ended over the pages of a province, a city or a body."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select, true

from app.core import db
from app.core.access import Permission
from app.mobile_access.domain import State
from app.mobile_access.models import CheckRun, MobilePage
from app.organisations import service as organisations
from app.organisations.service import Principal
from mobile_pages.report.csv import RuleTotals, Tally
from mobile_pages.report.document import from_json
from mobile_pages.spec.engine import Report

_AT_ONCE = 100
"""Reports read into memory together; one is some hundred kilobytes."""


@dataclass(frozen=True, slots=True)
class TotalsFilter:
    """Whose pages are counted; None is everything in one's scope.

    Attributes:
        city_code: bodies of this city and of its counties; of the province's code its own departments.
        spec_version: the newest check of each page under this version; else the newest of all.
        state: None leaves out retired pages.
    """

    body_id: int | None = None
    city_code: str | None = None
    spec_version: str | None = None
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """``pages`` have a report; ``unread`` of them one in a form that is read no more, counted nowhere."""

    pages: int
    unread: int
    rules: list[RuleTotals]


def rule_totals(by: Principal, narrowed: TotalsFilter) -> Totals:
    """Count how the rules ended in the newest report of each page in the scope of ``by``."""
    tally, unread = Tally(), 0
    for document in _reports(_newest_checks(by, narrowed)):
        report = _read(document)
        if report is None:
            unread += 1
        else:
            tally.add(report)
    return Totals(tally.pages + unread, unread, tally.totals())


def _newest_checks(by: Principal, narrowed: TotalsFilter) -> list[int]:
    """Return the ids of the checks whose reports count, one per page."""
    judged = (
        select(CheckRun.page_id, func.max(CheckRun.number).label("number"))
        .where(
            CheckRun.finished_at.is_not(None),
            CheckRun.artifact.is_not(None),
            CheckRun.spec_version == narrowed.spec_version if narrowed.spec_version else true(),
        )
        .group_by(CheckRun.page_id)
        .subquery()
    )
    query = (
        select(CheckRun.id)
        .join(judged, (judged.c.page_id == CheckRun.page_id) & (judged.c.number == CheckRun.number))
        .join(MobilePage, MobilePage.id == CheckRun.page_id)
        .where(
            organisations.scope_condition(by, Permission.PAGES_READ, MobilePage.body_id),
            *_conditions(narrowed),
        )
        .order_by(CheckRun.page_id)
    )
    return list(db.session().scalars(query))


def _conditions(narrowed: TotalsFilter) -> Iterator[ColumnElement[bool]]:
    if narrowed.state is None:
        yield MobilePage.state != State.RETIRED
    else:
        yield MobilePage.state == narrowed.state
    if narrowed.body_id is not None:
        yield MobilePage.body_id == narrowed.body_id
    if narrowed.city_code is not None:
        yield MobilePage.body_id.in_(_bodies_in(narrowed.city_code))


def _bodies_in(city_code: str) -> list[int]:
    below = (one for one in organisations.regions() if one.parent_code == city_code)
    counties = {one.code for one in below if one.level != "city"}
    return [one.id for one in organisations.bodies() if one.region_code in {city_code, *counties}]


def _reports(run_ids: list[int]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(run_ids), _AT_ONCE):
        query = select(CheckRun.report).where(CheckRun.id.in_(run_ids[start : start + _AT_ONCE]))
        for document in db.session().scalars(query.order_by(CheckRun.page_id)):
            if document is not None:
                yield document


def _read(document: dict[str, Any]) -> Report | None:
    try:
        return from_json(document).report
    except ValueError:  # kept by an earlier release in a form that is read no more
        return None
