"""The server side of openapi.alipay.com/gateway.do and of the consent page, as far as the hall uses them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from urllib.parse import urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from sandbox.alipay import menus, signing
from sandbox.alipay.media import Media
from sandbox.alipay.notices import Notices
from sandbox.alipay.notify import Notifier, strangers_key
from sandbox.alipay.refusals import SUCCESS, Payload, Refused
from sandbox.alipay.trades import TradeBook
from sandbox.config import AlipayAccount
from sandbox.grants import Grant, GrantBook
from sandbox.world import RESIDENT, Article, World, alipay_open_id, alipay_user_id

BEIJING = timezone(timedelta(hours=8))
CLOCK_WINDOW_SECONDS = 900
CODE_SECONDS = 86_400
MESSAGE_WINDOW_SECONDS = 48 * 3600
REQUIRED = ("app_id", "method", "charset", "sign_type", "sign", "timestamp", "version")
# A brace in the name: a client that counts braces to find the signed text stumbles here.
NICK_NAME = "小{粤"


@dataclass(slots=True)
class AlipayApi:
    """The platform's HTTP interfaces over one world."""

    world: World
    grants: GrantBook = field(init=False)
    trades: TradeBook = field(init=False)
    notices: Notices = field(init=False)
    media: Media = field(init=False)
    published: dict[str, Payload] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.grants = GrantBook(self.world.clock)
        self.trades = TradeBook(self.world, Notifier(self.world))
        self.notices = Notices(self.world)
        self.media = Media(self.world)

    def blueprint(self) -> Blueprint:
        """Return the routes, to be mounted where the hall's Alipay base URL points."""
        blueprint = Blueprint("alipay", __name__, template_folder="../phone/templates")
        blueprint.add_url_rule("/gateway.do", "gateway", self._gateway, methods=["GET", "POST"])
        consent = "/oauth2/publicAppAuthorize.htm"
        blueprint.add_url_rule(consent, "authorize", self._authorize)
        blueprint.add_url_rule(consent, "consent", self._consent, methods=["POST"])
        blueprint.add_url_rule("/cashier/<theirs>", "cashier", self._cashier)
        blueprint.add_url_rule("/cashier/<theirs>", "pay", self._pay, methods=["POST"])
        return blueprint

    def _accounts(self) -> list[AlipayAccount]:
        return [account for account in self.world.config.accounts if isinstance(account, AlipayAccount)]

    # The gateway

    def _gateway(self) -> BaseResponse:
        try:
            params = _read_params()
        except ValueError as error:
            refusal = Refused("40002", "isv.invalid-charset", str(error))
            return self._respond("error_response", refusal.payload, None, "UTF-8")
        charset = params.get("charset", "UTF-8").upper()
        account = next((a for a in self._accounts() if a.app_id == params.get("app_id")), None)
        try:
            verified = self._verified(account, params)
            disturbed = self._disturbed(verified)
            if disturbed is not None:
                return disturbed
            if params["method"] == "alipay.trade.wap.pay":
                return self._to_cashier(verified, params)
            method = self._method(params["method"])
        except Refused as refusal:
            return self._respond("error_response", refusal.payload, account, charset)
        name = params["method"].replace(".", "_") + "_response"
        try:
            return self._respond(name, method(verified, params), verified, charset)
        except Refused as refusal:
            # A business failure answers under the method's own name, everything else as error_response.
            failed = refusal.payload["code"] == "40004"
            return self._respond(name if failed else "error_response", refusal.payload, verified, charset)

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
        known = account.certificates
        if known is not None and params.get("app_cert_sn") != known.app_number:
            raise Refused("40002", "isv.invalid-app-cert-sn", "应用公钥证书序列号不正确")
        if known is not None and params.get("alipay_root_cert_sn") != known.root_number:
            raise Refused("40002", "isv.invalid-root-cert-sn", "支付宝根证书序列号不正确")
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
        if switches.use(key, "api_fail"):
            raise Refused("40004", "SYSTEM_ERROR", "系统错误")
        if switches.use(key, "quota_45009"):
            raise Refused("40005", "isv.app-call-limited", "调用次数超过限制")
        return None

    def _respond(self, name: str, payload: Payload, account: AlipayAccount | None, charset: str) -> Response:
        """Answer with the signed text of the one member; for an unknown app nothing can be signed."""
        known = charset if charset in signing.CODECS else "UTF-8"
        text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        whole = f'{{"{name}":{text}'
        if account is not None and "alipay_cert_content" not in payload:
            key = account.platform_private_key
            if self.world.switches.use(account.key, "api_wrong_signature"):
                key = strangers_key()
            if account.certificates is not None:
                whole += f',"alipay_cert_sn":"{account.certificates.platform_number}"'
            whole += f',"sign":"{signing.sign(key, signing.encode(text, known))}"'
        return Response(signing.encode(whole + "}", known), content_type=f"text/html;charset={known}")

    def _method(self, name: str) -> Callable[[AlipayAccount, Mapping[str, str]], Payload]:
        methods: dict[str, Callable[[AlipayAccount, Mapping[str, str]], Payload]] = {
            "alipay.open.public.menu.create": self._menu_create,
            "alipay.open.public.menu.modify": self._menu_modify,
            "alipay.open.public.menu.query": self._menu_query,
            "alipay.open.public.message.custom.send": self._custom_send,
            "alipay.open.public.message.single.send": lambda a, p: self.notices.window(
                a, self._addressed(a, p)
            ),
            "alipay.open.public.qrcode.create": lambda a, p: self.media.scene_code(
                a, _biz_content(p), _base()
            ),
            "alipay.open.app.mini.templatemessage.send": lambda a, p: self.notices.mini(
                a, self._addressed(a, p)
            ),
            "alipay.open.app.qrcode.create": lambda a, p: self.media.page_code(a, _biz_content(p), _base()),
            "alipay.open.mini.baseinfo.query": lambda a, _: {**SUCCESS, "app_name": a.name},
            "alipay.offline.material.image.upload": self._upload,
            "alipay.open.app.alipaycert.download": self._certificate,
            "alipay.system.oauth.token": self._oauth_token,
            "alipay.user.info.share": self._user_info,
            "alipay.trade.create": self._trade_create,
            **{f"alipay.trade.{verb}": partial(self._trade, verb) for verb in ("query", "close", "refund")},
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
        body = self._addressed(account, params)
        chat = self.world.chat(account.key)
        if not chat.following:
            raise Refused("40004", "USER_NOT_FOLLOW", "用户未关注服务窗")
        if chat.spoke_at is None or self.world.clock() - chat.spoke_at > MESSAGE_WINDOW_SECONDS:
            raise Refused("40004", "OUT_OF_SESSION", "用户 48 小时内没有互动")
        text, articles = _message(body)
        self.world.say(account.key, "account", text, articles)
        return dict(SUCCESS)

    def _addressed(self, account: AlipayAccount, params: Mapping[str, str]) -> Payload:
        """Return the content of a message once it names the resident by the kind of id the app is given."""
        body = _biz_content(params)
        if body.get(f"to_{account.id_kind}") != subject(account, RESIDENT):
            raise Refused("40004", "INVALID_USER", "用户不存在")
        return body

    def _upload(self, _account: AlipayAccount, params: Mapping[str, str]) -> Payload:
        file = request.files.get("image_content")
        if file is None or not params.get("image_name"):
            raise Refused("40001", "isv.missing-image-content", "缺少图片")
        return self.media.upload(params.get("image_type", ""), file.read(), _base())

    def _certificate(self, account: AlipayAccount, params: Mapping[str, str]) -> Payload:
        known = account.certificates
        if known is None or _biz_content(params).get("alipay_cert_sn") != known.platform_number:
            raise Refused("40004", "INVALID_PARAMETER", "证书不存在")
        content = base64.b64encode(known.platform_pem.encode()).decode()
        return {**SUCCESS, "alipay_cert_content": content}

    # Payments

    def _trade_create(self, account: AlipayAccount, params: Mapping[str, str]) -> Payload:
        body = _biz_content(params)
        trade = self.trades.make(account, params, body, {subject(account, RESIDENT)}, f"{_base()}cashier/")
        return {**SUCCESS, "out_trade_no": trade.number, "trade_no": trade.theirs}

    def _trade(self, verb: str, account: AlipayAccount, params: Mapping[str, str]) -> Payload:
        return self.trades.answer(account, verb, _biz_content(params))

    def _to_cashier(self, account: AlipayAccount, params: Mapping[str, str]) -> BaseResponse:
        trade = self.trades.make(account, params, _biz_content(params))
        return redirect(f"{_base()}cashier/{trade.theirs}")

    def _cashier(self, theirs: str) -> str | tuple[str, int]:
        trade = self.trades.find(theirs)
        if trade is None:
            return render_template("phone/refused.html", words="这笔交易不存在"), 404
        account = self.world.config.account(trade.account)
        return render_template("phone/cashier.html", account=account, trade=trade)

    def _pay(self, theirs: str) -> BaseResponse | str | tuple[str, int]:
        trade = self.trades.find(theirs)
        account = self.world.config.account(trade.account) if trade is not None else None
        if trade is None or not isinstance(account, AlipayAccount):
            return render_template("phone/refused.html", words="这笔交易不存在"), 404
        try:
            self.trades.pay(account, theirs)
        except Refused as refusal:
            return render_template("phone/refused.html", words=str(refusal)), 409
        if trade.return_url:
            return redirect(trade.return_url, code=303)
        return redirect(f"{_base()}cashier/{theirs}", code=303)

    # Sign-in in the web view

    def _oauth_token(self, account: AlipayAccount, params: Mapping[str, str]) -> Payload:
        grant = self._granted(account, params)
        return {
            "access_token": self.grants.issue(grant),
            "auth_start": _beijing_words(self.world.clock()),
            "expires_in": 1_296_000,
            "re_expires_in": 2_592_000,
            "refresh_token": self.grants.renewable(grant),
            account.id_kind: subject(account, grant.user),
        }

    def _granted(self, account: AlipayAccount, params: Mapping[str, str]) -> Grant:
        if params.get("grant_type") == "refresh_token":
            renewed = self.grants.renew(account.app_id, params.get("refresh_token", ""))
            if renewed is None:
                raise Refused("40002", "isv.refreshed-token-invalid", "刷新令牌无效")
            return renewed
        if params.get("grant_type") != "authorization_code":
            raise Refused("40002", "isv.grant-type-invalid", "授权类型不正确")
        grant = self.grants.take(account.app_id, params.get("code", ""))
        if grant is None or self.world.clock() - grant.given_at > CODE_SECONDS:
            raise Refused("40002", "isv.code-invalid", "授权码 code 无效")
        return grant

    def _user_info(self, account: AlipayAccount, params: Mapping[str, str]) -> Payload:
        grant = self.grants.holder(params.get("auth_token", ""))
        if grant is None or grant.app_id != account.app_id:
            raise Refused("20001", "aop.invalid-auth-token", "无效的访问令牌")
        if grant.scope != "auth_user":
            raise Refused("20001", "aop.auth-token-no-permission", "令牌没有这项权限")
        place = {"province": "广东省", "city": "广州市"}
        who = {account.id_kind: subject(account, grant.user)}
        return {**SUCCESS, **who, "nick_name": NICK_NAME, **place}

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


def subject(account: AlipayAccount, user: str) -> str:
    """Return what the app is given to call a resident by."""
    return alipay_user_id(user) if account.id_kind == "user_id" else alipay_open_id(account.app_id, user)


def _base() -> str:
    """Return where this platform's own addresses begin."""
    return f"{request.host_url}{request.path.strip('/').split('/')[0]}/"


def _read_params() -> dict[str, str]:
    """Read query and body as one form in the charset they declare; the same name in both is an error.

    Of a form with files the fields count, and the files do not.
    """
    if request.mimetype == "multipart/form-data":
        return {**signing.decode_form(request.query_string), **request.form.to_dict()}
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
