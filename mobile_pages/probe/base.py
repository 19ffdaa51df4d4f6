"""The words every part of the watching shares: verdicts, conditions, causes, spans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """What a single look says. ``unknown``: we could not look, which says nothing of the page."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


class Condition(StrEnum):
    """What a stretch of time counts as, after confirmation."""

    UNKNOWN = "unknown"
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    MAINTENANCE = "maintenance"
    PAUSED = "paused"


class Cause(StrEnum):
    """Why a look did not end well. The guard's refusals keep their own codes (``guard_…``)."""

    NONE = ""
    DNS_FAILURE = "dns_failure"
    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    UNREACHABLE = "unreachable"
    TLS_INVALID = "tls_invalid"
    TLS_EXPIRED = "tls_expired"
    TLS_EXPIRING = "tls_expiring"
    HTTP_STATUS = "http_status"
    WRONG_CONTENT = "wrong_content"
    REDIRECT_LOOP = "redirect_loop"
    BAD_REDIRECT = "bad_redirect"
    CONNECTION_LOST = "connection_lost"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    SLOW = "slow"
    MISSED = "missed"
    PROBER_OFFLINE = "prober_offline"
    PROBER_FAULT = "prober_fault"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time under one condition, ``start`` included, ``end`` not; aware datetimes.

    Attributes:
        end: None while it still lasts.
    """

    start: datetime
    end: datetime | None
    condition: Condition
    cause: str = ""

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or (self.end is not None and self.end.tzinfo is None):
            raise ValueError("a span needs aware datetimes")
        if self.end is not None and self.end < self.start:
            raise ValueError("a span cannot end before it starts")
