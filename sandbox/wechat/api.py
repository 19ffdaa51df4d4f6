"""The server side of api.weixin.qq.com and open.weixin.qq.com, as far as the hall uses it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from sandbox.config import WechatAccount
from sandbox.grants import Grant, GrantBook
from sandbox.wechat import menus, outbound, pages, templates
from sandbox.wechat.codes import CodeBook
from sandbox.wechat.delivery import WechatPush
from sandbox.wechat.media import LARGEST_BYTES
from sandbox.wechat.notices import Notices
from sandbox.wechat.standing import Menus
from sandbox.wechat.tokens import VALID, Token, TokenBook
from sandbox.world import RESIDENT, World, open_id, union_id

Payload = dict[str, Any]
Handler = Callable[[WechatAccount, Payload], Payload]

CODE_SECONDS = 300
OFFICIAL = ("wechat",)
EVERY = ("wechat", "wechat_mini")

MESSAGES = {
    -1: "system error",
    0: "ok",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40004: "invalid media type",
    40005: "invalid file type",
    40006: "invalid media size",
    40007: "invalid media_id",
    40008: "invalid message type",
    40009: "invalid image size",
    40010: "invalid voice size",
    40011: "invalid video size",
    40012: "invalid thumb size",
    40013: "invalid appid",
    40016: "invalid button size",
    40017: "invalid button type",
    40018: "invalid button name size",
    40019: "invalid button key size",
    40020: "invalid button url size",
    40023: "invalid sub button size",
    40024: "invalid sub button type",
    40025: "invalid sub button name size",
    40026: "invalid sub button key size",
    40027: "invalid sub button url size",
    40029: "invalid code",
    40030: "invalid refresh_token",
    40033: "invalid charset. please check your request, if include \\uxxxx will create fail!",
    40037: "invalid template_id",
    40052: "invalid action name",
    40053: "invalid action info",
    40054: "invalid sub button url domain",
    40055: "invalid button url domain",
    40066: "invalid url",
    40097: "invalid args",
    40125: "invalid appsecret",
    40163: "code been used",
    40165: "invalid weapp pagepath",
    40212: "invalid query",
    40226: "code blocked",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41005: "media data missing",
    41008: "missing code",
    41030: "invalid page",
    42001: "access_token expired",
    42003: "code expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    43104: "this appid does not have permission",
    43101: "user refuse to accept the msg",
    44002: "empty post data",
    44003: "empty news data",
    44004: "empty content",
    45002: "content size out of limit",
    45008: "article size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    45029: "qrcode count out of limit",
    46003: "menu no exist",
    47001: "data format error",
    47003: "argument invalid! data is not matched",
    48001: "api unauthorized",
    65301: "conditional menu no exist",
    65303: "no default menu",
    65304: "match rule is empty",
    65316: "conditional menu has too many url domains",
    65317: "invalid match rule",
    85401: "invalid expire time",
    85402: "invalid env version",
    65320: "match rule by private data is no longer supported",
}


def refusal(code: int) -> Payload:
    """Return WeChat's error object; errors come with HTTP 200."""
    rid = f"{secrets.token_hex(4)}-{secrets.token_hex(4)}"
    return {"errcode": code, "errmsg": MESSAGES[code] + ("" if code == 0 else f" rid: {rid}")}


