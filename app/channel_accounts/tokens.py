"""Access tokens shared by all processes: one refresher at a time, everybody else waits for the result."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from sqlalchemy import or_, update
from sqlalchemy.exc import IntegrityError

from app.channel_accounts.domain import (
    REFRESH_LEASE,
    REFRESH_WAIT_SECONDS,
    TOKEN_FIELD,
)
from app.channel_accounts.models import ChannelToken
from app.core import clock, db, vault
from app.core.errors import NotFound
from channels.base import ChannelError, Token

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
POLL_SECONDS = 0.05


class SharedTokens:
    """A ``channels.base.TokenStore`` over one table; values are sealed in the vault."""

    def get(self, key: str) -> Token | None:
        row = _read(key)
        while row is not None and row.vault_token is not None and row.expires_at is not None:
            found, version, expires_at = row.vault_token, row.version, row.expires_at
            try:
                return Token(vault.unseal(TOKEN_FIELD, found), expires_at, version)
            except NotFound:
                row = _read(key)
                if row is not None and row.vault_token == found:
                    # Not renewed in this moment but gone for good: as one that ran out, to be fetched anew.
                    return Token("", _LONG_AGO, version)
        return None

    def compare_and_refresh(self, key: str, seen_version: int, fetch: Callable[[], Token]) -> Token:
        me = secrets.token_hex(8)
        end = time.monotonic() + REFRESH_WAIT_SECONDS
        while time.monotonic() < end:
            newer = self.get(key)
            if newer is not None and newer.version != seen_version:
                return newer
            if _take_lease(key, seen_version, me):
                return self._refresh(key, seen_version, me, fetch)
            time.sleep(POLL_SECONDS)
        raise ChannelError("another process is renewing the token", retryable=True, code="token_busy")

    def _refresh(self, key: str, seen_version: int, me: str, fetch: Callable[[], Token]) -> Token:
        try:
            fetched = fetch()
        except BaseException:
            db.transaction(lambda: _release(key, me))
            raise
        return db.transaction(lambda: _store(key, seen_version, me, fetched))


def _read(key: str) -> ChannelToken | None:
    # A waiting process must see what another one has just written, not what it read before.
    return db.session().get(ChannelToken, key, populate_existing=True)


def _take_lease(key: str, seen_version: int, me: str) -> bool:
    if _read(key) is None:
        with suppress(IntegrityError):  # another process made the row in this moment
            db.transaction(lambda: db.writing().add(ChannelToken(key=key, version=0)))
    now = clock.system_clock()
    free = or_(ChannelToken.renewed_by.is_(None), ChannelToken.renewed_until < now)

    def take() -> bool:
        taken = db.writing().execute(
            update(ChannelToken)
            .where(ChannelToken.key == key, ChannelToken.version == seen_version, free)
            .values(renewed_by=me, renewed_until=now + REFRESH_LEASE)
        )
        return bool(taken.rowcount == 1)  # type: ignore[attr-defined]

    return db.transaction(take)


def _store(key: str, seen_version: int, me: str, fetched: Token) -> Token:
    row = db.writing().get(ChannelToken, key, with_for_update=True)
    if row is None or row.renewed_by != me:
        # The lease ended meanwhile and another process took over: both tokens are the platform's.
        return fetched
    if row.vault_token is not None:
        vault.forget(row.vault_token)
    row.vault_token = vault.seal(TOKEN_FIELD, fetched.value)
    row.expires_at = fetched.expires_at
    row.version = seen_version + 1
    row.renewed_by = row.renewed_until = None
    return Token(fetched.value, fetched.expires_at, row.version)


def _release(key: str, me: str) -> None:
    db.writing().execute(
        update(ChannelToken)
        .where(ChannelToken.key == key, ChannelToken.renewed_by == me)
        .values(renewed_by=None, renewed_until=None)
    )
