"""What has been seen and is not stored yet. Nothing seen is silently taken for well."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from mobile_pages.probe.base import Cause, Phases, ProbeResult, Verdict
from mobile_pages.probe.outage import Outage

Batch = list[ProbeResult] | Outage


class Outbox:
    """Results and outages in the order they were seen, about ``limit`` of them.

    When storing fails for so long that the limit is reached, the oldest results are given up; each
    page that loses some keeps one missed look, the first, so that its gap stays a gap.
    """

    def __init__(self, limit: int = 50_000) -> None:
        self._limit = limit
        self._items: deque[ProbeResult | Outage] = deque()
        self._gaps: dict[str, ProbeResult] = {}
        self.lost_count = 0

    def __len__(self) -> int:
        return len(self._items) + len(self._gaps)

    def add(self, item: ProbeResult | Outage) -> None:
        """Take one more in, giving up the oldest result when there is no room."""
        self._items.append(item)
        self._shrink()

    def take(self) -> Batch | None:
        """Return what must be handed on next: results up to the next outage, or that outage."""
        if self._gaps:
            gaps = sorted(self._gaps.values(), key=lambda result: result.started_at)
            self._gaps.clear()
            return gaps
        if not self._items:
            return None
        first = self._items.popleft()
        if isinstance(first, Outage):
            return first
        results = [first]
        while self._items and isinstance(following := self._items[0], ProbeResult):
            results.append(following)
            self._items.popleft()
        return results

    def put_back(self, batch: Batch) -> None:
        """Put what could not be handed on in front again."""
        items: Sequence[ProbeResult | Outage] = [batch] if isinstance(batch, Outage) else batch
        self._items.extendleft(reversed(items))
        self._shrink()

    def _shrink(self) -> None:
        kept_outages: list[Outage] = []
        while len(self._items) > self._limit:
            oldest = self._items.popleft()
            if isinstance(oldest, Outage):
                kept_outages.append(oldest)
                continue
            self.lost_count += 1
            self._gaps.setdefault(oldest.target_id, gap(oldest))
        self._items.extendleft(reversed(kept_outages))


def gap(result: ProbeResult) -> ProbeResult:
    """Return the missed look that stands for a result that was given up."""
    return replace(
        result,
        verdict=Verdict.UNKNOWN,
        cause=Cause.MISSED.value,
        detail="探测结果未能保存，按缺测处理。",
        phases=Phases(),
        status=None,
        seen=None,
    )
