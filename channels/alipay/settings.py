"""What an Alipay account needs to be told."""

from __future__ import annotations

import re
from collections.abc import Mapping

from channels.alipay.keys import SignType, load_private_key, load_public_key
from channels.base import ClientEnv
from channels.fields import ChannelDescription, SettingField, base_url, matching
from channels.links import header, system_of

_APP = re.compile(r"AliApp\(AP/([0-9.]+)|AlipayClient(?:/([0-9.]+))?")
_MINI_REFERER = re.compile(r"https://([0-9]{16})\.hybrid\.alipay-eco\.com/")


def _private_key(value: str) -> str | None:
    try:
        load_private_key(value)
    except ValueError:
        return "不是可用的 RSA 私钥（PEM 或密钥工具生成的 base64）"
    return None


def _public_key(value: str) -> str | None:
    try:
        load_public_key(value)
    except ValueError:
        return "不是可用的 RSA 公钥（PEM 或 base64）"
    return None


def detect(headers: Mapping[str, str]) -> ClientEnv | None:
    """Tell the Alipay app from a page request's headers."""
    agent = header(headers, "User-Agent")
    found = _APP.search(agent)
    if not found:
        return None
    mini = _MINI_REFERER.match(header(headers, "Referer"))
    return ClientEnv(
        channel="alipay",
        version=found.group(1) or found.group(2) or "",
        system=system_of(agent),
        mini_program="MiniProgram" in agent or mini is not None,
        mini_app_id=mini.group(1) if mini else "",
    )


DESCRIPTION = ChannelDescription(
    kind="alipay",
    label="支付宝服务窗（生活号）",
    fields=(
        SettingField("app_id", "应用 AppID", check=matching(r"[0-9]{8,32}", "只能用数字")),
        SettingField("app_private_key", "应用私钥", secret=True, multiline=True, check=_private_key),
        SettingField("alipay_public_key", "支付宝公钥", multiline=True, check=_public_key),
        SettingField(
            "sign_type",
            "签名方式",
            default=SignType.RSA2,
            choices=((SignType.RSA2, "RSA2（SHA-256）"), (SignType.RSA, "RSA（SHA-1，旧应用）")),
        ),
        SettingField("gateway", "网关地址", default="https://openapi.alipay.com/gateway.do", check=base_url),
        SettingField("login_base", "授权页地址", default="https://openauth.alipay.com", check=base_url),
    ),
    detect=detect,
)
