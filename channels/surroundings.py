"""What an adapter is given from outside: its account, a clock, nonces, HTTP and a place for tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import requests


@dataclass(frozen=True, slots=True)
class Token:
    """An access token as stored. ``version`` rises with every refresh; 0 is not stored yet."""

    value: str = field(repr=False)
    expires_at: datetime
    version: int = 0


class TokenStore(Protocol):
    """Keeps access tokens where all processes see them."""

    def get(self, key: str) -> Token | None:
        """Return the stored token, expired or not."""
        ...

    def compare_and_refresh(self, key: str, seen_version: int, fetch: Callable[[], Token]) -> Token:
        """Fetch and store a new token unless somebody already did.

        Only one caller per key may be inside ``fetch``, in all processes. One whose ``seen_version`` is no
        longer the stored one gets the stored token. ``fetch`` is bounded in time and may raise
        :class:`ChannelError`, which passes through and leaves the store as it was.
        """
        ...


@dataclass(frozen=True, slots=True)
class ChannelEnv:
    """What adapters need from outside.

    Attributes:
        clock: current time, aware, UTC.
        nonce: a fresh unpredictable string of 16 letters and digits.
        timeout_seconds: connect and read timeout of one call.
        deadline_seconds: wall-clock end of one call, whatever trickles in.
    """

    clock: Callable[[], datetime]
    nonce: Callable[[], str]
    http: requests.Session
    tokens: TokenStore
    timeout_seconds: float = 4.0
    deadline_seconds: float = 8.0


@dataclass(frozen=True, slots=True)
class AccountConfig:
    """One account on one platform.

    Attributes:
        kind: name of the channel package.
        account: our own short name, part of the callback address.
        settings: what anybody may see; keys as in the package's fields.
        secrets: what only the vault and the adapter may see.
    """

    kind: str
    account: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def value(self, name: str, default: str = "") -> str:
        """Return a setting or secret; ``default`` when it is absent or empty."""
        return self.settings.get(name) or self.secrets.get(name) or default
