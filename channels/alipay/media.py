"""Pictures handed over to Alipay (图片上传), and codes that report a scene (带参推广二维码).

Source: opendocs.alipay.com, alipay.offline.material.image.upload (bmp, png, jpeg, jpg, gif up to 5 MB, kept
for good) and alipay.open.public.qrcode.create (passing ones up to 1800 s).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from channels.base import ChannelError, Media, MediaId, MediaKind, QrCode
from channels.http import whole_number
from channels.links import is_web_address

UPLOAD_METHOD = "alipay.offline.material.image.upload"
QR_METHOD = "alipay.open.public.qrcode.create"
MAX_IMAGE_BYTES = 5 * 1024 * 1024
MAX_SECONDS = 1800
MAX_SCENE_CHARS = 64
"""GUESS: the platform's document names no limit."""

_TYPES = {
    "png": (b"\x89PNG\r\n\x1a\n", "image/png"),
    "jpg": (b"\xff\xd8\xff", "image/jpeg"),
    "jpeg": (b"\xff\xd8\xff", "image/jpeg"),
    "gif": (b"GIF8", "image/gif"),
    "bmp": (b"BM", "image/bmp"),
}
_SCENE = re.compile(r"[\x21-\x7e]+")


def image_to_wire(media: Media) -> tuple[str, str]:
    """Return the picture's ending and type.

    Raises:
        ChannelError: ``bad_media``, no picture, empty, too large, or of no type that is taken.
    """
    ending = media.name.rpartition(".")[2].lower()
    start, content_type = _TYPES.get(ending, (b"", ""))
    fits = media.kind is MediaKind.IMAGE and 0 < len(media.content) <= MAX_IMAGE_BYTES
    if not fits or not content_type or not media.content.startswith(start):
        raise ChannelError("no picture the platform takes", retryable=False, code="bad_media")
    return ending, content_type


def image_from_wire(told: Mapping[str, Any]) -> MediaId:
    """Return the id in an answer; pictures are kept for good.

    Raises:
        ChannelError: there is none.
    """
    value, url = told.get("image_id"), told.get("image_url", "")
    if not isinstance(value, str) or not value or not isinstance(url, str):
        raise ChannelError("the answer holds no image id", retryable=True, code="garbage")
    return MediaId(value, None, url)


def qr_to_wire(scene: str, seconds: int | None) -> dict[str, Any]:
    """Return what is asked for; ``None`` seconds is a code that never ends.

    Raises:
        ChannelError: ``bad_scene``, ``bad_seconds``.
    """
    if len(scene) > MAX_SCENE_CHARS or not _SCENE.fullmatch(scene):
        raise ChannelError("no scene the platform takes", retryable=False, code="bad_scene")
    info = {"code_info": {"scene": {"scene_id": scene}}, "show_logo": "N"}
    if seconds is None:
        return {**info, "code_type": "PERM"}
    if not 1 <= seconds <= MAX_SECONDS:
        raise ChannelError(f"a code lasts 1 to {MAX_SECONDS} s", retryable=False, code="bad_seconds")
    return {**info, "code_type": "TEMP", "expire_second": str(seconds)}


def qr_from_wire(told: Mapping[str, Any], seconds: int | None, now: datetime) -> QrCode:
    """Return the code: the platform draws it and does not tell what it says.

    Raises:
        ChannelError: there is none.
    """
    picture = told.get("code_img")
    if not isinstance(picture, str) or not is_web_address(picture):
        raise ChannelError("the answer holds no code", retryable=True, code="garbage")
    lasts = whole_number(told.get("expire_second")) or seconds
    ends = None if seconds is None or lasts is None else now + timedelta(seconds=min(lasts, seconds))
    return QrCode("", ends, picture)
