"""Take the messages an account sends by itself (客服消息) and refuse what WeChat refuses.

An official account shows news, a mini program links and cards of its own pages; the latter may send five
messages for each time the resident turned to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sandbox.config import MiniProgram, WechatAccount
from sandbox.wechat.media import MediaBook
from sandbox.wechat.messages import SHOWN_AS
from sandbox.world import RESIDENT, Article, World, open_id

WINDOW_SECONDS = 48 * 3600
MINI_LIMIT = 5
TEXT_BYTES = 2048


@dataclass(frozen=True, slots=True)
class Outbound:
    """Customer-service messages to the phone."""

    world: World
    media: MediaBook
    _counted: dict[str, tuple[float, int]] = field(default_factory=dict)

    def custom_send(self, account: WechatAccount, body: Mapping[str, Any]) -> int:
        """Show the message and return 0, or return the errcode."""
        if body.get("touser") != open_id(account.app_id, RESIDENT):
            return 40003
        code = self._reachable(account)
        if code:
            return code
        known = {"text": self._text, "image": self._image}
        if isinstance(account, MiniProgram):
            known |= {"link": self._link, "miniprogrampage": self._own_page}
        else:
            known["news"] = self._news
        kind = body.get("msgtype")
        return known[kind](account, body.get(kind)) if isinstance(kind, str) and kind in known else 40008

    def _reachable(self, account: WechatAccount) -> int:
        chat = self.world.chat(account.key)
        if not chat.following:
            return 43004
        if chat.spoke_at is None or self.world.clock() - chat.spoke_at > WINDOW_SECONDS:
            return 45015
        return self._count(account, chat.spoke_at) if isinstance(account, MiniProgram) else 0

    def _count(self, account: WechatAccount, spoke_at: float) -> int:
        since, count = self._counted.get(account.key, (spoke_at, 0))
        count = count + 1 if since == spoke_at else 1
        self._counted[account.key] = spoke_at, count
        return 45047 if count > MINI_LIMIT else 0

    def _text(self, account: WechatAccount, part: Any) -> int:
        content = part.get("content") if isinstance(part, dict) else None
        if not isinstance(content, str) or not content:
            return 44004
        if len(content.encode()) > TEXT_BYTES:
            return 45002
        self.world.say(account.key, "account", content)
        return 0

    def _image(self, account: WechatAccount, part: Any) -> int:
        media_id = part.get("media_id") if isinstance(part, dict) else None
        if not self.media.has(account.key, "image", media_id):
            return 40007
        self.world.say(account.key, "account", SHOWN_AS["image"])
        return 0

    def _news(self, account: WechatAccount, part: Any) -> int:
        articles = part.get("articles") if isinstance(part, dict) else None
        if not isinstance(articles, list) or not articles:
            return 44003
        if len(articles) > 1 or not isinstance(articles[0], dict):
            return 45008
        card = {name: str(articles[0].get(name, "")) for name in ("title", "description", "url", "picurl")}
        shown = Article(card["title"], card["description"], card["url"], card["picurl"])
        self.world.say(account.key, "account", articles=(shown,))
        return 0

    def _link(self, account: WechatAccount, part: Any) -> int:
        card = part if isinstance(part, dict) else {}
        title, url = card.get("title"), card.get("url")
        if not isinstance(title, str) or not title:
            return 44004
        if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
            return 40066
        shown = Article(title, str(card.get("description", "")), url, str(card.get("thumb_url", "")))
        self.world.say(account.key, "account", articles=(shown,))
        return 0

    def _own_page(self, account: WechatAccount, part: Any) -> int:
        card = part if isinstance(part, dict) else {}
        if not self.media.has(account.key, "image", card.get("thumb_media_id")):
            return 40007
        path = str(card.get("pagepath", ""))
        if not isinstance(account, MiniProgram) or path.partition("?")[0] not in account.pages:
            return 40165
        self.world.say(account.key, "account", f"［小程序］{card.get('title', '')}（{path}）")
        return 0
