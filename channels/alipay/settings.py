"""What an Alipay account needs to be told, with keys or with certificates."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum

from channels.alipay import certificates
from channels.alipay.keys import NoKey, SignType, load_private_key, load_public_key
from channels.base import ClientEnv
from channels.fields import ChannelDescription, Check, FieldProblem, SettingField, base_url, matching
from channels.links import header, system_of

_APP = re.compile(r"AliApp\(AP/([0-9.]+)|AlipayClient(?:/([0-9.]+))?")
_MINI_REFERER = re.compile(r"https://([0-9]{16})\.hybrid\.alipay-eco\.com/")
_RSA2_BITS = 2048
_WRONG = {
    "certificate": "这是证书，不是密钥；证书请填在证书一栏",
    "public": "这是公钥；这里要填应用私钥",
    "private": "这是私钥，不能填在这里；这里要填支付宝公钥",
    "locked": "私钥加了密码，请先去掉密码再填",
    "not_rsa": "不是 RSA 密钥；支付宝只用 RSA",
    "too_short": "密钥太短，须为 2048 位",
    "junk": "不是可用的 RSA 密钥（PEM，或密钥工具生成的一行 base64）",
}


class KeyMode(StrEnum):
    """How the two sides know each other's keys."""

    KEY = "key"
    CERTIFICATE = "certificate"


_NEEDED = {
    KeyMode.KEY: ("alipay_public_key",),
    KeyMode.CERTIFICATE: ("app_cert", "alipay_cert", "alipay_root_cert"),
}


def _loads(load: Callable[[str], object]) -> Check:
    def check(value: str) -> str | None:
        try:
            load(value)
        except NoKey as error:
            return _WRONG[error.reason]
        return None

    return check


def _certificate(value: str) -> str | None:
    try:
        for leaf in certificates.leaves(certificates.read(value)):
            certificates.rsa_key(leaf)
    except ValueError:
        if "PRIVATE KEY" in value:
            return "这是私钥，不是证书，请勿填在这里"
        return "不是可用的 RSA 证书（.crt 文件的全文）"
    return None


def _root_certificate(value: str) -> str | None:
    try:
        certificates.root_number(certificates.read(value))
    except ValueError:
        return "不是支付宝根证书（alipayRootCert.crt 的全文）"
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


def check(values: Mapping[str, str]) -> list[FieldProblem]:
    """Return what no field alone can say: what is missing, and what does not belong together."""
    mode = KeyMode(values.get("key_mode") or KeyMode.KEY)
    missing = [name for name in _NEEDED[mode] if not values.get(name)]
    if missing:
        return [FieldProblem(name, "必须填写") for name in missing]
    found = [*_weak(values), *(_mixed_keys(values) if mode is KeyMode.KEY else _mixed_certificates(values))]
    return list(found)


def _weak(values: Mapping[str, str]) -> list[FieldProblem]:
    strong = (values.get("sign_type") or SignType.RSA2) == SignType.RSA2
    if strong and load_private_key(values["app_private_key"], known=True).key_size < _RSA2_BITS:
        return [FieldProblem("app_private_key", _WRONG["too_short"])]
    return []


def _mixed_keys(values: Mapping[str, str]) -> list[FieldProblem]:
    ours = load_private_key(values["app_private_key"], known=True).public_key()
    if load_public_key(values["alipay_public_key"]) == ours:
        return [FieldProblem("alipay_public_key", "这是应用公钥；请填开放平台上显示的“支付宝公钥”")]
    return []


def _mixed_certificates(values: Mapping[str, str]) -> list[FieldProblem]:
    ours = load_private_key(values["app_private_key"], known=True).public_key()
    roots = certificates.read(values["alipay_root_cert"])
    theirs = certificates.read(values["alipay_cert"])
    found = []
    if not any(certificates.is_of(one, ours) for one in certificates.read(values["app_cert"])):
        found.append(FieldProblem("app_cert", "与应用私钥不是一对；请填 appCertPublicKey_….crt"))
    if any(certificates.is_of(one, ours) for one in theirs):
        found.append(FieldProblem("alipay_cert", "这是应用公钥证书；请填 alipayCertPublicKey_RSA2.crt"))
    elif not all(certificates.is_trusted(one, theirs, roots) for one in certificates.leaves(theirs)):
        found.append(FieldProblem("alipay_cert", "不是由所填的支付宝根证书签发"))
    return found


SHARED_FIELDS = (
    SettingField("app_id", "应用 AppID", check=matching(r"[0-9]{8,32}", "只能用数字")),
    SettingField("app_private_key", "应用私钥", secret=True, multiline=True, check=_loads(load_private_key)),
    SettingField(
        "key_mode",
        "加签模式",
        default=KeyMode.KEY,
        choices=((KeyMode.KEY, "密钥（公钥模式）"), (KeyMode.CERTIFICATE, "证书（公钥证书模式）")),
    ),
    SettingField(
        "alipay_public_key",
        "支付宝公钥",
        required=False,
        multiline=True,
        help="公钥模式必填；是支付宝的公钥，不是应用公钥",
        check=_loads(load_public_key),
    ),
    SettingField(
        "app_cert",
        "应用公钥证书",
        required=False,
        multiline=True,
        help="证书模式必填：appCertPublicKey_….crt 的全文",
        check=_certificate,
    ),
    SettingField(
        "alipay_cert",
        "支付宝公钥证书",
        required=False,
        multiline=True,
        help="证书模式必填：alipayCertPublicKey_RSA2.crt 的全文；换证期间可把新旧两张一并贴入",
        check=_certificate,
    ),
    SettingField(
        "alipay_root_cert",
        "支付宝根证书",
        required=False,
        multiline=True,
        help="证书模式必填：alipayRootCert.crt 的全文",
        check=_root_certificate,
    ),
    SettingField(
        "sign_type",
        "签名方式",
        default=SignType.RSA2,
        choices=((SignType.RSA2, "RSA2（SHA-256）"), (SignType.RSA, "RSA（SHA-1，旧应用）")),
    ),
    SettingField(
        "seller_id",
        "收款账号（PID）",
        required=False,
        help="2088 开头的 16 位数字；不收费的账号不填",
        check=matching(r"2088[0-9]{12}", "须是 2088 开头的 16 位数字"),
    ),
    SettingField("gateway", "网关地址", default="https://openapi.alipay.com/gateway.do", check=base_url),
)

DESCRIPTION = ChannelDescription(
    kind="alipay",
    label="支付宝服务窗（生活号）",
    fields=(
        *SHARED_FIELDS,
        SettingField("login_base", "授权页地址", default="https://openauth.alipay.com", check=base_url),
    ),
    check=check,
    detect=detect,
)
