"""Judge template messages (模板消息) and subscription notices (订阅通知), and tell their result later.

Source: developers.weixin.qq.com, Template_Message_Interface, subscription notices and their event push.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sandbox.config import MiniProgram, NoticeTemplate, WechatAccount
from sandbox.wechat.delivery import Event, WechatPush
from sandbox.world import RESIDENT, World, open_id

DEDUP_SECONDS = 600
STATES = ("formal", "trial", "developer")
RESULT_AFTER_SECONDS = 0.2
LENGTHS = {"thing": 20, "const": 20, "phrase": 5, "name": 20, "letter": 32, "symbol": 5}
LENGTHS |= {"character_string": 32, "phone_number": 17, "car_number": 8, "number": 32}
ASCII = ("letter", "character_string", "phone_number", "number")


@dataclass(slots=True)
class Notices:
    """Notices of all official accounts: who allowed which, what was sent, how it ended."""

    world: World
    push: WechatPush
    _allowed: dict[tuple[str, str], int] = field(default_factory=dict)
    _sent: dict[tuple[str, str], tuple[int, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allow(self, account: WechatAccount, answers: Mapping[str, bool]) -> list[str]:
        """Answer the subscription window as the resident; returns the outcomes of the event's delivery."""
        with self._lock:
            for template_id, granted in answers.items():
                given = self._allowed.get((account.key, template_id), 0)
                self._allowed[account.key, template_id] = given + 1 if granted else 0
        entries = [
            {
                "TemplateId": template_id,
                "SubscribeStatusString": "accept" if granted else "reject",
                "PopupScene": "2",
            }
            for template_id, granted in answers.items()
        ]
        fields = {
            "MsgType": "event",
            "Event": "subscribe_msg_popup_event",
            **_listed(account, "SubscribeMsgPopupEvent", entries),
        }
        return self.push.deliver(account, Event(RESIDENT, "subscribe_msg_popup_event", fields, False))

    def send(self, account: WechatAccount, kind: str, body: Mapping[str, Any]) -> tuple[int, int]:
        """Show the notice; returns errcode and message id."""
        code, template = self._check(account, kind, body)
        if template is None:
            return code, 0
        repeated = self._repeated(account, body.get("client_msg_id"))
        if repeated:
            return 0, repeated
        if kind == "subscribe" and not self._use_consent(account, template):
            return 43101, 0
        number = self._number(account, body.get("client_msg_id"))
        blocked = self.world.switches.use(account.key, "block_notices")
        if not blocked:
            self.world.say(account.key, "account", _words(template, body["data"]))
        if not self.world.switches.use(account.key, "lose_receipts"):
            event = _result(account, template, number, blocked)
            threading.Thread(target=self._tell, args=(account, event), daemon=True).start()
        return 0, number

    def _check(
        self, account: WechatAccount, kind: str, body: Mapping[str, Any]
    ) -> tuple[int, NoticeTemplate | None]:
        if body.get("touser") != open_id(account.app_id, RESIDENT):
            return 40003, None
        known = (one for one in account.templates if one.id == body.get("template_id"))
        template = next((one for one in known if one.kind == kind), None)
        if template is None:
            return 40037, None
        if not self.world.chat(account.key).following and kind == "template":
            return 43004, None
        code = _page_fault(account, kind, body)
        if code:
            return code, None
        fits = _data_fits(template, body.get("data"))
        return (0, template) if fits else (47003, None)

    def _use_consent(self, account: WechatAccount, template: NoticeTemplate) -> bool:
        with self._lock:
            left = self._allowed.get((account.key, template.id), 0)
            if left and not template.long_term:
                self._allowed[account.key, template.id] = left - 1
            return left > 0

    def _repeated(self, account: WechatAccount, client_id: Any) -> int:
        with self._lock:
            number, at = self._sent.get((account.key, str(client_id)), (0, 0.0))
            return number if client_id and self.world.clock() - at <= DEDUP_SECONDS else 0

    def _number(self, account: WechatAccount, client_id: Any) -> int:
        number = int(self.world.clock()) * 1000 + self.world.next_number() % 1000
        if client_id:
            with self._lock:
                self._sent[account.key, str(client_id)] = number, self.world.clock()
        return number

    def _tell(self, account: WechatAccount, event: Event) -> None:
        if not self.world.stopping.wait(RESULT_AFTER_SECONDS):
            self.push.deliver(account, event)


def _listed(account: WechatAccount, name: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the list of an event: a mini program's stands bare, and alone when there is one entry only."""
    if isinstance(account, MiniProgram):
        return {"List": entries if len(entries) > 1 else entries[0]}
    return {name: {"List": entries}}


def _result(account: WechatAccount, template: NoticeTemplate, number: int, blocked: bool) -> Event:
    if template.kind == "template":
        fields: dict[str, Any] = {
            "MsgType": "event",
            "Event": "TEMPLATESENDJOBFINISH",
            "MsgID": number,
            "Status": "failed:user block" if blocked else "success",
        }
    else:
        entry = {
            "TemplateId": template.id,
            "MsgID": number,
            "ErrorCode": 43101 if blocked else 0,
            "ErrorStatus": "user refuse" if blocked else "success",
        }
        fields = {
            "MsgType": "event",
            "Event": "subscribe_msg_sent_event",
            **_listed(account, "SubscribeMsgSentEvent", [entry]),
        }
    return Event(RESIDENT, fields["Event"], fields, answerable=False, by_resident=False)


def _page_fault(account: WechatAccount, kind: str, body: Mapping[str, Any]) -> int:
    """Return the errcode of a page that cannot be opened: an address for one kind, a path for the other."""
    if not isinstance(account, MiniProgram):
        return 0 if _is_page(body.get("url" if kind == "template" else "page", "")) else 40055
    page = body.get("page", account.pages[0])
    if not isinstance(page, str) or page.partition("?")[0] not in account.pages:
        return 41030
    return 0 if body.get("miniprogram_state", "formal") in STATES else 47003


def _is_page(url: Any) -> bool:
    if not isinstance(url, str):
        return False
    return not url or urlsplit(url).scheme in ("http", "https")


def _data_fits(template: NoticeTemplate, data: Any) -> bool:
    """Tell whether every parameter of the template is there, none besides, each of its type."""
    if not isinstance(data, dict) or set(data) != set(template.fields):
        return False
    return all(_value_fits(name, part) for name, part in data.items())


def _value_fits(name: str, part: Any) -> bool:
    value = part.get("value") if isinstance(part, dict) else None
    if not isinstance(value, str) or not value.strip() or "\n" in value:
        return False
    kind = re.sub(r"[0-9]+$", "", name)
    return len(value) <= LENGTHS.get(kind, 200) and (kind not in ASCII or value.isascii())


def _words(template: NoticeTemplate, data: Mapping[str, Any]) -> str:
    lines = [f"{name}：{data[name]['value']}" for name in template.fields]
    return "\n".join([f"【{template.title}】", *lines])
