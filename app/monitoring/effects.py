"""What a policy would have done to last month, as figures with their origin. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from app.core.working_time import WorkingCalendar, working_minutes_later
from app.monitoring.domain import CheckKind
from app.monitoring.rules import Rules
from mobile_pages.probe.replay import Story
from mobile_pages.probe.uptime import Window, tally


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened, or would have.

    Attributes:
        hidden: entries hidden from residents; ``told_…``: incidents that reached this audience.
    """

    incidents: int = 0
    flapping: int = 0
    down_minutes: int = 0
    slow_minutes: int = 0
    hidden: int = 0
    told_contact: int = 0
    told_body: int = 0
    told_province: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def scaled(self, factor: float) -> Counts:
        """Return the counts of a sample brought up to the whole."""
        return Counts(*(round(getattr(self, one.name) * factor) for one in fields(self)))


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of last month under the rules as they are and as proposed.

    Attributes:
        checks: how many were gone through, ``of_checks`` how many there are to go through; fewer
            means a sample, whose counts are brought up to the whole.
    """

    start: datetime
    end: datetime
    before: Counts
    after: Counts
    checks: int
    of_checks: int

    @property
    def sampled(self) -> bool:
        return self.checks < self.of_checks


@dataclass(frozen=True, slots=True)
class Example:
    """An incident that only one of the two rules would have opened (``appears``: the proposed ones)."""

    page_name: str
    since: datetime
    minutes: int
    appears: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """The whole answer.

    Attributes:
        replayed: from the stored looks, each judged again; ``estimated``: before them, from the
            incidents alone.
        missed_before, missed_after: bodies below the availability target, of ``bodies``; None when
            neither target nor outages change.
        warned_before, warned_after: pages at or above the warning line of the national inspection.
        notes: what is exact, what is estimated, what cannot be known; Chinese sentences.
    """

    replayed: Part
    estimated: Part
    examples: tuple[Example, ...] = ()
    bodies: int = 0
    missed_before: int | None = None
    missed_after: int | None = None
    warned_before: int | None = None
    warned_after: int | None = None
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    @classmethod
    def of_json(cls, raw: Mapping[str, Any]) -> Effect:
        """Read what :meth:`to_json` wrote."""
        return cls(
            **{
                **raw,
                "replayed": _part(raw["replayed"]),
                "estimated": _part(raw["estimated"]),
                "examples": tuple(
                    Example(**{**one, "since": datetime.fromisoformat(one["since"])})
                    for one in raw["examples"]
                ),
                "notes": tuple(raw["notes"]),
            }
        )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value


def _part(raw: Mapping[str, Any]) -> Part:
    return Part(
        datetime.fromisoformat(raw["start"]),
        datetime.fromisoformat(raw["end"]),
        Counts(**raw["before"]),
        Counts(**raw["after"]),
        raw["checks"],
        raw["of_checks"],
    )


@dataclass(frozen=True, slots=True)
class Lasted:
    """An outage by its length; ``until`` stands for an end that has not come."""

    since: datetime
    confirmed_at: datetime
    until: datetime


def counted(story: Story, rules: Rules, kind: CheckKind, window: Window, calendar: WorkingCalendar) -> Counts:
    """Return what a check's story amounts to in the window, under rules that it was replayed with."""
    spent = tally(story.spans, window)
    told = [Lasted(one.since, one.confirmed_at, one.end or window.end) for one in story.incidents]
    hidden = [end or window.end for since, end in story.downs if _hides(rules, kind, since, end, window)]
    return consequences(told, rules, calendar) + Counts(
        flapping=sum(one.flapping for one in story.incidents),
        down_minutes=spent.down // timedelta(minutes=1),
        slow_minutes=spent.degraded // timedelta(minutes=1),
        hidden=len(hidden),
    )


def _hides(rules: Rules, kind: CheckKind, since: datetime, end: datetime | None, window: Window) -> bool:
    grace = timedelta(seconds=rules.grace_seconds)
    return kind in rules.hide_kinds and (end or window.end) - since > grace


def consequences(outages: Iterable[Lasted], rules: Rules, calendar: WorkingCalendar) -> Counts:
    """Return how many incidents these outages are and whom they would have reached."""
    total = Counts()
    for one in outages:
        contact = one.confirmed_at + timedelta(minutes=rules.escalate_after_minutes[0])
        later = (
            working_minutes_later(one.confirmed_at, minutes, calendar)
            for minutes in rules.escalate_after_minutes[1:]
        )
        reached = [int(at <= one.until) for at in (contact, *later)]
        total += Counts(1, 0, 0, 0, 0, *reached)
    return total


def estimated(
    outages: Iterable[Lasted], before: Rules, after: Rules, kind: CheckKind, calendar: WorkingCalendar
) -> tuple[Counts, Counts]:
    """Return what incidents known by their length alone amount to, under both rules.

    One that lasted too short for the longer row of the new rules falls away; what a shorter row would
    have added cannot be known.
    """
    known = list(outages)
    step = timedelta(seconds=before.interval_seconds) / 2
    needed = step * max(0, after.down_after - before.down_after)
    kept = [one for one in known if one.until - one.confirmed_at >= needed]
    return _by_length(known, before, kind, calendar), _by_length(kept, after, kind, calendar)


def _by_length(outages: list[Lasted], rules: Rules, kind: CheckKind, calendar: WorkingCalendar) -> Counts:
    lengths = [one.until - one.since for one in outages]
    grace = timedelta(seconds=rules.grace_seconds)
    hidden = sum(length > grace for length in lengths) if kind in rules.hide_kinds else 0
    down = sum(lengths, timedelta()) // timedelta(minutes=1)
    return consequences(outages, rules, calendar) + Counts(down_minutes=down, hidden=hidden)


def appeared(story: Story, other: Story, page_name: str, until: datetime, *, appears: bool) -> list[Example]:
    """Return the incidents of ``story`` that overlap none of ``other``."""
    others = [(one.since, one.end or until) for one in other.incidents]
    return [
        Example(page_name, one.since, ((one.end or until) - one.since) // timedelta(minutes=1), appears)
        for one in story.incidents
        if not any(start <= (one.end or until) and one.since <= end for start, end in others)
    ]
