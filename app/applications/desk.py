"""The work desk of departments: one case, who works on it, and every step that staff may take."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from app.applications import desk_queue, moving, notes, proposals, sealing, steps
from app.applications.desk_domain import CodeNeeded, NoteKind, Outcome, SamePerson, SecondPersonNeeded
from app.applications.desk_queue import hand
from app.applications.domain import (
    EVENT_LABELS,
    STATE_LABELS,
    Event,
    MoveNotAllowed,
    State,
    Who,
    events_from,
)
from app.applications.marks import Risk
from app.applications.models import Application
from app.applications.notes import HistoryLine
from app.applications.papers import PaperLine, papers_of
from app.applications.proposals import ProposalView
from app.applications.steps import Act, Told
from app.applications.views import CaseView, case_view, form_of
from app.catalogue import service as catalogue
from app.core import audit, db
from app.core.access import Permission
from app.core.clock import HALL_TIME, day_of
from app.core.errors import Forbidden, Invalid, NotFound, Stale
from app.identity import service as identity
from app.organisations import service as organisations
from app.organisations.service import Principal

DECISIONS = frozenset({Event.DECIDE, Event.DECIDE_ON_SPOT})
HEADS_EVENTS = frozenset({Event.EXTEND, Event.SPECIAL_BEGIN})
"""What the head of the body decides (本行政机关负责人批准). Source: 行政许可法 42, 45."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskCase(CaseView):
    """A case as its desk sees it.

    Attributes:
        proposal: a decision that waits for a second person; None while none does.
        may_confirm: the reader may be that second person.
        needs_second_person: decisions on the item do.
    """

    risk: Risk
    handler_name: str
    history: list[HistoryLine]
    proposal: ProposalView | None
    proposed_by_name: str
    may_confirm: bool
    needs_second_person: bool
    papers: list[PaperLine]


def case_for(by: Principal, application_id: int, *, now: datetime) -> DeskCase:
    """Return a case of the caller's bodies with every personal answer starred.

    Raises:
        NotFound: there is none in the caller's scope.
    """
    row = db.session().get(Application, application_id)
    if row is None or row.state is State.DRAFT or row.submitted_at is None:
        raise NotFound("没有这个办件")
    held = rights(by, row)
    seen = case_view(row, "", who=(), masked=True)
    proposal = proposals.view(row)
    concerned = {f"staff:{one}" for one in (row.handler_id, row.proposed_by_id) if one is not None}
    names = organisations.names_of(concerned)
    fields_seen = {one.name: getattr(seen, one.name) for one in fields(CaseView)}
    return DeskCase(
        **{**fields_seen, "may": _may(row, held)},
        risk=desk_queue.risk_of(row, day_of(now)),
        handler_name=names.get(f"staff:{row.handler_id}", ""),
        history=notes.history(row.id),
        proposal=proposal,
        proposed_by_name=names.get(f"staff:{row.proposed_by_id}", ""),
        may_confirm=proposal is not None
        and bool(held & _CONFIRMERS)
        and proposal.proposed_by_id != by.staff_id,
        needs_second_person=seen.item.content.second_person,
        papers=papers_of(row.id),
    )


REASON_MAX = 200
USE_MAX, BODY_MAX = 120, 80
_CONFIRMERS = frozenset({Permission.CASES_HANDLE, Permission.CASES_HEAD})


def rights(by: Principal, row: Application) -> frozenset[Permission]:
    """Return what the caller may do with a case.

    Raises:
        NotFound: the case lies outside the caller's scope.
    """
    wanted = (Permission.CASES_HANDLE, Permission.CASES_HEAD, Permission.CASES_SUPERVISE)
    if not organisations.covers(by, Permission.CASES_READ, row.body_id):
        raise NotFound("没有这个办件")
    return frozenset(one for one in wanted if organisations.covers(by, one, row.body_id))


def _needed(event: Event, who: Who) -> Permission:
    if who is Who.DEPARTMENT:
        return Permission.CASES_HANDLE
    return Permission.CASES_HEAD if event in HEADS_EVENTS else Permission.CASES_SUPERVISE


def _may(row: Application, held: frozenset[Permission]) -> tuple[Event, ...]:
    found = (
        event
        for who in (Who.DEPARTMENT, Who.SUPERVISOR)
        for event in events_from(row.state, who)
        if _needed(event, who) in held
    )
    return tuple(event for event in found if row.proposed_by_id is None or event is Event.VOID)


