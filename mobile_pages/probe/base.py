"""The words every part of the watching shares: targets, results, verdicts, conditions, spans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from mobile_pages.probe.facts import Seen


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
    HTTP_STATUS = "http_status"
    WRONG_CONTENT = "wrong_content"
    REDIRECT_LOOP = "redirect_loop"
    BAD_REDIRECT = "bad_redirect"
    BAD_ANSWER = "bad_answer"
    CONNECTION_LOST = "connection_lost"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    SLOW = "slow"
    BLANK_PAGE = "blank_page"
    SCRIPT_ERROR = "script_error"
    RESOURCE_FAILED = "resource_failed"
    MAINTENANCE_PAGE = "maintenance_page"
    MISSED = "missed"
    PROBER_OFFLINE = "prober_offline"
    PROBER_FAULT = "prober_fault"


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """A page to look at, and how it should look.

    Attributes:
        id: stable; its checksum decides when in the interval the page is looked at.
        expected_status: final status codes that count as open.
        must_contain: texts that must all stand in the page; ``must_not_contain``: none of these may.
        expected_title: text that the title must contain, white space folded; ``""``: not looked at.
        timeout_seconds: for the whole look, redirects included. Source: the inspection's 15 seconds.
        slow_ms: from this total on an open page counts as degraded.
        soon: when it is new on the list, look at once and then as ever.
    """

    id: str
    url: str
    interval_seconds: int = 60
    expected_status: frozenset[int] = frozenset({200})
    must_contain: tuple[str, ...] = ()
    must_not_contain: tuple[str, ...] = ()
    expected_title: str = ""
    timeout_seconds: float = 15.0
    slow_ms: int = 5000
    soon: bool = False

    def __post_init__(self) -> None:
        if self.interval_seconds < 1 or self.timeout_seconds <= 0:
            raise ValueError("interval and time-out must be positive")


@dataclass(frozen=True, slots=True)
class Phases:
    """Where the time went, milliseconds, summed over redirects; our own waiting is in none of them.

    Attributes:
        dns_ms: asking for the name and judging the answers.
        first_byte_ms: from the request sent to the first byte of the answer.
        transfer_ms: from there to the last.
    """

    dns_ms: float = 0.0
    connect_ms: float = 0.0
    tls_ms: float = 0.0
    first_byte_ms: float = 0.0
    transfer_ms: float = 0.0

    @classmethod
    def of_curl(cls, time_info: Mapping[str, float]) -> Phases:
        """Take libcurl's running times (seconds since its start, 0 = not reached) apart.

        A phase cut short keeps the time it took until then, so the parts add up to the whole.
        """
        total = time_info.get("total", 0.0)
        marks = [time_info.get(name, 0.0) for name in ("connect", "appconnect", "starttransfer")]
        connect, tls, first_byte = marks
        if not connect:
            return cls(connect_ms=total * 1000)
        if not first_byte and not tls and not time_info.get("pretransfer", 0.0):
            return cls(connect_ms=connect * 1000, tls_ms=(total - connect) * 1000)
        ready = max(tls, connect)
        answered = first_byte or total
        return cls(
            connect_ms=connect * 1000,
            tls_ms=(ready - connect) * 1000,
            first_byte_ms=max(0.0, answered - ready) * 1000,
            transfer_ms=max(0.0, total - answered) * 1000,
        )

    @property
    def total_ms(self) -> float:
        return self.dns_ms + self.connect_ms + self.tls_ms + self.first_byte_ms + self.transfer_ms

    def __add__(self, other: Phases) -> Phases:
        return Phases(
            self.dns_ms + other.dns_ms,
            self.connect_ms + other.connect_ms,
            self.tls_ms + other.tls_ms,
            self.first_byte_ms + other.first_byte_ms,
            self.transfer_ms + other.transfer_ms,
        )


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one look found.

    Attributes:
        started_at: UTC, when the look itself began.
        cause: one of :class:`Cause` or the guard's ``guard_…`` code; ``""`` when all is well.
        status: of the last answer; None when none came.
        address: the IP address reached; ``""`` when none was. For staff only.
        cert_not_after: end of the certificate's life, UTC; None without one that could be checked.
        detail: one Chinese sentence; ``""`` when all is well.
        lag_ms: how much later than planned the look began; it stands in none of the phases.
        seen: what a good look taught besides; None for most, since it is learnt now and then only.
    """

    target_id: str
    started_at: datetime
    verdict: Verdict
    cause: str = ""
    detail: str = ""
    status: int | None = None
    phases: Phases = field(default_factory=Phases)
    address: str = ""
    cert_not_after: datetime | None = None
    body_bytes: int = 0
    final_url: str = ""
    redirects: int = 0
    lag_ms: float = 0.0
    seen: Seen | None = None

    @property
    def cert_days_left(self) -> int | None:
        """Whole days the certificate still had when looked at; negative once expired."""
        return None if self.cert_not_after is None else (self.cert_not_after - self.started_at).days


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
