"""What people decide where no machine can: the guided review form, and settling what was left open.

A ruling becomes evidence in the check's artifact and the check is judged again with it, so that a
report always says what the rules say of artifact and evidence together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from app.core import audit, clock, db
from app.core.access import Permission
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.mobile_access.checks import differences_between, report_before
from app.mobile_access.domain import ANSWER_LABELS, NOTE_MAX, Answer
from app.mobile_access.evidence import EvidenceFile
from app.mobile_access.grace import after_check
from app.mobile_access.judging import judged
from app.mobile_access.models import CheckRun, Ruling
from app.mobile_access.registry import OBJECT, load
from app.mobile_access.shapes import RulingView
from app.mobile_access.spec_versions import spec_in_force, versions
from app.organisations import service as organisations
from app.organisations.service import Principal
from mobile_pages.artifact import Artifact, Evidence
from mobile_pages.spec.base import Verdict
from mobile_pages.spec.engine import Waiver, load_rules


class NothingKept(Conflict):
    """What was collected of the page is not kept any more."""

    code = "artifact_gone"
    title = "这次检测的原始数据已经清理，请重新检测后再核对"
    title_en = "The artifact of this check is gone"


class EvidenceThere(Conflict):
    """The ruling has its proof already; a ruling is never changed, only followed by another."""

    code = "evidence_there"
    title = "这条核对结果已有证明材料，请重新核对"
    title_en = "The ruling has its evidence already"


@dataclass(frozen=True, slots=True)
class OpenRule:
    """A rule of a check that asks for a person.

    Attributes:
        reason: why the machine did not decide; ``questions`` guide who does, none where one simply settles.
        rulings: what people said so far, the newest first.
    """

    code: str
    title: str
    is_must: bool
    reason: str
    questions: tuple[str, ...]
    rulings: tuple[RulingView, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person says of one rule.

    Attributes:
        answers: one per question; for a rule without questions ``passed`` says it.
        evidence: its file and the address it is kept under; None without one.
    """

    answers: tuple[Answer, ...] = ()
    passed: bool | None = None
    note: str = ""
    evidence: tuple[EvidenceFile, str] | None = None


def open_rules(by: Principal, page_id: int, number: int) -> list[OpenRule]:
    """Return the rules of a check that ask for a person, decided or not, in the order of the table.

    Raises:
        NotFound: no such page in the scope of ``by``, or no such check.
    """
    load(by, Permission.PAGES_READ, page_id)
    run = _run(page_id, number)
    rulings = _rulings(run)
    questions = {one.rule.code: one.rule.questions for one in load_rules().values()}
    return [
        OpenRule(
            code=rule["code"],
            title=rule["title"],
            is_must=rule["severity"] == "must",
            reason=rule["reason"],
            questions=questions.get(rule["code"], ()),
            rulings=tuple(rulings.get(rule["code"], ())),
        )
        for rule in (run.report or {}).get("rules", ())
        if _asks(rule) or rule["code"] in rulings
    ]


def _asks(rule: Mapping[str, Any]) -> bool:
    """Tell whether a rule of a report asks for a person, be it about one edition alone."""
    answers = [rule, *rule.get("editions", ())]
    return any(one["verdict"] == Verdict.NEEDS_REVIEW for one in answers)


def may_rule(by: Principal, body_id: int, open_rule: OpenRule) -> bool:
    """Tell whether ``by`` may decide: the province always, the department where questions guide it."""
    if organisations.covers(by, Permission.PAGES_REVIEW, body_id):
        return True
    declares = organisations.covers(by, Permission.PAGES_REGISTER, body_id)
    return declares and bool(open_rule.questions)


