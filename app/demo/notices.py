"""The demo's notices: what the sandbox's platforms have approved, and what the hall puts into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.channel_accounts import service as channel_accounts
from app.demo import alipay, wechat_mini
from app.notices import service as notices
from app.notices.service import PlatformForm, Right

WECHAT = "gd-wechat"
BY = "system:demo"
# What the official accounts of the sandbox have approved: 模板消息 and a one-off 订阅通知.
TEMPLATES: tuple[Mapping[str, Any], ...] = (
    {
        "id": "gd-wechat-progress-00000000000000000000000001",
        "kind": "template",
        "title": "办件进度通知",
        "fields": ["thing1", "character_string2", "phrase3", "time4"],
    },
    {
        "id": "gd-wechat-subscribe-0000000000000000000000001",
        "kind": "subscribe",
        "title": "办件进度提醒",
        "fields": ["thing1", "character_string2", "phrase3", "time4"],
    },
)
STATES = {
    "application.submitted": "已提交",
    "application.accepted": "已受理",
    "application.correction": "待补正",
    "application.decided": "已办结",
}
SAMPLE = {"事项": "户口迁移", "编号": "440100-00000001", "单位": "广州市公安局"}


def approved(account: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the sandbox must be told of an account besides; an account that says its own keeps it."""
    return {"templates": [dict(one) for one in TEMPLATES]} if account["kind"] == "wechat" else {}


def give_forms(now: datetime) -> int:
    """Let the standard templates of applications go out on the demo's accounts; return how many changed."""
    accounts = {one.key: one.id for one in channel_accounts.accounts()}
    changed = 0
    for template in notices.templates():
        state = STATES.get(template.key)
        published = next((one for one in notices.versions(template.id) if one.state == "published"), None)
        if state is None or published is None or published.wording.forms or template.draft:
            continue
        draft = notices.new_version(template.id, by=BY, now=now)
        wording = replace(draft.wording, forms=_forms(accounts, state))
        notices.change_draft(draft.id, wording, row_version=draft.row_version, by=BY)
        notices.publish(draft.id, by=BY, now=now)
        changed += 1
    return changed


def tell_person(resident_id: int, now: datetime) -> int:
    """Send the sandbox's person a first notice; return its id. Safe to repeat."""
    data = {**SAMPLE, "时间": notices.written_time(now)}
    return notices.send(
        resident_id, "application.accepted", data, link="/me", dedup_key="demo:welcome", now=now
    )


def _forms(accounts: Mapping[str, int], state: str) -> tuple[PlatformForm, ...]:
    wechat = {"thing1": "{事项}", "character_string2": "{编号}", "phrase3": state, "time4": "{时间}"}
    window = {"first": state, "keyword1": "{事项}", "keyword2": "{编号}", "remark": "{时间}"}
    mini = {"keyword1": "{事项}", "keyword2": state, "keyword3": "{时间}"}
    wanted = (
        (WECHAT, Right.TEMPLATE, TEMPLATES[0]["id"], wechat),
        (WECHAT, Right.SUBSCRIBE, TEMPLATES[1]["id"], wechat),
        (wechat_mini.ACCOUNT[0], Right.SUBSCRIBE, wechat_mini.TEMPLATES[0]["id"], wechat),
        (alipay.WINDOW[0], Right.TEMPLATE, alipay.TEMPLATES[0]["id"], window),
        (alipay.MINI[0], Right.SUBSCRIBE, alipay.TEMPLATES[1]["id"], mini),
    )
    return tuple(
        PlatformForm(accounts[key], right, template_id, fields)
        for key, right, template_id, fields in wanted
        if key in accounts
    )
