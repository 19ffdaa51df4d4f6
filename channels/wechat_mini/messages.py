"""What a mini program sends: customer-service messages (客服消息) and subscription messages (订阅消息).

Source: developers.weixin.qq.com, sendCustomMessage and subscribeMessage.send.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels.base import Article, Notification, Reply
from channels.links import is_web_address
from channels.markup import fit, writable
from channels.wechat import notices
from channels.wechat.messages import MAX_DESCRIPTION_BYTES, MAX_TITLE_BYTES, custom_message
from channels.wechat_mini.links import Place, place_of

LANGUAGE = "zh_CN"


def to_wire(recipient: str, reply: Reply) -> dict[str, Any]:
    """Return a customer-service message; of several articles the first is kept.

    A card leads to a web page, or to a page of the mini program when its address is a path. The latter needs
    a picture: the id of one that was uploaded.

    Raises:
        ChannelError: ``bad_page``.
    """
    if not reply.articles:
        return custom_message(recipient, reply)
    kind, card = _card(reply.articles[0])
    return {"touser": recipient, "msgtype": kind, kind: card}


def _card(article: Article) -> tuple[str, dict[str, str]]:
    title = fit(writable(article.title), MAX_TITLE_BYTES)
    if not is_web_address(article.url):
        path = place_of(article.url, {}, "").path
        return "miniprogrampage", {"title": title, "pagepath": path, "thumb_media_id": article.picture}
    return "link", {
        "title": title,
        "description": fit(writable(article.description), MAX_DESCRIPTION_BYTES),
        "url": writable(article.url),
        "thumb_url": writable(article.picture),
    }


def notice(recipient: str, notification: Notification, web_page: str, state: str) -> dict[str, Any]:
    """Return a subscription message.

    Raises:
        ChannelError: ``bad_data``, ``bad_page``.
    """
    place = _place(notification, web_page)
    page: Mapping[str, str] = {"page": place.path} if place else {}
    return {
        "touser": recipient,
        "template_id": notification.template_key,
        **page,
        "miniprogram_state": state,
        "lang": LANGUAGE,
        "data": notices.values_of(notification),
    }


def _place(notification: Notification, web_page: str) -> Place | None:
    # Another mini program's page cannot be opened from here; the web page can.
    address = notification.mini_page.path if notification.mini_page else notification.page
    return place_of(address, {}, web_page) if address else None
