"""Accounts of staff: who there is, with which roles, links and API tokens."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from app.core import audit, db, vault
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.ids import read_id
from app.organisations.domain import (
    LINK_LIVES,
    NAME_MAX,
    SCOPE_OF,
    TOKEN_DAYS_MAX,
    TOKEN_NAME_MAX,
    TOKEN_PREFIX,
    USERNAME,
    Grant,
    LinkPurpose,
    Principal,
    RegionLevel,
    Role,
    ScopeKind,
    StaffState,
    grants_problem,
)
from app.organisations.models import ApiToken, Body, Region, Staff, StaffGrant, StaffLink, StaffSession
from app.organisations.places import find_body
from config.settings import Environment

SECRET_BYTES = 32
SYSTEM_NAME = "系统"


@dataclass(frozen=True, slots=True)
class StaffView:
    id: int
    username: str
    name: str
    state: StaffState
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class TokenView:
    """An API token without its secret, which is shown once only."""

    id: int
    name: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


def create_staff(*, username: str, name: str, grants: Sequence[Grant], by: str, now: datetime) -> StaffView:
    """Create an account without a password; its owner sets one through a set-up link.

    Raises:
        Invalid: username, name or grants break a rule, or a scope names no region or body.
        Conflict: the username is taken.
    """
    if not USERNAME.fullmatch(username):
        raise Invalid(fields={"username": ["3 至 40 位小写字母、数字、点、横线，以字母开头"]})
    if not 1 <= len(name.strip()) <= NAME_MAX:
        raise Invalid(fields={"name": [f"1 至 {NAME_MAX} 个字"]})
    _check_grants(grants)
    if db.writing().scalar(select(Staff.id).where(Staff.username == username)):
        raise Conflict("这个用户名已经有人用了")
    row = Staff(username=username, name=name.strip(), state=StaffState.INVITED, created_at=now)
    db.writing().add(row)
    db.writing().flush()
    audit.record(by, "staff-created", "staff", row.id)
    for grant in grants:
        _insert_grant(row.id, grant, by)
    return StaffView(row.id, row.username, row.name, row.state, tuple(grants))


def add_grant(staff_id: int, grant: Grant, *, by: str) -> None:
    """Give a person one more role; nothing happens when they hold it already.

    Raises:
        NotFound: no such person.
        Invalid: the role does not go with the others, or its scope names no region or body.
        Forbidden: it is the person's own account.
    """
    row = _other_person(staff_id, by)
    held = grants_of([row.id])[row.id]
    if grant not in held:
        _check_grants((*held, grant))
        _insert_grant(row.id, grant, by)


def remove_grant(staff_id: int, grant: Grant, *, by: str) -> None:
    """Take a role away; nothing happens when the person does not hold it.

    Raises:
        NotFound: no such person.
        Forbidden: it is the person's own account.
    """
    row = _other_person(staff_id, by)
    gone = db.writing().execute(
        delete(StaffGrant).where(
            StaffGrant.staff_id == row.id,
            StaffGrant.role == grant.role,
            StaffGrant.scope_ref == grant.scope_ref,
        )
    )
    if gone.rowcount:  # type: ignore[attr-defined]
        audit.record(by, "grant-removed", "staff", row.id, _said(grant))


def _check_grants(grants: Sequence[Grant]) -> None:
    problem = grants_problem(grants) or next(filter(None, map(_scope_problem, grants)), None)
    if problem:
        raise Invalid(problem, fields={"scope": [problem]})


def _insert_grant(staff_id: int, grant: Grant, by: str) -> None:
    db.writing().add(
        StaffGrant(staff_id=staff_id, role=grant.role, scope_kind=grant.scope_kind, scope_ref=grant.scope_ref)
    )
    db.writing().flush()
    audit.record(by, "grant-given", "staff", staff_id, _said(grant))


def _said(grant: Grant) -> dict[str, str]:
    return {"role": grant.role.value, "scope": f"{grant.scope_kind}:{grant.scope_ref}"}


def _scope_problem(grant: Grant) -> str | None:
    if grant.scope_kind is ScopeKind.PROVINCE:
        return None
    if grant.scope_kind is ScopeKind.BODY:
        body_id = read_id(grant.scope_ref)
        known = body_id is not None and db.writing().get(Body, body_id) is not None
        return None if known else "没有这个单位"
    region = db.writing().get(Region, grant.scope_ref)
    levels = {
        ScopeKind.CITY: {RegionLevel.CITY},
        ScopeKind.COUNTY: {RegionLevel.COUNTY, RegionLevel.ZONE},
    }[grant.scope_kind]
    return None if region is not None and region.level in levels else "没有这个地区"


def grant_for(role: Role, scope_ref: str = "") -> Grant:
    """Return the grant of ``role`` over ``scope_ref``; the kind of scope follows from the role."""
    return Grant(role, SCOPE_OF[role], scope_ref)


def resolve_grant(role: Role, scope: str = "") -> Grant:
    """Return the grant of ``role`` over what a person typed: a body's name, a place's name or code.

    Raises:
        NotFound: nothing answers to ``scope``.
        Invalid: the role is for the whole province, yet a scope is given.
    """
    kind, typed = SCOPE_OF[role], scope.strip()
    if kind is ScopeKind.PROVINCE:
        if typed:
            raise Invalid(fields={"scope": ["这个角色的范围是全省，不用填"]})
        return grant_for(role)
    known = db.session().get(Region, typed)
    if known is not None and kind is not ScopeKind.BODY:
        return grant_for(role, known.code)
    body = find_body(typed)
    return grant_for(role, str(body.id) if kind is ScopeKind.BODY else body.region_code)


def disable_staff(staff_id: int, *, by: str) -> None:
    """Close an account: its sessions, links and tokens are worth nothing from now on.

    Raises:
        NotFound: no such person.
        Forbidden: it is the person's own account.
    """
    row = _other_person(staff_id, by)
    if row.state is StaffState.DISABLED:
        return
    row.state = StaffState.DISABLED
    db.writing().execute(delete(StaffSession).where(StaffSession.staff_id == staff_id))
    db.writing().execute(delete(StaffLink).where(StaffLink.staff_id == staff_id))
    db.writing().flush()
    audit.record(by, "staff-disabled", "staff", staff_id)


def _other_person(staff_id: int, by: str) -> Staff:
    # Locked, so that two administrators cannot give roles that do not go together.
    row = db.writing().get(Staff, staff_id, with_for_update=True)
    if row is None:
        raise NotFound("没有这个人员")
    if by == f"staff:{staff_id}":
        raise Forbidden("不能改自己的账户")
    return row


def staff_list() -> list[StaffView]:
    """Return every account by username."""
    rows = list(db.session().scalars(select(Staff).order_by(Staff.username)))
    grants = grants_of([row.id for row in rows])
    return [StaffView(row.id, row.username, row.name, row.state, grants[row.id]) for row in rows]


def get_staff(staff_id: int) -> StaffView:
    """Return one account.

    Raises:
        NotFound: no such person.
    """
    return _staff_view(db.session().get(Staff, staff_id))


def find_staff(username: str) -> StaffView:
    """Return one account.

    Raises:
        NotFound: nobody has that username.
    """
    return _staff_view(db.session().scalar(select(Staff).where(Staff.username == username)))


def _staff_view(row: Staff | None) -> StaffView:
    if row is None:
        raise NotFound("没有这个人员")
    return StaffView(row.id, row.username, row.name, row.state, grants_of([row.id])[row.id])


def grants_of(staff_ids: Iterable[int]) -> dict[int, tuple[Grant, ...]]:
    """Return everybody's grants; an empty tuple for who has none."""
    found: dict[int, tuple[Grant, ...]] = defaultdict(tuple)
    query = select(StaffGrant).where(StaffGrant.staff_id.in_(list(staff_ids))).order_by(StaffGrant.role)
    for row in db.session().scalars(query):
        found[row.staff_id] += (Grant(row.role, row.scope_kind, row.scope_ref),)
    return found


