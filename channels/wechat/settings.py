"""What a WeChat account needs to be told."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from channels.base import ClientEnv
from channels.fields import ChannelDescription, FieldProblem, SettingField, base_url, matching
from channels.links import header, system_of
from channels.wechat.crypto import decode_key

API_BASE = "https://api.weixin.qq.com"
LOGIN_BASE = "https://open.weixin.qq.com"


class Mode(StrEnum):
    """How the platform was told to send messages (消息加解密方式)."""

    PLAIN = "plain"
    COMPATIBLE = "compat"
    SECURE = "secure"


class AccountType(StrEnum):
    """What the account is registered as; it decides what the platform lets it do."""

    SERVICE = "service"
    SUBSCRIPTION = "subscription"


class TokenMethod(StrEnum):
    """Where access tokens come from."""

    STABLE = "stable"
    ORDINARY = "ordinary"


def _aes_key(value: str) -> str | None:
    try:
        decode_key(value)
    except ValueError:
        return "必须是 43 位的 EncodingAESKey"
    return None


def keys_fit(values: Mapping[str, str]) -> list[FieldProblem]:
    """Return what is wrong with mode and keys taken together."""
    if values.get("mode", Mode.SECURE) != Mode.PLAIN and not values.get("aes_key"):
        return [FieldProblem("aes_key", "兼容模式和安全模式必须填写 EncodingAESKey")]
    if values.get("previous_aes_key") and values.get("previous_aes_key") == values.get("aes_key"):
        return [FieldProblem("previous_aes_key", "不能与当前的 EncodingAESKey 相同")]
    return []


def detect(headers: Mapping[str, str]) -> ClientEnv | None:
    """Tell the WeChat app from a page request's headers.

    Inside a mini program only Android names it in the User-Agent; elsewhere the Referer does.
    """
    agent = header(headers, "User-Agent")
    _, found, rest = agent.partition("MicroMessenger/")
    if not found:
        return None
    referer = header(headers, "Referer")
    _, from_mini, mini = referer.partition("https://servicewechat.com/")
    mini_app_id = mini.split("/")[0] if from_mini and referer.startswith(from_mini) else ""
    return ClientEnv(
        channel="wechat",
        version=rest.split("(")[0].split(" ")[0],
        system=system_of(agent),
        mini_program="miniProgram" in agent or bool(mini_app_id),
        mini_app_id=mini_app_id,
    )


APP_FIELDS = (
    SettingField("app_id", "AppID", check=matching(r"[A-Za-z0-9_-]{4,64}", "只能用字母和数字")),
    SettingField("app_secret", "AppSecret", secret=True),
    SettingField(
        "token",
        "令牌（Token）",
        secret=True,
        check=matching(r"[A-Za-z0-9]{3,32}", "3 至 32 位字母或数字"),
    ),
)
PUSH_FIELDS = (
    SettingField(
        "mode",
        "消息加解密方式",
        default=Mode.SECURE,
        choices=((Mode.SECURE, "安全模式"), (Mode.COMPATIBLE, "兼容模式"), (Mode.PLAIN, "明文模式")),
    ),
    SettingField("aes_key", "EncodingAESKey", secret=True, required=False, check=_aes_key),
    SettingField(
        "previous_aes_key",
        "上一个 EncodingAESKey",
        secret=True,
        required=False,
        check=_aes_key,
        help="更换密钥期间保留，换完即清空",
    ),
    SettingField(
        "original_id",
        "原始 ID",
        required=False,
        check=matching(r"[A-Za-z0-9_@-]{1,64}", "形如 gh_ 开头的原始 ID"),
        help="填写后，发给其他账号的消息一律拒收",
    ),
    SettingField(
        "token_method",
        "access_token 获取方式",
        default=TokenMethod.STABLE,
        choices=((TokenMethod.STABLE, "稳定版接口"), (TokenMethod.ORDINARY, "普通接口")),
    ),
    SettingField("api_base", "接口地址", default=API_BASE, check=base_url),
)
"""What official accounts and mini programs are told alike."""

DESCRIPTION = ChannelDescription(
    kind="wechat",
    label="微信公众号",
    fields=(
        *APP_FIELDS,
        SettingField(
            "account_type",
            "账号类型",
            default=AccountType.SERVICE,
            choices=(
                (AccountType.SERVICE, "服务号（已认证）"),
                (AccountType.SUBSCRIPTION, "订阅号（已认证）"),
            ),
            help="订阅号没有网页授权、模板消息和带参数二维码",
        ),
        *PUSH_FIELDS,
        SettingField("login_base", "网页授权地址", default=LOGIN_BASE, check=base_url),
    ),
    check=keys_fit,
    detect=detect,
)
