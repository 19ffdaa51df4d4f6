"""Tables of channel accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.channel_accounts.domain import KEY_MAX, NAME_MAX, TOKEN_KEY_MAX
from app.core.db import Model, key_column


class ChannelAccount(Model):
    """One account on one platform. ``key`` is part of its callback address."""

    __tablename__ = "channel_account"

    id: Mapped[int] = key_column()
    kind: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(String(KEY_MAX), unique=True)
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    active: Mapped[bool]
    version: Mapped[int]
    created_at: Mapped[datetime]
    last_inbound_at: Mapped[datetime | None]
    last_handshake_at: Mapped[datetime | None]
    menu_published_at: Mapped[datetime | None]
    menu_error: Mapped[str | None] = mapped_column(String(200))


class ChannelSecret(Model):
    """Where in the vault one secret of an account lies."""

    __tablename__ = "channel_secret"
    __table_args__ = (UniqueConstraint("account_id", "name", name="uq_channel_secret_account_id_name"),)

    id: Mapped[int] = key_column()
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"))
    name: Mapped[str] = mapped_column(String(40))
    vault_token: Mapped[str] = mapped_column(String(32))


class MenuRules(Model):
    """The menus of some residents of an account (个性化菜单), the first that fits holds."""

    __tablename__ = "channel_menu_rules"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("channel_account.id"), primary_key=True, autoincrement=False
    )
    version: Mapped[int]
    rules: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    changed_at: Mapped[datetime]


class ChannelToken(Model):
    """An access token that all processes share, and who is renewing it."""

    __tablename__ = "channel_token"

    key: Mapped[str] = mapped_column(String(TOKEN_KEY_MAX), primary_key=True)
    version: Mapped[int]
    vault_token: Mapped[str | None] = mapped_column(String(32))
    expires_at: Mapped[datetime | None]
    renewed_by: Mapped[str | None] = mapped_column(String(40))
    renewed_until: Mapped[datetime | None]
