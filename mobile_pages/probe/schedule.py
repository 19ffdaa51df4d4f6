"""When each page is looked at: the same moment of every interval, spread by the page's id.

Pure: the clock is an argument. Seconds are those since 1970 (UTC), so that a restart changes
nothing and two provers agree.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from zlib import crc32

from mobile_pages.probe.base import ProbeTarget


def phase_seconds(target_id: str, interval_seconds: float) -> float:
    """Return the page's place in the interval, to the millisecond: stable, evenly spread."""
    return crc32(target_id.encode()) % round(interval_seconds * 1000) / 1000


def next_due(target_id: str, interval_seconds: float, after: float) -> float:
    """Return the first due moment later than ``after``."""
    phase = phase_seconds(target_id, interval_seconds)
    due = (after - phase) // interval_seconds * interval_seconds + phase
    while due <= after:  # rounding may leave it a hair early
        due += interval_seconds
    return due


@dataclass(frozen=True, slots=True)
class Due:
    """A look to be made, or already ``missed`` because it is too late for it.

    Attributes:
        confirming: asked for between two regular looks, to confirm a change.
    """

    target: ProbeTarget
    due_at: float
    missed: bool = False
    confirming: bool = False


@dataclass(slots=True)
class _Entry:
    target: ProbeTarget
    due_at: float
    confirming: bool = False
    running: bool = False
    started_at: float = 0.0


class Scheduler:
    """Says which looks are due. Late looks are skipped and told as missed, never queued.

    Args:
        grace_seconds: how late a look may start and still be made.
    """

    def __init__(self, grace_seconds: float = 5.0) -> None:
        self._grace_seconds = grace_seconds
        self._entries: dict[str, _Entry] = {}
        self._heap: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._entries)

    def load(self, targets: Iterable[ProbeTarget], now: float) -> None:
        """Take the present list: new pages get their turn, vanished ones none, changed ones keep theirs."""
        wanted = {target.id: target for target in targets}
        for gone in self._entries.keys() - wanted.keys():
            del self._entries[gone]
        for target in wanted.values():
            held = self._entries.get(target.id)
            if held is None:
                held = self._entries[target.id] = _Entry(target, 0.0)
            elif held.target.interval_seconds == target.interval_seconds:
                held.target = target
                continue
            held.target = target
            first = now if target.soon else next_due(target.id, target.interval_seconds, now)
            self._plan(held, first)

    def next_at(self) -> float | None:
        """Return when something is due next; None without pages."""
        self._drop_stale()
        return self._heap[0][0] if self._heap else None

    def take(self, now: float) -> list[Due]:
        """Return what has become due by ``now``, oldest first, and plan what follows.

        A turn passed by more than the grace time is told as missed: once, however many were slept
        through. A turn that finds the look before still running is covered by that one.
        """
        taken: list[Due] = []
        while (soonest := self.next_at()) is not None and soonest <= now:
            _, target_id = heapq.heappop(self._heap)
            entry = self._entries[target_id]
            late = now - entry.due_at > self._grace_seconds
            if not entry.running and not (late and entry.confirming):  # nobody counts on an extra look
                taken.append(Due(entry.target, entry.due_at, late, entry.confirming))
                entry.running, entry.started_at = not late, now
            after = now if late else entry.due_at
            self._plan(entry, next_due(target_id, entry.target.interval_seconds, after))
        return taken

    def done(self, target_id: str, now: float, confirm: bool = False) -> None:
        """Note that a look has ended; ``confirm`` asks for another, half an interval after it began.

        The extra look is left out when it might still be running at the next regular turn.
        """
        entry = self._entries.get(target_id)
        if entry is None:
            return
        entry.running = False
        extra = max(now, entry.started_at + entry.target.interval_seconds / 2)
        if confirm and extra + entry.target.timeout_seconds <= entry.due_at:
            self._plan(entry, extra, confirming=True)

    def hasten(self, target_id: str, now: float) -> None:
        """Let a page be looked at now, unless a look is under way; its regular turns stay."""
        entry = self._entries.get(target_id)
        if entry is not None and not entry.running and entry.due_at > now:
            self._plan(entry, now, confirming=True)

    def _plan(self, entry: _Entry, due_at: float, confirming: bool = False) -> None:
        entry.due_at, entry.confirming = due_at, confirming
        heapq.heappush(self._heap, (due_at, entry.target.id))

    def _drop_stale(self) -> None:
        while self._heap:
            due_at, target_id = self._heap[0]
            entry = self._entries.get(target_id)
            if entry is not None and entry.due_at == due_at:
                return
            heapq.heappop(self._heap)
