"""Versions of the rules of operation (运行管理办法): which hold where and when, and how new ones are made.

A version never changes. Of those whose time has come the newest holds, so a later decision also
overtakes one that was to come into force after it. What is proposed is a draft: it shows what it
would have done to last month before it can be made a version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from app.core import audit, db, outbox
from app.core.db import Database
from app.core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from app.core.installation import settings
from app.monitoring.domain import NOTE_MAX, Terms
from app.monitoring.effects import Effect
from app.monitoring.models import PolicyDraft, WatchPolicy
from app.monitoring.rules import (
    BY_NAME,
    CITY_DEFAULT,
    CITY_MAY,
    FIELDS,
    Rules,
    as_stated,
    checked,
    checked_city_may,
    differing,
    installation_rules,
    overlaid,
    said,
    terms_of,
)
from app.organisations import service as organisations
from app.organisations.service import Principal, RegionLevel, Role

PROVINCE = ""
OBJECT = "watch_policy"
RECKON_JOB = "monitoring.reckon-policy"
DRAFT_LIVES = timedelta(hours=24)
AHEAD_MAX = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class PolicyView:
    """One version; ``number`` 0 is what holds where none was made.

    Attributes:
        rules: what holds under it, the province's of today for what a city does not state.
        stated: what it states itself, plain values.
        city_may: names of the rules that cities may state; empty in a city's.
        standing: ``current``, ``coming``, ``past`` or ``overtaken`` (never came into force).
    """

    city_code: str
    number: int
    rules: Rules
    stated: Mapping[str, Any]
    city_may: tuple[str, ...]
    reason: str
    effective_at: datetime | None
    created_at: datetime | None
    created_by: str
    standing: str


@dataclass(frozen=True, slots=True)
class DraftView:
    """What somebody proposes, upon which version, and what it would have done; None: still reckoned."""

    id: int
    city_code: str
    base_number: int
    rules: Rules
    city_may: tuple[str, ...]
    reason: str
    effective_at: datetime | None
    created_at: datetime
    created_by: str
    effect: Effect | None
    confirmed_as: int | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One rule that is another one now, both in words."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Place:
    """Whose rules they are: the province's (``""``) or a city's."""

    code: str
    name: str
    current: PolicyView
    may_change: bool


@dataclass(frozen=True, slots=True)
class Book:
    """The rules that hold at one moment."""

    province: Rules
    city_may: tuple[str, ...]
    cities: Mapping[str, Mapping[str, Any]]

    def of_city(self, city_code: str | None) -> Rules:
        """Return a city's rules; the province's for None and for a city that states none."""
        stated = self.cities.get(city_code or PROVINCE, {})
        return overlaid(self.province, {name: stated[name] for name in stated if name in self.city_may})

    def with_version(self, city_code: str, stated: Mapping[str, Any], city_may: Iterable[str]) -> Book:
        """Return the book as it would be with another version."""
        if city_code == PROVINCE:
            return replace(self, province=overlaid(self.province, stated), city_may=tuple(city_may))
        return replace(self, cities={**self.cities, city_code: stated})


@dataclass(frozen=True, slots=True)
class TermsBook:
    """The rules of every body at one moment: one dictionary look-up a check."""

    rules: Mapping[int, Rules]
    default: Rules

    def rules_of(self, body_id: int) -> Rules:
        """Return the rules for the pages of a body."""
        return self.rules.get(body_id, self.default)

    def of(self, body_id: int, interval_seconds: int | None = None) -> Terms:
        """Return the terms of a check of a body; ``interval_seconds`` is the check's own, if any."""
        return terms_of(self.rules_of(body_id), interval_seconds)


@dataclass(frozen=True, slots=True)
class _Version:
    city_code: str
    number: int
    stated: Mapping[str, Any]
    effective_at: datetime


_known: WeakKeyDictionary[Database, tuple[_Version, ...]] = WeakKeyDictionary()


