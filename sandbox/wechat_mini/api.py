"""The interfaces of api.weixin.qq.com that only mini programs have."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import segno
from flask import Blueprint, Response, request

from sandbox.config import MiniProgram, WechatAccount
from sandbox.wechat.api import Payload, WechatApi, refusal
from sandbox.wechat_mini.codes import PHONE_NUMBER, CodeBooks, session_key
from sandbox.wechat_mini.links import LinkBook
from sandbox.world import open_id, union_id

MINI = ("wechat_mini",)
Answer = Payload | Response
MiniHandler = Callable[[MiniProgram, Payload], Any]


@dataclass(slots=True)
class MiniApi:
    """The mini programs' half of the platform; tokens, files and notices are shared with the other half."""

    wechat: WechatApi
    codes: CodeBooks = field(init=False)
    links: LinkBook = field(init=False)

    def __post_init__(self) -> None:
        self.codes = CodeBooks(self.wechat.world.clock)
        self.links = LinkBook(self.wechat.world.clock)

    def blueprint(self) -> Blueprint:
        """Return the routes, to be mounted beside the official accounts'."""
        blueprint = Blueprint("wechat_mini", __name__)
        blueprint.add_url_rule("/sns/jscode2session", "session", self._session)
        for path, handler in (
            ("/wxa/business/getuserphonenumber", self._phone_number),
            ("/cgi-bin/message/subscribe/send", self._subscribe_send),
            ("/wxa/generate_urllink", _named("url_link", self.links.url_link)),
            ("/wxa/generatescheme", _named("openlink", self.links.scheme)),
            ("/wxa/genwxashortlink", _named("link", self.links.short_link)),
            ("/wxa/getwxacode", _drawn(self.links.code)),
            ("/wxa/getwxacodeunlimit", _drawn(self.links.scene_code)),
            ("/cgi-bin/wxaapp/createwxaqrcode", _drawn(self.links.code)),
        ):
            view = self.wechat.with_token(_of_mini(handler), True, MINI)
            blueprint.add_url_rule(path, path.rpartition("/")[2], view, methods=["GET", "POST"])
        return blueprint

    def _session(self) -> Answer:
        """Trade a code of ``wx.login``; the secret stands in for the access token."""
        args = request.args
        if args.get("grant_type") != "authorization_code":
            return refusal(40002)
        account, code = self.wechat.by_secret(args.get("appid"), args.get("secret"))
        if account is None:
            return refusal(code)
        if not isinstance(account, MiniProgram):
            return refusal(40013)
        disturbed = self.wechat.disturbed(account)
        if disturbed is not None:
            return disturbed
        if not args.get("js_code"):
            return refusal(41008)
        user = self.codes.take("login", account.app_id, args["js_code"])
        if isinstance(user, int):
            return refusal(user)
        if self.wechat.world.switches.use(account.key, "blocked_user"):
            return refusal(40226)
        known = {"openid": open_id(account.app_id, user), "unionid": union_id(user)}
        return {**known, "session_key": session_key()}

    def _phone_number(self, account: MiniProgram, body: Payload) -> Payload:
        user = self.codes.take("phone", account.app_id, str(body.get("code", "")))
        if isinstance(user, int):
            return refusal(user)
        mark = {"timestamp": int(self.wechat.world.clock()), "appid": account.app_id}
        known = {"phoneNumber": f"+86{PHONE_NUMBER}", "purePhoneNumber": PHONE_NUMBER, "countryCode": 86}
        return {**refusal(0), "phone_info": {**known, "watermark": mark}}

    def _subscribe_send(self, account: MiniProgram, body: Payload) -> Payload:
        code, number = self.wechat.notices.send(account, "subscribe", body)
        return refusal(code) if code else {**refusal(0), "msgid": number}


def _of_mini(handler: MiniHandler) -> Callable[[WechatAccount, Payload], Any]:
    def view(account: WechatAccount, body: Payload) -> Any:
        return handler(account, body) if isinstance(account, MiniProgram) else refusal(48001)

    return view


def _named(member: str, make: Callable[[MiniProgram, Payload], str | int]) -> MiniHandler:
    def handler(account: MiniProgram, body: Payload) -> Payload:
        made = make(account, body)
        return refusal(made) if isinstance(made, int) else {**refusal(0), member: made}

    return handler


def _drawn(make: Callable[[MiniProgram, Payload], str | int]) -> MiniHandler:
    """Answer a picture; the real ones are round, these can be read by any reader of QR codes."""

    def handler(account: MiniProgram, body: Payload) -> Answer:
        made = make(account, body)
        if isinstance(made, int):
            return refusal(made)
        drawn = io.BytesIO()
        segno.make(made, micro=False).save(drawn, kind="png", scale=8)
        response = Response(drawn.getvalue(), mimetype="image/png")
        response.headers["X-Sandbox-Says"] = made
        return response

    return handler
