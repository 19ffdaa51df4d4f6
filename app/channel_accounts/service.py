"""Public API of channel accounts. Other capabilities import this module only."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

import requests
from sqlalchemy import bindparam, select, update

from app.channel_accounts.domain import NAME_MAX, NOTE_EVERY, SECRET_FIELD, UnknownKind
from app.channel_accounts.menu_rules import MenuRulesView as MenuRulesView
from app.channel_accounts.menu_rules import menu_rules as menu_rules
from app.channel_accounts.menu_rules import save_menu_rules as save_menu_rules
from app.channel_accounts.models import ChannelAccount, ChannelSecret
from app.channel_accounts.tokens import SharedTokens
from app.core import audit, clock, db, vault
from app.core.errors import Conflict, Invalid, NotFound, Stale
from channels import registry
from channels.base import AccountConfig, Channel, ChannelEnv
from channels.fields import ChannelDescription

# Each byte becomes a letter or digit: 16 of them are as good as 95 random bits.
_NONCE_LETTERS = bytes((string.ascii_letters + string.digits).encode()[byte % 62] for byte in range(256))


@dataclass(frozen=True, slots=True)
class AccountView:
    """What others may know of an account; never a secret.

    Attributes:
        key: part of the callback address ``/callbacks/<key>``.
        label: the kind's name for people.
        menu_error: why the menu could not be published the last time; None when it could.
    """

    id: int
    kind: str
    label: str
    key: str
    name: str
    settings: Mapping[str, str]
    active: bool
    version: int
    last_handshake_at: datetime | None
    last_inbound_at: datetime | None
    menu_published_at: datetime | None
    menu_error: str | None


def kinds() -> Mapping[str, ChannelDescription]:
    """Return every kind of channel there is, the test stub left out."""
    return {kind: description for kind, description in registry.kinds().items() if kind != "stub"}


def accounts(kind: str | None = None, *, active_only: bool = True) -> list[AccountView]:
    """Return accounts ordered by kind and key."""
    query = select(ChannelAccount).order_by(ChannelAccount.kind, ChannelAccount.key)
    if kind is not None:
        query = query.where(ChannelAccount.kind == kind)
    if active_only:
        query = query.where(ChannelAccount.active)
    return [_view(row) for row in db.session().scalars(query)]


def get(account_id: int) -> AccountView:
    """Return one account.

    Raises:
        NotFound: no such account.
    """
    return _view(_row(account_id))


def by_key(key: str) -> AccountView:
    """Return the active account whose callback address ends in ``key``.

    Raises:
        NotFound: none, or it is switched off.
    """
    row = db.session().scalar(select(ChannelAccount).where(ChannelAccount.key == key, ChannelAccount.active))
    if row is None:
        raise NotFound("没有这个渠道账号")
    return _view(row)


_CALLED = select(
    ChannelAccount.__table__.c.id,
    ChannelAccount.__table__.c.version,
    ChannelAccount.__table__.c.last_inbound_at,
).where(ChannelAccount.__table__.c.key == bindparam("key"), ChannelAccount.__table__.c.active)


def called(key: str) -> tuple[AccountView, Channel]:
    """Return the active account whose callback address ends in ``key``, and its adapter.

    Every callback asks, so that one short statement must do; of the account's own state only
    ``last_inbound_at`` is new, the rest as of the last change of its settings.

    Raises:
        NotFound: none, or it is switched off.
    """
    row = db.session().execute(_CALLED, {"key": key}).first()
    if row is None:
        raise NotFound("没有这个渠道账号")
    known = _called.get(row.id)
    if known is None or known[0] != row.version:
        known = _called[row.id] = (row.version, get(row.id), adapter(row.id))
    return replace(known[1], last_inbound_at=row.last_inbound_at), known[2]


_called: dict[int, tuple[int, AccountView, Channel]] = {}


def create_account(
    *, kind: str, key: str, name: str, values: Mapping[str, str], actor: str, now: datetime
) -> AccountView:
    """Add an account; its secrets go to the vault.

    Raises:
        UnknownKind: no such kind of channel.
        Invalid: the name or the settings are refused; ``fields`` says which and why.
        Conflict: the key is taken.
    """
    if db.session().scalar(select(ChannelAccount.id).where(ChannelAccount.key == key)):
        raise Conflict("这个账号标识已被使用")
    _check_name(name)
    plain, secret = _checked(kind, key, values)
    row = ChannelAccount(
        kind=kind, key=key, name=name, settings=plain, active=True, version=1, created_at=now
    )
    db.writing().add(row)
    db.writing().flush()
    _keep_secrets(row.id, secret)
    audit.record(actor, "channel_account.create", "channel_account", row.id, {"kind": kind, "key": key})
    return _view(row)


def update_account(
    account_id: int, *, version: int, name: str, values: Mapping[str, str], active: bool, actor: str
) -> AccountView:
    """Change an account; a secret left empty stays as it is.

    Raises:
        NotFound, Invalid: as for :func:`create_account`.
        Stale: somebody else changed it first.
    """
    _check_name(name)
    row = _row(account_id)
    kept = {name_: value for name_, value in _secrets_of(account_id).items() if not values.get(name_)}
    plain, secret = _checked(row.kind, row.key, {**values, **kept})
    changed = db.writing().execute(
        update(ChannelAccount)
        .where(ChannelAccount.id == account_id, ChannelAccount.version == version)
        .values(name=name, settings=plain, active=active, version=version + 1)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise Stale
    _keep_secrets(account_id, {name_: value for name_, value in secret.items() if name_ not in kept})
    audit.record(actor, "channel_account.update", "channel_account", account_id, {"active": active})
    return get(account_id)


def adapter(account_id: int) -> Channel:
    """Return the ready adapter of an account; built once per version and process.

    Raises:
        NotFound: no such account.
    """
    row = _row(account_id)
    known = _adapters.get(account_id)
    if known is None or known[0] != row.version:
        config = AccountConfig(row.kind, row.key, dict(row.settings), _secrets_of(account_id))
        known = (row.version, registry.build(config, environment()))
        _adapters[account_id] = known
    return known[1]


def note_handshake(account_id: int, now: datetime) -> None:
    """Remember that the platform checked our address."""
    db.writing().execute(
        update(ChannelAccount).where(ChannelAccount.id == account_id).values(last_handshake_at=now)
    )


def note_inbound(account: AccountView, now: datetime) -> None:
    """Remember that a message came in, at most once a minute."""
    if account.last_inbound_at is None or now - account.last_inbound_at >= NOTE_EVERY:
        db.writing().execute(
            update(ChannelAccount).where(ChannelAccount.id == account.id).values(last_inbound_at=now)
        )


def note_menu(account_id: int, now: datetime, error: str | None = None) -> None:
    """Remember how the last publication of the menu ended."""
    changed = {"menu_error": error[:200]} if error else {"menu_error": None, "menu_published_at": now}
    db.writing().execute(update(ChannelAccount).where(ChannelAccount.id == account_id).values(**changed))


_adapters: dict[int, tuple[int, Channel]] = {}


@cache
def environment() -> ChannelEnv:
    """Return what calls to a platform need from outside."""
    return ChannelEnv(
        clock=clock.system_clock,
        nonce=lambda: secrets.token_bytes(16).translate(_NONCE_LETTERS).decode("ascii"),
        http=requests.Session(),
        tokens=SharedTokens(),
    )


def _row(account_id: int) -> ChannelAccount:
    row = db.session().get(ChannelAccount, account_id)
    if row is None:
        raise NotFound("没有这个渠道账号")
    return row


def _check_name(name: str) -> None:
    if not (1 <= len(name) <= NAME_MAX and name.isprintable()):
        raise Invalid("账号设置有误", fields={"name": f"1 至 {NAME_MAX} 个字"})


def _checked(kind: str, key: str, values: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    description = kinds().get(kind)
    if description is None:
        raise UnknownKind
    given = {name: value.strip() for name, value in values.items() if value.strip()}
    problems = registry.check_settings(kind, key, given)
    if problems:
        raise Invalid("账号设置有误", fields={problem.name: problem.message for problem in problems})
    secret = {name: value for name, value in given.items() if name in description.secret_names}
    return {name: value for name, value in given.items() if name not in secret}, secret


def _keep_secrets(account_id: int, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        row = db.writing().scalar(
            select(ChannelSecret).where(ChannelSecret.account_id == account_id, ChannelSecret.name == name)
        )
        token = vault.seal(SECRET_FIELD, value)
        if row is None:
            db.writing().add(ChannelSecret(account_id=account_id, name=name, vault_token=token))
        else:
            vault.forget(row.vault_token)
            row.vault_token = token
    db.writing().flush()


def _secrets_of(account_id: int) -> dict[str, str]:
    rows = db.session().scalars(select(ChannelSecret).where(ChannelSecret.account_id == account_id))
    return {row.name: vault.unseal(SECRET_FIELD, row.vault_token) for row in rows}


def _view(row: ChannelAccount) -> AccountView:
    return AccountView(
        id=row.id,
        kind=row.kind,
        label=registry.kinds()[row.kind].label,
        key=row.key,
        name=row.name,
        settings=dict(row.settings),
        active=row.active,
        version=row.version,
        last_handshake_at=row.last_handshake_at,
        last_inbound_at=row.last_inbound_at,
        menu_published_at=row.menu_published_at,
        menu_error=row.menu_error,
    )
