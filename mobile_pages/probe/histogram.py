"""Latencies kept as a log-histogram: small, mergeable by addition, quantiles within two per cent.

Bin ``n`` holds values above ``GAMMA**(n-1)`` up to ``GAMMA**n`` milliseconds and answers with the
value whose relative error is the same towards both ends. An hour of looks at one page takes about
seventy bytes; hours, days, pages and bodies merge in any order to the same histogram.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate
from math import ceil, log

GAMMA = 1.04
MOST_MS = 65_535
"""Longer ones count as this long: the largest that a stored look can tell."""

RELATIVE_ERROR = (GAMMA - 1) / (GAMMA + 1)
_LOG = log(GAMMA)
_TOP = ceil(log(MOST_MS) / _LOG)
_VALUES = tuple(2 * GAMMA**number / (GAMMA + 1) for number in range(_TOP + 1))
_BYTE_BITS = 7
_COUNT_BITS = 63


def _bin(milliseconds: int) -> int:
    return max(0, ceil(log(milliseconds) / _LOG - 1e-9)) if milliseconds > 1 else 0


_BINS = tuple(_bin(milliseconds) for milliseconds in range(MOST_MS + 1))


class LogHistogram:
    """Counts of whole milliseconds by bin."""

    __slots__ = ("_counts",)

    def __init__(self, milliseconds: Iterable[int] = ()) -> None:
        self._counts: dict[int, int] = {}
        for one in milliseconds:
            self.add(one)

    def add(self, milliseconds: int) -> None:
        """Count one value.

        Raises:
            ValueError: it is negative.
        """
        if milliseconds < 0:
            raise ValueError("a latency cannot be negative")
        number = _BINS[min(milliseconds, MOST_MS)]
        self._counts[number] = self._counts.get(number, 0) + 1

    def merge(self, other: LogHistogram) -> None:
        """Add the counts of ``other``."""
        counts = self._counts
        for number, count in other._counts.items():
            counts[number] = counts.get(number, 0) + count

    def __add__(self, other: LogHistogram) -> LogHistogram:
        return pooled((self, other))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LogHistogram) and self._counts == other._counts

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"LogHistogram({self.count} values)"

    @property
    def count(self) -> int:
        return sum(self._counts.values())

    def quantile(self, rate: float) -> float | None:
        """Return the value in milliseconds below which ``rate`` (0-1) of the counted lie; None of none.

        Raises:
            ValueError: ``rate`` lies outside 0-1.
        """
        if not 0 <= rate <= 1:
            raise ValueError("a quantile's rate lies between 0 and 1")
        numbers = sorted(self._counts)
        rank = max(1, ceil(rate * self.count))
        so_far = accumulate(self._counts[number] for number in numbers)
        return next(
            (_VALUES[number] for number, sum_ in zip(numbers, so_far, strict=True) if sum_ >= rank), None
        )

    def to_bytes(self) -> bytes:
        """Return the histogram as bytes; equal histograms give equal bytes.

        Pairs of variable-length numbers: distance to the bin before, count.
        """
        out = bytearray()
        before = 0
        for number in sorted(self._counts):
            _write(out, number - before)
            _write(out, self._counts[number])
            before = number
        return bytes(out)

    @classmethod
    def from_bytes(cls, raw: bytes) -> LogHistogram:
        """Read what :meth:`to_bytes` wrote.

        Raises:
            ValueError: no histogram ever wrote that.
        """
        made = cls()
        made.merge_bytes(raw)
        return made

    def merge_bytes(self, raw: bytes) -> None:
        """Add the counts of a stored histogram.

        Raises:
            ValueError: no histogram ever wrote that; nothing was added.
        """
        found: dict[int, int] = {}
        number = 0
        numbers = iter(_numbers(raw))
        for step in numbers:
            count = next(numbers, 0)
            number += step
            if not count or number > _TOP or (found and not step):
                raise ValueError("not a latency histogram")
            found[number] = count
        counts = self._counts
        for number, count in found.items():
            counts[number] = counts.get(number, 0) + count


def pooled(several: Iterable[LogHistogram]) -> LogHistogram:
    """Return the histogram of everything together."""
    whole = LogHistogram()
    for one in several:
        whole.merge(one)
    return whole


def _write(out: bytearray, value: int) -> None:
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= _BYTE_BITS
    out.append(value)


def _numbers(raw: bytes) -> Iterator[int]:
    value = shift = 0
    for byte in raw:
        value |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += _BYTE_BITS
            if shift >= _COUNT_BITS:
                raise ValueError("a number in a latency histogram is too long")
            continue
        if not byte and shift:
            raise ValueError("a number in a latency histogram is not in its shortest form")
        yield value
        value = shift = 0
    if shift:
        raise ValueError("a latency histogram is cut off")
