"""Reckons what a proposed policy would have done to last month; a job, bounded in checks and time.

The last fourteen days are replayed look by look through the watch's own state machine, once under
the rules that hold and once under the proposed ones. Of the time before only incidents are left, so
it is estimated from their lengths. Checks that never failed cannot have had an outage under any
rule; where more failed than can be gone through, a sample of them stands for all, always the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from zlib import crc32

from sqlalchemy import func, select, update

from app.core import clock, db
from app.core.working_time import WorkingCalendar, calendar
from app.monitoring import samples
from app.monitoring.domain import KEEP_SAMPLES, CheckKind, Outcome
from app.monitoring.effects import Counts, Effect, Example, Lasted, Part, appeared, counted, estimated
from app.monitoring.history_models import Rollup
from app.monitoring.history_models import Span as RollupSpan
from app.monitoring.models import Incident, PolicyDraft, ProbeSample, StateSpan, Watch
from app.monitoring.policy import book, terms_of_bodies
from app.monitoring.rules import CITY_MAY, FIELDS, Rules, terms_of
from mobile_pages.probe.holding import Hold, disjoint
from mobile_pages.probe.replay import Look, Story, Trial, replay
from mobile_pages.probe.state import HOLDS
from mobile_pages.probe.uptime import Window

MONTH = timedelta(days=30)
INSPECTION = timedelta(days=7)
REPLAYED_MAX = 200
SECONDS_MAX = 240.0
EXAMPLES_MAX = 20
_OUTAGES = tuple(one.name for one in FIELDS if one.outages)
_LOOKS = ("timeout_seconds", "slow_ms", "interval_seconds")


@dataclass(frozen=True, slots=True)
class _Check:
    id: int
    kind: CheckKind
    body_id: int
    name: str
    begun_at: datetime
    before: Rules
    after: Rules

    def differs_in(self, names: Sequence[str]) -> bool:
        return any(getattr(self.before, name) != getattr(self.after, name) for name in names)


@dataclass(slots=True)
class _Replays:
    """What the replays of single checks add up to."""

    before: Counts
    after: Counts
    checks: int
    examples: list[Example]


def reckon(draft_id: int, *, now: datetime, timer: Callable[[], float] = monotonic) -> None:
    """Reckon a draft's effect and write it down; nothing when that is done or the draft is gone.

    Reads outside any transaction; opens its own for the answer.
    """
    row = db.session().get(PolicyDraft, draft_id)
    if row is None or row.effect is not None:
        return
    checks = _checks(row, now)
    effect = _effect(checks, now, timer).to_json()
    done = update(PolicyDraft).where(PolicyDraft.id == draft_id, PolicyDraft.effect.is_(None))
    db.transaction(
        lambda: db.writing().execute(
            done.values(effect=effect, reckoned_at=clock.system_clock()).execution_options(
                synchronize_session=False
            )
        )
    )


def _checks(row: PolicyDraft, now: datetime) -> list[_Check]:
    """Return the watched checks whose rules would be other ones."""
    held = book(now)
    before = terms_of_bodies(now, held)
    after = terms_of_bodies(now, held.with_version(row.city_code, row.rules, row.rules.get(CITY_MAY, ())))
    query = select(Watch.check_id, Watch.kind, Watch.body_id, Watch.name, Watch.begun_at).where(
        Watch.watched.is_(True)
    )
    return [
        _Check(*watch, before.rules_of(watch.body_id), after.rules_of(watch.body_id))
        for watch in db.session().execute(query)
        if before.rules_of(watch.body_id) != after.rules_of(watch.body_id)
    ]


def _effect(checks: Sequence[_Check], now: datetime, timer: Callable[[], float]) -> Effect:
    window = Window(now - KEEP_SAMPLES, now)
    candidates = _candidates(checks, window)
    chosen = sorted(candidates, key=lambda one: crc32(str(one.id).encode()))[:REPLAYED_MAX]
    replays = _replay_all(chosen, window, timer)
    factor = len(candidates) / replays.checks if replays.checks else 1.0
    part = Part(
        window.start,
        window.end,
        replays.before.scaled(factor),
        replays.after.scaled(factor),
        replays.checks,
        len(candidates),
    )
    earlier = Window(now - MONTH, window.start)
    old, new = _estimate(checks, earlier)
    bodies, missed_before, missed_after = _targets(checks, now)
    warned_before, warned_after = _warnings(checks, now)
    return Effect(
        replayed=part,
        estimated=Part(earlier.start, earlier.end, old, new, len(checks), len(checks)),
        examples=tuple(sorted(replays.examples, key=lambda one: -one.minutes)[:EXAMPLES_MAX]),
        bodies=bodies,
        missed_before=missed_before,
        missed_after=missed_after,
        warned_before=warned_before,
        warned_after=warned_after,
        notes=tuple(_notes(checks, part)),
    )


def _candidates(checks: Sequence[_Check], window: Window) -> list[_Check]:
    """Return the checks that the rules could make a difference for: those that failed at all.

    Where rules change which looks fail or are slow, or where no day is rolled up yet, that is all.
    """
    rolled = select(Rollup.check_id, func.sum(Rollup.failures), func.sum(Rollup.degraded_s)).where(
        Rollup.span == RollupSpan.DAY.value, Rollup.start_at >= window.start - timedelta(days=1)
    )
    failing = {
        row[0]: bool(row[1] or row[2]) for row in db.session().execute(rolled.group_by(Rollup.check_id))
    }
    # What failed today is rolled up tomorrow, but has a span or an incident by now.
    recent = select(StateSpan.check_id).where(
        StateSpan.started_at >= window.end - timedelta(days=2), StateSpan.condition.in_(("down", "degraded"))
    )
    lately = set(db.session().scalars(recent.distinct()))
    return [
        one for one in checks if one.differs_in(_LOOKS[:2]) or failing.get(one.id, True) or one.id in lately
    ]


def _replay_all(checks: Sequence[_Check], window: Window, timer: Callable[[], float]) -> _Replays:
    done = _Replays(Counts(), Counts(), 0, [])
    stop_at = timer() + SECONDS_MAX
    for one in checks:
        if done.checks and timer() > stop_at:
            break
        _replay_one(one, window, done, calendar())
        done.checks += 1
    return done


def _replay_one(one: _Check, window: Window, done: _Replays, days: WorkingCalendar) -> None:
    begun_at = max(one.begun_at, window.start)
    if begun_at >= window.end:
        return
    within = Window(begun_at, window.end)
    looks = list(_looks(one.id, within))
    holds = _holds(one.id, within)
    before = after = _story(one.before, looks, holds, within)
    if one.differs_in(_OUTAGES):
        after = _story(one.after, looks, holds, within)
        done.examples += appeared(after, before, one.name, within.end, appears=True)
        done.examples += appeared(before, after, one.name, within.end, appears=False)
    done.before += counted(before, one.before, one.kind, within, days)
    done.after += counted(after, one.after, one.kind, within, days)


def _story(rules: Rules, looks: Sequence[Look], holds: Sequence[Hold], window: Window) -> Story:
    terms = terms_of(rules)
    trial = Trial(terms.rule, round(terms.timeout_seconds * 1000), terms.slow_ms)
    return replay(looks, holds, trial, begun_at=window.start, until=window.end)


def _looks(check_id: int, window: Window) -> Iterator[Look]:
    query = (
        select(ProbeSample.at, ProbeSample.verdict, ProbeSample.total_ms, ProbeSample.cause)
        .where(ProbeSample.check_id == check_id, ProbeSample.at >= window.start)
        .order_by(ProbeSample.at)
    )
    for at, verdict, total_ms, cause in db.session().execute(query):
        yield Look(at, samples.verdict_of(verdict), total_ms, samples.cause_of(cause))


def _holds(check_id: int, window: Window) -> tuple[Hold, ...]:
    query = select(StateSpan.started_at, StateSpan.ended_at, StateSpan.condition).where(
        StateSpan.check_id == check_id, StateSpan.condition.in_(sorted(HOLDS))
    )
    held = (
        (max(started, window.start), min(ended or window.end, window.end), condition)
        for started, ended, condition in db.session().execute(query)
    )
    return disjoint(Hold(start, end, condition) for start, end, condition in held if start < end)


def _estimate(checks: Sequence[_Check], window: Window) -> tuple[Counts, Counts]:
    """Return what the incidents of the window amount to, before and after."""
    by_id = {one.id: one for one in checks}
    query = select(Incident.check_id, Incident.started_at, Incident.opened_at, Incident.resolved_at).where(
        Incident.opened_at >= window.start,
        Incident.opened_at < window.end,
        Incident.outcome.is_distinct_from(Outcome.VOIDED),
    )
    old, new = Counts(), Counts()
    for check_id, since, confirmed_at, resolved_at in db.session().execute(query):
        one = by_id.get(check_id)
        if one is not None:
            lasted = Lasted(since, confirmed_at, resolved_at or window.end)
            before, after = estimated([lasted], one.before, one.after, one.kind, calendar())
            old, new = old + before, new + after
    return old, new


def _targets(checks: Sequence[_Check], now: datetime) -> tuple[int, int | None, int | None]:
    """Return how many bodies there are, and how many miss the target as it is and as proposed."""
    rules = {one.body_id: (one.before, one.after) for one in checks}
    if not any(one.differs_in(("slo_target_rate", "slo_window_days")) for one in checks):
        return len(rules), None, None
    missed = [0, 0]
    for which in (0, 1):
        for days in {pair[which].slo_window_days for pair in rules.values()}:
            query = (
                select(Rollup.body_id, func.sum(Rollup.up_s + Rollup.degraded_s), func.sum(Rollup.down_s))
                .where(Rollup.span == RollupSpan.DAY.value, Rollup.start_at >= now - timedelta(days=days))
                .group_by(Rollup.body_id)
            )
            for body_id, good, bad in db.session().execute(query):
                own = rules.get(body_id)
                if own is not None and own[which].slo_window_days == days and good + bad:
                    missed[which] += float(good / (good + bad)) < own[which].slo_target_rate
    return len(rules), missed[0], missed[1]


def _warnings(checks: Sequence[_Check], now: datetime) -> tuple[int | None, int | None]:
    """Return how many pages stand at or above the inspection's warning line, as it is and as proposed."""
    if not any(one.differs_in(("official_warn_rate",)) for one in checks):
        return None, None
    query = (
        select(Rollup.check_id, func.sum(Rollup.visits), func.sum(Rollup.visit_failures))
        .where(Rollup.span == RollupSpan.DAY.value, Rollup.start_at >= now - INSPECTION)
        .group_by(Rollup.check_id)
    )
    rates = {row[0]: float(row[2] / row[1]) for row in db.session().execute(query) if row[1]}
    pages = [one for one in checks if one.kind is CheckKind.PAGE and one.id in rates]
    return (
        sum(rates[one.id] >= one.before.official_warn_rate for one in pages),
        sum(rates[one.id] >= one.after.official_warn_rate for one in pages),
    )


