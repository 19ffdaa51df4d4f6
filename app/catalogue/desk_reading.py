"""What staff see of the catalogue: lists in their scope, one item with its versions, one version, scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, or_, select

from app.catalogue import editing, reading
from app.catalogue.content import to_json
from app.catalogue.differences import Change, Document, differences
from app.catalogue.domain import LIMIT_MAX, VersionEvent, VersionState
from app.catalogue.models import ItemDirectory, ItemFault, ItemImplementation, ItemStanding, ItemVersion
from app.catalogue.quality import Assessment, assess
from app.catalogue.quality_rules import Subject
from app.catalogue.reading import ItemView
from app.core import db
from app.core.access import Permission
from app.core.errors import Invalid, NotFound
from app.core.ids import read_id
from app.organisations import service as organisations
from app.organisations.service import Principal

VERSIONS_MAX = 100
_FEW = 1000
_GAP = "|"


@dataclass(frozen=True, slots=True)
class StandingLine:
    """One implementation as the desk's list shows it.

    Attributes:
        newest_state: of its newest version; None while there is none.
        live_state: of the version residents see; None where they see none.
        score: None while there is no version.
        waiting_since: since when its newest version waits for the review.
    """

    id: int
    directory_id: int
    code: str
    name: str
    body_name: str
    region_name: str
    newest_id: int | None
    newest_number: int
    newest_state: VersionState | None
    live_id: int | None
    live_state: VersionState | None
    score: int | None
    waiting_since: datetime | None


@dataclass(frozen=True, slots=True)
class StandingList:
    items: list[StandingLine]
    next_after: str | None


@dataclass(frozen=True, slots=True)
class DirectoryLine:
    """An item of the directory; ``version`` counts its changes."""

    id: int
    code: str
    code_scheme: str
    name: str
    item_type: str
    domain: str
    legal_basis: Sequence[Mapping[str, str]]
    sample: bool
    version: int


@dataclass(frozen=True, slots=True)
class DirectoryList:
    items: list[DirectoryLine]
    next_after: str | None


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version among others."""

    id: int
    number: int
    state: VersionState
    effective_on: Any
    created_at: datetime
    created_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImplementationView:
    """An implementation with its versions, the newest first; at most ``VERSIONS_MAX``."""

    line: StandingLine
    directory: DirectoryLine
    body_id: int
    region_code: str
    code_scheme: str
    versions: list[VersionLine]
    may_begin: bool


@dataclass(frozen=True, slots=True)
class DeskVersion:
    """A version as staff see it.

    Attributes:
        version: counts the changes of this version, for those who change it next.
        may: moves that the caller may make; ``may_write``: whether the caller may edit.
        before: the version that it is compared with first; None for the first of all.
    """

    item: ItemView
    version: int
    reason: str
    created_at: datetime
    created_by: str
    submitted_at: datetime | None
    submitted_by: str
    quality: Assessment
    may: tuple[VersionEvent, ...]
    may_write: bool
    before: VersionLine | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which implementations are meant.

    Attributes:
        text: part of the name.
        state: of the newest version.
        rule: only those that break this standard check.
        written: only those that have a version.
    """

    text: str = ""
    state: VersionState | None = None
    body_id: int | None = None
    rule: str = ""
    written: bool = False


def implementations(
    by: Principal, wanted: Filter, *, after: str | None = None, limit: int = 20
) -> StandingList:
    """Return the implementations in the caller's scope by name.

    Raises:
        Invalid: ``after`` is none of ours.
    """
    limit = min(limit, LIMIT_MAX)
    lines = lines_for(by, wanted, after, limit + 1)
    more = len(lines) > limit
    return StandingList(lines[:limit], after_of(lines[limit - 1]) if more else None)


def after_of(line: StandingLine) -> str:
    """Return where a list goes on after a line."""
    return f"{line.name}{_GAP}{line.id}"


def lines_for(by: Principal, wanted: Filter, after: str | None, limit: int) -> list[StandingLine]:
    """Return the first lines of what is meant, by name.

    Raises:
        Invalid: ``after`` is none of ours.
    """
    # Which rows first, out of an index alone; then what a line shows, of these only.
    found = list(db.session().scalars(_narrowed(by, wanted, after).limit(limit)))
    lines = _lines(_standings(by).where(ItemStanding.implementation_id.in_(found)))
    by_id = {one.id: one for one in lines}
    return [by_id[one] for one in found if one in by_id]


def _narrowed(by: Principal, wanted: Filter, after: str | None) -> Select[int]:
    scope = organisations.scope_condition(by, Permission.ITEMS_READ, ItemStanding.body_id)
    query = select(ItemStanding.implementation_id).where(scope)
    if wanted.written:
        query = query.where(ItemStanding.newest_id.is_not(None))
    if wanted.text:
        query = query.where(ItemStanding.name.contains(wanted.text, autoescape=True))
    if wanted.state is not None:
        query = query.where(ItemStanding.newest_state == wanted.state)
    if wanted.body_id is not None:
        query = query.where(ItemStanding.body_id == wanted.body_id)
    if wanted.rule:
        query = query.where(_breaking(by, wanted.rule))
    if after:
        name, last = _after(after)
        query = query.where(
            or_(
                ItemStanding.name > name,
                and_(ItemStanding.name == name, ItemStanding.implementation_id > last),
            )
        )
    return query.order_by(ItemStanding.name, ItemStanding.implementation_id)


def _breaking(by: Principal, rule: str) -> ColumnElement[bool]:
    """Return the condition that an implementation breaks a rule."""
    scope = organisations.scope_condition(by, Permission.ITEMS_READ, ItemFault.body_id)
    query = select(ItemFault.implementation_id).where(ItemFault.rule == rule, scope)
    few = list(db.session().scalars(query.limit(_FEW + 1)))
    if len(few) <= _FEW:
        return ItemStanding.implementation_id.in_(few)
    # Where many break it, a page of them is soon found among all; where few do, it would not be.
    return query.where(ItemFault.implementation_id == ItemStanding.implementation_id).exists()


def waiting(by: Principal, *, limit: int = LIMIT_MAX) -> list[StandingLine]:
    """Return what waits for the review in the caller's scope, the longest first."""
    query = _standings(by).where(ItemStanding.waiting_since.is_not(None))
    return _lines(query.order_by(ItemStanding.waiting_since, ItemStanding.implementation_id).limit(limit))


