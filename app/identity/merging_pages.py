"""Staff's pages of merged accounts: which were merged, and parting those that never were one person's.

Accounts belong to no body; the permission is held by provincial roles alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db, problems
from app.core.access import Permission
from app.core.cursor import CURSOR_MAX
from app.core.errors import DomainError, NotFound
from app.core.ids import read_id
from app.identity import service
from app.identity.service import LINK_LABELS
from app.organisations import service as organisations

REASON_MAX = 500
ACCOUNT_MAX = 20

merging_pages = Blueprint(
    "merging_pages", __name__, url_prefix="/console/merged-accounts", template_folder="templates"
)


@merging_pages.get("")
@access.staff(Permission.CASES_SUPERVISE)
def merged() -> str:
    asked = request.args.get("account", "")[:ACCOUNT_MAX].strip()
    account_id = (read_id(asked) or 0) if asked else None  # what is no number is nobody's
    cursor = request.args.get("after", "")[:CURSOR_MAX] or None
    found, after = service.merged_links(account_id=account_id, cursor=cursor)
    return render_template(
        "identity/merged.html", found=found, after=after, account=asked, labels=LINK_LABELS
    )


@merging_pages.get("/<id:link_id>")
@access.staff(Permission.CASES_SUPERVISE)
def merged_one(link_id: int) -> ResponseReturnValue:
    return _page(link_id, {}, None)


def _page(link_id: int, typed: Mapping[str, str], trouble: DomainError | None) -> ResponseReturnValue:
    row = service.merged_link(link_id)
    page = render_template(
        "identity/merged_one.html",
        row=row,
        labels=LINK_LABELS,
        names=organisations.names_of([row.undone_by] if row.undone_by else []),
        typed=typed,
        problems=trouble.fields if trouble else {},
        trouble=trouble,
    )
    return page if trouble is None else problems.as_page(page, trouble)


@merging_pages.post("/<id:link_id>/undo")
@access.staff(Permission.CASES_SUPERVISE)
def undo(link_id: int) -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    typed = {name: request.form.get(name, "")[:REASON_MAX] for name in ("reason", "release", "version")}
    details: dict[str, Any] = {
        "version": int(typed["version"]) if typed["version"].isdecimal() else 0,
        "reason": typed["reason"],
        "release": read_id(typed["release"]),
    }
    try:
        db.transaction(lambda: service.undo_link(link_id, **details, actor=by.actor, now=now))
    except NotFound:
        raise
    except DomainError as error:
        return _page(link_id, typed, error)
    flash("已撤销归并，两个账户的办件各归各的。", "success")
    return redirect(url_for(".merged_one", link_id=link_id), 303)