def _versions() -> tuple[_Version, ...]:
    """Return every version; versions never change, so their count tells whether there are new ones."""
    database = db.database()
    count = db.session().scalar(select(func.count()).select_from(WatchPolicy)) or 0
    known = _known.get(database, ())
    if len(known) != count:
        query = select(WatchPolicy).order_by(WatchPolicy.city_code, WatchPolicy.number)
        rows = db.session().scalars(query)
        known = tuple(_Version(row.city_code, row.number, row.rules, row.effective_at) for row in rows)
        _known[database] = known
    return known


def book(now: datetime) -> Book:
    """Return the rules that hold at ``now``; one cheap reading."""
    in_force = {one.city_code: one.stated for one in _versions() if one.effective_at <= now}
    return _book(in_force)


def _book(in_force: Mapping[str, Mapping[str, Any]]) -> Book:
    stated = in_force.get(PROVINCE, {})
    return Book(
        province=overlaid(installation_rules(settings()), stated),
        city_may=tuple(stated.get(CITY_MAY, CITY_DEFAULT)),
        cities={code: own for code, own in in_force.items() if code != PROVINCE},
    )


def rules_for(city_code: str | None, now: datetime) -> Rules:
    """Return the rules that hold in a city, or for provincial bodies (None)."""
    return book(now).of_city(city_code)


def terms_for(body_id: int, now: datetime, interval_seconds: int | None = None) -> Terms:
    """Return the terms of one check; for many, ask :func:`terms_of_bodies` once."""
    place = organisations.places([body_id]).get(body_id)
    return terms_of(rules_for(place.city_code if place else None, now), interval_seconds)


def terms_of_bodies(now: datetime, found: Book | None = None) -> TermsBook:
    """Return the rules of all bodies; three readings, whatever the number of checks.

    Args:
        found: other rules than those that hold.
    """
    found = found or book(now)
    places = organisations.places(one.id for one in organisations.bodies())
    by_city = {code: found.of_city(code) for code in {place.city_code for place in places.values()}}
    return TermsBook({one.body_id: by_city[one.city_code] for one in places.values()}, found.province)


def may_change(by: Principal, city_code: str) -> bool:
    """Tell whether ``by`` may make rules: the province's watch anywhere, a city's operators their own."""
    return any(
        grant.role is Role.PROVINCE_WATCH
        or (grant.role is Role.CITY_OPERATOR and bool(city_code) and grant.scope_ref == city_code)
        for grant in by.grants
    )


def policy_places(by: Principal, *, now: datetime) -> list[Place]:
    """Return the province and its cities with the version that holds there."""
    names = {PROVINCE: "全省"} | _cities()
    return [Place(code, name, _current(code, now), may_change(by, code)) for code, name in names.items()]


def policy_place(by: Principal, city_code: str, *, now: datetime) -> Place:
    """Return the province (``""``) or one city.

    Raises:
        NotFound: no such city.
    """
    return Place(city_code, _name(city_code), _current(city_code, now), may_change(by, city_code))


def policies(city_code: str, *, now: datetime) -> list[PolicyView]:
    """Return all versions of the province's or a city's rules, the newest first.

    Raises:
        NotFound: no such city.
    """
    _name(city_code)
    query = select(WatchPolicy).where(WatchPolicy.city_code == city_code).order_by(WatchPolicy.number.desc())
    rows = list(db.session().scalars(query))
    found = book(now)
    return [_view(row, found, rows, now) for row in rows]


def rules_before(city_code: str, *, now: datetime) -> Rules:
    """Return what holds where no version was made: the installation's, for a city the province's."""
    return book(now).province if city_code else installation_rules(settings())


def changes_between(before: Rules, after: Rules) -> tuple[Change, ...]:
    """Return what differs, in words."""
    return tuple(
        Change(field.label, said(field, getattr(before, field.name)), said(field, getattr(after, field.name)))
        for field in FIELDS
        if getattr(before, field.name) != getattr(after, field.name)
    )


