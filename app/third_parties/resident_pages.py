"""Residents' pages: the question of an application, and what one agreed to."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db
from app.third_parties import service
from app.third_parties.domain import CONSENT_LABELS
from app.third_parties.service import QuestionOver, WordsChanged

resident_pages = Blueprint("third_parties_resident_pages", __name__, template_folder="templates")


@resident_pages.after_request
def _never_stored(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    # The address carries the secret of the question.
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@resident_pages.context_processor
def _words() -> dict[str, Any]:
    return {"consent_labels": CONSENT_LABELS}


@resident_pages.get("/consent/<token>")
@access.resident()
def consent(token: str) -> ResponseReturnValue:
    return _ask(token, access.current_resident().id)


@resident_pages.post("/consent/<token>")
@access.resident()
def decide(token: str) -> ResponseReturnValue:
    return _decide(token, access.current_resident().id)


@resident_pages.get("/sandbox/consent/<token>")
@access.public("asks the made-up people of the sandbox; the address is a secret")
def sandbox_consent(token: str) -> ResponseReturnValue:
    return _ask(token, None)


@resident_pages.post("/sandbox/consent/<token>")
@access.public("the made-up people of the sandbox answer; the address is a secret")
def sandbox_decide(token: str) -> ResponseReturnValue:
    return _decide(token, None)


@resident_pages.get("/me/consents")
@access.resident()
def consents() -> str:
    found = service.consents_of(access.current_resident().id, now=clock.system_clock())
    return render_template("third_parties/my_consents.html", consents=found)


@resident_pages.get("/me/consents/<id:consent_id>")
@access.resident()
def uses(consent_id: int) -> str:
    me, now = access.current_resident().id, clock.system_clock()
    found = service.uses_of(me, consent_id)
    one = next(one for one in service.consents_of(me, now=now) if one.id == consent_id)
    return render_template("third_parties/my_consent.html", consent=one, uses=found)


@resident_pages.post("/me/consents/<id:consent_id>/end")
@access.resident()
def end(consent_id: int) -> ResponseReturnValue:
    me = access.current_resident().id
    db.transaction(lambda: service.end_consent(me, consent_id, now=clock.system_clock()))
    flash("已结束授权，对方从现在起不能再使用。", "success")
    return redirect(url_for(".consents"), 303)


def _ask(token: str, resident_id: int | None, changed: str = "") -> ResponseReturnValue:
    try:
        found = service.question(token, resident_id, now=clock.system_clock())
    except QuestionOver as over:
        return _over(over)
    page = render_template("third_parties/consent.html", question=found, changed=changed)
    return page, 409 if changed else 200


def _decide(token: str, resident_id: int | None) -> ResponseReturnValue:
    granted = request.form.get("answer") == "yes"
    shown = request.form.get("purpose_version", "")
    read = int(shown) if re.fullmatch(r"[0-9]{1,9}", shown) else None
    try:
        back = db.transaction(
            lambda: service.decide(
                token, resident_id, granted=granted, now=clock.system_clock(), read_version=read
            )
        )
    except QuestionOver as over:
        return _over(over)
    except WordsChanged as changed:
        return _ask(token, resident_id, changed.title)
    # No redirect: browsers hold "form-action" against where a form's answer leads.
    return render_template("third_parties/consent_done.html", granted=granted, back=back)


def _over(over: QuestionOver) -> Response:
    return make_response(render_template("third_parties/consent_over.html", title=over.title), 404)
