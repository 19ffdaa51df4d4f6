"""Results on disk while the store is away: kept in order, through a restart, up to a limit.

What no longer fits is given up, the oldest first; each target that loses some keeps one missed look,
the first, so that its gap stays a gap and is never taken for well.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple
from datetime import datetime
from pathlib import Path
from typing import Any

from mobile_pages.probe.base import Phases, ProbeResult, Verdict
from mobile_pages.probe.outage import Outage
from mobile_pages.probe.outbox import gap

log = logging.getLogger(__name__)

Item = ProbeResult | Outage

BATCH = 1000
_GAPS = "gaps.json"


class Spool:
    """Items in files of one folder, line by line; belongs to one process and one thread at a time.

    Every appending is on disk when it returns: it happens once a second at most, and only while the
    database is away.

    Args:
        limit_bytes: of all files together.
        segment_bytes: of one file; what is given up is a file at a time.
    """

    def __init__(
        self, folder: Path, *, limit_bytes: int = 256 * 1024**2, segment_bytes: int = 4 * 1024**2
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._segment_bytes = segment_bytes
        self._counts = {path: sum(1 for _ in _read(path)) for path in sorted(folder.glob("*.jsonl"))}
        self._gaps = self._read_gaps()
        self._current: Path | None = None
        self.lost_count = 0

    def __len__(self) -> int:
        return sum([*self._counts.values()]) + len(self._gaps)

    def append(self, items: Sequence[Item]) -> None:
        """Keep items behind those kept before.

        Raises:
            OSError: the disk is full or gone; nothing is lost that was kept before.
        """
        path = self._newest()
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(_to_json(item), ensure_ascii=False) + "\n" for item in items)
            file.flush()
            os.fsync(file.fileno())
        self._counts[path] = self._counts.get(path, 0) + len(items)
        self._shrink()

    def oldest(self) -> tuple[list[Item], Callable[[], None]] | None:
        """Return the oldest items and what to call when they need not be kept any more; None of nothing."""
        if self._gaps:
            gaps: list[Item] = [*sorted(self._gaps.values(), key=lambda one: one.started_at)]
            return gaps, self._forget_gaps
        path = next(iter(self._counts), None)
        return None if path is None else (list(_read(path)), lambda: self._remove(path))

    def _newest(self) -> Path:
        newest = next(reversed(self._counts), None)
        # Never on in a file of the process before: its last line may be cut short.
        if newest is not None and newest is self._current and newest.stat().st_size < self._segment_bytes:
            return newest
        number = 1 if newest is None else int(newest.stem) + 1
        self._current = self._folder / f"{number:08}.jsonl"
        return self._current

    def _shrink(self) -> None:
        while len(self._counts) > 1 and self._bytes() > self._limit_bytes:
            self._give_up(next(iter(self._counts)))

    def _bytes(self) -> int:
        return sum(path.stat().st_size for path in self._counts)

    def _give_up(self, path: Path) -> None:
        kept = []
        for item in _read(path):
            if isinstance(item, Outage):
                kept.append(item)
                continue
            self.lost_count += 1
            self._gaps.setdefault(item.target_id, gap(item))
        self._write_gaps()
        self._remove(path)
        if kept:  # an outage is never given up; told late it still voids what it must
            self.append(kept)

    def _remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._counts.pop(path, None)

    def _forget_gaps(self) -> None:
        self._gaps.clear()
        (self._folder / _GAPS).unlink(missing_ok=True)

    def _write_gaps(self) -> None:
        fresh = self._folder / f"{_GAPS}.new"
        with fresh.open("w", encoding="utf-8") as file:
            file.writelines(
                json.dumps(_to_json(one), ensure_ascii=False) + "\n" for one in self._gaps.values()
            )
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._folder / _GAPS)

    def _read_gaps(self) -> dict[str, ProbeResult]:
        path = self._folder / _GAPS
        found = _read(path) if path.exists() else ()
        return {one.target_id: one for one in found if isinstance(one, ProbeResult)}


class SpooledStore:
    """A store that is never away: what cannot be stored waits in the spool and is told first later.

    Args:
        store, tell_outage: the real ones; both must take what they were told before.
        is_away: tells an error of a store that is away from one of what it was told. Results that a
            working store refuses are given up one by one, so that they hold up no others.
    """

    def __init__(
        self,
        store: Callable[[list[ProbeResult]], None],
        tell_outage: Callable[[Outage], None],
        spool: Spool,
        is_away: Callable[[Exception], bool],
    ) -> None:
        self._store = store
        self._tell_outage = tell_outage
        self._spool = spool
        self._is_away = is_away
        self.refused_count = 0

    @property
    def waiting(self) -> int:
        """How many results wait on disk."""
        return len(self._spool)

    @property
    def lost_count(self) -> int:
        """How many results were given up since the start."""
        return self._spool.lost_count + self.refused_count

    def store(self, results: Sequence[ProbeResult]) -> None:
        """Store results, or keep them."""
        self._hand_on(list(results))

    def tell_outage(self, outage: Outage) -> None:
        """Tell of an outage, or keep it in its place between the results."""
        self._hand_on([outage])

    def _hand_on(self, items: list[Item]) -> None:
        try:
            waits = not self._catch_up()
            if not waits:
                self._put(items)
        except Exception as error:
            if not self._is_away(error):
                raise
            log.warning("probe_results_spooled", extra={"waiting": self.waiting + len(items)})
            waits = True
        if waits:
            self._spool.append(items)

    def _catch_up(self) -> bool:
        """Store a good part of what waits; return whether nothing waits any more."""
        for _ in range(2):
            oldest = self._spool.oldest()
            if oldest is None:
                return True
            items, forget = oldest
            self._put(items)
            forget()
        return not self.waiting

    def _put(self, items: Sequence[Item]) -> None:
        for batch in _batches(items):
            if isinstance(batch, Outage):
                self._tell_outage(batch)
            else:
                self._put_results(batch)

    def _put_results(self, results: list[ProbeResult]) -> None:
        try:
            self._store(results)
        except Exception as error:
            if self._is_away(error):
                raise
            if len(results) == 1:
                log.exception("probe_result_refused", extra={"target_id": results[0].target_id})
                self.refused_count += 1
                return
            half = len(results) // 2
            self._put_results(results[:half])
            self._put_results(results[half:])


def _batches(items: Sequence[Item]) -> Iterator[list[ProbeResult] | Outage]:
    results: list[ProbeResult] = []
    for item in items:
        if isinstance(item, Outage) or len(results) == BATCH:
            if results:
                yield results
            results = []
        if isinstance(item, Outage):
            yield item
        else:
            results.append(item)
    if results:
        yield results


def _read(path: Path) -> Iterator[Item]:
    """Read a file; a line that a crash cut short, or that a disk spoilt, is passed over."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                yield _from_json(json.loads(line))
            except (ValueError, TypeError, KeyError):
                log.warning("probe_spool_line_unreadable", extra={"file": path.name})


