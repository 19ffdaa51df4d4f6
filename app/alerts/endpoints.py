"""Other systems that are told (Webhook): set up by who watches the province, the city or the body."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select

from app.alerts import scope
from app.alerts.domain import NAME_MAX, SECRET_MAX, URL_MAX, EndpointFormat, NewEndpoint, Severity
from app.alerts.models import Endpoint
from app.alerts.sealing import SECRET_FIELD, URL_FIELD
from app.core import audit, db, vault
from app.core.errors import Invalid, NotFound, Stale
from app.organisations import service as organisations
from app.organisations.service import Principal, RegionLevel
from mobile_pages.guard import Guard, Refused, parse_target

SECRET_BYTES = 32
OBJECT = "alert_endpoint"


@dataclass(frozen=True, slots=True)
class EndpointView:
    """An endpoint without address and secret, which name whoever holds them.

    Attributes:
        scope_name: what it is for, e.g. ``广州市``.
        resting_until: set while nothing is sent because it failed too often.
    """

    id: int
    name: str
    format: EndpointFormat
    host: str
    min_severity: Severity
    body_id: int | None
    city_code: str | None
    scope_name: str
    active: bool
    failure_count: int
    resting_until: datetime | None
    last_error: str
    last_sent_at: datetime | None
    version: int


def vetted_endpoint(wanted: NewEndpoint, guard: Guard) -> NewEndpoint:
    """Return ``wanted`` when the outbound guard lets its address pass.

    Asks the name server, so call it outside transactions. A name that does not resolve passes: the log
    of deliveries will say so.

    Raises:
        Invalid: the address is malformed, private, not https where it must be, or too long.
    """
    if len(wanted.url) > URL_MAX:
        raise Invalid(fields={"url": [f"最多 {URL_MAX} 个字符"]})
    try:
        guard.check(wanted.url)
    except Refused as refused:
        if refused.code not in {"dns_failure", "dns_empty"}:
            raise Invalid(fields={"url": [refused.detail_zh]}) from None
    return wanted


def add_endpoint(by: Principal, wanted: NewEndpoint, *, now: datetime) -> tuple[EndpointView, str]:
    """Set up an endpoint; return it with the secret to sign with, shown only now.

    Raises:
        Invalid: a value breaks a rule.
        NotFound: the body or city lies outside what ``by`` watches.
    """
    _check(wanted)
    if not scope.may_manage(by, body_id=wanted.body_id, city_code=wanted.city_code):
        raise NotFound("没有这个范围")
    secret = _secret(wanted)
    row = Endpoint(
        name=wanted.name.strip(),
        format=wanted.format,
        host=_host(wanted.url),
        url_token=vault.seal(URL_FIELD, wanted.url),
        secret_token=vault.seal(SECRET_FIELD, secret) if secret else None,
        city_code=wanted.city_code,
        body_id=wanted.body_id,
        min_severity=wanted.min_severity,
        active=True,
        failure_count=0,
        last_error="",
        version=1,
        created_at=now,
        created_by=by.actor,
    )
    db.writing().add(row)
    db.writing().flush()
    detail = {"format": row.format.value, "host": row.host}
    audit.record(by.actor, "alert_endpoint.add", OBJECT, row.id, detail)
    return _views([row])[0], secret if wanted.format is EndpointFormat.GENERIC else ""


def change_endpoint(
    by: Principal, endpoint_id: int, *, version: int, name: str, min_severity: Severity, active: bool
) -> EndpointView:
    """Rename an endpoint, switch it on or off, change what it gets; switching on ends its rest.

    Raises:
        NotFound: no such endpoint in the scope of ``by``.
        Invalid: the name is empty or too long.
        Stale: somebody else changed it first.
    """
    row = _row(by, endpoint_id)
    if row.version != version:
        raise Stale
    if not 1 <= len(name.strip()) <= NAME_MAX:
        raise Invalid(fields={"name": [f"1 至 {NAME_MAX} 个字"]})
    row.name, row.min_severity, row.version = name.strip(), min_severity, version + 1
    if active and not row.active:
        row.failure_count, row.open_until, row.last_error = 0, None, ""
    row.active = active
    db.writing().flush()
    audit.record(by.actor, "alert_endpoint.change", OBJECT, row.id, {"active": active})
    return _views([row])[0]


def remove_endpoint(by: Principal, endpoint_id: int, *, now: datetime) -> None:
    """Take an endpoint away for good; its address and secret are forgotten.

    Raises:
        NotFound: no such endpoint in the scope of ``by``.
    """
    row = _row(by, endpoint_id)
    for token in (row.url_token, row.secret_token):
        if token is not None:
            vault.forget(token)
    row.removed_at, row.active = now, False
    db.writing().flush()
    audit.record(by.actor, "alert_endpoint.remove", OBJECT, row.id)


def endpoints(by: Principal) -> list[EndpointView]:
    """Return the endpoints in the scope of ``by``, by name."""
    query = select(Endpoint).where(_visible(by)).order_by(Endpoint.name, Endpoint.id)
    return _views(list(db.session().scalars(query)))


def get_endpoint(by: Principal, endpoint_id: int) -> EndpointView:
    """Return one endpoint.

    Raises:
        NotFound: no such endpoint in the scope of ``by``.
    """
    return _views([_row(by, endpoint_id)])[0]


def _visible(by: Principal) -> ColumnElement[bool]:
    return scope.condition(by, Endpoint.body_id, Endpoint.city_code) & Endpoint.removed_at.is_(None)


def _row(by: Principal, endpoint_id: int) -> Endpoint:
    row = db.session().scalar(select(Endpoint).where(Endpoint.id == endpoint_id, _visible(by)))
    if row is None:
        raise NotFound("没有这个 Webhook")
    return row


def _check(wanted: NewEndpoint) -> None:
    problems: dict[str, list[str]] = {}
    if not 1 <= len(wanted.name.strip()) <= NAME_MAX:
        problems["name"] = [f"1 至 {NAME_MAX} 个字"]
    if wanted.body_id is not None and wanted.city_code is not None:
        problems["city_code"] = ["单位和地市只能选一个"]
    if len(wanted.secret) > SECRET_MAX or not wanted.secret.isascii():
        problems["secret"] = ["密钥格式不正确"]
    if wanted.city_code is not None and wanted.city_code not in _cities():
        problems["city_code"] = ["没有这个地市"]
    if problems:
        raise Invalid("Webhook 设置有误", fields=problems)


def _secret(wanted: NewEndpoint) -> str:
    if wanted.format is EndpointFormat.GENERIC:
        return secrets.token_urlsafe(SECRET_BYTES)
    return wanted.secret if wanted.format is EndpointFormat.DINGTALK else ""


def _host(url: str) -> str:
    try:
        return parse_target(url).host
    except Refused as refused:
        raise Invalid(fields={"url": [refused.detail_zh]}) from None


def _cities() -> dict[str, str]:
    return {one.code: one.name for one in organisations.regions() if one.level is RegionLevel.CITY}


def _views(rows: list[Endpoint]) -> list[EndpointView]:
    cities = _cities() if any(row.city_code for row in rows) else {}
    return [
        EndpointView(
            id=row.id,
            name=row.name,
            format=row.format,
            host=row.host,
            min_severity=row.min_severity,
            body_id=row.body_id,
            city_code=row.city_code,
            scope_name=_scope_name(row, cities),
            active=row.active,
            failure_count=row.failure_count,
            resting_until=row.open_until,
            last_error=row.last_error,
            last_sent_at=row.last_sent_at,
            version=row.version,
        )
        for row in rows
    ]


def _scope_name(row: Endpoint, cities: dict[str, str]) -> str:
    if row.body_id is not None:
        return organisations.get_body(row.body_id).full_name
    return cities.get(row.city_code, row.city_code) if row.city_code else "全省"
