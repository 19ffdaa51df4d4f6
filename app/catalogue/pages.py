"""The resident's pages of items: find one, read its guide."""

from __future__ import annotations

from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, render_template, request

from app.catalogue import service
from app.catalogue.service import Content, Domain, Material, Variant
from app.core import access, viewing, web
from app.core.errors import Invalid, NotFound
from app.core.installation import settings
from app.organisations import service as organisations

PAGE_SIZE = 20

pages = Blueprint("catalogue_pages", __name__, template_folder="templates")


@pages.before_request
def _frame() -> None:
    # In demo the sandbox's phone shows these pages in a frame, as a platform's web view would.
    sandbox = settings().sandbox_url
    web.allow_framing(f"'self' {sandbox}" if sandbox else "'self'")


@pages.context_processor
def _words() -> dict[str, Any]:
    return {
        "keep": keep,
        "domain_labels": service.DOMAIN_LABELS,
        "type_labels": service.ITEM_TYPE_LABELS,
        "served_labels": service.SERVED_LABELS,
        "case_labels": service.CASE_TYPE_LABELS,
        "handing_labels": service.HANDING_LABELS,
        "delivery_labels": service.DELIVERY_LABELS,
    }


@pages.get("/items")
@access.public("residents look before they sign in")
def find() -> str:
    query = request.args.get("q", "").strip()[: service.QUERY_MAX]
    region, domain = _region(), _domain()
    next_after = None
    if query:
        found = service.search(query, region, limit=PAGE_SIZE)
    else:
        after = request.args.get("after", "")[:200] or None
        found, next_after = service.listing(region, domain=domain, after=after, limit=PAGE_SIZE)
    return render_template(
        "catalogue/items.html",
        found=found,
        query=query,
        region=region,
        domain=domain,
        next_after=next_after,
        place=_place_name(region),
    )


@pages.get("/items/<id:item_id>")
@access.public("residents look before they sign in")
def guide(item_id: int) -> str:
    item = service.item(item_id)
    asked = request.args.get("variant", "")
    variant = next((one for one in item.content.variants if one.code == asked), None)
    related = service.related_items(
        item.directory_id, _region() or item.region_code, variant=variant.code if variant else None
    )
    elsewhere = [place for place in service.places_of(item.directory_id) if place.id != item.id]
    return render_template(
        "catalogue/item.html",
        item=item,
        content=item.content,
        variant=variant,
        materials=_materials(item.content, variant),
        related=[(words, list(these)) for words, these in groupby(related, lambda one: one.words)],
        elsewhere=elsewhere,
    )


@pages.get("/scenes")
@access.public("residents look before they sign in")
def scenes() -> str:
    return render_template("catalogue/scenes.html", scenes=service.scenes())


@pages.get("/scenes/<key>")
@access.public("residents look before they sign in")
def begin_scene(key: str) -> str:
    return _scene_page(key, [])


@pages.get("/scenes/<key>/<path:answers>")
@access.public("residents look before they sign in; the address holds their choices, nothing personal")
def go_on_in_scene(key: str, answers: str) -> str:
    return _scene_page(key, [one for one in answers.split("/") if one][: service.SCENE_ANSWERS_MAX])


def _scene_page(key: str, answers: list[str]) -> str:
    region = _region()
    stand = service.stand(key, answers, region)
    codes = [one.choice.code for one in stand.walk.taken]
    place = next((one.name for one in organisations.regions() if one.code == region), "")
    return render_template(
        "catalogue/scene.html",
        scene=stand.scene,
        walk=stand.walk,
        arrival=stand.arrival,
        exit=stand.exit,
        # Addresses of the steps already made, the first question in front.
        ways=["/".join(["/scenes", key, *codes[:made]]) for made in range(len(codes) + 1)],
        place=place,
    )


def _materials(content: Content, variant: Variant | None) -> tuple[Material, ...]:
    """Return what a variant asks for; every material where none was chosen yet."""
    return service.materials_for(content, variant.code) if variant else content.materials


def _region() -> str | None:
    """Return the place that the address names, else the chosen one; None for the whole province.

    Raises:
        Invalid: the address names a place that there is not; a choice that is outdated is forgotten.
    """
    asked, chosen = request.args.get("region"), viewing.current().region
    code = chosen if asked is None else asked.strip()
    if code and code not in {region.code for region in organisations.regions()}:
        if asked is not None:
            raise Invalid("没有这个地区")
        return None
    return code or None


def _domain() -> Domain | None:
    asked = request.args.get("domain", "")
    found = next((one for one in Domain if one.value == asked), None)
    if asked and found is None:
        raise NotFound("没有这个办事领域")
    return found


def _place_name(code: str | None) -> str:
    """Return a place as people say it, with its city; ``""`` for the whole province."""
    regions = {region.code: region for region in organisations.regions()}
    found = regions.get(code or "")
    above = regions.get(found.parent_code or "") if found else None
    if found is None or above is None:
        return ""
    return found.name if above.parent_code is None else f"{above.name}{found.name}"


def keep(**params: str | None) -> str:
    """Return a query string with ``params`` and what must not get lost: channel, edition, place."""
    kept = {
        name: request.args[name][:20] for name in ("channel", "style", "region") if request.args.get(name)
    }
    merged = {name: value for name, value in {**kept, **params}.items() if value}
    return f"?{urlencode(merged)}" if merged else ""
