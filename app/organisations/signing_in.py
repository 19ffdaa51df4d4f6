"""Signing in: password, one-time code, links, sessions and API tokens.

Nothing here says which part was wrong, or whether the account exists or is locked.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, delete, or_, select, update

from app.core import audit, db, vault
from app.core.errors import Forbidden, Invalid, NotFound
from app.organisations.domain import (
    ABSOLUTE,
    CONFIRMED_FOR,
    FAILURES_MAX,
    IDLE,
    LOCKED_FOR,
    PASSWORD_MAX,
    SEEN_EVERY,
    LinkPurpose,
    Principal,
    StaffState,
    password_problem,
)
from app.organisations.models import ApiToken, Staff, StaffLink, StaffSession
from app.organisations.staffing import SECRET_BYTES, grants_of, one_time_link
from config.settings import Environment

TOTP_FIELD = "totp_secret"
STEP_SECONDS = 30
STEPS_OFF = (0, -1, 1)  # a phone's clock may be half a minute off

# OWASP's profile of 19 MiB.
_hasher = PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1)
# Verified for unknown usernames, so that they cost what known ones cost.
_DECOY = _hasher.hash(secrets.token_urlsafe(16))


@dataclass(frozen=True, slots=True)
class SessionView:
    """Who a session belongs to; ``touch_due`` when its last use should be written down."""

    principal: Principal
    touch_due: bool


@dataclass(frozen=True, slots=True)
class LinkView:
    staff_id: int
    username: str
    name: str


@dataclass(frozen=True, slots=True)
class SetUpView:
    """What a person needs to enrol one-time codes (动态验证码)."""

    username: str
    totp_secret: str
    totp_uri: str


def password_matches(username: str, password: str) -> bool:
    """Tell whether the password is right; as slow for an unknown username as for a known one."""
    found = db.session().scalar(select(Staff.password_hash).where(Staff.username == username))
    try:
        _hasher.verify(found or _DECOY, password[: PASSWORD_MAX + 1])
    except (VerificationError, InvalidHashError):
        return False
    return found is not None


def after_password(username: str, matches: bool, *, environment: Environment, now: datetime) -> str | None:
    """Count a wrong password, or return the secret that the second step must show.

    Returns:
        None when the sign-in ends here: wrong password, unknown, closed or locked account.
    """
    if not matches:
        _count_failure(Staff.username == username, now)
        return None
    row = db.writing().scalar(select(Staff).where(Staff.username == username))
    if row is None or not _may_sign_in(row, now):
        return None
    return one_time_link(
        row.id, LinkPurpose.SECOND_FACTOR, by=f"staff:{row.id}", environment=environment, now=now
    )


def after_code(secret: str, code: str, *, now: datetime) -> str | None:
    """Finish a sign-in with a one-time code; return the new session's secret.

    A code works once: the last step used is kept, and only a later one counts.

    Returns:
        None when the code is wrong or used, the first step too long ago, or the account locked.
    """
    link = _unused_link(secret, LinkPurpose.SECOND_FACTOR, now)
    row = db.writing().get(Staff, link.staff_id) if link else None
    if link is None or row is None or row.totp_token is None or not _may_sign_in(row, now):
        return None
    step = matching_step(vault.unseal(TOTP_FIELD, row.totp_token), code, now, after=row.totp_last_step)
    if step is None or not _take_step(row.id, step):
        _count_failure(Staff.id == row.id, now)
        return None
    _use_link(link.id, now)
    row.failure_count = 0
    return open_session(row.id, by="password", confirmed_at=now, now=now)


def _may_sign_in(row: Staff, now: datetime) -> bool:
    return row.state is StaffState.ACTIVE and (row.locked_until is None or row.locked_until <= now)


def _count_failure(whose: ColumnElement[bool], now: datetime) -> None:
    unlocked = or_(Staff.locked_until.is_(None), Staff.locked_until <= now)
    db.writing().execute(
        update(Staff)
        .where(whose, unlocked)
        .values(failure_count=Staff.failure_count + 1)
        .execution_options(synchronize_session=False)
    )
    reached = select(Staff).where(whose, Staff.failure_count >= FAILURES_MAX)
    row = db.writing().scalar(reached.execution_options(populate_existing=True))
    if row is not None:
        row.failure_count = 0
        row.locked_until = now + LOCKED_FOR
        db.writing().flush()
        audit.record("system", "staff-locked", "staff", row.id, {"minutes": LOCKED_FOR.seconds // 60})


def matching_step(secret: str, code: str, now: datetime, *, after: int | None) -> int | None:
    """Return the time step that ``code`` belongs to; None when it fits none later than ``after``."""
    given = "".join(code.split())
    if not (given.isascii() and given.isdigit()):
        return None
    current = int(now.timestamp()) // STEP_SECONDS
    codes = pyotp.TOTP(secret, interval=STEP_SECONDS)
    for step in (current + off for off in STEPS_OFF):
        if hmac.compare_digest(codes.generate_otp(step), given) and (after is None or step > after):
            return step
    return None


def _take_step(staff_id: int, step: int) -> bool:
    later = or_(Staff.totp_last_step.is_(None), Staff.totp_last_step < step)
    taken = db.writing().execute(update(Staff).where(Staff.id == staff_id, later).values(totp_last_step=step))
    return int(taken.rowcount) == 1  # type: ignore[attr-defined]


def open_session(staff_id: int, *, by: str, confirmed_at: datetime | None = None, now: datetime) -> str:
    """Return the secret of a new session; ``by`` says how the person signed in.

    Args:
        confirmed_at: when a one-time code was shown, None when none was.
    """
    secret = secrets.token_urlsafe(SECRET_BYTES)
    db.writing().add(
        StaffSession(
            digest=vault.hash_secret(secret),
            staff_id=staff_id,
            created_at=now,
            seen_at=now,
            confirmed_at=confirmed_at,
            expires_at=now + ABSOLUTE,
        )
    )
    db.writing().flush()
    audit.record(f"staff:{staff_id}", "signed-in", "staff", staff_id, {"by": by})
    return secret


def session_principal(secret: str, *, now: datetime) -> SessionView | None:
    """Return who a session belongs to; None after 15 idle minutes or 12 hours in all."""
    query = (
        select(Staff.id, Staff.name, StaffSession.seen_at, StaffSession.id, StaffSession.confirmed_at)
        .join(Staff, Staff.id == StaffSession.staff_id)
        .where(
            StaffSession.digest == vault.hash_secret(secret),
            StaffSession.expires_at > now,
            StaffSession.seen_at > now - IDLE,
            Staff.state == StaffState.ACTIVE,
        )
    )
    row = db.session().execute(query).first()
    if row is None:
        return None
    staff_id, name, seen_at, session_id, confirmed_at = row
    principal = Principal(staff_id, name, grants_of([staff_id])[staff_id], session_id, confirmed_at)
    return SessionView(principal, touch_due=now - seen_at >= SEEN_EVERY)


def freshly_confirmed(by: Principal, now: datetime) -> bool:
    """Tell whether the caller showed a one-time code within the last minutes."""
    return by.confirmed_at is not None and now - by.confirmed_at <= CONFIRMED_FOR


def confirm(by: Principal, code: str, *, now: datetime) -> bool:
    """Tell whether ``code`` is the caller's one-time code, and write it down for the session.

    Wrong codes count as failures to sign in do. Call it in a transaction of its own: an error in the
    same one would make them uncounted.
    """
    row = db.writing().get(Staff, by.staff_id)
    if row is None or row.totp_token is None or not _may_sign_in(row, now):
        return False
    step = matching_step(vault.unseal(TOTP_FIELD, row.totp_token), code, now, after=row.totp_last_step)
    if step is None or not _take_step(row.id, step):
        _count_failure(Staff.id == row.id, now)
        return False
    if by.session_id is not None:
        db.writing().execute(
            update(StaffSession).where(StaffSession.id == by.session_id).values(confirmed_at=now)
        )
    audit.record(by.actor, "code-confirmed", "staff", row.id)
    return True


def touch_session(secret: str, *, now: datetime) -> None:
    """Write down that a session was used now."""
    db.writing().execute(
        update(StaffSession)
        .where(StaffSession.digest == vault.hash_secret(secret), StaffSession.seen_at < now)
        .values(seen_at=now)
    )


def close_session(secret: str) -> None:
    """End a session; nothing happens when it is over already."""
    digest = vault.hash_secret(secret)
    staff_id = db.writing().scalar(select(StaffSession.staff_id).where(StaffSession.digest == digest))
    if staff_id is not None:
        db.writing().execute(delete(StaffSession).where(StaffSession.digest == digest))
        audit.record(f"staff:{staff_id}", "signed-out", "staff", staff_id)


def token_principal(secret: str, *, now: datetime) -> Principal | None:
    """Return whose API token this is; None when it is unknown, over, revoked, or its owner closed."""
    query = (
        select(Staff.id, Staff.name)
        .join(ApiToken, ApiToken.staff_id == Staff.id)
        .where(
            ApiToken.digest == vault.hash_secret(secret),
            ApiToken.expires_at > now,
            ApiToken.revoked_at.is_(None),
            Staff.state == StaffState.ACTIVE,
        )
    )
    row = db.session().execute(query).first()
    return None if row is None else Principal(*row, grants_of([row[0]])[row[0]])


def _unused_link(secret: str, purpose: LinkPurpose, now: datetime) -> StaffLink | None:
    return db.session().scalar(
        select(StaffLink).where(
            StaffLink.digest == vault.hash_secret(secret),
            StaffLink.purpose == purpose,
            StaffLink.used_at.is_(None),
            StaffLink.expires_at > now,
        )
    )


def _use_link(link_id: int, now: datetime) -> None:
    used = db.writing().execute(
        update(StaffLink).where(StaffLink.id == link_id, StaffLink.used_at.is_(None)).values(used_at=now)
    )
    if used.rowcount != 1:  # type: ignore[attr-defined]
        raise NotFound("链接无效、已用过或已过期")


def see_link(secret: str, purpose: LinkPurpose, *, now: datetime) -> LinkView:
    """Return whom an unused link is for, without using it up.

    Raises:
        NotFound: no such link, used, or over.
    """
    link, row = _link_and_owner(secret, purpose, now)
    return LinkView(link.staff_id, row.username, row.name)


def _link_and_owner(secret: str, purpose: LinkPurpose, now: datetime) -> tuple[StaffLink, Staff]:
    link = _unused_link(secret, purpose, now)
    row = db.session().get(Staff, link.staff_id) if link else None
    if link is None or row is None or row.state is StaffState.DISABLED:
        raise NotFound("链接无效、已用过或已过期")
    return link, row


def sign_in_by_link(secret: str, *, environment: Environment, now: datetime) -> str:
    """Use a sign-in link up and return the new session's secret.

    Raises:
        Forbidden: in production, where no such links are.
        NotFound: no such link, used, or over.
    """
    if environment is Environment.PRODUCTION:
        raise Forbidden("一次性登录链接只在演示和测试环境可用")
    link, row = _link_and_owner(secret, LinkPurpose.SIGN_IN, now)
    _use_link(link.id, now)
    return open_session(row.id, by="link", now=now)


def begin_set_up(secret: str, *, now: datetime) -> SetUpView:
    """Return what to scan; the same each time a link is opened, until it is used up.

    Raises:
        NotFound: no such link, used, or over.
    """
    link, row = _link_and_owner(secret, LinkPurpose.SET_UP, now)
    if link.totp_token is None:
        totp_secret = pyotp.random_base32()
        link.totp_token = vault.seal(TOTP_FIELD, totp_secret)
        db.writing().flush()
    else:
        totp_secret = vault.unseal(TOTP_FIELD, link.totp_token)
    uri = pyotp.TOTP(totp_secret).provisioning_uri(name=row.username, issuer_name="省网上办事大厅")
    return SetUpView(row.username, totp_secret, uri)


def new_password_hash(password: str, username: str) -> str:
    """Return the hash of a new password; slow, so call it outside any transaction.

    Raises:
        Invalid: too short, too long or too easily guessed.
    """
    problem = password_problem(password, username)
    if problem:
        raise Invalid(problem, fields={"password": [problem]})
    return _hasher.hash(password)


def finish_set_up(secret: str, *, password_hash: str, code: str, now: datetime) -> str:
    """Use a set-up link up: take the password and the enrolled codes; return a new session's secret.

    Sessions opened before are over.

    Raises:
        NotFound: no such link, used, or over.
        Invalid: the code does not fit what was shown.
    """
    link, row = _link_and_owner(secret, LinkPurpose.SET_UP, now)
    step = (
        matching_step(vault.unseal(TOTP_FIELD, link.totp_token), code, now, after=None)
        if link.totp_token
        else None
    )
    if step is None:
        raise Invalid("动态验证码不对", fields={"code": ["动态验证码不对"]})
    _use_link(link.id, now)
    former = row.totp_token
    row.password_hash, row.totp_token, row.totp_last_step = password_hash, link.totp_token, step
    row.state, row.failure_count, row.locked_until = StaffState.ACTIVE, 0, None
    link.totp_token = None
    db.writing().execute(delete(StaffSession).where(StaffSession.staff_id == row.id))
    db.writing().flush()
    if former:
        vault.forget(former)
    audit.record(f"staff:{row.id}", "credentials-set", "staff", row.id)
    return open_session(row.id, by="set-up", confirmed_at=now, now=now)


def forget_expired(now: datetime) -> None:
    """Delete sessions and links that are over, with the secrets that unused links have shown."""
    db.writing().execute(
        delete(StaffSession).where(or_(StaffSession.expires_at <= now, StaffSession.seen_at <= now - IDLE))
    )
    over = StaffLink.expires_at <= now
    for token in db.writing().scalars(
        select(StaffLink.totp_token).where(over, StaffLink.totp_token.is_not(None))
    ):
        vault.forget(str(token))
    db.writing().execute(delete(StaffLink).where(over))
