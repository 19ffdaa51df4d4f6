"""Tables of OpenID Connect: what is kept of codes and tokens are digests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Key, Model, key_column
from app.third_parties.domain import URL_MAX, VAULT_TOKEN_MAX, Stage
from app.third_parties.models import DIGEST, SUBJECT

NONCE_MAX = 255
CHALLENGE_MAX = 128
OIDC_SCOPE_MAX = 80


class OidcKey(Model):
    """A key that signs ID tokens; its private half is in the vault, ``public`` is its JWK."""

    __tablename__ = "partner_oidc_key"

    id: Mapped[int] = key_column()
    kid: Mapped[str] = mapped_column(String(64), unique=True)
    private_token: Mapped[str] = mapped_column(String(VAULT_TOKEN_MAX))
    public: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]


class OidcCode(Model):
    """An authorization code: single use, a minute long.

    Attributes:
        subject: what the application's body calls the resident.
        level: how sure the hall was of who it is when they were sent back.
        signed_in_at: when they signed in to the hall.
    """

    __tablename__ = "partner_oidc_code"
    __table_args__ = (Index("ix_partner_oidc_code_nonce", "app_id", "nonce"),)

    id: Mapped[int] = key_column()
    digest: Mapped[str] = mapped_column(DIGEST, unique=True)
    app_id: Mapped[int] = mapped_column(ForeignKey("partner_app.id"))
    stage: Mapped[Stage]
    resident_id: Mapped[int] = mapped_column(Key)
    subject: Mapped[str] = mapped_column(SUBJECT)
    level: Mapped[int]
    redirect_uri: Mapped[str] = mapped_column(String(URL_MAX))
    scope: Mapped[str] = mapped_column(String(OIDC_SCOPE_MAX))
    nonce: Mapped[str] = mapped_column(String(NONCE_MAX))
    challenge: Mapped[str] = mapped_column(String(CHALLENGE_MAX))
    signed_in_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class OidcToken(Model):
    """An access token for what a resident's ID token leaves out."""

    __tablename__ = "partner_oidc_token"

    id: Mapped[int] = key_column()
    digest: Mapped[str] = mapped_column(DIGEST, unique=True)
    code_id: Mapped[int] = mapped_column(Key, index=True)
    app_id: Mapped[int] = mapped_column(ForeignKey("partner_app.id"))
    stage: Mapped[Stage]
    resident_id: Mapped[int] = mapped_column(Key, index=True)
    subject: Mapped[str] = mapped_column(SUBJECT)
    level: Mapped[int]
    scope: Mapped[str] = mapped_column(String(OIDC_SCOPE_MAX))
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]
