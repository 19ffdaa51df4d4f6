"""The one place for personal numbers and secrets (保险箱). Every other table keeps a token.

AES-256-GCM under a data key; data keys are wrapped by the master key of the settings. The
associated data is ``token|field|key version``, so a ciphertext moved to another row does not open.
A blind index (HMAC under a key of its own) finds a number again without opening anything.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Flask, current_app
from sqlalchemy import ForeignKey, LargeBinary, String, select
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock, db
from app.core.db import Model, key_column
from app.core.errors import DomainError, NotFound
from config.settings import SecretMissing, Settings

NONCE_BYTES = 12
_SETTLED = timedelta(minutes=1)
_INDEX_KEY = "blind-index-key"


class VaultDamaged(DomainError):
    """A sealed value does not open: wrong master key, or the row was tampered with."""

    code = "vault_damaged"
    title = "加密数据无法读取"
    title_en = "Sealed data cannot be opened"


class VaultKey(Model):
    """One row per data key, wrapped by the master key ``master_version``."""

    __tablename__ = "vault_key"

    id: Mapped[int] = key_column()
    master_version: Mapped[int]
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


class VaultEntry(Model):
    """One row per sealed value."""

    __tablename__ = "vault_entry"

    token: Mapped[str] = mapped_column(String(32), primary_key=True)
    field: Mapped[str] = mapped_column(String(40))
    key_id: Mapped[int] = mapped_column(ForeignKey("vault_key.id"))
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    blind_index: Mapped[str | None] = mapped_column(String(64), index=True)
    created_at: Mapped[datetime]


class Keyring:
    """Master keys and what is derived from them; data keys are kept unwrapped in memory only."""

    def __init__(self, settings: Settings) -> None:
        self.masters = dict(settings.vault_keys)
        self.newest = max(self.masters)
        self.unwrapped: dict[int, bytes] = {}
        self.index_key: bytes | None = None
        self.sealing_id = 0

    def derived_index_key(self) -> bytes:
        """Return the key that hangs on the oldest master, so that adding a master keeps numbers findable."""
        oldest = self.masters[min(self.masters)]
        return HKDF(SHA256(), 32, None, b"hall vault blind index").derive(oldest)


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions["hall_keyring"] = Keyring(settings) if settings.vault_keys else None


def seal(field: str, value: str, *, findable: bool = False) -> str:
    """Store ``value`` encrypted and return its token.

    Args:
        field: what it is, e.g. ``"totp_secret"``; bound to the ciphertext.
        value: at most 8,000 bytes of UTF-8. Normalise numbers before sealing them.
        findable: also keep a blind index, for :func:`find`.
    """
    ring = _keyring()
    index = _blind(ring, field, value) if findable else None
    return _seal(ring, secrets.token_urlsafe(24), field, value, index)


def _seal(ring: Keyring, token: str, field: str, value: str, index: str | None) -> str:
    key_id, data_key = _sealing_key(ring)
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(data_key).encrypt(nonce, value.encode(), _bound_to(token, field, key_id))
    db.writing().add(
        VaultEntry(
            token=token,
            field=field,
            key_id=key_id,
            nonce=nonce,
            ciphertext=sealed,
            blind_index=index,
            created_at=clock.system_clock(),
        )
    )
    db.writing().flush()
    return token


def unseal(field: str, token: str) -> str:
    """Return the value sealed under ``token``.

    Raises:
        NotFound: no such token for this field.
        VaultDamaged: it does not open.
    """
    return unseal_all({token: field})[token]


def unseal_all(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the values sealed under several tokens, read in one statement.

    Args:
        fields: by token, what it is.

    Raises:
        NotFound: no such token for its field.
        VaultDamaged: one does not open.
    """
    given = db.session().scalars(select(VaultEntry).where(VaultEntry.token.in_(fields))) if fields else ()
    rows = {row.token: row for row in given}
    return {token: _opened(rows.get(token), field) for token, field in fields.items()}


def _opened(row: VaultEntry | None, field: str) -> str:
    if row is None or row.field != field:
        raise NotFound("没有这条加密数据")
    cipher = AESGCM(_data_key(_keyring(), row.key_id))
    try:
        return cipher.decrypt(row.nonce, row.ciphertext, _bound_to(row.token, field, row.key_id)).decode()
    except InvalidTag:
        raise VaultDamaged from None


def blind_index(field: str, value: str) -> str:
    """Return 64 hex digits that stand for ``value`` in a table, and say nothing without the key.

    Stays the same when master keys come and go, see :func:`rewrap`.

    Raises:
        VaultDamaged: a master key was taken away without :func:`rewrap`.
    """
    return _blind(_keyring(), field, value)


def find(field: str, value: str) -> list[str]:
    """Return the tokens under which ``value`` was sealed as findable."""
    wanted = blind_index(field, value)
    query = select(VaultEntry.token).where(VaultEntry.blind_index == wanted, VaultEntry.field == field)
    return list(db.session().scalars(query))


