"""Messages come in: applied once, in order, corrected, held, refused; nothing lost."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.applications import service as applications
from app.applications.service import Event, State, Told
from app.core import db
from app.core.errors import NotFound
from app.exchange import service
from app.exchange.service import Kind, MessageState
from app.identity import service as identity
from app.third_parties.service import Stage
from tests.app.applications.builders import a_case, row_of, take_step
from tests.app.catalogue.builders import an_item
from tests.app.exchange.builders import PERSON, a_body_of, a_system, at, messages, take, the_case
from tests.app.identity.people_builders import a_uscc
from tests.builders import NOW

LITE = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
DAY = (
    Kind.SB,
    Kind.WSYSL,
    Kind.BJGZ,
    Kind.BJSL,
    Kind.SL,
    Kind.SPCL,
    Kind.TBCXSQ,
    Kind.TBCXJG,
    Kind.BJ,
    Kind.LQDJ,
)


def came(docked, number, kind, seq, **how):
    return db.transaction(lambda: take(docked, number, kind, seq, **how))


def codes(receipt):
    return {one["field"]: one["code"] for one in receipt.findings}


def test_a_departments_own_case_goes_its_whole_way(context):
    docked = db.transaction(a_system)

    states = [came(docked, "GZ-1", kind, seq).state for seq, kind in enumerate(DAY, start=1)]

    assert states == [MessageState.APPLIED] * 10
    case = the_case()
    assert (case.state, case.granted, case.result) == (
        State.DELIVERED,
        True,
        {"name": "居住证", "number": "T-1"},
    )


@LITE
def test_a_case_of_the_hall_is_moved_under_the_halls_number(context):
    docked = db.transaction(a_system)
    case_id = db.transaction(lambda: a_case(item_id=docked.item_id))

    receipt = came(docked, row_of(case_id).number, Kind.SL, 1)

    assert (receipt.status, row_of(case_id).state) == (201, State.ACCEPTED)


@LITE
@pytest.mark.parametrize("kind", [Kind.SB, Kind.SL])
def test_another_bodys_case_is_not_there(context, kind):
    docked = db.transaction(a_system)
    foreign = db.transaction(lambda: a_case(item_id=an_item(code="T002", case_type="2")))

    with pytest.raises(NotFound):
        came(docked, row_of(foreign).number, kind, 1)


@LITE
def test_the_same_again_gets_the_first_answer(context):
    docked = db.transaction(a_system)

    first, second = came(docked, "GZ-1", Kind.SB, 1), came(docked, "GZ-1", Kind.SB, 1)

    assert (first.status, second.status) == (201, 200)
    assert (second.hash, second.message_id) == (first.hash, first.message_id)
    assert len(messages()) == 1


@LITE
def test_another_body_under_the_same_version_is_refused_and_says_what_differs(context):
    docked = db.transaction(a_system)
    came(docked, "GZ-1", Kind.SB, 1)

    refused = came(docked, "GZ-1", Kind.SB, 1, SQRMC="测试二", BZ="多一句")

    assert (refused.status, refused.code) == (409, "version_taken")
    assert codes(refused) == {"BZ": "differs", "SQRMC": "differs"}
    assert "测试二" not in json.dumps(refused.findings, ensure_ascii=False)


@LITE
def test_a_lower_version_is_refused_but_not_a_late_repeat_of_it(context):
    docked = db.transaction(a_system)
    came(docked, "GZ-1", Kind.SB, 1)
    came(docked, "GZ-1", Kind.SB, 1, version=2, BZ="更正")

    lower = came(docked, "GZ-1", Kind.SB, 1, BZ="另一句")
    repeat = came(docked, "GZ-1", Kind.SB, 1)

    assert (lower.status, lower.code, repeat.status) == (409, "version_too_low", 200)


@LITE
def test_what_comes_before_its_turn_waits_and_is_applied_with_what_was_missing(context):
    docked = db.transaction(a_system)
    came(docked, "GZ-1", Kind.SB, 1)

    early = came(docked, "GZ-1", Kind.BJ, 3)
    filling = came(docked, "GZ-1", Kind.SL, 2)

    assert (early.status, early.state, early.findings[0]["text"]) == (
        202,
        MessageState.QUARANTINED,
        "缺少第 2 号报文",
    )
    assert filling.state is MessageState.APPLIED
    assert [row.state for row in messages()] == [MessageState.APPLIED] * 3
    assert the_case().state is State.COMPLETED


@LITE
def test_kinds_that_share_a_number_follow_the_life_of_a_case(context):
    docked = db.transaction(a_system)

    for kind in (Kind.LQDJ, Kind.BJ, Kind.SL, Kind.SB):
        came(docked, "GZ-1", kind, 1)

    assert the_case().state is State.DELIVERED


@LITE
def test_a_refused_message_is_kept_until_it_comes_again(context):
    docked = db.transaction(a_system)
    refused = came(docked, "GZ-1", Kind.SB, 1, SQRMC=None, SQRLX="7")

    again = came(docked, "GZ-1", Kind.SB, 1, version=2)

    assert (refused.status, codes(refused)) == (422, {"SQRMC": "required", "SQRLX": "unknown_code"})
    assert (again.status, again.message_id) == (201, refused.message_id)
    assert [row.state for row in messages()] == [MessageState.APPLIED]


@LITE
def test_a_correction_that_changes_what_was_told_waits_for_people(context):
    docked = db.transaction(a_system)
    came(docked, "GZ-1", Kind.SB, 1)
    came(docked, "GZ-1", Kind.SL, 2)

    harmless = came(docked, "GZ-1", Kind.SL, 2, version=2, BLRXM="经办丙")
    grave = came(docked, "GZ-1", Kind.SL, 2, version=3, SLZTDM="2", BSLYY="材料不实")
    after = came(docked, "GZ-1", Kind.SPCL, 3)

    assert harmless.state is MessageState.APPLIED
    assert (grave.state, grave.findings[0]["code"]) == (
        MessageState.QUARANTINED,
        "correction_needs_people",
    )
    assert (after.state, the_case().state) == (MessageState.APPLIED, State.HANDLING)


@LITE
@pytest.mark.parametrize(
    ("results", "code", "state"),
    [
        pytest.param("gd", "1", State.COMPLETED, id="1 is returned here"),
        pytest.param("inspur", "1", State.COMPLETED, id="1 is denied there"),
        pytest.param("gd", "6", State.COMPLETED, id="6 is done here"),
        pytest.param("inspur", "6", State.HANDLING, id="6 is not accepted there"),
        pytest.param("gd", "2", State.VOIDED, id="2 is void"),
    ],
)
def test_result_codes_mean_what_the_system_says(context, results, code, state):
    docked = db.transaction(lambda: a_system(results=results))
    for seq, kind in enumerate((Kind.SB, Kind.SL, Kind.SPCL), start=1):
        came(docked, "GZ-1", kind, seq)

    came(docked, "GZ-1", Kind.BJ, 4, BJJGDM=code)

    assert the_case().state is state


@LITE
def test_a_message_that_fails_halfway_does_nothing(context):
    docked = db.transaction(a_system)
    came(docked, "GZ-1", Kind.SB, 1)
    came(docked, "GZ-1", Kind.SL, 2)

    held = came(docked, "GZ-1", Kind.TBCXSQ, 3, TBCXZLMC="没有的程序")

    assert (held.state, the_case().state) == (MessageState.QUARANTINED, State.ACCEPTED)
    assert "特别程序" in held.findings[0]["text"]


@LITE
@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({"XZQHDM": "999999"}, {"XZQHDM": "unknown_region"}, id="no such region"),
        pytest.param({"XZQHDM": "440000"}, {"XZQHDM": "other_region"}, id="another region"),
        pytest.param({"SXBM": "NONE"}, {"SXBM": "unknown_item"}, id="no such item"),
        pytest.param({"SQRZJHM": PERSON[:-1] + "0"}, {"SQRZJHM": "bad_number"}, id="check digit"),
        pytest.param({"SBSJ": "2026-02-30 09:00:00"}, {"SBSJ": "bad_date"}, id="no such day"),
        pytest.param({"SBSJ": "2099-01-01 09:00:00"}, {"SBSJ": "in_future"}, id="to come"),
        pytest.param({"SBLSH": "OTHER"}, {"SBLSH": "other_than_address"}, id="another case"),
        pytest.param({"SJBBH": "7"}, {"SJBBH": "other_than_address"}, id="another version"),
        pytest.param({"SXMC": "长" * 201}, {"SXMC": "too_long"}, id="too long"),
        pytest.param({"SXMC": 5}, {"SXMC": "not_text"}, id="a number"),
        pytest.param({"SXMC": "a\x00b"}, {"SXMC": "control_character"}, id="a control character"),
        pytest.param({"NOPE": "1"}, {"NOPE": "unknown_field"}, id="a field of nobody"),
        pytest.param({"SBCLQD": "照片"}, {"SBCLQD": "not_list"}, id="no list"),
        pytest.param({"SBCLQD": [{"WJLX": "1"}]}, {"SBCLQD[0].CLMC": "required"}, id="a nameless material"),
        pytest.param({"SBCLQD": [{"CLMC": "甲"}] * 61}, {"SBCLQD": "too_many"}, id="too many"),
        pytest.param({"SQRLX": "2"}, None, id="an enterprise without its clerk"),
    ],
)
def test_faults_are_told_field_by_field(context, changed, expected):
    docked = db.transaction(a_system)

    refused = came(docked, "GZ-1", Kind.SB, 1, **changed)

    assert refused.status == 422
    assert expected is None or codes(refused) == expected
    assert all(one["text"] for one in refused.findings)


@LITE
def test_a_number_of_the_department_names_one_case_only(context):
    docked = db.transaction(a_system)
    came(docked, "GZ-1", Kind.SB, 1, YWLSH="YW-1")

    refused = came(docked, "GZ-2", Kind.SB, 1, YWLSH="YW-1")

    assert codes(refused) == {"YWLSH": "taken"}


@LITE
def test_a_waiting_message_is_applied_when_the_hall_moves_on(context):
    docked = db.transaction(a_system)
    case_id = db.transaction(lambda: a_case(State.SUPPLEMENT_DUE, item_id=docked.item_id))
    number = row_of(case_id).number
    held = came(docked, number, Kind.SL, 1, SLSJ=at(30))

    db.transaction(lambda: supply(case_id))
    step = row_of(case_id).event_count
    db.transaction(lambda: service.tell_system(case_id, step, now=NOW + timedelta(days=1)))

    assert (held.state, row_of(case_id).state) == (MessageState.QUARANTINED, State.ACCEPTED)


def supply(case_id):
    body_id = row_of(case_id).body_id
    applications.step_by_system(case_id, Event.SUPPLY, Told(), actor="test", body_id=body_id, at=NOW, now=NOW)


@LITE
def test_no_personal_number_lies_outside_the_vault(context, app):
    docked = db.transaction(a_system)
    came(docked, "GZ-1", Kind.SB, 1, BZ=f"备注里的号码 {PERSON}", LXRSJ="13800000000")
    came(docked, "GZ-1", Kind.SB, 2, SQRMC=None, SQRZJHM=[PERSON])

    tables = sa.inspect(app.extensions["hall_db"].read_engine).get_table_names()
    dump = "".join(
        str(row) for table in tables for row in db.session().execute(sa.text(f"SELECT * FROM {table}"))
    )
    assert PERSON not in dump
    assert "13800000000" not in dump


@LITE
def test_a_person_the_hall_does_not_know_finds_the_case_later(context):
    docked = db.transaction(a_system)
    came(docked, "GZ-1", Kind.SB, 1)

    applicant = db.transaction(
        lambda: identity.applicant_for(identity.IdKind.CITIZEN, PERSON, "测试一", now=NOW)
    )

    assert the_case().resident_id == applicant


def test_many_at_once_make_one_case_and_each_message_once(app, given):
    docked = given(a_system)
    sent = [(seq, kind) for seq, kind in enumerate(DAY[:6], start=1)] * 3

    def send(one):
        seq, kind = one
        with app.app_context():
            return db.transaction(lambda: take(docked, "GZ-1", kind, seq)).status

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(send, sent))

    with app.app_context():
        assert set(statuses) <= {200, 201, 202}
        assert [row.state for row in messages()] == [MessageState.APPLIED] * 6
        assert the_case().state is State.HANDLING
        assert the_case().step == 1


@LITE
def test_a_body_is_the_same_however_it_is_spelled(context):
    docked = db.transaction(a_system)
    said = a_body_of(Kind.SB, docked.item_code, "GZ-1")
    other = dict(reversed(list(said.items())))

    first, second = (
        db.transaction(
            lambda body=body: service.receive(
                docked.row(), Stage.PRODUCTION, service.Given("GZ-1", Kind.SB, 1, 1, body), now=NOW
            )
        )
        for body in (said, other)
    )

    assert (first.status, second.status) == (201, 200)


@LITE
def test_a_step_at_the_halls_own_desk_is_no_fault_of_the_department(context):
    docked = db.transaction(a_system)
    case_id = db.transaction(lambda: a_case(item_id=docked.item_id))
    db.transaction(lambda: take_step(case_id, Event.ACCEPT))

    receipt = came(docked, row_of(case_id).number, Kind.SL, 1)

    assert (receipt.state, row_of(case_id).state) == (MessageState.APPLIED, State.ACCEPTED)


@LITE
def test_an_enterprises_case_is_filed_under_who_came_for_it(context):
    docked = db.transaction(a_system)
    company = {"SQRLX": "2", "SQRMC": "示例公司", "SQRZJLX": "3", "SQRZJHM": a_uscc()}
    clerk = {"LXRXM": "测试一", "LXRZJLX": "1", "LXRSFZJHM": PERSON}

    wrong = came(docked, "GZ-1", Kind.SB, 1, **{**company, **clerk, "SQRZJHM": "91"})
    right = came(docked, "GZ-1", Kind.SB, 1, version=2, **company, **clerk)

    applicant = db.transaction(
        lambda: identity.applicant_for(identity.IdKind.CITIZEN, PERSON, "测试一", now=NOW)
    )
    assert (codes(wrong), right.status) == ({"SQRZJHM": "bad_number"}, 201)
    assert the_case().resident_id == applicant
