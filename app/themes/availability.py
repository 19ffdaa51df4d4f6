"""Who carries a theme's items out for one place (区域继承): the place itself, else the nearest above it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from app.catalogue import service as catalogue
from app.catalogue.service import ItemPlace, ItemView
from app.core.errors import Invalid
from app.organisations import service as organisations
from app.organisations.service import RegionView
from app.themes.definition import Definition, ThemeItem
from app.themes.merging import Source


@dataclass(frozen=True, slots=True)
class PlacedItem:
    """One item of a theme in one place.

    Attributes:
        view: as it is carried out for the place; None where it cannot be applied for there.
        why_not: why not, in Chinese; ``""`` when it can.
        nearest: where it can be had instead; None for nowhere, or when it can be had here.
    """

    item: ThemeItem
    name: str
    view: ItemView | None
    why_not: str = ""
    nearest: ItemPlace | None = None

    @property
    def code(self) -> str:
        return self.item.code


@dataclass(frozen=True, slots=True)
class Placed:
    """A theme in one place, its items in the theme's order."""

    region: RegionView
    items: tuple[PlacedItem, ...]

    @property
    def there(self) -> list[tuple[PlacedItem, ItemView]]:
        """Return the items that can be applied for."""
        return [(one, one.view) for one in self.items if one.view is not None]

    @property
    def missing(self) -> list[PlacedItem]:
        return [one for one in self.items if one.view is None]

    @property
    def whole(self) -> bool:
        return not self.missing

    def without(self, left_out: Collection[str]) -> Placed:
        """Return the same but for the items that the applicant does not want."""
        return Placed(self.region, tuple(one for one in self.items if one.code not in left_out))

    def sources(self) -> list[Source]:
        """Return what the items ask for, for merging."""
        return [
            Source(one.code, view.content.name, view.form, view.content.materials)
            for one, view in self.there
            if view.form is not None
        ]

    def versions(self) -> dict[str, str]:
        """Return the version of each item, as text: keys are too long for JSON's numbers."""
        return {one.code: str(view.version_id) for one, view in self.there}


@dataclass(slots=True)
class Catalogue:
    """The catalogue as one question after another needs it; each thing is read once."""

    regions: dict[str, RegionView] = field(
        default_factory=lambda: {one.code: one for one in organisations.regions()}
    )
    _directories: dict[ThemeItem, int | None] = field(default_factory=dict)
    _places: dict[int, list[ItemPlace]] = field(default_factory=dict)
    _items: dict[int, ItemView] = field(default_factory=dict)

    def directory(self, item: ThemeItem) -> int | None:
        """Return the item's id in the directory, None when there is no such item."""
        if item not in self._directories:
            self._directories[item] = catalogue.find_directory(item.scheme, item.code)
        return self._directories[item]

    def places(self, item: ThemeItem) -> list[ItemPlace]:
        """Return every place that carries the item out."""
        directory_id = self.directory(item)
        if directory_id is None:
            return []
        if directory_id not in self._places:
            self._places[directory_id] = catalogue.places_of(directory_id)
        return self._places[directory_id]

    def item(self, place: ItemPlace) -> ItemView:
        """Return the item as a place carries it out."""
        if place.id not in self._items:
            self._items[place.id] = catalogue.item(place.id)
        return self._items[place.id]

    def region(self, code: str | None) -> RegionView:
        """Return a place; None is the province.

        Raises:
            Invalid: there is no such region.
        """
        if code is None:
            return next(one for one in self.regions.values() if one.parent_code is None)
        if code not in self.regions:
            raise Invalid("没有这个地区", fields={"region": ["没有这个地区"]})
        return self.regions[code]

    def placed(self, definition: Definition, region_code: str | None) -> Placed:
        """Return the theme in one place.

        Raises:
            Invalid: there is no such region.
        """
        region = self.region(region_code)
        return Placed(region, tuple(self._placed(one, region) for one in definition.items))

    def _placed(self, item: ThemeItem, region: RegionView) -> PlacedItem:
        places = self.places(item)
        if not places:
            return PlacedItem(item, item.code, None, "还没有单位办理这个事项")
        by_region = {one.region_code: one for one in reversed(places)}
        serving = next((by_region[code] for code in self._upwards(region) if code in by_region), None)
        if serving is None:
            nearest = min(places, key=lambda one: self._distance(region, one))
            return PlacedItem(item, self.item(nearest).content.name, None, "本地还没有开通", nearest)
        view = self.item(serving)
        if view.form is None:
            return PlacedItem(item, view.content.name, None, "要到窗口办理", serving)
        if not view.open:
            return PlacedItem(item, view.content.name, None, "暂停办理", serving)
        return PlacedItem(item, view.content.name, view)

    def _upwards(self, region: RegionView) -> Iterable[str]:
        code: str | None = region.code
        while code is not None:
            yield code
            code = self.regions[code].parent_code

    def _distance(self, region: RegionView, place: ItemPlace) -> int:
        """Return how far away a place is: within the region, then next to it, then anywhere."""
        theirs = set(self._upwards(self.regions[place.region_code]))
        return next(number for number, code in enumerate(self._upwards(region)) if code in theirs)
