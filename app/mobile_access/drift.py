"""Rechecks of online pages: every week, and when a daily look finds that something changed.

Each page has its own moment of the week and of the day, the same every time, so that the work is
spread. A moment missed because no worker ran is made up for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Row, func, select

from app.core import db
from app.mobile_access.domain import CheckKind, State
from app.mobile_access.models import CheckRun, MobilePage, PageLook
from app.mobile_access.rechecks import SYSTEM, ask_recheck, phase_of

WEEK = timedelta(days=7)
DAY = timedelta(days=1)
AT_ONCE_MAX = 200
"""Rechecks asked for in one go: after a long pause the pages come one lot after the other."""

_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday


SAME_STRUCTURE = 0.75
"""Share of building blocks that two looks must have in common; a list that grew by some rows keeps all."""

_SHOWN_HOSTS = 3


@dataclass(frozen=True, slots=True)
class Look:
    """What one look saw.

    Attributes:
        hosts: every host that the page's addresses name, sorted.
        structure: hashes of the distinct paths of elements, sorted; how often each occurs does not count.
    """

    title: str
    hosts: tuple[str, ...]
    structure: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DuePage:
    """A page whose moment came at ``at``."""

    page_id: int
    url: str
    at: datetime


def last_moment(page_id: int, period: timedelta, now: datetime) -> datetime:
    """Return when the page's moment in ``period`` came last, at or before ``now``."""
    return now - (now - _EPOCH - phase_of(page_id, period)) % period


def due_rechecks(*, now: datetime) -> list[DuePage]:
    """Return online pages not visited for a check since their moment of the week, the most overdue first."""
    visited = (
        select(CheckRun.page_id, func.max(CheckRun.asked_at).label("at"))
        .where(CheckRun.kind != CheckKind.SPEC)
        .group_by(CheckRun.page_id)
        .subquery()
    )
    query = (
        select(MobilePage.id, MobilePage.url, visited.c.at)
        .outerjoin(visited, visited.c.page_id == MobilePage.id)
        .where(MobilePage.state == State.ONLINE)
    )
    return _due(db.session().execute(query).all(), WEEK, now)


def due_looks(*, now: datetime) -> list[DuePage]:
    """Return online pages not looked at since their moment of the day, the most overdue first."""
    query = (
        select(MobilePage.id, MobilePage.url, PageLook.at)
        .outerjoin(PageLook, PageLook.page_id == MobilePage.id)
        .where(MobilePage.state == State.ONLINE)
    )
    return _due(db.session().execute(query).all(), DAY, now)


def ask_weekly_recheck(due: DuePage, *, now: datetime) -> bool:
    """Ask for the full recheck of a page. Safe to repeat; return True the first time."""
    occasion = f"weekly:{due.at:%Y%m%dT%H%M%S}:{due.page_id}"
    asked = ask_recheck(due.page_id, CheckKind.WEEKLY, occasion=occasion, because="", actor=SYSTEM, now=now)
    return asked is not None


def note_look(page_id: int, seen: Look, *, now: datetime) -> list[str]:
    """Keep what a look saw and ask for a full recheck when that differs from the look before.

    Returns:
        what changed, in words; nothing at the first look.
    """
    row = db.writing().get(PageLook, page_id)
    hosts, structure = list(seen.hosts), list(seen.structure)
    if row is None:
        db.writing().add(
            PageLook(page_id=page_id, at=now, title=seen.title, hosts=hosts, structure=structure)
        )
        db.writing().flush()
        return []
    before = Look(row.title, tuple(row.hosts), tuple(row.structure))
    changes = changes_between(before, seen)
    row.at = now
    if changes:
        row.title, row.hosts, row.structure = seen.title, hosts, structure
        occasion = f"drift:{now:%Y%m%dT%H%M%S}:{page_id}"
        ask_recheck(
            page_id, CheckKind.DRIFT, occasion=occasion, because="；".join(changes), actor=SYSTEM, now=now
        )
    db.writing().flush()
    return changes


def note_missed_look(page_id: int, *, now: datetime) -> None:
    """Note that a look saw no page, so that the next one comes in its time; what was seen last stays."""
    row = db.writing().get(PageLook, page_id)
    if row is not None:
        row.at = now
        db.writing().flush()


def changes_between(before: Look, now: Look) -> list[str]:
    """Say in Chinese what changed so much that the page must be checked again; nothing, when it did not."""
    said = []
    if before.title != now.title:
        said.append(f"标题由“{before.title}”变为“{now.title}”")
    new_hosts = [host for host in now.hosts if host not in before.hosts]
    if new_hosts:
        more = f"等 {len(new_hosts)} 个" if len(new_hosts) > _SHOWN_HOSTS else ""
        said.append(f"出现新的域名 {'、'.join(new_hosts[:_SHOWN_HOSTS])}{more}")
    shared = _share(before.structure, now.structure)
    if shared < SAME_STRUCTURE:
        said.append(f"页面结构变化较大（相同部分 {shared:.0%}）")
    return said


def _share(before: tuple[str, ...], now: tuple[str, ...]) -> float:
    old, new = set(before), set(now)
    return len(old & new) / len(old | new) if old | new else 1.0


def _due(rows: Iterable[Row[int, str, datetime]], period: timedelta, now: datetime) -> list[DuePage]:
    due = []
    for page_id, url, last_at in rows:
        moment = last_moment(page_id, period, now)
        if last_at is None or last_at < moment:
            due.append(DuePage(page_id, url, moment))
    return sorted(due, key=lambda one: (one.at, one.page_id))[:AT_ONCE_MAX]