def rule_on(
    by: Principal,
    page_id: int,
    number: int,
    code: str,
    decision: Decision,
    artifact: Artifact | None,
    waivers: Iterable[Waiver],
    *,
    now: datetime,
) -> None:
    """Note what a person decided on one rule of a check, and judge the check again with it.

    Args:
        artifact: what was collected in the check, None when it is not kept any more.
        waivers: what the page is excused from.

    Raises:
        NotFound: no such page or check in the scope of ``by``, or the rule does not ask for a person.
        Forbidden: ``by`` may read the page, but not decide.
        Invalid: an answer is missing, or there is no word on what fails.
        NothingKept: see there.
    """
    page = load(by, Permission.PAGES_READ, page_id)
    asked = next((one for one in open_rules(by, page_id, number) if one.code == code), None)
    if asked is None:
        raise NotFound("这一条不需要人工核对")
    if not may_rule(by, page.body_id, asked):
        raise Forbidden
    if artifact is None:
        raise NothingKept
    passed = _demand_sound(asked, decision)
    run = db.writing().get_one(CheckRun, _run(page_id, number).id, with_for_update=True)
    self_declared = not organisations.covers(by, Permission.PAGES_REVIEW, page.body_id)
    file, digest = decision.evidence or (None, None)
    ruling = Ruling(
        page_id=page_id,
        run_id=run.id,
        code=code,
        passed=passed,
        self_declared=self_declared,
        answers=[one.value for one in decision.answers],
        note=decision.note.strip(),
        evidence=digest,
        evidence_name=file.name if file else "",
        evidence_type=file.type.value if file else "",
        actor=by.actor,
        at=now,
    )
    db.writing().add(ruling)
    db.writing().flush()
    detail = {"check": number, "code": code, "passed": passed, "self_declared": self_declared}
    audit.record(by.actor, "mobile_page.rule", OBJECT, page_id, detail)
    _judge_again(run, artifact, waivers, now)


def prove(
    by: Principal,
    page_id: int,
    number: int,
    code: str,
    evidence: tuple[EvidenceFile, str],
    artifact: Artifact | None,
    waivers: Iterable[Waiver],
    *,
    now: datetime,
) -> None:
    """Add the file that proves one's own newest ruling on a rule of a check, and judge again with it.

    Args:
        evidence, artifact, waivers: see :class:`Decision` and :func:`rule_on`.

    Raises:
        NotFound: no such page or check in the scope of ``by``, or ``by`` has not ruled on ``code``.
        EvidenceThere, NothingKept: see there.
    """
    load(by, Permission.PAGES_READ, page_id)
    run = db.writing().get_one(CheckRun, _run(page_id, number).id, with_for_update=True)
    own = _said_of(run).where(Ruling.code == code, Ruling.actor == by.actor)
    row = db.writing().scalars(own.order_by(Ruling.at.desc(), Ruling.id.desc())).first()
    if row is None:
        raise NotFound("您还没有核对这一条")
    if row.evidence is not None:
        raise EvidenceThere
    if artifact is None:
        raise NothingKept
    file, row.evidence = evidence
    row.evidence_name, row.evidence_type = file.name, file.type.value
    db.writing().flush()
    audit.record(by.actor, "mobile_page.prove", OBJECT, page_id, {"check": number, "code": code})
    _judge_again(run, artifact, waivers, now)


def evidence_for(page_id: int, artifact_digest: str) -> tuple[Evidence, ...]:
    """Return what people found about what is kept under ``artifact_digest``: one per rule.

    The province's word goes before the department's, the newest before older ones.
    """
    query = (
        select(Ruling)
        .join(CheckRun, CheckRun.id == Ruling.run_id)
        .where(Ruling.page_id == page_id, CheckRun.artifact == artifact_digest)
        .order_by(Ruling.self_declared.desc(), Ruling.at, Ruling.id)
    )
    deciding = {row.code: row for row in db.session().scalars(query)}
    names = organisations.names_of(row.actor for row in deciding.values())
    return tuple(_evidence(row, names[row.actor]) for row in deciding.values())


def evidence_file(by: Principal, page_id: int, number: int, digest: str) -> RulingView:
    """Return the ruling of a check that a file proves.

    Raises:
        NotFound: no such page in the scope of ``by``, or no such file on this check.
    """
    load(by, Permission.PAGES_READ, page_id)
    said = _said_of(_run(page_id, number)).where(Ruling.evidence == digest)
    row = db.session().scalars(said).first()
    if row is None:
        raise NotFound("没有这个文件")
    return _view(row)


