"""WeChat's template messages (模板消息) and subscription notices (订阅通知).

Source: developers.weixin.qq.com, Template_Message_Interface and the table of parameter limits of
subscription notices, which template messages follow since 2023.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from channels.base import ChannelError, Notification, NotificationKind, Outcome, stable_digest
from channels.markup import writable

PATHS = {
    NotificationKind.TEMPLATE: "message/template/send",
    NotificationKind.SUBSCRIBE: "message/subscribe/bizsend",
}
MAX_FREE_CHARS = 200
"""For names of no known type; the platform shows fewer."""

_DEDUP_CHARS = 32
_KEY = re.compile(r"([A-Za-z][A-Za-z_]{0,30}?)[0-9]{0,6}(?:\.DATA)?")
_CHINESE = re.compile("[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_SHORTENED = {"thing": 20, "const": 20, "phrase": 5}
_STRICT = {
    "number": re.compile(r"-?[0-9]{1,32}(?:\.[0-9]{1,32})?"),
    "letter": re.compile(r"[A-Za-z]{1,32}"),
    "symbol": re.compile(r"[^\w\s]{1,5}"),
    "character_string": re.compile(r"[\x21-\x7e]{1,32}"),
    "phone_number": re.compile(r"[0-9+() *-]{1,17}"),
    "car_number": re.compile(r"\w{1,8}"),
    "amount": re.compile(r"[^\w\s]?[0-9]{1,10}(?:\.[0-9]{1,2})?元?"),
    "date": re.compile(r"(?=.*[0-9]).{4,40}"),
    "time": re.compile(r"(?=.*[0-9]).{4,40}"),
}


def render(recipient: str, notification: Notification) -> dict[str, Any]:
    """Return the body of the call.

    Raises:
        ChannelError: ``bad_data``, a value is empty or of a form its type does not have.
    """
    body: dict[str, Any] = {"touser": recipient, "template_id": notification.template_key}
    if notification.page:
        body["url" if notification.kind is NotificationKind.TEMPLATE else "page"] = notification.page
    if notification.mini_page is not None:
        mini = notification.mini_page
        body["miniprogram"] = {"appid": mini.app_id, "pagepath": mini.path}
    if notification.dedup_id and notification.kind is NotificationKind.TEMPLATE:
        # Ours may be of any length and tell of our inside; the platform only compares.
        body["client_msg_id"] = stable_digest(notification.dedup_id)[:_DEDUP_CHARS]
    body["data"] = values_of(notification)
    return body


def values_of(notification: Notification) -> dict[str, dict[str, str]]:
    """Return the values as the platform wants them.

    Raises:
        ChannelError: ``bad_data``.
    """
    return {key: {"value": fitted(key, value)} for key, value in notification.data.items()}


def fitted(key: str, value: str) -> str:
    """Return ``value`` as short as the type in the name ``key`` (``thing1``) wants it.

    Raises:
        ChannelError: ``bad_data``.
    """
    name = _KEY.fullmatch(key)
    shown = " ".join(writable(value).split())
    if name is None or not shown:
        raise _bad(key)
    kind = name.group(1).lower()
    if kind in _STRICT:
        if not _STRICT[kind].fullmatch(shown):
            raise _bad(key)
        return shown
    return _shortened(shown, _limit(kind, shown))


def _limit(kind: str, shown: str) -> int:
    if kind == "name":
        return 10 if _CHINESE.search(shown) else 20
    return _SHORTENED.get(kind, MAX_FREE_CHARS)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _bad(key: str) -> ChannelError:
    return ChannelError(
        f"the value of {key[:40]!a} does not fit its type",
        retryable=False,
        code="bad_data",
        outcome=Outcome.BAD_TEMPLATE,
    )


def consents_of(fields: Mapping[str, str]) -> dict[str, bool]:
    """Return which templates were allowed and forbidden, in the message's order.

    XML wraps the list in an element named after the event, JSON does not.
    """
    found: dict[str, bool] = {}
    for name, template in fields.items():
        entry, _, last = name.rpartition(".")
        if last == "TemplateId" and template and re.search(r"(?:^|\.)List\.[0-9]+$", entry):
            found[template] = fields.get(f"{entry}.SubscribeStatusString") == "accept"
    return found
