"""Take files an official account hands over (素材) and know them again when it shows one.

Source: developers.weixin.qq.com, New_temporary_materials, Adding_Permanent_Assets.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field

from sandbox.world import Clock

KEPT_SECONDS = 3 * 24 * 3600
LARGEST_BYTES = 10 * 1024 * 1024
# Kind: largest size, endings, errcode for a file that does not fit.
KINDS = {
    "image": (LARGEST_BYTES, ("jpg", "jpeg", "png", "gif", "bmp"), 40009),
    "voice": (2 * 1024 * 1024, ("mp3", "amr"), 40010),
    "video": (LARGEST_BYTES, ("mp4",), 40011),
    "thumb": (64 * 1024, ("jpg", "jpeg"), 40012),
}


@dataclass(frozen=True, slots=True)
class File:
    """``ends_at`` None = kept until deleted."""

    account: str
    kind: str
    ends_at: float | None


@dataclass(slots=True)
class MediaBook:
    """The files of all official accounts; contents are not kept."""

    clock: Clock
    _files: dict[str, File] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, account: str, kind: str, name: str, size_bytes: int, lasting: bool) -> str | int:
        """Return the new media id, or the errcode."""
        if kind not in KINDS:
            return 40004
        most, endings, too_large = KINDS[kind]
        if size_bytes == 0:
            return 40006
        if name.rpartition(".")[2].lower() not in endings:
            return 40005
        if size_bytes > most:
            return too_large
        media_id = secrets.token_urlsafe(48)
        ends_at = None if lasting else self.clock() + KEPT_SECONDS
        with self._lock:
            self._files[media_id] = File(account, kind, ends_at)
        return media_id

    def has(self, account: str, kind: str, media_id: object) -> bool:
        """Tell whether the account may show the file."""
        file = self._files.get(media_id) if isinstance(media_id, str) else None
        if file is None or (file.account, file.kind) != (account, kind):
            return False
        return file.ends_at is None or file.ends_at > self.clock()
