"""The forms of notification that WeChat has approved for an account (我的模板).

Source: developers.weixin.qq.com, Template_Message_Interface (get_all_private_template) and
subscribe-message (newtmpl/gettemplate); both describe a form by its text, ``办理事项：{{thing1.DATA}}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from channels.base import ChannelError, NotificationKind, PlatformTemplate, TemplateField
from channels.http import whole_number
from channels.wechat.client import Client, decode

PATHS = {
    NotificationKind.TEMPLATE: "/cgi-bin/template/get_all_private_template",
    NotificationKind.SUBSCRIBE: "/wxaapi/newtmpl/gettemplate",
}
_FIELD = re.compile(r"([^\n:：{}]*)[:：]?[ \t]*\{\{([A-Za-z][A-Za-z_0-9]{0,40})\.DATA\}\}")
_LONG_TERM = 3


def fetch(client: Client, kind: NotificationKind) -> tuple[PlatformTemplate, ...]:
    """Return the templates of one kind, in the platform's order.

    Raises:
        ChannelError: refused, not reached, or the answer holds no list.
    """
    result = decode(client.answer_of("GET", PATHS[kind]))
    listed = result.get("template_list" if kind is NotificationKind.TEMPLATE else "data")
    if not isinstance(listed, list):
        raise ChannelError("the answer holds no templates", retryable=True, code="garbage")
    return tuple(_templates(listed, kind))


def _templates(listed: list[Any], kind: NotificationKind) -> Iterator[PlatformTemplate]:
    for entry in listed:
        known = entry if isinstance(entry, dict) else {}
        number = known.get("template_id") or known.get("priTmplId")
        title, content = known.get("title"), known.get("content")
        if not (isinstance(number, str) and number and isinstance(title, str) and isinstance(content, str)):
            raise ChannelError("the answer holds no template", retryable=True, code="garbage")
        choices = _choices(known.get("keywordEnumValueList"))
        fields = tuple(
            TemplateField(key, label.strip(), choices.get(key, ())) for label, key in _FIELD.findall(content)
        )
        yield PlatformTemplate(number, title, fields, kind, whole_number(known.get("type")) == _LONG_TERM)


def _choices(told: Any) -> Mapping[str, tuple[str, ...]]:
    """Return what values fixed ones may have, by their key."""
    found = {}
    for entry in told if isinstance(told, list) else []:
        key, values = (
            (entry.get("keywordCode"), entry.get("enumValueList")) if isinstance(entry, dict) else (0, 0)
        )
        if isinstance(key, str) and isinstance(values, list):
            found[key.removesuffix(".DATA")] = tuple(value for value in values if isinstance(value, str))
    return found
