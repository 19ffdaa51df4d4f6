"""What Alipay sends to us: gateway requests and asynchronous notifications.

Parameters are kept as the bytes that came, because the signature is over bytes in the declared charset and
GBK text does not survive a form parser that knows UTF-8 only.

Source: service-window document of 2014, section 9.3 (``sign_type`` is part of what a gateway request signs);
asynchronous notifications leave it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from channels.alipay.keys import SignType, verify
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
from channels.markup import read_xml

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

    def check(self, key: RSAPublicKey, sign_type: SignType, *, left_out: tuple[str, ...] = ()) -> None:
        """Verify the signature.

        Raises:
            Rejected: it is missing, of another type, or not theirs.
        """
        if self._ascii("sign_type") not in ("", sign_type):
            raise Rejected("bad_signature", 403)
        if not verify(key, sign_type, self.signed(left_out=left_out), self._ascii("sign")):
            raise Rejected("bad_signature", 403)

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
    query, form = raw_parameters(req.query_string), raw_parameters(req.body)
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


def to_event(account: str, fields: Mapping[str, str]) -> InboundEvent:
    """Normalise a message.

    Raises:
        Rejected: sender, time or type is missing.
    """
    kind, raw_type = _kind(fields)
    media_id = fields.get("Image.MediaId", "")
    try:
        return InboundEvent(
            channel="alipay",
            account=account,
            event_id=fields.get("MsgId") or _digest(fields),
            kind=kind,
            sender=fields.get("FromAlipayUserId") or fields.get("FromUserId", ""),
            occurred_at=created_at(fields),
            text=fields.get("Text.Content", ""),
            action=fields.get("ActionParam", ""),
            raw_type=raw_type,
            attachments=(Attachment(media_id, "", fields.get("Image.Format", "")),) if media_id else (),
        )
    except ValueError:
        raise Rejected("incomplete") from None


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


def read_notification(
    req: InboundRequest, key: RSAPublicKey, sign_type: SignType, app_id: str
) -> Notification:
    """Verify an asynchronous notification (异步通知).

    Raises:
        Rejected: not signed by Alipay, not for our app, or without an id.
    """
    params = read_parameters(req)
    params.check(key, sign_type, left_out=("sign_type",))
    fields = {name: params.text(name) for name in params.raw if name not in ("sign", "sign_type")}
    if fields.get("app_id") != app_id:
        raise Rejected("wrong_app_id", 403)
    if not fields.get("notify_id"):
        raise Rejected("incomplete")
    return Notification(fields["notify_id"], fields)
