"""Ready-made environments and accounts; every value can be overridden."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import requests

from channels.base import ChannelEnv, TokenStore
from channels.tokens import MemoryTokenStore

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
NONCE = "0123456789abcdef"


@contextmanager
def an_env(
    now: datetime = NOW,
    nonce: str = NONCE,
    tokens: TokenStore | None = None,
    timeout_seconds: float = 4.0,
    deadline_seconds: float = 8.0,
) -> Iterator[ChannelEnv]:
    """Yield an environment whose clock stands still; its HTTP session is closed afterwards."""
    with requests.Session() as http:
        http.trust_env = False
        yield ChannelEnv(
            clock=lambda: now,
            nonce=lambda: nonce,
            http=http,
            tokens=tokens or MemoryTokenStore(),
            timeout_seconds=timeout_seconds,
            deadline_seconds=deadline_seconds,
        )
