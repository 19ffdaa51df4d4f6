"""Files kept under the hash of what is in them: artifacts and screenshots of checks."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from datetime import datetime
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
        with suppress(FileNotFoundError):
            os.utime(path)  # it is wanted again: whoever clears up sees that it is fresh
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

    def folders(self) -> list[str]:
        """Return the names of the folders that hold files, sorted."""
        if not self._folder.is_dir():
            return []
        return sorted(one.name for one in self._folder.iterdir() if re.fullmatch(r"[0-9a-f]{2}", one.name))

    def older_than(self, instant: datetime, folder: str) -> list[str]:
        """Return the addresses in one folder of files last wanted before ``instant``.

        What was left half-written before it is cleared up.
        """
        found = []
        for path in sorted((self._folder / folder).iterdir()):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime >= instant.timestamp():
                    continue
                if _DIGEST.fullmatch(path.name):
                    found.append(path.name)
                else:
                    path.unlink()
        return found

    def discard(self, digest: str, *, unless_wanted_since: datetime) -> bool:
        """Delete a file that nobody refers to, unless somebody puts it again in this moment.

        The file is moved aside first: whoever puts it afterwards writes it anew, whoever put it before
        has made it fresh.

        Returns:
            True when it is gone.
        """
        path = self._path(digest)
        aside = path.with_name(f"{digest}.{secrets.token_hex(4)}.gone")
        try:
            path.rename(aside)
        except FileNotFoundError:
            return False
        if aside.stat().st_mtime >= unless_wanted_since.timestamp():
            aside.rename(path)
            return False
        aside.unlink()
        return True

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest


def artifact_store(var_dir: Path) -> FileStore:
    """Return the store of this installation."""
    return FileStore(var_dir / "artifacts")
