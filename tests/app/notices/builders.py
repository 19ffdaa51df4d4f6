"""Builders of notices: residents with bindings, templates with forms, messages on their way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.channel_accounts import service as channel_accounts
from app.channel_accounts.service import AccountView
from app.core import db
from app.identity import service as identity
from app.notices import service
from app.notices.delivering import deliver
from app.notices.models import Attempt, Delivery, Message
from app.notices.service import (
    NewTemplate,
    PlatformForm,
    Right,
    Topic,
    Variable,
    VariableType,
    Wording,
)
from channels.base import ChannelIdentity, Consent
from tests.builders import NOW
from tests.channels import platform_wechat

BASE = "http://hall.example.cn"
DATA = {"事项": "户口迁移", "编号": "440100-20260302-000001", "时间": "2026年3月2日 09:00"}
VARIABLES = (
    Variable("事项", VariableType.TEXT, 20, "户口迁移"),
    Variable("编号", VariableType.CODE, 32, "440100-20260302-000001"),
    Variable("时间", VariableType.DATE, 20, "2026年3月2日 09:00"),
)
FIELDS = {"thing1": "{事项}", "character_string2": "{编号}", "time3": "{时间}"}


def an_account(key: str = "gd-hall", base_url: str = "http://127.0.0.1:9", **settings: str) -> AccountView:
    """Add a WeChat account whose platform is at ``base_url``."""
    config = platform_wechat.config(base_url, **settings)
    return channel_accounts.create_account(
        kind="wechat",
        key=key,
        name="测试公众号",
        values={**config.settings, **config.secrets},
        actor="system",
        now=NOW,
    )


def a_resident(*accounts: AccountView, subject: str = platform_wechat.RECIPIENT) -> int:
    """Add a resident bound to ``accounts``."""
    first = accounts[0]
    resident_id = identity.known_or_new(first, ChannelIdentity(first.key, subject), now=NOW)
    for account in accounts[1:]:
        identity.bind(resident_id, account, ChannelIdentity(account.key, subject), now=NOW)
    return resident_id


def a_form(account: AccountView, right: Right = Right.TEMPLATE, **changed: Any) -> PlatformForm:
    given = {
        "account_id": account.id,
        "right": right,
        "platform_template": "T1" if right is Right.TEMPLATE else "S1",
        "fields": FIELDS,
    }
    return PlatformForm(**{**given, **changed})


def a_wording(*forms: PlatformForm, **changed: Any) -> Wording:
    given = {
        "title": "{事项}已受理",
        "body": "您申请的“{事项}”（{编号}）已于{时间}受理。",
        "variables": VARIABLES,
        "forms": forms,
    }
    return Wording(**{**given, **changed})


def a_template(
    *forms: PlatformForm, key: str = "case.accepted", wording: Wording | None = None, **changed: Any
):
    """Add a template and publish its first version."""
    new = NewTemplate(**{"key": key, "name": "受理通知", "topic": Topic.PROGRESS, **changed})
    draft = service.create_template(new, wording or a_wording(*forms), by="staff:1", now=NOW)
    return service.publish(draft.id, by="staff:1", now=NOW)


def tell(
    resident_id: int, key: str = "case.accepted", *, once: str = "case:1", now: datetime = NOW, **changed: Any
) -> int:
    """Tell a resident something in a transaction of its own."""
    given: Mapping[str, Any] = {"link": "/me/applications/1", **changed}
    data = {**DATA, **given.get("data", {})}
    rest = {name: value for name, value in given.items() if name != "data"}
    return db.transaction(lambda: service.send(resident_id, key, data, dedup_key=once, now=now, **rest))


def go(message_id: int, at: datetime = NOW) -> None:
    """Take a message as far as it can go at one moment; waits come out exact."""
    deliver(message_id, BASE, lambda: at, jitter=lambda wait: wait)


def the(message_id: int) -> Message:
    return db.session().get_one(Message, message_id, populate_existing=True)


def deliveries(message_id: int | None = None) -> list[Delivery]:
    query = select(Delivery).order_by(Delivery.created_at, Delivery.id)
    if message_id is not None:
        query = query.where(Delivery.message_id == message_id)
    return list(db.session().scalars(query.execution_options(populate_existing=True)))


def states(message_id: int | None = None) -> dict[str, str]:
    """Return the state of every delivery by its way, e.g. ``{"wechat.template": "accepted"}``."""
    return {one.way: one.state.value for one in deliveries(message_id)}


def attempts() -> list[str]:
    query = select(Attempt).order_by(Attempt.started_at, Attempt.number)
    return [one.outcome for one in db.session().scalars(query.execution_options(populate_existing=True))]


def allow(
    account: AccountView,
    template: str = "S1",
    times: int = 1,
    at: datetime = NOW,
    subject: str = platform_wechat.RECIPIENT,
) -> None:
    """Accept the subscription window ``times`` times."""
    consents = [Consent(template, True)]
    for _ in range(times):
        db.transaction(lambda: service.note_consents(account, subject, consents, at))


def sent_to(platform: Any) -> list[tuple[str, Any]]:
    """Return path and body of every message that reached a scripted platform, oldest first."""
    return [
        (call.target.split("?")[0].removeprefix("/cgi-bin/message/"), json.loads(call.body))
        for call in platform.calls
        if call.target.startswith("/cgi-bin/message/")
    ]


def later(**units: float) -> datetime:
    return NOW + timedelta(**units)
