"""Signing in to departments' systems with the hall (OpenID Connect): codes, tokens, keys, claims.

An application's key is its client: the key's public name is the ``client_id``, its secret the
``client_secret``, its callback address the one ``redirect_uri``. So there is one register of who may call,
one review and one place where residents end what they agreed to.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc.jwk import RSAKey
from sqlalchemy import delete, select, update

from app.core import db, vault
from app.core.errors import Invalid
from app.identity import service as identity
from app.third_parties import apps, consents, keys, subjects
from app.third_parties.domain import Scope, Stage, may_call, scopes_in_force
from app.third_parties.models import App
from app.third_parties.oidc_models import NONCE_MAX, OidcCode, OidcKey, OidcToken
from app.third_parties.shapes import Caller

OPENID, PROFILE = "openid", "profile"
SCOPES = (OPENID, PROFILE)
CODE_LIFE = timedelta(seconds=60)
TOKEN_LIFE = timedelta(minutes=10)
ID_TOKEN_LIFE = timedelta(minutes=10)
KEY_LIFE = timedelta(days=90)
KEY_KEPT = KEY_LIFE + timedelta(days=2)
"""Longer than any token that it signed is valid."""

CONSENT_DAYS = 180
KEY_BITS = 2048
KEY_FIELD = "partner_oidc_key"
ACR = "urn:gd-hall:level:"
NUMBER_USE = "姓名、证件号码"


@dataclass(frozen=True, slots=True)
class Client:
    """An application that signs people in, by one of its keys."""

    client_id: str
    secret: str
    callback_url: str
    caller: Caller


@dataclass(frozen=True, slots=True)
class Person:
    """Who signs in to an application, under its name for them."""

    resident_id: int
    subject: str
    level: int
    signed_in_at: datetime


def new_token(*_args: Any, **_details: Any) -> str:
    """Return an access token that nobody can guess."""
    return secrets.token_urlsafe(32)


def same(given: str, secret: str) -> bool:
    """Compare two secrets without telling by time where they differ."""
    return secrets.compare_digest(given.encode(), secret.encode())


def client(client_id: str, *, now: datetime) -> Client | None:
    """Return who signs people in under ``client_id``; None when nobody may."""
    found = keys.find(client_id)
    if found is None or not keys.works(found[0], now):
        return None
    key, app = found
    scopes = scopes_in_force(key.stage, apps.scopes_of([app.id])[app.id])
    if not may_call(app.state, key.stage) or Scope.SSO not in scopes or not app.callback_url:
        return None
    caller = Caller(app.id, app.name, app.body_id, key.stage, key.id, scopes, ())
    return Client(client_id, keys.secret_of(key), app.callback_url, caller)


def person(client: Client, resident_id: int, level: int, signed_in_at: datetime, *, now: datetime) -> Person:
    """Return a resident as the client's body knows them, and remember that they came."""
    found = subjects.arrived(client.caller, resident_id, level, now=now)
    return Person(resident_id, found.subject, found.level, signed_in_at)


def needs_consent(client: Client, resident_id: int, scope: str, *, now: datetime) -> bool:
    """Tell whether the resident has to be asked before the client may read who they are.

    Raises:
        Invalid: the application was not allowed to ask for it.
    """
    if PROFILE not in scope.split():
        return False
    if Scope.IDENTITY_READ not in client.caller.scopes:
        raise Invalid("应用没有开通读取实名信息的能力")
    return not consents.holds(client.caller, resident_id, Scope.IDENTITY_READ, now=now)


def keep_code(
    client: Client,
    person: Person,
    code: str,
    *,
    scope: str,
    nonce: str,
    challenge: str,
    redirect_uri: str,
    now: datetime,
) -> None:
    """Keep a code that is on its way to the client through the resident's browser.

    Raises:
        Invalid: the nonce is too long.
    """
    if len(nonce) > NONCE_MAX:
        raise Invalid("nonce 太长")
    db.writing().add(
        OidcCode(
            digest=vault.hash_secret(code),
            app_id=client.caller.id,
            stage=client.caller.stage,
            resident_id=person.resident_id,
            subject=person.subject,
            level=person.level,
            redirect_uri=redirect_uri,
            scope=scope,
            nonce=nonce,
            challenge=challenge,
            signed_in_at=person.signed_in_at,
            expires_at=now + CODE_LIFE,
        )
    )
    db.writing().flush()


def nonce_known(client: Client, nonce: str) -> bool:
    """Tell whether the client sent a nonce before: then somebody plays a request again."""
    query = select(OidcCode.id).where(OidcCode.app_id == client.caller.id, OidcCode.nonce == nonce).limit(1)
    return db.session().scalar(query) is not None


