"""Plays WeChat for a mini program: messages in JSON, codes from the phone, links and pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from channels.base import AccountConfig, InboundRequest, RawResponse
from tests.channels import platform_wechat as official
from tests.channels.builders import NOW
from tests.channels.server import Answer, Call

APP_ID = official.APP_ID
RECIPIENT = official.RECIPIENT
GOOD_CODE = "good-js-code"
PHONE_CODE = "phone-code"
SESSION_KEY = "tiihtNczf5v6AKRyjwEUhQ=="
DRAWING = ("getwxacode", "getwxacodeunlimit", "createwxaqrcode")
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(32)

handshake = official.handshake
accepts_handshake = official.accepts_handshake


def config(base_url: str = "http://127.0.0.1:9", **settings: str) -> AccountConfig:
    known = official.config(base_url, **settings)
    return AccountConfig("wechat_mini", "gd-mini", known.settings, known.secrets)


def message(at: datetime = NOW, /, **fields: Any) -> str:
    head = {"ToUserName": official.ORIGINAL_ID, "FromUserName": RECIPIENT, "CreateTime": int(at.timestamp())}
    return json.dumps({**head, **fields}, ensure_ascii=False)


def plain(body: str | bytes, at: datetime = NOW) -> InboundRequest:
    return official.plain(body, at)


def sealed(body: str, at: datetime = NOW, key: str = official.KEY, app_id: str = APP_ID) -> InboundRequest:
    """Return ``body`` encrypted, in a JSON envelope."""
    time = str(int(at.timestamp()))
    cipher = official.cipher_of(body, at, key, app_id)
    proof = {
        "encrypt_type": "aes",
        "msg_signature": official.sha1(official.TOKEN, time, official.NONCE, cipher),
    }
    outer = json.dumps({"ToUserName": official.ORIGINAL_ID, "Encrypt": cipher})
    return InboundRequest("POST", official.query(at=at, **proof), {}, outer.encode())


def text(content: str, message_id: str = "1", at: datetime = NOW) -> InboundRequest:
    return sealed(message(at, MsgType="text", Content=content, MsgId=int(message_id)), at)


def event(name: str, action: str = "", at: datetime = NOW) -> InboundRequest:
    names = {"follow": "subscribe", "unfollow": "unsubscribe", "click": "CLICK"}
    return sealed(message(at, MsgType="event", Event=names.get(name, name), EventKey=action), at)


def consent(allowed: list[str], forbidden: list[str]) -> InboundRequest:
    answers = [(key, "accept") for key in allowed] + [(key, "reject") for key in forbidden]
    entries = [{"TemplateId": key, "SubscribeStatusString": word, "PopupScene": "0"} for key, word in answers]
    return sealed(message(MsgType="event", Event="subscribe_msg_popup_event", List=entries))


def receipt(platform_id: str, arrived: bool) -> InboundRequest:
    status = ("0", "success") if arrived else ("43101", "user refuse")
    entry = {"TemplateId": "T1", "MsgID": platform_id, "ErrorCode": status[0], "ErrorStatus": status[1]}
    return sealed(message(MsgType="event", Event="subscribe_msg_sent_event", List=entry))


def signed(body: bytes) -> InboundRequest:
    return sealed(body.decode("utf-8", "replace"))


def open_answer(answer: RawResponse, key: str = official.KEY) -> Mapping[str, Any]:
    """Verify and decrypt an answer as the platform does."""
    outer = json.loads(answer.body)
    cipher, time, nonce = outer["Encrypt"], str(outer["TimeStamp"]), outer["Nonce"]
    assert outer["MsgSignature"] == official.sha1(official.TOKEN, time, nonce, cipher)
    opened: Mapping[str, Any] = json.loads(official.opened(cipher, key))
    return opened


def read_reply(answer: RawResponse) -> str:
    return "" if answer.body == b"success" else str(open_answer(answer)["Content"])


def hands_over(answer: RawResponse) -> bool:
    return bool(open_answer(answer)["MsgType"] == "transfer_customer_service")


class Api(official.Api):
    """The API of one mini program."""

    def __init__(self, answers: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        super().__init__(answers)
        self.drawn: list[Any] = []

    def __call__(self, call: Call) -> Answer:
        answer = super().__call__(call)
        drawing = urlsplit(call.target).path.rpartition("/")[2] in (
            "getwxacode",
            "getwxacodeunlimit",
            "createwxaqrcode",
        )
        if not drawing or json.loads(answer.body).get("errcode"):
            return answer
        self.drawn.append(json.loads(call.body))
        return Answer(PICTURE, content_type="image/png")

    def _result(self, call: Call) -> Mapping[str, Any]:
        parts = urlsplit(call.target)
        if parts.path == "/sns/jscode2session":
            params = {name: values[0] for name, values in parse_qs(parts.query).items()}
            return self.answers.get("jscode2session", _session(params))
        return super()._result(call)

    def _with_token(self, path: str, body: Any) -> Mapping[str, Any]:
        if path in self.answers:
            return self.answers[path]
        if path == "message/subscribe/send":
            self.sent.append(body)
            return {"errcode": 0, "errmsg": "ok", "msgid": 1864323726461255680}
        if path == "/wxa/business/getuserphonenumber":
            return _phone(body)
        made = LINKS.get(path)
        if made is not None:
            self.sent.append(body)
            return {"errcode": 0, "errmsg": "ok", **made}
        return super()._with_token(path, body)


LINKS = {
    "/wxa/generate_urllink": {"url_link": "https://wxaurl.cn/BQZRrcFCPvg"},
    "/wxa/generatescheme": {"openlink": "weixin://dl/business/?t=XTSkBZlzqmn"},
    "/wxa/genwxashortlink": {"link": "#小程序://大厅/office/a1"},
}


def _session(params: Mapping[str, str]) -> Mapping[str, Any]:
    right = params["appid"] == APP_ID and params["secret"] == official.APP_SECRET
    if not right or params["js_code"] != GOOD_CODE or params["grant_type"] != "authorization_code":
        return {"errcode": 40029, "errmsg": "invalid code"}
    return {"openid": RECIPIENT, "session_key": SESSION_KEY, "unionid": "u1"}


def _phone(body: Mapping[str, Any], app_id: str = APP_ID) -> Mapping[str, Any]:
    if body != {"code": PHONE_CODE}:
        return {"errcode": 40029, "errmsg": "invalid code"}
    known = {"phoneNumber": "+8602012345", "purePhoneNumber": "02012345", "countryCode": 86}
    mark = {"timestamp": int(NOW.timestamp()), "appid": app_id}
    return {"errcode": 0, "errmsg": "ok", "phone_info": {**known, "watermark": mark}}


def api() -> Api:
    return Api()
