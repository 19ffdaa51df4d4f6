"""Themes as residents read them: what is done by whom, in which order, how long it takes at most."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter

from sqlalchemy import select

from app.catalogue.service import ItemView
from app.core import db
from app.core.errors import NotFound
from app.themes import definition as definitions
from app.themes import merging
from app.themes.availability import Catalogue, Placed, PlacedItem
from app.themes.definition import Definition
from app.themes.domain import JOINT_DAYS, JOINT_EXTENSION_DAYS, Needs
from app.themes.merging import Merged
from app.themes.models import ThemeVersion

THEMES_MAX = 200


@dataclass(frozen=True, slots=True)
class ThemeLine:
    """A theme as a list shows it; ``id`` is of the theme and stays the same over its versions."""

    id: int
    code: str
    name: str
    summary: str
    item_count: int
    joint: bool
    sample: bool


@dataclass(frozen=True, slots=True)
class Limit:
    """How long it takes at most.

    Attributes:
        promised_days: what the authorities promise, one after the other where they must.
        lawful_days: 法定 working days; None where no law names any.
        extension_days: by which it may be put off, once.
        law: where that stands; ``""`` for the items' own limits.
    """

    promised_days: int
    lawful_days: int | None
    extension_days: int
    law: str


@dataclass(frozen=True, slots=True)
class Guide:
    """A theme in one place.

    Attributes:
        steps: the items that can be applied for there, in waves: a wave begins when those before it are
            granted.
        merged: None where nothing can be applied for.
    """

    theme: ThemeLine
    version_id: int
    definition: Definition
    placed: Placed
    steps: tuple[tuple[PlacedItem, ...], ...]
    merged: Merged | None
    limit: Limit
    level: int

    @property
    def open(self) -> bool:
        return self.merged is not None


def themes(query: str = "") -> list[ThemeLine]:
    """Return the themes in force, by code.

    Args:
        query: what people call the matter; part of a name, of the summary or of a synonym. ``""``: all.
    """
    found = [(row, definitions.read(row.definition)) for row in _live_rows(limit=THEMES_MAX)]
    lines = [_line(row, told) for row, told in found if _is_about(told, query.strip().lower())]
    return sorted(lines, key=lambda one: one.code)


def _is_about(told: Definition, query: str) -> bool:
    words = (told.name, told.summary, *told.synonyms)
    # Whoever types a whole sentence means the synonym that is in it.
    return any(query in word.lower() for word in words) or any(one.lower() in query for one in told.synonyms)


def _live_rows(*, limit: int) -> list[ThemeVersion]:
    return list(db.session().scalars(select(ThemeVersion).where(ThemeVersion.live == 1).limit(limit)))


def _line(row: ThemeVersion, told: Definition) -> ThemeLine:
    return ThemeLine(
        row.theme_id, told.code, told.name, told.summary, len(told.items), told.joint, told.sample
    )


def live_version(theme_id: int) -> ThemeVersion:
    """Return the version in force.

    Raises:
        NotFound: no such theme, or none of its versions is in force.
    """
    query = select(ThemeVersion).where(ThemeVersion.theme_id == theme_id, ThemeVersion.live == 1)
    row = db.session().scalar(query)
    if row is None:
        raise NotFound("没有这个主题，或已经停用")
    return row


def guide(theme_id: int, region_code: str | None, *, left_out: Collection[str] = ()) -> Guide:
    """Return a theme as it is done in one place.

    Args:
        region_code: None is the whole province.
        left_out: optional items that the applicant does not want; others are kept nevertheless.

    Raises:
        NotFound: no such theme in force.
        Invalid: there is no such region.
    """
    row = live_version(theme_id)
    told = definitions.read(row.definition)
    optional = {one.code for one in told.items if one.optional}
    placed = Catalogue().placed(told, region_code).without(optional & set(left_out))
    return guide_of(row, told, placed)


def guide_of(row: ThemeVersion, told: Definition, placed: Placed) -> Guide:
    """Return the guide of a theme over items that are placed already."""
    sources, there = placed.sources(), [view for _, view in placed.there]
    return Guide(
        theme=_line(row, told),
        version_id=row.id,
        definition=told,
        placed=placed,
        steps=_steps(placed, told),
        merged=merging.merge(told, sources) if sources else None,
        limit=_limit(told, placed),
        level=max((view.content.level for view in there), default=1),
    )


def needs_among(told: Definition, items: Collection[str]) -> Needs:
    """Return which of ``items`` must be granted before which; what is done elsewhere is not waited for."""
    known = definitions.needs_of(told)
    return {item: frozenset(known[item]) & set(items) for item in items}


def _steps(placed: Placed, told: Definition) -> tuple[tuple[PlacedItem, ...], ...]:
    by_code = {one.code: one for one, _ in placed.there}
    sorter = TopologicalSorter(needs_among(told, by_code))
    sorter.prepare()
    found = []
    while sorter.is_active():
        wave = sorter.get_ready()
        found.append(tuple(one for code, one in by_code.items() if code in wave))
        sorter.done(*wave)
    return tuple(found)


def _limit(told: Definition, placed: Placed) -> Limit:
    views = {one.code: view for one, view in placed.there}
    promised = _longest(views, needs_among(told, views))
    if told.joint:
        return Limit(
            min(promised, JOINT_DAYS), JOINT_DAYS, JOINT_EXTENSION_DAYS, "行政许可法第二十六条、第四十二条"
        )
    lawful = [view.content.lawful_days for view in views.values() if view.content.lawful_days is not None]
    return Limit(promised, max(lawful, default=None), 0, "")


def _longest(views: Mapping[str, ItemView], needs: Needs) -> int:
    """Return the promised days of the longest chain of items that wait for each other."""
    ends: dict[str, int] = {}
    for code in TopologicalSorter(needs).static_order():
        ends[code] = max((ends[one] for one in needs[code]), default=0) + views[code].content.promised_days
    return max(ends.values(), default=0)
