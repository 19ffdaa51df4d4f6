"""Platforms that write to an account of ours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask.testing import FlaskClient

from app.channel_accounts import service as channel_accounts
from app.channel_accounts.service import AccountView
from app.conversations import versions
from app.conversations.rules import BUILT_IN, Rules
from channels.base import AccountConfig, InboundRequest, RawResponse


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def an_account(kind: str, config: AccountConfig) -> AccountView:
    """Add an account whose key is the kind's name."""
    return channel_accounts.create_account(
        kind=kind,
        key=kind.replace("_", "-"),
        name="测试账号",
        values={**config.settings, **config.secrets},
        actor="system",
        now=now(),
    )


def save_rules(account: AccountView, seen: int = 0, rules: Rules = BUILT_IN) -> int:
    return versions.save(account.id, seen, rules, actor="staff:1", now=now())


def deliver(client: FlaskClient, kind: str, request: InboundRequest) -> RawResponse:
    """Send ``request`` to the callback as the platform does; returns what came back."""
    answer: Any = client.open(
        f"/callbacks/{kind}",
        method=request.method,
        query_string=request.query_string.decode("latin-1"),
        headers=dict(request.headers),
        data=request.body,
    )
    return RawResponse(answer.status_code, answer.content_type, answer.data)
