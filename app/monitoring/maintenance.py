"""Announced maintenance (维护窗口) and pauses of single checks: who may make them, ending them early.

What is announced is never changed, only ended: from that moment on it does not count any more. So
the past stays what it was, and what was excused then stays excused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update

from app.core import audit, db
from app.core.access import Permission
from app.core.errors import Conflict, Invalid, NotFound, Stale
from app.monitoring.domain import NAME_MAX, NOTE_MAX, MaintenanceScope
from app.monitoring.holds import ONCE_MAX, Key, falls_at, next_start
from app.monitoring.models import Maintenance, Watch
from app.organisations import service as organisations
from app.organisations.service import Principal, RegionLevel, ScopeKind
from mobile_pages.probe.base import Condition
from mobile_pages.probe.recurrence import ONCE, BadRule, checked
from mobile_pages.probe.uptime import Window

OBJECT = "maintenance_window"
RECURRING_MINUTES_MAX = 8 * 60
PAUSE_MAX = timedelta(days=30)
AHEAD_MAX = timedelta(days=366)
LISTED_MAX = 200
PAUSE_TITLE = "暂停监测"
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Announcement:
    """What somebody announces.

    Attributes:
        scope_ref: id of a page or body, code of a city, ``""`` for the province.
        title, text: what residents read.
        starts_at: to the minute; not in the past.
        recurrence: RFC 5545 RRULE as :mod:`mobile_pages.probe.recurrence` allows; ``""`` for once.
        until_at: nothing begins after it; for recurring ones only.
    """

    scope: MaintenanceScope
    scope_ref: str
    title: str
    text: str
    starts_at: datetime
    minutes: int
    recurrence: str = ONCE
    until_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WindowView:
    """A window or pause as staff see it.

    Attributes:
        place: name of what it covers.
        standing: ``under_way``, ``coming``, or ``over``.
        now_until: end of the one under way; ``next_at`` when the next begins; None when there is none.
        may_end: whether the reader may end it.
    """

    id: int
    condition: Condition
    scope: MaintenanceScope
    scope_ref: str
    place: str
    title: str
    text: str
    starts_at: datetime
    minutes: int
    recurrence: str
    until_at: datetime | None
    created_at: datetime
    created_by: str
    cancelled_at: datetime | None
    standing: str
    now_until: datetime | None
    next_at: datetime | None
    may_end: bool


def announce(by: Principal, told: Announcement, *, now: datetime) -> WindowView:
    """Announce maintenance.

    Raises:
        NotFound: there is no such page, body or city in the scope of ``by``.
        Invalid: a field is wrong; says which.
    """
    if not may_announce(by, told.scope, told.scope_ref) or told.scope is MaintenanceScope.CHECK:
        raise NotFound("没有这个范围，或不归您管理")
    rule = _check(told, now)
    row = Maintenance(
        condition=Condition.MAINTENANCE,
        scope=told.scope,
        scope_ref=told.scope_ref,
        title=told.title.strip(),
        notice=told.text.strip(),
        starts_at=told.starts_at,
        minutes=told.minutes,
        recurrence=rule,
        until_at=told.until_at,
        created_at=now,
        created_by=by.actor,
    )
    return _added(by, row, "maintenance_window.announce", now)


def _check(told: Announcement, now: datetime) -> str:
    """Return the recurrence in its usual spelling.

    Raises:
        Invalid: see :func:`announce`.
    """
    problems: dict[str, list[str]] = {}
    if not 0 < len(told.title.strip()) <= NAME_MAX:
        problems["title"] = [f"1 至 {NAME_MAX} 个字"]
    if not 0 < len(told.text.strip()) <= NOTE_MAX:
        problems["text"] = [f"1 至 {NOTE_MAX} 个字，写明影响什么"]
    if told.starts_at.second or told.starts_at.microsecond:
        problems["starts_at"] = ["精确到分钟"]
    elif not now - _MINUTE <= told.starts_at <= now + AHEAD_MAX:
        problems["starts_at"] = ["应在一年之内，不能早于现在：已经过去的时间不能补报维护"]
    rule = ONCE
    try:
        rule = checked(told.recurrence, told.starts_at.replace(second=0, microsecond=0))
    except BadRule as error:
        problems["recurrence"] = [str(error)]
    longest = ONCE_MAX // _MINUTE if rule == ONCE else RECURRING_MINUTES_MAX
    if not 1 <= told.minutes <= longest:
        problems["minutes"] = [f"应在 1 到 {longest} 分钟之间"]
    if told.until_at is not None and (rule == ONCE or told.until_at < told.starts_at):
        problems["until_at"] = ["只有重复的维护才有截止时间，且不能早于首次开始"]
    if problems:
        raise Invalid("维护公告填写有误", fields=problems)
    return rule


def pause(by: Principal, check_id: int, reason: str, until: datetime, *, now: datetime) -> WindowView:
    """Set a check aside until then; its time counts neither as up nor as down.

    Raises:
        NotFound: no such check is watched in the scope of ``by``.
        Invalid: no reason, or ``until`` is not within thirty days.
    """
    if not may_announce(by, MaintenanceScope.CHECK, str(check_id)):
        raise NotFound("没有这项检查，或不归您管理")
    problems = {}
    if not 0 < len(reason.strip()) <= NOTE_MAX:
        problems["reason"] = [f"1 至 {NOTE_MAX} 个字"]
    if not now + _MINUTE <= until <= now + PAUSE_MAX:
        problems["until"] = [f"应在 {PAUSE_MAX.days} 天之内，不能早于现在"]
    if problems:
        raise Invalid("暂停监测填写有误", fields=problems)
    minutes = -((now - until) // _MINUTE)  # rounded up
    row = Maintenance(
        condition=Condition.PAUSED,
        scope=MaintenanceScope.CHECK,
        scope_ref=str(check_id),
        title=PAUSE_TITLE,
        notice=reason.strip(),
        starts_at=now,
        minutes=minutes,
        recurrence=ONCE,
        until_at=None,
        created_at=now,
        created_by=by.actor,
    )
    return _added(by, row, "maintenance_window.pause", now)


def _added(by: Principal, row: Maintenance, action: str, now: datetime) -> WindowView:
    db.writing().add(row)
    db.writing().flush()
    told = {"scope": row.scope.value, "scope_ref": row.scope_ref, "starts_at": row.starts_at.isoformat()}
    more = {"minutes": row.minutes, "recurrence": row.recurrence, "title": row.title, "text": row.notice}
    audit.record(by.actor, action, OBJECT, row.id, told | more)
    return _view(by, row, _names([row]), now)


def end(by: Principal, window_id: int, at: datetime | None, *, now: datetime) -> WindowView:
    """End a window or pause, once or all of a series, now or at an earlier moment than planned.

    Args:
        at: from when on it does not count any more; None is now.

    Raises:
        NotFound: no such window that ``by`` may end.
        Invalid: ``at`` has passed.
        Stale: it has ended, or somebody ended it earlier still.
    """
    row = _own(by, window_id)
    moment = at or now
    if moment < now:
        raise Invalid("已经过去的时间不能更改", fields={"at": ["不能早于现在"]})
    if _standing(row, now)[0] == "over":
        raise Stale("这次维护已经结束")
    ended = db.writing().execute(
        update(Maintenance)
        .where(
            Maintenance.id == window_id,
            or_(Maintenance.cancelled_at.is_(None), Maintenance.cancelled_at > moment),
        )
        .values(cancelled_at=moment, cancelled_by=by.actor)
        .execution_options(synchronize_session=False)
    )
    if ended.rowcount != 1:  # type: ignore[attr-defined]
        raise Stale
    audit.record(by.actor, "maintenance_window.end", OBJECT, window_id, {"at": moment.isoformat()})
    db.writing().expire_all()
    return _view(by, _own(by, window_id), _names([row]), now)


def end_this_time(by: Principal, window_id: int, *, now: datetime) -> WindowView:
    """End the occurrence under way of a recurring window; the series goes on with the next.

    Raises:
        NotFound, Stale: see :func:`end`.
        Conflict: none is under way, or the window does not recur.
    """
    row = _own(by, window_id)
    if row.recurrence == ONCE or _standing(row, now)[0] != "under_way":
        raise Conflict("现在没有正在进行的重复维护")
    following = next_start(row, now)
    end(by, window_id, None, now=now)
    if following is None:
        return window(by, window_id, now=now)
    successor = Maintenance(
        condition=row.condition,
        scope=row.scope,
        scope_ref=row.scope_ref,
        title=row.title,
        notice=row.notice,
        starts_at=following,
        minutes=row.minutes,
        recurrence=row.recurrence,
        until_at=row.until_at,
        created_at=now,
        created_by=by.actor,
    )
    return _added(by, successor, "maintenance_window.continue", now)


def window(by: Principal, window_id: int, *, now: datetime) -> WindowView:
    """Return one window or pause.

    Raises:
        NotFound: there is none that ``by`` may see.
    """
    row = db.session().get(Maintenance, window_id)
    if row is None or not _sees(by, row, _Seen.of(by)):
        raise NotFound("没有这条维护")
    return _view(by, row, _names([row]), now)


def window_list(by: Principal, *, over: bool = False, now: datetime) -> list[WindowView]:
    """Return windows and pauses that concern ``by``: those under way, then those to come.

    Args:
        over: instead those that are over, the last announced first.
    """
    query = select(Maintenance).order_by(Maintenance.created_at.desc())
    over_at = Maintenance.starts_at < now - ONCE_MAX
    ended = or_(
        Maintenance.cancelled_at <= now,
        (Maintenance.recurrence == ONCE) & over_at,
        (Maintenance.recurrence != ONCE) & (Maintenance.until_at < now - ONCE_MAX),
    )
    if not over:
        query = query.where(~func.coalesce(ended, False))
    seen = _Seen.of(by)
    rows = [row for row in db.session().scalars(query.limit(5 * LISTED_MAX)) if _sees(by, row, seen)]
    rows = [row for row in rows if (_standing(row, now)[0] == "over") == over][:LISTED_MAX]
    names = _names(rows)
    found = [_view(by, row, names, now) for row in rows]
    return found if over else sorted(found, key=_soonest)


def _soonest(one: WindowView) -> tuple[bool, datetime]:
    return one.standing != "under_way", one.now_until or one.next_at or one.starts_at


def may_announce(by: Principal, scope: MaintenanceScope, scope_ref: str) -> bool:
    """Tell whether ``by`` may set this aside; False for what does not exist."""
    body_id = _body_of(scope, scope_ref)
    if body_id is not None:
        return organisations.covers(by, Permission.WATCH, body_id)
    watching = [grant for grant in by.grants if grant.carries(Permission.WATCH)]
    everywhere = any(grant.scope_kind is ScopeKind.PROVINCE for grant in watching)
    match scope:
        case MaintenanceScope.PROVINCE:
            return everywhere and not scope_ref
        case MaintenanceScope.CITY:
            own = any(one.scope_kind is ScopeKind.CITY and one.scope_ref == scope_ref for one in watching)
            return (everywhere or own) and scope_ref in _city_names()
        case _:
            return False


def _body_of(scope: MaintenanceScope, scope_ref: str) -> int | None:
    """Return the body that answers for a page, check or body; None where there is none."""
    if not (scope_ref.isascii() and scope_ref.isdigit()):
        return None
    match scope:
        case MaintenanceScope.BODY:
            return int(scope_ref)
        case MaintenanceScope.PAGE:
            query = select(Watch.body_id).where(Watch.page_id == int(scope_ref), Watch.watched.is_(True))
        case MaintenanceScope.CHECK:
            query = select(Watch.body_id).where(Watch.check_id == int(scope_ref), Watch.watched.is_(True))
        case _:
            return None
    return db.session().scalar(query.limit(1))


@dataclass(frozen=True, slots=True)
class _Seen:
    """Bodies and cities that somebody watches anything of."""

    bodies: frozenset[int]
    cities: frozenset[str]

    @classmethod
    def of(cls, by: Principal) -> _Seen:
        ids = frozenset(one.id for one in organisations.bodies_of(by, Permission.WATCH))
        places = organisations.places(ids).values()
        return cls(ids, frozenset(one.city_code for one in places if one.city_code))


def _sees(by: Principal, row: Maintenance, seen: _Seen) -> bool:
    match row.scope:
        case MaintenanceScope.PROVINCE:
            return True
        case MaintenanceScope.CITY:
            return row.scope_ref in seen.cities
        case _:
            return _body_of(row.scope, row.scope_ref) in seen.bodies


def _own(by: Principal, window_id: int) -> Maintenance:
    row = db.session().get(Maintenance, window_id)
    if row is None or not may_announce(by, row.scope, row.scope_ref):
        raise NotFound("没有这条维护，或不归您管理")
    return row


def _standing(row: Maintenance, now: datetime) -> tuple[str, datetime | None, datetime | None]:
    """Return how it stands, the end of the one under way, and when the next begins."""
    under_way = [one for one in falls_at(row, Window(now, now + _MINUTE)) if one.start <= now < one.end]
    next_at = next_start(row, now)
    if under_way:
        return "under_way", under_way[0].end, next_at
    return ("coming", None, next_at) if next_at is not None else ("over", None, None)


def _view(by: Principal, row: Maintenance, names: Mapping[Key, str], now: datetime) -> WindowView:
    standing, now_until, next_at = _standing(row, now)
    return WindowView(
        id=row.id,
        condition=row.condition,
        scope=row.scope,
        scope_ref=row.scope_ref,
        place=names.get((row.scope, row.scope_ref), "已不再监测"),
        title=row.title,
        text=row.notice,
        starts_at=row.starts_at,
        minutes=row.minutes,
        recurrence=row.recurrence,
        until_at=row.until_at,
        created_at=row.created_at,
        created_by=row.created_by,
        cancelled_at=row.cancelled_at,
        standing=standing,
        now_until=now_until,
        next_at=next_at,
        may_end=standing != "over" and may_announce(by, row.scope, row.scope_ref),
    )


def _names(rows: list[Maintenance]) -> dict[Key, str]:
    """Return the name of everything the windows cover."""
    found: dict[Key, str] = {(MaintenanceScope.PROVINCE, ""): "全省"}
    found |= {(MaintenanceScope.CITY, code): name for code, name in _city_names().items()}
    found |= {(MaintenanceScope.BODY, str(one.id)): one.full_name for one in organisations.bodies()}
    for scope, column in (
        (MaintenanceScope.PAGE, Watch.page_id),
        (MaintenanceScope.CHECK, Watch.check_id),
    ):
        refs = [int(row.scope_ref) for row in rows if row.scope is scope]
        if refs:
            query = select(column, Watch.name).where(column.in_(refs))
            found |= {(scope, str(ref)): name for ref, name in db.session().execute(query)}
    return found


def _city_names() -> dict[str, str]:
    return {one.code: one.name for one in organisations.regions() if one.level is RegionLevel.CITY}
