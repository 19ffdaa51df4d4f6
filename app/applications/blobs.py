"""Where sealed files lie: behind an interface, by default a folder outside everything that is served.

What is kept is encrypted before it comes here; an address says nothing about what lies there.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol

from app.core.errors import NotFound

_ADDRESS = re.compile(r"[0-9a-f]{64}")


class BlobStore(Protocol):
    """Keeps bytes under addresses that it makes up."""

    def put(self, content: bytes) -> str:
        """Keep ``content``; return its new address, at most 64 characters."""
        ...

    def get(self, address: str) -> bytes:
        """Return what lies there.

        Raises:
            NotFound: nothing does, or it is no address.
        """
        ...

    def discard(self, address: str) -> None:
        """Delete what lies there; nothing happens when it is gone."""
        ...

    def older_than(self, instant: datetime) -> Iterator[str]:
        """Yield the addresses of what was put before ``instant``; clear up what was left half-written."""
        ...


class FolderStore:
    """A local folder ``ab/abcdef…``; several web servers must share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes) -> str:
        address = secrets.token_hex(32)
        path = self._path(address)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return address

    def get(self, address: str) -> bytes:
        if not _ADDRESS.fullmatch(address):
            raise NotFound("没有这个文件")
        try:
            return self._path(address).read_bytes()
        except FileNotFoundError:
            raise NotFound("没有这个文件") from None

    def discard(self, address: str) -> None:
        if _ADDRESS.fullmatch(address):
            self._path(address).unlink(missing_ok=True)

    def older_than(self, instant: datetime) -> Iterator[str]:
        folders = sorted(self._folder.iterdir()) if self._folder.is_dir() else []
        # Whatever else somebody left here is none of ours, and no reason to clear up nothing.
        ours = (folder for folder in folders if folder.is_dir())
        for path in (path for folder in ours for path in sorted(folder.iterdir())):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime >= instant.timestamp():
                    continue
                if _ADDRESS.fullmatch(path.name):
                    yield path.name
                else:
                    path.unlink()

    def _path(self, address: str) -> Path:
        return self._folder / address[:2] / address
