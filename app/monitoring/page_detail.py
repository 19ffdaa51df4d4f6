"""What a page's own screen shows besides how it stands: further checks, certificate, maintenance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from app.core import db
from app.monitoring.domain import CheckKind
from app.monitoring.figures import DayFigure
from app.monitoring.findings import PastChange, changes_of
from app.monitoring.freshness import Freshness
from app.monitoring.holds import Notice, current, upcoming
from app.monitoring.models import PageCheck, Watch
from app.monitoring.shapes import IncidentView, PageWatch, SampleView, WindowFigure
from app.organisations.service import BodyView
from mobile_pages.probe.base import Condition
from mobile_pages.probe.facts import Facts, from_dict
from mobile_pages.probe.uptime import OfficialFigure

AHEAD = timedelta(days=14)
"""How far announced maintenance is shown ahead."""


@dataclass(frozen=True, slots=True)
class CheckLine:
    """A further check of a page as it stands now."""

    check_id: int
    kind: CheckKind
    name: str
    condition: Condition
    since: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class Besides:
    """What is known of a page besides its looks.

    Attributes:
        checks: the watched ones other than the page's main check, by name.
        changes: what looks noticed lately, the newest first.
        under_way: announced maintenance of now; ``coming`` begins within :data:`AHEAD`.
    """

    facts: Facts
    changes: list[PastChange]
    checks: list[CheckLine]
    under_way: Notice | None
    coming: list[Notice]


@dataclass(frozen=True, slots=True)
class PageDetail:
    """One page: its last looks (oldest first), phases, incidents, days (today last) and figures."""

    at: datetime
    watch: PageWatch
    body: BodyView
    samples: list[SampleView]
    windows: list[WindowFigure]
    official: OfficialFigure
    incidents: list[IncidentView]
    besides: Besides
    days: list[DayFigure]


def besides(row: Watch, freshness: Freshness, *, now: datetime) -> Besides:
    """Return what is known besides of the page whose main check is ``row``."""
    page_id = row.page_id
    return Besides(
        facts=from_dict(row.facts),
        changes=changes_of(row.facts),
        checks=_checks(page_id, freshness, now),
        under_way=current([page_id], now).get(page_id),
        coming=upcoming([page_id], now, AHEAD).get(page_id, []),
    )


def _checks(page_id: int, freshness: Freshness, now: datetime) -> list[CheckLine]:
    query = (
        select(Watch, PageCheck.name, PageCheck.interval_seconds)
        .join(PageCheck, PageCheck.id == Watch.check_id)
        .where(Watch.page_id == page_id, Watch.check_id != page_id, Watch.watched.is_(True))
        .order_by(PageCheck.name, Watch.check_id)
    )
    lines = []
    for row, name, every in db.session().execute(query):
        shown = stands(row, freshness.of(row.body_id, every), now)
        lines.append(CheckLine(row.check_id, row.kind, name, *shown))
    return lines


def stands(row: Watch, fresh: timedelta, now: datetime) -> tuple[Condition, datetime, str]:
    """Return condition, since when, and cause as they may be shown: unknown when no look came for long."""
    if not row.watched or (row.sampled_at is not None and row.sampled_at >= now - fresh):
        return row.condition, row.since, row.cause
    blind_from = row.sampled_at + fresh if row.sampled_at else row.since
    return Condition.UNKNOWN, max(row.since, blind_from), ""


def certificate_days(facts: Facts, now: datetime) -> int | None:
    """Return the whole days until the certificate ends, negative after; None when none was seen."""
    return None if facts.certificate is None else (facts.certificate.not_after - now).days
