"""Accounts of the demo: one for each role, signed in by link; the hall tells their one-time codes itself."""

from __future__ import annotations

from datetime import datetime

import pyotp
from sqlalchemy import select

from app.core import db, vault
from app.core.errors import Forbidden, NotFound
from app.organisations.domain import ROLE_LABELS, SCOPE_OF, LinkPurpose, Role, ScopeKind, StaffState
from app.organisations.models import Body, Staff
from app.organisations.signing_in import STEP_SECONDS, TOTP_FIELD
from app.organisations.staffing import create_staff, grant_for, one_time_link
from config.settings import Environment

_PREFIX = "demo-"


def demo_links(*, environment: Environment, now: datetime) -> dict[Role, str]:
    """Make sure that one demo account per role exists and return a new sign-in secret for each.

    Demo accounts have no password, and one-time codes that :func:`demo_code` tells; one that was disabled
    stays so and gets no link.

    Raises:
        Forbidden: in production.
        NotFound: the notice's tables are not filled yet.
    """
    if environment is Environment.PRODUCTION:
        raise Forbidden("演示账户只在演示和测试环境可用")
    links = {}
    for role in Role:
        username = f"{_PREFIX}{role.value.replace('_', '-')}"
        row = db.writing().scalar(select(Staff).where(Staff.username == username))
        if row is None:
            grant = grant_for(role, _demo_scope(role))
            made = create_staff(
                username=username, name=f"演示{ROLE_LABELS[role]}", grants=[grant], by="system", now=now
            )
            row = db.writing().get_one(Staff, made.id)
        if row.state is StaffState.DISABLED:
            continue
        if row.state is StaffState.INVITED:
            row.state = StaffState.ACTIVE
            db.writing().flush()
        if row.totp_token is None:
            row.totp_token = vault.seal(TOTP_FIELD, pyotp.random_base32())
        links[role] = one_time_link(
            row.id, LinkPurpose.SIGN_IN, by="system", environment=environment, now=now
        )
    return links


def _demo_scope(role: Role) -> str:
    match SCOPE_OF[role]:
        case ScopeKind.PROVINCE:
            return ""
        case ScopeKind.CITY:
            return "440100"
        case ScopeKind.COUNTY:
            return "440106"
        case ScopeKind.BODY:
            body_id = db.writing().scalar(select(Body.id).where(Body.full_name == "省公安厅"))
            if body_id is None:
                raise NotFound("先运行 flask hall prepare")
            return str(body_id)


def is_demo_account(staff_id: int, *, environment: Environment) -> bool:
    """Tell whether the hall tells somebody's one-time codes: made for the demo, and nobody's own."""
    if environment is Environment.PRODUCTION:
        return False
    return _told(db.session().get(Staff, staff_id))


def _told(row: Staff | None) -> bool:
    # Who sets a password up has made the account theirs, and enrolled a phone.
    return (
        row is not None
        and row.username.startswith(_PREFIX)
        and row.password_hash is None
        and row.totp_token is not None
    )


def demo_code(staff_id: int, *, environment: Environment, now: datetime) -> str:
    """Return a one-time code of a demo account that was not used yet.

    Raises:
        NotFound: in production, and of any other account.
    """
    row = db.session().get(Staff, staff_id)
    if environment is Environment.PRODUCTION or row is None or row.totp_token is None or not _told(row):
        raise NotFound("没有可以显示的动态验证码")
    step = max(int(now.timestamp()) // STEP_SECONDS, (row.totp_last_step or 0) + 1)
    codes = pyotp.TOTP(vault.unseal(TOTP_FIELD, row.totp_token), interval=STEP_SECONDS)
    return codes.generate_otp(step)
