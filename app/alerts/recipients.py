"""Who is to be told of an alert: staff by the level it is meant for, and endpoints by their scope."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from app.alerts.domain import Audience, Digest, Severity, Topic
from app.alerts.models import AlertRow, Endpoint, Preference
from app.alerts.timing import due_at
from app.core import db
from app.core.quiet import Quiet
from app.organisations import service as organisations
from app.organisations.service import Grant, Place, Role, ScopeKind

_BY_AUDIENCE = {
    Audience.CONTACT: frozenset({Role.DEPARTMENT_OPERATOR}),
    Audience.BODY: frozenset({Role.DEPARTMENT_OPERATOR, Role.CITY_OPERATOR, Role.COUNTY_OPERATOR}),
    Audience.PROVINCE: frozenset({Role.PROVINCE_WATCH}),
}
_ALSO: Mapping[str, frozenset[Role]] = {Topic.CASES_DUE: frozenset({Role.DEPARTMENT_HEAD})}
"""Whom else a topic concerns."""

_STAFF, _ENDPOINT = "staff:", "endpoint:"


@dataclass(frozen=True, slots=True)
class Wishes:
    """How one recipient wants to be told; these are the terms of who never said anything."""

    quiet: Quiet | None = None
    digest: Digest = Digest.AT_ONCE
    min_severity: Severity = Severity.WARNING
    muted: frozenset[str] = frozenset()

    def wants(self, alert: AlertRow) -> bool:
        return alert.severity.rank >= self.min_severity.rank and alert.topic not in self.muted

    def due_at(self, now: datetime, severity: Severity) -> datetime:
        return due_at(now, severity, self.quiet, self.digest)


def staff_recipient(staff_id: int) -> str:
    return f"{_STAFF}{staff_id}"


def endpoint_recipient(endpoint_id: int) -> str:
    return f"{_ENDPOINT}{endpoint_id}"


def staff_id_of(recipient: str) -> int | None:
    """Return whose account it is; None for an endpoint."""
    return int(recipient.removeprefix(_STAFF)) if recipient.startswith(_STAFF) else None


def endpoint_id_of(recipient: str) -> int | None:
    """Return which endpoint it is; None for a person."""
    return int(recipient.removeprefix(_ENDPOINT)) if recipient.startswith(_ENDPOINT) else None


@dataclass(slots=True)
class Directory:
    """Everybody who may be told, read once for a whole storm."""

    grants: list[tuple[int, Grant]]
    places: dict[int, Place]
    endpoints: list[Endpoint]
    wishes: dict[str, Wishes]
    _found: dict[tuple[int, int | None, str | None, bool], tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, body_ids: Collection[int]) -> Directory:
        roles = frozenset().union(*_BY_AUDIENCE.values(), *_ALSO.values())
        endpoints = list(
            db.session().scalars(select(Endpoint).where(Endpoint.active, Endpoint.removed_at.is_(None)))
        )
        wishes = {
            staff_recipient(row.staff_id): wishes_of(row) for row in db.session().scalars(select(Preference))
        }
        wishes |= {endpoint_recipient(row.id): Wishes(min_severity=row.min_severity) for row in endpoints}
        return cls(organisations.on_duty(roles), organisations.places(body_ids), endpoints, wishes)

    def wishes_for(self, recipient: str) -> Wishes:
        return self.wishes.get(recipient, Wishes())

    def city_of(self, alert: AlertRow) -> str | None:
        """Return the city an alert belongs to; None for the province's own."""
        place = self.places.get(alert.body_id) if alert.body_id is not None else None
        return place.city_code if place is not None else alert.city_code

    def recipients(self, alert: AlertRow) -> tuple[str, ...]:
        """Return the staff whom the alert is meant for and the endpoints in whose scope it lies.

        Where nobody holds the level's roles, the alert goes one level up: none is for nobody.
        """
        key = (alert.audience, alert.body_id, alert.city_code, alert.topic in _ALSO)
        if key not in self._found:
            self._found[key] = self._staff(alert) + self._endpoints(alert)
        return self._found[key]

    def _staff(self, alert: AlertRow) -> tuple[str, ...]:
        for level in range(alert.audience, Audience.PROVINCE + 1):
            roles = _BY_AUDIENCE[Audience(level)] | _ALSO.get(alert.topic, frozenset())
            found = {
                staff_id
                for staff_id, grant in self.grants
                if grant.role in roles and self._reaches(grant, alert)
            }
            if found:
                return tuple(staff_recipient(staff_id) for staff_id in sorted(found))
        return ()

    def _reaches(self, grant: Grant, alert: AlertRow) -> bool:
        if grant.scope_kind is ScopeKind.PROVINCE:
            return True
        place = self.places.get(alert.body_id) if alert.body_id is not None else None
        if place is not None:
            return grant.reaches(place)
        return grant.scope_kind is ScopeKind.CITY and grant.scope_ref == alert.city_code

    def _endpoints(self, alert: AlertRow) -> tuple[str, ...]:
        city = self.city_of(alert)
        return tuple(
            endpoint_recipient(row.id)
            for row in self.endpoints
            if (row.body_id is None or row.body_id == alert.body_id)
            and (row.city_code is None or row.city_code == city)
        )


def wishes_of(row: Preference) -> Wishes:
    quiet = None
    if row.quiet_from is not None and row.quiet_until is not None:
        quiet = Quiet(row.quiet_from, row.quiet_until)
    return Wishes(quiet, row.digest, row.min_severity, frozenset(row.muted))


def is_recovery(topic: str) -> bool:
    return topic == Topic.INCIDENT_RESOLVED
