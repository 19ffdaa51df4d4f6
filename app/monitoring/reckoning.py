"""What the hours and days of checks and groups must say, from stored rows alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, case, cast, func, or_, select, text

from app.core import db
from app.monitoring import samples
from app.monitoring.domain import CheckKind, Terms
from app.monitoring.history_models import Rollup
from app.monitoring.history_models import Span as Length
from app.monitoring.marks import HOUR
from app.monitoring.models import PageCheck, ProbeSample, StateSpan, Watch
from app.organisations import service as organisations
from app.organisations.service import RegionLevel
from mobile_pages.probe.base import Condition, Span, Verdict
from mobile_pages.probe.bucket import NUMBERS, Bucket, Look, Pool, bucket_of
from mobile_pages.probe.histogram import LogHistogram
from mobile_pages.probe.state import HOLDS
from mobile_pages.probe.uptime import Window

CHUNK = 500
_OPEN = samples.verdict_numbers((Verdict.UP, Verdict.DEGRADED))
_LONGEST_TEXT = 4_000_000
_NO_PHASES = (0,) * 5


@dataclass(frozen=True, slots=True)
class Pace:
    """How a check is looked at.

    Attributes:
        fresh: how long after the last look its word still stands.
        slot_s: at most one look in so many seconds counts as a visit.
    """

    fresh: timedelta
    slot_s: int


@dataclass(frozen=True, slots=True)
class Check:
    """What of a watch decides its past."""

    id: int
    body_id: int
    begun_at: datetime
    sampled_at: datetime | None
    pace: Pace


@dataclass(frozen=True, slots=True)
class Row:
    """What a roll-up of a check says, and by which pace."""

    body_id: int
    slot_s: int
    fresh_s: int
    bucket: Bucket

    @property
    def pace(self) -> Pace:
        return Pace(timedelta(seconds=self.fresh_s), self.slot_s)


@dataclass(frozen=True, slots=True)
class GroupRow:
    """What a roll-up of a body, a city or the province says."""

    pages: int
    bucket: Bucket


class Unreadable(LogHistogram):
    """What stands where a histogram should: counts nothing, equals nothing, so a recount tells of it."""

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes) -> None:
        super().__init__()
        self._raw = raw

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = None

    def to_bytes(self) -> bytes:
        return self._raw


def histogram_of(raw: bytes) -> LogHistogram:
    """Return a stored histogram."""
    try:
        return LogHistogram.from_bytes(raw)
    except ValueError:
        return Unreadable(raw)


Paces = Callable[[int, int | None], Pace]
"""Gives the pace of a check by its body's id and its own interval in seconds, if it has one (else None)."""


def paces(terms: Terms) -> Paces:
    """Return the paces where the same ``terms`` hold everywhere."""
    spare = terms.fresh - 3 * timedelta(seconds=terms.interval_seconds)

    def pace(_body_id: int, interval_seconds: int | None) -> Pace:
        every = interval_seconds or terms.interval_seconds
        return Pace(_whole(3 * timedelta(seconds=every) + spare), _slot_s(every))

    return pace


def paces_of(terms_of: Callable[[int, int | None], Terms]) -> Paces:
    """Return the paces where each body has terms of its own (:class:`app.monitoring.policy.TermsBook`)."""

    def pace(body_id: int, interval_seconds: int | None) -> Pace:
        own = terms_of(body_id, interval_seconds)
        return Pace(_whole(own.fresh), _slot_s(own.interval_seconds))

    return pace


def _whole(length: timedelta) -> timedelta:
    """Return the length as it is stored, in whole seconds, so that it is the same again later."""
    return timedelta(seconds=round(length.total_seconds()))


def _slot_s(interval_seconds: int) -> int:
    return max(60, min(3600, interval_seconds))


def checks(pace: Paces, *conditions: Any) -> list[Check]:
    """Return the checks that fit ``conditions`` on :class:`Watch`, by id."""
    query = (
        select(Watch.check_id, Watch.body_id, Watch.begun_at, Watch.sampled_at, PageCheck.interval_seconds)
        .outerjoin(PageCheck, PageCheck.id == Watch.check_id)
        .where(*conditions)
        .order_by(Watch.check_id)
    )
    rows = db.session().execute(query)
    return [Check(id_, body, begun, sampled, pace(body, every)) for id_, body, begun, sampled, every in rows]


