"""Reading the catalogue: the guide of an item, and the version that a case is made with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, bindparam, select

from app.catalogue.content import Content, LegalBasis, from_json
from app.catalogue.domain import Domain, ItemType, VersionState
from app.catalogue.models import ItemDirectory, ItemImplementation, ItemVersion
from app.core import db
from app.core.errors import NotFound
from app.core.lately import Few
from app.organisations import service as organisations

CONTENTS_KEPT = 500
_STILL_CHANGING = frozenset({VersionState.DRAFT, VersionState.IN_REVIEW, VersionState.RETURNED})
"""What is in review may come back and be written anew."""


@dataclass(frozen=True, slots=True)
class ItemView:
    """One version of an item as one body carries it out.

    Attributes:
        id: of the implementation; stays the same over its versions.
        form: the form document, None for an item that one cannot apply for online.
        sample: made up for trying the hall.
        open: new cases may be begun.
    """

    id: int
    version_id: int
    version_number: int
    code: str
    code_scheme: str
    directory_id: int
    directory_code: str
    item_type: ItemType
    domain: Domain
    legal_basis: tuple[LegalBasis, ...]
    sample: bool
    body_id: int
    body_name: str
    region_code: str
    region_name: str
    page_id: int | None
    state: VersionState
    effective_on: date
    content: Content
    form: Mapping[str, Any] | None

    @property
    def open(self) -> bool:
        return self.state is VersionState.PUBLISHED and self.content.online


@dataclass(frozen=True, slots=True)
class ItemPlace:
    """Another place that carries the same item out."""

    id: int
    body_name: str
    region_code: str
    region_name: str


_Said = tuple[Content, Mapping[str, Any] | None]
_contents: Few[int, _Said] = Few(CONTENTS_KEPT)
"""What versions say that are never changed again, by id: most reading is of the same few hundred."""
_VERSION = ItemVersion.__table__
_PLACE = ItemImplementation.__table__
_ENTRY = ItemDirectory.__table__


def _versions() -> Select[*tuple[Any, ...]]:
    """Return the question for versions without what they say, which is long and mostly known already."""
    query = (
        select(
            _VERSION.c.id.label("version_id"),
            _VERSION.c.number,
            _VERSION.c.state,
            _VERSION.c.effective_on,
            _PLACE.c.id,
            _PLACE.c.code,
            _PLACE.c.code_scheme,
            _PLACE.c.directory_id,
            _PLACE.c.body_id,
            _PLACE.c.region_code,
            _PLACE.c.page_id,
            _ENTRY.c.code.label("directory_code"),
            _ENTRY.c.item_type,
            _ENTRY.c.domain,
            _ENTRY.c.legal_basis,
            _ENTRY.c.sample,
        )
        .join(_PLACE, _PLACE.c.id == _VERSION.c.implementation_id)
        .join(_ENTRY, _ENTRY.c.id == _PLACE.c.directory_id)
    )
    return organisations.join_names(query, _PLACE.c.body_id)


# Put together once: to do so costs as much as asking.
_IN_FORCE = _versions().where(_VERSION.c.implementation_id == bindparam("item_id"), _VERSION.c.live == 1)
_BY_ID = _versions().where(_VERSION.c.id.in_(bindparam("version_ids", expanding=True)))
_SAID = select(_VERSION.c.id, _VERSION.c.content, _VERSION.c.form).where(
    _VERSION.c.id.in_(bindparam("version_ids", expanding=True))
)


def item(item_id: int) -> ItemView:
    """Return an item as residents are shown it: its version in force.

    Raises:
        NotFound: no such item, or none of its versions is in force.
    """
    return _one(db.rows(_IN_FORCE, {"item_id": item_id}).first())


def version(version_id: int) -> ItemView:
    """Return one version, in force or not: cases keep theirs.

    Raises:
        NotFound: no such version.
    """
    return _one(db.rows(_BY_ID, {"version_ids": [version_id]}).first())


def versions(version_ids: Iterable[int]) -> dict[int, ItemView]:
    """Return several versions by id; those that do not exist are left out."""
    wanted = list(set(version_ids))
    rows = db.rows(_BY_ID, {"version_ids": wanted}).all() if wanted else []
    said = _said(rows)
    return {row.version_id: _view(row, said[row.version_id]) for row in rows}


def _one(row: Row[*tuple[Any, ...]] | None) -> ItemView:
    if row is None:
        raise NotFound("没有这个事项，或已经取消")
    return _view(row, _said([row])[row.version_id])


def _said(rows: Sequence[Row[*tuple[Any, ...]]]) -> dict[int, _Said]:
    """Return content and form of versions by id; they must not be changed."""
    found = {row.version_id: known for row in rows if (known := _contents.get(row.version_id)) is not None}
    final = {row.version_id for row in rows if row.state not in _STILL_CHANGING}
    wanted = [row.version_id for row in rows if row.version_id not in found]
    for row in db.rows(_SAID, {"version_ids": wanted}) if wanted else ():
        found[row.id] = (from_json(row.content), row.form)
        if row.id in final:
            _contents.put(row.id, found[row.id])
    return found


def _view(row: Row[*tuple[Any, ...]], said: _Said) -> ItemView:
    content, form = said
    return ItemView(
        id=row.id,
        version_id=row.version_id,
        version_number=row.number,
        code=row.code,
        code_scheme=row.code_scheme,
        directory_id=row.directory_id,
        directory_code=row.directory_code,
        item_type=row.item_type,
        domain=row.domain,
        legal_basis=tuple(LegalBasis(**one) for one in row.legal_basis),
        sample=bool(row.sample),
        body_id=row.body_id,
        body_name=row.joined_full_name,
        region_code=row.region_code,
        region_name=row.joined_region_name,
        page_id=row.page_id,
        state=row.state,
        effective_on=row.effective_on,
        content=content,
        form=form,
    )


def upper_item(below: ItemView) -> ItemView | None:
    """Return the same item as the nearest place above carries it out; None when none above does."""
    regions = {region.code: region.parent_code for region in organisations.regions()}
    places = {place.region_code: place.id for place in reversed(places_of(below.directory_id))}
    above = regions.get(below.region_code)
    while above is not None:
        if above in places:
            return item(places[above])
        above = regions[above]
    return None


def places_of(directory_id: int, *, limit: int = 200) -> list[ItemPlace]:
    """Return where else an item is carried out, by region code."""
    query = (
        select(ItemImplementation.id, ItemImplementation.region_code)
        .join(ItemVersion, ItemVersion.implementation_id == ItemImplementation.id)
        .where(ItemImplementation.directory_id == directory_id, ItemVersion.live == 1)
        .order_by(ItemImplementation.region_code, ItemImplementation.id)
        .limit(limit)
    )
    found = []
    for row in db.session().execute(organisations.join_body(query, ItemImplementation.body_id)):
        body = organisations.joined_body(row)
        found.append(ItemPlace(row.id, body.full_name, row.region_code, body.region_name))
    return found
