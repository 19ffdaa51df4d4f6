"""Messages in forms Alipay has approved: a life account's templates (模板消息) and a mini program's.

Source: opendocs.alipay.com, alipay.open.public.message.single.send (names ``first``, ``keyword1``…,
``remark``; a colour each) and alipay.open.app.mini.templatemessage.send (values of 50 characters at most).
"""

from __future__ import annotations

import json
import re
from typing import Any

from channels.alipay.login import addressee
from channels.base import ChannelError, Notification, Outcome
from channels.markup import writable

TEMPLATE_METHOD = "alipay.open.public.message.single.send"
MINI_METHOD = "alipay.open.app.mini.templatemessage.send"
MAX_MINI_CHARS = 50
MAX_WINDOW_CHARS = 200
"""GUESS: the platform's document names no limit for life accounts."""

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_COLOUR = "#333333"


def window_message(recipient: str, notification: Notification) -> dict[str, Any]:
    """Return the content of a life account's template message.

    Raises:
        ChannelError: ``bad_data``, a name is none or a value is empty.
    """
    context: dict[str, Any] = {"head_color": "#1677ff", "url": notification.page, "action_name": "查看详情"}
    for key, value in notification.data.items():
        shown = _fitted(key, value, MAX_WINDOW_CHARS)
        context[key] = {"color": _COLOUR, "value": shown}
    template = {"template_id": notification.template_key, "context": context}
    return {**addressee(recipient), "template": template}


def mini_message(recipient: str, notification: Notification, page: str) -> dict[str, Any]:
    """Return the content of a mini program's message that opens ``page``.

    Raises:
        ChannelError: ``bad_data``, a name is none or a value is empty.
    """
    values = {key: {"value": _fitted(key, value, MAX_MINI_CHARS)} for key, value in notification.data.items()}
    said = {
        **addressee(recipient),
        "user_template_id": notification.template_key,
        "page": page,
        # The platform wants the values as text inside the content.
        "data": json.dumps(values, ensure_ascii=False),
    }
    if notification.permit:
        said["form_id"] = notification.permit
    return said


def _fitted(key: str, value: str, most: int) -> str:
    shown = " ".join(writable(value).split())
    if not _KEY.fullmatch(key) or not shown:
        raise ChannelError(
            f"the value of {key[:40]!a} cannot be sent",
            retryable=False,
            code="bad_data",
            outcome=Outcome.BAD_TEMPLATE,
        )
    return shown if len(shown) <= most else shown[: most - 1] + "…"
