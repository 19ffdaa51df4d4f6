"""The roll-up: hours and days from stored rows, a little at a time, in the order of time.

Hours are sealed, reckoned and written; days are the sums of their hours; bodies, cities and the
province those of their pages. What changes in a sealed hour afterwards is corrected where it shows.
Every step may be repeated, and none is long, so the work can stop anywhere and go on later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select

from app.core import clock, db
from app.monitoring import marks, reckoning, rollup_rows
from app.monitoring.history_models import GroupRollup, Rollup, RollupTouch, Scope
from app.monitoring.history_models import Span as Length
from app.monitoring.marks import HOUR, Mark, Reason
from app.monitoring.models import Watch
from app.monitoring.reckoning import CHUNK, Check, Paces
from mobile_pages.probe.base import Condition
from mobile_pages.probe.uptime import day_window

SETTLES_AFTER = timedelta(minutes=5)
"""An hour is rolled up so long after its end: confirmation and a prober's buffer take their time."""

KEEP_HOURS = timedelta(days=90)
_DAY = timedelta(days=1)

Enough = Callable[[], bool]
"""Tells whether it is time to stop for now."""


def never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Done:
    """How much a run did; ``finished`` is False when it stopped with work left."""

    hours: int = 0
    days: int = 0
    corrected: int = 0
    finished: bool = True


def roll_up(now: datetime, pace: Paces, enough: Enough = never) -> Done:
    """Roll up every hour and day that has ended, then what changed in sealed ones.

    Opens its own transactions, each bounded.
    """
    end = marks.hour_of(now - SETTLES_AFTER)
    start = _beginning()
    if start is None or start >= end:
        return Done()
    db.transaction(lambda: marks.put(Mark.SEALED, end))
    city_of = reckoning.cities()
    hours = days = 0
    at = marks.marks().get(Mark.HOURS, start)
    while at < end and not enough():
        _roll_hour(at, now, pace, city_of)
        at += HOUR
        db.transaction(lambda at=at: marks.put(Mark.HOURS, at))  # type: ignore[misc]
        hours += 1
        days += _roll_days(at, now, pace, city_of)
    corrected = correct(now, pace, city_of, enough)
    return Done(hours, days, corrected, at >= end and not enough())


def _beginning() -> datetime | None:
    first = db.session().scalar(select(func.min(Watch.begun_at)))
    return None if first is None else marks.hour_of(first)


def _roll_hour(start: datetime, now: datetime, pace: Paces, city_of: Mapping[str, str]) -> None:
    awake = or_(Watch.watched.is_(True), Watch.condition != Condition.PAUSED, Watch.since > start)
    looks_kept = _looks_kept(start)
    for portion in reckoning.portions(reckoning.checks(pace, Watch.begun_at < start + HOUR, awake)):
        held = rollup_rows.check_rows(Length.HOUR, start, [check.id for check in portion])
        wanted = reckoning.hour_rows(portion, start, now, held, looks_kept=looks_kept)
        db.transaction(
            lambda wanted=wanted, held=held: rollup_rows.put_checks(  # type: ignore[misc]
                Length.HOUR, start, wanted, held, None, now
            )
        )
    roll_groups(Length.HOUR, start, None, None, now, city_of)


def _looks_kept(start: datetime) -> bool:
    forgotten = marks.marks().get(Mark.SAMPLES)
    return forgotten is None or start >= forgotten


def _roll_days(until: datetime, now: datetime, pace: Paces, city_of: Mapping[str, str]) -> int:
    first = _beginning()
    assert first is not None
    start = marks.marks().get(Mark.DAYS, day_window(clock.day_of(first)).start)
    done = 0
    while start + _DAY <= until:
        for portion in reckoning.portions(reckoning.checks(pace, Watch.begun_at < start + _DAY)):
            _roll_day_of([check.id for check in portion], start, None, now)
        roll_groups(Length.DAY, start, None, None, now, city_of)
        start += _DAY
        db.transaction(lambda start=start: marks.put(Mark.DAYS, start))  # type: ignore[misc]
        done += 1
    return done


def _roll_day_of(check_ids: Sequence[int], start: datetime, reason: Reason | None, now: datetime) -> set[int]:
    held = rollup_rows.check_rows(Length.DAY, start, check_ids)
    wanted = reckoning.day_rows(check_ids, start)
    return db.transaction(
        lambda: rollup_rows.put_checks(Length.DAY, start, wanted, held, reason, now),
    )


def roll_groups(
    length: Length,
    start: datetime,
    body_ids: Collection[int] | None,
    reason: Reason | None,
    now: datetime,
    city_of: Mapping[str, str],
) -> None:
    """Add up bodies (all, or only those given), then cities and the province from all bodies."""
    refs = None if body_ids is None else [str(body_id) for body_id in body_ids]
    own = reckoning.body_rows(length, start, body_ids)
    held = rollup_rows.group_rows(length, Scope.BODY, start)
    others = {} if refs is None else {ref: row for ref, row in held.items() if ref not in refs}
    bodies = others | own
    by_scope = (
        (Scope.BODY, bodies, held),
        (
            Scope.CITY,
            reckoning.pooled(bodies, city_of.get),
            rollup_rows.group_rows(length, Scope.CITY, start),
        ),
        (
            Scope.PROVINCE,
            reckoning.pooled(bodies, lambda _ref: ""),
            rollup_rows.group_rows(length, Scope.PROVINCE, start),
        ),
    )

    def put() -> None:
        for scope, wanted, stored in by_scope:
            rollup_rows.put_groups(length, scope, start, wanted, stored, reason, now)

    db.transaction(put)


