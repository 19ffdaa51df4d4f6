"""The demo's own answers of an official account, so that a newcomer sees routes, scenes and a hand-over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.channel_accounts import service as channel_accounts
from app.conversations import service as conversations
from app.conversations.service import BUILT_IN, Action, Duty, Route, Trigger

ACCOUNT = "gd-wechat"
BY = "system:demo"
RULES = replace(
    BUILT_IN,
    handover=True,
    duty=Duty.ALWAYS,
    routes=(
        Route(
            "上班时间",
            Trigger.CONTAINS,
            ("上班时间", "几点开门", "几点下班"),
            Action.SAY,
            "各级办事大厅的上班时间是工作日 9:00–12:00、13:00–17:00。\n急事可拨打 12345。",
        ),
        Route("证件照指引", Trigger.EXACT, ("照片", "证件照"), Action.SEARCH, "居民身份证"),
        Route("大厅取号机", Trigger.SCENE, ("desk-7",), Action.SAY, "您在 7 号窗口，请把证件放在读卡器上。"),
    ),
)


def set_rules(now: datetime) -> None:
    """Give the account its routes, once: what somebody has changed stays."""
    for account in channel_accounts.accounts():
        if account.key == ACCOUNT and conversations.current_rules(account.id).number == 0:
            conversations.save_rules(account.id, 0, RULES, actor=BY, now=now)
