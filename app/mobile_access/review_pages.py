"""The guided review form of a check: what no machine can decide, answered by people with evidence."""

from __future__ import annotations

from hashlib import sha256

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import DomainError, Invalid
from app.core.installation import settings
from app.mobile_access import service
from app.mobile_access.domain import ANSWER_LABELS, EVIDENCE_BYTES_MAX, NOTE_MAX
from app.mobile_access.files import artifact_store
from app.mobile_access.kept import excused, kept_artifact
from app.mobile_access.service import Answer, Decision, EvidenceFile
from app.organisations import service as organisations

reviews = Blueprint(
    "mobile_access_reviews", __name__, url_prefix="/console/pages", template_folder="templates"
)
_CHECK = "/<id:page_id>/checks/<int(max=2147483647):number>/review"
_QUESTIONS_MAX = 20


@reviews.get(_CHECK)
@access.staff(Permission.PAGES_READ)
def form(page_id: int, number: int) -> str:
    by = access.current_staff()
    page = service.get(by, page_id)
    found = service.report_of(by, page_id, number)
    rules = service.open_rules(by, page_id, number)
    return render_template(
        "mobile_access/review.html",
        page=page,
        check=found.check,
        rules=rules,
        may_rule={one.code: service.may_rule(by, page.body_id, one) for one in rules},
        reviews=organisations.covers(by, Permission.PAGES_REVIEW, page.body_id),
        names=organisations.names_of(ruling.actor for one in rules for ruling in one.rulings),
        answer_labels=ANSWER_LABELS,
        note_max=NOTE_MAX,
        evidence_mb=EVIDENCE_BYTES_MAX // 1024 // 1024,
    )


@reviews.post(f"{_CHECK}/<code>")
@access.staff(Permission.PAGES_READ)
def rule(page_id: int, number: int, code: str) -> ResponseReturnValue:
    by = access.current_staff()
    found = service.report_of(by, page_id, number)
    now = clock.system_clock()
    try:
        decision = _decision()
        artifact = kept_artifact(found.check.artifact)
        if decision.evidence is not None:
            artifact_store(settings().var_dir).put(decision.evidence[0].content)
        waived = excused(page_id, artifact.declaration.url if artifact else "", now=now)
        db.transaction(
            lambda: service.rule_on(by, page_id, number, code, decision, artifact, waived, now=now)
        )
        flash(f"{code} 的核对结果已保存。", "success")
    except DomainError as error:
        flash(f"{code}：{error}", "error")
    return redirect(url_for(".form", page_id=page_id, number=number, _anchor=code))


@reviews.get(f"{_CHECK}/files/<digest>")
@access.staff(Permission.PAGES_READ)
def evidence(page_id: int, number: int, digest: str) -> Response:
    """Give out a file that proves a ruling, never shown in the hall's own pages."""
    found = service.evidence_file(access.current_staff(), page_id, number, digest)
    answer = Response(artifact_store(settings().var_dir).get(digest), content_type=found.evidence_type)
    answer.headers.set("Content-Disposition", "attachment", filename=found.evidence_name)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _decision() -> Decision:
    answers = []
    for number in range(_QUESTIONS_MAX):
        said = request.form.get(f"answer-{number}")
        if said is None:
            break
        answers.append(_answer(said))
    verdict = request.form.get("verdict", "")
    if verdict not in ("", "pass", "fail"):
        raise Invalid("请选择通过或不通过")
    return Decision(
        answers=tuple(answers),
        passed={"pass": True, "fail": False}.get(verdict),
        note=request.form.get("note", ""),
        evidence=_evidence(),
    )


def _answer(said: str) -> Answer:
    try:
        return Answer(said)
    except ValueError:
        raise Invalid("请回答每一个问题") from None


def _evidence() -> tuple[EvidenceFile, str] | None:
    sent = request.files.get("evidence")
    content = sent.stream.read(EVIDENCE_BYTES_MAX + 1) if sent else b""
    if sent is None or not content:
        return None
    file = service.examined(content, sent.filename or "")
    return file, sha256(file.content).hexdigest()
