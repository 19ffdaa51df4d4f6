"""The server side of openapi.alipay.com/gateway.do and of the consent page, as far as the hall uses them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from sandbox.alipay import menus, signing
from sandbox.config import AlipayAccount
from sandbox.grants import GrantBook
from sandbox.world import RESIDENT, Article, World, alipay_user_id

Payload = dict[str, Any]

BEIJING = timezone(timedelta(hours=8))
CLOCK_WINDOW_SECONDS = 900
CODE_SECONDS = 86_400
MESSAGE_WINDOW_SECONDS = 48 * 3600
REQUIRED = ("app_id", "method", "charset", "sign_type", "sign", "timestamp", "version")
# A brace in the name: a client that counts braces to find the signed text stumbles here.
NICK_NAME = "小{粤"


class Refused(Exception):
    """A request the gateway does not carry out; ``code`` and ``sub_code`` as the platform names them."""

    def __init__(self, code: str, sub_code: str, words: str) -> None:
        super().__init__(words)
        self.payload = {"code": code, "msg": MESSAGES[code], "sub_code": sub_code, "sub_msg": words}


MESSAGES = {
    "20000": "Service Currently Unavailable",
    "20001": "Insufficient Token Permissions",
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    "40004": "Business Failed",
    "40005": "App Call Limited",
}
SUCCESS = {"code": "10000", "msg": "Success"}


@dataclass(slots=True)
class AlipayApi:
    """The platform's HTTP interfaces over one world."""

    world: World
    grants: GrantBook = field(init=False)
    published: dict[str, Payload] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.grants = GrantBook(self.world.clock)

    def blueprint(self) -> Blueprint:
        """Return the routes, to be mounted where the hall's Alipay base URL points."""
        blueprint = Blueprint("alipay", __name__, template_folder="../phone/templates")
        blueprint.add_url_rule("/gateway.do", "gateway", self._gateway, methods=["GET", "POST"])
        consent = "/oauth2/publicAppAuthorize.htm"
        blueprint.add_url_rule(consent, "authorize", self._authorize)
        blueprint.add_url_rule(consent, "consent", self._consent, methods=["POST"])
        return blueprint

    def _accounts(self) -> list[AlipayAccount]:
        return [account for account in self.world.config.accounts if isinstance(account, AlipayAccount)]

    # The gateway

    def _gateway(self) -> Response:
        try:
            params = _read_params()
        except ValueError as error:
            refusal = Refused("40002", "isv.invalid-charset", str(error))
            return _respond("error_response", refusal.payload, None, "UTF-8")
        charset = params.get("charset", "UTF-8").upper()
        account = next((a for a in self._accounts() if a.app_id == params.get("app_id")), None)
        try:
            verified = self._verified(account, params)
            disturbed = self._disturbed(verified)
            if disturbed is not None:
                return disturbed
            method = self._method(params["method"])
        except Refused as refusal:
            return _respond("error_response", refusal.payload, account, charset)
        name = params["method"].replace(".", "_") + "_response"
        try:
            return _respond(name, method(verified, params), verified, charset)
        except Refused as refusal:
            # A business failure answers under the method's own name, everything else as error_response.
            failed = refusal.payload["code"] == "40004"
            return _respond(name if failed else "error_response", refusal.payload, verified, charset)

    def _verified(self, account: AlipayAccount | None, params: Mapping[str, str]) -> AlipayAccount:
        for name in REQUIRED:
            if not params.get(name):
                code = {"sign": "signature", "sign_type": "signature-type"}.get(name, name.replace("_", "-"))
                raise Refused("40001", f"isv.missing-{code}", f"缺少参数 {name}")
        if account is None:
            raise Refused("40002", "isv.invalid-app-id", "无效的 AppID 参数")
        if params["sign_type"] != account.sign_type:
            raise Refused("40002", "isv.invalid-signature-type", "无效的签名类型")
        self._check_time(params["timestamp"])
        encoded = signing.encode(signing.content(params), params["charset"].upper())
        if not signing.verify(account.hall_public_key, encoded, params["sign"]):
            raise Refused("40002", "isv.invalid-signature", "验签出错，请检查待签名字符串、charset 与密钥")
        return account

    def _check_time(self, timestamp: str) -> None:
        try:
            asked_at = datetime.strptime(timestamp, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
        except ValueError as error:
            raise Refused("40002", "isv.invalid-timestamp", "timestamp 格式不正确") from error
        now = datetime.fromtimestamp(self.world.clock(), UTC)
        if abs((now - asked_at).total_seconds()) > CLOCK_WINDOW_SECONDS:
            raise Refused("40002", "isv.invalid-timestamp", "timestamp 与北京时间相差过大")

    def _disturbed(self, account: AlipayAccount) -> Response | None:
        switches, key = self.world.switches, account.key
        self.world.stopping.wait(switches.value(key, "api_delay_ms") / 1000)
        if switches.use(key, "api_garbage"):
            return Response("<html><body>502 Bad Gateway</body></html>", status=502, mimetype="text/html")
        if switches.use(key, "api_busy"):
            raise Refused("20000", "isp.unknow-error", "系统繁忙")
        if switches.use(key, "quota_45009"):
            raise Refused("40005", "isv.app-call-limited", "调用次数超过限制")
        return None

    def _method(self, name: str) -> Callable[[AlipayAccount, Mapping[str, str]], Payload]:
        methods = {
            "alipay.open.public.menu.create": self._menu_create,
            "alipay.open.public.menu.modify": self._menu_modify,
            "alipay.open.public.menu.query": self._menu_query,
            "alipay.open.public.message.custom.send": self._custom_send,
            "alipay.system.oauth.token": self._oauth_token,
            "alipay.user.info.share": self._user_info,
        }
        if name not in methods:
            raise Refused("40002", "isv.invalid-method", "不存在的方法名")
        return methods[name]

    def _menu_create(self, account: AlipayAccount, params: Mapping[str, str]) -> Payload:
        if account.key in self.published:
            raise Refused("40004", "MENU_ALREADY_EXISTS", "菜单已存在，请调用修改接口")
        return self._publish(account, params)

    def _menu_modify(self, account: AlipayAccount, params: Mapping[str, str]) -> Payload:
        if account.key not in self.published:
            raise Refused("40004", "MENU_NOT_EXISTS", "菜单不存在，请先创建")
        return self._publish(account, params)

    def _publish(self, account: AlipayAccount, params: Mapping[str, str]) -> Payload:
        menu = _biz_content(params)
        try:
            items = menus.read(menu)
        except ValueError as error:
            raise Refused("40004", "INVALID_PARAMETER", str(error)) from error
        self.published[account.key] = menu
        self.world.menus[account.key] = items
        return dict(SUCCESS)

    def _menu_query(self, account: AlipayAccount, _params: Mapping[str, str]) -> Payload:
        menu = self.published.get(account.key)
        if menu is None:
            raise Refused("40004", "MENU_NOT_EXISTS", "菜单不存在")
        return {**SUCCESS, "menu_content": menus.dump(menu)}

    def _custom_send(self, account: AlipayAccount, params: Mapping[str, str]) -> Payload:
        body = _biz_content(params)
        if body.get("to_user_id") != alipay_user_id(RESIDENT):
            raise Refused("40004", "INVALID_USER", "用户不存在")
        chat = self.world.chat(account.key)
        if not chat.following:
            raise Refused("40004", "USER_NOT_FOLLOW", "用户未关注服务窗")
        if chat.spoke_at is None or self.world.clock() - chat.spoke_at > MESSAGE_WINDOW_SECONDS:
            raise Refused("40004", "OUT_OF_SESSION", "用户 48 小时内没有互动")
        text, articles = _message(body)
        self.world.say(account.key, "account", text, articles)
        return dict(SUCCESS)

    # Sign-in in the web view

    def _oauth_token(self, account: AlipayAccount, params: Mapping[str, str]) -> Payload:
        if params.get("grant_type") != "authorization_code":
            raise Refused("40002", "isv.grant-type-invalid", "授权类型不正确")
        grant = self.grants.take(account.app_id, params.get("code", ""))
        if grant is None or self.world.clock() - grant.given_at > CODE_SECONDS:
            raise Refused("40002", "isv.code-invalid", "授权码 code 无效")
        return {
            "access_token": self.grants.issue(grant),
            "auth_start": _beijing_words(self.world.clock()),
            "expires_in": 1_296_000,
            "re_expires_in": 2_592_000,
            "refresh_token": secrets.token_hex(20),
            "user_id": alipay_user_id(grant.user),
        }

    def _user_info(self, account: AlipayAccount, params: Mapping[str, str]) -> Payload:
        grant = self.grants.holder(params.get("auth_token", ""))
        if grant is None or grant.app_id != account.app_id:
            raise Refused("20001", "aop.invalid-auth-token", "无效的访问令牌")
        if grant.scope != "auth_user":
            raise Refused("20001", "aop.auth-token-no-permission", "令牌没有这项权限")
        place = {"province": "广东省", "city": "广州市"}
        return {**SUCCESS, "user_id": alipay_user_id(grant.user), "nick_name": NICK_NAME, **place}

    def _authorize(self) -> str | tuple[str, int]:
        account, trouble = self._authorize_request()
        if account is None:
            return render_template("phone/refused.html", words=trouble), 400
        scope = request.args.get("scope", "")
        return render_template("phone/consent.html", account=account, scope=scope, platform="支付宝")

    def _consent(self) -> BaseResponse | tuple[str, int]:
        account, trouble = self._authorize_request()
        if account is None:
            return render_template("phone/refused.html", words=trouble), 400
        scope = request.args.get("scope", "")
        back = urlsplit(request.args["redirect_uri"])
        added = urlencode(
            {
                "app_id": account.app_id,
                "source": "alipay_wallet",
                "scope": scope,
                "state": request.args.get("state", ""),
                "auth_code": self.grants.give(account.app_id, RESIDENT, scope),
            }
        )
        return redirect(urlunsplit(back._replace(query=f"{back.query}&{added}" if back.query else added)))

    def _authorize_request(self) -> tuple[AlipayAccount | None, str]:
        account = next((a for a in self._accounts() if a.app_id == request.args.get("app_id")), None)
        if account is None:
            return None, "应用不存在（app_id 无效）"
        if request.args.get("scope") not in ("auth_base", "auth_user"):
            return None, "授权范围 scope 不正确"
        target = urlsplit(request.args.get("redirect_uri", ""))
        allowed = {urlsplit(url).netloc for url in (account.callback_url, self.world.config.hall_base)}
        if target.scheme not in ("http", "https") or target.netloc not in allowed:
            return None, "redirect_uri 与应用配置的授权回调地址不一致"
        return account, ""


def _read_params() -> dict[str, str]:
    """Read query and body as one form in the charset they declare; the same name in both is an error."""
    raw = b"&".join(part for part in (request.query_string, request.get_data()) if part)
    return signing.decode_form(raw)


def _biz_content(params: Mapping[str, str]) -> Payload:
    try:
        body = json.loads(params.get("biz_content", ""))
    except ValueError as error:
        raise Refused("40002", "isv.invalid-parameter", "biz_content 不是 JSON") from error
    if not isinstance(body, dict):
        raise Refused("40002", "isv.invalid-parameter", "biz_content 须是对象")
    return body


def _message(body: Payload) -> tuple[str, tuple[Article, ...]]:
    kind = body.get("msg_type")
    part = body.get("text")
    if kind == "text" and isinstance(part, dict) and isinstance(part.get("content"), str) and part["content"]:
        return part["content"], ()
    cards = body.get("articles")
    if kind == "image-text" and isinstance(cards, list) and cards and all(isinstance(c, dict) for c in cards):
        names = ("title", "desc", "url", "image_url")
        return "", tuple(Article(*(str(card.get(name, "")) for name in names)) for card in cards)
    raise Refused("40004", "INVALID_PARAMETER", "msg_type 与内容不符")


def _beijing_words(at: float) -> str:
    return datetime.fromtimestamp(at, BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def _respond(name: str, payload: Payload, account: AlipayAccount | None, charset: str) -> Response:
    """Answer with the signed text of the one member; without a known application nothing can be signed."""
    known = charset if charset in signing.CODECS else "UTF-8"
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    whole = f'{{"{name}":{text}'
    if account is not None:
        signature = signing.sign(account.platform_private_key, signing.encode(text, known))
        whole += f',"sign":"{signature}"'
    body = signing.encode(whole + "}", known)
    return Response(body, content_type=f"text/html;charset={known}")