def personal_answers(
    by: Principal, application_id: int, reason: str, *, confirmed: bool, now: datetime
) -> dict[str, Any]:
    """Return the answers in clear text; that they were read is written down for trail and applicant.

    Args:
        confirmed: the caller has just shown a one-time code.

    Raises:
        NotFound: there is no such case in the caller's scope.
        Forbidden: the caller does not handle cases of this body.
        CodeNeeded: nobody made sure again of who is asking.
        Invalid: no reason is given.
    """
    row = locked(by, application_id)
    if Permission.CASES_HANDLE not in rights(by, row):
        raise Forbidden("只有办理单位的经办人员可以查看完整信息")
    said = reason.strip()[:REASON_MAX]
    if not said:
        raise Invalid("请说明查看的理由", fields={"reason": ["请说明查看的理由"]})
    if not confirmed:
        raise CodeNeeded
    audit.record(by.actor, "application.personal_read", "application", row.id, {"reason": said})
    form = form_of(row)
    labels = "、".join(form["fields"][name]["label"] for name in row.sealed if name in form["fields"])
    identity.record_use(
        row.resident_id,
        what=labels[:USE_MAX] or "填写的内容",
        by=catalogue.version(row.item_version_id).body_name[:BODY_MAX],
        purpose=said,
        case_number=row.number or "",
        now=now,
    )
    return sealing.opened(row, form)


def take(by: Principal, application_id: int, *, version: int, now: datetime) -> None:
    """Take a case on, so that colleagues see who works on it.

    Raises:
        NotFound: there is no such case in the caller's scope.
        Forbidden: the caller does not handle cases of this body.
        MoveNotAllowed: it has ended, or somebody took it already.
        Stale: it moved on meanwhile.
    """
    row = _handled(by, application_id)
    check_seen(row, version)
    if row.handler_id == by.staff_id:
        return
    if row.handler_id is not None:
        raise MoveNotAllowed("已由同事领取")
    hand(row, by.staff_id)
    notes.add(row, NoteKind.TAKE, "", actor=by.actor, now=now)


def put_back(by: Principal, application_id: int, reason: str, *, now: datetime) -> None:
    """Put a case back for colleagues.

    Raises:
        Invalid: no reason is given.
        As :func:`take`, but for ``Stale``.
    """
    row = _handled(by, application_id)
    if row.handler_id != by.staff_id:
        raise MoveNotAllowed("不是您领取的办件")
    said = notes.demand(reason, "put_back_reason", "请说明为什么退回")
    hand(row, None)
    notes.add(row, NoteKind.PUT_BACK, said, actor=by.actor, now=now)


def _handled(by: Principal, application_id: int) -> Application:
    row = locked(by, application_id)
    if Permission.CASES_HANDLE not in rights(by, row):
        raise Forbidden("只有办理单位的经办人员可以办理")
    if row.desk_on is None:
        raise MoveNotAllowed(f"办件处于“{STATE_LABELS[row.state]}”，不用办理")
    return row


def locked(by: Principal, application_id: int) -> Application:
    """Return a case of the caller's bodies for writing.

    Raises:
        NotFound: there is none in the caller's scope.
    """
    row = moving.locked(application_id)
    rights(by, row)
    if row.submitted_at is None:
        raise NotFound("没有这个办件")
    return row


def check_seen(row: Application, version: int) -> None:
    """Refuse to act on what somebody else changed meanwhile, and say who did what.

    Raises:
        Stale: ``version`` is not the newest.
    """
    if row.version == version:
        return
    last = notes.last_line(row.id)
    if last is None:
        raise Stale
    at = last.at.astimezone(HALL_TIME)
    state = STATE_LABELS[row.state]
    raise Stale(f"{last.actor}已于 {at:%m月%d日 %H:%M}“{last.label}”，办件现在是“{state}”，请刷新后再办")


def opine(by: Principal, application_id: int, text: str, *, now: datetime) -> None:
    """Write an opinion for colleagues; no resident reads it.

    Raises:
        NotFound: there is no such case in the caller's scope.
        Invalid: nothing is said, or too much.
    """
    row = locked(by, application_id)
    said = notes.demand(text, "note", "请写下意见")
    notes.add(row, NoteKind.OPINION, said, actor=by.actor, now=now)


