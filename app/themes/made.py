"""What a theme application was made with: the merge it keeps, and the items' versions behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.catalogue import service as catalogue
from app.catalogue.service import Form, Handing, ItemView
from app.core import db
from app.themes import definition as definitions
from app.themes import merging, projecting
from app.themes.definition import Definition, ThemeItem
from app.themes.domain import Needs
from app.themes.merging import Merged, MergedSlot
from app.themes.models import ThemeApplication, ThemeMerge, ThemeVersion
from app.themes.reading import Guide, needs_among


@dataclass(frozen=True, slots=True)
class Made:
    """A merge with what it came from; nothing of it changes any more.

    Attributes:
        views: by item of the theme, the version as its body carries it out.
    """

    theme_id: int
    definition: Definition
    merged: Merged
    views: Mapping[str, ItemView]

    @property
    def items(self) -> dict[str, ThemeItem]:
        return {one.code: one for one in self.definition.items if one.code in self.views}

    @property
    def forms(self) -> dict[str, Form]:
        return {code: view.form for code, view in self.views.items() if view.form is not None}

    @property
    def needs(self) -> Needs:
        return needs_among(self.definition, self.views)

    def projection(self, item: str, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answers to an item's own form; all that its body gets."""
        return projecting.projection(self.merged, item, self.forms[item], answers)

    def variant(self, item: str, answers: Mapping[str, Any]) -> str:
        """Return in which variant (情形) an item is applied for with these answers."""
        content, fixed = self.views[item].content, self.items[item].variant
        said = catalogue.variant_for(content, self.projection(item, answers))
        return said or (fixed if fixed in {one.code for one in content.variants} else "")

    def slots(self, answers: Mapping[str, Any]) -> list[MergedSlot]:
        """Return the materials that the items ask for with these answers.

        What must be uploaded has its place at the sub-case; here only the other ways are offered.
        """
        needed = {
            (code, one.code): one
            for code, view in self.views.items()
            for one in catalogue.materials_for(view.content, self.variant(code, answers))
        }
        found = []
        for slot in self.merged.slots:
            uses = {item: code for item, code in slot.uses.items() if (item, code) in needed}
            ways = tuple(Handing(way) for way in slot.handings if way != Handing.UPLOAD)
            if uses and ways:
                required = any(needed[use].required for use in uses.items())
                found.append(replace(slot, uses=uses, handings=ways, required=required))
        return found

    def materials(self, item: str, answers: Mapping[str, Any], chosen: Mapping[str, str]) -> dict[str, str]:
        """Return how an item's own materials are handed in, results of earlier items among them."""
        own = {
            slot.uses[item]: chosen[slot.code]
            for slot in self.slots(answers)
            if item in slot.uses and slot.code in chosen
        }
        fed = {one.material: Handing.SHARED.value for one in self.merged.feeds if one.other == item}
        needed = catalogue.materials_for(self.views[item].content, self.variant(item, answers))
        return {**own, **{code: way for code, way in fed.items() if code in {one.code for one in needed}}}


def only_ways(slots: list[MergedSlot]) -> dict[str, str]:
    """Return the required slots that can be handed in one way only: nobody need be asked."""
    return {one.code: one.handings[0] for one in slots if one.required and len(one.handings) == 1}


def missing(slots: list[MergedSlot], chosen: Mapping[str, str]) -> dict[str, list[str]]:
    """Return, per required slot, that nobody said how it is handed in."""
    return {
        f"materials.{one.code}": [f"请选择怎样提交“{one.name}”"]
        for one in slots
        if one.required and one.code not in chosen
    }


def digest_of(parts: Mapping[str, str]) -> str:
    """Return what stands for the items' versions that a merge was made from."""
    return sha256(json.dumps(dict(sorted(parts.items()))).encode()).hexdigest()


def keep(guide: Guide, merged: Merged, now: datetime) -> int:
    """Return the id of the kept merge of a guide; written down when it is the first of its kind."""
    parts = guide.placed.versions()
    digest = digest_of(parts)
    query = select(ThemeMerge.id).where(
        ThemeMerge.version_id == guide.version_id, ThemeMerge.digest == digest
    )
    known = db.writing().scalar(query)
    if known is not None:
        return known
    row = ThemeMerge(
        version_id=guide.version_id,
        digest=digest,
        parts=parts,
        merged=merging.to_json(merged),
        created_at=now,
    )
    # Whoever makes the same at the same moment meets the unique key: then there is one.
    with suppress(IntegrityError), db.writing().begin_nested():
        db.writing().add(row)
    return db.writing().scalars(query).one()


def made_of(row: ThemeApplication) -> Made:
    """Return what an application was made with."""
    kept = db.session().get_one(ThemeMerge, row.merge_id)
    version = db.session().get_one(ThemeVersion, row.version_id)
    views = catalogue.versions(map(int, kept.parts.values()))
    told = definitions.read(version.definition)
    # In the theme's own order: not every database keeps the order of an object's names.
    parts = {one.code: kept.parts[one.code] for one in told.items if one.code in kept.parts}
    return Made(
        version.theme_id,
        told,
        merging.from_json(kept.merged),
        {item: views[int(version_id)] for item, version_id in parts.items()},
    )
