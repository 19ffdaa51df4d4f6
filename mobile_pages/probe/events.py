"""What a watch is told (rule, looks) and what it tells of (events), see :mod:`mobile_pages.probe.state`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mobile_pages.probe.base import Condition, Verdict
from mobile_pages.probe.flapping import FlapRule


@dataclass(frozen=True, slots=True)
class Rule:
    """How many looks in a row it takes to be believed; each at least 1.

    Attributes:
        longest_gap: time since the last look after which nothing is known any more, as when the
            prober stood still and could not even say so; None never forgets.
        flaps: None never holds events back.
        second_prober: an outage needs a failing look from another prober too, while there is one.
    """

    down_after: int = 3
    back_after: int = 2
    degraded_after: int = 3
    longest_gap: timedelta | None = None
    flaps: FlapRule | None = None
    second_prober: bool = False

    def __post_init__(self) -> None:
        if min(self.down_after, self.back_after, self.degraded_after) < 1:
            raise ValueError("it takes at least one look to believe anything")

    def needed(self, belief: Condition, saying: Condition) -> int:
        """Return the length of the row of ``saying`` that overturns ``belief``."""
        if saying is Condition.DOWN:
            return self.down_after
        if belief is Condition.UNKNOWN:
            return 1
        if saying is Condition.DEGRADED and belief is Condition.UP:
            return self.degraded_after
        return self.back_after


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: ``at`` is when it began (aware), ``cause`` why it did not end well.

    Attributes:
        prober: who looked; any number that tells probers apart.
        second_at_hand: whether another prober is alive that could look too.
    """

    at: datetime
    verdict: Verdict
    cause: str = ""
    prober: int = 0
    second_at_hand: bool = False


@dataclass(frozen=True, slots=True)
class WentDown:
    """``since``: the first failing look; ``confirmed_at``: the one that settled it.

    Attributes:
        flapping: true while alarms are held back: it opens no incident of its own.
    """

    since: datetime
    confirmed_at: datetime
    cause: str
    flapping: bool = False


@dataclass(frozen=True, slots=True)
class CameBack:
    """``at``: the first good look after the outage, which began at ``down_since``.

    Attributes:
        flapping: true while alarms are held back: it closes no incident yet.
    """

    at: datetime
    confirmed_at: datetime
    down_since: datetime
    flapping: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """A change without outage: first known, slow, quick again."""

    at: datetime
    confirmed_at: datetime
    condition: Condition
    cause: str = ""


@dataclass(frozen=True, slots=True)
class LostSight:
    """From ``at`` on we do not know; an open incident stays open."""

    at: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class Voided:
    """The incident that began at ``down_since`` never was.

    Attributes:
        cause: our own connection had failed, or the name of the hold it fell into.
    """

    at: datetime
    down_since: datetime
    cause: str = "prober_offline"


@dataclass(frozen=True, slots=True)
class Flapping:
    """From ``at`` on one incident is held open (抖动); that of an outage under way serves as one."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Calmed:
    """The page has said ``condition`` ever since ``at``; unless it is down the held incident ends."""

    at: datetime
    confirmed_at: datetime
    condition: Condition
    cause: str = ""


Event = WentDown | CameBack | Changed | LostSight | Voided | Flapping | Calmed