def principal_of(staff_id: int) -> Principal:
    """Return an active member of staff as a principal.

    Raises:
        NotFound: no such person, or the account is not active.
    """
    row = db.session().get(Staff, staff_id)
    if row is None or row.state is not StaffState.ACTIVE:
        raise NotFound("没有这个人员")
    return Principal(row.id, row.name, grants_of([row.id])[row.id])


def one_time_link(
    staff_id: int, purpose: LinkPurpose, *, by: str, environment: Environment, now: datetime
) -> str:
    """Return the secret of a new link; earlier unused links of that purpose stop working.

    Raises:
        NotFound: no such person, or the account is closed.
        Forbidden: a sign-in link in production.
    """
    if purpose is LinkPurpose.SIGN_IN and environment is Environment.PRODUCTION:
        raise Forbidden("一次性登录链接只在演示和测试环境可用")
    row = db.writing().get(Staff, staff_id)
    if row is None or row.state is StaffState.DISABLED:
        raise NotFound("没有这个人员")
    secret = secrets.token_urlsafe(SECRET_BYTES)
    db.writing().execute(
        update(StaffLink)
        .where(StaffLink.staff_id == staff_id, StaffLink.purpose == purpose, StaffLink.used_at.is_(None))
        .values(used_at=now)
    )
    db.writing().add(
        StaffLink(
            digest=vault.hash_secret(secret),
            staff_id=staff_id,
            purpose=purpose,
            expires_at=now + LINK_LIVES[purpose],
        )
    )
    db.writing().flush()
    if purpose is not LinkPurpose.SECOND_FACTOR:
        audit.record(by, "link-issued", "staff", staff_id, {"purpose": purpose.value})
    return secret


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """Return how to show each actor of the audit trail: staff by name, the system as 系统.

    Staff number 0 is nobody's account but the system acting in a role, e.g. to fill the demo. An actor
    that is none of these is shown as it is.
    """
    wanted = set(actors)
    staff = [actor for actor in wanted if actor.startswith("staff:")]
    ids = {int(number): actor for actor in staff if (number := actor.removeprefix("staff:")).isdecimal()}
    by_system = {actor for actor in wanted if actor == "staff:0" or actor.partition(":")[0] == "system"}
    found = {actor: SYSTEM_NAME if actor in by_system else actor for actor in wanted}
    if ids:
        for staff_id, name in db.session().execute(select(Staff.id, Staff.name).where(Staff.id.in_(ids))):
            found[ids[staff_id]] = name
    return found