def _notes(checks: Sequence[_Check], part: Part) -> Iterator[str]:
    """Yield what is exact, what is estimated and what cannot be known."""
    if part.sampled:
        yield (
            f"最近十四天：有过失败或缓慢的检查共 {part.of_checks} 项，抽取其中 {part.checks} 项逐次重放，"
            "数字按比例推算到全部，不是逐项精确值。"
        )
    else:
        yield f"最近十四天：{part.of_checks} 项有过失败或缓慢的检查已逐次重放，数字精确。"
    yield "再往前至三十天：只留有已确认的事件，按事件长短估算；没有被确认过的短暂失败不在其内。"
    if any(one.after.down_after < one.before.down_after for one in checks):
        yield "认定次数减少会多认定的短暂故障，估算部分无法知道，只在重放部分计入。"
    if any(one.differs_in(("interval_seconds",)) for one in checks):
        yield "重放用的是当时按原间隔做的探测；间隔改变后会多看到或少看到什么，无法重放。"
    if any(one.after.timeout_seconds > one.before.timeout_seconds for one in checks):
        yield "当时因超时放弃的探测，放宽超时后是否能打开无从得知，仍按失败计。"
    if any(one.differs_in(("second_prober",)) for one in checks):
        yield "当时没有请另一台探测机证实，证实后会少认定哪些故障无法重放。"
    yield "工作时间按国务院办公厅公布的节假日安排计算；尚未公布的年份按法定节日暂计。"
