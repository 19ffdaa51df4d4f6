"""Plays the Alipay platform with keys of its own, and verifies what it is sent."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qs, quote_from_bytes, urlsplit
from xml.sax.saxutils import escape

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from channels.base import AccountConfig, InboundRequest, RawResponse
from tests.channels.alipay_trades import SUCCESS, Trades
from tests.channels.builders import NOW
from tests.channels.server import Answer, Call

APP_ID = "2021000000000001"
RECIPIENT = "2088000000000001"
GOOD_CODE = "good-auth-code"
PROFILE_CODE = "profile-auth-code"
OPEN_CODE = "open-id-code"
OPEN_ID = "074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5lsNpazWYoCo5"
SELLER = "2088000000000099"
CALLBACK = {"auth_code": GOOD_CODE, "state": "s1", "app_id": APP_ID, "scope": "auth_base"}
PLATFORM_KEY = rsa.generate_private_key(65537, 2048)
APP_KEY = rsa.generate_private_key(65537, 2048)
NOTIFY = "alipay.mobile.public.message.notify"
_HASHES = {"RSA": hashes.SHA1(), "RSA2": hashes.SHA256()}
_INNER = re.compile(
    rb"<response>(.*)</response>(?:<app_cert_sn>.*</app_cert_sn>)?<sign>(.*)</sign><sign_type>(.*)</sign_type>",
    re.DOTALL,
)


def private_pem(key: rsa.RSAPrivateKey, kind: str = "PKCS8") -> str:
    form = {
        "PKCS8": serialization.PrivateFormat.PKCS8,
        "PKCS1": serialization.PrivateFormat.TraditionalOpenSSL,
    }
    pem = key.private_bytes(serialization.Encoding.PEM, form[kind], serialization.NoEncryption())
    return pem.decode()


def public_pem(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def bare(pem: str) -> str:
    """Return a PEM's base64 alone, as the platform's key tool prints it."""
    return "".join(line for line in pem.splitlines() if "-----" not in line)


def config(base_url: str = "http://127.0.0.1:9", **settings: str) -> AccountConfig:
    values = {
        "app_id": APP_ID,
        "gateway": f"{base_url}/gateway.do",
        "alipay_public_key": bare(public_pem(PLATFORM_KEY)),
        "seller_id": SELLER,
        **settings,
    }
    return AccountConfig("alipay", "gd-window", values, {"app_private_key": bare(private_pem(APP_KEY))})


def sign(message: bytes, sign_type: str = "RSA2") -> str:
    return base64.b64encode(PLATFORM_KEY.sign(message, padding.PKCS1v15(), _HASHES[sign_type])).decode()


def verified(message: bytes, signature: str, sign_type: str = "RSA2") -> bool:
    """Tell whether the app signed ``message``."""
    try:
        APP_KEY.public_key().verify(
            base64.b64decode(signature), message, padding.PKCS1v15(), _HASHES[sign_type]
        )
    except InvalidSignature:
        return False
    return True


def form(params: Mapping[str, bytes]) -> bytes:
    return "&".join(f"{name}={quote_from_bytes(value, safe='')}" for name, value in params.items()).encode()


def signed_form(
    params: Mapping[str, bytes], sign_type: str = "RSA2", left_out: tuple[str, ...] = ()
) -> bytes:
    """Sign all parameters, ``sign_type`` among them unless it is left out."""
    whole = {**params, "sign_type": sign_type.encode()}
    kept = sorted((name, value) for name, value in whole.items() if name not in left_out)
    message = b"&".join(name.encode() + b"=" + value for name, value in kept)
    return form({**whole, "sign": sign(message, sign_type).encode()})


def push(xml: bytes, service: str = NOTIFY, charset: str = "GBK", sign_type: str = "RSA2") -> InboundRequest:
    params = {"service": service.encode(), "charset": charset.encode(), "biz_content": xml}
    return InboundRequest("POST", b"", {}, signed_form(params, sign_type))


def message(
    fields: Mapping[str, str], more: str = "", at: datetime = NOW, app_id: str = APP_ID, charset: str = "GBK"
) -> bytes:
    moment = str(round(at.timestamp() * 1000))
    head = {"AppId": app_id, "FromUserId": "old", "FromAlipayUserId": RECIPIENT, "CreateTime": moment}
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in {**head, **fields}.items())
    return f'<?xml version="1.0" encoding="{charset}"?><XML>{inner}{more}</XML>'.encode(
        "gb18030" if charset == "GBK" else "utf-8"
    )


def notification(**fields: str) -> bytes:
    """Return the body of an asynchronous notification, signed without ``sign_type``."""
    given = {"app_id": APP_ID, "charset": "utf-8", "version": "1.0", **fields}
    kept = {name: value.encode() for name, value in given.items() if value}
    return signed_form(kept, left_out=("sign_type",))


def handshake(charset: str = "GBK", sign_type: str = "RSA2") -> InboundRequest:
    xml = f"<XML><AppId>{APP_ID}</AppId><EventType>verifygw</EventType></XML>".encode()
    return push(xml, "alipay.service.check", charset, sign_type)


def open_answer(answer: RawResponse, sign_type: str = "RSA2") -> str:
    """Verify a handshake's answer as the platform does; returns what stands inside ``response``."""
    found = _INNER.search(answer.body)
    assert found is not None
    assert verified(found.group(1), found.group(2).decode(), sign_type)
    assert found.group(3).decode() == sign_type
    return found.group(1).decode()


