"""When a recurring window falls: RFC 5545 rules read by python-dateutil, in Guangdong's time.

Only what a person needs to say of maintenance is allowed: daily, weekly or monthly, every so many,
on which days. When it ends is told beside the rule, so that one moment ends it and not two.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from dateutil.rrule import rrule, rruleset, rrulestr

from mobile_pages.probe.uptime import PROVINCE_TIME, Window

ONCE = ""
LENGTH_MAX = 200
INTERVAL_MAX = 60
LOOK_AHEAD = timedelta(days=5 * 366)
_PARTS = frozenset({"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYSETPOS"})
_FREQUENCIES = frozenset({"DAILY", "WEEKLY", "MONTHLY"})


class BadRule(ValueError):
    """The rule cannot be used; says why, in Chinese."""


def checked(text: str, starts_at: datetime) -> str:
    """Return the rule in its usual spelling; :data:`ONCE` for none.

    Raises:
        BadRule: not such a rule, or ``starts_at`` (aware) does not fall on it.
    """
    text = text.strip().upper().removeprefix("RRULE:")
    if not text:
        return ONCE
    if len(text) > LENGTH_MAX:
        raise BadRule("重复规律太长")
    _check_parts(text)
    try:
        first = next(iter(_rule(text, starts_at)), None)
    except (ValueError, TypeError, OverflowError):
        raise BadRule("看不懂这个重复规律") from None
    if first != starts_at.astimezone(PROVINCE_TIME):
        raise BadRule("首次开始的时间不在重复规律里")
    return text


def _check_parts(text: str) -> None:
    pairs = [part.partition("=") for part in text.split(";")]
    names = [name for name, _, _ in pairs]
    if len(set(names)) != len(names) or not set(names) <= _PARTS:
        raise BadRule("重复规律只能写频率、间隔和星期几或每月几日")
    values = {name: value for name, _, value in pairs}
    if values.get("FREQ") not in _FREQUENCIES:
        raise BadRule("只能每天、每周或每月重复")
    every = values.get("INTERVAL", "1")
    if not (every.isascii() and every.isdigit() and 1 <= int(every) <= INTERVAL_MAX):
        raise BadRule(f"间隔应在 1 到 {INTERVAL_MAX} 之间")


def occurrences(
    starts_at: datetime, length: timedelta, rule: str, until_at: datetime | None, asked: Window
) -> Iterator[Window]:
    """Yield the windows that overlap ``asked``, in order, UTC, whole (not clipped to it).

    Args:
        rule: as :func:`checked` returned it.
        until_at: nothing begins after it; None goes on for ever.
    """
    for start in _starts(starts_at, rule, asked.start - length, asked.end):
        if until_at is not None and start > until_at:
            return
        found = Window(start.astimezone(UTC), start.astimezone(UTC) + length)
        if found.end > asked.start and found.start < asked.end:
            yield found


def following(starts_at: datetime, rule: str, after: datetime) -> datetime | None:
    """Return when the next window after ``after`` begins, UTC; None when there is none in years."""
    if rule == ONCE:
        return starts_at if starts_at > after else None
    for start in _starts(starts_at, rule, after, after + LOOK_AHEAD):
        if start > after:
            return start.astimezone(UTC)
    return None


def _starts(starts_at: datetime, rule: str, after: datetime, before: datetime) -> Iterator[datetime]:
    if rule == ONCE:
        yield starts_at
        return
    for start in _rule(rule, starts_at).xafter(after.astimezone(PROVINCE_TIME), inc=True):
        if start >= before:
            return
        yield start


def _rule(text: str, starts_at: datetime) -> rrule:
    # Days and hours are Guangdong's: a rule for Sundays means Sundays there.
    found = rrulestr(text, dtstart=starts_at.astimezone(PROVINCE_TIME))
    assert not isinstance(found, rruleset)
    return found
