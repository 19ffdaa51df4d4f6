"""Files kept under the hash of what is in them: artifacts and screenshots of checks."""

from __future__ import annotations

import os
import re
import secrets
from hashlib import sha256
from pathlib import Path

from app.core.errors import NotFound

_DIGEST = re.compile(r"[0-9a-f]{64}")


class FileStore:
    """A folder ``ab/abcdef…`` of files that never change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes) -> str:
        """Keep ``content`` and return its address, 64 hex digits. Safe to repeat and to interrupt."""
        digest = sha256(content).hexdigest()
        path = self._path(digest)
        if path.exists():
            return digest
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{digest}.{secrets.token_hex(4)}.part")
        try:
            with fresh.open("wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
        return digest

    def get(self, digest: str) -> bytes:
        """Return what is kept under ``digest``.

        Raises:
            NotFound: nothing is, or it is no address.
        """
        if not _DIGEST.fullmatch(digest):
            raise NotFound("没有这个文件")
        try:
            return self._path(digest).read_bytes()
        except FileNotFoundError:
            raise NotFound("没有这个文件") from None

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest


def artifact_store(var_dir: Path) -> FileStore:
    """Return the store of this installation."""
    return FileStore(var_dir / "artifacts")
