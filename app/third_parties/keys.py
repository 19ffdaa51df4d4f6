"""Keys of applications: several may be in force at once, so that programs change over without a gap."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import select

from app.core import audit, db, vault
from app.core.errors import Conflict, NotFound
from app.organisations.service import Principal
from app.third_parties import apps
from app.third_parties.domain import (
    KEY_LIFE,
    KEY_OVERLAP,
    KEYS_MAX,
    AppState,
    MoveNotAllowed,
    Stage,
    may_call,
)
from app.third_parties.models import App, AppKey
from app.third_parties.shapes import KeyView, NewKey

SECRET_FIELD = "partner_key_secret"
SECRET_BYTES = 32
PREFIXES = {Stage.SANDBOX: "gdt_", Stage.PRODUCTION: "gdp_"}


class TooManyKeys(Conflict):
    code = "too_many_keys"
    title = "有效的密钥太多，请先吊销不用的"
    title_en = "Too many keys are in force"


def issue_key(
    by: Principal, app_id: int, stage: Stage, *, now: datetime, life: timedelta = KEY_LIFE
) -> NewKey:
    """Make a key that is in force at once; the others stay in force. Its secret is shown only now.

    Raises:
        NotFound: no such application in the scope of ``by``.
        MoveNotAllowed: a production key of an application that is not approved, any of a closed one.
        TooManyKeys: as many as there may be are in force.
    """
    row = apps.load(by, app_id)
    if not may_call(row.state, stage):
        raise MoveNotAllowed("正式密钥要等审核通过后才能创建" if row.state in _WAITING else "")
    if len([key for key in keys_of(app_id, now=now) if key.works and key.stage is stage]) >= KEYS_MAX:
        raise TooManyKeys
    secret = secrets.token_urlsafe(SECRET_BYTES)
    key = AppKey(
        app_id=app_id,
        stage=stage,
        key_id=PREFIXES[stage] + secrets.token_hex(10),
        secret_token=vault.seal(SECRET_FIELD, secret),
        not_before=now,
        not_after=now + life,
        created_at=now,
        created_by=by.actor,
    )
    db.writing().add(key)
    db.writing().flush()
    audit.record(by.actor, "partner_app.issue_key", apps.OBJECT, app_id, {"key": key.key_id})
    return NewKey(_view(key, now), secret)


def rotate_keys(by: Principal, app_id: int, stage: Stage, *, now: datetime) -> NewKey:
    """Make a new key and let those of before end after ``KEY_OVERLAP``.

    Raises:
        As :func:`issue_key`.
    """
    made = issue_key(by, app_id, stage, now=now)
    for row in _rows(app_id):
        if row.stage is stage and row.id != made.view.id and row.not_after > now + KEY_OVERLAP:
            row.not_after = now + KEY_OVERLAP
    db.writing().flush()
    return made


def revoke_key(by: Principal, app_id: int, key: int, *, now: datetime) -> None:
    """End a key at once; the next request under it is refused. Safe to repeat.

    Raises:
        NotFound: no such key of an application in the scope of ``by``.
    """
    apps.load(by, app_id)
    row = db.writing().get(AppKey, key)
    if row is None or row.app_id != app_id:
        raise NotFound("没有这个密钥")
    if row.revoked_at is None:
        row.revoked_at = now
        vault.forget(row.secret_token)
        db.writing().flush()
        audit.record(by.actor, "partner_app.revoke_key", apps.OBJECT, app_id, {"key": row.key_id})


def keys_of(app_id: int, *, now: datetime) -> list[KeyView]:
    """Return the keys of an application, the newest first."""
    return [_view(row, now) for row in _rows(app_id)]


def find(key_id: str) -> tuple[AppKey, App] | None:
    """Return a key and its application by the key's public name."""
    query = select(AppKey, App).join(App, App.id == AppKey.app_id).where(AppKey.key_id == key_id)
    found = db.session().execute(query).first()
    return (found[0], found[1]) if found else None


def secret_of(row: AppKey) -> str:
    return vault.unseal(SECRET_FIELD, row.secret_token)


def works(row: AppKey, now: datetime) -> bool:
    """Tell whether a key is in force."""
    return row.revoked_at is None and row.not_before <= now < row.not_after


_WAITING = (AppState.DRAFT, AppState.SUBMITTED)


def _rows(app_id: int) -> list[AppKey]:
    query = select(AppKey).where(AppKey.app_id == app_id).order_by(AppKey.created_at.desc(), AppKey.id)
    return list(db.session().scalars(query))


def _view(row: AppKey, now: datetime) -> KeyView:
    return KeyView(
        id=row.id,
        stage=row.stage,
        key_id=row.key_id,
        not_before=row.not_before,
        not_after=row.not_after,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        works=works(row, now),
    )
