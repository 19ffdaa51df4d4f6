"""Ready-made environments and accounts; every value can be overridden."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import requests

from channels import registry
from channels.base import Channel, ChannelEnv, TokenStore
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


@contextmanager
def an_adapter(platform: Any, base_url: str = "http://127.0.0.1:9", **settings: str) -> Iterator[Channel]:
    """Yield the adapter of the account that ``platform`` plays the other end of."""
    with an_env() as env:
        yield registry.build(platform.config(base_url, **settings), env)