def portions(several: Sequence[Check]) -> Iterable[Sequence[Check]]:
    """Yield the checks in portions fit for one transaction each."""
    for at in range(0, len(several), CHUNK):
        yield several[at : at + CHUNK]


def known_until(
    condition: Condition, started_at: datetime, sampled_at: datetime | None, fresh: timedelta, now: datetime
) -> datetime:
    """Return how far the span still open may be believed: a prober that stands still says nothing."""
    if condition in HOLDS or sampled_at is None:
        return max(started_at, now)
    return max(started_at, min(now, sampled_at + fresh))


def hour_rows(
    several: Sequence[Check],
    start: datetime,
    now: datetime,
    held: Mapping[int, Row] | None = None,
    *,
    looks_kept: bool = True,
) -> dict[int, Row]:
    """Return what the hour that begins at ``start`` must say of each check; nothing of those paused.

    Args:
        held: rows as stored; they tell the pace that held then, and what was measured in looks that
            are deleted meanwhile.
        looks_kept: whether the looks of the hour are still there.
    """
    window = Window(start, start + HOUR)
    held = held or {}
    here = [
        replace(check, pace=held[check.id].pace) if check.id in held else check
        for check in several
        if check.begun_at < window.end
    ]
    spans = _spans(here, window, now)
    measured = _looks([check.id for check in here], window) if looks_kept else {}
    found = {}
    for check in here:
        own = Window(max(start, check.begun_at), window.end)
        before = held.get(check.id)
        looks, phases = measured.get(check.id, ((), _NO_PHASES))
        bucket = bucket_of(spans.get(check.id, ()), own, looks, phases, check.pace.slot_s)
        if bucket is None:
            continue
        if not looks_kept and before is not None:
            bucket = _with_looks_of(before.bucket, bucket)
        body_id = before.body_id if before else check.body_id
        fresh_s = round(check.pace.fresh.total_seconds())
        found[check.id] = Row(body_id, check.pace.slot_s, fresh_s, bucket)
    return found


def _with_looks_of(before: Bucket, now: Bucket) -> Bucket:
    seconds = [name for name in NUMBERS if name.endswith("_s")]
    return Bucket(
        **{name: getattr(now if name in seconds else before, name) for name in NUMBERS},
        histogram=before.histogram,
    )


def _spans(several: Sequence[Check], window: Window, now: datetime) -> dict[int, list[Span]]:
    by_id = {check.id: check for check in several}
    query = select(StateSpan.check_id, StateSpan.started_at, StateSpan.ended_at, StateSpan.condition).where(
        StateSpan.check_id.in_(by_id),
        StateSpan.started_at < window.end,
        or_(StateSpan.ended_at.is_(None), StateSpan.ended_at > window.start),
    )
    found: dict[int, list[Span]] = defaultdict(list)
    for check_id, started_at, ended_at, condition in db.session().execute(query):
        check = by_id[check_id]
        end = ended_at or known_until(condition, started_at, check.sampled_at, check.pace.fresh, now)
        found[check_id].append(Span(started_at, end, condition))
    return found


def _looks(check_ids: Collection[int], window: Window) -> dict[int, tuple[list[Look], tuple[int, ...]]]:
    """Return each check's looks in the hour and the sums of the phases of those that found it open.

    One row a check: a row per look would cost the driver five times as much as all the rest.
    """
    opened = ProbeSample.verdict.in_(_OPEN)
    look = (
        func.substr(cast(ProbeSample.at, String(30)), 15, type_=String)  # minute:second.fraction
        + " "
        + cast(ProbeSample.verdict, String(3))
        + " "
        + cast(ProbeSample.total_ms, String(5))
    )
    columns = ("dns_ms", "connect_ms", "tls_ms", "first_byte_ms", "total_ms")
    query = (
        select(
            ProbeSample.check_id,
            func.count(),
            func.group_concat(look),
            *(func.sum(case((opened, getattr(ProbeSample, name)), else_=0)) for name in columns),
        )
        .where(
            ProbeSample.check_id.in_(check_ids), ProbeSample.at >= window.start, ProbeSample.at < window.end
        )
        .group_by(ProbeSample.check_id)
    )
    session = db.session()
    if session.get_bind().dialect.name != "sqlite":
        session.execute(text(f"SET SESSION group_concat_max_len = {_LONGEST_TEXT}"))
    return {
        check_id: (_parsed(told, count), tuple(int(one) for one in phases))
        for check_id, count, told, *phases in session.execute(query)
    }


