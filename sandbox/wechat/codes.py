"""Make QR codes with parameters (带参数的二维码) and know them again when the phone scans one.

Source: developers.weixin.qq.com, Generating_a_Parametric_QR_Code.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.world import Clock

LONGEST_SECONDS = 2_592_000
SCENE_LENGTH = 64
LASTING_LIMIT = 100_000
WORD_ACTIONS = ("QR_STR_SCENE", "QR_LIMIT_STR_SCENE")
NUMBER_ACTIONS = ("QR_SCENE", "QR_LIMIT_SCENE")


@dataclass(frozen=True, slots=True)
class Code:
    """``ends_at`` None = never."""

    account: str
    scene: str
    ticket: str
    url: str
    ends_at: float | None


@dataclass(slots=True)
class CodeBook:
    """The codes of all official accounts."""

    clock: Clock
    _codes: dict[str, Code] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def create(self, account: str, asked: Mapping[str, Any]) -> Code | int:
        """Return the new code, or the errcode."""
        name, scene = asked.get("action_name"), _scene(asked)
        if name not in (*WORD_ACTIONS, *NUMBER_ACTIONS):
            return 40052
        if scene is None:
            return 40053
        ends_at = None
        if "LIMIT" not in name:
            seconds = asked.get("expire_seconds", 60)
            if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds < 1:
                return 40097
            ends_at = self.clock() + min(seconds, LONGEST_SECONDS)
        with self._lock:
            lasting = sum(code.account == account and code.ends_at is None for code in self._codes.values())
            if ends_at is None and lasting >= LASTING_LIMIT:
                return 45029
            url = f"http://weixin.qq.com/q/{secrets.token_urlsafe(15)}"
            code = Code(account, scene, secrets.token_urlsafe(60), url, ends_at)
            self._codes[url] = code
        return code

    def find(self, account: str, url: str) -> Code | None:
        """Return the code that says ``url``; None when it is another account's or ran out."""
        code = self._codes.get(url)
        if code is None or code.account != account:
            return None
        return code if code.ends_at is None or code.ends_at > self.clock() else None


def _scene(asked: Mapping[str, Any]) -> str | None:
    info = asked.get("action_info")
    scene = info.get("scene") if isinstance(info, dict) else None
    if not isinstance(scene, dict):
        return None
    if asked.get("action_name") in WORD_ACTIONS:
        words = scene.get("scene_str")
        return words if isinstance(words, str) and 1 <= len(words) <= SCENE_LENGTH else None
    number = scene.get("scene_id")
    if isinstance(number, bool) or not isinstance(number, int):
        return None
    return str(number) if number > 0 else None
