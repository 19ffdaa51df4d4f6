"""Reading regions, bodies, schedules and targets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, or_, select

from app.core import db, lately
from app.core.errors import NotFound
from app.organisations.domain import RegionLevel
from app.organisations.models import Body, BodyAlias, Region, ScheduleBatch, ScheduleMember, Target


@dataclass(frozen=True, slots=True)
class RegionView:
    """``parent_code`` is None for the province; ``reports_directly`` as the notice treats 顺德 and 横琴."""

    code: str
    name: str
    level: RegionLevel
    parent_code: str | None
    reports_directly: bool


@dataclass(frozen=True, slots=True)
class BodyView:
    """``name`` is the short form (公安厅), ``full_name`` the unique one (省公安厅)."""

    id: int
    name: str
    full_name: str
    level: RegionLevel
    region_code: str
    region_name: str


@dataclass(frozen=True, slots=True)
class BatchView:
    """One batch of an annex; ``stated_count`` and ``listed_count`` may disagree, as in the notice.

    Attributes:
        part: ``cities``, ``national``, ``provincial`` or ``""``.
        members: ids of bodies in the notice's order.
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
    members: list[int]
    source: str


@dataclass(frozen=True, slots=True)
class TargetView:
    level: str
    words: str
    indicator: str | None
    op: str | None
    value: int | None
    unit: str | None
    scope: str | None
    deadline: date | None
    strength: str | None
    source: str


_REGIONS = "organisations.regions"


def regions() -> list[RegionView]:
    """Return every region, by code."""
    return lately.kept(_REGIONS, _regions).copy()


def forget_regions() -> None:
    """Read the regions anew: they were changed."""
    lately.forget(_REGIONS)


def _regions() -> list[RegionView]:
    rows = db.session().scalars(select(Region).order_by(Region.code))
    return [RegionView(row.code, row.name, row.level, row.parent_code, row.reports_directly) for row in rows]


def _bodies() -> Select[Body, str]:
    return select(Body, Region.name).join(Region, Region.code == Body.region_code)


def _view(body: Body, region_name: str) -> BodyView:
    return BodyView(body.id, body.name, body.full_name, body.level, body.region_code, region_name)


def bodies(level: RegionLevel | None = None) -> list[BodyView]:
    """Return every body, or those of one level, by region and full name."""
    query = _bodies().order_by(Body.region_code, Body.full_name)
    if level is not None:
        query = query.where(Body.level == level)
    return [_view(*row) for row in db.session().execute(query)]


# Labelled, so that a row's own id and name stay what they are.
_JOINED = (
    Body.id.label("joined_id"),
    Body.name.label("joined_name"),
    Body.full_name.label("joined_full_name"),
    Body.level.label("joined_level"),
    Body.region_code.label("joined_region_code"),
    Region.name.label("joined_region_name"),
)


def join_body(query: Select[*tuple[Any, ...]], body_id_column: Any) -> Select[*tuple[Any, ...]]:
    """Add the body of each row to another capability's query, so that no second one is needed.

    :func:`joined_body` reads it from the row; :func:`body_named` and :func:`body_stands_in` filter by it.
    """
    joined = query.join(Body, Body.id == body_id_column).join(Region, Region.code == Body.region_code)
    return joined.add_columns(*_JOINED)


def join_names(query: Select[*tuple[Any, ...]], body_id_column: Any) -> Select[*tuple[Any, ...]]:
    """Add ``joined_full_name`` and ``joined_region_name`` of each row's body, and nothing else of it."""
    body, region = Body.__table__, Region.__table__
    joined = query.join(body, body.c.id == body_id_column).join(region, region.c.code == body.c.region_code)
    return joined.add_columns(
        body.c.full_name.label("joined_full_name"), region.c.name.label("joined_region_name")
    )


def joined_body(row: Row[*tuple[Any, ...]]) -> BodyView:
    """Return the body of a row of a query that :func:`join_body` completed."""
    return BodyView(*row[-len(_JOINED) :])


def body_named(word: str) -> ColumnElement[bool]:
    """Return the condition that the joined body has ``word`` in one of its names."""
    return or_(Body.full_name.contains(word, autoescape=True), Body.name.contains(word, autoescape=True))


def body_stands_in(region_code: str) -> ColumnElement[bool]:
    """Return the condition that the joined body is one of this region itself."""
    return Body.region_code == region_code


def get_body(body_id: int) -> BodyView:
    """Return one body.

    Raises:
        NotFound: no such body.
    """
    row = db.session().execute(_bodies().where(Body.id == body_id)).first()
    if row is None:
        raise NotFound("没有这个单位")
    return _view(*row)


def find_body(name: str) -> BodyView:
    """Return the body that answers to ``name``: short, full, or as the notice spells it.

    Raises:
        NotFound: nobody answers to it.
    """
    query = _bodies().join(BodyAlias, BodyAlias.body_id == Body.id).where(BodyAlias.name == name.strip())
    row = db.session().execute(query).first()
    if row is None:
        raise NotFound("没有这个单位")
    return _view(*row)


def schedule(annex: int | None = None) -> list[BatchView]:
    """Return the batches of one annex, or of all, in the notice's order."""
    # "cities" stands first in annex 3, "national" before "provincial" in annex 6: also by alphabet.
    query = select(ScheduleBatch).order_by(ScheduleBatch.annex, ScheduleBatch.part, ScheduleBatch.batch)
    if annex is not None:
        query = query.where(ScheduleBatch.annex == annex)
    batches = list(db.session().scalars(query))
    members: dict[int, list[int]] = {batch.id: [] for batch in batches}
    rows = select(ScheduleMember.batch_id, ScheduleMember.body_id).order_by(ScheduleMember.position)
    for batch_id, body_id in db.session().execute(rows):
        if batch_id in members:
            members[batch_id].append(body_id)
    return [
        BatchView(
            annex=batch.annex,
            part=batch.part,
            batch=batch.batch,
            label=batch.label,
            stated_count=batch.stated_count,
            listed_count=batch.listed_count,
            stated_items=batch.stated_items,
            deadline=batch.deadline,
            open_ended=batch.open_ended,
            members=members[batch.id],
            source=batch.source,
        )
        for batch in batches
    ]


def targets(level: str | None = None) -> list[TargetView]:
    """Return the notice's targets, all or those of one level."""
    query = select(Target).order_by(Target.level, Target.indicator, Target.words)
    if level is not None:
        query = query.where(Target.level == level)
    return [
        TargetView(
            level=row.level,
            words=row.words,
            indicator=row.indicator,
            op=row.op,
            value=row.value,
            unit=row.unit,
            scope=row.scope,
            deadline=row.deadline,
            strength=row.strength,
            source=row.source,
        )
        for row in db.session().scalars(query)
    ]
