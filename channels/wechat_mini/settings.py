"""What a mini program needs to be told, beyond what all WeChat accounts are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from channels.base import ClientEnv
from channels.fields import ChannelDescription, SettingField, matching
from channels.wechat import settings

WEB_PAGE = "pages/web/web"


class State(StrEnum):
    """Which version of the mini program links and notifications open."""

    FORMAL = "formal"
    TRIAL = "trial"
    DEVELOPER = "developer"


VERSIONS = {State.FORMAL: "release", State.TRIAL: "trial", State.DEVELOPER: "develop"}
"""What links and codes call the versions."""


def detect(headers: Mapping[str, str], app_id: str) -> ClientEnv | None:
    """Tell a page request from the web view of the mini program ``app_id``.

    Android's User-Agent says that it is some mini program and the Referer says which, where there is one.
    """
    client = settings.detect(headers)
    if client is None or not client.mini_program or client.mini_app_id not in ("", app_id):
        return None
    return replace(client, channel="wechat_mini")


DESCRIPTION = ChannelDescription(
    kind="wechat_mini",
    label="微信小程序",
    fields=(
        *settings.APP_FIELDS,
        SettingField(
            "state",
            "打开的版本",
            default=State.FORMAL,
            choices=((State.FORMAL, "正式版"), (State.TRIAL, "体验版"), (State.DEVELOPER, "开发版")),
            help="订阅消息、链接和小程序码打开的版本；上线前可先用体验版",
        ),
        SettingField(
            "web_page",
            "网页容器页",
            default=WEB_PAGE,
            check=matching(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*", "形如 pages/web/web，开头不加 /"),
            help="小程序里用 web-view 打开网页的页面，网址放在参数 url 中",
        ),
        *settings.PUSH_FIELDS,
    ),
    check=settings.keys_fit,
)
