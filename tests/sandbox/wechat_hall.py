"""What a correct hall does with WeChat's messages, as far as the tests need it."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

from sandbox.wechat import crypto, messages
from tests.sandbox import builders
from tests.sandbox.servers import Received

APP_ID = "wxba5fad812f8e6fb9"
TOKEN = "AAAAA"


def opened(received: Received) -> Element:
    """Verify and decrypt a message in secure mode."""
    cipher = messages.member(messages.parse_xml(received.body), "Encrypt")
    args = received.args
    assert crypto.signature(TOKEN, args["timestamp"], args["nonce"], cipher) == args["msg_signature"]
    return messages.parse_xml(crypto.decrypt(builders.AES_KEY, APP_ID, cipher))


def reply_xml(message: Element, inner: str, **changes: str) -> str:
    """Return the reply with ``inner`` after the common members."""
    members = {
        "ToUserName": message.findtext("FromUserName") or "",
        "FromUserName": message.findtext("ToUserName") or "",
        "CreateTime": "1780000000",
        **changes,
    }
    return "<xml>" + "".join(f"<{k}>{v}</{k}>" for k, v in members.items()) + inner + "</xml>"


def sealed(xml: str, token: str = TOKEN, app_id: str = APP_ID) -> str:
    cipher = crypto.encrypt(builders.AES_KEY, app_id, xml.encode(), b"0123456789abcdef")
    signature = crypto.signature(token, "1780000000", "77", cipher)
    return (
        f"<xml><Encrypt>{cipher}</Encrypt><MsgSignature>{signature}</MsgSignature>"
        "<TimeStamp>1780000000</TimeStamp><Nonce>77</Nonce></xml>"
    )


def text(content: str) -> str:
    return f"<MsgType>text</MsgType><Content><![CDATA[{content}]]></Content>"


def news(*titles: str) -> str:
    items = "".join(
        f"<item><Title>{title}</Title><Url>http://127.0.0.1/{title}</Url></item>" for title in titles
    )
    count = f"<ArticleCount>{len(titles)}</ArticleCount>"
    return f"<MsgType>news</MsgType>{count}<Articles>{items}</Articles>"


def answering(inner: str) -> Callable[[Received], str]:
    """Return a reply function for ``FakeHall`` in secure mode."""
    return lambda received: sealed(reply_xml(opened(received), inner))
