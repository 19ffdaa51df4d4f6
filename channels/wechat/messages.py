"""WeChat's messages and events, read and written.

Source: developers.weixin.qq.com, receiving standard messages, receiving event pushes, passive replies.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from channels.base import (
    Article,
    Attachment,
    Consent,
    EventKind,
    InboundEvent,
    Rejected,
    Reply,
    stable_digest,
)
from channels.http import whole_number
from channels.markup import LISTS, MAX_DEPTH, MAX_ELEMENTS, elements, fit, read_xml, writable
from channels.wechat import notices

MAX_TEXT_BYTES = 2048
MAX_TITLE_BYTES = 192
MAX_DESCRIPTION_BYTES = 512
"""Not documented for answers; a phone shows less of both, and the platform refuses endless ones."""

MAX_PASSIVE_ARTICLES = 1
"""Eight were allowed once; since October 2018 the platform shows one."""

MAX_SENT_ARTICLES = 1
_QR_PREFIX = "qrscene_"

_MESSAGES = {
    "text": EventKind.TEXT,
    "image": EventKind.IMAGE,
    "voice": EventKind.VOICE,
    "video": EventKind.VIDEO,
    "shortvideo": EventKind.VIDEO,
    "location": EventKind.LOCATION,
    "link": EventKind.LINK,
    "miniprogrampage": EventKind.LINK,
}
_EVENTS = {
    "subscribe": EventKind.FOLLOW,
    "unsubscribe": EventKind.UNFOLLOW,
    "click": EventKind.MENU,
    "view": EventKind.MENU,
    "view_miniprogram": EventKind.MENU,
    # What was photographed or chosen follows as messages of its own.
    "pic_sysphoto": EventKind.MENU,
    "pic_photo_or_album": EventKind.MENU,
    "pic_weixin": EventKind.MENU,
    "location_select": EventKind.MENU,
    "scan": EventKind.SCAN,
    "scancode_push": EventKind.SCAN,
    "scancode_waitmsg": EventKind.SCAN,
    "location": EventKind.POSITION,
    "user_enter_tempsession": EventKind.ENTER,
    "templatesendjobfinish": EventKind.RECEIPT,
    "masssendjobfinish": EventKind.RECEIPT,
    "subscribe_msg_sent_event": EventKind.RECEIPT,
    "subscribe_msg_popup_event": EventKind.CONSENT,
    "subscribe_msg_change_event": EventKind.CONSENT,
    "user_info_modified": EventKind.CONSENT,
    "user_authorization_revoke": EventKind.CONSENT,
    "user_authorization_cancellation": EventKind.CONSENT,
    "kf_create_session": EventKind.SERVICE,
    "kf_close_session": EventKind.SERVICE,
    "kf_switch_session": EventKind.SERVICE,
    "publishjobfinish": EventKind.ACCOUNT,
    "qualification_verify_success": EventKind.ACCOUNT,
    "qualification_verify_fail": EventKind.ACCOUNT,
    "naming_verify_success": EventKind.ACCOUNT,
    "naming_verify_fail": EventKind.ACCOUNT,
    "annual_renew": EventKind.ACCOUNT,
    "weapp_audit_success": EventKind.ACCOUNT,
    "weapp_audit_fail": EventKind.ACCOUNT,
    "weapp_audit_delay": EventKind.ACCOUNT,
    "wxa_media_check": EventKind.ACCOUNT,
    "verify_expired": EventKind.ACCOUNT,
}
_MESSAGE_IDS = ("MsgId", "MsgID", "SubscribeMsgSentEvent.List.0.MsgID", "List.0.MsgID")
# Our name, and what the platform calls it in messages and in events.
_EXTRAS = {
    "latitude": ("Location_X", "Latitude", "SendLocationInfo.Location_X"),
    "longitude": ("Location_Y", "Longitude", "SendLocationInfo.Location_Y"),
    "scale": ("Scale", "SendLocationInfo.Scale"),
    "precision": ("Precision",),
    "status": ("Status", "SubscribeMsgSentEvent.List.0.ErrorStatus", "List.0.ErrorStatus"),
    "code": ("SubscribeMsgSentEvent.List.0.ErrorCode", "List.0.ErrorCode"),
    "ticket": ("Ticket",),
    "title": ("Title",),
    "description": ("Description",),
    "url": ("Url",),
    "format": ("Format",),
    "thumb_media_id": ("ThumbMediaId",),
    "picture_count": ("SendPicsInfo.Count",),
    "scan_type": ("ScanCodeInfo.ScanType",),
    "menu_id": ("MenuId",),
    "session_from": ("SessionFrom",),
    "staff": ("KfAccount", "ToKfAccount"),
    "former_staff": ("FromKfAccount",),
    "close_type": ("CloseType",),
    "recipient_count": ("TotalCount",),
    "sent_count": ("SentCount",),
    "failed_count": ("ErrorCount",),
    "revoked": ("RevokeInfo",),
    "expires_at": ("ExpiredTime",),
    "reason": ("FailReason", "Reason", "reason"),
    "page": ("PagePath",),
    "trace_id": ("trace_id",),
    "suggestion": ("result.suggest",),
    "publish_status": ("PublishEventInfo.publish_status",),
}

_EXTRA_NAMES = frozenset(theirs for names in _EXTRAS.values() for theirs in names)


def read_fields(body: bytes) -> tuple[dict[str, str], str]:
    """Return the fields of a message and ``xml`` or ``json``.

    Raises:
        Rejected: neither, or not UTF-8.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Rejected("bad_encoding") from None
    return read_text(text)


