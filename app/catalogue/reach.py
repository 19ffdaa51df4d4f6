"""Whose items a place may use (区域继承): its own, those of the places above it, then those within it."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import Invalid
from app.organisations import service as organisations


@dataclass(frozen=True, slots=True)
class Reach:
    """Region codes in the order in which their implementations are preferred; ``None`` is every place."""

    codes: tuple[str, ...] | None

    def rank(self, region_code: str) -> int:
        """Return how far down the preference a place stands; 0 is the best."""
        return self.codes.index(region_code) if self.codes is not None else 0


def reach_of(region_code: str | None) -> Reach:
    """Return whose items serve somebody in ``region_code``; None, or the province itself, is everybody's.

    Raises:
        Invalid: there is no such region.
    """
    if region_code is None:
        return Reach(None)
    regions = {region.code: region for region in organisations.regions()}
    if region_code not in regions:
        raise Invalid("没有这个地区", fields={"region": ["没有这个地区"]})
    above = regions[region_code].parent_code
    if above is None:
        return Reach(None)
    codes = [region_code]
    while above is not None:
        codes.append(above)
        above = regions[above].parent_code
    within = [region.code for region in regions.values() if region.parent_code == region_code]
    return Reach(tuple(codes + within))