def forget(token: str) -> None:
    """Delete what is sealed under ``token``; nothing happens when it is gone already."""
    row = db.writing().get(VaultEntry, token)
    if row is not None:
        db.writing().delete(row)


def rewrap() -> int:
    """Wrap all data keys by the newest master key, so that older ones can be taken away.

    The key of the blind index, which hangs on the oldest master, is kept as a sealed value from now on.

    Returns:
        how many data keys were wrapped anew.

    Raises:
        VaultDamaged: a master key that is still needed is missing already.
    """
    ring = _keyring()
    if db.writing().get(VaultEntry, _INDEX_KEY) is None:
        _seal(ring, _INDEX_KEY, _INDEX_KEY, _index_key(ring).hex(), None)
    old = list(db.writing().scalars(select(VaultKey).where(VaultKey.master_version != ring.newest)))
    for row in old:
        row.wrapped = _wrap(ring, _data_key(ring, row.id), ring.newest)
        row.master_version = ring.newest
    db.writing().flush()
    return len(old)


def mask(number: str) -> str:
    """Return ``number`` with all but its first and last character starred, e.g. ``1*********5``."""
    if len(number) <= 2:
        return "*" * len(number)
    return number[0] + "*" * (len(number) - 2) + number[-1]


def _keyring() -> Keyring:
    ring: Keyring | None = current_app.extensions["hall_keyring"]
    if ring is None:
        raise SecretMissing("HALL_VAULT_KEYS")
    return ring


def _bound_to(token: str, field: str, key_id: int) -> bytes:
    return f"{token}|{field}|{key_id}".encode()


def _blind(ring: Keyring, field: str, value: str) -> str:
    return hmac.new(_index_key(ring), f"{field}|{value}".encode(), sha256).hexdigest()


def _index_key(ring: Keyring) -> bytes:
    if ring.index_key is None:
        ring.index_key = _find_index_key(ring)
    return ring.index_key


def _find_index_key(ring: Keyring) -> bytes:
    if db.session().get(VaultEntry, _INDEX_KEY) is not None:
        return bytes.fromhex(unseal(_INDEX_KEY, _INDEX_KEY))
    missing = select(VaultKey.id).where(VaultKey.master_version.not_in(ring.masters)).limit(1)
    if db.session().scalar(missing) is not None:
        raise VaultDamaged  # another index would be derived: nobody would be found, and kept twice
    return ring.derived_index_key()


def _sealing_key(ring: Keyring) -> tuple[int, bytes]:
    if ring.sealing_id in ring.unwrapped:
        return ring.sealing_id, ring.unwrapped[ring.sealing_id]
    row = db.writing().scalar(
        select(VaultKey)
        .where(VaultKey.master_version == ring.newest)
        .order_by(VaultKey.created_at.desc())
        .limit(1)
    )
    if row is None:
        row = _new_data_key(ring)
    elif clock.system_clock() - row.created_at > _SETTLED:
        # A younger one may be this transaction's own, which may be rolled back.
        ring.sealing_id = row.id
    return row.id, _data_key(ring, row.id)


def _new_data_key(ring: Keyring) -> VaultKey:
    oldest = min(ring.masters)
    index_is_sealed = db.writing().get(VaultEntry, _INDEX_KEY) is not None
    if oldest != ring.newest and not index_is_sealed and not _is_used(oldest):
        # The blind index hangs on the oldest: without a row under it nobody would miss it.
        _add_data_key(ring, oldest)
    return _add_data_key(ring, ring.newest)


def _is_used(master_version: int) -> bool:
    query = select(VaultKey.id).where(VaultKey.master_version == master_version).limit(1)
    return db.writing().scalar(query) is not None


def _add_data_key(ring: Keyring, master_version: int) -> VaultKey:
    wrapped = _wrap(ring, AESGCM.generate_key(256), master_version)
    row = VaultKey(master_version=master_version, wrapped=wrapped, created_at=clock.system_clock())
    db.writing().add(row)
    db.writing().flush()
    return row


def _wrap(ring: Keyring, data_key: bytes, master_version: int) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(ring.masters[master_version]).encrypt(nonce, data_key, b"hall data key")


def _data_key(ring: Keyring, key_id: int) -> bytes:
    if key_id not in ring.unwrapped:
        row = db.session().get(VaultKey, key_id)
        if row is None or row.master_version not in ring.masters:
            raise VaultDamaged
        nonce, body = row.wrapped[:NONCE_BYTES], row.wrapped[NONCE_BYTES:]
        try:
            ring.unwrapped[key_id] = AESGCM(ring.masters[row.master_version]).decrypt(
                nonce, body, b"hall data key"
            )
        except InvalidTag:
            raise VaultDamaged from None
    return ring.unwrapped[key_id]


def hash_secret(secret: str) -> str:
    """Return the digest under which a random secret of ours (token, link) is stored.

    Only for secrets with full entropy: numbers of people go through :func:`seal`.
    """
    return urlsafe_b64encode(sha256(secret.encode()).digest()).decode().rstrip("=")
