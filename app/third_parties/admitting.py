"""Letting a signed request in: key, time, signature, quota, and each nonce once."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from app.core import clock, db, limits
from app.core.errors import Forbidden, NotSignedIn, TooMany
from app.third_parties import apps, keys, signing
from app.third_parties.domain import (
    KEEP_USAGE,
    SKEW,
    USAGE_DAYS_SHOWN,
    Quota,
    Stage,
    may_call,
    scopes_in_force,
)
from app.third_parties.models import App, AppKey, Nonce, Usage
from app.third_parties.shapes import Caller, Remaining, UsageDay
from app.third_parties.signing import Claim, SignedRequest

MINUTE_SECONDS, DAY_SECONDS = 60, 86_400
SEEN_EVERY = timedelta(minutes=1)


class KeyUnknown(NotSignedIn):
    code = "key_unknown"
    title = "没有这个密钥，或密钥已吊销、过期"
    title_en = "No such key, or it was revoked or has expired"


class NonceReused(NotSignedIn):
    code = "nonce_reused"
    title = "这个请求已经收到过（nonce 重复）"
    title_en = "The nonce was used before"


class AppClosed(Forbidden):
    code = "app_not_open"
    title = "应用没有开通，或已暂停、关闭"
    title_en = "The application is not open"


class QuotaUsedUp(TooMany):
    code = "quota_used_up"
    title = "调用次数已达限额"
    title_en = "The quota is used up"

    def __init__(self, remaining: Iterable[Remaining], *, retry_after_seconds: int) -> None:
        super().__init__(retry_after_seconds=retry_after_seconds)
        self.remaining = tuple(remaining)


class _DayUsedUp(Exception):
    pass


def admit(request: SignedRequest, *, now: datetime) -> Caller:
    """Return who signed ``request``; it counts against their quota, and its nonce is spent.

    Call it outside transactions.

    Raises:
        SignatureMissing, SignatureWrong, DigestWrong, ClockSkew, KeyUnknown, NonceReused: not signed so
            that it counts.
        AppClosed: the application may not call in this environment.
        QuotaUsedUp: too many calls in this minute or on this day.
    """
    claim = signing.read_claim(request)
    signing.check_time(claim, now)
    found = keys.find(claim.key_id)
    if found is None or not keys.works(found[0], now):
        raise KeyUnknown
    key, app = found
    signing.verify(request, claim, keys.secret_of(key))
    if not may_call(app.state, key.stage):
        raise AppClosed
    quota = apps.quota_of(app.id, key.stage)
    _leave_when_minute_is_full(app, key, quota, now)
    # Before the minute is counted: who sends a request of ours again must not use our minute up.
    day = _spend_day(app, key, claim, quota, now)
    minute = _spend_minute(app, key, quota, now)
    return Caller(
        id=app.id,
        name=app.name,
        body_id=app.body_id,
        stage=key.stage,
        key=key.id,
        scopes=scopes_in_force(key.stage, apps.scopes_of([app.id])[app.id]),
        remaining=(minute, day),
    )


def usage(app_id: int, stage: Stage, *, today: date) -> list[UsageDay]:
    """Return the calls of the last days, the oldest first; one entry a day, also where there were none."""
    first = today - timedelta(days=USAGE_DAYS_SHOWN - 1)
    query = select(Usage).where(Usage.app_id == app_id, Usage.stage == stage, Usage.on >= first)
    known = {row.on: UsageDay(row.on, row.count, row.refused) for row in db.session().scalars(query)}
    days = [first + timedelta(days=number) for number in range(USAGE_DAYS_SHOWN)]
    return [known.get(day, UsageDay(day, 0, 0)) for day in days]


def forget_old(*, now: datetime) -> None:
    """Delete nonces whose window has passed, and usage of long ago."""
    db.writing().execute(delete(Nonce).where(Nonce.expires_at < now))
    db.writing().execute(delete(Usage).where(Usage.on < clock.day_of(now - KEEP_USAGE)))


def _leave_when_minute_is_full(app: App, key: AppKey, quota: Quota, now: datetime) -> None:
    left, wait = limits.left(*_minute_of(app, key, quota))
    if not left:
        raise _full_minute(app, key, quota, wait, now)


def _spend_minute(app: App, key: AppKey, quota: Quota, now: datetime) -> Remaining:
    wanted = _minute_of(app, key, quota)
    try:
        limits.hit(*wanted)
    except TooMany as full:
        raise _full_minute(app, key, quota, full.retry_after_seconds, now) from None
    left, reset = limits.left(*wanted)
    return Remaining("minute", quota.per_minute, MINUTE_SECONDS, left, reset)


def _minute_of(app: App, key: AppKey, quota: Quota) -> tuple[str, ...]:
    return f"{quota.per_minute}/minute", "partner", str(app.id), key.stage.value


def _full_minute(app: App, key: AppKey, quota: Quota, wait: int, now: datetime) -> QuotaUsedUp:
    db.transaction(lambda: _count(app.id, key.stage, clock.day_of(now), refused=1))
    left = Remaining("minute", quota.per_minute, MINUTE_SECONDS, 0, wait)
    return QuotaUsedUp([left], retry_after_seconds=wait)


def _spend_day(app: App, key: AppKey, claim: Claim, quota: Quota, now: datetime) -> Remaining:
    """Spend the nonce and one call of the day in one transaction, so that neither goes without the other."""
    today, reset = clock.day_of(now), _seconds_to_midnight(now)

    def spend() -> int:
        _spend_nonce(key, claim)
        count = _count(app.id, key.stage, today, limit=quota.per_day)
        if key.last_used_at is None or key.last_used_at < now - SEEN_EVERY:
            seen = update(AppKey).where(AppKey.id == key.id).values(last_used_at=now)
            db.writing().execute(seen.execution_options(synchronize_session=False))
        return count

    try:
        count = db.transaction(spend)
    except IntegrityError:
        raise NonceReused from None
    except _DayUsedUp:
        db.transaction(lambda: _count(app.id, key.stage, today, refused=1))
        left = Remaining("day", quota.per_day, DAY_SECONDS, 0, reset)
        raise QuotaUsedUp([left], retry_after_seconds=reset) from None
    return Remaining("day", quota.per_day, DAY_SECONDS, quota.per_day - count, reset)


def _spend_nonce(key: AppKey, claim: Claim) -> None:
    signed_at = datetime.fromtimestamp(claim.created, tz=UTC)
    # As long as the signature could pass the check of its time, and a little longer.
    row = Nonce(key_id=key.id, digest=claim.nonce_digest, expires_at=signed_at + 2 * SKEW)
    db.writing().add(row)
    db.writing().flush()


def _count(app_id: int, stage: Stage, on: date, *, limit: int | None = None, refused: int = 0) -> int:
    """Count one call of the day, or one that was refused; return how many calls there were.

    Raises:
        _DayUsedUp: there were ``limit`` already.
    """
    mine = (Usage.app_id == app_id, Usage.stage == stage, Usage.on == on)
    begin = {"app_id": app_id, "stage": stage, "on": on, "count": 0, "refused": 0}
    values = {"refused": Usage.refused + refused} if refused else {"count": Usage.count + 1}
    room = (Usage.count < limit,) if limit is not None else ()
    for _ in range(2):
        done = db.writing().execute(
            update(Usage).where(*mine, *room).values(**values).execution_options(synchronize_session=False)
        )
        if done.rowcount == 1:  # type: ignore[attr-defined]
            return db.writing().scalar(select(Usage.count).where(*mine)) or 0
        if db.writing().scalar(select(Usage.count).where(*mine)) is not None:
            break
        db.writing().execute(db.insert_ignoring(Usage), begin)
    raise _DayUsedUp


def _seconds_to_midnight(now: datetime) -> int:
    local = now.astimezone(clock.HALL_TIME)
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return max(1, math.ceil((midnight - local).total_seconds()))
