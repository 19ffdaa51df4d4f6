"""Reading the catalogue: the guide of an item, and the version that a case is made with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, select

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


_Selected = tuple[Any, ...]
_contents: Few[int, tuple[Content, Mapping[str, Any] | None]] = Few(CONTENTS_KEPT)
"""What versions say that are never changed again, by id: most reading is of the same few hundred."""


def _versions() -> Select[*_Selected]:
    """Return the question for versions without what they say, which is long and mostly known already."""
    query = (
        select(
            ItemVersion.id,
            ItemVersion.number,
            ItemVersion.state,
            ItemVersion.effective_on,
            ItemImplementation,
            ItemDirectory,
        )
        .join(ItemImplementation, ItemImplementation.id == ItemVersion.implementation_id)
        .join(ItemDirectory, ItemDirectory.id == ItemImplementation.directory_id)
    )
    return organisations.join_body(query, ItemImplementation.body_id)


def item(item_id: int) -> ItemView:
    """Return an item as residents are shown it: its version in force.

    Raises:
        NotFound: no such item, or none of its versions is in force.
    """
    return _one(_versions().where(ItemVersion.implementation_id == item_id, ItemVersion.live == 1))


def version(version_id: int) -> ItemView:
    """Return one version, in force or not: cases keep theirs.

    Raises:
        NotFound: no such version.
    """
    return _one(_versions().where(ItemVersion.id == version_id))


def versions(version_ids: Iterable[int]) -> dict[int, ItemView]:
    """Return several versions by id; those that do not exist are left out."""
    query = _versions().where(ItemVersion.id.in_(set(version_ids)))
    rows = db.session().execute(query).all()
    said = _said(rows)
    return {row.id: _view(row, said[row.id]) for row in rows}


def _one(query: Select[*_Selected]) -> ItemView:
    row = db.session().execute(query).first()
    if row is None:
        raise NotFound("没有这个事项，或已经取消")
    return _view(row, _said([row])[row.id])


def _said(rows: Sequence[Row[*_Selected]]) -> dict[int, tuple[Content, Mapping[str, Any] | None]]:
    """Return content and form of versions by id; they must not be changed."""
    found = {row.id: known for row in rows if (known := _contents.get(row.id)) is not None}
    final = {row.id for row in rows if row.state not in _STILL_CHANGING}
    wanted = [row.id for row in rows if row.id not in found]
    query = select(ItemVersion.id, ItemVersion.content, ItemVersion.form).where(ItemVersion.id.in_(wanted))
    for version_id, content, form in db.session().execute(query) if wanted else ():
        found[version_id] = (from_json(content), form)
        if version_id in final:
            _contents.put(version_id, found[version_id])
    return found


def _view(row: Row[*_Selected], said: tuple[Content, Mapping[str, Any] | None]) -> ItemView:
    implementation, directory = row.ItemImplementation, row.ItemDirectory
    body = organisations.joined_body(row)
    content, form = said
    return ItemView(
        id=implementation.id,
        version_id=row.id,
        version_number=row.number,
        code=implementation.code,
        code_scheme=implementation.code_scheme,
        directory_id=directory.id,
        directory_code=directory.code,
        item_type=directory.item_type,
        domain=directory.domain,
        legal_basis=tuple(LegalBasis(**one) for one in directory.legal_basis),
        sample=directory.sample,
        body_id=implementation.body_id,
        body_name=body.full_name,
        region_code=implementation.region_code,
        region_name=body.region_name,
        page_id=implementation.page_id,
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
