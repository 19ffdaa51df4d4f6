"""What an Alipay mini program needs to be told, beyond what all Alipay apps are."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace

from channels.alipay import settings
from channels.base import ClientEnv
from channels.fields import ChannelDescription, SettingField, matching

WEB_PAGE = "pages/web/web"
_KEY_BYTES = (16, 24, 32)


def aes_key(text: str) -> bytes:
    """Read the key for content (接口内容加密方式).

    Raises:
        ValueError: it is no base64 of 16, 24 or 32 bytes.
    """
    try:
        key = base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        raise ValueError("no base64") from None
    if len(key) not in _KEY_BYTES:
        raise ValueError("no AES key")
    return key


def _aes_key(value: str) -> str | None:
    try:
        aes_key(value)
    except ValueError:
        return "不是 AES 密钥（开放平台“接口内容加密方式”显示的 base64）"
    return None


def detect(headers: Mapping[str, str], app_id: str) -> ClientEnv | None:
    """Tell a page request from the web view of the mini program ``app_id``."""
    client = settings.detect(headers)
    if client is None or not client.mini_program or client.mini_app_id not in ("", app_id):
        return None
    return replace(client, channel="alipay_mini")


DESCRIPTION = ChannelDescription(
    kind="alipay_mini",
    label="支付宝小程序",
    fields=(
        *settings.SHARED_FIELDS,
        SettingField(
            "aes_key",
            "接口内容加密密钥（AES）",
            secret=True,
            required=False,
            help="取得手机号码时必填；在开放平台“接口内容加密方式”中查看",
            check=_aes_key,
        ),
        SettingField(
            "web_page",
            "网页容器页",
            default=WEB_PAGE,
            check=matching(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*", "形如 pages/web/web，开头不加 /"),
            help="小程序里用 web-view 打开网页的页面，网址放在参数 url 中",
        ),
    ),
    check=settings.check,
)
