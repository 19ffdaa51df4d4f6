"""The notice's tables (粤办函〔2016〕186号): regions, bodies, schedules of annexes 2–6, targets.

Every row says where it comes from. What a heading states and what the list under it names are both
kept as they stand, also where they disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
PROVINCE, CITY, COUNTY, ZONE = "province", "city", "county", "zone"
# Annex 3 gives all cities one date without naming them; they are put before its numbered batches.
ALL_CITIES_BATCH = 0


@dataclass(frozen=True, slots=True)
class RegionRow:
    """A place.

    Attributes:
        code: GB/T 2260; a zone without one has an internal code that begins with ``zone-``.
        level: ``province``, ``city``, ``county`` or ``zone``.
        parent_code: None for the province.
        group: ``prd`` (珠三角九市), ``ewn`` (粤东西北) or ``""``.
        reports_directly: the notice treats it as a unit of its own beside the cities.
    """

    code: str
    name: str
    level: str
    parent_code: str | None
    group: str
    reports_directly: bool
    source: str


@dataclass(frozen=True, slots=True)
class BodyRow:
    """A provincial body, or the government of a place.

    Attributes:
        name: short form, e.g. ``公安厅``, ``广州市``.
        full_name: unique, e.g. ``省公安厅``, ``广州市人民政府``.
        aliases: every spelling it is found under, itself included.
    """

    name: str
    full_name: str
    level: str
    region_code: str
    aliases: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One name in a batch; ``items`` and ``includes`` are what the notice adds to it."""

    full_name: str
    seed_name: str
    items: int | None
    includes: str


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One batch (批次) of an annex.

    Attributes:
        part: ``""``, or ``cities`` (annex 3), ``national``, ``provincial`` (annex 6).
        stated_count: what the heading says; None when it says nothing.
        listed_count: names that really stand there.
        deadline: None where the notice breaks off before the date.
        open_ended: the list ends in 等, so others may belong to it.
    """

    annex: int
    part: str
    batch: int
    label: str
    stated_count: int | None
    listed_count: int
    stated_items: int | None
    deadline: date | None
    open_ended: bool
    members: tuple[MemberRow, ...]
    source: str


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One aim (目标); ``indicator``, ``op``, ``value`` are None where the notice gives no figure.

    Attributes:
        op: ``>=`` for 以上 and 达到, ``>`` for 超过, ``=`` for 所有.
        value: in ``unit``, percent so far.
        strength: ``firm`` or ``aspirational`` (力争、争取); None without a figure.
    """

    level: str
    words: str
    indicator: str | None
    op: str | None
    value: int | None
    unit: str | None
    scope: str | None
    deadline: date | None
    strength: str | None
    quote: str
    note: str
    source: str


@dataclass(frozen=True, slots=True)
class Notice:
    """All tables; parents stand before their children."""

    document: str
    regions: tuple[RegionRow, ...]
    bodies: tuple[BodyRow, ...]
    batches: tuple[BatchRow, ...]
    targets: tuple[TargetRow, ...]


def load(folder: Path = FOLDER) -> Notice:
    """Return the notice's tables from the files in ``folder``.

    Raises:
        ValueError: a name stands for two bodies, a batch names a body that nobody knows, or a body
            stands in no annex.
    """
    annexes = _read(folder / "annexes.yaml")
    document = str(annexes["document"])
    places = _read(folder / "regions.yaml")
    mentions = tuple(_mentions(annexes, document))
    named = {member["name"] for _annex, _part, raw, _source in mentions for member in raw["members"]}
    regions = tuple(_regions(places, named, document))
    bodies = (*_provincial_bodies(annexes, mentions), *_governments(regions))
    by_alias = _by_alias(bodies)
    cities = [city["short"] for city in places["cities"]]
    batches = (
        _all_cities(annexes["annex3"]["cities"], cities, by_alias, document),
        *(_batch(annex, part, raw, by_alias, source) for annex, part, raw, source in mentions),
    )
    return Notice(document, regions, bodies, batches, tuple(_targets(_read(folder / "targets.yaml"))))


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _regions(places: Mapping[str, Any], named: Set[str], document: str) -> Iterator[RegionRow]:
    """Yield every place; a district or zone that is ``named`` in a batch of its own reports directly."""
    listed = str(places["source"])
    province = places["province"]
    yield RegionRow(province["code"], province["name"], PROVINCE, None, "", False, listed)
    for city in places["cities"]:
        group = city["group"]
        yield RegionRow(city["code"], city["name"], CITY, province["code"], group, False, listed)
        for county in city["counties"]:
            alone = county["name"] in named
            yield RegionRow(county["code"], county["name"], COUNTY, city["code"], group, alone, listed)
    for zone in places["zones"]:
        if not zone["code"]:
            alone, source = zone["name"] in named, f"{document}: {zone['note']}"
            yield RegionRow(zone["internal_code"], zone["name"], ZONE, zone["parent"], "", alone, source)


