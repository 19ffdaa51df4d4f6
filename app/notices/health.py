"""Whether an account may send now: its pace, its day's quota and its circuit breaker, for all processes.

All of it stands in rows that are locked for the length of one short transaction; nobody calls a
platform while such a lock is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import ColumnElement, select, update

from app.core import audit, db
from app.core.clock import day_of
from app.core.errors import Invalid, NotFound
from app.core.quiet import next_time_of_day
from app.notices.domain import CODE_MAX, Right
from app.notices.models import Quota, Sender

PER_SECOND = 50
DAILY_LIMITS = {Right.TEMPLATE: 100_000, Right.SUBSCRIBE: 100_000, Right.SERVICE: 500_000}
"""What the platforms allow unless an account was granted more; staff set what it was."""

PER_SECOND_MAX = 10_000
DAILY_MAX = 100_000_000

WINDOW = timedelta(minutes=1)
CALLS_MIN = 10
FAILURE_RATE = 0.5
OPEN_FOR = timedelta(seconds=30)
OPEN_FOR_MAX = timedelta(minutes=16)
TRIAL_FOR = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Admission:
    """Leave to make one call, or when to ask again.

    Attributes:
        retry_at: None when the call may be made.
        trial: the call decides whether an open breaker closes.
        reason: why not: ``breaker_open``, ``pace``, ``quota``.
    """

    retry_at: datetime | None = None
    trial: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SenderView:
    """How one account's sending fares today.

    Attributes:
        used: messages of today by right. ``stopped``: rights for which the platform said enough today.
    """

    account_id: int
    per_second: int
    daily_limits: Mapping[Right, int]
    used: Mapping[Right, int]
    stopped: frozenset[Right]
    open_until: datetime | None
    on_trial: bool
    ok_count: int
    failure_count: int
    last_code: str


def admit(account_id: int, right: Right, now: datetime) -> Admission:
    """Take leave for one call; counts it towards pace and quota when granted."""
    row = _locked(account_id, now)
    trial = False
    if row.open_until is not None:
        if now < row.open_until:
            return Admission(row.open_until, reason="breaker_open")
        if row.trial_until is not None and now < row.trial_until:
            return Admission(row.trial_until, reason="breaker_open")
        trial = True
    second = int(now.timestamp())
    count = row.pace_count if row.pace_second == second else 0
    if count >= row.per_second:
        return Admission(datetime.fromtimestamp(second + 1, UTC), reason="pace")
    if not _take_of_day(account_id, right, _limit(row, right), now):
        return Admission(tomorrow(now), reason="quota")
    row.pace_second, row.pace_count = second, count + 1
    if trial:
        row.trial_until = now + TRIAL_FOR
    db.writing().flush()
    return Admission(trial=trial)


def report(account_id: int, *, ok: bool, trial: bool, code: str, now: datetime) -> None:
    """Note how a call ended; opens or closes the breaker.

    ``ok`` is false when the platform was away, overloaded or did not let the account in; a message
    that it refused for its own sake tells nothing of its health.
    """
    row = _locked(account_id, now)
    if not ok:
        row.last_code = code[:CODE_MAX]
    if row.open_until is not None:
        if trial and ok:
            _close(row, now)
        elif trial:
            _open(row, now)
        return
    if now - row.window_from > WINDOW:
        row.window_from, row.ok_count, row.failure_count = now, 0, 0
    if ok:
        row.ok_count += 1
    else:
        row.failure_count += 1
    calls = row.ok_count + row.failure_count
    if not ok and calls >= CALLS_MIN and row.failure_count / calls >= FAILURE_RATE:
        _open(row, now)


def give_back(account_id: int, right: Right, now: datetime) -> None:
    """Take a message off the day's count that certainly did not reach the platform."""
    db.writing().execute(
        update(Quota).where(*_of_day(account_id, right, now), Quota.used > 0).values(used=Quota.used - 1)
    )


def stop_for_today(account_id: int, right: Right, now: datetime) -> None:
    """Note that the platform said that the day's quota is used up."""
    _ensure_day(account_id, right, now)
    db.writing().execute(update(Quota).where(*_of_day(account_id, right, now)).values(stopped=True))


def reset_sender(account_id: int, *, by: str, now: datetime) -> None:
    """Close the breaker and allow what the platform had stopped today, by hand."""
    _close(_locked(account_id, now), now)
    db.writing().execute(
        update(Quota).where(Quota.account_id == account_id, Quota.day == day_of(now)).values(stopped=False)
    )
    audit.record(by, "notice_sender.reset", "channel_account", account_id)


