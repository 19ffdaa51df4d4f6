"""What Alipay sends to us: gateway requests and asynchronous notifications.

Parameters are kept as the bytes that came, because the signature is over bytes in the declared charset and
GBK text does not survive a form parser that knows UTF-8 only.

Source: service-window document of 2014, section 9.3 (``sign_type`` is part of what a gateway request signs);
asynchronous notifications leave it out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from channels.alipay.keys import TheirKeys
from channels.base import (
    MAX_BODY_BYTES,
    Attachment,
    EventKind,
    InboundEvent,
    InboundRequest,
    Rejected,
    raw_parameters,
    stable_digest,
)
from channels.http import whole_number
from channels.markup import read_xml, writable

CHECK_SERVICE = "alipay.service.check"
CHECK_EVENT = "verifygw"
_DEFAULT_CHARSET = "GBK"
# GB18030 reads all that GBK writes, and the rest of Unicode besides.
_CODECS = {
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "gb18030": "gb18030",
    "utf-8": "utf-8",
    "utf8": "utf-8",
}
_EVENTS = {
    "follow": EventKind.FOLLOW,
    "unfollow": EventKind.UNFOLLOW,
    "click": EventKind.MENU,
    "enter": EventKind.ENTER,
}
_ANT_METHOD = "msg_method"
_ANT_EVENTS = {
    "alipay.open.auth.userauth.cancelled": EventKind.CONSENT,
    "alipay.open.mini.version.audit.passed": EventKind.ACCOUNT,
    "alipay.open.mini.version.audit.rejected": EventKind.ACCOUNT,
}
_ANT_SENDERS = ("user_id", "open_id", "to_user_id", "to_open_id")
_MAX_ANT_FIELDS = 100
_MESSAGES = {"text": EventKind.TEXT, "image": EventKind.IMAGE}


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters of one request, undecoded."""

    raw: Mapping[str, bytes] = field(repr=False)

    @property
    def charset(self) -> str:
        """Return the declared charset as the platform names it."""
        return self._ascii("charset") or _DEFAULT_CHARSET

    def text(self, name: str) -> str:
        """Return a parameter's text, ``""`` when it is absent.

        Raises:
            Rejected: the charset is unknown or the bytes are not in it.
        """
        codec = _CODECS.get(self.charset.lower())
        if codec is None:
            raise Rejected("unknown_charset")
        try:
            return self.raw.get(name, b"").decode(codec)
        except UnicodeDecodeError:
            raise Rejected("bad_encoding") from None

    def check(self, theirs: TheirKeys, *, left_out: tuple[str, ...] = ()) -> None:
        """Verify the signature.

        Raises:
            Rejected: it is missing, of another type, or not theirs.
        """
        if not self._is_signed(theirs, left_out):
            raise Rejected("bad_signature", 403)

    def check_either(self, theirs: TheirKeys) -> None:
        """Verify a signature that may leave out ``sign_type`` or not.

        The documents on the platform's own messages show both; either covers all that is read.

        Raises:
            Rejected: it is missing, of another type, or not theirs.
        """
        if not (self._is_signed(theirs, ("sign_type",)) or self._is_signed(theirs, ())):
            raise Rejected("bad_signature", 403)

    def _is_signed(self, theirs: TheirKeys, left_out: tuple[str, ...]) -> bool:
        if self._ascii("sign_type") not in ("", theirs.sign_type):
            return False
        message = self.signed(left_out=left_out)
        return theirs.signed(message, self._ascii("sign"), self._ascii("alipay_cert_sn"))

    def signed(self, *, left_out: tuple[str, ...] = ()) -> bytes:
        """Return what the signature is over: all that is not empty, but ``sign`` and what is left out."""
        return b"&".join(
            name.encode("ascii") + b"=" + value
            for name, value in sorted(self.raw.items())
            if value and name != "sign" and name not in left_out
        )

    def _ascii(self, name: str) -> str:
        return self.raw.get(name, b"").decode("ascii", "replace")


def read_parameters(req: InboundRequest) -> Parameters:
    """Return the parameters of query and body together.

    Raises:
        Rejected: too large, or a name given twice.
    """
    if len(req.body) > MAX_BODY_BYTES:
        raise Rejected("too_large", 413)
    form = raw_parameters(req.body)
    if not req.query_string:
        return Parameters(form)
    query = raw_parameters(req.query_string)
    if query.keys() & form.keys():
        raise Rejected("duplicate_parameter")
    return Parameters({**query, **form})


def is_handshake(params: Parameters) -> bool:
    """Tell whether this is the platform's check of our address."""
    return params.raw.get("service") == CHECK_SERVICE.encode()


def read_message(params: Parameters) -> dict[str, str]:
    """Return the elements of ``biz_content``.

    Raises:
        Rejected: it is no message.
    """
    return read_xml(params.text("biz_content"))


def is_ant_message(params: Parameters) -> bool:
    """Tell whether this is a message of the platform itself (From 蚂蚁消息), not of a resident."""
    return _ANT_METHOD in params.raw