def propose(
    by: Principal,
    city_code: str,
    stated: Mapping[str, Any],
    *,
    city_may: Sequence[str] | None = None,
    reason: str,
    base_number: int,
    effective_at: datetime | None,
    now: datetime,
) -> DraftView:
    """Propose a new version and have its effect on last month reckoned.

    Args:
        stated: what differs from the version in force; for a city also what it may state at all.
        city_may: for the province: which rules cities may state; None leaves that as it is.
        base_number: number of the newest version the proposer saw, 0 for none.
        effective_at: when it is to come into force; None is at once when it is confirmed.

    Raises:
        NotFound: no such city. Forbidden: these rules are not for ``by`` to make.
        Invalid: a value, the reason or the date is wrong, or nothing differs.
        Stale: there is a newer version.
    """
    _name(city_code)
    if not may_change(by, city_code):
        raise Forbidden
    _check_newest(city_code, base_number)
    own = _stated(city_code, stated, city_may, now)
    reason = reason.strip()
    if not 0 < len(reason) <= NOTE_MAX:
        raise Invalid("请写明理由", fields={"reason": [f"1 至 {NOTE_MAX} 个字"]})
    if effective_at is not None and not now < effective_at <= now + AHEAD_MAX:
        raise Invalid("生效时间不对", fields={"effective_at": ["应在一年之内，不能早于现在"]})
    row = PolicyDraft(
        city_code=city_code,
        base_number=base_number,
        rules=own,
        reason=reason,
        effective_at=effective_at,
        created_at=now,
        created_by=by.actor,
    )
    db.writing().add(row)
    db.writing().flush()
    outbox.enqueue(RECKON_JOB, {"draft_id": str(row.id)}, dedup_key=f"{RECKON_JOB}:{row.id}")
    return _draft_view(row, now)


def _stated(
    city_code: str, stated: Mapping[str, Any], city_may: Sequence[str] | None, now: datetime
) -> dict[str, Any]:
    """Return what a new version states, as it is stored.

    Raises:
        Invalid: see :func:`propose`.
    """
    held = book(now)
    if city_code == PROVINCE:
        rules = checked(held.province, stated)
        may = held.city_may if city_may is None else checked_city_may(city_may)
        if rules == held.province and set(may) == set(held.city_may):
            raise Invalid("没有改动")
        return {**as_stated(rules), CITY_MAY: list(may)}
    if city_may:
        raise Invalid("规则填写有误", fields={CITY_MAY: ["只有省级规则可以规定"]})
    rules = checked(held.of_city(city_code), stated, held.city_may)
    own = differing(held.province, rules)
    if rules == held.of_city(city_code):
        raise Invalid("没有改动")
    return {name: own[name] for name in own if name in held.city_may}


def draft(by: Principal, draft_id: int, *, now: datetime) -> DraftView:
    """Return a draft.

    Raises:
        NotFound: no such draft, or of rules that are not for ``by`` to make.
    """
    return _draft_view(_draft(by, draft_id), now)


def confirm(by: Principal, draft_id: int, *, now: datetime) -> PolicyView:
    """Make a draft a version.

    Raises:
        NotFound: see :func:`draft`. Stale: somebody else made a version meanwhile.
        Conflict: its effect is not reckoned yet, or it is older than a day.
    """
    row = _draft(by, draft_id)
    if row.confirmed_as is not None:
        raise Stale
    if row.effect is None:
        raise Conflict("对上个月的影响还没有算完，请稍候")
    if now > row.created_at + DRAFT_LIVES:
        raise Conflict("这份草案已超过一天，请重新提出")
    _check_newest(row.city_code, row.base_number)
    number = row.base_number + 1
    made = WatchPolicy(
        city_code=row.city_code,
        number=number,
        rules=row.rules,
        reason=row.reason,
        effective_at=max(now, row.effective_at or now),
        created_at=now,
        created_by=by.actor,
    )
    db.writing().add(made)
    try:
        db.writing().flush()
    except IntegrityError as error:
        raise Stale from error  # somebody else's version took the number in this moment
    db.writing().execute(
        update(PolicyDraft)
        .where(PolicyDraft.id == row.id, PolicyDraft.confirmed_as.is_(None))
        .values(confirmed_as=number)
    )
    told = {"city_code": row.city_code, "number": number, "effective_at": made.effective_at.isoformat()}
    audit.record(by.actor, "watch_policy.make", OBJECT, made.id, {**told, "reason": row.reason})
    return _view(made, book(now), [made], now)


