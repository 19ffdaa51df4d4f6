"""Make links and codes that open a mini program's pages, and know them again.

Source: developers.weixin.qq.com, generateUrlLink, generateScheme, generateShortLink, getQRCode,
getUnlimitedQRCode, createQRCode.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.config import MiniProgram
from sandbox.world import Clock

DAY_SECONDS = 86_400
LONGEST_DAYS = 30
QUERY_LENGTH = 1024
FEW_LIMIT = 100_000
VERSIONS = ("release", "trial", "develop")
QUERY = re.compile(r"[A-Za-z0-9!#$&'()*+,/:;=?@\-._~%]*")
SCENE = re.compile(r"[A-Za-z0-9!#$&'()*+,/:;=?@\-._~]{1,32}")
BAD_PATH, BAD_QUERY, BAD_END, BAD_VERSION, BAD_ARGUMENT = 40165, 40212, 85401, 85402, 40097
NO_PAGE, TOO_MANY, BAD_URL = 41030, 45029, 40066


@dataclass(frozen=True, slots=True)
class Opened:
    """Where a link or code leads. ``ends_at`` None = never."""

    account: str
    path: str
    query: str
    ends_at: float | None


@dataclass(slots=True)
class LinkBook:
    """The links and codes of all mini programs."""

    clock: Clock
    _opens: dict[str, Opened] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, account: str, value: str) -> Opened | None:
        """Return where ``value`` leads; None when it is another account's or ran out."""
        found = self._opens.get(value)
        if found is None or found.account != account:
            return None
        return found if found.ends_at is None or found.ends_at > self.clock() else None

    def url_link(self, account: MiniProgram, body: Mapping[str, Any]) -> str | int:
        """Return the URL Link, or the errcode."""
        made = self._outside(account, body, body)
        return made if isinstance(made, int) else self._keep(f"https://wxaurl.cn/{_word()}", made)

    def scheme(self, account: MiniProgram, body: Mapping[str, Any]) -> str | int:
        """Return the URL Scheme, or the errcode."""
        opened = body.get("jump_wxa")
        if not isinstance(opened, dict) or body.get("is_expire") is not True:
            return BAD_ARGUMENT
        made = self._outside(account, opened, body)
        return made if isinstance(made, int) else self._keep(f"weixin://dl/business/?t={_word()}", made)

    def short_link(self, account: MiniProgram, body: Mapping[str, Any]) -> str | int:
        """Return the short link, or the errcode."""
        page, _, query = str(body.get("page_url", "")).partition("?")
        if page not in account.pages:
            return BAD_URL
        ends_at = None if body.get("is_permanent") is True else self.clock() + LONGEST_DAYS * DAY_SECONDS
        return self._keep(f"#小程序://{account.name}/{_word()}", Opened(account.key, page, query, ends_at))

    def code(self, account: MiniProgram, body: Mapping[str, Any]) -> str | int:
        """Return what a code with a path says, or the errcode; there are 100 000 of them."""
        page, _, query = str(body.get("path", "")).partition("?")
        if page not in account.pages:
            return NO_PAGE
        with self._lock:
            mine = sum(key.startswith(f"wxacode:{account.app_id}:few") for key in self._opens)
        if mine >= FEW_LIMIT:
            return TOO_MANY
        return self._drawn(
            body, f"wxacode:{account.app_id}:few:{_word()}", Opened(account.key, page, query, None)
        )

    def scene_code(self, account: MiniProgram, body: Mapping[str, Any]) -> str | int:
        """Return what a code with a scene says, or the errcode."""
        scene, page = body.get("scene"), body.get("page", account.pages[0])
        if not isinstance(scene, str) or not SCENE.fullmatch(scene):
            return BAD_ARGUMENT
        if not isinstance(page, str) or (body.get("check_path", True) and page not in account.pages):
            return NO_PAGE
        opened = Opened(account.key, page, f"scene={scene}", None)
        return self._drawn(body, f"wxacode:{account.app_id}:scene:{_word()}", opened)

    def _drawn(self, body: Mapping[str, Any], says: str, opened: Opened) -> str | int:
        width = body.get("width", 430)
        if isinstance(width, bool) or not isinstance(width, int) or not 280 <= width <= 1280:
            return BAD_ARGUMENT
        if body.get("env_version", "release") not in VERSIONS:
            return BAD_VERSION
        return self._keep(says, opened)

    def _outside(
        self, account: MiniProgram, page: Mapping[str, Any], ends: Mapping[str, Any]
    ) -> Opened | int:
        path, query = page.get("path", ""), page.get("query", "")
        if not isinstance(path, str) or (path and path not in account.pages):
            return BAD_PATH
        if not isinstance(query, str) or len(query) > QUERY_LENGTH or not QUERY.fullmatch(query):
            return BAD_QUERY
        if page.get("env_version", "release") not in VERSIONS:
            return BAD_VERSION
        days = ends.get("expire_interval")
        if ends.get("expire_type") != 1 or not isinstance(days, int) or not 1 <= days <= LONGEST_DAYS:
            return BAD_END
        return Opened(account.key, path or account.pages[0], query, self.clock() + days * DAY_SECONDS)

    def _keep(self, value: str, opened: Opened) -> str:
        with self._lock:
            self._opens[value] = opened
        return value


def _word() -> str:
    return secrets.token_urlsafe(8)