def read_ant_message(params: Parameters, theirs: TheirKeys) -> dict[str, str]:
    """Verify and read a message of the platform itself; ``biz_content`` is JSON there.

    What it says stands under ``Biz.``; numbers, flags and lists as JSON.

    Raises:
        Rejected: not signed by Alipay, no JSON, or something every such message has is missing.
    """
    params.check_either(theirs)
    try:
        told = json.loads(params.text("biz_content"))
    except (ValueError, RecursionError):
        raise Rejected("malformed") from None
    if not isinstance(told, dict) or len(told) > _MAX_ANT_FIELDS:
        raise Rejected("malformed")
    fields = {
        "AppId": params.text("app_id"),
        "CreateTime": params.text("utc_timestamp"),
        "MsgMethod": params.text(_ANT_METHOD),
        "NotifyId": params.text("notify_id"),
    }
    if not all(fields.values()):
        raise Rejected("incomplete")
    for name, value in told.items():
        fields[f"Biz.{name}"] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if any(writable(value) != value for item in fields.items() for value in item):
        raise Rejected("bad_encoding")
    return fields


def created_at(fields: Mapping[str, str]) -> datetime:
    """Return the time a message was made; Alipay counts milliseconds.

    Raises:
        Rejected: there is none.
    """
    milliseconds = whole_number(fields.get("CreateTime", "").strip())
    if milliseconds is None:
        raise Rejected("incomplete")
    try:
        seconds, rest = divmod(milliseconds, 1000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)
    except (ValueError, OverflowError, OSError):
        raise Rejected("malformed") from None


def to_event(channel: str, account: str, fields: Mapping[str, str]) -> InboundEvent:
    """Normalise a message.

    Raises:
        Rejected: sender, time or type is missing.
    """
    try:
        if "MsgMethod" in fields:
            return _ant_event(channel, account, fields)
        return _event(channel, account, fields)
    except ValueError:
        raise Rejected("incomplete") from None


def _ant_event(channel: str, account: str, fields: Mapping[str, str]) -> InboundEvent:
    method = fields["MsgMethod"]
    senders = (fields.get(f"Biz.{name}", "") for name in _ANT_SENDERS)
    return InboundEvent(
        channel=channel,
        account=account,
        event_id=fields["NotifyId"],
        kind=_ANT_EVENTS.get(method, EventKind.UNKNOWN),
        # What is about nobody in particular is about the app.
        sender=next(filter(None, senders), fields["AppId"]),
        occurred_at=created_at(fields),
        raw_type=f"ant:{method[:100]}",
    )


def _event(channel: str, account: str, fields: Mapping[str, str]) -> InboundEvent:
    kind, raw_type = _kind(fields)
    action = fields.get("ActionParam", "")
    scene = _scene(action) if kind in (EventKind.FOLLOW, EventKind.ENTER) else ""
    media_id = fields.get("Image.MediaId", "")
    return InboundEvent(
        channel=channel,
        account=account,
        event_id=fields.get("MsgId") or _digest(fields),
        # Who follows already and scans a code is said to enter with its scene.
        kind=EventKind.SCAN if scene and kind is EventKind.ENTER else kind,
        sender=fields.get("FromAlipayUserId") or fields.get("FromOpenId") or fields.get("FromUserId", ""),
        occurred_at=created_at(fields),
        text=fields.get("Text.Content", ""),
        action=scene or action,
        raw_type=raw_type,
        attachments=(Attachment(media_id, "", fields.get("Image.Format", "")),) if media_id else (),
    )


def _scene(action: str) -> str:
    """Return the scene of the code that was scanned, ``""`` when none was."""
    if not action.startswith("{"):
        return ""
    try:
        told = json.loads(action)
    except (ValueError, RecursionError):
        return ""
    scene = told.get("scene") if isinstance(told, dict) else None
    found = (scene.get("sceneId") or scene.get("scene_id")) if isinstance(scene, dict) else None
    return found[:128] if isinstance(found, str) else ""


def _kind(fields: Mapping[str, str]) -> tuple[EventKind, str]:
    message_type = fields.get("MsgType", "").lower()
    if not message_type:
        raise Rejected("incomplete")
    if message_type != "event":
        return _MESSAGES.get(message_type, EventKind.UNKNOWN), message_type[:64]
    event = fields.get("EventType", "")
    if not event:
        raise Rejected("incomplete")
    return _EVENTS.get(event.lower(), EventKind.UNKNOWN), f"event:{event[:64]}"


def _digest(fields: Mapping[str, str]) -> str:
    # Only texts carry an id. One unfollow makes a notice per bound card, alike but for the card.
    return stable_digest(*(part for item in sorted(fields.items()) for part in item))


@dataclass(frozen=True, slots=True)
class Notification:
    """A verified asynchronous notification. Answer it with the bare word ``success``.

    Attributes:
        notify_id: the same over all repeats, which go on for 25 hours.
    """

    notify_id: str
    fields: Mapping[str, str] = field(repr=False)


def read_notification(req: InboundRequest, theirs: TheirKeys, app_id: str) -> Notification:
    """Verify an asynchronous notification (异步通知).

    Raises:
        Rejected: not signed by Alipay, not for our app, or without an id.
    """
    params = read_parameters(req)
    params.check(theirs, left_out=("sign_type",))
    fields = {name: params.text(name) for name in params.raw if name not in ("sign", "sign_type")}
    if fields.get("app_id") != app_id:
        raise Rejected("wrong_app_id", 403)
    if not fields.get("notify_id"):
        raise Rejected("incomplete")
    return Notification(fields["notify_id"], fields)
