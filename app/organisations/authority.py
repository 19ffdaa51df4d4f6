"""Who may act on which body: role × scope, once in Python and once as a query filter."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, false, or_, select, true

from app.core import db
from app.core.access import Permission
from app.organisations.domain import Grant, Place, Principal, Role, ScopeKind, StaffState
from app.organisations.models import Body, Staff, StaffGrant
from app.organisations.places import BodyView, bodies


def covers(principal: Principal, permission: Permission, body_id: int) -> bool:
    """Tell whether ``principal`` holds ``permission`` over the body; False when there is no such body."""
    grants = [grant for grant in principal.grants if grant.carries(permission)]
    if not grants:
        return False
    query = select(Body.id, Body.region_code, Body.city_code).where(Body.id == body_id)
    row = db.session().execute(query).first()
    if row is None:
        return False
    place = Place(*row)
    return any(grant.reaches(place) for grant in grants)


def bodies_of(principal: Principal, permission: Permission) -> list[BodyView]:
    """Return the bodies that ``principal`` holds ``permission`` over, in the order of :func:`bodies`."""
    query = select(Body.id).where(scope_condition(principal, permission, Body.id))
    inside = set(db.session().scalars(query))
    return [body for body in bodies() if body.id in inside]


def scope_condition(
    principal: Principal, permission: Permission, body_id_column: ColumnElement[int] | Any
) -> ColumnElement[bool]:
    """Return the filter that leaves only rows of bodies which ``principal`` holds ``permission`` over.

    Rows outside are not found (404) rather than forbidden, so that nobody learns that they exist.
    """
    grants = [grant for grant in principal.grants if grant.carries(permission)]
    if any(grant.scope_kind is ScopeKind.PROVINCE for grant in grants):
        return true()
    conditions = []
    cities = _refs(grants, ScopeKind.CITY)
    if cities:
        conditions.append(body_id_column.in_(select(Body.id).where(Body.city_code.in_(cities))))
    counties = _refs(grants, ScopeKind.COUNTY)
    if counties:
        conditions.append(body_id_column.in_(select(Body.id).where(Body.region_code.in_(counties))))
    own = _refs(grants, ScopeKind.BODY)
    if own:
        conditions.append(body_id_column.in_([int(ref) for ref in own]))
    return or_(*conditions) if conditions else false()


def _refs(grants: Iterable[Grant], kind: ScopeKind) -> list[str]:
    return sorted({grant.scope_ref for grant in grants if grant.scope_kind is kind})


def on_duty(roles: Collection[Role]) -> list[tuple[int, Grant]]:
    """Return who may be called for: every active person's grants of ``roles``, ordered by person."""
    query = (
        select(StaffGrant)
        .join(Staff, Staff.id == StaffGrant.staff_id)
        .where(Staff.state == StaffState.ACTIVE, StaffGrant.role.in_(list(roles)))
        .order_by(StaffGrant.staff_id, StaffGrant.id)
    )
    return [
        (row.staff_id, Grant(row.role, row.scope_kind, row.scope_ref)) for row in db.session().scalars(query)
    ]


def places(body_ids: Iterable[int]) -> dict[int, Place]:
    """Return where bodies stand; those that do not exist are left out."""
    query = select(Body.id, Body.region_code, Body.city_code).where(Body.id.in_(set(body_ids)))
    return {row.id: Place(*row) for row in db.session().execute(query)}
