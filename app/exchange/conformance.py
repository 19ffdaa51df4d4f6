"""The conformance run (联调测试): tells a department's system what to send next, and judges what came."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.catalogue import service as catalogue
from app.core import audit, db
from app.core.clock import HALL_TIME
from app.core.errors import NotFound
from app.exchange import cases, systems
from app.exchange.domain import (
    Kind,
    NoOpenRun,
    Outcome,
    RunState,
    SystemEvent,
    move_system,
)
from app.exchange.models import ConformanceRun, ExchangeSystem
from app.exchange.outbound import put
from app.exchange.receiving import Given, Receipt
from app.organisations import service as organisations
from app.organisations.service import Principal
from app.third_parties.service import Stage
from config import exchange
from config.exchange import GoldenCase

OBJECT = "exchange_run"
LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
LONG = "长" * 201
SHOWN_RUNS = 10


@dataclass(frozen=True, slots=True)
class Task:
    """What the department's system must do next.

    Attributes:
        path: where to send it, below the address of the exchange; ``""`` where nothing is sent to one place.
        must, drop: what the message has to say, and has to leave out.
        example: messages that would do, with their SPTYPE, number and version.
        fault: for ``report``: what is to be wrong with the request.
    """

    code: str
    title: str
    say: str
    how: str
    fault: str
    path: str
    must: Mapping[str, Any]
    drop: Sequence[str]
    example: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class RunView:
    """A run and where it stands.

    Attributes:
        task: what is due; None when the run has ended.
        note: what was wrong with the last thing that came; ``""`` for nothing.
        marks: the cases passed, with when.
        certificate: number of the certificate of a passed run.
    """

    id: int
    standard_version: int
    state: RunState
    passed: int
    total: int
    task: Task | None
    note: str
    marks: Sequence[Mapping[str, Any]]
    certificate: str | None
    began_at: datetime
    ended_at: datetime | None


def start(system: ExchangeSystem, *, actor: str, now: datetime) -> RunView:
    """Begin a run; one that was open is abandoned."""
    locked = _locked_system(system)
    for former in db.writing().scalars(
        select(ConformanceRun).where(
            ConformanceRun.system_id == system.id, ConformanceRun.state == RunState.OPEN
        )
    ):
        former.state, former.ended_at = RunState.ABANDONED, now
    locked.state = move_system(locked.state, SystemEvent.TEST)
    locked.changed_at = now
    run = ConformanceRun(
        system_id=system.id,
        standard_version=exchange.golden()[0],
        state=RunState.OPEN,
        place=0,
        tries=0,
        marks=[],
        notes={"prefix": "T" + "".join(secrets.choice(LETTERS) for _ in range(7)), "said": ""},
        certificate=None,
        began_at=now,
        ended_at=None,
    )
    db.writing().add(run)
    db.writing().flush()
    audit.record(actor, "exchange_run.start", OBJECT, run.id, {"system": system.code})
    return _view(run, system, now)


def current(system: ExchangeSystem, *, now: datetime) -> RunView:
    """Return the newest run of a system.

    Raises:
        NotFound: it never began one.
    """
    query = select(ConformanceRun).where(ConformanceRun.system_id == system.id)
    run = db.session().scalar(query.order_by(ConformanceRun.began_at.desc()).limit(1))
    if run is None:
        raise NotFound("还没有开始过联调测试")
    return _view(run, system, now)


def runs(by: Principal, system_id: int, *, now: datetime) -> list[RunView]:
    """Return the last runs of a system, the newest first.

    Raises:
        NotFound: no such system in the scope of ``by``.
    """
    system = systems.load(by, system_id)
    query = select(ConformanceRun).where(ConformanceRun.system_id == system.id)
    rows = db.session().scalars(query.order_by(ConformanceRun.began_at.desc()).limit(SHOWN_RUNS))
    return [_view(row, system, now) for row in rows]


def passed_run(by: Principal, system_id: int, run_id: int, *, now: datetime) -> RunView:
    """Return a passed run with its certificate.

    Raises:
        NotFound: no such system in the scope of ``by``, or the run was not passed.
    """
    system = systems.load(by, system_id)
    run = db.session().get(ConformanceRun, run_id)
    if run is None or run.system_id != system.id or run.state is not RunState.PASSED:
        raise NotFound("没有这份证书")
    return _view(run, system, now)


def saw_messages(
    system: ExchangeSystem, came: Sequence[tuple[Given, Receipt]], *, batch: bool, now: datetime
) -> None:
    """Judge messages of the test environment that came in one request."""
    found = _open(system)
    if found is None:
        return
    run, case = found
    if case.how not in ("send", "again", "batch") or batch is not (case.how == "batch"):
        return
    wanted = [_target(run, one) for one in _wanted(case)]
    addresses = [(given.sblsh, given.kind, given.seq, given.data_version) for given, _ in came]
    if addresses != wanted:
        run.notes = {**run.notes, "said": "收到的不是这一步要求的报文（流水号、种类、序号、版本）"}
        return
    problems = [
        problem
        for (given, receipt), one in zip(came, _wanted(case), strict=True)
        for problem in _body_problems(system, given, one)
    ]
    problems += _answer_problems(case, [receipt for _, receipt in came])
    _mark(run, system, case, problems, now)


def saw_read(system: ExchangeSystem, sblsh: str, kind: Kind, seq: int, state: str, *, now: datetime) -> None:
    """Judge that the state of a message was asked for."""
    found = _open(system)
    if found is None or found[1].how != "read":
        return
    run, case = found
    wanted = _target(run, _wanted(case)[0])
    if (sblsh, kind, seq) == wanted[:3]:
        wrong = state != case.expect["state"]
        _mark(run, system, case, [f"报文的状态是 {state}"] if wrong else [], now)


def saw_inbox(system: ExchangeSystem, how: str, numbers: Sequence[int], *, now: datetime) -> None:
    """Judge that the inbox was read (``pull``), or what was taken acknowledged (``ack``)."""
    found = _open(system)
    if found is None or found[1].how != how:
        return
    run, case = found
    laid = _laid(system)
    problems = [] if laid in numbers else [f"没有包括第 {laid} 条报文"]
    _mark(run, system, case, problems, now)


def report(system: ExchangeSystem, status: int, code: str, *, now: datetime) -> RunView:
    """Take what a system says it was answered where the hall cannot tell who asked.

    Raises:
        NoOpenRun: there is none.
    """
    found = _open(system)
    if found is None:
        raise NoOpenRun
    run, case = found
    if case.how == "report":
        wanted = case.expect
        right = status == wanted["status"] and code == wanted.get("code", code)
        _mark(run, system, case, [] if right else ["报告的状态码或 code 与大厅的回答不符"], now)
    else:
        run.notes = {**run.notes, "said": "这一步不用报告"}
    db.writing().flush()
    return _view(run, system, now)


def _open(system: ExchangeSystem) -> tuple[ConformanceRun, GoldenCase] | None:
    query = (
        select(ConformanceRun)
        .where(ConformanceRun.system_id == system.id, ConformanceRun.state == RunState.OPEN)
        .order_by(ConformanceRun.began_at.desc())
        .limit(1)
        .with_for_update()
    )
    run = db.writing().scalar(query)
    version, cases_ = exchange.golden()
    if run is None or run.standard_version != version:
        return None
    return run, cases_[run.place]


def _mark(
    run: ConformanceRun, system: ExchangeSystem, case: GoldenCase, problems: Sequence[str], now: datetime
) -> None:
    """Put down how a case went; with the last one the run is passed, and so is the system."""
    if problems:
        run.tries += 1
        run.notes = {**run.notes, "said": "；".join(problems) + "。改好以后请重新开始测试"}
        return
    run.marks = [*run.marks, {"code": case.code, "title": case.title, "at": now.isoformat()}]
    run.notes = {**run.notes, "said": ""}
    every = exchange.golden()[1]
    if run.place + 1 < len(every):
        run.place += 1
        if every[run.place].how == "pull":
            _lay_in_inbox(run, system, now)
        return
    run.state, run.ended_at = RunState.PASSED, now
    run.certificate = f"DJ{now.astimezone(HALL_TIME):%Y%m%d}{secrets.randbelow(10**8):08}"
    locked = _locked_system(system)
    locked.state = move_system(locked.state, SystemEvent.PASS)
    locked.passed_version, locked.changed_at = run.standard_version, now
    audit.record("system", "exchange_run.pass", OBJECT, run.id, {"certificate": run.certificate})


def _lay_in_inbox(run: ConformanceRun, system: ExchangeSystem, now: datetime) -> None:
    case = cases.locked_case(system, Stage.SANDBOX, f"{run.notes['prefix']}-hall", now)
    put(system, case, "submit", Kind.SB, step=None, happening=f"run:{run.id}", now=now)


def _laid(system: ExchangeSystem) -> int:
    """Return the number of the message that the run put into the inbox: always the last."""
    query = select(ExchangeSystem.sent_count).where(ExchangeSystem.id == system.id)
    found = db.writing().scalar(query) or {}
    return int(found.get(Stage.SANDBOX.value, 0))


def _locked_system(system: ExchangeSystem) -> ExchangeSystem:
    query = select(ExchangeSystem).where(ExchangeSystem.id == system.id).with_for_update()
    return db.writing().scalars(query.execution_options(populate_existing=True)).one()


def _wanted(case: GoldenCase) -> list[Mapping[str, Any]]:
    """Return the messages that a case asks for, each with the letter of its case."""
    told = case.message
    if "batch" in told:
        return [{**one, "letter": told["case"]} for one in told["batch"]]
    return [{**told, "letter": told["case"]}]


def _target(run: ConformanceRun, one: Mapping[str, Any]) -> tuple[str, Kind, int, int]:
    return f"{run.notes['prefix']}-{one['letter']}", Kind[one["kind"]], one["seq"], one.get("version", 1)


def _body_problems(system: ExchangeSystem, given: Given, one: Mapping[str, Any]) -> list[str]:
    must = _filled(one.get("must", {}), system, None)
    wrong = [field for field, value in must.items() if given.body.get(field) != value]
    kept = [field for field in one.get("drop", ()) if given.body.get(field)]
    return [f"{field} 的值不是这一步要求的" for field in wrong] + [f"不应带 {field}" for field in kept]


def _answer_problems(case: GoldenCase, receipts: Sequence[Receipt]) -> list[str]:
    expect, problems = case.expect, []
    statuses = expect.get("statuses", [expect.get("status")])
    if [one.status for one in receipts] != statuses:
        problems.append(
            f"大厅的回答是 {'、'.join(str(one.status) for one in receipts)}，与这一步应得到的不同"
        )
    last = receipts[-1]
    if "state" in expect and last.state != expect["state"]:
        problems.append(f"报文的状态是 {last.state}")
    if "code" in expect and last.code != expect["code"]:
        problems.append(f"回答的 code 是 {last.code}")
    if "findings" in expect:
        found = {one["field"]: one["code"] for one in last.findings}
        more = [f"{field}（{code}）" for field, code in found.items() if field not in expect["findings"]]
        problems += [f"还有别的错误：{'、'.join(more)}"] if more else []
        problems += [f"{field} 没有应有的错误" for field in expect["findings"] if field not in found]
    return problems


def _view(run: ConformanceRun, system: ExchangeSystem, now: datetime) -> RunView:
    version, every = exchange.golden()
    is_open = run.state is RunState.OPEN and run.standard_version == version
    return RunView(
        id=run.id,
        standard_version=run.standard_version,
        state=run.state,
        passed=len(run.marks),
        total=len(every),
        task=_task(run, system, every[run.place], now) if is_open else None,
        note=run.notes["said"],
        marks=run.marks,
        certificate=run.certificate,
        began_at=run.began_at,
        ended_at=run.ended_at,
    )


def _task(run: ConformanceRun, system: ExchangeSystem, case: GoldenCase, now: datetime) -> Task:
    told = case.message
    wanted = _wanted(case) if "case" in told else []
    examples = [_example(run, system, one, now) for one in wanted]
    path = ""
    if wanted and "batch" not in told:
        sblsh, kind, seq, _ = _target(run, wanted[0])
        path = f"/cases/{system.code}/{sblsh}/messages/{int(kind)}/{seq}"
    return Task(
        code=case.code,
        title=case.title,
        say=case.say,
        how=case.how,
        fault=told.get("fault", ""),
        path=path,
        must=_filled(told.get("must", {}), system, None),
        drop=list(told.get("drop", ())),
        example=examples,
    )


def _example(
    run: ConformanceRun, system: ExchangeSystem, one: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    sblsh, kind, seq, version = _target(run, one)
    item = catalogue.item(_item_of(system))
    # The same to the second for as long as the run lasts: what is sent again must be the same.
    said = _filled(exchange.examples()[kind.name], system, run.began_at)
    body = {
        "SBLSH": sblsh,
        "SXBM": item.code,
        "XZQHDM": item.region_code,
        "SJBBH": str(version),
        **said,
        **_filled(one.get("must", {}), system, None),
    }
    for field in one.get("drop", ()):
        body.pop(field, None)
    return {"sblsh": sblsh, "sptype": int(kind), "seq": seq, "version": version, "body": body}


def _item_of(system: ExchangeSystem) -> int:
    codes = catalogue.codes_of(system.body_id)
    chosen = next((codes[code] for code in system.items if code in codes), None)
    if chosen is None:
        chosen = next(iter(codes.values()), None)
    if chosen is None:
        raise NotFound("本单位没有已发布的事项，不能测试")
    return chosen


def _filled(told: Mapping[str, Any], system: ExchangeSystem, at: datetime | None) -> dict[str, Any]:
    """Return ``told`` with the values of the system at hand in place."""
    granted = [code for code, outcome in system.results.items() if outcome == Outcome.GRANTED]
    words = {
        "{@granted}": granted[0] if granted else "",
        "{@long}": LONG,
        "{@body}": organisations.get_body(system.body_id).full_name,
    }
    if at is not None:
        local = at.astimezone(HALL_TIME)
        words |= {
            "{@now}": local.strftime("%Y-%m-%d %H:%M:%S"),
            "{@today}": local.strftime("%Y-%m-%d"),
            "{@item_name}": catalogue.item(_item_of(system)).content.name,
        }
    return {
        field: words.get(value, value) if isinstance(value, str) else value for field, value in told.items()
    }