def _judge_again(run: CheckRun, artifact: Artifact, waivers: Iterable[Waiver], now: datetime) -> None:
    known = {one.version: one for one in versions()}
    in_force = spec_in_force(today=clock.day_of(now))
    spec = known.get(run.spec_version, in_force)
    complete = replace(artifact, evidence=evidence_for(run.page_id, run.artifact or ""))
    result = judged(complete, run.artifact or "", spec, waivers)
    run.verdict, run.counts = result.verdict, dict(result.counts)
    run.report = dict(result.report or {})
    run.differences = differences_between(report_before(run.page_id, run.number), run.report)
    db.writing().flush()
    newest = db.session().scalar(
        select(CheckRun.id).where(CheckRun.page_id == run.page_id).order_by(CheckRun.number.desc()).limit(1)
    )
    if newest == run.id:
        after_check(run, result, grace_days=in_force.grace_days, now=now, by_person=True)


def _demand_sound(asked: OpenRule, decision: Decision) -> bool:
    """Return whether the rule is met by what was decided."""
    note = decision.note.strip()
    if len(note) > NOTE_MAX:
        raise Invalid(f"说明不超过 {NOTE_MAX} 字", fields={"note": ["太长"]})
    if asked.questions:
        if len(decision.answers) != len(asked.questions):
            raise Invalid("请回答每一个问题", fields={"answers": ["请回答每一个问题"]})
        passed = Answer.NO not in decision.answers
    elif decision.passed is None:
        raise Invalid("请选择通过或不通过", fields={"passed": ["请选择"]})
    else:
        passed = decision.passed
    if not note and not (passed and asked.questions):
        raise Invalid("请写明看到了什么", fields={"note": ["请写明看到了什么"]})
    return passed


def _evidence(row: Ruling, name: str) -> Evidence:
    who = "单位自报" if row.self_declared else "省级审核"
    parts = [f"{who}（{name}）", *([row.note] if row.note else []), *_said(row.answers)]
    return Evidence(
        code=row.code,
        passed=row.passed,
        note="；".join(parts),
        reviewed_at=row.at.isoformat(),
        attachments=(row.evidence,) if row.evidence else (),
    )


def _said(answers: Sequence[str]) -> list[str]:
    """Return what was not simply answered with yes."""
    return [
        f"第 {number} 问{ANSWER_LABELS[Answer(one)]}"
        for number, one in enumerate(answers, start=1)
        if one != Answer.YES
    ]


def _run(page_id: int, number: int) -> CheckRun:
    run = db.session().scalar(select(CheckRun).where(CheckRun.page_id == page_id, CheckRun.number == number))
    if run is None:
        raise NotFound("没有这次检测")
    return run


def _said_of(run: CheckRun) -> Select[Ruling]:
    """Begin a query of what people said of what was collected in ``run``, in whichever check of it."""
    return (
        select(Ruling)
        .join(CheckRun, CheckRun.id == Ruling.run_id)
        .where(Ruling.page_id == run.page_id, CheckRun.artifact == run.artifact)
    )


def _rulings(run: CheckRun) -> Mapping[str, list[RulingView]]:
    said = _said_of(run).order_by(Ruling.at.desc(), Ruling.id.desc())
    found: dict[str, list[Any]] = {}
    for row in db.session().scalars(said):
        found.setdefault(row.code, []).append(_view(row))
    return found


def _view(row: Ruling) -> RulingView:
    return RulingView(
        code=row.code,
        passed=row.passed,
        self_declared=row.self_declared,
        answers=tuple(Answer(one) for one in row.answers),
        note=row.note,
        evidence=row.evidence,
        evidence_name=row.evidence_name,
        evidence_type=row.evidence_type,
        actor=row.actor,
        at=row.at,
    )