def correct(now: datetime, pace: Paces, city_of: Mapping[str, str], enough: Enough = never) -> int:
    """Look again at the rolled-up hours in which something changed; return how many rows did."""
    rolled = marks.marks().get(Mark.HOURS)
    corrected = 0
    while rolled is not None and not enough():
        hour = db.session().scalar(select(func.min(RollupTouch.hour_at)).where(RollupTouch.hour_at < rolled))
        if hour is None:
            break
        corrected += _correct_hour(hour, now, pace, city_of)
    return corrected


def _correct_hour(start: datetime, now: datetime, pace: Paces, city_of: Mapping[str, str]) -> int:
    by_reason: dict[Reason, set[int]] = {}
    while changed := db.transaction(lambda: _correct_some(start, now, pace)):
        for reason, check_ids in changed.items():
            by_reason.setdefault(reason, set()).update(check_ids)
    for reason, check_ids in by_reason.items():
        spread(start, check_ids, reason, now, city_of)
    return sum(len(check_ids) for check_ids in by_reason.values())


def _correct_some(start: datetime, now: datetime, pace: Paces) -> dict[Reason, set[int]]:
    """Correct a portion of the touched checks; return those that changed, None when none was left."""
    # Locked before anything else is read: whoever touches one of them now waits and is seen next time.
    touches = select(RollupTouch.check_id, RollupTouch.reason).where(RollupTouch.hour_at == start)
    rows = db.writing().execute(touches.order_by(RollupTouch.check_id).limit(CHUNK).with_for_update())
    reasons = {check_id: Reason(reason) for check_id, reason in rows}
    if not reasons:
        return {}
    several = reckoning.checks(pace, Watch.check_id.in_(reasons))
    found: dict[Reason, set[int]] = {}
    for reason in set(reasons.values()):
        mine = [check for check in several if reasons[check.id] is reason]
        found[reason] = rewrite_hour(mine, start, reason, now)
    gone = delete(RollupTouch).where(RollupTouch.hour_at == start, RollupTouch.check_id.in_(reasons))
    db.writing().execute(gone.execution_options(synchronize_session=False))
    return found


def rewrite_hour(several: Sequence[Check], start: datetime, reason: Reason, now: datetime) -> set[int]:
    """Write the hour of the checks as it must be, in the running transaction; return which changed."""
    held = rollup_rows.check_rows(Length.HOUR, start, [check.id for check in several])
    wanted = reckoning.hour_rows(several, start, now, held, looks_kept=_looks_kept(start))
    return rollup_rows.put_checks(Length.HOUR, start, wanted, held, reason, now)


def spread(
    start: datetime, check_ids: Collection[int], reason: Reason, now: datetime, city_of: Mapping[str, str]
) -> None:
    """Carry changes of an hour of checks to their groups and, when it is rolled up, to their day."""
    if not check_ids:
        return
    roll_groups(Length.HOUR, start, _bodies(Length.HOUR, start, check_ids), reason, now, city_of)
    day = day_window(clock.day_of(start)).start
    if day >= marks.marks().get(Mark.DAYS, day):
        return
    ordered = sorted(check_ids)
    for at in range(0, len(ordered), CHUNK):
        _roll_day_of(ordered[at : at + CHUNK], day, reason, now)
    roll_groups(Length.DAY, day, _bodies(Length.DAY, day, check_ids), reason, now, city_of)


def _bodies(length: Length, start: datetime, check_ids: Collection[int]) -> set[int] | None:
    """Return the bodies of the checks, as their rows say and as they are now; None when they are many."""
    if len(check_ids) > CHUNK:
        return None
    stored = select(Rollup.body_id).where(
        Rollup.span == length, Rollup.start_at == start, Rollup.check_id.in_(check_ids)
    )
    current = select(Watch.body_id).where(Watch.check_id.in_(check_ids))
    return set(db.session().scalars(stored)) | set(db.session().scalars(current))


def forget_hours(before: datetime) -> bool:
    """Delete the oldest hour's roll-ups if they began before ``before``; return whether there are more."""
    oldest = db.writing().scalar(select(func.min(Rollup.start_at)).where(Rollup.span == Length.HOUR))
    if oldest is None or oldest >= before:
        return False
    groups = (GroupRollup.span == Length.HOUR, GroupRollup.scope.in_(list(Scope)))
    for gone in (
        delete(Rollup).where(Rollup.span == Length.HOUR, Rollup.start_at <= oldest),
        delete(GroupRollup).where(*groups, GroupRollup.start_at <= oldest),
    ):
        db.writing().execute(gone.execution_options(synchronize_session=False))
    return True
