"""Sample items for a newcomer, made through the same services as real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from app.catalogue import service as catalogue
from app.catalogue.service import Domain, ItemType, RelationKind, VersionEvent
from app.core.clock import day_of
from app.core.errors import Stale
from app.mobile_access.service import PageView
from app.organisations import service as organisations
from config.items import SampleItem, SampleRelation

ACTOR = "system:demo"


def add_items(samples: Sequence[SampleItem], now: datetime) -> int:
    """Add sample items that are not there yet, published today; return how many."""
    return sum(_add_item(one, now) for one in samples)


def _add_item(sample: SampleItem, now: datetime) -> bool:
    if catalogue.find_directory(catalogue.OUR_SCHEME, sample.code) is not None:
        return False
    directory_id = catalogue.add_directory(
        code=sample.code,
        code_scheme=catalogue.OUR_SCHEME,
        name=sample.name,
        item_type=ItemType(sample.item_type),
        domain=Domain(sample.domain),
        legal_basis=sample.legal_basis,
        sample=True,
        actor=ACTOR,
        now=now,
    )
    for place in sample.implementations:
        body = organisations.find_body(place.body)
        implementation_id = catalogue.add_implementation(
            directory_id,
            body_id=body.id,
            region_code=body.region_code,
            code=f"{sample.code}-{body.region_code}",
            code_scheme=catalogue.OUR_SCHEME,
            actor=ACTOR,
            now=now,
        )
        content = catalogue.from_json({**sample.content, **place.changed})
        version_id = catalogue.draft_version(
            implementation_id, content, sample.form, effective_on=day_of(now), actor=ACTOR, now=now
        )
        for event in (VersionEvent.SUBMIT, VersionEvent.FILE, VersionEvent.EFFECTIVE_DATE):
            catalogue.move_version(version_id, event, actor=ACTOR, now=now)
    return True


def relate_items(relations: Sequence[SampleRelation], now: datetime) -> None:
    """Say how the sample items stand to each other; what is said already stays as it is."""
    codes = {code for one in relations for code in (one.item, one.other)}
    ids = {code: catalogue.find_directory(catalogue.OUR_SCHEME, code) for code in codes}
    for one in relations:
        item, other = ids[one.item], ids[one.other]
        if item is not None and other is not None:
            kind = RelationKind(one.kind)
            catalogue.add_relation(item, kind, other, variant=one.variant, actor=ACTOR, now=now)


def add_scenes(scenes: Mapping[str, Mapping[str, Any]], now: datetime) -> None:
    """Add the sample scenes that were never there; what somebody withdrew stays withdrawn."""
    for key, content in scenes.items():
        with suppress(Stale):
            catalogue.save_scene(key, content, seen=0, sample=True, actor=ACTOR, now=now)


def link_pages(samples: Sequence[SampleItem], pages: Sequence[PageView]) -> None:
    """Tell items which of the sample pages serves them."""
    by_place = {(page.body_id, page.name): page.id for page in pages}
    for sample in samples:
        directory_id = catalogue.find_directory(catalogue.OUR_SCHEME, sample.code)
        wanted = {
            organisations.find_body(place.body).full_name: place.page_name
            for place in sample.implementations
            if place.page_name
        }
        if directory_id is None or not wanted:
            continue
        for place in catalogue.places_of(directory_id):
            if place.body_name in wanted:
                body = organisations.find_body(place.body_name)
                page_id = by_place.get((body.id, wanted[place.body_name]))
                catalogue.link_page(place.id, page_id, actor=ACTOR)