def _to_json(item: Item) -> dict[str, Any]:
    if isinstance(item, Outage):
        return {
            "since": item.since.isoformat(),
            "noticed_at": item.noticed_at.isoformat(),
            "over": item.over,
        }
    return {
        "target_id": item.target_id,
        "started_at": item.started_at.isoformat(),
        "verdict": item.verdict.value,
        "cause": item.cause,
        "detail": item.detail,
        "status": item.status,
        "phases": [round(one, 3) for one in astuple(item.phases)],
        "address": item.address,
        "cert_not_after": item.cert_not_after and item.cert_not_after.isoformat(),
        "body_bytes": item.body_bytes,
        "final_url": item.final_url,
        "redirects": item.redirects,
        "lag_ms": round(item.lag_ms, 1),
    }


def _from_json(raw: dict[str, Any]) -> Item:
    if "over" in raw:
        since, noticed = datetime.fromisoformat(raw["since"]), datetime.fromisoformat(raw["noticed_at"])
        return Outage(since, noticed, bool(raw["over"]))
    return ProbeResult(
        **{
            **raw,
            "started_at": datetime.fromisoformat(raw["started_at"]),
            "verdict": Verdict(raw["verdict"]),
            "phases": Phases(*raw["phases"]),
            "cert_not_after": raw["cert_not_after"] and datetime.fromisoformat(raw["cert_not_after"]),
        }
    )
