"""“我的数据”: what the hall holds of a resident, who used it and why."""

from __future__ import annotations

from flask import render_template, request

from app.core import access, clock
from app.core.cursor import CURSOR_MAX
from app.core.installation import case_paths, held_of
from app.identity import service
from app.identity.pages import pages

FIRST_USES, USES_ON_A_PAGE = 5, 20


@pages.get("/me/data")
@access.resident()
def data() -> str:
    me = access.current_resident().id
    latest = service.uses_page(me, limit=FIRST_USES)
    return render_template(
        "identity/data.html",
        facts=service.own_facts(me, now=clock.system_clock()),
        held=held_of(me),
        found=latest,
        paths=_paths(me, latest),
    )


@pages.get("/me/data/uses")
@access.resident()
def data_uses() -> str:
    me = access.current_resident().id
    before = request.args.get("before", "")[:CURSOR_MAX]
    found = service.uses_page(me, cursor=before, limit=USES_ON_A_PAGE)
    return render_template("identity/data_uses.html", found=found, paths=_paths(me, found), before=before)


def _paths(resident_id: int, found: service.UsePage) -> dict[str, str]:
    return case_paths(resident_id, {one.case_number for one in found.items if one.case_number})