def read_text(text: str) -> tuple[dict[str, str], str]:
    """Return the fields of a message that is decoded already, and ``xml`` or ``json``.

    Raises:
        Rejected: neither.
    """
    if text.lstrip()[:1] == "{":
        return _read_json(text), "json"
    return read_xml(text), "xml"


def _read_json(text: str) -> dict[str, str]:
    try:
        message = json.loads(text, object_pairs_hook=_unique, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        raise Rejected("malformed") from None
    fields: dict[str, str] = {}
    for name, value in _json_leaves(message, "", 0):
        if name in fields:  # a name may hold a dot
            raise Rejected("duplicate_element")
        fields[name] = value
        if len(fields) > MAX_ELEMENTS:
            raise Rejected("too_many_elements")
    if any(writable(value) != value for item in fields.items() for value in item):
        raise Rejected("bad_encoding")
    return fields


def _json_leaves(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """Walk a JSON message so that its fields are called as those of the same message in XML."""
    if depth > MAX_DEPTH:
        raise Rejected("too_deep")
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for position, entry in enumerate(value):
            yield from _json_leaves(entry, f"{path}.{position}", depth + 1)
    elif isinstance(value, dict):
        # A list of one comes without its brackets at times.
        prefix = f"{path}.0." if path.rpartition(".")[2] in LISTS else f"{path}." if path else ""
        for name, member in value.items():
            yield from _json_leaves(member, f"{prefix}{name}", depth + 1)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Rejected("duplicate_element")
    return members


def to_event(channel: str, account: str, fields: Mapping[str, str]) -> InboundEvent:
    """Normalise a message.

    Raises:
        Rejected: sender, time or type is missing.
    """
    kind, raw_type = _kind(fields)
    try:
        return InboundEvent(
            channel,
            account,
            event_id=_message_id(fields),
            kind=kind,
            sender=fields.get("FromUserName", ""),
            occurred_at=created_at(fields),
            text=_text(fields),
            action=fields.get("EventKey", "").removeprefix(_QR_PREFIX),
            raw_type=raw_type,
            attachments=_attachments(fields),
            consents=_consents(fields) if kind is EventKind.CONSENT else (),
            extras=_extras(fields),
        )
    except ValueError:
        raise Rejected("incomplete") from None


def created_at(fields: Mapping[str, str]) -> datetime:
    """Return the time a message was made; WeChat counts seconds.

    Raises:
        Rejected: there is none.
    """
    seconds = whole_number(fields.get("CreateTime", "").strip())
    if seconds is None:
        raise Rejected("incomplete")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise Rejected("malformed") from None


def _kind(fields: Mapping[str, str]) -> tuple[EventKind, str]:
    message_type = fields.get("MsgType", "").lower()
    if not message_type:
        raise Rejected("incomplete")
    if message_type != "event":
        return _MESSAGES.get(message_type, EventKind.UNKNOWN), message_type
    event = fields.get("Event", "")
    if not event:
        raise Rejected("incomplete")
    return _EVENTS.get(event.lower(), EventKind.UNKNOWN), f"event:{event[:64]}"


def _message_id(fields: Mapping[str, str]) -> str:
    for name in _MESSAGE_IDS:
        if found := fields.get(name):
            return found
    return _digest(fields)


def _digest(fields: Mapping[str, str]) -> str:
    # Events carry no id; sender and time alone would make two events of one second one.
    return stable_digest(*(part for item in sorted(fields.items()) for part in item))


def _text(fields: Mapping[str, str]) -> str:
    if said := fields.get("Content"):
        return said
    names = ("ScanCodeInfo.ScanResult", "Label", "SendLocationInfo.Label", "Recognition")
    return next((fields[name] for name in names if fields.get(name)), "")


def _attachments(fields: Mapping[str, str]) -> tuple[Attachment, ...]:
    media_id, url = fields.get("MediaId", ""), fields.get("PicUrl", "")
    if not media_id and not url:
        return ()
    return (Attachment(media_id, url, fields.get("Format", "")),)


def _consents(fields: Mapping[str, str]) -> tuple[Consent, ...]:
    return tuple(Consent(key, granted) for key, granted in notices.consents_of(fields).items())


def _extras(fields: Mapping[str, str]) -> dict[str, str]:
    if _EXTRA_NAMES.isdisjoint(fields):  # words, most often
        return {}
    return {ours: fields[theirs] for ours, names in _EXTRAS.items() for theirs in names if fields.get(theirs)}


def passive_reply(fields: Mapping[str, str], reply: Reply, now: datetime, wire: str) -> str:
    """Return the answer to a message, ``""`` when nothing of the reply can be shown.

    A longer text is cut at 2048 bytes, of several articles the first is kept.
    """
    head: dict[str, str | int] = {
        "ToUserName": fields["FromUserName"],
        "FromUserName": fields.get("ToUserName", ""),
        "CreateTime": int(now.timestamp()),
    }
    if reply.handover:
        return _answer({**head, "MsgType": "transfer_customer_service"}, wire)
    if reply.image:
        return _picture(head, reply.image, wire)
    if reply.articles:
        return _news(head, reply.articles[:MAX_PASSIVE_ARTICLES], wire)
    content = fit(writable(reply.text), MAX_TEXT_BYTES)
    if not content or content.isspace():
        return ""
    head["MsgType"], head["Content"] = "text", content
    return _answer(head, wire)


def _answer(message: Mapping[str, str | int], wire: str) -> str:
    return _message(message) if wire == "xml" else json.dumps(message, ensure_ascii=False)


def _picture(head: Mapping[str, str | int], media_id: str, wire: str) -> str:
    message, image = {**head, "MsgType": "image"}, {"MediaId": writable(media_id)}
    if wire == "json":
        return json.dumps({**message, "Image": image}, ensure_ascii=False)
    return _message(message, f"<Image>{elements(image)}</Image>")


def _news(head: Mapping[str, str | int], articles: tuple[Article, ...], wire: str) -> str:
    count: dict[str, str | int] = {**head, "MsgType": "news", "ArticleCount": len(articles)}
    items = [
        {
            "Title": fit(writable(article.title), MAX_TITLE_BYTES),
            "Description": fit(writable(article.description), MAX_DESCRIPTION_BYTES),
            "PicUrl": writable(article.picture),
            "Url": writable(article.url),
        }
        for article in articles
    ]
    if wire == "json":
        return json.dumps({**count, "Articles": items}, ensure_ascii=False)
    inner = "".join(f"<item>{elements(item)}</item>" for item in items)
    return _message(count, f"<Articles>{inner}</Articles>")


def _message(fields: Mapping[str, str | int], more: str = "") -> str:
    return f"<xml>{elements(fields)}{more}</xml>"


def custom_message(recipient: str, reply: Reply) -> dict[str, Any]:
    """Return a customer-service message (客服消息), sent within 48 hours of the resident's last word."""
    if reply.image:
        return {"touser": recipient, "msgtype": "image", "image": {"media_id": reply.image}}
    if not reply.articles:
        content = fit(writable(reply.text), MAX_TEXT_BYTES)
        return {"touser": recipient, "msgtype": "text", "text": {"content": content}}
    articles = [
        {
            "title": fit(writable(article.title), MAX_TITLE_BYTES),
            "description": fit(writable(article.description), MAX_DESCRIPTION_BYTES),
            "url": writable(article.url),
            "picurl": writable(article.picture),
        }
        for article in reply.articles[:MAX_SENT_ARTICLES]
    ]
    return {"touser": recipient, "msgtype": "news", "news": {"articles": articles}}