def take_code(client: Client, code: str, *, now: datetime) -> OidcCode | None:
    """Use a code up and return it.

    None when it is none, expired, another client's, of an account that was closed, or used before.

    One that comes a second time was stolen by somebody: what it was exchanged for ends.
    """
    query = select(OidcCode).where(
        OidcCode.digest == vault.hash_secret(code), OidcCode.app_id == client.caller.id
    )
    row = db.writing().scalar(query.with_for_update())
    if row is None or row.stage is not client.caller.stage:
        return None
    if row.used_at is not None:
        ended = update(OidcToken).where(OidcToken.code_id == row.id).values(revoked_at=now)
        db.writing().execute(ended.execution_options(synchronize_session=False))
        return None
    row.used_at = now
    db.writing().flush()
    here = row.stage is Stage.SANDBOX or identity.is_open(row.resident_id)
    return row if here and row.expires_at > now else None


def keep_token(code: OidcCode, token: str, *, now: datetime) -> None:
    """Keep the access token that a code was exchanged for."""
    db.writing().add(
        OidcToken(
            digest=vault.hash_secret(token),
            code_id=code.id,
            app_id=code.app_id,
            stage=code.stage,
            resident_id=code.resident_id,
            subject=code.subject,
            level=code.level,
            scope=code.scope,
            expires_at=now + TOKEN_LIFE,
        )
    )
    db.writing().flush()


def claims_of(token: str, *, now: datetime) -> Mapping[str, Any] | None:
    """Return what a client may know of who signed in; None when the token is not in force.

    Name and number are given as long as the resident agrees, to whom they proved them; each time is
    written down for them to see.
    """
    query = select(OidcToken).where(OidcToken.digest == vault.hash_secret(token))
    row = db.writing().scalar(query)
    if row is None or row.revoked_at is not None or row.expires_at <= now:
        return None
    if row.stage is Stage.PRODUCTION and not identity.is_open(row.resident_id):
        return None
    claims: dict[str, Any] = {"sub": row.subject, "acr": f"{ACR}{row.level}"}
    if PROFILE in row.scope.split():
        claims |= _profile(row, now)
    return claims


def _profile(row: OidcToken, now: datetime) -> dict[str, str]:
    app = db.session().get_one(App, row.app_id)
    scopes = scopes_in_force(row.stage, apps.scopes_of([app.id])[app.id])
    caller = Caller(app.id, app.name, app.body_id, row.stage, 0, scopes, ())
    real = identity.real_name(row.resident_id) if row.stage is Stage.PRODUCTION else None
    if real is None or Scope.IDENTITY_READ not in scopes or not may_call(app.state, row.stage):
        return {}
    if not consents.holds(caller, row.resident_id, Scope.IDENTITY_READ, now=now):
        return {}
    consents.use(caller, row.subject, Scope.IDENTITY_READ, NUMBER_USE, now=now)
    return {"name": real.name, "id_kind": real.kind.value, "id_number": real.number}


def signing_key(*, now: datetime) -> RSAKey:
    """Return the key that signs at present; a new one every ``KEY_LIFE``."""
    query = select(OidcKey).order_by(OidcKey.created_at.desc()).limit(1)
    row = db.writing().scalar(query)
    if row is None or now - row.created_at > KEY_LIFE:
        row = _new_key(now)
    return RSAKey.import_key(json.loads(vault.unseal(KEY_FIELD, row.private_token)))


def _new_key(now: datetime) -> OidcKey:
    made = RSAKey.generate_key(KEY_BITS, {"use": "sig", "alg": "RS256"}, auto_kid=True)
    row = OidcKey(
        kid=str(made.kid)[:64],
        private_token=vault.seal(KEY_FIELD, json.dumps(made.as_dict(private=True))),
        public=made.as_dict(private=False),
        created_at=now,
    )
    db.writing().add(row)
    db.writing().flush()
    return row


def public_keys(*, now: datetime) -> list[dict[str, Any]]:
    """Return the keys by which ID tokens are verified, the newest first."""
    query = select(OidcKey).where(OidcKey.created_at > now - KEY_KEPT).order_by(OidcKey.created_at.desc())
    return [dict(row.public) for row in db.session().scalars(query)]


def forget_over(*, now: datetime) -> None:
    """Delete codes and tokens a day after their time, and keys nothing is verified by any more."""
    over = now - timedelta(days=1)
    db.writing().execute(delete(OidcCode).where(OidcCode.expires_at < over))
    db.writing().execute(delete(OidcToken).where(OidcToken.expires_at < over))
    for row in db.writing().scalars(select(OidcKey).where(OidcKey.created_at <= now - KEY_KEPT)).all():
        vault.forget(row.private_token)
        db.writing().delete(row)
