"""Plays the WeChat platform: signs and encrypts with wechatpy, and verifies what it is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.sax.saxutils import escape

from defusedxml.ElementTree import fromstring
from wechatpy.crypto import PrpCrypto, WeChatCrypto
from wechatpy.utils import WeChatSigner

from channels.base import AccountConfig, InboundRequest, RawResponse
from tests.channels.builders import NOW
from tests.channels.server import Answer, Call

APP_ID = "wx0123456789abcdef"
APP_SECRET = "secret-of-the-account"
TOKEN = "callbacktoken"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OLD_KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
ORIGINAL_ID = "gh_0123456789ab"
RECIPIENT = "oResident-1"
GOOD_CODE = "good-code"
PROFILE_CODE = "profile-code"
CALLBACK = {"code": GOOD_CODE, "state": "s1"}
NONCE = "415670741"
TEMPLATE_TEXT = "办理事项：{{thing1.DATA}}\n办理时间:{{time2.DATA}}\n"
TEMPLATES: dict[str, Mapping[str, Any]] = {
    "template/get_all_private_template": {
        "template_list": [{"template_id": "T1", "title": "办件进度通知", "content": TEMPLATE_TEXT}]
    },
    "/wxaapi/newtmpl/gettemplate": {
        "errcode": 0,
        "errmsg": "ok",
        "data": [{"priTmplId": "T1", "title": "办件进度通知", "content": TEMPLATE_TEXT, "type": 3}],
    },
}
TICKET = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
"""The ticket of the example in the platform's document."""


def config(base_url: str = "http://127.0.0.1:9", **settings: str) -> AccountConfig:
    values = {"app_id": APP_ID, "mode": "secure", "api_base": base_url, **settings}
    secrets = {"app_secret": APP_SECRET, "token": TOKEN, "aes_key": KEY, "previous_aes_key": OLD_KEY}
    return AccountConfig("wechat", "gd-hall", values, secrets)


def sha1(*parts: str) -> str:
    signer = WeChatSigner()
    signer.add_data(*parts)
    return str(signer.signature)


def crypto(key: str = KEY, app_id: str = APP_ID) -> WeChatCrypto:
    return WeChatCrypto(TOKEN, key, app_id)


def query(signature: str | None = None, at: datetime = NOW, nonce: str = NONCE, **more: str) -> bytes:
    time = str(int(at.timestamp()))
    given = sha1(TOKEN, time, nonce) if signature is None else signature
    return urlencode({"signature": given, "timestamp": time, "nonce": nonce, **more}).encode()


def handshake() -> InboundRequest:
    return InboundRequest("GET", query(echostr="4375120948345356249"))


def accepts_handshake(answer: RawResponse) -> bool:
    return answer.status == 200 and answer.body == b"4375120948345356249"


def message(at: datetime = NOW, /, **fields: str) -> str:
    head = {"ToUserName": ORIGINAL_ID, "FromUserName": RECIPIENT, "CreateTime": str(int(at.timestamp()))}
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in {**head, **fields}.items())
    return f"<xml>{inner}</xml>"


def plain(body: str | bytes, at: datetime = NOW) -> InboundRequest:
    return InboundRequest("POST", query(at=at), {}, body.encode() if isinstance(body, str) else body)


def cipher_of(body: str, at: datetime = NOW, key: str = KEY, app_id: str = APP_ID) -> str:
    packed = crypto(key, app_id).encrypt_message(body, NONCE, str(int(at.timestamp())))
    return str(fromstring(packed).findtext("Encrypt"))


def opened(cipher: str, key: str = KEY) -> str:
    """Return what ``cipher`` says; the signature is the caller's business."""
    return str(PrpCrypto(crypto(key).key).decrypt(cipher, APP_ID))