def accepts_handshake(answer: RawResponse) -> bool:
    inner = open_answer(answer)
    key = f"<biz_content>{bare(public_pem(APP_KEY))}</biz_content>"
    return answer.status == 200 and inner == f"<success>true</success>{key}"


def text(content: str, message_id: str = "1", at: datetime = NOW, charset: str = "GBK") -> InboundRequest:
    words = f"<Text><Content>{escape(content)}</Content></Text>"
    return push(
        message({"MsgType": "text", "MsgId": message_id}, words, at, charset=charset), charset=charset
    )


def event(name: str, action: str = "", at: datetime = NOW) -> InboundRequest:
    return push(message({"MsgType": "event", "EventType": name, "ActionParam": action}, at=at))


def signed(body: bytes) -> InboundRequest:
    return push(body)


def read_reply(answer: RawResponse) -> str:
    """Return the reply inside an answer to a callback: there never is one."""
    assert answer.body == b"success"
    return ""


class Api:
    """The gateway for one app; every request's signature, charset and time are verified.

    Attributes:
        now: what a request's time must be; ``None`` where a real clock runs.
    """

    def __init__(self, answers: Mapping[str, bytes] | None = None, signer: Signer | None = None) -> None:
        self.menu: Any = None
        self.sent: list[Any] = []
        self.methods: list[str] = []
        self.asked: list[dict[str, str]] = []
        self.answers = dict(answers or {})
        self.signer = signer or Signer()
        self.trades = Trades()
        self.now: datetime | None = NOW
        self.base_url = ""
        self._count = 0

    def __call__(self, call: Call) -> Answer:
        self.base_url = f"http://{call.host}"
        query = {name: values[0] for name, values in parse_qs(urlsplit(call.target).query).items()}
        body = fields_of(call)
        assert not query.keys() & body.keys()
        params = {**query, **body}
        method = params["method"]
        self.methods.append(method)
        self.asked.append(params)
        if method in self.answers:
            return Answer(self.answers[method])
        return self.signer.answer(method, self._result(method, params))

    def _result(self, method: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        if not _is_from_app(params, self.now):
            return refusal("40002", "isv.invalid-signature")
        self._count += 1
        named = {
            "alipay.system.oauth.token": _identity,
            "alipay.user.info.share": _profile,
            "alipay.offline.material.image.upload": self._image,
        }
        if method in named:
            return named[method](params)
        return self.result(method, json.loads(params["biz_content"]))

    def result(self, method: str, content: Any) -> Mapping[str, Any]:
        """Do what is asked for in ``biz_content``."""
        if method.startswith("alipay.trade."):
            return self.trades.answer(method.rpartition(".")[2], content)
        if method.endswith("menu.query"):
            return self._query()
        if method.endswith(("menu.create", "menu.modify")):
            if (self.menu is None) != method.endswith("create"):
                return refusal("40004", "MENU_STATE")
            self.menu = content
        if method.endswith("qrcode.create"):
            return {**SUCCESS, "code_img": "https://mobilecodec.alipay.com/show.htm?code=1"}
        if method.endswith((".custom.send", ".single.send", ".templatemessage.send")):
            self.sent.append(content)
        return SUCCESS

    def _image(self, params: Mapping[str, str]) -> Mapping[str, Any]:
        assert params["image_type"] == "png"
        return {**SUCCESS, "image_id": f"image-{self._count}", "image_url": "https://oalipay.example/p.png"}

    def _query(self) -> Mapping[str, Any]:
        if self.menu is None:
            return refusal("40004", "MENU_NOT_EXISTS")
        return {**SUCCESS, "menu_content": json.dumps(self.menu)}


def refusal(code: str, sub_code: str) -> Mapping[str, Any]:
    return {"code": code, "msg": "refused", "sub_code": sub_code}


def fields_of(call: Call) -> dict[str, str]:
    """Return the fields of a form, files left out."""
    kind = call.content_type
    if not kind.startswith("multipart/form-data"):
        return {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
    parts = message_from_bytes(f"Content-Type: {kind}\n\n".encode() + call.body, policy=HTTP).iter_parts()
    named = ((part.get_param("name", header="Content-Disposition"), part) for part in parts)
    return {str(name): part.get_content().strip() for name, part in named if not part.get_filename()}


def _is_from_app(params: Mapping[str, str], now: datetime | None) -> bool:
    said = "&".join(f"{name}={value}" for name, value in sorted(params.items()) if name != "sign")
    asked_at = datetime.strptime(params["timestamp"], "%Y-%m-%d %H:%M:%S").replace(
        tzinfo=timezone(timedelta(hours=8))
    )
    on_time = now is None or asked_at.astimezone(UTC) == now
    return on_time and params["app_id"] == APP_ID and verified(said.encode(), params["sign"])


def _identity(params: Mapping[str, str]) -> Mapping[str, Any]:
    renewing = params["grant_type"] == "refresh_token"
    code = params.get("refresh_token", "") if renewing else params.get("code", "")
    who = {GOOD_CODE: "base", PROFILE_CODE: "profile", OPEN_CODE: "open", "again-profile": "profile"}.get(
        code
    )
    if who is None:
        return refusal("40002", "isv.code-invalid")
    person = {"open_id": OPEN_ID} if who == "open" else {"user_id": RECIPIENT}
    grant = {"access_token": f"token-{who}", "refresh_token": f"again-{who}", "expires_in": 1296000}
    return {**person, **grant}


def _profile(params: Mapping[str, str]) -> Mapping[str, Any]:
    if params["auth_token"] != "token-profile":
        return refusal("20001", "aop.auth-token-no-permission")
    return {**SUCCESS, "user_id": RECIPIENT, "nick_name": "小{粤", "avatar": "https://a.cn/p.png"}


@dataclass(frozen=True)
class Signer:
    """Signs the gateway's answers, under the number of a certificate where one is given."""

    key: rsa.RSAPrivateKey = PLATFORM_KEY
    number: str = ""

    def answer(self, method: str, content: Mapping[str, Any], charset: str = "utf-8") -> Answer:
        raw = json.dumps(content, ensure_ascii=False)
        member = f"{method.replace('.', '_')}_response"
        mark = self.key.sign(raw.encode(charset), padding.PKCS1v15(), hashes.SHA256())
        number = f'"alipay_cert_sn":"{self.number}",' if self.number else ""
        signature = base64.b64encode(mark).decode()
        return Answer(f'{{"{member}":{raw},{number}"sign":"{signature}"}}'.encode(charset))


def signed_answer(method: str, content: Mapping[str, Any], charset: str = "utf-8") -> Answer:
    return Signer().answer(method, content, charset)


def api() -> Api:
    return Api()
