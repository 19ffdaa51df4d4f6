"""What each step of the department does to a case, and what it must say for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from app.applications import attachments, moving, sealing, telling
from app.applications.clock import pause_to_json
from app.applications.domain import (
    SUPPLEMENT_ITEMS_MAX,
    TEXT_MAX,
    Event,
    MoveNotAllowed,
    State,
    Who,
)
from app.applications.models import Application, ApplicationSupplement
from app.applications.submitting import free_number
from app.applications.views import form_of
from app.catalogue import service as catalogue
from app.catalogue.service import CaseType, Delivery, ItemView
from app.core import db
from app.core.clock import day_of
from app.core.errors import Forbidden, Invalid
from app.core.working_time import calendar, working_days_later
from app.organisations import service as organisations


@dataclass(frozen=True, slots=True)
class Told:
    """What a member of staff, or a department's system, says with a step; each event reads what it needs.

    Attributes:
        version: the version last seen; a system that reports has seen none.
        opinion: for colleagues; ``reason``: for the applicant.
        remedy: what the applicant can do against it (救济途径).
        items: what a supplement must contain: ``text``, and ``field`` or ``material`` where it is one.
        days: working days of an extension.
        kind: of a special procedure, one of the item's.
        result: ``name`` and ``number`` of what is issued.
        delivery: how it reached the applicant.
    """

    version: int = 0
    opinion: str = ""
    reason: str = ""
    remedy: str = ""
    granted: bool | None = None
    items: list[dict[str, str]] = field(default_factory=list)
    days: int = 0
    kind: str = ""
    expected_on: date | None = None
    result: Mapping[str, str] = field(default_factory=dict)
    delivery: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """A step about to be taken.

    Attributes:
        actor: name for the trail; ``staff_id``: None where a system reports what was done elsewhere.
        supervises: the caller is a supervisor of the body too.
        now: when it is done; ``recorded_at``: when the hall gets to know, None for at once.
    """

    row: Application
    item: ItemView
    event: Event
    who: Who
    actor: str
    staff_id: int | None
    supervises: bool
    now: datetime
    recorded_at: datetime | None = None

    @property
    def today(self) -> date:
        return day_of(self.now)

    def move(self, told: Told, text: str = "", **detail: Any) -> None:
        said = {"opinion": told.opinion} if told.opinion else {}
        if self.recorded_at is not None:
            said["recorded_at"] = self.recorded_at.isoformat()
        moving.make_move(
            self.row,
            self.event,
            self.who,
            actor=self.actor,
            now=self.now,
            text=text,
            detail={**said, **detail},
        )

    def tell(self, template: str, *, until: date | None = None, paper: str = "") -> None:
        telling.tell(
            self.row,
            self.item,
            template,
            self.recorded_at or self.now,
            at=self.now,
            until=until,
            paper=paper,
        )


def _demand(**said: tuple[str, str]) -> None:
    """Refuse a step that lacks words: field = (what was said, what to say)."""
    faults = {
        name: [demand if not value.strip() else f"不超过 {TEXT_MAX} 字"]
        for name, (value, demand) in said.items()
        if not value.strip() or len(value) > TEXT_MAX
    }
    if faults:
        raise Invalid(fields=faults)


def check_lengths(told: Told) -> None:
    """Refuse more words than a step keeps, whether it needs them or not.

    Raises:
        Invalid: ``fields`` says which are too long.
    """
    said = {"opinion": told.opinion, "reason": told.reason, "remedy": told.remedy}
    faults = {name: [f"不超过 {TEXT_MAX} 字"] for name, value in said.items() if len(value) > TEXT_MAX}
    if faults:
        raise Invalid(fields=faults)


def _demand_reason_and_remedy(told: Told) -> None:
    _demand(reason=(told.reason, "请说明理由和依据"), remedy=(told.remedy, "请告知申请人可以怎样救济"))


def accept(act: Act, told: Told) -> None:
    moving.start_handling(act.row, act.item, act.now)
    act.move(told, f"{act.item.body_name}已受理。")
    act.tell(telling.ACCEPTED)


def refuse(act: Act, told: Told) -> None:
    _demand_reason_and_remedy(told)
    act.row.reason, act.row.remedy = told.reason, told.remedy
    act.move(told, f"不予受理：{told.reason}")
    act.tell(telling.DOCUMENT, paper="不予受理通知书")


def ask_supplement(act: Act, told: Told) -> None:
    """Tell once and completely what is missing; a second notice is a supervisor's to give."""
    _check_items(act, told.items)
    asked = db.writing().scalar(
        select(func.count()).where(ApplicationSupplement.application_id == act.row.id)
    )
    if asked and not act.supervises:
        raise Forbidden("补正应当一次告知；再次要求补正须由监督人员决定")
    due_on = working_days_later(act.today, act.item.content.supplement_days, calendar())
    db.writing().add(
        ApplicationSupplement(
            application_id=act.row.id,
            number=(asked or 0) + 1,
            items=told.items,
            asked_at=act.now,
            due_on=due_on,
            statement="",
        )
    )
    act.row.supplement_due_on, act.row.intake_due_on = due_on, None
    act.row.calendar_version = calendar().version
    wanted = "；".join(one["text"] for one in told.items)
    act.move(told, f"请在{telling.day(due_on)}前补正：{wanted}", items=told.items)
    act.tell(telling.CORRECTION, until=due_on)


