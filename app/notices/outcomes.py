"""What an answer of a platform means for a message. Pure."""

from __future__ import annotations

from enum import StrEnum

from app.notices.domain import REPEATABLE, Right
from channels.base import Outcome, SendResult

# The connection broke, or the answer could not be read or believed: it may have gone out all the same.
_UNCERTAIN = frozenset({"timeout", "connection_lost", "garbage", "too_large", "bad_signature", "unverified"})
_DAY_IS_OVER = frozenset({"45009"})
_TOO_MANY_TO_ONE = frozenset({"45047"})
NOT_WRITABLE = "45015"


class Verdict(StrEnum):
    """What to do with a delivery now."""

    ACCEPTED = "accepted"
    RETRY = "retry"
    """The same way again, after a while."""
    TOMORROW = "tomorrow"
    """The day's quota is used up: another way, or this one tomorrow."""
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown_result"
    """Nobody can tell whether it went out."""


def verdict_on(result: SendResult) -> Verdict:
    """Return what a platform's answer means for the message."""
    if result.outcome is Outcome.ACCEPTED:
        return Verdict.ACCEPTED
    if result.code in _UNCERTAIN or result.code.startswith("http_5"):
        return Verdict.UNKNOWN
    if result.outcome is Outcome.RETRYABLE:
        return Verdict.RETRY
    if result.outcome is Outcome.QUOTA:
        if result.code in _DAY_IS_OVER:
            return Verdict.TOMORROW
        return Verdict.FAILED if result.code in _TOO_MANY_TO_ONE else Verdict.RETRY
    if result.outcome in (Outcome.NEEDS_CONSENT, Outcome.NOT_FOLLOWING):
        return Verdict.REFUSED
    return Verdict.FAILED


def is_healthy(result: SendResult) -> bool:
    """Tell whether the platform answered as one that works and lets the account in."""
    return result.outcome not in (Outcome.RETRYABLE, Outcome.AUTH)


def may_repeat(way: str) -> bool:
    """Tell whether the platform shows a repeat of a message on this way once."""
    return way in REPEATABLE


def uses_consent(right: Right) -> bool:
    return right is Right.SUBSCRIBE
