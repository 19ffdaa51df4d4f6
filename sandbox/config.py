"""Read and check the sandbox's JSON configuration; README.md in this folder describes its form."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from sandbox import certificates
from sandbox.certificates import Certificates

WECHAT_MODES = ("plain", "compat", "secure")
WECHAT_FORMS = ("xml", "json")
ALIPAY_CHARSETS = ("GBK", "UTF-8")


class ConfigError(ValueError):
    """Carries every problem found, one sentence each; secrets are never repeated in them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("；".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class NoticeTemplate:
    """A form of notice the platform has approved for an account.

    Attributes:
        kind: ``template`` (模板消息) or ``subscribe`` (订阅通知).
        fields: names of its parameters, e.g. ``thing1``.
        long_term: one consent of the resident is good for ever, not for one notice.
    """

    id: str
    kind: str
    title: str
    fields: tuple[str, ...]
    long_term: bool = False


@dataclass(frozen=True, slots=True)
class WechatAccount:
    """One official account (公众号) as the platform has it on record.

    Attributes:
        key: names the account within the sandbox and the hall.
        aes_key: the EncodingAESKey, 43 characters; empty in plain mode.
        form: ``xml`` or ``json``, what messages are written in.
        original_id: the account's own name in messages, ``gh_…``.
    """

    key: str
    name: str
    callback_url: str
    app_id: str
    app_secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    mode: str
    original_id: str
    templates: tuple[NoticeTemplate, ...] = ()
    form: str = "xml"
    kind: str = "wechat"


@dataclass(frozen=True, slots=True)
class MiniProgram(WechatAccount):
    """One mini program (小程序): like an official account, but nobody follows it and it has no menu.

    Attributes:
        pages: paths of the pages that are published; links, codes and notices may name no other.
    """

    pages: tuple[str, ...] = ()
    kind: str = "wechat_mini"


@dataclass(frozen=True, slots=True)
class AlipayAccount:
    """One app at Alipay: a service window (服务窗) or, by its kind, a mini program (小程序).

    Attributes:
        certificates: the app proves itself with certificates; ``None`` = with keys alone.
        seller_id: who is paid; ``""`` = the app takes no payments.
        id_kind: ``user_id`` or ``open_id``, what residents are called by.
        aes_key: seals phone numbers for the app; empty = it gets none.
        pages: paths of the pages a mini program has published.
    """

    key: str
    name: str
    callback_url: str
    app_id: str
    hall_public_key: rsa.RSAPublicKey = field(repr=False)
    platform_private_key: rsa.RSAPrivateKey = field(repr=False)
    charset: str
    sign_type: str
    kind: str = "alipay"
    certificates: Certificates | None = None
    seller_id: str = ""
    id_kind: str = "user_id"
    aes_key: bytes = field(default=b"", repr=False)
    templates: tuple[NoticeTemplate, ...] = ()
    pages: tuple[str, ...] = ()

    @property
    def is_mini(self) -> bool:
        return self.kind == "alipay_mini"


Account = WechatAccount | AlipayAccount


@dataclass(frozen=True, slots=True)
class OutagePlan:
    """How the page that falls down behaves: seconds up at first, then down and up again by turns."""

    first_up_seconds: float = 60.0
    down_seconds: float = 75.0
    up_seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class Verification:
    """What the provider of real-name checks and the hall have agreed on."""

    app: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """Everything the sandbox is told.

    Attributes:
        verification: None when the hall uses no provider of real-name checks here.
        answer_deadline_seconds: how long a platform waits for the hall's answer before it hangs up.
        notify_scale: Alipay repeats a notification after 4 minutes to 15 hours, times this.
    """

    hall_base: str
    accounts: tuple[Account, ...]
    outage: OutagePlan = OutagePlan()
    answer_deadline_seconds: float = 5.0
    notify_scale: float = 1.0
    verification: Verification | None = None

    def account(self, key: str) -> Account | None:
        return next((account for account in self.accounts if account.key == key), None)


def load(path: Path) -> SandboxConfig:
    """Read the file at ``path``.

    Raises:
        ConfigError: the file is missing, readable by others, not JSON, or says something that cannot be.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"读不了配置文件 {path}：{type(error).__name__}"]) from error
    if mode & 0o077:
        raise ConfigError([f"配置文件 {path} 含密钥，权限应为 0600，现为 {mode:04o}"])
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise ConfigError([f"配置文件 {path} 不是 JSON：{error}"]) from error
    return parse(raw)


def parse(raw: object) -> SandboxConfig:
    """Turn decoded JSON into a configuration.

    Raises:
        ConfigError: with all problems at once.
    """
    problems: list[str] = []
    if not isinstance(raw, dict):
        raise ConfigError(["配置须是一个 JSON 对象"])
    reader = _Reader(raw, "", problems)
    hall_base = reader.url("hall_base").rstrip("/")
    deadline = reader.seconds("answer_deadline_seconds", 5.0)
    scale = reader.seconds("notify_scale", 1.0)
    outage = _outage(raw.get("outage", {}), problems)
    accounts = _accounts(raw.get("accounts"), problems)
    verification = _verification(raw.get("verification"), problems)
    keys = [account.key for account in accounts]
    problems += [
        f"accounts：key «{key}» 出现不止一次" for key in sorted({k for k in keys if keys.count(k) > 1})
    ]
    if problems:
        raise ConfigError(problems)
    return SandboxConfig(hall_base, tuple(accounts), outage, deadline, scale, verification)


def _verification(raw: object, problems: list[str]) -> Verification | None:
    if raw is None:
        return None
    if not isinstance(raw, dict):
        problems.append("verification 须是对象")
        return None
    reader = _Reader(raw, "verification.", problems)
    return Verification(reader.text("app"), reader.text("secret"))


def _outage(raw: object, problems: list[str]) -> OutagePlan:
    if not isinstance(raw, dict):
        problems.append("outage 须是对象")
        return OutagePlan()
    reader = _Reader(raw, "outage.", problems)
    default = OutagePlan()
    return OutagePlan(
        reader.seconds("first_up_seconds", default.first_up_seconds),
        reader.seconds("down_seconds", default.down_seconds),
        reader.seconds("up_seconds", default.up_seconds),
    )


def _accounts(raw: object, problems: list[str]) -> list[Account]:
    if not isinstance(raw, list):
        problems.append("accounts 须是数组")
        return []
    accounts: list[Account] = []
    for index, entry in enumerate(raw):
        where = f"accounts[{index}]."
        kind = entry.get("kind") if isinstance(entry, dict) else None
        if not isinstance(kind, str) or kind not in _MAKERS:
            problems.append(f"{where}kind 须是 " + "、".join(_MAKERS) + " 之一")
            continue
        account = _MAKERS[kind](_Reader(entry, where, problems))
        if account is not None:
            accounts.append(account)
    return accounts


def _wechat(reader: _Reader) -> WechatAccount:
    return WechatAccount(**_wechat_members(reader, "xml"))


def _wechat_mini(reader: _Reader) -> MiniProgram:
    pages = reader.raw.get("pages")
    if not isinstance(pages, list) or not pages or not all(isinstance(page, str) and page for page in pages):
        reader.problem("pages", "须是页面路径的数组")
        pages = []
    return MiniProgram(**_wechat_members(reader, "json"), pages=tuple(pages))


def _wechat_members(reader: _Reader, form: str) -> dict[str, Any]:
    """Return what both kinds of account are made of; ``form`` is what messages are written in by default."""
    mode = reader.choice("mode", WECHAT_MODES)
    aes_key = reader.raw.get("aes_key", "")
    if (mode != "plain" or aes_key) and not _is_aes_key(aes_key):
        reader.problem("aes_key", "须是 43 位的 EncodingAESKey")
    return {
        **{
            name: reader.text(name)
            for name in ("key", "name", "app_id", "app_secret", "token", "original_id")
        },
        "callback_url": reader.url("callback_url"),
        "aes_key": aes_key if isinstance(aes_key, str) else "",
        "mode": mode,
        "templates": _templates(reader),
        "form": reader.choice("form", WECHAT_FORMS) if "form" in reader.raw else form,
    }


def _templates(reader: _Reader) -> tuple[NoticeTemplate, ...]:
    raw = reader.raw.get("templates", [])
    if not isinstance(raw, list) or not all(isinstance(entry, dict) for entry in raw):
        reader.problem("templates", "须是对象的数组")
        return ()
    return tuple(
        _template(_Reader(entry, f"{reader.where}templates[{index}].", reader.problems))
        for index, entry in enumerate(raw)
    )


def _template(reader: _Reader) -> NoticeTemplate:
    fields = reader.raw.get("fields")
    if not isinstance(fields, list) or not fields or not all(isinstance(name, str) for name in fields):
        reader.problem("fields", "须是参数名的数组")
        fields = []
    return NoticeTemplate(
        id=reader.text("id"),
        kind=reader.choice("kind", ("template", "subscribe")),
        title=reader.text("title"),
        fields=tuple(fields),
        long_term=reader.raw.get("long_term") is True,
    )


def _alipay(reader: _Reader) -> AlipayAccount | None:
    public_key = reader.public_key("hall_public_key_pem")
    private_key = reader.private_key("platform_private_key_pem")
    texts = {name: reader.text(name) for name in ("key", "name", "app_id")}
    callback_url = reader.url("callback_url")
    charset = reader.choice("charset", ALIPAY_CHARSETS)
    sign_type = reader.choice("sign_type", ("RSA2",))
    pages = reader.raw.get("pages", [])
    if not isinstance(pages, list) or not all(isinstance(page, str) and page for page in pages):
        reader.problem("pages", "须是页面路径的数组")
        pages = []
    if public_key is None or private_key is None:
        return None
    return AlipayAccount(
        **texts,
        callback_url=callback_url,
        hall_public_key=public_key,
        platform_private_key=private_key,
        charset=charset,
        sign_type=sign_type,
        kind=reader.raw["kind"],
        certificates=_certificates(reader, public_key),
        seller_id=reader.text("seller_id") if "seller_id" in reader.raw else "",
        id_kind=reader.choice("id_kind", ("user_id", "open_id")) if "id_kind" in reader.raw else "user_id",
        aes_key=_content_key(reader),
        templates=_templates(reader),
        pages=tuple(pages),
    )


def _certificates(reader: _Reader, hall_key: rsa.RSAPublicKey) -> Certificates | None:
    given = reader.raw.get("certificates")
    if given is None:
        return None
    files = given if isinstance(given, dict) else {}
    app, roots, platform = (str(files.get(name, "")) for name in ("app_pem", "root_pem", "platform_pem"))
    with suppress(ValueError):
        return certificates.read(app, roots, platform, hall_key)
    reader.problem("certificates", "须含 app_pem、root_pem、platform_pem 三份 PEM 证书")
    return None


def _content_key(reader: _Reader) -> bytes:
    value = reader.raw.get("aes_key", "")
    try:
        key = base64.b64decode(value, validate=True) if isinstance(value, str) else b"?"
    except ValueError:
        key = b"?"
    if len(key) not in (0, 16, 24, 32):
        reader.problem("aes_key", "须是 AES 密钥的 base64")
        return b""
    return key


_MAKERS: Mapping[str, Callable[[_Reader], Account | None]] = {
    "wechat": _wechat,
    "wechat_mini": _wechat_mini,
    "alipay": _alipay,
    "alipay_mini": _alipay,
}


def _is_aes_key(value: object) -> bool:
    if not isinstance(value, str) or len(value) != 43:
        return False
    try:
        return len(base64.b64decode(value + "=", validate=True)) == 32
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class _Reader:
    """Takes typed values out of one JSON object and notes what is wrong with them."""

    raw: Mapping[str, Any]
    where: str
    problems: list[str]

    def problem(self, name: str, words: str) -> None:
        self.problems.append(f"{self.where}{name} {words}")

    def text(self, name: str) -> str:
        value = self.raw.get(name)
        if isinstance(value, str) and value.strip():
            return value
        self.problem(name, "须是非空文字")
        return ""

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        value = self.raw.get(name)
        if isinstance(value, str) and value in allowed:
            return value
        self.problem(name, "须是 " + "、".join(allowed) + " 之一")
        return allowed[0]

    def url(self, name: str) -> str:
        value = self.text(name)
        try:
            parts = urlsplit(value)
        except ValueError:
            parts = urlsplit("")
        if value and (parts.scheme not in ("http", "https") or not parts.netloc):
            self.problem(name, "须是 http(s) 地址")
        return value

    def seconds(self, name: str, default: float) -> float:
        value = self.raw.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 86_400:
            self.problem(name, "须是大于 0、不超过 86400 的秒数")
            return default
        return float(value)

    def public_key(self, name: str) -> rsa.RSAPublicKey | None:
        try:
            key = load_pem_public_key(self.text(name).encode())
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if isinstance(key, rsa.RSAPublicKey):
            return key
        self.problem(name, "须是 PEM 格式的 RSA 公钥")
        return None

    def private_key(self, name: str) -> rsa.RSAPrivateKey | None:
        try:
            key = load_pem_private_key(self.text(name).encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if isinstance(key, rsa.RSAPrivateKey):
            return key
        self.problem(name, "须是 PEM 格式、不加密的 RSA 私钥")
        return None