def _check_items(act: Act, items: list[dict[str, str]]) -> None:
    if not 0 < len(items) <= SUPPLEMENT_ITEMS_MAX:
        raise Invalid(fields={"items": [f"请列出 1 至 {SUPPLEMENT_ITEMS_MAX} 项要补正的内容"]})
    properties = form_of(act.row)["schema"]["properties"]
    codes = {one.code for one in act.item.content.materials}
    for one in items:
        _demand(items=(one.get("text", ""), "每一项都要说明要补正什么"))
        if one.get("field") and one["field"] not in properties:
            raise Invalid(fields={"items": [f"表单里没有 {one['field']} 这一项"]})
        if one.get("material") and one["material"] not in codes:
            raise Invalid(fields={"items": [f"没有编号为 {one['material']} 的材料"]})


def begin(act: Act, told: Told) -> None:
    act.row.handler_id = act.row.handler_id or act.staff_id
    act.move(told)


def step_pass(act: Act, told: Told) -> None:
    steps = act.item.content.steps
    if act.row.step >= len(steps):
        raise MoveNotAllowed("各环节都已通过，请作出决定")
    passed = steps[act.row.step].name
    act.row.step += 1
    act.move(told, f"“{passed}”环节已完成。", step=passed)


def step_return(act: Act, told: Told) -> None:
    _demand(opinion=(told.opinion, "请说明为什么退回上一环节"))
    if act.row.step == 0:
        raise MoveNotAllowed("已经在第一个环节")
    act.row.step -= 1
    act.move(told, "退回上一环节重新审查。", step=act.item.content.steps[act.row.step].name)


def extend(act: Act, told: Told) -> None:
    """Put the decision off once; a pause it is not, and not while one lasts."""
    _demand(reason=(told.reason, "请说明延长的理由"))
    limit = moving.limit_of(act.row, act.item.content.promised_days).extended(told.days)
    act.row.extension_days = limit.extension_days
    moving.reckon_handling(act.row, act.item)
    act.move(told, f"办理期限延长 {told.days} 个工作日：{told.reason}", days=told.days, reason=told.reason)
    act.tell(telling.DOCUMENT, paper="延长办理期限告知书")


def special_begin(act: Act, told: Told) -> None:
    _demand(reason=(told.reason, "请说明启动特别程序的理由或依据"))
    if told.kind not in act.item.content.pauses:
        raise Invalid(fields={"kind": ["请从事项列出的特别程序中选择"]})
    if told.expected_on is None or told.expected_on < act.today:
        raise Invalid(fields={"expected_on": ["请填写预计结束的日期，不早于今天"]})
    limit = moving.limit_of(act.row, act.item.content.promised_days).stopped(told.kind, act.today)
    act.row.pauses = [pause_to_json(one) for one in limit.pauses]
    moving.reckon_handling(act.row, act.item)
    ends = telling.day(told.expected_on)
    act.move(
        told,
        f"进入特别程序“{told.kind}”，预计{ends}结束，期间不计入办理期限。{told.reason}",
        kind=told.kind,
        expected_on=told.expected_on.isoformat(),
        reason=told.reason,
    )
    act.tell(telling.DOCUMENT, paper="特别程序告知书")


def special_end(act: Act, told: Told) -> None:
    limit = moving.limit_of(act.row, act.item.content.promised_days).resumed(act.today)
    act.row.pauses = [pause_to_json(one) for one in limit.pauses]
    last = limit.pauses[-1]
    moving.reckon_handling(act.row, act.item)
    act.move(told, f"特别程序“{last.kind}”已结束，继续办理。", kind=last.kind)


def check_decision(act: Act, told: Told) -> None:
    """Refuse a decision that is not one yet: a refusal says why, and what can be done against it.

    Raises:
        Invalid: something was not said.
        MoveNotAllowed: the item is not decided on the spot.
    """
    if told.granted is None:
        raise Invalid(fields={"granted": ["请选择准予或不予"]})
    if not told.granted:
        _demand_reason_and_remedy(told)
    if act.event is Event.DECIDE_ON_SPOT and act.item.content.case_type is not CaseType.ON_THE_SPOT:
        raise MoveNotAllowed("不是即办件，不能当场决定")


