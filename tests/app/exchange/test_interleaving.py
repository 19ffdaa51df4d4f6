"""Whatever way a day's messages take, the same day comes of it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.applications.models import Application, ApplicationEvent
from app.core import db
from app.exchange import cases, storing
from app.exchange.models import ExchangeCase, ExchangeMessage
from app.exchange.service import Kind, MessageState
from app.third_parties.service import Stage
from tests.app.exchange.builders import a_system, at, take

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)

LIVES = {
    "full": (
        (Kind.SB, {}),
        (Kind.WSYSL, {}),
        (Kind.BJGZ, {}),
        (Kind.BJSL, {}),
        (Kind.SL, {}),
        (Kind.SPCL, {}),
        (Kind.TBCXSQ, {}),
        (Kind.TBCXJG, {}),
        (Kind.BJ, {}),
        (Kind.LQDJ, {}),
    ),
    "refused": ((Kind.SB, {}), (Kind.WSYSL, {}), (Kind.SL, {"SLZTDM": "2", "BSLYY": "不属于本机关职权"})),
    "extended": (
        (Kind.SB, {}),
        (Kind.SL, {}),
        (Kind.SPCL, {}),
        (Kind.TBCXSQ, {"TBCXZL": "A", "TBCXZLMC": "延长审批"}),
        (Kind.SPCL, {"SPHJDM": "2", "SPSJ": at(7)}),
        (Kind.BJ, {}),
    ),
}
CORRECTED = (Kind.SL, Kind.SPCL, Kind.BJ)
_numbers = itertools.count()


def a_day(life):
    """Return what a system sends about one case, harmless corrections too: kind, place, version, changes."""
    day = [(kind, seq, 1, changed) for seq, (kind, changed) in enumerate(LIVES[life], start=1)]
    again = [(kind, seq, 2, {**changed, "BZ": "更正"}) for kind, seq, _, changed in day if kind in CORRECTED]
    return day + again


def send(docked, number, one):
    kind, seq, version, changed = one
    return db.transaction(lambda: take(docked, number, kind, seq, version=version, **changed))


def outcome(docked, number):
    """Return what became of a case, without anything that tells when messages came."""
    case = db.session().get_one(
        ExchangeCase, cases.by_number(docked.row(), Stage.PRODUCTION, cases.SBLSH, number)
    )
    row = db.session().get_one(Application, case.application_id)
    steps = select(ApplicationEvent).where(ApplicationEvent.application_id == row.id)
    held = select(ExchangeMessage).where(ExchangeMessage.case_id == case.id)
    newest = {}
    for one in sorted(db.session().scalars(held), key=lambda one: one.data_version):
        newest[one.seq] = (one.kind, one.state, storing.opened(one.body).get("BZ"))
    return {
        "case": (row.state, row.granted, row.step, row.extension_days, row.result, row.pauses),
        "times": (row.accepted_at, row.decided_at, row.completed_at, row.promise_due_on, row.lawful_due_on),
        "steps": [
            (one.event, one.at) for one in sorted(db.session().scalars(steps), key=lambda one: one.number)
        ],
        "messages": newest,
    }


def play(docked, sent):
    number = f"CASE-{next(_numbers)}"
    for one in sent:
        send(docked, number, one)
    return outcome(docked, number)


@st.composite
def traffic(draw):
    """A life, and its messages shuffled with some of them twice or more."""
    life = draw(st.sampled_from(sorted(LIVES)))
    day = a_day(life)
    more = draw(st.lists(st.sampled_from(day), max_size=4))
    return life, draw(st.permutations(day + more))


def test_any_order_with_any_repeats_ends_in_the_same_state(context):
    docked = db.transaction(a_system)
    expected = {life: play(docked, a_day(life)) for life in LIVES}
    assert {one[1] for one in expected["full"]["messages"].values()} == {MessageState.APPLIED}

    @settings(max_examples=14, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(traffic())
    def every_way(sent):
        life, day = sent
        assert play(docked, day) == expected[life]

    every_way()


def test_a_whole_day_sent_again_changes_nothing(context):
    docked = db.transaction(a_system)
    day = [(f"DAY-{life}", one) for life in LIVES for one in a_day(life)]
    first = [send(docked, number, one) for number, one in day]
    before = {life: outcome(docked, f"DAY-{life}") for life in LIVES}
    counted = count_rows()

    again = [send(docked, number, one) for number, one in day]

    assert {one.status for one in again} == {200}
    assert [(one.hash, one.message_id) for one in again] == [(one.hash, one.message_id) for one in first]
    assert {life: outcome(docked, f"DAY-{life}") for life in LIVES} == before
    assert count_rows() == counted


def count_rows():
    tables = (Application, ApplicationEvent, ExchangeMessage)
    return [db.session().scalar(select(func.count()).select_from(one)) for one in tables]
