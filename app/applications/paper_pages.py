"""Papers (文书) of a case: as a page to print and as PDF, for its desk and for its applicant."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from app.applications import service
from app.applications.paper_html import as_html
from app.applications.service import Paper
from app.core import access, clock, db
from app.core.access import Permission
from app.core.installation import settings

papers = Blueprint("paper_pages", __name__, template_folder="templates")
_DESK = "/desk/cases/<id:application_id>/papers/<id:paper_id>"
_MINE = "/me/applications/<id:application_id>/papers/<id:paper_id>"


@papers.get(_DESK)
@access.staff(Permission.CASES_READ)
def for_desk(application_id: int, paper_id: int) -> str:
    by, now = access.current_staff(), clock.system_clock()
    found = db.transaction(lambda: service.paper_for(by, application_id, paper_id, now=now))
    return _page(found, "desk_pages.case", ".desk_pdf")


@papers.get(f"{_DESK}.pdf")
@access.staff(Permission.CASES_READ)
def desk_pdf(application_id: int, paper_id: int) -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    made = db.transaction(lambda: service.printed_for(by, application_id, paper_id, now=now))
    return _pdf(application_id, paper_id, made, by.actor, "desk_pages.case")


@papers.get(_MINE)
@access.resident()
def mine(application_id: int, paper_id: int) -> str:
    service.my_case(access.current_resident().id, application_id)
    return _page(service.paper(application_id, paper_id), "applications_pages.case", ".my_pdf")


@papers.get(f"{_MINE}.pdf")
@access.resident()
def my_pdf(application_id: int, paper_id: int) -> ResponseReturnValue:
    me = access.current_resident()
    service.my_case(me.id, application_id)
    made = service.printed(application_id, paper_id)
    return _pdf(application_id, paper_id, made, me.actor, "applications_pages.case")


def _page(found: Paper, back: str, pdf: str) -> str:
    return as_html(
        found,
        base_url=settings().base_url,
        for_print=False,
        back=url_for(back, application_id=found.application_id),
        pdf=url_for(pdf, application_id=found.application_id, paper_id=found.id),
    )


def _pdf(
    application_id: int, paper_id: int, made: bytes | None, actor: str, back: str
) -> ResponseReturnValue:
    if made is None:
        # Printing takes a browser a second: a job does it, and the reader comes back for it.
        now = clock.system_clock()
        db.transaction(lambda: service.ask_print(application_id, paper_id, actor=actor, now=now))
        flash("正在生成 PDF，请稍后再点一次下载。", "success")
        return redirect(url_for(back, application_id=application_id), 303)
    found = service.paper(application_id, paper_id)
    answer = Response(made, content_type="application/pdf")
    answer.headers.set("Content-Disposition", "attachment", filename=f"{found.number}.pdf")
    return answer
