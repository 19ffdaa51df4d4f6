"""Write the messages WeChat sends and read the answers it accepts (被动回复).

Source: developers.weixin.qq.com, Receiving_standard_messages, Receiving_event_pushes,
Passive_user_reply_message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from sandbox.world import Article

Value = Any
"""A text, a number, an object of such, or a list of objects."""

Fields = Mapping[str, Value]

TEXT_BYTES = 2048
ARTICLE_LIMIT = 8
SHOWN_AS = {
    "image": "［图片］",
    "voice": "［语音］",
    "video": "［视频］",
    "music": "［音乐］",
    "transfer_customer_service": "（已转接人工客服）",
}


class OddAnswer(ValueError):
    """The answer is nothing the platform understands; the resident is told the account is out of order."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A passive reply, read: text or news cards, and how another kind is shown.

    Attributes:
        media: id of the picture it shows.
    """

    text: str = ""
    articles: tuple[Article, ...] = ()
    media: str = ""


def render(fields: Fields, form: str = "xml") -> bytes:
    """Return the message; in XML texts stand in CDATA, numbers bare, lists as repeated elements."""
    if form == "json":
        return json.dumps(fields, ensure_ascii=False).encode()
    return ("<xml>" + _inner(fields) + "</xml>").encode()


def _inner(fields: Fields) -> str:
    return "".join(_element(name, value) for name, value in fields.items())


def _element(name: str, value: Value) -> str:
    if isinstance(value, list):
        return "".join(_element(name, entry) for entry in value)
    return f"<{name}>{_value(value)}</{name}>"


def _value(value: str | int | Fields) -> str:
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        return _inner(value)
    return "<![CDATA[" + value.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def parse(body: bytes, form: str) -> Element:
    """Return the root of an answer, whichever form the account has.

    Raises:
        OddAnswer: it is of the other form, or of none.
    """
    if form == "xml":
        return parse_xml(body)
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise OddAnswer("答复不是可接受的 JSON") from error
    if not isinstance(told, dict):
        raise OddAnswer("答复不是 JSON 对象")
    return _grown(Element("xml"), told)


def _grown(parent: Element, told: Mapping[str, Any]) -> Element:
    for name, value in told.items():
        child = SubElement(parent, name)
        if isinstance(value, dict):
            _grown(child, value)
        elif isinstance(value, list):
            for entry in value:
                _grown(SubElement(child, "item"), entry if isinstance(entry, dict) else {})
        else:
            child.text = str(value)
    return parent


def parse_xml(body: bytes) -> Element:
    """Return the root ``xml`` element.

    Raises:
        OddAnswer: not XML, entities or a DTD in it, or another root.
    """
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise OddAnswer("答复不是可接受的 XML") from error
    if root.tag != "xml":
        raise OddAnswer("答复的根元素不是 xml")
    return root


def read_reply(root: Element, to_user: str, from_user: str) -> Reply:
    """Return the reply inside ``root``.

    Raises:
        OddAnswer: wrong addressee or sender, a missing or repeated member, an unknown type, too long.
    """
    if member(root, "ToUserName") != to_user or member(root, "FromUserName") != from_user:
        raise OddAnswer("收件人或发件人不对")
    if not member(root, "CreateTime").isdecimal():
        raise OddAnswer("CreateTime 不是整数")
    kind = member(root, "MsgType")
    if kind == "text":
        return Reply(text=_text(root))
    if kind == "news":
        return Reply(articles=_articles(root))
    if kind == "image":
        return Reply(text=SHOWN_AS[kind], media=_media(root))
    if kind in SHOWN_AS:
        return Reply(text=SHOWN_AS[kind])
    raise OddAnswer("未知的 MsgType")


def member(root: Element, name: str) -> str:
    """Return the text of the only child called ``name``."""
    found = root.findall(name)
    if len(found) != 1:
        raise OddAnswer(f"{name} 应恰好出现一次")
    return found[0].text or ""


def _text(root: Element) -> str:
    content = member(root, "Content")
    if not 0 < len(content.encode()) <= TEXT_BYTES:
        raise OddAnswer("Content 为空或超过 2048 字节")
    return content


def _media(root: Element) -> str:
    media_id = root.findtext("Image/MediaId")
    if not media_id:
        raise OddAnswer("图片没有 MediaId")
    return media_id


def _articles(root: Element) -> tuple[Article, ...]:
    items = root.findall("Articles/item")
    if member(root, "ArticleCount") != str(len(items)) or not 1 <= len(items) <= ARTICLE_LIMIT:
        raise OddAnswer("ArticleCount 与条数不符，或不在 1 至 8 之间")
    return tuple(
        Article(
            title=item.findtext("Title") or "",
            description=item.findtext("Description") or "",
            url=item.findtext("Url") or "",
            picture_url=item.findtext("PicUrl") or "",
        )
        for item in items
    )
