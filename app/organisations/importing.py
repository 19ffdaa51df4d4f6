"""The notice's tables into the database; repeating it changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from app.core import audit, db
from app.core.db import Model
from app.organisations.domain import RegionLevel
from app.organisations.models import Body, BodyAlias, Region, ScheduleBatch, ScheduleMember, Target
from app.organisations.places import forget_regions
from config.notice import Notice

Progress = Callable[[int, int], None]
Row = dict[str, Any]


def import_notice(notice: Notice, progress: Progress) -> Mapping[str, int]:
    """Bring the tables to what ``notice`` says, in the running transaction.

    Regions and bodies that are gone from the files stay, since pages and people hang on them.

    Returns:
        how many rows were added, changed and removed; all 0 when nothing was to do.
    """
    regions, bodies = _region_rows(notice), _body_rows(notice)
    members = sum(len(batch.members) for batch in notice.batches)
    aliases = sum(len(body.aliases) for body in notice.bodies)
    total = len(regions) + len(bodies) + aliases + len(notice.batches) + members + len(notice.targets)
    tables = _Tables(progress, total)
    tables.bring(Region, ("code",), regions)
    by_name = tables.bring(Body, ("full_name",), bodies)
    body_ids = {full_name: row.id for (full_name,), row in by_name.items()}
    tables.bring(BodyAlias, ("name",), _alias_rows(notice, body_ids), remove=True)
    batches = tables.bring(ScheduleBatch, ("annex", "part", "batch"), _batch_rows(notice))
    tables.bring(
        ScheduleMember, ("batch_id", "position"), _member_rows(notice, batches, body_ids), remove=True
    )
    tables.remove_others(ScheduleBatch, ("annex", "part", "batch"), _batch_rows(notice))
    tables.bring(Target, ("level", "words"), _target_rows(notice), remove=True)
    forget_regions()
    if any(tables.changes.values()):
        audit.record("system", "notice-imported", "notice", 0, tables.changes)
    return tables.changes


class _Tables:
    """Compares tables with what they should hold, and counts."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0
        self.changes = {"added": 0, "changed": 0, "removed": 0}

    def bring(
        self, model: type[Model], key: Sequence[str], wanted: Iterable[Row], *, remove: bool = False
    ) -> dict[tuple[Any, ...], Any]:
        """Add and change rows of ``model`` until they are as ``wanted``; return them by key."""
        rows = {_key(row, key): row for row in db.writing().scalars(select(model))}
        met = set()
        for values in wanted:
            found = tuple(values[name] for name in key)
            met.add(found)
            if found not in rows:
                rows[found] = model(**values)
                db.writing().add(rows[found])
                self.changes["added"] += 1
            elif self._change(rows[found], values):
                self.changes["changed"] += 1
            self._done += 1
        if remove:
            self._remove(row for found, row in rows.items() if found not in met)
        db.writing().flush()
        self._progress(self._done, self._total)
        return rows

    def remove_others(self, model: type[Model], key: Sequence[str], wanted: Iterable[Row]) -> None:
        keep = {tuple(values[name] for name in key) for values in wanted}
        self._remove(row for row in db.writing().scalars(select(model)) if _key(row, key) not in keep)
        db.writing().flush()

    def _change(self, row: Model, values: Row) -> bool:
        differing = {name: value for name, value in values.items() if getattr(row, name) != value}
        for name, value in differing.items():
            setattr(row, name, value)
        return bool(differing)

    def _remove(self, rows: Iterable[Model]) -> None:
        for row in list(rows):
            db.writing().delete(row)
            self.changes["removed"] += 1


def _key(row: Model, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in names)


def _region_rows(notice: Notice) -> list[Row]:
    return [
        {
            "code": region.code,
            "name": region.name,
            "level": RegionLevel(region.level),
            "parent_code": region.parent_code,
            "group": region.group,
            "reports_directly": region.reports_directly,
            "source": region.source,
        }
        for region in notice.regions
    ]


def _body_rows(notice: Notice) -> list[Row]:
    regions = {region.code: region for region in notice.regions}
    rows = []
    for body in notice.bodies:
        level = RegionLevel(body.level)
        parent = regions[body.region_code].parent_code
        rows.append(
            {
                "full_name": body.full_name,
                "name": body.name,
                "level": level,
                "region_code": body.region_code,
                "city_code": city_code(level, body.region_code, parent),
                "source": body.source,
            }
        )
    return rows


def city_code(level: RegionLevel, region_code: str, parent_code: str | None) -> str | None:
    """Return the city that a body in ``region_code`` belongs to or governs; None for the province's."""
    if level is RegionLevel.PROVINCE:
        return None
    return region_code if level is RegionLevel.CITY else parent_code


def _alias_rows(notice: Notice, body_ids: Mapping[str, int]) -> list[Row]:
    return [
        {"name": alias, "body_id": body_ids[body.full_name], "source": body.source}
        for body in notice.bodies
        for alias in body.aliases
    ]


def _batch_rows(notice: Notice) -> list[Row]:
    return [
        {
            "annex": batch.annex,
            "part": batch.part,
            "batch": batch.batch,
            "label": batch.label,
            "stated_count": batch.stated_count,
            "listed_count": batch.listed_count,
            "stated_items": batch.stated_items,
            "deadline": batch.deadline,
            "open_ended": batch.open_ended,
            "source": batch.source,
        }
        for batch in notice.batches
    ]


def _member_rows(
    notice: Notice, batches: Mapping[tuple[Any, ...], Any], body_ids: Mapping[str, int]
) -> list[Row]:
    return [
        {
            "batch_id": batches[batch.annex, batch.part, batch.batch].id,
            "position": position,
            "body_id": body_ids[member.full_name],
            "seed_name": member.seed_name,
            "items": member.items,
            "includes": member.includes,
            "source": batch.source,
        }
        for batch in notice.batches
        for position, member in enumerate(batch.members, start=1)
    ]


def _target_rows(notice: Notice) -> list[Row]:
    return [
        {
            "level": target.level,
            "words": target.words,
            "indicator": target.indicator,
            "op": target.op,
            "value": target.value,
            "unit": target.unit,
            "scope": target.scope,
            "deadline": target.deadline,
            "strength": target.strength,
            "quote": target.quote,
            "note": target.note,
            "source": target.source,
        }
        for target in notice.targets
    ]