def _standings(by: Principal) -> Select[*tuple[Any, ...]]:
    query = (
        select(ItemStanding, ItemImplementation.code)
        .join(ItemImplementation, ItemImplementation.id == ItemStanding.implementation_id)
        .where(organisations.scope_condition(by, Permission.ITEMS_READ, ItemStanding.body_id))
    )
    return organisations.join_body(query, ItemStanding.body_id)


def _lines(query: Select[*tuple[Any, ...]]) -> list[StandingLine]:
    return [_line(row) for row in db.session().execute(query)]


def _line(row: Row[*tuple[Any, ...]]) -> StandingLine:
    stands, code = row[:2]
    body = organisations.joined_body(row)
    return StandingLine(
        id=stands.implementation_id,
        directory_id=stands.directory_id,
        code=code,
        name=stands.name,
        body_name=body.full_name,
        region_name=body.region_name,
        newest_id=stands.newest_id,
        newest_number=stands.newest_number,
        newest_state=stands.newest_state,
        live_id=stands.live_id,
        live_state=stands.live_state,
        score=stands.score,
        waiting_since=stands.waiting_since,
    )


def _after(text: str) -> tuple[str, int]:
    name, _, last = text.rpartition(_GAP)
    key = read_id(last)
    if key is None:
        raise Invalid("分页标记无效", fields={"after": ["分页标记无效"]})
    return name, key


def directory(*, text: str = "", after: str | None = None, limit: int = 20) -> DirectoryList:
    """Return the items of the directory by name; the directory is the same for all staff.

    Raises:
        Invalid: ``after`` is none of ours.
    """
    query = select(ItemDirectory)
    if text:
        query = query.where(ItemDirectory.name.contains(text, autoescape=True))
    if after:
        name, last = _after(after)
        query = query.where(
            or_(ItemDirectory.name > name, and_(ItemDirectory.name == name, ItemDirectory.id > last))
        )
    rows = list(db.session().scalars(query.order_by(ItemDirectory.name, ItemDirectory.id).limit(limit + 1)))
    shown = [_directory(row) for row in rows[:limit]]
    return DirectoryList(shown, f"{shown[-1].name}{_GAP}{shown[-1].id}" if len(rows) > limit else None)


def directory_entry(directory_id: int) -> DirectoryLine:
    """Return one item of the directory.

    Raises:
        NotFound: no such item.
    """
    row = db.session().get(ItemDirectory, directory_id)
    if row is None:
        raise NotFound("没有这个事项")
    return _directory(row)


