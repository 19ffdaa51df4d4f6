"""Bring what the resident does to the service window's gateway address, as the Alipay platform does.

Source: service-window document of 2014 and the public gateway examples; README.md says what is guessed.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from sandbox import transport
from sandbox.alipay import signing
from sandbox.alipay.notify import strangers_key
from sandbox.config import AlipayAccount
from sandbox.transport import Answer, Parcel
from sandbox.world import Delivery, World, alipay_open_id, alipay_user_id

CHECK_SERVICE = "alipay.service.check"
NOTIFY_SERVICE = "alipay.mobile.public.message.notify"
INNER = re.compile(
    r"<response>(.*)</response>\s*(?:<app_cert_sn>(.*?)</app_cert_sn>\s*)?"
    r"<sign>(.*?)</sign>\s*<sign_type>(.*?)</sign_type>",
    re.DOTALL,
)
DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
OUT_OF_ORDER = "服务窗暂时无法回应，请稍后再试"


class OddAnswer(ValueError):
    """The answer is not what the platform expects."""


@dataclass(slots=True)
class AlipayPush:
    """The gateway push of all service windows."""

    world: World
    _held: dict[str, tuple[str, Parcel]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def text(self, account: AlipayAccount, user: str, content: str) -> list[str]:
        """Write to the window; returns the outcome of every delivery."""
        number = str(int(self.world.clock() * 1000) * 1000 + self.world.next_number() % 1000)
        fields = {"MsgType": "text", "MsgId": number}
        text = f"<Text><Content>{_cdata(content)}</Content></Text>"
        return self._deliver(account, user, "text", self._xml(account, user, fields, text))

    def event(self, account: AlipayAccount, user: str, name: str, param: str = "") -> list[str]:
        """Push ``follow``, ``unfollow``, ``click`` or ``enter``; returns the outcomes."""
        fields = {"MsgType": "event", "EventType": name, "ActionParam": param}
        return self._deliver(account, user, name, self._xml(account, user, fields))

    def handshake(self, account: AlipayAccount) -> tuple[bool, str]:
        """Check the gateway address as the console does; returns success and words for people."""
        xml = self._wrap(account, "<EventType><![CDATA[verifygw]]></EventType>")
        parcel = self.pack(account, CHECK_SERVICE, xml)
        answer = transport.post(account.callback_url, parcel, self.world.config.answer_deadline_seconds)
        if isinstance(answer, str):
            return False, f"网关没有应答（{answer}）"
        try:
            root = _open_signed(account, answer)
        except OddAnswer as error:
            return False, str(error)
        if root.get("success") != "true":
            return False, f"应用网关拒绝了校验（{root.get('error_code', '')}）"
        if "".join(root.get("biz_content", "").split()) != signing.bare_public_key(account.hall_public_key):
            return False, "答复中的公钥与登记的不一致"
        return True, "网关校验成功"

    def pack(self, account: AlipayAccount, service: str, biz_content: str) -> Parcel:
        """Sign a push in the account's charset."""
        params = {
            "service": service,
            "charset": account.charset,
            "sign_type": account.sign_type,
            "biz_content": biz_content,
        }
        return self._signed(account, params, account.charset)

    def ant(self, account: AlipayAccount, method: str, told: Mapping[str, Any]) -> list[str]:
        """Send a message of the platform itself (From 蚂蚁), in UTF-8 and signed without ``sign_type``."""
        params = {
            "app_id": account.app_id,
            "charset": "UTF-8",
            "version": "1.1",
            "msg_method": method,
            "notify_id": secrets.token_hex(17),
            "utc_timestamp": str(int(self.world.clock() * 1000)),
            "biz_content": json.dumps(told, ensure_ascii=False),
        }
        parcel = self._signed(account, params, "UTF-8", more={"sign_type": account.sign_type})
        return [self._send(account, method, parcel)]

    def _signed(
        self,
        account: AlipayAccount,
        params: Mapping[str, str],
        charset: str,
        more: Mapping[str, str] | None = None,
    ) -> Parcel:
        """Sign ``params``; what is in ``more`` is sent along unsigned."""
        key = account.platform_private_key
        if self.world.switches.use(account.key, "wrong_signature"):
            key = strangers_key()
        mark = signing.sign(key, signing.encode(signing.content(params), charset))
        form = signing.encode_form({**params, **(more or {}), "sign": mark}, charset)
        return Parcel({}, form, f"application/x-www-form-urlencoded; charset={charset}")

    def _xml(self, account: AlipayAccount, user: str, fields: Mapping[str, str], more: str = "") -> str:
        called = account.id_kind == "user_id"
        user_id = alipay_user_id(user) if called else alipay_open_id(account.app_id, user)
        info = json.dumps({"logon_id": "gd***@example.cn", "user_name": "*小民"}, ensure_ascii=False)
        common = {"FromUserId": user_id, "FromAlipayUserId": user_id, "UserInfo": info}
        members = "".join(f"<{name}>{_cdata(value)}</{name}>" for name, value in {**common, **fields}.items())
        moment = int(self.world.clock() * 1000)
        return self._wrap(account, f"{members}<CreateTime><![CDATA[{moment}]]></CreateTime>{more}")

    def _wrap(self, account: AlipayAccount, inner: str) -> str:
        head = f'<?xml version="1.0" encoding="{account.charset}"?>'
        return f"{head}<XML><AppId>{_cdata(account.app_id)}</AppId>{inner}</XML>"

    def _deliver(self, account: AlipayAccount, user: str, what: str, xml: str) -> list[str]:
        switches, key = self.world.switches, account.key
        if what != "unfollow":
            self.world.touch(key, user)
        parcel = self.pack(account, NOTIFY_SERVICE, xml)
        if switches.use(key, "reorder"):
            with self._lock:
                self._held[key] = (what, parcel)
            return ["held"]
        self.world.stopping.wait(switches.value(key, "delay_ms") / 1000)
        outcomes = [self._send(account, what, disturbed) for disturbed in self._disturb(account, parcel)]
        with self._lock:
            held = self._held.pop(key, None)
        if held is not None:
            outcomes.append(self._send(account, *held))
        if what == "text" and outcomes[0] not in ("answered", "no_answer"):
            self.world.say(key, "notice", OUT_OF_ORDER, user=user)
        return outcomes

    def _disturb(self, account: AlipayAccount, parcel: Parcel) -> list[Parcel]:
        """Return what is really sent: one parcel when all is well, spoiled or several by the switches."""
        switches, key = self.world.switches, account.key
        if switches.use(key, "garbage"):
            return [replace(parcel, body=b"biz_content=%FF%FE" + secrets.token_bytes(32))]
        params = signing.decode_form(parcel.body)
        if switches.use(key, "unsigned"):
            return [_parcel(account, {name: value for name, value in params.items() if name != "sign"})]
        parcels = [parcel, parcel] if switches.use(key, "duplicate") else [parcel]
        if switches.use(key, "replay_other_body"):
            forged = params["biz_content"].replace("</XML>", "<Forged>1</Forged></XML>")
            parcels.append(_parcel(account, {**params, "biz_content": forged}))
        return parcels

    def _send(self, account: AlipayAccount, what: str, parcel: Parcel) -> str:
        answer = transport.post(account.callback_url, parcel, self.world.config.answer_deadline_seconds)
        outcome, detail = _judge(account, answer)
        status = None if isinstance(answer, str) else answer.status
        self.world.record(Delivery(account.key, self.world.clock(), what, 1, status, outcome, detail))
        return outcome


