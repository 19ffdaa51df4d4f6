"""The demo's department system: docked, tested, live, with cases on their way and messages that wait."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from app.catalogue import service as catalogue
from app.core.clock import HALL_TIME
from app.exchange import service as exchange
from app.exchange.service import Given, Kind, Receipt, SystemEvent, SystemWanted, Task
from app.organisations import service as organisations
from app.organisations.service import Principal, Role
from app.third_parties import service as third_parties
from app.third_parties.service import AppEvent, AppView, Caller, Quota, Registration, Scope, Stage
from config.exchange import golden

NAME = "居住证业务系统（演示）"
CODE = "TH-JZZ"
BODY = "广州市天河区人民政府"
ITEM = "居住证"
PERSON = "445399199003070019"
TESTS_PER_MINUTE = 600
REPORTED: Mapping[str, Sequence[tuple[Kind, int, int, dict[str, Any]]]] = {
    "TH-2026-0001": (
        (Kind.SB, 1, 0, {}),
        (Kind.SL, 2, 20, {}),
        (Kind.SPCL, 3, 60, {}),
        (Kind.BJ, 4, 90, {}),
        (Kind.LQDJ, 5, 100, {}),
    ),
    "TH-2026-0002": ((Kind.SB, 1, 30, {}), (Kind.SL, 2, 45, {}), (Kind.SPCL, 3, 80, {})),
    "TH-2026-0003": ((Kind.SB, 1, 50, {}), (Kind.BJ, 3, 95, {})),
    "TH-2026-0004": ((Kind.SB, 1, 70, {}), (Kind.SL, 2, 85, {"SLZTDM": "2"})),
}
"""By number: kind, place, minutes after the first, and what is special. The last two need somebody's care."""
SAID: Mapping[Kind, dict[str, str]] = {
    Kind.SB: {"SXMC": "居住证申领", "SQRLX": "1", "SQRMC": "演示申请人", "SQRZJLX": "1", "SQRZJHM": PERSON},
    Kind.SL: {"SLBMMC": BODY, "BLRXM": "演示经办人", "SLZTDM": "1"},
    Kind.SPCL: {
        "SPHJDM": "1",
        "SPHJMC": "承办",
        "SPBMMC": BODY,
        "SPRXM": "演示经办人",
        "SPYJ": "同意",
    },
    Kind.BJ: {"BJBMMC": BODY, "BJJGDM": "0", "BJJGMS": "准予", "ZJGZMC": "居住证", "ZJBH": "YS-0001"},
    Kind.LQDJ: {"LQRXM": "演示申请人", "LQFS": "1"},
}
AT: Mapping[Kind, str] = {
    Kind.SB: "SBSJ",
    Kind.SL: "SLSJ",
    Kind.SPCL: "SPSJ",
    Kind.BJ: "BJSJ",
    Kind.LQDJ: "LQSJ",
}


def dock(*, now: datetime) -> dict[str, Any] | None:
    """Dock the demo's system; return its keys for ``sandbox.department``, None when it is docked already."""
    body = organisations.find_body(BODY)
    operator = _acting(Role.COUNTY_OPERATOR, body.region_code)
    if any(one.code == CODE for one in exchange.listing(operator)):
        return None
    codes = catalogue.codes_of(body.id)
    item = next((code for code, one in codes.items() if ITEM in catalogue.item(one).content.name), None)
    if item is None:
        return None
    app = _application(operator, body.id, now)
    wanted = SystemWanted(NAME, (item,), exchange.standard_results("gd"))
    system = exchange.register(operator, app.id, CODE, wanted, now=now)
    _rehearse(_caller(app, Stage.SANDBOX), now)
    reviewer = _acting(Role.PROVINCE_REVIEWER)
    version = exchange.get(reviewer, system.id).version
    exchange.advance(reviewer, system.id, SystemEvent.GO_LIVE, version=version, now=now)
    for number, messages in REPORTED.items():
        for kind, seq, minutes, special in messages:
            at = now - timedelta(hours=2) + timedelta(minutes=minutes)
            said = {**SAID[kind], AT[kind]: _moment(at), **special}
            _report(_caller(app, Stage.PRODUCTION), number, kind, seq, item, body.region_code, said, now)
    keys = {
        name: {"key_id": made.view.key_id, "secret": made.secret}
        for name, stage in (("test", Stage.SANDBOX), ("live", Stage.PRODUCTION))
        for made in [third_parties.issue_key(operator, app.id, stage, now=now)]
    }
    return {"system": CODE, "item": item, "region": body.region_code, **keys}


