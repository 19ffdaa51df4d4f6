"""Cases in every state, made by the same steps that people take."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from app.applications import service
from app.applications.models import Application
from app.applications.service import Channel, Event, State, Told
from app.catalogue import service as catalogue
from app.channel_accounts import service as channel_accounts
from app.core import db
from app.notices import service as notices
from app.organisations import service as organisations
from app.organisations.service import Principal
from tests.app.catalogue.builders import an_item, good_answers
from tests.app.identity import builders as residents
from tests.builders import NOW, a_body, a_principal

LATER = timedelta(days=60)
REFUSAL = {"reason": "不符合受理条件", "remedy": "六十日内可以申请行政复议"}
WORDS: dict[Event, dict[str, Any]] = {
    Event.REFUSE: REFUSAL,
    Event.ASK_SUPPLEMENT: {"items": [{"field": "employer", "text": "请写单位全称"}]},
    Event.DECIDE: {"granted": True},
    Event.DECIDE_ON_SPOT: {"granted": True},
    Event.STEP_RETURN: {"opinion": "材料要再核对"},
    Event.EXTEND: {"days": 10, "reason": "案情复杂"},
    Event.SPECIAL_BEGIN: {"kind": "实地核查", "reason": "要到现场", "expected_on": NOW.date() + LATER},
    Event.COMPLETE: {"result": {"name": "居住证", "number": "T-1"}},
    Event.DELIVER: {"delivery": "pick_up"},
    Event.REFER_UP: {"reason": "超出本级权限"},
    Event.VOID: {"reason": "重复录入"},
}
"""What has to be said with an event, at least."""

WAYS: dict[State, tuple[Event, ...]] = {
    State.SUBMITTED: (),
    State.SUPPLEMENT_DUE: (Event.ASK_SUPPLEMENT,),
    State.NOT_ACCEPTED: (Event.REFUSE,),
    State.ACCEPTED: (Event.ACCEPT,),
    State.HANDLING: (Event.ACCEPT, Event.BEGIN, Event.STEP_PASS),
    State.SUSPENDED: (Event.ACCEPT, Event.BEGIN, Event.SPECIAL_BEGIN),
    State.CLOSED_NO_RESULT: (Event.ACCEPT, Event.BEGIN, Event.REFER_UP),
    State.VOIDED: (Event.ACCEPT, Event.VOID),
    State.DECIDED: (Event.ACCEPT, Event.BEGIN, Event.DECIDE),
    State.COMPLETED: (Event.ACCEPT, Event.BEGIN, Event.DECIDE, Event.COMPLETE),
    State.DELIVERED: (Event.ACCEPT, Event.BEGIN, Event.DECIDE, Event.COMPLETE, Event.DELIVER),
}
"""How a submitted case gets to a state."""


def a_resident(now: datetime = NOW) -> int:
    """Return the id of a new resident, known by WeChat."""
    notices.ensure_standard(now=now)
    known = [one for one in channel_accounts.accounts() if one.key == "test-wechat"]
    return residents.a_resident(known[0] if known else None, subject=f"o-{secrets.token_hex(8)}")


def an_open_item(**content: Any) -> int:
    """Return an item of 广州市 that the province carries out too, with steps and a lawful pause."""
    steps = [{"name": "审查", "days": 0}, {"name": "决定", "days": 0}]
    wanted = {"case_type": "1", "promised_days": 0, "steps": steps, **content}
    an_item(**wanted)
    return an_item("广州市", "440100", **wanted)


def a_draft(
    item_id: int | None = None, resident_id: int | None = None, now: datetime = NOW, **answers: Any
) -> int:
    """Return the id of a draft that may be submitted."""
    resident_id = resident_id or a_resident()
    started = service.start_draft(resident_id, item_id or an_open_item(), channel=Channel.WECHAT, now=now)
    saved = service.save_draft(
        resident_id,
        started.id,
        good_answers(**answers),
        materials={"m2": "promise"},
        version=1,
        now=now,
    )
    assert saved.problems == {} or answers, saved.problems
    return started.id


def a_case(
    state: State = State.SUBMITTED,
    *,
    item_id: int | None = None,
    resident_id: int | None = None,
    now: datetime = NOW,
    **answers: Any,
) -> int:
    """Return the id of a case in ``state``."""
    application_id = a_draft(item_id, resident_id, now, **answers)
    owner = owner_of(application_id)
    if state is State.DRAFT:
        return application_id
    service.submit(owner, application_id, version=version_of(application_id), now=now)
    if state is State.WITHDRAWN:
        service.withdraw(owner, application_id, version=version_of(application_id), now=now)
    elif state is State.RETURNED:
        take_step(application_id, Event.ASK_SUPPLEMENT, now=now)
        assert service.return_overdue(application_id, now=now + LATER)
    else:
        for event in WAYS[state]:
            take_step(application_id, event, now=now)
    return application_id


def take_step(
    application_id: int, event: Event, *, by: Principal | None = None, now: datetime = NOW, **words: Any
) -> None:
    """Take a step as somebody who may; ``words`` change what is said with it."""
    by = by or whose_step(application_id, event)
    said = {**WORDS.get(event, {}), **words}
    service.step(by, application_id, event, Told(version=version_of(application_id), **said), now=now)


def a_handler(application_id: int) -> Principal:
    """Return somebody who handles cases of the case's body."""
    body_id = row_of(application_id).body_id
    item = catalogue.version(row_of(application_id).item_version_id)
    if item.region_code == "440000":
        return a_principal("department_operator", body=a_body())
    assert body_id
    return a_principal("city_operator", region_code=item.region_code)


def a_head(application_id: int) -> Principal:
    """Return the head of the case's body."""
    return a_principal("department_head", body=organisations.get_body(row_of(application_id).body_id))


def a_supervisor() -> Principal:
    return a_principal("province_reviewer")


def whose_step(application_id: int, event: Event) -> Principal:
    """Return somebody who may take the step."""
    if event in {Event.EXTEND, Event.SPECIAL_BEGIN}:
        return a_head(application_id)
    return a_supervisor() if event is Event.VOID else a_handler(application_id)


def row_of(application_id: int) -> Application:
    return db.session().get_one(Application, application_id)


def version_of(application_id: int) -> int:
    return row_of(application_id).version


def owner_of(application_id: int) -> int:
    return row_of(application_id).resident_id
