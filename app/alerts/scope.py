"""What somebody may see and manage of alerts: whole province, own cities, own bodies."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, or_, true

from app.core.access import Permission
from app.organisations import service as organisations
from app.organisations.service import Principal, ScopeKind


def sees_province(by: Principal) -> bool:
    return any(
        grant.carries(Permission.WATCH) and grant.scope_kind is ScopeKind.PROVINCE for grant in by.grants
    )


def own_cities(by: Principal) -> list[str]:
    """Return the cities that ``by`` watches as a whole."""
    return sorted(
        grant.scope_ref
        for grant in by.grants
        if grant.carries(Permission.WATCH) and grant.scope_kind is ScopeKind.CITY
    )


def condition(by: Principal, body_id: Any, city_code: Any) -> ColumnElement[bool]:
    """Return the filter for rows of one body, of one city, or (both NULL) of the province."""
    if sees_province(by):
        return true()
    of_body = and_(body_id.is_not(None), organisations.scope_condition(by, Permission.WATCH, body_id))
    return or_(of_body, and_(body_id.is_(None), city_code.in_(own_cities(by))))


def may_manage(by: Principal, *, body_id: int | None, city_code: str | None) -> bool:
    """Tell whether ``by`` may set up what a body, a city, or (both None) the province gets."""
    if body_id is not None:
        return organisations.covers(by, Permission.WATCH, body_id)
    return sees_province(by) or (city_code is not None and city_code in own_cities(by))