@dataclass(slots=True)
class WechatApi:
    """The platform's HTTP interfaces over one world."""

    world: World
    push: WechatPush
    books: dict[str, TokenBook] = field(init=False)
    grants: GrantBook = field(init=False)
    menus: Menus = field(init=False)
    codes: CodeBook = field(init=False)
    outbox: outbound.Outbound = field(init=False)
    notices: Notices = field(init=False)

    def __post_init__(self) -> None:
        self.books = {account.key: TokenBook(self.world.clock) for account in self._accounts()}
        self.grants = GrantBook(self.world.clock)
        self.menus = Menus(self.world)
        self.codes = CodeBook(self.world.clock)
        self.outbox = outbound.Outbound(self.world, self.push.media)
        self.notices = Notices(self.world, self.push)

    def blueprint(self) -> Blueprint:
        """Return the routes, to be mounted where the hall's WeChat base URL points."""
        blueprint = Blueprint("wechat", __name__, template_folder="../phone/templates")
        add = blueprint.add_url_rule
        both = ["GET", "POST"]
        add("/cgi-bin/token", "token", self._token, methods=both)
        add("/cgi-bin/stable_token", "stable_token", self._stable_token, methods=both)
        add("/sns/oauth2/access_token", "oauth_token", self._oauth_token)
        add("/sns/userinfo", "userinfo", self._userinfo)
        add("/connect/oauth2/authorize", "authorize", self._authorize)
        add("/connect/oauth2/authorize", "consent", self._consent, methods=["POST"])
        add("/sns/oauth2/refresh_token", "oauth_renew", self._oauth_renew)
        add(
            "/cgi-bin/media/upload", "media_upload", self.with_token(self._upload, False, EVERY), methods=both
        )
        add(
            "/wxaapi/newtmpl/gettemplate", "newtmpl", self.with_token(self._subscribe_templates, False, EVERY)
        )
        add(
            "/cgi-bin/material/add_material",
            "add_material",
            self.with_token(self._upload_lasting, False),
            methods=both,
        )
        for path, needs_body, handler in (
            ("menu/create", True, self._menu_create),
            ("menu/get", False, self._menu_get),
            ("get_current_selfmenu_info", False, self._self_menu),
            ("menu/delete", False, self._menu_delete),
            ("menu/addconditional", True, self._menu_add_rule),
            ("menu/delconditional", True, self._menu_remove_rule),
            ("qrcode/create", True, self._qr_create),
            ("message/template/send", True, self._template_send),
            ("message/subscribe/bizsend", True, self._subscribe_send),
            ("template/get_all_private_template", False, self._templates),
            ("ticket/getticket", False, self._ticket),
        ):
            name = path.replace("/", "_")
            add(f"/cgi-bin/{path}", name, self.with_token(handler, needs_body), methods=both)
        custom_send = self.with_token(self._custom_send, True, EVERY)
        add("/cgi-bin/message/custom/send", "custom_send", custom_send, methods=both)
        add("/cgi-bin/get_api_domain_ip", "domain_ip", self.with_token(self._domain_ip, False, EVERY))
        return blueprint

    def drop_tokens(self, key: str) -> None:
        """Make every access token of the account invalid."""
        self.books[key].drop()

    def drop_ticket(self, key: str) -> None:
        """Make the account's jsapi ticket invalid."""
        self.books[key].drop_ticket()

    def judge_page(self, account: WechatAccount, told: Payload) -> str:
        """Return what the phone says to a page's configuration."""
        hosts = {urlsplit(url).netloc for url in (account.callback_url, self.world.config.hall_base)}
        return pages.judge(told, account.app_id, self.books[account.key].ticket_in_force(), hosts)

    def _accounts(self) -> list[WechatAccount]:
        return [account for account in self.world.config.accounts if isinstance(account, WechatAccount)]

    # Tokens

    def _token(self) -> Payload | Response:
        if request.method != "GET":
            return refusal(43001)
        if request.args.get("grant_type") != "client_credential":
            return refusal(40002)
        account, code = self.by_secret(request.args.get("appid"), request.args.get("secret"))
        if account is None:
            return refusal(code)
        return self.disturbed(account) or self._token_answer(self.books[account.key].ordinary(), 45009)

    def _stable_token(self) -> Payload | Response:
        if request.method != "POST":
            return refusal(43002)
        body, code = json_body()
        if code:
            return refusal(code)
        if body.get("grant_type") != "client_credential":
            return refusal(40002)
        account, code = self.by_secret(body.get("appid"), body.get("secret"))
        if account is None:
            return refusal(code)
        book = self.books[account.key]
        force = body.get("force_refresh") is True
        disturbed = self.disturbed(account)
        return disturbed or self._token_answer(book.stable_forced() if force else book.stable(), 45011)

    def _token_answer(self, token: Token | None, refused: int) -> Payload:
        if token is None:
            return refusal(refused)
        return {"access_token": token.value, "expires_in": int(token.ends_at - self.world.clock())}

    def by_secret(self, app_id: Any, secret: Any) -> tuple[WechatAccount | None, int]:
        if not app_id:
            return None, 41002
        if not secret:
            return None, 41004
        account = next((a for a in self._accounts() if a.app_id == app_id), None)
        if account is None:
            return None, 40013
        right = secrets.compare_digest(account.app_secret.encode(), str(secret).encode())
        return (account, 0) if right else (None, 40125)

    def _by_token(self) -> tuple[WechatAccount | None, int]:
        value = request.args.get("access_token", "")
        if not value:
            return None, 41001
        verdicts = {account.key: self.books[account.key].judge(value) for account in self._accounts()}
        for account in self._accounts():
            if verdicts[account.key] == VALID:
                return account, 0
        return None, max(verdicts.values(), default=40001)

    # Interfaces that need the account's token

    def with_token(
        self, handler: Handler, needs_body: bool, kinds: Collection[str] = OFFICIAL
    ) -> Callable[[], Payload | Response]:
        """Return a view that needs the token of an account of one of ``kinds``."""

        def view() -> Payload | Response:
            if needs_body and request.method != "POST":
                return refusal(43002)
            account, code = self._by_token()
            if account is None:
                return refusal(code)
            if account.kind not in kinds:
                return refusal(48001)
            disturbed = self.disturbed(account)
            if disturbed is not None:
                return disturbed
            body, code = json_body() if needs_body else ({}, 0)
            return refusal(code) if code else handler(account, body)

        return view

    def disturbed(self, account: WechatAccount) -> Payload | Response | None:
        """Return the wrong answer a switch asks for, None when all is well."""
        switches, key = self.world.switches, account.key
        self.world.stopping.wait(switches.value(key, "api_delay_ms") / 1000)
        if switches.use(key, "api_garbage"):
            return Response("<html><body>502 Bad Gateway</body></html>", status=502, mimetype="text/html")
        if switches.use(key, "api_busy"):
            return refusal(-1)
        return refusal(45009) if switches.use(key, "quota_45009") else None

    def _menu_create(self, account: WechatAccount, body: Payload) -> Payload:
        # The platform shows \uXXXX literally, so it refuses a body that was escaped.
        escaped = b"\\u" in request.get_data()
        return refusal(40033 if escaped else self.menus.publish(account, body))

    def _menu_get(self, account: WechatAccount, _body: Payload) -> Payload:
        menu = self.menus.published(account)
        if menu is None:
            return refusal(46003)
        rules = self.menus.rules(account)
        return {"menu": {"button": menu["button"]}, **({"conditionalmenu": rules} if rules else {})}

    def _self_menu(self, account: WechatAccount, _body: Payload) -> Payload:
        menu = self.menus.published(account)
        if menu is None:
            return {"is_menu_open": 0, "selfmenu_info": {"button": []}}
        return {"is_menu_open": 1, "selfmenu_info": menus.self_menu(menu)}

    def _menu_delete(self, account: WechatAccount, _body: Payload) -> Payload:
        self.menus.remove_all(account)
        return refusal(0)

    def _menu_add_rule(self, account: WechatAccount, body: Payload) -> Payload:
        code, number = self.menus.add_rule(account, body)
        return refusal(code) if code else {"menuid": number}

    def _menu_remove_rule(self, account: WechatAccount, body: Payload) -> Payload:
        return refusal(self.menus.remove_rule(account, body.get("menuid")))

    def _qr_create(self, account: WechatAccount, body: Payload) -> Payload:
        code = self.codes.create(account.key, body)
        if isinstance(code, int):
            return refusal(code)
        lasting = code.ends_at is None
        left = {} if lasting else {"expire_seconds": int((code.ends_at or 0) - self.world.clock())}
        return {"ticket": code.ticket, "url": code.url, **left}

    def _custom_send(self, account: WechatAccount, body: Payload) -> Payload:
        return refusal(self.outbox.custom_send(account, body))

    def _template_send(self, account: WechatAccount, body: Payload) -> Payload:
        return self._notified(*self.notices.send(account, "template", body))

    def _subscribe_send(self, account: WechatAccount, body: Payload) -> Payload:
        return self._notified(*self.notices.send(account, "subscribe", body))

    def _templates(self, account: WechatAccount, _body: Payload) -> Payload:
        return {"template_list": templates.private(account)}

    def _subscribe_templates(self, account: WechatAccount, _body: Payload) -> Payload:
        return {**refusal(0), "data": templates.subscribe(account)}

    def _domain_ip(self, _account: WechatAccount, _body: Payload) -> Payload:
        return {"ip_list": ["127.0.0.1"]}

    def _notified(self, code: int, number: int) -> Payload:
        return {**refusal(code), "msgid": number} if code == 0 else refusal(code)

    def _upload(self, account: WechatAccount, _body: Payload) -> Payload:
        media_id = self._take_file(account, lasting=False)
        if isinstance(media_id, int):
            return refusal(media_id)
        name = "thumb_media_id" if request.args["type"] == "thumb" else "media_id"
        return {"type": request.args["type"], name: media_id, "created_at": int(self.world.clock())}

    def _upload_lasting(self, account: WechatAccount, _body: Payload) -> Payload:
        media_id = self._take_file(account, lasting=True)
        if isinstance(media_id, int):
            return refusal(media_id)
        picture = {"url": f"http://mmbiz.qpic.cn/{media_id[:8]}"} if request.args["type"] == "image" else {}
        return {"media_id": media_id, **picture}

    def _take_file(self, account: WechatAccount, lasting: bool) -> str | int:
        """Return the media id, or the errcode."""
        if request.method != "POST":
            return 43002
        request.max_content_length = LARGEST_BYTES + 10_000
        file = request.files.get("media")
        if file is None or not file.filename:
            return 41005
        size = len(file.read())
        kind = request.args.get("type", "")
        if lasting and kind == "video" and "description" not in request.form:
            return 40097
        return self.push.media.add(account.key, kind, file.filename, size, lasting)

    def _ticket(self, account: WechatAccount, _body: Payload) -> Payload:
        if request.args.get("type") not in ("jsapi", "wx_card"):
            return refusal(40097)
        ticket = self.books[account.key].ticket()
        left = int(ticket.ends_at - self.world.clock())
        return {**refusal(0), "ticket": ticket.value, "expires_in": left}

    # Sign-in in the web view

    def _authorize(self) -> str | tuple[str, int]:
        account, trouble = self._authorize_request()
        if account is None:
            return render_template("phone/refused.html", words=trouble), 400
        scope = request.args.get("scope", "")
        return render_template("phone/consent.html", account=account, scope=scope, platform="微信")

    def _consent(self) -> BaseResponse | tuple[str, int]:
        account, trouble = self._authorize_request()
        if account is None:
            return render_template("phone/refused.html", words=trouble), 400
        code = self.grants.give(account.app_id, RESIDENT, request.args.get("scope", ""))
        back = urlsplit(request.args["redirect_uri"])
        added = urlencode({"code": code, "state": request.args.get("state", "")})
        query = f"{back.query}&{added}" if back.query else added
        return redirect(urlunsplit(back._replace(query=query)))

    def _authorize_request(self) -> tuple[WechatAccount | None, str]:
        account = next((a for a in self._accounts() if a.app_id == request.args.get("appid")), None)
        if account is None:
            return None, "该链接无法访问：AppID 参数错误（10013）"
        if request.args.get("scope") not in ("snsapi_base", "snsapi_userinfo"):
            return None, "Scope 参数错误或没有 Scope 权限（10005）"
        target = urlsplit(request.args.get("redirect_uri", ""))
        allowed = {urlsplit(url).netloc for url in (account.callback_url, self.world.config.hall_base)}
        if target.scheme not in ("http", "https") or target.netloc not in allowed:
            return None, "redirect_uri 域名与后台配置不一致（10003）"
        return account, ""

    def _oauth_token(self) -> Payload | Response:
        args = request.args
        if args.get("grant_type") != "authorization_code":
            return refusal(40002)
        account, code = self.by_secret(args.get("appid"), args.get("secret"))
        if account is None:
            return refusal(code)
        disturbed = self.disturbed(account)
        if disturbed is not None:
            return disturbed
        given = args.get("code", "")
        if not given:
            return refusal(41008)
        if self.grants.was_used(given):
            return refusal(40163)
        grant = self.grants.take(account.app_id, given)
        if grant is None:
            return refusal(40029)
        if self.world.clock() - grant.given_at > CODE_SECONDS:
            return refusal(42003)
        preview = self.world.switches.use(account.key, "snapshot_user")
        return {**self._granted(grant), **({"is_snapshotuser": 1} if preview else {})}

    def _oauth_renew(self) -> Payload | Response:
        args = request.args
        account = next((a for a in self._accounts() if a.app_id == args.get("appid")), None)
        if account is None:
            return refusal(40013)
        if args.get("grant_type") != "refresh_token":
            return refusal(40002)
        grant = self.grants.renew(account.app_id, args.get("refresh_token", ""))
        return refusal(40030) if grant is None else self._granted(grant)

    def _granted(self, grant: Grant) -> Payload:
        token, renewal = self.grants.issue(grant), self.grants.renewable(grant)
        return {
            "access_token": token,
            "expires_in": 7200,
            "refresh_token": renewal,
            "openid": open_id(grant.app_id, grant.user),
            "scope": grant.scope,
            "unionid": union_id(grant.user),
        }

    def _userinfo(self) -> Payload:
        grant = self.grants.holder(request.args.get("access_token", ""))
        if grant is None:
            return refusal(40001)
        if request.args.get("openid") != open_id(grant.app_id, grant.user):
            return refusal(40003)
        if grant.scope != "snsapi_userinfo":
            return refusal(48001)
        return {
            "openid": open_id(grant.app_id, grant.user),
            "nickname": "粤小民",
            "sex": 0,
            "headimgurl": "https://thirdwx.qlogo.cn/mmopen/guangdong/132",
            "privilege": [],
            "unionid": union_id(grant.user),
        }


def json_body() -> tuple[Payload, int]:
    raw = request.get_data()
    if not raw:
        return {}, 44002
    try:
        body = json.loads(raw.decode("utf-8"))
    except ValueError:
        return {}, 47001
    return (body, 0) if isinstance(body, dict) else ({}, 47001)
