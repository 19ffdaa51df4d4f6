"""Whether a page opens and closes so often that its alarms are held back (抖动).

The newest looks are bits of one number, 1 where a look said the opposite of the one before. A page
that says the same all the time keeps the number 0, so its state does not change from look to look.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FlapRule:
    """From ``flips`` among the last ``window_looks`` a page flaps, until ``calm_looks`` without one.

    Raises:
        ValueError: a number below 1, or more flips than looks.
    """

    flips: int = 5
    window_looks: int = 14
    calm_looks: int = 8

    def __post_init__(self) -> None:
        if not 1 <= self.flips <= self.window_looks or self.calm_looks < 1:
            raise ValueError("more flips than looks, or none at all")

    def noted(self, bits: int, *, flipped: bool) -> int:
        """Return the bits with one look more; those too old to matter fall off."""
        width = max(self.window_looks, self.calm_looks)
        return (bits << 1 | flipped) & _ones(width)

    def flaps(self, bits: int) -> bool:
        """Tell whether these looks flipped often enough."""
        return (bits & _ones(self.window_looks)).bit_count() >= self.flips

    def calm(self, bits: int) -> bool:
        """Tell whether the newest looks all said the same."""
        return not bits & _ones(self.calm_looks)


def _ones(count: int) -> int:
    return (1 << count) - 1