def step(by: Principal, application_id: int, event: Event, told: Told, *, now: datetime) -> None:
    """Take a step with a case; a decision that needs a second person waits for one.

    Raises:
        NotFound: there is no such case in the caller's scope.
        Forbidden: the step is another role's.
        MoveNotAllowed: not from this state, or not for this item.
        SecondPersonNeeded: a decision waits already.
        Stale: somebody moved it meanwhile.
        Invalid: something the step needs was not said; ``fields`` says what.
    """
    row = locked(by, application_id)
    held = rights(by, row)
    check_seen(row, told.version)
    who = _acting(row, event, held)
    steps.check_lengths(told)
    if row.proposed_by_id is not None and event is not Event.VOID:
        raise SecondPersonNeeded
    item = catalogue.version(row.item_version_id)
    supervises = Permission.CASES_SUPERVISE in held
    act = Act(row, item, event, who, by.actor, by.staff_id, supervises, now)
    if event in DECISIONS and item.content.second_person:
        _propose(act, told)
    else:
        steps.STEPS[event](act, told)


def _propose(act: Act, told: Told) -> None:
    steps.check_decision(act, told)
    assert act.staff_id is not None
    said = {name: value for name, value in asdict(told).items() if name in _OF_DECISIONS}
    proposals.propose(act.row, act.event, said, staff_id=act.staff_id, now=act.now)
    words = "准予" if told.granted else f"不予：{told.reason}"
    notes.add(act.row, NoteKind.PROPOSE, words, actor=act.actor, now=act.now)


_OF_DECISIONS = ("granted", "reason", "remedy", "opinion")


def _acting(row: Application, event: Event, held: frozenset[Permission]) -> Who:
    may = [one for one in (Who.DEPARTMENT, Who.SUPERVISOR) if event in events_from(row.state, one)]
    if not may:
        raise MoveNotAllowed(f"办件处于“{STATE_LABELS[row.state]}”，不能“{EVENT_LABELS[event]}”")
    if _needed(event, may[0]) not in held:
        raise Forbidden("这一步要由有相应权限的人员办理")
    return may[0]


def confirm(by: Principal, application_id: int, opinion: str, *, version: int, now: datetime) -> None:
    """Let the decision that a colleague proposed take effect.

    Raises:
        NotFound: there is no such case in the caller's scope.
        Forbidden: the caller neither handles cases of the body nor heads it.
        SecondPersonNeeded: nothing waits.
        SamePerson: it is the caller's own proposal.
        Stale: somebody was faster, or the case moved on.
        Invalid: the opinion is too long.
    """
    row = _second(by, application_id, version)
    proposal = proposals.close(row, Outcome.CONFIRMED, staff_id=by.staff_id, opinion=opinion.strip(), now=now)
    item = catalogue.version(row.item_version_id)
    act = Act(row, item, proposal.event, Who.DEPARTMENT, by.actor, by.staff_id, False, now)
    words = "；".join(one for one in (proposal.told["opinion"], opinion.strip()) if one)
    steps.decide(act, Told(**{**proposal.told, "opinion": words}), proposed_by=proposal.proposed_by_id)


def send_back(by: Principal, application_id: int, opinion: str, *, version: int, now: datetime) -> None:
    """Send a proposed decision back to its author, with an opinion.

    Raises:
        Invalid: nothing is said.
        As :func:`confirm`.
    """
    row = _second(by, application_id, version)
    said = notes.demand(opinion, "second_opinion", "请说明为什么退回")
    proposals.close(row, Outcome.SENT_BACK, staff_id=by.staff_id, opinion=said, now=now)
    row.version += 1
    notes.add(row, NoteKind.SEND_BACK, said, actor=by.actor, now=now)


def _second(by: Principal, application_id: int, version: int) -> Application:
    row = locked(by, application_id)
    if not rights(by, row) & _CONFIRMERS:
        raise Forbidden("复核要由办理单位的负责人或另一名经办人员进行")
    check_seen(row, version)
    if row.proposed_by_id is None:
        raise SecondPersonNeeded("这个办件没有等待复核的决定")
    if row.proposed_by_id == by.staff_id:
        raise SamePerson
    return row