def forget_drafts(now: datetime) -> None:
    """Delete drafts that nobody confirmed within their time."""
    old = PolicyDraft.created_at < now - 2 * DRAFT_LIVES
    for row in db.writing().scalars(select(PolicyDraft).where(old, PolicyDraft.confirmed_as.is_(None))):
        db.writing().delete(row)


def _draft(by: Principal, draft_id: int) -> PolicyDraft:
    row = db.session().get(PolicyDraft, draft_id)
    if row is None or not may_change(by, row.city_code):
        raise NotFound("没有这份草案")
    return row


def _check_newest(city_code: str, base_number: int) -> None:
    query = select(func.max(WatchPolicy.number)).where(WatchPolicy.city_code == city_code)
    if (db.session().scalar(query) or 0) != base_number:
        raise Stale("规则已被他人修改，请按最新版本重新填写")


def _cities() -> dict[str, str]:
    return {one.code: one.name for one in organisations.regions() if one.level is RegionLevel.CITY}


def _name(city_code: str) -> str:
    names = {PROVINCE: "全省"} | _cities()
    if city_code not in names:
        raise NotFound("没有这个地市")
    return names[city_code]


def _current(city_code: str, now: datetime) -> PolicyView:
    found = policies(city_code, now=now)
    standing = next((one for one in found if one.standing == "current"), None)
    if standing is not None:
        return standing
    held = book(now)
    may = held.city_may if city_code == PROVINCE else ()
    return PolicyView(city_code, 0, held.of_city(city_code), {}, may, "", None, None, "", "current")


def _view(row: WatchPolicy, held: Book, rows: Sequence[WatchPolicy], now: datetime) -> PolicyView:
    """Return a version; ``rows`` are all of the same place."""
    in_force = max((one.number for one in rows if one.effective_at <= now), default=0)
    if row.number == in_force:
        standing = "current"
    elif row.effective_at > now:
        overtaken = any(one.number > row.number and one.effective_at <= row.effective_at for one in rows)
        standing = "overtaken" if overtaken else "coming"
    else:
        came_before = [
            one for one in rows if one.number > row.number and one.effective_at <= row.effective_at
        ]
        standing = "overtaken" if came_before else "past"
    shown = held.with_version(row.city_code, row.rules, row.rules.get(CITY_MAY, ()))
    return PolicyView(
        city_code=row.city_code,
        number=row.number,
        rules=shown.of_city(row.city_code),
        stated={name: value for name, value in row.rules.items() if name in BY_NAME},
        city_may=tuple(row.rules.get(CITY_MAY, ())),
        reason=row.reason,
        effective_at=row.effective_at,
        created_at=row.created_at,
        created_by=row.created_by,
        standing=standing,
    )


def _draft_view(row: PolicyDraft, now: datetime) -> DraftView:
    held = book(now)
    shown = held.with_version(row.city_code, row.rules, row.rules.get(CITY_MAY, ()))
    before, after = held.of_city(row.city_code), shown.of_city(row.city_code)
    changes = changes_between(before, after)
    if row.city_code == PROVINCE and set(held.city_may) != set(shown.city_may):
        changes += (Change("地市可以另定", _labels(held.city_may), _labels(shown.city_may)),)
    return DraftView(
        id=row.id,
        city_code=row.city_code,
        base_number=row.base_number,
        rules=after,
        city_may=tuple(row.rules.get(CITY_MAY, ())),
        reason=row.reason,
        effective_at=row.effective_at,
        created_at=row.created_at,
        created_by=row.created_by,
        effect=None if row.effect is None else Effect.of_json(row.effect),
        confirmed_as=row.confirmed_as,
        changes=changes,
    )


def _labels(names: Iterable[str]) -> str:
    return "、".join(BY_NAME[name].label for name in names) or "无"
