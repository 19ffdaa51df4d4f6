"""Binding a member of staff to a user id on a platform account, proved by a code sent from there."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from app.alerts.domain import CODE_MINUTES_MAX
from app.alerts.models import BindingCode, StaffBinding
from app.alerts.sealing import CODE_FIELD, OPENID_FIELD, openid_of
from app.channel_accounts import service as channel_accounts
from app.channel_accounts.service import AccountView
from app.core import audit, db, limits, vault
from app.core.errors import DomainError, NotFound
from app.organisations import service as organisations

CODE_LIFE = timedelta(minutes=CODE_MINUTES_MAX)
BINDABLE = ("wechat", "alipay")
# A code is one of a million and lives ten minutes. Who guesses from many accounts at once would need more
# than a year to hit one, were there a live one all the time.
GUESSES_PER_SENDER = "5/15minutes"
GUESSES_PER_ACCOUNT = "100/hour"
CODES_PER_PERSON = "10/hour"

_ASKED = re.compile(r"\s*绑定\s*([0-9]{6})\s*")
_UNASKED = re.compile(r"\s*解除绑定\s*")


class BadCode(DomainError):
    """No such code, or its time is over: the two are not told apart."""

    code = "bad_binding_code"
    title = "绑定码不对或已过期"
    title_en = "The binding code is wrong or has expired"


class AlreadyBound(DomainError):
    code = "already_bound"
    title = "这个账号已绑定其他工作人员"
    title_en = "This account is bound to somebody else"


@dataclass(frozen=True, slots=True)
class BindingView:
    """A bound account; never the user id."""

    id: int
    kind: str
    account_name: str
    bound_at: datetime


def code_in(text: str) -> str | None:
    """Return the code that a text message asks to bind with (``绑定 123456``); None for other words."""
    found = _ASKED.fullmatch(text)
    return found[1] if found else None


def asks_to_unbind(text: str) -> bool:
    """Tell whether a text message asks to end a binding (``解除绑定``)."""
    return bool(_UNASKED.fullmatch(text))


def new_code(staff_id: int, *, now: datetime, life: timedelta = CODE_LIFE) -> str:
    """Return a new code for the screen; an earlier one stops working.

    Raises:
        TooMany: too many codes were asked for.
    """
    limits.hit(CODES_PER_PERSON, "alert-binding-code", str(staff_id))
    gone = (BindingCode.staff_id == staff_id) | (BindingCode.expires_at < now)
    for row in db.writing().scalars(select(BindingCode).where(gone)):
        _forget(row)
    db.writing().flush()
    # No two live codes may be alike: the platform tells who sent one, not whom it was shown to.
    code = _random()
    while vault.find(CODE_FIELD, code):
        code = _random()
    token = vault.seal(CODE_FIELD, code, findable=True)
    db.writing().add(BindingCode(staff_id=staff_id, code_token=token, expires_at=now + life))
    db.writing().flush()
    return code


def bind(code: str, account: AccountView, openid: str, *, now: datetime) -> str:
    """Bind who sent ``code`` from ``account`` to the member of staff it was shown to; return the name.

    Binding anew replaces the person's earlier user id on the account.

    Raises:
        TooMany: too many guesses from this sender or on this account.
        BadCode: no such code, its time is over, or its owner's account is closed.
        AlreadyBound: the user id is bound to another member of staff.
    """
    limits.hit(GUESSES_PER_SENDER, "alert-bind", str(account.id), openid)
    limits.hit(GUESSES_PER_ACCOUNT, "alert-bind", str(account.id))
    row = db.writing().scalar(
        select(BindingCode)
        .where(BindingCode.code_token.in_(vault.find(CODE_FIELD, code)), BindingCode.expires_at > now)
        .with_for_update()
    )
    if row is None:
        raise BadCode
    try:
        name = organisations.principal_of(row.staff_id).name
    except NotFound:
        raise BadCode from None
    known = _bound_to(account, openid)
    if known is not None and known.staff_id != row.staff_id:
        raise AlreadyBound
    _replace(row.staff_id, account, openid, now)
    _forget(row)
    db.writing().flush()
    return name


def unbind_sender(account: AccountView, openid: str) -> bool:
    """End the binding of who wrote from ``account``; False when there is none."""
    row = _bound_to(account, openid)
    if row is None:
        return False
    _remove(row, by=f"staff:{row.staff_id}")
    return True


def unbind(staff_id: int, binding_id: int) -> None:
    """End one of a person's own bindings.

    Raises:
        NotFound: no such binding, or it is somebody else's.
    """
    row = db.writing().get(StaffBinding, binding_id)
    if row is None or row.staff_id != staff_id:
        raise NotFound("没有这个绑定")
    _remove(row, by=f"staff:{staff_id}")


def bindings_of(staff_id: int) -> list[BindingView]:
    """Return a person's bindings, the oldest first."""
    query = select(StaffBinding).where(StaffBinding.staff_id == staff_id).order_by(StaffBinding.bound_at)
    return [
        BindingView(row.id, row.kind, channel_accounts.get(row.account_id).name, row.bound_at)
        for row in db.session().scalars(query)
    ]


def bindable_accounts() -> list[AccountView]:
    """Return the accounts that staff can bind to."""
    return [account for account in channel_accounts.accounts() if account.kind in BINDABLE]


def give_binding(staff_id: int, account: AccountView, openid: str, *, now: datetime) -> None:
    """Bind without a code, to fill the demo; nothing happens when it is bound already."""
    if _bound_to(account, openid) is None:
        _replace(staff_id, account, openid, now)


def _replace(staff_id: int, account: AccountView, openid: str, now: datetime) -> None:
    row = db.writing().scalar(
        select(StaffBinding).where(StaffBinding.staff_id == staff_id, StaffBinding.account_id == account.id)
    )
    if row is not None:
        _remove(row, by=f"staff:{staff_id}")
    made = StaffBinding(
        staff_id=staff_id,
        account_id=account.id,
        kind=account.kind,
        openid_token=vault.seal(OPENID_FIELD, openid_of(account.id, openid), findable=True),
        bound_at=now,
    )
    db.writing().add(made)
    db.writing().flush()
    detail = {"binding": str(made.id), "account": account.key}
    audit.record(f"staff:{staff_id}", "alert_binding.bind", "staff", staff_id, detail)


def _remove(row: StaffBinding, *, by: str) -> None:
    vault.forget(row.openid_token)
    db.writing().delete(row)
    db.writing().flush()
    audit.record(by, "alert_binding.unbind", "staff", row.staff_id, {"binding": str(row.id)})


def _bound_to(account: AccountView, openid: str) -> StaffBinding | None:
    tokens = vault.find(OPENID_FIELD, openid_of(account.id, openid))
    if not tokens:
        return None
    return db.session().scalar(select(StaffBinding).where(StaffBinding.openid_token.in_(tokens)))


def _forget(row: BindingCode) -> None:
    vault.forget(row.code_token)
    db.writing().delete(row)


def _random() -> str:
    return f"{secrets.randbelow(10**6):06d}"
