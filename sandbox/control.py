"""The test's and the demonstrator's handle: act as the resident, misbehave as a platform, look at the log."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from sandbox.actions import ActionRefused, Actions
from sandbox.config import Account, MiniProgram, WechatAccount
from sandbox.pages.outage import FORCES, Outage
from sandbox.wechat import pages, samples
from sandbox.wechat.api import WechatApi
from sandbox.wechat.standing import Traits
from sandbox.wechat_mini import codes
from sandbox.wechat_mini.api import MiniApi
from sandbox.world import RESIDENT, World

Answer = dict[str, Any] | tuple[dict[str, Any], int]

# What each switch counts; README.md says what it does.
COUNTED = (
    "duplicate",
    "reorder",
    "garbage",
    "unsigned",
    "replay_other_body",
    "api_garbage",
    "api_busy",
    "block_notices",
    "lose_receipts",
    "snapshot_user",
    "wrong_signature",
    "api_wrong_signature",
    "api_fail",
    "blocked_user",
)
MILLISECONDS = ("delay_ms", "api_delay_ms")
SWITCHES = (*COUNTED, "quota_45009", *MILLISECONDS)
LARGEST = 600_000


@dataclass(slots=True)
class Control:
    """The routes under ``/control``."""

    world: World
    actions: Actions
    wechat: WechatApi
    mini: MiniApi
    outage: Outage

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("control", __name__, template_folder="phone/templates")
        add = blueprint.add_url_rule
        add("/accounts", "accounts", self._accounts)
        add("/accounts/<key>/handshake", "handshake", self._handshake, methods=["POST"])
        add("/accounts/<key>/page-config", "page_config", self._page_config, methods=["POST"])
        add("/accounts/<key>/codes", "codes", self._codes, methods=["POST"])
        add("/accounts/<key>/open", "open", self._open, methods=["POST"])
        add("/accounts/<key>/resident", "resident", self._resident, methods=["POST"])
        add("/switches", "switches", self._switches)
        add("/switches", "set_switches", self._set_switches, methods=["POST"])
        add("/messages", "messages", self._messages, methods=["POST"])
        add("/deliveries", "deliveries", self._deliveries)
        add("/chats/<key>", "chat", self._chat)
        add("/pages", "pages", self._pages)
        add("/pages", "force_pages", self._force_pages, methods=["POST"])
        return blueprint

    def _accounts(self) -> Answer:
        return {
            "accounts": [{"key": a.key, "kind": a.kind, "name": a.name} for a in self.world.config.accounts]
        }

    def _handshake(self, key: str) -> Answer:
        passed, words = self.actions.handshake(self._account(key))
        return {"ok": passed, "detail": words}

    def _page_config(self, key: str) -> Answer:
        """Judge a page's configuration as the phone does."""
        account = self._account(key)
        if not isinstance(account, WechatAccount):
            return {"error": "只有微信网页需要签名"}, 422
        words = self.wechat.judge_page(account, _body())
        return {"ok": words == pages.OK, "detail": words}

    def _codes(self, key: str) -> Answer:
        """Give the code that the mini program gets on the phone."""
        account, kind = self._account(key), _body().get("kind")
        if not isinstance(account, MiniProgram) or kind not in codes.KINDS:
            return {"error": "只用于小程序；kind 须是 login 或 phone"}, 422
        return {"code": self.mini.codes.give(kind, account.app_id, RESIDENT)}

    def _open(self, key: str) -> Answer:
        """Open a link or scan a code: say which page of the mini program it shows."""
        account, value = self._account(key), _body().get("value")
        opened = self.mini.links.find(account.key, value) if isinstance(value, str) else None
        if opened is None:
            return {"error": "链接已过期，或不属于这个账号"}, 409
        return {"path": opened.path, "query": opened.query}

    def _resident(self, key: str) -> Answer:
        """Say which phone the resident has and how the account tagged the resident."""
        account, body = self._account(key), _body()
        system, tags = body.get("system", "android"), body.get("tags", [])
        known = system in ("ios", "android", "other") and isinstance(tags, list)
        if not isinstance(account, WechatAccount) or not known:
            return {"error": "只用于微信；system 须是 ios、android 或 other，tags 须是数组"}, 422
        self.wechat.menus.be(account, Traits(system, tuple(map(str, tags))))
        return {"system": system, "tags": list(map(str, tags))}

    def _switches(self) -> Answer:
        return {account.key: self.world.switches.read(account.key) for account in self.world.config.accounts}

    def _set_switches(self) -> Answer:
        body = _body()
        account = self._account(body.pop("account", None))
        drop, drop_ticket = body.pop("drop_token", False), body.pop("drop_ticket", False)
        problem = next((words for name, value in body.items() if (words := _fault(name, value))), None)
        if problem or ((drop or drop_ticket) and not isinstance(account, WechatAccount)):
            return {"error": problem or "只有微信账号有 access_token 和 jsapi_ticket"}, 422
        if drop:
            self.wechat.drop_tokens(account.key)
        if drop_ticket:
            self.wechat.drop_ticket(account.key)
        self.world.switches.change(account.key, body)
        return self.world.switches.read(account.key)

    def _messages(self) -> Answer:
        """Act as the resident: kind is text, follow, unfollow, enter, tap, scan, consent or sample."""
        body = _body()
        account, kind, value = self._account(body.get("account")), body.get("kind"), body.get("value", "")
        if not isinstance(value, str):
            return {"error": "value 须是文字"}, 422
        try:
            if kind == "text":
                return {"outcomes": self.actions.text(account, value)}
            if kind == "consent":
                return self._consent(account, value)
            if kind == "sample":
                return self._sample(account, value)
            if kind == "scan":
                return self._scan(account, value)
            if kind == "tap":
                return {"outcomes": self.actions.tap(account, self.actions.find_item(account, value))}
            plain = {
                "follow": self.actions.follow,
                "unfollow": self.actions.unfollow,
                "enter": self.actions.enter,
            }
            if not isinstance(kind, str) or kind not in plain:
                return {"error": "kind 须是 text、tap、scan、consent、sample、follow、unfollow 或 enter"}, 422
            return {"outcomes": plain[kind](account)}
        except ActionRefused as error:
            return {"error": str(error)}, 409

    def _consent(self, account: Account, value: str) -> Answer:
        """Answer the subscription window: ``T1 -T2`` allows T1 and forbids T2."""
        answers = {word.removeprefix("-"): not word.startswith("-") for word in value.split()}
        if not isinstance(account, WechatAccount) or not answers:
            return {"error": "只有微信有订阅窗口；value 须列出模板"}, 422
        return {"outcomes": self.wechat.notices.allow(account, answers)}

    def _sample(self, account: Account, value: str) -> Answer:
        """Push the example of a message or event called ``value``."""
        if not isinstance(account, WechatAccount) or value not in samples.NAMES:
            return {"error": "value 须是微信消息或事件之一：" + "、".join(samples.NAMES)}, 422
        return {"outcomes": self.actions.sample(account, value)}

    def _scan(self, account: Account, value: str) -> Answer:
        """Scan a code with parameters; ``value`` is what the code says."""
        code = self.wechat.codes.find(account.key, value)
        if code is None or not isinstance(account, WechatAccount):
            return {"error": "二维码已过期或不属于这个账号"}, 409
        return {"outcomes": self.actions.scan(account, code.scene, code.ticket)}

    def _deliveries(self) -> Answer:
        return {"deliveries": [asdict(entry) for entry in self.world.deliveries(request.args.get("account"))]}

    def _chat(self, key: str) -> Answer:
        account = self._account(key)
        menu = [asdict(item) for item in self.world.menus.get(account.key, ())]
        return {**asdict(self.world.chat(account.key)), "menu": menu}

    def _pages(self) -> str | Answer:
        state = {
            "up": self.outage.is_up(),
            "forced": self.outage.forced,
            "change_in_seconds": self.outage.change_in_seconds(),
        }
        if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
            return render_template("phone/outage.html", **state)
        return state

    def _force_pages(self) -> BaseResponse | Answer:
        state = _body().get("state") if request.is_json else request.form.get("state")
        if state not in FORCES:
            return {"error": "state 须是 auto、up 或 down"}, 422
        self.outage.forced = state
        if request.is_json:
            return {"up": self.outage.is_up(), "forced": state}
        return redirect(request.path, code=303)

    def _account(self, key: Any) -> Account:
        account = self.world.config.account(key) if isinstance(key, str) else None
        if account is None:
            abort(404, "没有这个账号")
        return account


def _body() -> dict[str, Any]:
    body = request.get_json()
    if not isinstance(body, dict):
        abort(400, "正文须是 JSON 对象")
    return body


def _fault(name: str, value: Any) -> str | None:
    if name not in SWITCHES:
        return f"没有开关 {name}；可用：drop_token、drop_ticket、" + "、".join(SWITCHES)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
        return f"{name} 须是 0 至 {LARGEST} 的整数"
    return None
