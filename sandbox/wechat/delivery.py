"""Bring what the resident does to the official account's callback, as WeChat's message push does."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field, replace
from xml.etree.ElementTree import Element

from sandbox import transport
from sandbox.config import MiniProgram, WechatAccount
from sandbox.transport import Answer, Parcel
from sandbox.wechat import crypto, messages, samples
from sandbox.wechat.media import MediaBook
from sandbox.wechat.messages import OddAnswer, Reply
from sandbox.world import Delivery, World, open_id

ATTEMPTS = 3
HANDOVER = "transfer_customer_service"
OUT_OF_ORDER = "该公众号暂时无法提供服务，请稍后再试"
CONTENT_TYPES = {"xml": "text/xml", "json": "application/json"}


@dataclass(frozen=True, slots=True)
class Event:
    """Something to tell the account.

    Attributes:
        answerable: the platform tells the resident when no answer comes.
        by_resident: the resident did it, so that messages may be sent to them for a while.
    """

    user: str
    what: str
    fields: messages.Fields
    answerable: bool = True
    by_resident: bool = True


@dataclass(slots=True)
class WechatPush:
    """The message push of all official accounts."""

    world: World
    media: MediaBook = field(init=False)
    _held: dict[str, tuple[Event, Parcel]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.media = MediaBook(self.world.clock)

    def text(self, account: WechatAccount, user: str, content: str) -> list[str]:
        """Write to the account; returns the outcome of every attempt made."""
        fields: dict[str, str | int] = {"MsgType": "text", "Content": content, "MsgId": self._number()}
        return self.deliver(account, Event(user, "text", fields))

    def event(
        self, account: WechatAccount, user: str, name: str, event_key: str = "", ticket: str = ""
    ) -> list[str]:
        """Push ``subscribe``, ``unsubscribe``, ``SCAN``, ``CLICK`` or ``VIEW``; returns the outcomes."""
        fields = {"MsgType": "event", "Event": name, "EventKey": event_key}
        if ticket:
            fields["Ticket"] = ticket
        return self.deliver(
            account, Event(user, name, fields, answerable=name in ("subscribe", "CLICK", "SCAN"))
        )

    def entered(self, account: MiniProgram, user: str, came_from: str) -> list[str]:
        """Open a mini program's customer service; returns the outcomes."""
        fields = {"MsgType": "event", "Event": "user_enter_tempsession", "SessionFrom": came_from}
        return self.deliver(account, Event(user, "user_enter_tempsession", fields, answerable=False))

    def sample(self, account: WechatAccount, user: str, name: str) -> list[str]:
        """Push the example called ``name``; returns the outcomes."""
        fields = samples.fields_of(name, self._number())
        return self.deliver(account, Event(user, name, fields, answerable=name in samples.MESSAGES))

    def handshake(self, account: WechatAccount) -> tuple[bool, str]:
        """Check the callback address as the console does on saving; returns success and words for people."""
        timestamp, nonce, echo = self._timestamp(), _nonce(), secrets.token_hex(8)
        signature = crypto.signature(account.token, timestamp, nonce)
        params = {"signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": echo}
        answer = transport.get(account.callback_url, params, self.world.config.answer_deadline_seconds)
        if isinstance(answer, str):
            return False, f"回调地址没有应答（{answer}）"
        if answer.status == 200 and answer.body == echo.encode():
            return True, "配置成功"
        return False, f"token 验证失败（状态码 {answer.status}）"

    def pack(self, account: WechatAccount, event: Event) -> Parcel:
        """Sign, and encrypt where the account's mode says so."""
        fields = {
            "ToUserName": account.original_id,
            "FromUserName": open_id(account.app_id, event.user),
            "CreateTime": int(self.world.clock()),
            **event.fields,
        }
        plain = messages.render(fields, account.form)
        timestamp, nonce = self._timestamp(), _nonce()
        params = {
            "signature": crypto.signature(account.token, timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
            "openid": str(fields["FromUserName"]),
        }
        if account.mode == "plain":
            return Parcel(params, plain, CONTENT_TYPES[account.form])
        cipher = crypto.encrypt(account.aes_key, account.app_id, plain, secrets.token_bytes(16))
        params["encrypt_type"] = "aes"
        params["msg_signature"] = crypto.signature(account.token, timestamp, nonce, cipher)
        shown = fields if account.mode == "compat" else {"ToUserName": account.original_id}
        body = messages.render({**shown, "Encrypt": cipher}, account.form)
        return Parcel(params, body, CONTENT_TYPES[account.form])

    def read_answer(self, account: WechatAccount, event: Event, answer: Answer) -> Reply | None:
        """Return the reply in the answer; None for ``success`` and the empty body.

        Raises:
            OddAnswer: anything the platform would not understand.
        """
        if answer.status != 200:
            raise OddAnswer(f"状态码 {answer.status}")
        if answer.body.strip() in (b"", b"success"):
            return None
        root = messages.parse(answer.body, account.form)
        if account.mode != "plain" and (account.mode == "secure" or root.find("Encrypt") is not None):
            root = messages.parse(self._open(account, root), account.form)
        if isinstance(account, MiniProgram) and messages.member(root, "MsgType") != HANDOVER:
            raise OddAnswer("小程序不能被动回复，只能转接人工客服")
        reply = messages.read_reply(root, open_id(account.app_id, event.user), account.original_id)
        if reply.media and not self.media.has(account.key, "image", reply.media):
            raise OddAnswer("MediaId 无效或已过期")
        return reply

    def _open(self, account: WechatAccount, root: Element) -> bytes:
        cipher, timestamp, nonce, given = (
            messages.member(root, name) for name in ("Encrypt", "TimeStamp", "Nonce", "MsgSignature")
        )
        if not crypto.same(crypto.signature(account.token, timestamp, nonce, cipher), given):
            raise OddAnswer("MsgSignature 不符")
        try:
            return crypto.decrypt(account.aes_key, account.app_id, cipher)
        except crypto.CryptoError as error:
            raise OddAnswer(str(error)) from error

    def deliver(self, account: WechatAccount, event: Event) -> list[str]:
        """Bring an event to the hall, disturbed as the switches say; returns the outcomes."""
        switches, key = self.world.switches, account.key
        if event.by_resident:
            self.world.touch(key, event.user)
        parcel = self.pack(account, event)
        if switches.use(key, "reorder"):
            with self._lock:
                self._held[key] = (event, parcel)
            return ["held"]
        self.world.stopping.wait(switches.value(key, "delay_ms") / 1000)
        outcomes = self._send_twice(account, event, parcel)
        if switches.use(key, "replay_other_body"):
            forged = replace(self.pack(account, replace(event, fields=_forged(event))), params=parcel.params)
            outcomes += self._send(account, replace(event, what="replay", answerable=False), forged)
        with self._lock:
            held = self._held.pop(key, None)
        return outcomes + (self._send(account, *held) if held else [])

    def _send_twice(self, account: WechatAccount, event: Event, parcel: Parcel) -> list[str]:
        switches, key = self.world.switches, account.key
        if switches.use(key, "garbage"):
            return self._send(account, event, replace(parcel, body=b"\x00<xml>" + secrets.token_bytes(64)))
        if switches.use(key, "unsigned"):
            bare = {name: parcel.params[name] for name in ("timestamp", "nonce", "openid")}
            return self._send(account, event, replace(parcel, params=bare))
        if not switches.use(key, "duplicate"):
            return self._send(account, event, parcel)
        twin: list[str] = []
        quiet = replace(event, answerable=False, what=event.what + " (duplicate)")
        thread = threading.Thread(target=lambda: twin.extend(self._send(account, quiet, parcel, show=False)))
        thread.start()
        outcomes = self._send(account, event, parcel)
        thread.join()
        return outcomes + twin

    def _send(self, account: WechatAccount, event: Event, parcel: Parcel, show: bool = True) -> list[str]:
        """Try up to three times; only silence is a reason to try again."""
        outcomes: list[str] = []
        for attempt in range(1, ATTEMPTS + 1):
            answer = transport.post(account.callback_url, parcel, self.world.config.answer_deadline_seconds)
            outcome, detail, reply = self._judge(account, event, answer)
            status = None if isinstance(answer, str) else answer.status
            self.world.record(
                Delivery(account.key, self.world.clock(), event.what, attempt, status, outcome, detail)
            )
            outcomes.append(outcome)
            if not isinstance(answer, str) or self.world.stopping.is_set():
                break
        if show and reply is not None:
            self.world.say(account.key, "account", reply.text, reply.articles, event.user)
        elif show and event.answerable and outcome not in ("answered", "no_answer"):
            self.world.say(account.key, "notice", OUT_OF_ORDER, user=event.user)
        return outcomes

    def _judge(
        self, account: WechatAccount, event: Event, answer: Answer | str
    ) -> tuple[str, str, Reply | None]:
        if isinstance(answer, str):
            return answer, "", None
        try:
            reply = self.read_answer(account, event, answer)
        except OddAnswer as error:
            return "odd", str(error), None
        if reply is None:
            return "no_answer", "", None
        if event.what == "text" and len(reply.articles) > 1:
            # The platform's rule since October 2018: one card in answer to a message.
            return "answered", "平台只显示第一条图文", replace(reply, articles=reply.articles[:1])
        return "answered", "", reply

    def _timestamp(self) -> str:
        return str(int(self.world.clock()))

    def _number(self) -> int:
        # The clock keeps numbers growing over restarts: the hall must never take a new one for an old one.
        return int(self.world.clock() * 1000) * 1000 + self.world.next_number() % 1000


def _nonce() -> str:
    return str(secrets.randbelow(10**10))


def _forged(event: Event) -> messages.Fields:
    return {
        **event.fields,
        **({"Content": "伪造的内容"} if "Content" in event.fields else {"EventKey": "forged"}),
    }
