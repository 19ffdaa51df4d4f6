"""Keep the consents residents give in the web view (网页授权) until they are exchanged, once."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field

from sandbox.world import Clock

USER_TOKEN_SECONDS = 7200
RENEWAL_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Grant:
    """A consent given in the browser, to be exchanged once; ``app_id`` names who may exchange it."""

    app_id: str
    user: str
    scope: str
    given_at: float


@dataclass(slots=True)
class GrantBook:
    """OAuth codes and the user tokens they became."""

    clock: Clock
    _codes: dict[str, Grant] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)
    _tokens: dict[str, Grant] = field(default_factory=dict)
    _renewals: dict[str, Grant] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def give(self, app_id: str, user: str, scope: str) -> str:
        """Return a new code."""
        code = secrets.token_hex(16)
        with self._lock:
            self._codes[code] = Grant(app_id, user, scope, self.clock())
        return code

    def was_used(self, code: str) -> bool:
        with self._lock:
            return code in self._used

    def take(self, app_id: str, code: str) -> Grant | None:
        """Use the code up; None when unknown, used, or given to another account."""
        with self._lock:
            grant = self._codes.get(code)
            if grant is None or grant.app_id != app_id:
                return None
            del self._codes[code]
            self._used.add(code)
            return grant

    def issue(self, grant: Grant) -> str:
        """Return a user token for a grant taken before."""
        value = secrets.token_urlsafe(64)
        with self._lock:
            self._tokens[value] = Grant(grant.app_id, grant.user, grant.scope, self.clock())
        return value

    def renewable(self, grant: Grant) -> str:
        """Return a word that buys new user tokens for 30 days."""
        value = secrets.token_urlsafe(64)
        with self._lock:
            self._renewals[value] = Grant(grant.app_id, grant.user, grant.scope, self.clock())
        return value

    def renew(self, app_id: str, renewal: str) -> Grant | None:
        """Return whose user token may be renewed; None when unknown, another account's, or too old."""
        with self._lock:
            grant = self._renewals.get(renewal)
            if grant is None or grant.app_id != app_id:
                return None
            return grant if self.clock() - grant.given_at <= RENEWAL_SECONDS else None

    def holder(self, token: str) -> Grant | None:
        """Return whose user token this is; None when unknown or older than its life."""
        with self._lock:
            grant = self._tokens.get(token)
            if grant is None or self.clock() - grant.given_at > USER_TOKEN_SECONDS:
                return None
            return grant

    def drop(self, app_id: str) -> None:
        """Make all user tokens of an account invalid."""
        with self._lock:
            for tokens in (self._tokens, self._renewals):
                for word in [word for word, grant in tokens.items() if grant.app_id == app_id]:
                    del tokens[word]
