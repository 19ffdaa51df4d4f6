"""What a message does to a case: the moves of the hall's machine that it tells of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.applications.service import STATE_LABELS, CaseFacts, Event, State, Told
from app.core.working_time import calendar, working_days_later
from app.exchange.domain import Gap, Kind, Outcome

REMEDY = (
    "可以自收到决定之日起六十日内依法申请行政复议，或者六个月内依法提起行政诉讼；具体以办理单位的文书为准。"
)
"""What a refusal says where the standard has no field for it. Source: 行政复议法 20, 行政诉讼法 46."""
WORKING_DAYS = "1"
COLLECTED = {"1": "pick_up", "2": "post", "3": "electronic"}
HANDLED = (State.ACCEPTED, State.HANDLING)
BEFORE = (State.SUBMITTED, State.SUPPLEMENT_DUE)


@dataclass(frozen=True, slots=True)
class Do:
    """One move of the case, and what is said with it."""

    event: Event
    told: Told


Body = Mapping[str, Any]
Plan = tuple[Do, ...]


def plan(kind: Kind, body: Body, case: CaseFacts, results: Mapping[str, str]) -> Plan:
    """Return the moves that a message asks for; none where it only puts down what is known.

    Args:
        results: 办结结果代码 of the system to :class:`Outcome`.

    Raises:
        Gap: something must come before; says what.
    """
    return _PLANS[kind](body, case, results)


def substance(kind: Kind, body: Body, results: Mapping[str, str]) -> tuple[str, ...]:
    """Return what others built on: a correction that changes none of it can be taken as it is."""
    said = [str(body.get(field) or "") for field in _SUBSTANCE[kind]]
    if kind is Kind.BJ:
        said.append(results.get(str(body.get("BJJGDM")), ""))
    return tuple(said)


_SUBSTANCE: Mapping[Kind, tuple[str, ...]] = {
    Kind.SB: ("SXBM", "SQRLX", "SQRMC", "SQRZJLX", "SQRZJHM", "SBSJ"),
    Kind.WSYSL: ("YSLZTDM", "BSLYY", "YSLSJ"),
    Kind.SL: ("SLZTDM", "BSLYY", "SLSJ"),
    Kind.SPCL: ("SPHJDM", "SPSJ"),
    Kind.BJ: ("BJSJ", "ZJGZMC", "ZJBH", "ZFHTHYY"),
    Kind.TBCXSQ: ("TBCXZL", "TBCXZLMC", "TBCXKSRQ", "TBCXSX", "TBCXSXDW", "TBCXQDLY"),
    Kind.TBCXJG: ("JGCSRQ", "TBCXJSRQ"),
    Kind.BJGZ: ("BZGZYY", "BZCLQD", "BZGZSJ"),
    Kind.BJSL: ("BZSJ",),
    Kind.LQDJ: ("LQFS", "LQSJ"),
}


def _applied_for(_body: Body, _case: CaseFacts, _results: Mapping[str, str]) -> Plan:
    # The case is there already: made by this very message, or handed in to the hall.
    return ()


def _pre_accepted(body: Body, case: CaseFacts, _results: Mapping[str, str]) -> Plan:
    if body["YSLZTDM"] != "2" or case.state is State.NOT_ACCEPTED:
        return ()
    return _refused(body["BSLYY"], case)


def _accepted(body: Body, case: CaseFacts, _results: Mapping[str, str]) -> Plan:
    if body["SLZTDM"] == "2":
        return () if case.state is State.NOT_ACCEPTED else _refused(body["BSLYY"], case)
    if case.state is State.SUBMITTED:
        return (Do(Event.ACCEPT, Told()),)
    if case.state is State.SUPPLEMENT_DUE:
        raise Gap("补正还没有完成，应先有补交（补正）受理")
    if case.state in (State.NOT_ACCEPTED, State.WITHDRAWN, State.RETURNED):
        raise _impossible(case)
    return ()  # taken as accepted by law meanwhile


def _refused(reason: str, case: CaseFacts) -> Plan:
    if case.state is not State.SUBMITTED:
        raise _impossible(case)
    return (Do(Event.REFUSE, Told(reason=reason, remedy=REMEDY)),)


def _approved(body: Body, case: CaseFacts, _results: Mapping[str, str]) -> Plan:
    _demand_handled(case)
    opinion = f"{body['SPHJMC']}（{body['SPRXM']}）：{body['SPYJ']}"
    begun = _begun(case)
    if case.step >= case.step_count:
        return begun
    return (*begun, Do(Event.STEP_PASS, Told(opinion=opinion)))


def _special_begun(body: Body, case: CaseFacts, _results: Mapping[str, str]) -> Plan:
    _demand_handled(case)
    days = int(body["TBCXSX"])
    if body["TBCXZL"] in ("A", "1"):
        return (*_begun(case), Do(Event.EXTEND, Told(days=days, reason=body["TBCXQDLY"])))
    began = date.fromisoformat(body["TBCXKSRQ"])
    if body["TBCXSXDW"] == WORKING_DAYS:
        ends = working_days_later(began, days, calendar())
    else:
        ends = began + timedelta(days=days)
    told = Told(kind=body["TBCXZLMC"], reason=body["TBCXQDLY"], expected_on=ends)
    return (*_begun(case), Do(Event.SPECIAL_BEGIN, told))


def _special_ended(_body: Body, case: CaseFacts, _results: Mapping[str, str]) -> Plan:
    if case.state is State.SUSPENDED:
        return (Do(Event.SPECIAL_END, Told()),)
    if case.state is State.HANDLING:
        return ()  # of an extension: that has no end of its own
    raise Gap("没有进行中的特别程序，应先有特别程序申请")


def _supplement_asked(body: Body, case: CaseFacts, _results: Mapping[str, str]) -> Plan:
    if case.state is not State.SUBMITTED:
        raise _impossible(case)
    # The reason once: beside each of many materials it would be longer than what a step may say.
    first, *more = (one["CLMC"] for one in body["BZCLQD"])
    items = [{"text": f"{first}（{body['BZGZYY']}）"}, *({"text": name} for name in more)]
    return (Do(Event.ASK_SUPPLEMENT, Told(items=items, reason=body["BZGZYY"])),)


def _supplement_taken(_body: Body, case: CaseFacts, _results: Mapping[str, str]) -> Plan:
    if case.state is State.SUPPLEMENT_DUE:
        return (Do(Event.SUPPLY, Told(reason="已向办理单位补正")),)
    return ()  # handed in through the hall: the department says that it has it


def _collected(body: Body, case: CaseFacts, _results: Mapping[str, str]) -> Plan:
    if case.state is State.DELIVERED:
        return ()
    if case.state is not State.COMPLETED:
        raise Gap("还没有办结，应先有办结报文")
    return (Do(Event.DELIVER, Told(delivery=COLLECTED[body["LQFS"]])),)


def _ended(body: Body, case: CaseFacts, results: Mapping[str, str]) -> Plan:
    outcome = results.get(body["BJJGDM"])
    if outcome is None:
        raise Gap("办结结果代码在本系统的对照表里没有，请先补充对照表")
    reason = str(body.get("ZFHTHYY") or body["BJJGMS"])
    match Outcome(outcome):
        case Outcome.GRANTED | Outcome.DONE:
            name = str(body.get("ZJGZMC") or case.result_name or "办结")
            result = {"name": name, "number": str(body.get("ZJBH") or "")}
            return _decided(case, Told(granted=True), Told(result=result))
        case Outcome.NOT_ACCEPTED:
            return () if case.state is State.NOT_ACCEPTED else _refused(reason, case)
        case Outcome.DENIED | Outcome.RETURNED:
            if case.state is State.SUBMITTED:
                return _refused(reason, case)
            if case.state in (State.NOT_ACCEPTED, State.RETURNED):
                return ()
            refusal = Told(granted=False, reason=reason, remedy=REMEDY)
            return _decided(case, refusal, Told(result={"name": "不予许可（退回）决定"}))
        case Outcome.OVERDUE:
            if case.state is State.RETURNED:
                return ()
            raise Gap("补正期限由大厅计算：期限届满后大厅自动退件，本报文届时入账")
        case Outcome.REFERRED:
            _demand_handled(case)
            return (*_begun(case), Do(Event.REFER_UP, Told(reason=reason)))
        case _:
            return _struck_out(case, reason)


def _decided(case: CaseFacts, decision: Told, result: Told) -> Plan:
    completed = Do(Event.COMPLETE, result)
    if case.state in (State.COMPLETED, State.DELIVERED):
        return ()  # completed at the hall's own desk
    if case.state is State.DECIDED:
        return (completed,)
    _demand_handled(case)
    if case.state is State.ACCEPTED and case.on_the_spot:
        return (Do(Event.DECIDE_ON_SPOT, decision), completed)
    return (*_begun(case), Do(Event.DECIDE, decision), completed)


def _struck_out(case: CaseFacts, reason: str) -> Plan:
    if case.state is State.VOIDED:
        return ()
    if case.state not in (*HANDLED, State.SUSPENDED):
        raise _impossible(case)
    return (Do(Event.VOID, Told(reason=reason)),)


def _begun(case: CaseFacts) -> Plan:
    return (Do(Event.BEGIN, Told()),) if case.state is State.ACCEPTED else ()


def _demand_handled(case: CaseFacts) -> None:
    if case.state in BEFORE:
        raise Gap("还没有受理，应先有受理报文")
    if case.state is State.SUSPENDED:
        raise Gap("特别程序还没有结束，应先有特别程序结果")
    if case.state not in HANDLED:
        raise _impossible(case)


def _impossible(case: CaseFacts) -> Gap:
    return Gap(f"办件处于“{STATE_LABELS[case.state]}”，这条报文不能入账")


_PLANS: Mapping[Kind, Callable[[Body, CaseFacts, Mapping[str, str]], Plan]] = {
    Kind.SB: _applied_for,
    Kind.WSYSL: _pre_accepted,
    Kind.SL: _accepted,
    Kind.SPCL: _approved,
    Kind.BJ: _ended,
    Kind.TBCXSQ: _special_begun,
    Kind.TBCXJG: _special_ended,
    Kind.BJGZ: _supplement_asked,
    Kind.BJSL: _supplement_taken,
    Kind.LQDJ: _collected,
}