def set_limits(
    account_id: int, *, per_second: int, daily_limits: Mapping[Right, int], by: str, now: datetime
) -> None:
    """Set what the platform allows this account.

    Raises:
        Invalid: a number is out of bounds.
    """
    if not 1 <= per_second <= PER_SECOND_MAX:
        raise Invalid(fields={"per_second": f"1 至 {PER_SECOND_MAX}"})
    if any(not 0 <= limit <= DAILY_MAX for limit in daily_limits.values()):
        raise Invalid(fields={"daily_limits": f"0 至 {DAILY_MAX}"})
    row = _locked(account_id, now)
    row.per_second = per_second
    row.daily_limits = {right.value: limit for right, limit in daily_limits.items()}
    detail = {"per_second": per_second, **row.daily_limits}
    audit.record(by, "notice_sender.set_limits", "channel_account", account_id, detail)


def sender(account_id: int, now: datetime) -> SenderView:
    """Return how an account's sending fares; one that never sent has the defaults."""
    row = db.session().get(Sender, account_id)
    days = list(
        db.session().scalars(select(Quota).where(Quota.account_id == account_id, Quota.day == day_of(now)))
    )
    return SenderView(
        account_id=account_id,
        per_second=row.per_second if row else PER_SECOND,
        daily_limits={right: _limit(row, right) for right in Right},
        used={Right(one.right): one.used for one in days},
        stopped=frozenset(Right(one.right) for one in days if one.stopped),
        open_until=row.open_until if row else None,
        on_trial=row is not None and row.open_until is not None and row.open_until <= now,
        ok_count=row.ok_count if row else 0,
        failure_count=row.failure_count if row else 0,
        last_code=row.last_code if row else "",
    )


def open_breakers() -> dict[int, datetime]:
    """Return accounts whose breaker is not closed, and until when it is open at least."""
    query = select(Sender.account_id, Sender.open_until).where(Sender.open_until.is_not(None))
    return {account_id: until for account_id, until in db.session().execute(query) if until is not None}


def tomorrow(now: datetime) -> datetime:
    """Return the next midnight in Guangdong, when the platforms count anew."""
    return next_time_of_day(now, time(0, 0))


def _locked(account_id: int, now: datetime) -> Sender:
    query = (
        select(Sender)
        .where(Sender.account_id == account_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    row = db.writing().scalar(query)
    if row is None:
        fresh = {
            "account_id": account_id,
            "per_second": PER_SECOND,
            "daily_limits": {},
            "pace_second": 0,
            "pace_count": 0,
            "window_from": now,
            "ok_count": 0,
            "failure_count": 0,
            "opened_in_a_row": 0,
            "last_code": "",
        }
        db.writing().execute(db.insert_ignoring(Sender), fresh)
        row = db.writing().scalar(query)
        if row is None:
            raise NotFound("没有这个渠道账号")
    return row


def _limit(row: Sender | None, right: Right) -> int:
    known = row.daily_limits.get(right.value) if row else None
    return int(known) if known is not None else DAILY_LIMITS[right]


def _open(row: Sender, now: datetime) -> None:
    wait = min(OPEN_FOR * 2**row.opened_in_a_row, OPEN_FOR_MAX)
    row.open_until, row.trial_until = now + wait, None
    row.opened_in_a_row = min(row.opened_in_a_row + 1, 10)


def _close(row: Sender, now: datetime) -> None:
    row.open_until = row.trial_until = None
    row.opened_in_a_row = row.ok_count = row.failure_count = 0
    row.window_from = now


def _take_of_day(account_id: int, right: Right, limit: int, now: datetime) -> bool:
    _ensure_day(account_id, right, now)
    taken = db.writing().execute(
        update(Quota)
        .where(*_of_day(account_id, right, now), Quota.used < limit, Quota.stopped.is_(False))
        .values(used=Quota.used + 1)
    )
    return bool(taken.rowcount == 1)  # type: ignore[attr-defined]


def _ensure_day(account_id: int, right: Right, now: datetime) -> None:
    key = {"account_id": account_id, "day": day_of(now), "right": right.value}
    if db.writing().scalar(select(Quota.used).where(*_of_day(account_id, right, now))) is None:
        db.writing().execute(db.insert_ignoring(Quota), {**key, "used": 0, "stopped": False})


def _of_day(account_id: int, right: Right, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Quota.account_id == account_id, Quota.day == day_of(now), Quota.right == right.value