def _directory(row: ItemDirectory) -> DirectoryLine:
    return DirectoryLine(
        id=row.id,
        code=row.code,
        code_scheme=row.code_scheme,
        name=row.name,
        item_type=row.item_type,
        domain=row.domain,
        legal_basis=row.legal_basis,
        sample=row.sample,
        version=row.version,
    )


def carried_out(by: Principal, directory_id: int) -> list[StandingLine]:
    """Return who in the caller's scope carries an item out; at most ``LIMIT_MAX``."""
    query = _standings(by).where(ItemStanding.directory_id == directory_id)
    return _lines(query.order_by(ItemStanding.body_id).limit(LIMIT_MAX))


def implementation(by: Principal, implementation_id: int) -> ImplementationView:
    """Return an implementation with its versions.

    Raises:
        NotFound: there is none in the caller's scope.
    """
    lines = _lines(_standings(by).where(ItemStanding.implementation_id == implementation_id))
    if not lines:
        raise NotFound("没有这个事项")
    row = db.session().get_one(ItemImplementation, implementation_id)
    written = versions_of(implementation_id)
    finished = not written or written[0].state in editing.FINISHED
    return ImplementationView(
        line=lines[0],
        directory=directory_entry(row.directory_id),
        body_id=row.body_id,
        region_code=row.region_code,
        code_scheme=row.code_scheme,
        versions=written,
        may_begin=finished and organisations.covers(by, Permission.ITEMS_EDIT, row.body_id),
    )


def versions_of(implementation_id: int) -> list[VersionLine]:
    """Return the versions of an implementation, the newest first."""
    query = (
        select(
            ItemVersion.id,
            ItemVersion.number,
            ItemVersion.state,
            ItemVersion.effective_on,
            ItemVersion.created_at,
            ItemVersion.created_by,
            ItemVersion.reason,
        )
        .where(ItemVersion.implementation_id == implementation_id)
        .order_by(ItemVersion.number.desc())
        .limit(VERSIONS_MAX)
    )
    return [VersionLine(*row) for row in db.session().execute(query)]


def version(by: Principal, version_id: int) -> DeskVersion:
    """Return a version with its score and what the caller may do with it.

    Raises:
        NotFound: there is none in the caller's scope.
    """
    item = _item(by, version_id)
    row = db.session().get_one(ItemVersion, version_id)
    return DeskVersion(
        item=item,
        version=row.version,
        reason=row.reason,
        created_at=row.created_at,
        created_by=row.created_by,
        submitted_at=row.submitted_at,
        submitted_by=row.submitted_by,
        quality=assess(quality_subject(item)),
        may=editing.events_for(by, item.state, item.body_id),
        may_write=editing.may_write(by, item.state, item.body_id),
        before=_before(item),
    )


def quality_subject(item: ItemView) -> Subject:
    """Return a version as the standard checks look at it."""
    basis = [{"name": one.name, "number": one.number, "clause": one.clause} for one in item.legal_basis]
    return Subject(item.content, item.form, basis, item.item_type)


def _before(item: ItemView) -> VersionLine | None:
    """Return what residents see meanwhile, else the version written before."""
    older = [one for one in versions_of(item.id) if one.number < item.version_number]
    live = [one for one in older if one.state in {VersionState.PUBLISHED, VersionState.SUSPENDED}]
    return next(iter(live or older), None)


def compared(by: Principal, version_id: int, with_id: int) -> tuple[list[Change], Document, Document]:
    """Return what differs from ``with_id`` to ``version_id``, two versions of one implementation, and both.

    Raises:
        NotFound: there is no such pair in the caller's scope.
    """
    new, old = _item(by, version_id), _item(by, with_id)
    if new.id != old.id:
        raise NotFound("不是同一个事项的版本")
    before, after = _document(old), _document(new)
    return differences(before, after), before, after


def _document(item: ItemView) -> Document:
    return Document(to_json(item.content), item.form)


def _item(by: Principal, version_id: int) -> ItemView:
    item = reading.version(version_id)
    if not organisations.covers(by, Permission.ITEMS_READ, item.body_id):
        raise NotFound("没有这个事项版本")
    return item


def lowest(by: Principal, body_id: int, *, limit: int = 20) -> list[StandingLine]:
    """Return the items of a body in the caller's scope that have the lowest scores."""
    query = _standings(by).where(ItemStanding.body_id == body_id, ItemStanding.score.is_not(None))
    return _lines(query.order_by(ItemStanding.score, ItemStanding.implementation_id).limit(limit))