def decide(act: Act, told: Told, proposed_by: int | None = None) -> None:
    """Decide; ``proposed_by`` is who wrote the decision that a second person now confirms."""
    check_decision(act, told)
    row = act.row
    row.granted, row.reason, row.remedy = told.granted, told.reason, told.remedy
    moving.start_delivery(row, act.now)
    words = "准予。" if told.granted else f"不予：{told.reason}"
    second = {"proposed_by": f"staff:{proposed_by}"} if proposed_by is not None else {}
    act.move(told, f"已作出决定：{words}", granted=told.granted, **second)


def complete(act: Act, told: Told) -> None:
    _demand(result=(told.result.get("name", ""), "请填写办理结果的名称"))
    number = told.result.get("number", "")
    act.row.result = {"name": told.result["name"], "number": number}
    act.row.completed_at = act.now
    act.move(told, f"已办结：{told.result['name']}{number}。", result_code="0" if act.row.granted else "6")
    act.tell(telling.DECIDED)


def deliver(act: Act, told: Told) -> None:
    if told.delivery not in {one.value for one in Delivery}:
        raise Invalid(fields={"delivery": ["请选择送达方式"]})
    way = catalogue.DELIVERY_LABELS[Delivery(told.delivery)]
    act.move(told, f"结果已送达（{way}）。", delivery=told.delivery)


def refer_up(act: Act, told: Told) -> None:
    """Close here and open a linked case where a higher place carries the same item out."""
    _demand(reason=(told.reason, "请说明转报的理由"))
    upper = catalogue.upper_item(act.item)
    if upper is None:
        raise MoveNotAllowed("上级没有开通这个事项，不能转报")
    row, place = act.row, organisations.places([upper.body_id]).get(upper.body_id)
    linked = Application(
        resident_id=row.resident_id,
        implementation_id=upper.id,
        item_version_id=upper.version_id,
        form_version_id=row.form_version_id,
        body_id=upper.body_id,
        region_code=upper.region_code,
        city_code=place.city_code if place else None,
        referred_from_id=row.id,
        state=State.DRAFT,
        version=1,
        channel=row.channel,
        answers=row.answers,
        sealed=sealing.copied(row, form_of(row)),
        materials=row.materials,
        sources=row.sources,
        variant=row.variant,
        agent_id=row.agent_id,
        delegation_id=row.delegation_id,
        enterprise_id=row.enterprise_id,
        code_issue=0,
        event_count=0,
        step=0,
        extension_days=0,
        pauses=[],
        reason="",
        remedy="",
        created_at=act.now,
        saved_at=act.now,
    )
    linked.number = free_number(upper.region_code, row.channel, act.now)
    linked.submitted_at = act.now
    moving.start_intake(linked, act.now)
    linked.files = {}
    db.writing().add(linked)
    db.writing().flush()
    attachments.copy_files(row, linked)
    moving.make_move(
        linked,
        Event.SUBMIT,
        Who.RESIDENT,
        actor=act.actor,
        now=act.now,
        text=f"由{act.item.body_name}转报。",
    )
    act.move(told, f"已转报{upper.body_name}，新的办件编号 {linked.number}。{told.reason}", result_code="4")
    act.tell(telling.DOCUMENT, paper="转报告知书")


def void(act: Act, told: Told) -> None:
    """Strike a wrong record out; never by the person who handled it."""
    _demand(reason=(told.reason, "请说明作废的理由"))
    if act.staff_id is not None and act.row.handler_id == act.staff_id:
        raise Forbidden("作废要由经办人以外的人员决定")
    act.row.reason = told.reason
    act.move(told, f"作废：{told.reason}", result_code="2")
    act.tell(telling.DOCUMENT, paper="办件作废告知书")


STEPS: Mapping[Event, Callable[[Act, Told], None]] = {
    Event.ACCEPT: accept,
    Event.REFUSE: refuse,
    Event.ASK_SUPPLEMENT: ask_supplement,
    Event.BEGIN: begin,
    Event.DECIDE_ON_SPOT: decide,
    Event.STEP_PASS: step_pass,
    Event.STEP_RETURN: step_return,
    Event.EXTEND: extend,
    Event.SPECIAL_BEGIN: special_begin,
    Event.SPECIAL_END: special_end,
    Event.DECIDE: decide,
    Event.REFER_UP: refer_up,
    Event.COMPLETE: complete,
    Event.DELIVER: deliver,
    Event.VOID: void,
}
"""Every step of the desk, by its event."""