def _mentions(annexes: Mapping[str, Any], document: str) -> Iterator[tuple[int, str, Mapping[str, Any], str]]:
    """Yield annex, part, batch as written and its source, in the order of the notice."""
    for annex in range(2, 7):
        table = annexes[f"annex{annex}"]
        parts = (
            [("", table, "")]
            if "batches" in table
            else [(part, table[part], table[part]["title"]) for part in ("national", "provincial")]
        )
        for part, holder, title in parts:
            for raw in holder["batches"]:
                words = " ".join(filter(None, (document, f"附件{annex}", title, raw["label"])))
                yield annex, part, raw, words


def _provincial_bodies(
    annexes: Mapping[str, Any], mentions: Sequence[tuple[int, str, Mapping[str, Any], str]]
) -> Iterator[BodyRow]:
    province = "440000"
    spellings: dict[str, set[str]] = {name: set() for name in annexes["cross"]["all_bodies"]}
    sources: dict[str, str] = {}
    for _annex, _part, raw, source in mentions:
        for member in raw["members"]:
            name = _short_form(member["name"])
            if name in spellings:
                spellings[name].add(member["name"])
                sources.setdefault(name, source)
    for name, seen in spellings.items():
        if name not in sources:
            raise ValueError(f"no annex names {name}")
        full_name = f"省{name}"
        aliases = {name, full_name, f"广东省{name}", *seen}
        yield BodyRow(name, full_name, PROVINCE, province, tuple(sorted(aliases)), sources[name])


def _short_form(seed_name: str) -> str:
    """Return a seed name without the leading 省 of its list and without brackets."""
    return seed_name.removeprefix("省").partition("（")[0]


def _governments(regions: Sequence[RegionRow]) -> Iterator[BodyRow]:
    by_code = {region.code: region for region in regions}
    for region in regions:
        name = region.name
        more: tuple[str, ...]
        if region.level == CITY:
            full_name, more = f"{name}人民政府", (name.removesuffix("市"),)
        elif region.level == COUNTY:
            city = by_code[region.parent_code or ""].name
            # A district carries its city's name; a county or county-level city stands alone.
            full_name = f"{city if name.endswith('区') else ''}{name}人民政府"
            more = (f"{city}{name}", f"{city}{name}人民政府")
        elif region.level == ZONE:
            full_name, more = name, (name.removeprefix("广东自贸区"),)
        else:
            continue
        aliases = tuple(sorted({name, full_name, *more}))
        yield BodyRow(name, full_name, region.level, region.code, aliases, region.source)


def _by_alias(bodies: Sequence[BodyRow]) -> dict[str, str]:
    found: dict[str, str] = {}
    for body in bodies:
        for alias in body.aliases:
            if alias in found:
                raise ValueError(f"{alias} stands for {found[alias]} and for {body.full_name}")
            found[alias] = body.full_name
    return found


def _all_cities(
    raw: Mapping[str, Any], cities: Sequence[str], by_alias: Mapping[str, str], document: str
) -> BatchRow:
    return BatchRow(
        annex=3,
        part="cities",
        batch=ALL_CITIES_BATCH,
        label="所有地市",
        stated_count=None,
        listed_count=int(raw["count"]),
        stated_items=None,
        deadline=_day(raw["deadline"]),
        open_ended=False,
        members=tuple(MemberRow(by_alias[name], name, None, "") for name in cities),
        source=f"{document} 附件3 {raw['words']}（{raw['count_source']}）",
    )


def _batch(
    annex: int, part: str, raw: Mapping[str, Any], by_alias: Mapping[str, str], source: str
) -> BatchRow:
    members = []
    for member in raw["members"]:
        name = member["name"]
        if name not in by_alias:
            raise ValueError(f"{source} names {name}, which no body answers to")
        members.append(MemberRow(by_alias[name], name, member.get("items"), member.get("includes", "")))
    return BatchRow(
        annex=annex,
        part=part,
        batch=raw["batch"],
        label=raw["label"],
        stated_count=raw["stated_count"],
        listed_count=raw["listed_count"],
        stated_items=raw.get("stated_items"),
        deadline=_day(raw["deadline"]),
        open_ended=raw.get("open_ended", False),
        members=tuple(members),
        source=source,
    )


def _targets(table: Mapping[str, Any]) -> Iterator[TargetRow]:
    document = table["document"]["number"]
    sections = {level["id"]: f"{document} {level['section']}" for level in table["levels"]}
    for raw in (*table["targets"], *table["targets_without_figure"]):
        yield TargetRow(
            level=raw["level"],
            words=raw["words"],
            indicator=raw.get("indicator"),
            op=raw.get("op"),
            value=raw.get("value"),
            unit=raw.get("unit"),
            scope=raw.get("scope"),
            deadline=_day(raw.get("deadline")),
            strength=raw.get("strength"),
            quote=raw.get("quote", raw["words"]),
            note=raw.get("note", raw.get("gloss", "")),
            source=sections[raw["level"]],
        )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
