"""Take the messages an official account sends by itself (客服消息) and refuse what WeChat refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.config import WechatAccount
from sandbox.wechat.media import MediaBook
from sandbox.wechat.messages import SHOWN_AS
from sandbox.world import RESIDENT, Article, World, open_id

WINDOW_SECONDS = 48 * 3600
TEXT_BYTES = 2048


@dataclass(frozen=True, slots=True)
class Outbound:
    """Customer-service messages to the phone."""

    world: World
    media: MediaBook

    def custom_send(self, account: WechatAccount, body: Mapping[str, Any]) -> int:
        """Show the message and return 0, or return the errcode."""
        if body.get("touser") != open_id(account.app_id, RESIDENT):
            return 40003
        code = self._reachable(account)
        if code:
            return code
        if body.get("msgtype") == "text":
            return self._text(account, body.get("text"))
        if body.get("msgtype") == "news":
            return self._news(account, body.get("news"))
        if body.get("msgtype") == "image":
            return self._image(account, body.get("image"))
        return 40008

    def _reachable(self, account: WechatAccount) -> int:
        chat = self.world.chat(account.key)
        if not chat.following:
            return 43004
        if chat.spoke_at is None or self.world.clock() - chat.spoke_at > WINDOW_SECONDS:
            return 45015
        return 0

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
