"""Files handed over to WeChat (素材): limits, and the two places they go to.

Source: developers.weixin.qq.com, New_temporary_materials, Adding_Permanent_Assets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from urllib3.filepost import encode_multipart_formdata

from channels.base import ChannelError, Media, MediaId, MediaKind
from channels.http import whole_number

KEPT = timedelta(days=3)
_SKEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Limit:
    """``types`` by file ending; ``max_bytes`` as the platform counts them."""

    max_bytes: int
    types: Mapping[str, str]


_JPEG = {"jpg": "image/jpeg", "jpeg": "image/jpeg"}
_LIMITS = {
    MediaKind.IMAGE: _Limit(10 * 1024 * 1024, {**_JPEG, "png": "image/png", "gif": "image/gif"}),
    MediaKind.VOICE: _Limit(2 * 1024 * 1024, {"mp3": "audio/mpeg", "amr": "audio/amr"}),
    MediaKind.VIDEO: _Limit(10 * 1024 * 1024, {"mp4": "video/mp4"}),
    MediaKind.THUMB: _Limit(64 * 1024, _JPEG),
}


@dataclass(frozen=True, slots=True)
class Upload:
    """A call that carries a file."""

    path: str
    kind: str
    body: bytes
    content_type: str


def to_wire(media: Media) -> Upload:
    """Return the call.

    Raises:
        ChannelError: ``bad_media``, empty, too large, or of no type that is taken.
    """
    ending = media.name.rpartition(".")[2].lower()
    limit = _LIMITS[media.kind]
    fits = 0 < len(media.content) <= limit.max_bytes and ending in limit.types
    if not fits or limit.types[ending] != type_of(media.content):
        raise ChannelError(f"no {media.kind} the platform takes", retryable=False, code="bad_media")
    # The file's own name may be anything; the platform reads its ending only.
    fields: dict[str, Any] = {"media": (f"upload.{ending}", media.content, limit.types[ending])}
    if media.lasting and media.kind is MediaKind.VIDEO:
        about = {"title": media.name[:30], "introduction": media.name[:120]}
        fields["description"] = json.dumps(about, ensure_ascii=False)
    body, content_type = encode_multipart_formdata(fields)
    path = "/cgi-bin/material/add_material" if media.lasting else "/cgi-bin/media/upload"
    return Upload(path, media.kind.value, body, content_type)


def type_of(content: bytes) -> str:
    """Return the media type that the first bytes tell, ``""`` for one of no use here."""
    starts = {
        b"\x89PNG\r\n\x1a\n": "image/png",
        b"\xff\xd8\xff": "image/jpeg",
        b"GIF8": "image/gif",
        b"#!AMR": "audio/amr",
        b"ID3": "audio/mpeg",
        b"\xff\xfb": "audio/mpeg",
        b"\xff\xf3": "audio/mpeg",
    }
    if content[4:8] == b"ftyp":
        return "video/mp4"
    return next((name for start, name in starts.items() if content.startswith(start)), "")


def from_wire(answer: Mapping[str, Any], media: Media, now: datetime) -> MediaId:
    """Return the id in an answer; a passing file is kept for three days.

    Raises:
        ChannelError: there is none.
    """
    value = answer.get("media_id") or answer.get("thumb_media_id")
    url = answer.get("url", "")
    if not isinstance(value, str) or not value or not isinstance(url, str):
        raise ChannelError("the answer holds no media id", retryable=True, code="garbage")
    if media.lasting:
        return MediaId(value, None, url)
    return MediaId(value, _made_at(answer.get("created_at"), now) + KEPT, url)


def _made_at(told: Any, now: datetime) -> datetime:
    seconds = whole_number(told)
    try:
        made_at = datetime.fromtimestamp(seconds or 0, UTC)
    except (ValueError, OverflowError, OSError):
        return now
    return made_at if abs(made_at - now) < _SKEW else now
