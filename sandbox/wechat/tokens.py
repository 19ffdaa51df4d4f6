"""Issue and judge WeChat's access tokens and tickets.

Source: the public documents of Get_access_token (a new token leaves the one before it valid for five minutes)
and getStableAccessToken (repeated calls return the same token; renewed five minutes before its end).
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field

from sandbox.world import Clock

TOKEN_SECONDS = 7200
GRACE_SECONDS = 300
FORCE_GAP_SECONDS = 30
FORCE_PER_DAY = 20
ORDINARY_PER_DAY = 2000
DAY_SECONDS = 86_400
DAY_OFFSET_SECONDS = 8 * 3600  # the platform's quotas start anew at midnight in Beijing

VALID, EXPIRED, UNKNOWN = 0, 42001, 40001


@dataclass(frozen=True, slots=True)
class Token:
    """``ends_at`` may be earlier than ``issued_at`` + 7200 once a newer token has replaced this one."""

    value: str
    issued_at: float
    ends_at: float


@dataclass(slots=True)
class TokenBook:
    """The tokens of one account; the ordinary and the stable kind do not touch each other."""

    clock: Clock
    _ordinary: list[Token] = field(default_factory=list)
    _stable: list[Token] = field(default_factory=list)
    _forced_at: list[float] = field(default_factory=list)
    _ordinary_at: list[float] = field(default_factory=list)
    _ticket: Token | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def ordinary(self) -> Token | None:
        """Issue a new token; the one before lives five minutes longer. None = the day's quota is used up."""
        with self._lock:
            if self._used_today(self._ordinary_at) >= ORDINARY_PER_DAY:
                return None
            self._ordinary_at.append(self.clock())
            return self._issue(self._ordinary, GRACE_SECONDS)

    def stable(self) -> Token:
        """Return the token in force, a new one within five minutes of its end."""
        with self._lock:
            now = self.clock()
            if self._stable and self._stable[-1].ends_at - now > GRACE_SECONDS:
                return self._stable[-1]
            return self._issue(self._stable, GRACE_SECONDS)

    def stable_forced(self) -> Token | None:
        """Issue a new stable token and end the old one at once; None = too often (30 s apart, 20 a day)."""
        with self._lock:
            now = self.clock()
            soon = self._forced_at and now - self._forced_at[-1] < FORCE_GAP_SECONDS
            if soon or self._used_today(self._forced_at) >= FORCE_PER_DAY:
                return None
            self._forced_at.append(now)
            return self._issue(self._stable, 0)

    def judge(self, value: str) -> int:
        """Return 0 for a token in force, 42001 for one that ran out, 40001 for any other."""
        with self._lock:
            now = self.clock()
            for token in (*self._ordinary, *self._stable):
                if secrets.compare_digest(token.value.encode(), value.encode()):
                    if token.ends_at > now:
                        return VALID
                    # Replaced by a newer one: «not latest»; lived its whole life: «expired».
                    return EXPIRED if token.ends_at >= token.issued_at + TOKEN_SECONDS else UNKNOWN
            return UNKNOWN

    def drop(self) -> None:
        """Forget every token, as the platform does when the secret is reset or another server refetches."""
        with self._lock:
            self._ordinary.clear()
            self._stable.clear()

    def ticket(self) -> Token:
        """Return the jsapi ticket in force."""
        with self._lock:
            now = self.clock()
            if self._ticket is None or self._ticket.ends_at <= now:
                self._ticket = Token(secrets.token_urlsafe(48), now, now + TOKEN_SECONDS)
            return self._ticket

    def ticket_in_force(self) -> str | None:
        """Return the value pages are judged by; None while there is none."""
        with self._lock:
            running = self._ticket is not None and self._ticket.ends_at > self.clock()
            return self._ticket.value if running and self._ticket else None

    def drop_ticket(self) -> None:
        """Forget the ticket, as the platform does when another server fetched too many."""
        with self._lock:
            self._ticket = None

    def _issue(self, kept: list[Token], grace_seconds: float) -> Token:
        now = self.clock()
        if kept:
            last = kept[-1]
            kept[-1] = Token(last.value, last.issued_at, min(last.ends_at, now + grace_seconds))
        token = Token(secrets.token_urlsafe(96), now, now + TOKEN_SECONDS)
        kept.append(token)
        del kept[:-8]
        return token

    def _used_today(self, times: list[float]) -> int:
        today = (self.clock() + DAY_OFFSET_SECONDS) // DAY_SECONDS
        return sum((at + DAY_OFFSET_SECONDS) // DAY_SECONDS == today for at in times)