def sealed(
    body: str, at: datetime = NOW, key: str = KEY, app_id: str = APP_ID, cipher: str | None = None
) -> InboundRequest:
    time = str(int(at.timestamp()))
    encrypted = cipher_of(body, at, key, app_id) if cipher is None else cipher
    outer = f"<xml><ToUserName>{ORIGINAL_ID}</ToUserName><Encrypt>{encrypted}</Encrypt></xml>"
    proof = {"encrypt_type": "aes", "msg_signature": sha1(TOKEN, time, NONCE, encrypted)}
    return InboundRequest("POST", query(at=at, **proof), {}, outer.encode())


def text(content: str, message_id: str = "1", at: datetime = NOW) -> InboundRequest:
    return sealed(message(at, MsgType="text", Content=escape(content), MsgId=message_id), at)


def event(name: str, action: str = "", at: datetime = NOW) -> InboundRequest:
    names = {"follow": "subscribe", "unfollow": "unsubscribe", "click": "CLICK"}
    fields = {"MsgType": "event", "Event": names.get(name, name), "EventKey": escape(action)}
    return sealed(message(at, **fields), at)


def consent(allowed: list[str], forbidden: list[str]) -> InboundRequest:
    answers = [(key, "accept") for key in allowed] + [(key, "reject") for key in forbidden]
    entries = "".join(
        f"<List><TemplateId>{key}</TemplateId><SubscribeStatusString>{word}</SubscribeStatusString></List>"
        for key, word in answers
    )
    fields = {"Event": "subscribe_msg_popup_event", "SubscribeMsgPopupEvent": entries}
    return sealed(message(MsgType="event", **fields))


def receipt(platform_id: str, arrived: bool) -> InboundRequest:
    status = "success" if arrived else "failed:user block"
    return sealed(message(MsgType="event", Event="TEMPLATESENDJOBFINISH", MsgID=platform_id, Status=status))


def signed(body: bytes) -> InboundRequest:
    """Return ``body`` where the message should be, authentic in every way."""
    return sealed(body.decode("utf-8", "replace"))


def open_answer(answer: RawResponse, key: str = KEY) -> Any:
    """Verify and decrypt an answer as the platform does; returns the message's root element."""
    outer = fromstring(answer.body)
    opened = crypto(key).decrypt_message(
        answer.body, outer.findtext("MsgSignature"), outer.findtext("TimeStamp"), outer.findtext("Nonce")
    )
    return fromstring(opened)


def read_reply(answer: RawResponse) -> str:
    return "" if answer.body == b"success" else open_answer(answer).findtext("Content")


def shows_picture(answer: RawResponse, media_id: str) -> bool:
    root = open_answer(answer)
    return bool(root.findtext("MsgType") == "image" and root.findtext("Image/MediaId") == media_id)


def hands_over(answer: RawResponse) -> bool:
    return bool(open_answer(answer).findtext("MsgType") == "transfer_customer_service")


