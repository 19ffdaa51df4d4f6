"""Windows and pauses laid over the watches: what is held when, and putting it into effect.

:func:`apply` is run every few seconds. However late it comes, holds begin and end at their own times:
what was seen meanwhile is taken back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, true

from app.core import db
from app.monitoring import incidents_intake as incidents
from app.monitoring.domain import CheckKind, MaintenanceScope
from app.monitoring.history_models import HistoryMark
from app.monitoring.models import Maintenance, Watch
from app.monitoring.policy import TermsBook, terms_of_bodies
from app.monitoring.watching import act, keep, locked_watches, state_of
from app.organisations import service as organisations
from mobile_pages.probe.base import Condition
from mobile_pages.probe.holding import Hold, advance, disjoint
from mobile_pages.probe.recurrence import ONCE, following, occurrences
from mobile_pages.probe.state import HOLDS
from mobile_pages.probe.uptime import Window

LATE_MAX = timedelta(days=2)
"""A window that could not be put into effect for longer than this stays without effect."""

UNDER_WAY = timedelta(minutes=1)
"""How far each run looks back beyond the one before: an announcement may have been in the making."""

ONCE_MAX = timedelta(days=7)
_MARK = "holds"
_CHUNK = 200

Key = tuple[MaintenanceScope, str]


@dataclass(frozen=True, slots=True)
class Notice:
    """What residents are told: «维护» from when until when, in whose words."""

    title: str
    text: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class _Where:
    """A check and what it stands in."""

    check_id: int
    page_id: int
    body_id: int
    city_code: str | None

    def scopes(self) -> list[Key]:
        """Return every scope that covers the check."""
        found = [
            (MaintenanceScope.PROVINCE, ""),
            (MaintenanceScope.BODY, str(self.body_id)),
            (MaintenanceScope.PAGE, str(self.page_id)),
            (MaintenanceScope.CHECK, str(self.check_id)),
        ]
        return [*found, (MaintenanceScope.CITY, self.city_code)] if self.city_code else found


@dataclass(slots=True)
class HoldBook:
    """What is held at around one moment, by scope."""

    by_scope: Mapping[Key, tuple[Hold, ...]]
    _joined: dict[tuple[Key, ...], tuple[Hold, ...]] = field(default_factory=dict)

    def of(self, check_id: int, page_id: int, body_id: int, city_code: str | None) -> tuple[Hold, ...]:
        """Return the holds of a check for :func:`mobile_pages.probe.holding.advance`."""
        return self._of(_Where(check_id, page_id, body_id, city_code))

    def _of(self, where: _Where) -> tuple[Hold, ...]:
        keys = tuple(key for key in where.scopes() if key in self.by_scope) if self.by_scope else ()
        if not keys:
            return ()
        if keys not in self._joined:
            self._joined[keys] = disjoint(one for key in keys for one in self.by_scope[key])
        return self._joined[keys]


def falls_at(row: Maintenance, asked: Window) -> list[Window]:
    """Return when a window or pause really counts, as far as it overlaps ``asked``; in order.

    Nothing counts before it was announced nor after it was cancelled.
    """
    found = []
    length = timedelta(minutes=row.minutes)
    for one in occurrences(row.starts_at, length, row.recurrence, row.until_at, asked):
        start = max(one.start, row.created_at)
        end = one.end if row.cancelled_at is None else min(one.end, row.cancelled_at)
        if start < end and end > asked.start and start < asked.end:
            found.append(Window(start, end))
    return found


def announced(asked: Window) -> list[Maintenance]:
    """Return the windows and pauses that may count somewhere in ``asked``."""
    query = select(Maintenance).where(
        or_(Maintenance.cancelled_at.is_(None), Maintenance.cancelled_at > asked.start),
        or_(Maintenance.recurrence != ONCE, Maintenance.starts_at > asked.start - ONCE_MAX),
        or_(Maintenance.until_at.is_(None), Maintenance.until_at > asked.start - ONCE_MAX),
        Maintenance.starts_at < asked.end,
    )
    return list(db.session().scalars(query))


def hold_book(asked: Window) -> HoldBook:
    """Return what is held in ``asked``; one reading, which is short when nothing is announced."""
    found: dict[Key, list[Hold]] = {}
    for row in announced(asked):
        for one in falls_at(row, asked):
            hold = Hold(one.start, one.end, row.condition)
            found.setdefault((row.scope, row.scope_ref), []).append(hold)
    return HoldBook({key: tuple(held) for key, held in found.items()})


def windows(
    start: datetime,
    end: datetime,
    *,
    check_id: int = 0,
    page_id: int = 0,
    body_id: int = 0,
    city_code: str | None = None,
) -> tuple[Hold, ...]:
    """Return what is held of a check, a page, a body or a city, without overlaps, in order.

    What holds for a larger scope is among them only as far as that scope is given too; the province's
    always is.
    """
    return hold_book(Window(start, end)).of(check_id, page_id, body_id, city_code)


def apply(now: datetime) -> int:
    """Put into effect what began or ended since the last run; return how many checks it touched.

    Safe to repeat. Opens its own transactions, none of them long.
    """
    mark = db.session().scalar(select(HistoryMark.at).where(HistoryMark.name == _MARK))
    # A mark in the future is of a clock that was put back since: it says nothing.
    known = mark is not None and mark <= now
    since = max(mark - UNDER_WAY, now - LATE_MAX) if known and mark else now - LATE_MAX
    held = hold_book(Window(since, now + UNDER_WAY))
    touched = sorted(_touched(held, since, now))
    if touched:
        terms = terms_of_bodies(now)
        for at in range(0, len(touched), _CHUNK):
            chunk = touched[at : at + _CHUNK]
            db.transaction(lambda ids=chunk: _advance(ids, held, terms, now))  # type: ignore[misc]
    db.transaction(lambda: _put_mark(now))
    return len(touched)


def _touched(held: HoldBook, since: datetime, now: datetime) -> set[int]:
    """Return the checks that are held and should not be, or the other way round, or were passed over."""
    columns = (Watch.check_id, Watch.page_id, Watch.body_id, Watch.condition)
    query = select(*columns).where(Watch.watched.is_(True), _looked_through(held, since, now))
    rows = db.session().execute(query).all()
    cities = _cities({row.body_id for row in rows})
    found = set()
    for row in rows:
        own = held.of(row.check_id, row.page_id, row.body_id, cities.get(row.body_id))
        if _is_due(own, row.condition, since, now):
            found.add(row.check_id)
    return found


def _looked_through(held: HoldBook, since: datetime, now: datetime) -> ColumnElement[bool]:
    """Return the filter that leaves the checks which may have to change."""
    is_held = Watch.condition.in_(sorted(HOLDS))
    if not held.by_scope:
        return is_held
    edges = (edge for ones in held.by_scope.values() for one in ones for edge in (one.start, one.end))
    if any(since < edge <= now for edge in edges):
        return true()
    # Nothing began or ended: only checks that came to the watch, or changed, can be out of step.
    return or_(is_held, Watch.since > since)


def _is_due(own: Iterable[Hold], condition: Condition, since: datetime, now: datetime) -> bool:
    wanted = None
    for one in own:
        if one.start <= now < one.end:
            wanted = one.condition
        elif since < one.start and one.end <= now:
            return True
    return wanted is not condition if wanted else condition in HOLDS


def _advance(check_ids: Collection[int], held: HoldBook, terms: TermsBook, now: datetime) -> None:
    rows = locked_watches(check_ids)
    cities = _cities({row.body_id for row in rows.values()})
    for row in rows.values():
        own = held.of(row.check_id, row.page_id, row.body_id, cities.get(row.body_id))
        before, mine = state_of(row), terms.of(row.body_id)
        step = advance(before, own, now, mine.rule, begun_at=row.begun_at)
        if step.state is before:
            continue
        keep(row, before, step)
        for event in step.events:
            act(row, event, "", mine)
    incidents.settle()
    db.writing().flush()


def _put_mark(now: datetime) -> None:
    db.writing().merge(HistoryMark(name=_MARK, at=now))
    db.writing().flush()


def _cities(body_ids: Collection[int]) -> dict[int, str | None]:
    return {one.body_id: one.city_code for one in organisations.places(body_ids).values()}


def current(page_ids: Collection[int], now: datetime) -> dict[int, Notice]:
    """Return the maintenance under way, by page; the one that ends last where there are several."""
    found: dict[int, Notice] = {}
    for page_id, notice in _notices(page_ids, Window(now, now + timedelta(seconds=1))):
        if notice.starts_at <= now and (page_id not in found or found[page_id].ends_at < notice.ends_at):
            found[page_id] = notice
    return found


def upcoming(page_ids: Collection[int], now: datetime, within: timedelta) -> dict[int, list[Notice]]:
    """Return the maintenance that begins after ``now`` and within that time, by page, the next first."""
    found: dict[int, list[Notice]] = {}
    for page_id, notice in _notices(page_ids, Window(now, now + within)):
        if notice.starts_at > now:
            found.setdefault(page_id, []).append(notice)
    return {page_id: sorted(ones, key=lambda one: one.starts_at) for page_id, ones in found.items()}


def _notices(page_ids: Collection[int], asked: Window) -> Iterable[tuple[int, Notice]]:
    shown = [row for row in announced(asked) if row.condition is Condition.MAINTENANCE]
    by_scope: dict[Key, list[Notice]] = {}
    for row in shown:
        told = [Notice(row.title, row.notice, fall.start, fall.end) for fall in falls_at(row, asked)]
        by_scope.setdefault((row.scope, row.scope_ref), []).extend(told)
    if not by_scope:
        return
    query = select(Watch.check_id, Watch.page_id, Watch.body_id).where(
        Watch.page_id.in_(page_ids), Watch.kind == CheckKind.PAGE
    )
    rows = db.session().execute(query).all()
    cities = _cities({row.body_id for row in rows})
    for one in rows:
        where = _Where(one.check_id, one.page_id, one.body_id, cities.get(one.body_id))
        for key in where.scopes():
            for notice in by_scope.get(key, ()):
                yield one.page_id, notice


def next_start(row: Maintenance, now: datetime) -> datetime | None:
    """Return when a window begins next; None when it never does again."""
    start = following(row.starts_at, row.recurrence, now)
    if start is None or (row.until_at is not None and start > row.until_at):
        return None
    return None if row.cancelled_at is not None and start >= row.cancelled_at else start