def _parcel(account: AlipayAccount, params: Mapping[str, str]) -> Parcel:
    kind = f"application/x-www-form-urlencoded; charset={account.charset}"
    return Parcel({}, signing.encode_form(params, account.charset), kind)


def _judge(account: AlipayAccount, answer: Answer | str) -> tuple[str, str]:
    if isinstance(answer, str):
        return answer, ""
    if answer.status != 200:
        return "odd", f"状态码 {answer.status}"
    if answer.body.strip() in (b"", b"success"):
        return "no_answer", ""
    try:
        _open_signed(account, answer)
    except OddAnswer as error:
        return "odd", str(error)
    return "answered", ""


def _open_signed(account: AlipayAccount, answer: Answer) -> dict[str, str]:
    """Return the members of the signed ``response``; the signature covers its exact inner text.

    Raises:
        OddAnswer: wrong status, bytes not in the charset, not the frame, or not signed by the hall.
    """
    if answer.status != 200:
        raise OddAnswer(f"状态码 {answer.status}")
    try:
        text = answer.body.decode(signing.CODECS[account.charset])
    except UnicodeDecodeError as error:
        raise OddAnswer(f"答复不是 {account.charset} 编码") from error
    found = INNER.search(text)
    if found is None:
        raise OddAnswer("答复里没有 response、sign 和 sign_type")
    inner, number, signature, sign_type = found.groups()
    if account.certificates is not None and (number or "").strip() != account.certificates.app_number:
        raise OddAnswer("答复的 app_cert_sn 不符")
    data = signing.encode(inner, account.charset)
    if sign_type.strip() != account.sign_type:
        raise OddAnswer("答复的 sign_type 不符")
    if not signing.verify(account.hall_public_key, data, "".join(signature.split())):
        raise OddAnswer("答复验签失败")
    try:
        root = fromstring(DECLARATION.sub("", text), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise OddAnswer("答复不是 XML") from error
    return {child.tag: child.text or "" for child in root.iterfind("response/*")}


def _cdata(value: str) -> str:
    return "<![CDATA[" + value.replace("]]>", "]]]]><![CDATA[>") + "]]>"