class Api:
    """The API of one account: one token at a time, which can be dropped."""

    def __init__(self, answers: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.token = ""
        self.issued = 0
        self.always_bad_token = False
        self.menu: Any = None
        self.made = 0
        self.rules: list[Any] = []
        self.codes: list[Any] = []
        self.files: list[bytes] = []
        self.tickets = 0
        self.sent: list[Any] = []
        self.answers = dict(answers or {})

    def __call__(self, call: Call) -> Answer:
        return Answer(json.dumps(self._result(call), ensure_ascii=False).encode())

    def drop_token(self) -> None:
        self.token = ""

    def _result(self, call: Call) -> Mapping[str, Any]:
        parts = urlsplit(call.target)
        params = {name: values[0] for name, values in parse_qs(parts.query).items()}
        uploads = parts.path.endswith(("media/upload", "add_material"))
        body = json.loads(call.body) if call.body and not uploads else {}
        if parts.path in ("/cgi-bin/stable_token", "/cgi-bin/token"):
            return self._issue({**params, **body})
        if parts.path == "/sns/oauth2/access_token":
            return self.answers.get("oauth2", _identity(params))
        if parts.path == "/sns/oauth2/refresh_token":
            return self.answers.get("refresh_token", _renewed(params))
        if parts.path == "/sns/userinfo":
            return self.answers.get("userinfo", _userinfo(params))
        if self.always_bad_token or not self.token or params.get("access_token") != self.token:
            return {"errcode": 40001, "errmsg": "invalid credential"}
        path = parts.path.removeprefix("/cgi-bin/")
        return self._uploaded(path, call.body) if uploads else self._with_token(path, body)

    def _uploaded(self, path: str, body: bytes) -> Mapping[str, Any]:
        self.files.append(body)
        if path in self.answers:
            return self.answers[path]
        made = {"media_id": f"media-{len(self.files)}"}
        if path == "material/add_material":
            return {**made, "url": "http://mmbiz.qpic.cn/1"}
        return {"type": "image", **made, "created_at": int(NOW.timestamp())}

    def _menus(self) -> Mapping[str, Any]:
        if not self.menu:
            return {"errcode": 46003, "errmsg": "menu no exist"}
        return {"menu": self.menu, **({"conditionalmenu": self.rules} if self.rules else {})}

    def _issue(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        if asked["grant_type"] != "client_credential" or asked["secret"] != APP_SECRET:
            return {"errcode": 40125, "errmsg": "invalid appsecret"}
        self.issued += 1
        self.token = f"token-{self.issued}"
        return {"access_token": self.token, "expires_in": 7200}

    def _with_token(self, path: str, body: Any) -> Mapping[str, Any]:
        answers = {**TEMPLATES, **self.answers}
        if path in answers:
            return answers[path]
        if path == "menu/create":
            self.menu = body
        if path == "menu/get":
            return self._menus()
        if path == "menu/addconditional":
            self.made += 1
            self.rules.append({**body, "menuid": 400 + self.made})
        if path == "menu/delconditional":
            self.rules = [rule for rule in self.rules if str(rule["menuid"]) != body["menuid"]]
        if path == "qrcode/create":
            self.codes.append(body)
            given = {"expire_seconds": body["expire_seconds"]} if "expire_seconds" in body else {}
            return {"ticket": "t", "url": "http://weixin.qq.com/q/kZgfwMTm72WWPkovabbI", **given}
        if path in ("message/custom/send", "message/template/send", "message/subscribe/bizsend"):
            self.sent.append(body)
            return {"errcode": 0, "errmsg": "ok", "msgid": 200228332}
        if path == "ticket/getticket":
            self.tickets += 1
            return {"errcode": 0, "errmsg": "ok", "ticket": TICKET, "expires_in": 7200}
        return {"errcode": 0, "errmsg": "ok"}


def _identity(params: Mapping[str, str]) -> Mapping[str, Any]:
    scopes = {GOOD_CODE: "snsapi_base", PROFILE_CODE: "snsapi_userinfo"}
    right = params["appid"] == APP_ID and params["secret"] == APP_SECRET
    if not right or params["code"] not in scopes:
        return {"errcode": 40029, "errmsg": "invalid code"}
    return _grant(scopes[params["code"]])


def _grant(scope: str) -> Mapping[str, Any]:
    tokens = {"access_token": f"user-{scope}", "refresh_token": f"renew-{scope}", "expires_in": 7200}
    return {**tokens, "openid": RECIPIENT, "scope": scope}


def _renewed(params: Mapping[str, str]) -> Mapping[str, Any]:
    _, _, scope = params["refresh_token"].partition("renew-")
    if params["appid"] != APP_ID or params["grant_type"] != "refresh_token" or not scope:
        return {"errcode": 40030, "errmsg": "invalid refresh_token"}
    return _grant(scope)


def _userinfo(params: Mapping[str, str]) -> Mapping[str, Any]:
    if params["access_token"] != "user-snsapi_userinfo" or params["openid"] != RECIPIENT:
        return {"errcode": 40001, "errmsg": "invalid credential"}
    return {
        "openid": RECIPIENT,
        "nickname": "粤小民",
        "headimgurl": "https://thirdwx.qlogo.cn/1",
        "unionid": "u1",
    }


def api() -> Api:
    return Api()
