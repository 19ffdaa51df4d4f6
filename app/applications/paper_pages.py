"""Papers (文书) of a case: as a page to print and as PDF, for its desk and for its applicant."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from app.applications import service
from app.applications.paper_html import as_html
from app.core import access, clock, db
from app.core.access import Permission
from app.core.installation import settings

papers = Blueprint("paper_pages", __name__, template_folder="templates")
_DESK = "/desk/cases/<id:application_id>/papers/<id:paper_id>"
_MINE = "/me/applications/<id:application_id>/papers/<id:paper_id>"


@papers.get(_DESK)
@access.staff(Permission.CASES_READ)
def for_desk(application_id: int, paper_id: int) -> str:
    service.case_for(access.current_staff(), application_id, now=clock.system_clock())
    return _page(application_id, paper_id, "desk_pages.case", ".desk_pdf")


@papers.get(f"{_DESK}.pdf")
@access.staff(Permission.CASES_READ)
def desk_pdf(application_id: int, paper_id: int) -> ResponseReturnValue:
    by = access.current_staff()
    service.case_for(by, application_id, now=clock.system_clock())
    return _pdf(application_id, paper_id, by.actor, "desk_pages.case")


@papers.get(_MINE)
@access.resident()
def mine(application_id: int, paper_id: int) -> str:
    service.my_case(access.current_resident().id, application_id)
    return _page(application_id, paper_id, "applications_pages.case", ".my_pdf")


@papers.get(f"{_MINE}.pdf")
@access.resident()
def my_pdf(application_id: int, paper_id: int) -> ResponseReturnValue:
    me = access.current_resident()
    service.my_case(me.id, application_id)
    return _pdf(application_id, paper_id, me.actor, "applications_pages.case")


def _page(application_id: int, paper_id: int, back: str, pdf: str) -> str:
    return as_html(
        service.paper(application_id, paper_id),
        base_url=settings().base_url,
        for_print=False,
        back=url_for(back, application_id=application_id),
        pdf=url_for(pdf, application_id=application_id, paper_id=paper_id),
    )


def _pdf(application_id: int, paper_id: int, actor: str, back: str) -> ResponseReturnValue:
    made = service.printed(application_id, paper_id)
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
