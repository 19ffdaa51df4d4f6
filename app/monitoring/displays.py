"""Screens that show the wall unattended (大屏): a secret of their own instead of anybody's session."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from app.core import audit, db, vault
from app.core.access import Permission
from app.core.errors import Invalid, NotFound
from app.monitoring.domain import NAME_MAX
from app.monitoring.models import WallDisplay
from app.organisations import service as organisations
from app.organisations.service import Principal, RegionLevel, Role, ScopeKind

OBJECT = "wall_display"
LIVES_DAYS_MAX = 366


@dataclass(frozen=True, slots=True)
class DisplayView:
    """A screen; ``city_code`` is ``""`` when it shows the whole province."""

    id: int
    name: str
    city_code: str
    created_at: datetime
    expires_at: datetime


def displays(by: Principal, *, now: datetime) -> list[DisplayView]:
    """Return the screens in use that ``by`` may end, the newest first."""
    query = (
        select(WallDisplay)
        .where(WallDisplay.ended_at.is_(None), WallDisplay.expires_at > now)
        .order_by(WallDisplay.created_at.desc())
    )
    allowed = _places(by)
    return [_view(row) for row in db.session().scalars(query) if row.city_code in allowed]


def create_display(
    by: Principal, name: str, city_code: str, *, days: int, now: datetime
) -> tuple[DisplayView, str]:
    """Admit a screen; return it and its secret, which is shown this once.

    Raises:
        NotFound: no such city within what ``by`` watches.
        Invalid: no name, or more days than a year has.
    """
    name = name.strip()
    if not 0 < len(name) <= NAME_MAX:
        raise Invalid("请给大屏起个名字", fields={"name": [f"1 至 {NAME_MAX} 个字"]})
    if not 0 < days <= LIVES_DAYS_MAX:
        raise Invalid("期限不对", fields={"days": [f"1 至 {LIVES_DAYS_MAX} 天"]})
    if city_code not in _places(by):
        raise NotFound("没有这个范围")
    secret = secrets.token_urlsafe(32)
    row = WallDisplay(
        name=name,
        city_code=city_code,
        digest=vault.hash_secret(secret),
        created_at=now,
        created_by=by.actor,
        expires_at=now + timedelta(days=days),
    )
    db.writing().add(row)
    db.writing().flush()
    audit.record(by.actor, "wall_display.create", OBJECT, row.id, {"name": name, "city": city_code})
    return _view(row), secret


def end_display(by: Principal, display_id: int, *, now: datetime) -> None:
    """Shut a screen out. Safe to repeat.

    Raises:
        NotFound: no such screen within what ``by`` watches.
    """
    row = db.writing().get(WallDisplay, display_id)
    if row is None or row.city_code not in _places(by):
        raise NotFound("没有这块大屏")
    if row.ended_at is None:
        row.ended_at = now
        audit.record(by.actor, "wall_display.end", OBJECT, row.id)
        db.writing().flush()


def viewer_of(secret: str, *, now: datetime) -> Principal | None:
    """Return whom the bearer of a screen's secret may watch as; None when it is not valid (any more)."""
    row = db.session().scalar(
        select(WallDisplay).where(
            WallDisplay.digest == vault.hash_secret(secret),
            WallDisplay.ended_at.is_(None),
            WallDisplay.expires_at > now,
        )
    )
    if row is None:
        return None
    role = Role.CITY_OPERATOR if row.city_code else Role.PROVINCE_WATCH
    return Principal(row.id, row.name, (organisations.grant_for(role, row.city_code),))


def places_of(by: Principal) -> list[tuple[str, str]]:
    """Return what a screen of ``by`` may show: codes and names, the province (``""``) first."""
    cities = {one.code: one.name for one in organisations.regions() if one.level is RegionLevel.CITY}
    return [(code, cities.get(code, "全省")) for code in sorted(_places(by))]


def _places(by: Principal) -> set[str]:
    watching = [grant for grant in by.grants if grant.carries(Permission.WATCH)]
    if any(grant.scope_kind is ScopeKind.PROVINCE for grant in watching):
        return {""} | {one.code for one in organisations.regions() if one.level is RegionLevel.CITY}
    return {grant.scope_ref for grant in watching if grant.scope_kind is ScopeKind.CITY}


def _view(row: WallDisplay) -> DisplayView:
    return DisplayView(row.id, row.name, row.city_code, row.created_at, row.expires_at)
