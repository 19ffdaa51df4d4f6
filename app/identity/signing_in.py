"""Signing in through a platform: by way of its page (OAuth), or from inside its own app.

These functions open their own transactions: between them lies a call to the platform, and no
transaction stays open over the network.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, TypeVar

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from app.channel_accounts import service as channel_accounts
from app.channel_accounts.service import AccountView
from app.core import db, vault
from app.core.errors import Invalid
from app.core.installation import settings
from app.core.own_path import is_own_path
from app.identity import residents, sessions
from app.identity.domain import (
    CODE_MAX,
    STATE_LIFE,
    TICKET_KEPT,
    Client,
    PhoneRefused,
    PlatformAway,
    SignInCodeRefused,
    SignInExpired,
    SignInForeign,
    SignInImpossible,
    SignInRefused,
    SignInUsed,
    platform_of,
)
from app.identity.models import ResidentSession, SignInAttempt, SsoTicket
from app.identity.sessions import Session
from channels.base import (
    MAX_ID_CHARS,
    Capability,
    Channel,
    ChannelError,
    ChannelIdentity,
    LoginScope,
    Rejected,
)
from config.settings import Environment

T = TypeVar("T")
RETURN_PATH = "/sign-in/return"
RACES_LOST_MAX = 5
PREVIEW = "这是微信的快照页。请点右下角“使用完整服务”，再登录。"

_RANDOM = re.compile(r"[A-Za-z0-9_-]{43}")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SignInStart:
    """Where the browser goes now, and the secret it must bring back in its cookie."""

    url: str
    cookie: str


@dataclass(frozen=True, slots=True)
class SignInEnd:
    """A sign-in that came back well.

    Attributes:
        session: None when a way of signing in was added to an account that is signed in already.
        return_to: a path of ours.
    """

    session: Session | None
    resident_id: int
    return_to: str


@dataclass(frozen=True, slots=True)
class Way:
    """A platform account through which a resident can sign in."""

    account_id: int
    key: str
    name: str
    kind: str
    label: str


def ways(platform: str = "") -> list[Way]:
    """Return the ways of signing in on pages; inside a platform's app only its own."""
    found = []
    for account in channel_accounts.accounts():
        if platform and platform_of(account.kind) != platform:
            continue
        if Capability.WEB_LOGIN in channel_accounts.adapter(account.id).capabilities:
            found.append(Way(account.id, account.key, account.name, account.kind, account.label))
    return found


def start_sign_in(
    account_key: str,
    return_to: str,
    *,
    now: datetime,
    scope: LoginScope = LoginScope.BASE,
    cookie: str = "",
    resident_id: int | None = None,
) -> SignInStart:
    """Write down that a sign-in begins; return where the resident confirms it.

    Args:
        cookie: what this browser's cookie holds from an attempt before, so that two attempts in two
            tabs do not spoil each other.
        resident_id: who adds this way of signing in to their account.

    Raises:
        NotFound: no such account.
        SignInImpossible: it offers no sign-in on pages, or the hall's own address is not encrypted.
        Invalid: ``return_to`` is not a path of ours.
    """
    if not is_own_path(return_to):
        raise Invalid("只能回到大厅自己的页面", fields={"return_to": ["不是本站地址"]})
    _demand_tls()
    account, adapter = _adapter(account_key, Capability.WEB_LOGIN)
    state = secrets.token_urlsafe(32)
    secret = cookie if _RANDOM.fullmatch(cookie) else secrets.token_urlsafe(32)
    url = adapter.authorize_url(settings().base_url + RETURN_PATH, state, scope)
    attempt = {
        "state_digest": vault.hash_secret(state),
        "cookie_digest": vault.hash_secret(secret),
        "account_id": account.id,
        "resident_id": resident_id,
        "scope": scope.value,
        "return_to": return_to,
        "expires_at": now + STATE_LIFE,
        "used_at": None,
    }
    db.transaction(lambda: db.writing().add(SignInAttempt(**attempt)))
    return SignInStart(url, secret)


def finish_sign_in(
    args: Mapping[str, str],
    cookie: str,
    *,
    now: datetime,
    client: Client = Client.BROWSER,
    former: str = "",
    signed_in: int | None = None,
) -> SignInEnd:
    """Take a resident in who comes back from the platform.

    Args:
        args: the query parameters as the platform sent them.
        cookie: the secret of :class:`SignInStart`.
        former: secret of the session this browser had; it ends.
        signed_in: which resident this browser is signed in as now. A way of signing in is added to the
            account of whoever asked for it, and only while they are still signed in here.

    Raises:
        SignInExpired, SignInForeign, SignInUsed: the attempt does not count.
        SignInImpossible: the account was switched off meanwhile.
        SignInRefused, SignInCodeRefused: the resident or the platform said no.
        PlatformAway: it does not answer.
        BindingTaken: the way to add belongs to another account.
    """
    attempt = db.transaction(lambda: _claim(args.get("state", ""), cookie, now))
    if attempt.resident_id not in (None, signed_in):
        raise SignInForeign
    account = channel_accounts.get(attempt.account_id)
    if not account.active:
        raise SignInImpossible
    adapter = channel_accounts.adapter(account.id)
    try:
        code, _ = adapter.read_callback(args)
    except Rejected:
        raise SignInRefused("你没有同意登录，或登录被平台拒绝。") from None
    identity = _identity(adapter, code, LoginScope(attempt.scope))

    def settle() -> SignInEnd:
        if attempt.resident_id is not None:
            residents.bind(attempt.resident_id, account, identity, now=now)
            return SignInEnd(None, attempt.resident_id, attempt.return_to)
        resident_id = residents.known_or_new(account, identity, now=now)
        sessions.end_by_token(former)
        opened = sessions.open_session(resident_id, account.id, client, for_cookie=True, now=now)
        return SignInEnd(opened, resident_id, attempt.return_to)

    return _settled(settle)