def issue_api_token(staff_id: int, *, name: str, days: int, by: str, now: datetime) -> str:
    """Return the secret of a new API token; it may what its owner may, and is shown only now.

    Raises:
        Invalid: the name is empty or too long, or the life is not 1 to 365 days.
        NotFound: no such active person.
    """
    if not 1 <= len(name.strip()) <= TOKEN_NAME_MAX:
        raise Invalid(fields={"name": [f"1 至 {TOKEN_NAME_MAX} 个字"]})
    if not 1 <= days <= TOKEN_DAYS_MAX:
        raise Invalid(fields={"days": [f"1 至 {TOKEN_DAYS_MAX} 天"]})
    principal_of(staff_id)
    secret = TOKEN_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    row = ApiToken(
        digest=vault.hash_secret(secret),
        staff_id=staff_id,
        name=name.strip(),
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    db.writing().add(row)
    db.writing().flush()
    audit.record(by, "token-issued", "api_token", row.id, {"days": days})
    return secret


def api_tokens(staff_id: int) -> list[TokenView]:
    """Return a person's tokens, newest first."""
    query = select(ApiToken).where(ApiToken.staff_id == staff_id).order_by(ApiToken.created_at.desc())
    return [
        TokenView(row.id, row.name, row.created_at, row.expires_at, row.revoked_at)
        for row in db.session().scalars(query)
    ]


def revoke_api_token(token_id: int, *, staff_id: int, now: datetime) -> None:
    """Revoke one of a person's own tokens; nothing happens when it is revoked already.

    Raises:
        NotFound: no such token, or it is somebody else's.
    """
    row = db.writing().get(ApiToken, token_id)
    if row is None or row.staff_id != staff_id:
        raise NotFound("没有这个令牌")
    if row.revoked_at is None:
        row.revoked_at = now
        db.writing().flush()
        audit.record(f"staff:{staff_id}", "token-revoked", "api_token", token_id)
