"""What all accounts on WeChat share, official accounts and mini programs alike.

The message push (消息推送) both ways, the access token, and what is told about messages that were sent.

Source: developers.weixin.qq.com, message push; the defects it steers around are told at each module.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from channels.base import (
    MAX_BODY_BYTES,
    AccountConfig,
    Capability,
    ChannelEnv,
    ChannelError,
    DeliveryReceipt,
    Envelope,
    EventKind,
    Freshness,
    Health,
    InboundEvent,
    InboundRequest,
    Media,
    MediaId,
    NotificationKind,
    Outcome,
    PlatformTemplate,
    RawResponse,
    Rejected,
    Reply,
    SendResult,
    dedup_digest,
)
from channels.http import skew_seconds, whole_number
from channels.lacking import UNSUPPORTED, Lacking, unsupported
from channels.markup import cdata
from channels.wechat import files, messages, templates
from channels.wechat.client import AccessTokens, Client, classify, decode
from channels.wechat.crypto import Sealer, decode_key, same, signature
from channels.wechat.settings import API_BASE, Mode, TokenMethod

_TEXT = "text/plain; charset=utf-8"
_XML = "text/xml; charset=utf-8"
_JSON = "application/json; charset=utf-8"
_RECEIVED = RawResponse(200, _TEXT, b"success")
_MAX_NONCE_CHARS = 128
NOTICES = {
    NotificationKind.TEMPLATE: Capability.TEMPLATE_NOTICE,
    NotificationKind.SUBSCRIBE: Capability.SUBSCRIBE_NOTICE,
}
_RECEIPTS = {
    "success": Outcome.ACCEPTED,
    "failed:user block": Outcome.NEEDS_CONSENT,
    "failed: system failed": Outcome.RETRYABLE,
    "failed:system failed": Outcome.RETRYABLE,
    "send success": Outcome.ACCEPTED,
    "sendsuccess": Outcome.ACCEPTED,
}


class WeChatAccount(Lacking):
    """One account on WeChat, whatever it is."""

    kind: str
    harmless: str
    """A call that changes nothing, to see whether the account answers."""

    def __init__(self, config: AccountConfig, env: ChannelEnv) -> None:
        self.account = config.account
        self._env = env
        self._app_id = config.value("app_id")
        secret = config.value("app_secret")
        self._push_token = config.value("token")
        self._mode = Mode(config.value("mode", Mode.SECURE))
        self._original_id = config.value("original_id")
        self._api_base = config.value("api_base", API_BASE).rstrip("/")
        keys = (("current", config.value("aes_key")), ("previous", config.value("previous_aes_key")))
        self._sealer = Sealer(self._app_id, tuple((name, decode_key(key)) for name, key in keys if key))
        method = TokenMethod(config.value("token_method", TokenMethod.STABLE))
        self._tokens = AccessTokens(env, self._api_base, self._app_id, secret, method)
        self._client = Client(env, self._api_base, self._app_id, self._tokens)

    def handshake(self, req: InboundRequest) -> RawResponse | None:
        if req.method != "GET":
            return None
        query = req.query()
        self._check_signature(query)
        return RawResponse(200, _TEXT, query.get("echostr", "").encode())

    def open(self, req: InboundRequest) -> Envelope:
        if req.method != "POST":
            raise Rejected("wrong_method", 405)
        if len(req.body) > MAX_BODY_BYTES:
            raise Rejected("too_large", 413)
        query = req.query()
        key_id = ""
        if self._is_encrypted(query):
            fields, wire, key_id = self._decrypted(query, req.body)
        else:
            self._check_signature(query)
            fields, wire = messages.read_fields(req.body)
        if self._original_id and fields.get("ToUserName") != self._original_id:
            raise Rejected("wrong_account", 403)
        digest = hashlib.sha256(req.body).hexdigest()
        freshness = Freshness(_signed_at(query), query["nonce"], digest, bool(key_id))
        return Envelope(self.kind, self.account, fields, freshness, wire, key_id)

    def parse(self, env: Envelope) -> InboundEvent:
        return messages.to_event(self.kind, self.account, env.fields)

    def dedup_key(self, ev: InboundEvent) -> str:
        return dedup_digest(ev)

    def seal(self, env: Envelope, reply: Reply | None) -> RawResponse:
        now = self._env.clock()
        shown = reply if reply is not None and self._answers(reply) else None
        content = messages.passive_reply(env.fields, shown, now, env.wire) if shown else ""
        if not content:
            # The bare receipt is never encrypted.
            return _RECEIVED
        if not env.key_id:
            return _answer(content, env.wire)
        cipher_text = self._sealer.seal(content, env.key_id, self._env.nonce())
        seconds, nonce = int(now.timestamp()), env.freshness.nonce
        proof = signature(self._push_token, str(seconds), nonce, cipher_text)
        if env.wire == "xml":
            # Base64 and hex need no wrapping; the nonce is the platform's and may be anything.
            content = (
                f"<xml><Encrypt>{cipher_text}</Encrypt><MsgSignature>{proof}</MsgSignature>"
                f"<TimeStamp>{seconds}</TimeStamp><Nonce>{cdata(nonce)}</Nonce></xml>"
            )
            return _answer(content, env.wire)
        sealed = {"Encrypt": cipher_text, "MsgSignature": proof, "TimeStamp": seconds, "Nonce": nonce}
        return _answer(json.dumps(sealed), env.wire)

    def reject(self, req: InboundRequest, rejected: Rejected) -> RawResponse:
        return RawResponse(rejected.status, _TEXT, rejected.reason.encode())

    def custom_message(self, recipient: str, reply: Reply) -> Mapping[str, Any]:
        """Return a customer-service message (客服消息); pure."""
        return messages.custom_message(recipient, reply)

    def render(self, recipient: str, reply: Reply) -> Mapping[str, Any]:
        if reply.handover:
            # Only the answer to a message can pass the conversation on.
            raise unsupported(Capability.HANDOVER)
        return self.custom_message(recipient, reply)

    def send(self, recipient: str, reply: Reply) -> SendResult:
        try:
            body = self.render(recipient, reply)
        except ChannelError as error:
            if error.code == UNSUPPORTED:
                raise
            return SendResult(error.outcome, code=error.code)
        return self._sent("message/custom/send", body)

    def upload(self, media: Media) -> MediaId:
        self.need(Capability.LASTING_UPLOAD if media.lasting else Capability.UPLOAD)
        parcel = files.to_wire(media)
        answer = self._client.answer_of(
            "POST", parcel.path, parcel.body, {"type": parcel.kind}, parcel.content_type
        )
        return files.from_wire(decode(answer), media, self._env.clock())

    def list_templates(self) -> tuple[PlatformTemplate, ...]:
        kinds = [kind for kind, flag in NOTICES.items() if flag in self.capabilities]
        return tuple(entry for kind in kinds for entry in templates.fetch(self._client, kind))

    def parse_receipt(self, ev: InboundEvent) -> DeliveryReceipt | None:
        if ev.kind is not EventKind.RECEIPT:
            return None
        code, status = ev.extras.get("code", ""), ev.extras.get("status", "")
        if code:
            return DeliveryReceipt(ev.event_id, classify(code), code)
        return DeliveryReceipt(ev.event_id, _RECEIPTS.get(status.lower(), Outcome.UNKNOWN), status)

    def classify(self, code: str) -> Outcome:
        return classify(code)

    def probe(self) -> Health:
        now = self._env.clock()
        try:
            answer = self._client.answer_of("GET", self.harmless)
            token = self._tokens.current()
        except ChannelError as error:
            return Health(ok=False, checked_at=now, code=error.code)
        return Health(True, now, skew_seconds(self._env.clock(), answer), token.expires_at)

    def _answers(self, reply: Reply) -> bool:
        """Tell whether the answer to a message can carry ``reply``."""
        return (
            Capability.HANDOVER in self.capabilities
            if reply.handover
            else (Capability.PASSIVE_REPLY in self.capabilities)
        )

    def _sent(self, path: str, body: Mapping[str, Any]) -> SendResult:
        try:
            result = self._client.post(path, data=body)
        except ChannelError as error:
            return SendResult(error.outcome, code=error.code)
        if "errcode" not in result:  # who was sent something always says how it went
            return SendResult(Outcome.RETRYABLE, code="garbage")
        return SendResult(Outcome.ACCEPTED, platform_id=str(result.get("msgid", "")))

    def _is_encrypted(self, query: Mapping[str, str]) -> bool:
        if self._mode is Mode.PLAIN:
            return False
        encrypted = query.get("encrypt_type", "raw") == "aes"
        if self._mode is Mode.SECURE and not encrypted:
            # Whoever may choose to send plain bodies has no need of the key.
            raise Rejected("plain_body", 403)
        return encrypted

    def _decrypted(self, query: Mapping[str, str], body: bytes) -> tuple[dict[str, str], str, str]:
        outer, wire = messages.read_fields(body)
        cipher_text = outer.get("Encrypt", "")
        if not cipher_text:
            raise Rejected("plain_body")
        time, nonce = _time_and_nonce(query)
        # The plain signature covers no body, so here it proves nothing and is not looked at.
        if not same(signature(self._push_token, time, nonce, cipher_text), query.get("msg_signature", "")):
            raise Rejected("bad_signature", 403)
        message, key_id = self._sealer.open(cipher_text)
        fields, _ = messages.read_text(message)
        return fields, wire, key_id

    def _check_signature(self, query: Mapping[str, str]) -> None:
        time, nonce = _time_and_nonce(query)
        if not same(signature(self._push_token, time, nonce), query.get("signature", "")):
            raise Rejected("bad_signature", 403)


def _time_and_nonce(query: Mapping[str, str]) -> tuple[str, str]:
    time, nonce = query.get("timestamp", ""), query.get("nonce", "")
    if not 1 <= len(nonce) <= _MAX_NONCE_CHARS or whole_number(time) is None:
        raise Rejected("incomplete")
    return time, nonce


def _signed_at(query: Mapping[str, str]) -> datetime:
    try:
        return datetime.fromtimestamp(int(query["timestamp"]), UTC)
    except (ValueError, OverflowError, OSError):
        raise Rejected("malformed") from None


def _answer(content: str, wire: str) -> RawResponse:
    return RawResponse(200, _JSON if wire == "json" else _XML, content.encode())