def write_keys(path: Path, keys: Mapping[str, Any]) -> None:
    """Write what the played department needs (mode 0600)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(keys, file, ensure_ascii=False, indent=1)


def _application(operator: Principal, body_id: int, now: datetime) -> AppView:
    wanted = Registration(
        name=NAME,
        purpose="与大厅互报居住证办件的受理、审批和办结情况。",
        contact="演示联系人 020-12345",
        callback_url="",
        sso_hosts=(),
        scopes=(Scope.EXCHANGE, Scope.WEBHOOKS),
    )
    manager = _acting(Role.SYSTEM_ADMINISTRATOR)
    made = third_parties.register(operator, body_id, wanted, now=now)
    asked = third_parties.advance(operator, made.id, AppEvent.SUBMIT, version=made.version, now=now)
    third_parties.set_quota(manager, made.id, Stage.SANDBOX, Quota(TESTS_PER_MINUTE, 20_000))
    return third_parties.advance(manager, made.id, AppEvent.APPROVE, version=asked.version, now=now)


def _caller(app: AppView, stage: Stage) -> Caller:
    return Caller(app.id, app.name, app.body_id, stage, 0, frozenset(Scope), ())


def _rehearse(caller: Caller, now: datetime) -> None:
    """Go through the conformance run as a department's system does over the wire."""
    run = exchange.start(exchange.of_caller(caller, CODE), actor=caller.actor, now=now)
    expected = {one.code: one.expect for one in golden()[1]}
    while run.task is not None:
        _do(caller, run.task, expected[run.task.code], now)
        after = exchange.current(exchange.of_caller(caller, CODE), now=now)
        if after.passed == run.passed:
            raise RuntimeError(f"the demo's system failed {run.task.code}: {after.note}")
        run = after


def _do(caller: Caller, task: Task, expect: Mapping[str, Any], now: datetime) -> None:
    system = exchange.of_caller(caller, CODE)
    match task.how:
        case "send" | "again" | "batch":
            came: list[tuple[Given, Receipt]] = []
            for one in task.example:
                given = Given(one["sblsh"], Kind(one["sptype"]), one["seq"], one["version"], one["body"])
                came.append((given, exchange.receive(system, Stage.SANDBOX, given, now=now)))
            exchange.saw_messages(system, came, batch=task.how == "batch", now=now)
        case "read":
            one = task.example[0]
            kind = Kind(one["sptype"])
            held = exchange.held_message(system, Stage.SANDBOX, one["sblsh"], kind, one["seq"])
            exchange.saw_read(system, one["sblsh"], kind, one["seq"], held.state.value, now=now)
        case "pull" | "ack":
            items = exchange.pull(system, Stage.SANDBOX, after=0, limit=100, actor=caller.actor, now=now)
            numbers = [one.number for one in items]
            if task.how == "ack":
                exchange.acknowledge(system, Stage.SANDBOX, dict.fromkeys(numbers, ""), now=now)
            exchange.saw_inbox(system, task.how, numbers, now=now)
        case _:
            exchange.report(system, expect["status"], expect.get("code", ""), now=now)


def _report(
    caller: Caller,
    number: str,
    kind: Kind,
    seq: int,
    item: str,
    region: str,
    said: Mapping[str, Any],
    now: datetime,
) -> None:
    body = {"SBLSH": number, "SXBM": item, "XZQHDM": region, "SJBBH": "1", **said}
    system = exchange.of_caller(caller, CODE)
    exchange.receive(system, Stage.PRODUCTION, Given(number, kind, seq, 1, body), now=now)


def _moment(at: datetime) -> str:
    return at.astimezone(HALL_TIME).strftime("%Y-%m-%d %H:%M:%S")


def _acting(role: Role, scope: str = "") -> Principal:
    """Return a principal that exists in memory only; nobody can sign in as it."""
    return Principal(0, "演示", (organisations.grant_for(role, scope),))