def _parsed(told: str, count: int) -> list[Look]:
    looks = []
    for one in told.split(","):
        moment, verdict, total_ms = one.split(" ")
        second = 60 * int(moment[:2]) + float(moment[3:])
        looks.append(Look(second, samples.VERDICTS[int(verdict)], int(total_ms)))
    if len(looks) != count:
        raise RuntimeError(f"the database told {len(looks)} of {count} looks")
    return looks


def day_rows(check_ids: Sequence[int], start: datetime) -> dict[int, Row]:
    """Return the sums of the stored hours of the day that begins at ``start``."""
    pools: dict[int, Pool] = defaultdict(Pool)
    whose: dict[int, tuple[int, int, int]] = {}
    query = (
        select(
            Rollup.check_id,
            Rollup.body_id,
            Rollup.slot_s,
            Rollup.fresh_s,
            *_numbers(Rollup),
            Rollup.histogram,
        )
        .where(Rollup.span == Length.HOUR, Rollup.start_at.in_(hours_of(start)))
        .where(Rollup.check_id.in_(check_ids))
        .order_by(Rollup.start_at)
    )
    for check_id, body_id, slot_s, fresh_s, *numbers, histogram in db.session().execute(query):
        pools[check_id].add(numbers, histogram_of(histogram))
        whose[check_id] = body_id, slot_s, fresh_s
    return {check_id: Row(*whose[check_id], pool.bucket()) for check_id, pool in pools.items()}


def hours_of(day_start: datetime) -> list[datetime]:
    """Return the beginnings of the hours of a day."""
    return [day_start + n * HOUR for n in range(24)]


def body_rows(
    length: Length, start: datetime, body_ids: Collection[int] | None = None
) -> dict[str, GroupRow]:
    """Return the sums over the pages of each body, by the body's id as text."""
    query = (
        select(Rollup.body_id, *_numbers(Rollup), Rollup.histogram)
        .join(Watch, Watch.check_id == Rollup.check_id)
        .where(Rollup.span == length, Rollup.start_at == start, Watch.kind == CheckKind.PAGE)
    )
    if body_ids is not None:
        query = query.where(Rollup.body_id.in_(body_ids))
    pools: dict[str, Pool] = defaultdict(Pool)
    for body_id, *numbers, histogram in db.session().execute(query):
        pools[str(body_id)].add(numbers, histogram_of(histogram))
    return {ref: GroupRow(pool.count, pool.bucket()) for ref, pool in pools.items()}


def pooled(rows: Mapping[str, GroupRow], group_of: Callable[[str], str | None]) -> dict[str, GroupRow]:
    """Return the sums of ``rows`` by group; those without one (None) are left out."""
    pools: dict[str, Pool] = defaultdict(Pool)
    pages: dict[str, int] = defaultdict(int)
    for ref, row in rows.items():
        group = group_of(ref)
        if group is not None:
            pools[group].add(row.bucket.numbers(), row.bucket.histogram)
            pages[group] += row.pages
    return {group: GroupRow(pages[group], pool.bucket()) for group, pool in pools.items()}


def cities() -> dict[str, str]:
    """Return the code of the city of each body that stands in one, by the body's id as text."""
    regions = {region.code: region for region in organisations.regions()}
    found = {}
    for body in organisations.bodies():
        region = regions.get(body.region_code)
        while region is not None and region.level is not RegionLevel.CITY:
            region = regions.get(region.parent_code or "")
        if region is not None:
            found[str(body.id)] = region.code
    return found


def _numbers(model: Any) -> list[Any]:
    return [getattr(model, name) for name in NUMBERS]
