"""Nothing waits for ever, nothing comes twice, and nothing that breaks holds up the rest."""

from __future__ import annotations

from unittest import mock

import pytest
import sqlalchemy as sa

from app.applications.service import State
from app.core import clock, db, vault
from app.core.errors import NotFound
from app.exchange import jobs, service
from app.exchange.models import ExchangeOut
from app.exchange.service import Kind, MessageState, SystemWanted
from app.third_parties.service import Stage
from tests.app.applications.builders import a_case, row_of
from tests.app.exchange.builders import PERSON, a_manager, a_system, messages, take, the_case

LITE = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def came(docked, number, kind, seq, **how):
    return db.transaction(lambda: take(docked, number, kind, seq, **how))


def now():
    return clock.system_clock()


@LITE
def test_a_year_that_no_database_holds_is_refused_by_its_field(context):
    docked = db.transaction(a_system)

    receipt = came(docked, "GZ-1", Kind.SB, 1, SBSJ="0001-01-01 00:00:00")

    assert (receipt.status, [one["code"] for one in receipt.findings]) == (422, ["bad_date"])


@LITE
def test_a_result_code_added_to_the_table_brings_in_what_waited_for_it(context):
    docked = db.transaction(a_system)
    for seq, kind in enumerate((Kind.SB, Kind.SL), start=1):
        came(docked, "GZ-1", kind, seq)
    held = came(docked, "GZ-1", Kind.BJ, 3, BJJGDM="99")
    system = service.get(db.transaction(a_manager), docked.id)
    wanted = SystemWanted(system.name, system.items, {**system.results, "99": "granted"})

    by = db.transaction(a_manager)
    db.transaction(lambda: service.change(by, docked.id, wanted, version=system.version, now=now()))
    jobs.bring_in({"system_id": str(docked.id)})

    assert (held.state, the_case().state) == (MessageState.QUARANTINED, State.COMPLETED)


@LITE
def test_closing_a_refused_message_lets_what_waited_go_on(context):
    docked = db.transaction(a_system)
    came(docked, "GZ-1", Kind.SB, 1)
    refused = came(docked, "GZ-1", Kind.WSYSL, 2, YSLZTDM="7")
    came(docked, "GZ-1", Kind.SL, 3)
    by, version = db.transaction(a_manager), messages()[1].version

    db.transaction(lambda: service.close(by, refused.message_id, "误报", version=version, now=now()))

    assert [row.state for row in messages()] == [
        MessageState.APPLIED,
        MessageState.DEAD,
        MessageState.APPLIED,
    ]


@LITE
def test_a_message_under_the_departments_own_number_is_mended_though_the_hall_has_one_too(context):
    docked = db.transaction(a_system)
    case_id = db.transaction(lambda: a_case(item_id=docked.item_id))
    db.transaction(lambda: service.tell_system(case_id, 1, now=now()))
    db.transaction(lambda: service.acknowledge(docked.row(), Stage.PRODUCTION, {1: "YW-77"}, now=now()))
    refused = came(docked, "YW-77", Kind.SL, 1, SLZTDM="7")
    by, version = db.transaction(a_manager), messages()[0].version

    mended = db.transaction(
        lambda: service.resend(by, refused.message_id, {"SLZTDM": "1"}, version=version, now=now())
    )

    assert (mended.findings, row_of(case_id).state) == ([], State.ACCEPTED)


@LITE
def test_one_of_two_systems_of_a_body_gets_a_case_and_may_report_on_it(context):
    first = db.transaction(a_system)
    named = db.transaction(lambda: a_system(item_id=first.item_id, items=(first.item_code,)))
    case_id = db.transaction(lambda: a_case(item_id=first.item_id))

    db.transaction(lambda: service.catch_up(first.id, now=now()))
    db.transaction(lambda: service.catch_up(named.id, now=now()))

    told = db.session().scalars(sa.select(ExchangeOut.system_id))
    assert list(told) == [named.id]
    number = row_of(case_id).number
    assert came(named, number, Kind.SL, 1).state is MessageState.APPLIED
    with pytest.raises(NotFound):
        came(first, number, Kind.SPCL, 1)
    assert [one["code"] for one in came(first, "GZ-9", Kind.SB, 1).findings] == ["other_system"]


@LITE
def test_steps_stand_in_the_inbox_in_their_order_whichever_is_told_first(context):
    docked = db.transaction(a_system)
    case_id = db.transaction(lambda: a_case(State.ACCEPTED, item_id=docked.item_id))

    for step in (2, 1, 2):
        db.transaction(lambda step=step: service.tell_system(case_id, step, now=now()))

    rows = db.session().scalars(sa.select(ExchangeOut).order_by(ExchangeOut.number))
    assert [(one.number, one.event) for one in rows] == [(1, "submit"), (2, "accept")]


@LITE
def test_one_message_that_cannot_be_handed_over_holds_up_no_other(context):
    docked = db.transaction(a_system)
    for _step in range(2):
        case_id = db.transaction(lambda: a_case(item_id=docked.item_id))
        db.transaction(lambda case_id=case_id: service.tell_system(case_id, 1, now=now()))
    whole, broken = service.hand_over, min(service.due(now()))

    def hand_over(out_id, *, now):
        if out_id == broken:
            raise RuntimeError("broken")
        whole(out_id, now=now)

    with mock.patch.object(service, "hand_over", hand_over), pytest.raises(ExceptionGroup):
        jobs.look_after({})

    assert service.due(now()) == [broken]


def test_a_long_supplement_notice_of_many_materials_is_taken(context):
    docked = db.transaction(a_system)
    came(docked, "GZ-1", Kind.SB, 1)
    missing = [{"CLMC": f"材料{number}" + "料" * 150} for number in range(30)]

    told = came(docked, "GZ-1", Kind.BJGZ, 2, BZCLQD=missing, BZGZYY="因" * 800)

    assert (told.state, the_case().state) == (MessageState.APPLIED, State.SUPPLEMENT_DUE)


@LITE
def test_a_number_in_place_of_a_field_or_an_item_is_written_down_nowhere(context, app):
    docked = db.transaction(a_system)
    came(docked, "GZ-1", Kind.SB, 1, SXBM=PERSON)
    came(docked, "GZ-1", Kind.SB, 2, **{PERSON: "x"}, SBCLQD=[{"CLMC": "照片", PERSON: "x"}])

    tables = ("exchange_message", "exchange_arrival", "audit_entry")
    known = sa.inspect(app.extensions["hall_db"].read_engine).get_table_names()
    rows = [
        str(row)
        for table in tables
        if table in known
        for row in db.session().execute(sa.text(f"SELECT * FROM {table}"))
    ]
    assert PERSON not in "".join(rows)


@LITE
def test_what_messages_said_of_a_case_is_forgotten_with_the_case(context):
    docked = db.transaction(a_system)
    for seq, kind in enumerate((Kind.SB, Kind.SL, Kind.LQDJ), start=1):
        came(docked, "GZ-1", kind, seq)
    sealed = [token for row in messages() for token in row.body]

    jobs.forget_case({"application_id": str(the_case().id)})
    again = came(docked, "GZ-1", Kind.SB, 1, version=2, SQRMC="测试二")
    clash = came(docked, "GZ-1", Kind.SL, 2, SLSJ="2026-03-02 09:30:00")

    with pytest.raises(NotFound):
        vault.unseal("exchange_body", sealed[0])
    assert [row.state for row in messages() if row.seq == 3] == [MessageState.DEAD]
    assert (again.status, clash.status, clash.findings) == (202, 409, [])
