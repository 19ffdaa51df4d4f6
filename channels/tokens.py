"""A token store for one process; deployments with several keep tokens in the database instead."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

from channels.base import Token


class MemoryTokenStore:
    """Keeps tokens in memory, one lock per key."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def get(self, key: str) -> Token | None:
        return self._tokens.get(key)

    def compare_and_refresh(self, key: str, seen_version: int, fetch: Callable[[], Token]) -> Token:
        with self._guard:
            lock = self._locks[key]
        with lock:
            stored = self._tokens.get(key)
            if stored is not None and stored.version != seen_version:
                return stored
            fresh = replace(fetch(), version=(stored.version if stored else 0) + 1)
            self._tokens[key] = fresh
            return fresh
