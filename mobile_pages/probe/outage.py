"""Is it them or us? Whether the prober's own connection works, told by reference addresses.

Reference addresses (参照站点) stand on networks of different providers and are looked at all the
time. When none of them answers any more the fault is ours: nothing that fails meanwhile counts
against a page. Without reference addresses the pages themselves must serve: when nearly all of
them, on several hosts, stop answering at once, we rather doubt ourselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from mobile_pages.probe.base import ProbeResult, Verdict


@dataclass(frozen=True, slots=True)
class Outage:
    """Our own connection failed or came back.

    Attributes:
        since: the last moment it surely worked; what failed later counts against nobody.
        noticed_at: when that was known.
        over: False when the outage begins, True when it ends.
    """

    since: datetime
    noticed_at: datetime
    over: bool


@dataclass(slots=True)
class OwnConnection:
    """Keeps the newest look of each reference address and draws the conclusion.

    Attributes:
        references: how many reference addresses there are.
        crowd_rate: fraction 0–1 of silent pages from which we doubt ourselves without references.
        crowd_least, hosts_least: fewer pages or hosts prove nothing.
    """

    references: int
    crowd_rate: float = 0.9
    crowd_least: int = 10
    hosts_least: int = 3
    last_good_at: datetime | None = None
    offline: bool = False
    _restored_at: datetime | None = None
    _failures: dict[str, int] = field(default_factory=dict)
    _hosts: dict[str, str] = field(default_factory=dict)
    _silent: set[str] = field(default_factory=set)

    def note_reference(self, result: ProbeResult) -> Outage | None:
        """Take in a look at a reference address; return the change it makes, None mostly."""
        if result.verdict is Verdict.UNKNOWN:
            return None
        if _answered(result):
            self._failures[result.target_id] = 0
            return self._works(result.started_at)
        self._failures[result.target_id] = self._failures.get(result.target_id, 0) + 1
        # One address failing once may be its own trouble; a second look or a second address tells.
        all_failing = len(self._failures) == self.references and all(self._failures.values())
        if all_failing and sum(self._failures.values()) >= 2:
            return self._failed(result.started_at)
        return None

    def note_page(self, result: ProbeResult, host: str) -> Outage | None:
        """Take in a look at a page; it decides only where there are no reference addresses."""
        if self.references or result.verdict is Verdict.UNKNOWN:
            return None
        self._hosts[result.target_id] = host
        if not _answered(result):
            self._silent.add(result.target_id)
            return self._failed(result.started_at) if self._crowd_is_silent() else None
        self._silent.discard(result.target_id)
        if self.offline and self._crowd_is_silent():
            return None
        return self._works(result.started_at)

    def forget(self, target_id: str) -> None:
        """Leave a page out that is watched no more."""
        self._hosts.pop(target_id, None)
        self._silent.discard(target_id)

    def excuses(self, result: ProbeResult) -> bool:
        """Whether a failing look is our own fault for all we know: made or begun while cut off."""
        if result.verdict is not Verdict.DOWN or _answered(result):
            return False
        return self.offline or (self._restored_at is not None and result.started_at < self._restored_at)

    def _crowd_is_silent(self) -> bool:
        if len(self._hosts) < self.crowd_least or len(self._silent) < self.crowd_rate * len(self._hosts):
            return False
        return len({self._hosts[one] for one in self._silent}) >= self.hosts_least

    def _works(self, at: datetime) -> Outage | None:
        self.last_good_at = max(at, self.last_good_at or at)
        if not self.offline:
            return None
        self.offline = False
        self._restored_at = at
        return Outage(self.last_good_at, at, over=True)

    def _failed(self, at: datetime) -> Outage | None:
        if self.offline:
            return None
        self.offline = True
        return Outage(self.last_good_at or at, at, over=False)


def _answered(result: ProbeResult) -> bool:
    """Whatever was answered, the way there works."""
    return result.verdict in (Verdict.UP, Verdict.DEGRADED) or result.status is not None