def restart_of(state: str, cookie: str) -> str | None:
    """Return the address that begins the same sign-in anew; None when it is not this browser's."""
    row = _attempt(state)
    if row is None or not _is_of(row, cookie) or row.resident_id is not None:
        return None
    return row.return_to


def sign_in_mini(account_key: str, code: str, *, now: datetime) -> Session:
    """Take a resident in who gives a code from inside the platform's own app.

    Raises:
        NotFound: no such account.
        SignInImpossible: it has no such sign-in.
        SignInCodeRefused: the platform does not take the code.
        PlatformAway: it does not answer.
    """
    account, adapter = _adapter(account_key, Capability.MINI_LOGIN)
    identity = _identity(adapter, code, LoginScope.BASE)
    client = Client(f"{platform_of(account.kind)}_mini")

    def settle() -> Session:
        resident_id = residents.known_or_new(account, identity, now=now)
        return sessions.open_session(resident_id, account.id, client, for_cookie=False, now=now)

    return _settled(settle)


def take_phone(resident_id: int, account_id: int, code: str) -> None:
    """Ask the platform for the number that the resident agreed to give, and keep it in the vault.

    Raises:
        SignInImpossible: the account gives no numbers.
        PhoneRefused: the platform does not take the code.
        PlatformAway: it does not answer.
    """
    adapter = channel_accounts.adapter(account_id)
    if Capability.PHONE_NUMBER not in adapter.capabilities:
        raise SignInImpossible("这个账号不能取得手机号码")
    try:
        phone = adapter.phone_number(_plain(code))
    except ChannelError as error:
        _refuse(adapter, error, PhoneRefused())
    if not (phone.country_code.isdecimal() and phone.number.isdecimal() and len(phone.number) <= 20):
        raise PhoneRefused
    db.transaction(lambda: residents.keep_phone(resident_id, phone))


def forget_expired(now: datetime, *, limit: int = 1000) -> int:
    """Delete attempts, sessions and tickets whose time is over, ``limit`` of each; return how many."""
    gone = 0
    for table, before in (
        (SignInAttempt, now),
        (ResidentSession, now),
        (SsoTicket, now - TICKET_KEPT),
    ):
        ids = list(db.writing().scalars(select(table.id).where(table.expires_at < before).limit(limit)))
        db.writing().execute(delete(table).where(table.id.in_(ids)))
        gone += len(ids)
    return gone


def _demand_tls() -> None:
    installed = settings()
    if installed.environment is Environment.PRODUCTION and not installed.base_url.startswith("https:"):
        # The session's cookie would travel in the clear.
        raise SignInImpossible("大厅的地址（HALL_BASE_URL）不是 https，不能登录")


def _settled(work: Callable[[], T]) -> T:
    # The same new person may come in by several ways in this very moment. Who loses looks again and finds
    # what the winner wrote: the shared id first, then the binding, so two losses in a row are ordinary.
    for _ in range(RACES_LOST_MAX):
        with suppress(IntegrityError, residents.ClosedMeanwhile):
            return db.transaction(work)
    return db.transaction(work)


def _adapter(account_key: str, needed: Capability) -> tuple[AccountView, Channel]:
    account = channel_accounts.by_key(account_key)
    adapter = channel_accounts.adapter(account.id)
    if needed not in adapter.capabilities:
        raise SignInImpossible
    return account, adapter


@dataclass(frozen=True, slots=True)
class _Claimed:
    account_id: int
    resident_id: int | None
    scope: str
    return_to: str


def _claim(state: str, cookie: str, now: datetime) -> _Claimed:
    row = _attempt(state)
    if row is None or row.expires_at <= now:
        raise SignInExpired
    if not _is_of(row, cookie):
        raise SignInForeign
    taken = db.writing().execute(
        update(SignInAttempt)
        .where(SignInAttempt.id == row.id, SignInAttempt.used_at.is_(None))
        .values(used_at=now)
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        raise SignInUsed
    return _Claimed(row.account_id, row.resident_id, row.scope, row.return_to)


def _attempt(state: str) -> SignInAttempt | None:
    if not _RANDOM.fullmatch(state):
        return None
    query = select(SignInAttempt).where(SignInAttempt.state_digest == vault.hash_secret(state))
    return db.session().scalar(query)


def _is_of(row: SignInAttempt, cookie: str) -> bool:
    if not _RANDOM.fullmatch(cookie):
        return False
    return hmac.compare_digest(row.cookie_digest, vault.hash_secret(cookie))


def _identity(adapter: Channel, code: str, scope: LoginScope) -> ChannelIdentity:
    try:
        found = adapter.exchange(_plain(code))
        if (
            scope is LoginScope.PROFILE
            and not found.union_id
            and Capability.USER_INFO in adapter.capabilities
        ):
            info = adapter.user_info(found)
            found = ChannelIdentity(found.account, found.subject, info.union_id)
    except ChannelError as error:
        if error.code == "snapshot_user":
            raise SignInRefused(PREVIEW) from None
        _refuse(adapter, error, SignInCodeRefused())
    if not 0 < len(found.subject) <= MAX_ID_CHARS:
        raise SignInCodeRefused
    return found


def _plain(code: str) -> str:
    if not (0 < len(code) <= CODE_MAX and code.isascii() and code.isprintable()):
        raise SignInCodeRefused
    return code


def _refuse(adapter: Channel, error: ChannelError, refused: Exception) -> NoReturn:
    # The platform's own code tells staff what is wrong; it holds nothing about the resident.
    log.warning("sign_in_failed", account=adapter.account, code=error.code, retryable=error.retryable)
    raise (PlatformAway() if error.retryable else refused) from None
