"""WeChat's QR codes with parameters (带参数的二维码).

Source: developers.weixin.qq.com, Generating_a_Parametric_QR_Code.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from channels.base import ChannelError, QrCode
from channels.http import whole_number

MAX_SCENE_BYTES = 64
MAX_SECONDS = 30 * 24 * 3600


def to_wire(scene: str, seconds: int | None) -> dict[str, Any]:
    """Return the body of qrcode/create.

    Raises:
        ChannelError: ``bad_scene``, ``bad_seconds``.
    """
    if not scene.isprintable() or not 1 <= len(scene.encode("utf-8", "replace")) <= MAX_SCENE_BYTES:
        raise ChannelError("a scene has 1 to 64 bytes", retryable=False, code="bad_scene")
    info = {"action_info": {"scene": {"scene_str": scene}}}
    if seconds is None:
        return {"action_name": "QR_LIMIT_STR_SCENE", **info}
    if not 1 <= seconds <= MAX_SECONDS:
        raise ChannelError("a code lasts 30 days at most", retryable=False, code="bad_seconds")
    return {"action_name": "QR_STR_SCENE", "expire_seconds": seconds, **info}


def from_wire(answer: dict[str, Any], seconds: int | None, now: datetime) -> QrCode:
    """Return the code in an answer; the platform may grant less time than asked for.

    Raises:
        ChannelError: there is none.
    """
    content, granted = answer.get("url"), whole_number(answer.get("expire_seconds"))
    if not isinstance(content, str) or not content:
        raise ChannelError("the answer holds no code", retryable=True, code="garbage")
    if seconds is None:
        return QrCode(content)
    lasting = granted if granted is not None and 0 < granted <= MAX_SECONDS else seconds
    return QrCode(content, now + timedelta(seconds=lasting))
