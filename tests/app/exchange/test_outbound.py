"""The hall's own events reach the department's system: inbox, signed push, ladder, people at its end."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook as Verifier

from app.alerts.models import AlertRow
from app.applications.service import Event, State
from app.core import clock, db
from app.core.runner import Worker
from app.exchange import service
from app.exchange.domain import LADDER
from app.exchange.models import ExchangeOut
from app.exchange.service import Kind, OutState
from app.identity import service as identity
from app.third_parties import service as third_parties
from app.third_parties.service import EventKind, Stage
from tests.app.alerts.receivers import a_receiver
from tests.app.applications.builders import a_case, owner_of, row_of, take_step
from tests.app.catalogue.builders import good_answers
from tests.app.exchange.builders import a_manager, a_system, take
from tests.builders import a_principal

LITE = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def a_told_system(given, app, **how):
    """Return a live system with one new case in its inbox."""
    docked = given(a_system, **how)
    case_id = given(a_case, item_id=docked.item_id)
    work(app)
    return docked, case_id


def work(app):
    return Worker(app, app.extensions["hall_jobs"]).drain()


def the_out(app):
    with app.app_context():
        return db.session().scalars(select(ExchangeOut)).one()


def inbox(client, docked, after=0):
    return docked.call(client, "GET", f"/inbox?system={docked.code}&after={after}")


def acked(client, docked, *taken):
    said = {"system": docked.code, "taken": [{"number": number, **more} for number, more in taken]}
    return docked.call(client, "POST", "/inbox/acks", said)


@LITE
def test_a_new_case_is_told_with_its_form_and_materials(app, client, given):
    docked, case_id = a_told_system(given, app)

    answer = inbox(client, docked)

    (one,) = answer.json["items"]
    body = one["body"]
    assert (one["number"], one["code"], one["state"], answer.json["next_after"]) == (1, "SB", "sent", 1)
    assert (body["SQRMC"], body["SQRZJHM"]) == ("测试一", good_answers()["id_number"])
    assert body["answers"]["单位"] == "示例工厂"
    assert {material["CLMC"] for material in body["SBCLQD"]} == {"身份证", "住所证明"}
    assert one["sblsh"] == given(lambda: row_of(case_id).number)


@LITE
def test_the_applicant_sees_once_which_system_got_name_and_number(app, client, given):
    docked, case_id = a_told_system(given, app)
    inbox(client, docked)
    inbox(client, docked)

    (use,) = given(lambda: identity.uses(owner_of(case_id)))

    assert "身份证号码" in use.what
    assert use.case_number == given(lambda: row_of(case_id).number)


@LITE
def test_it_lies_in_the_inbox_until_acknowledged_under_a_number_of_ones_own(app, client, given):
    docked, case_id = a_told_system(given, app)
    inbox(client, docked)

    first = acked(client, docked, (1, {"sblsh": "YW-77"}), (9, {}))
    again = acked(client, docked, (1, {}))

    assert first.json["items"] == [{"number": 1, "state": "acknowledged"}, {"number": 9, "state": None}]
    assert again.json["items"][0]["state"] == "acknowledged"
    assert docked.put(client, "YW-77", Kind.SL, 1).status_code == 201
    assert given(lambda: row_of(case_id).state) is State.ACCEPTED


@LITE
def test_what_the_system_reported_is_not_told_back(app, client, given):
    docked, case_id = a_told_system(given, app)
    docked.put(client, given(lambda: row_of(case_id).number), Kind.SL, 1)
    given(take_step, case_id, Event.BEGIN)
    work(app)

    told = [one["event"] for one in inbox(client, docked).json["items"]]

    assert told == ["submit", "begin"]


@LITE
def test_an_inbox_is_read_from_where_one_stopped(app, client, given):
    docked, case_id = a_told_system(given, app)
    given(take_step, case_id, Event.ACCEPT)
    work(app)

    after = inbox(client, docked, after=1).json

    assert [one["number"] for one in after["items"]] == [2]
    assert inbox(client, docked, after=2).json == {"items": [], "next_after": 2}


@LITE
def test_nothing_acknowledged_climbs_the_ladder_and_ends_with_people(app, client, given):
    docked, case_id = a_told_system(given, app)
    by = given(a_manager)

    tries = 1
    while the_out(app).state is not OutState.DEAD:
        due = the_out(app).due_at
        given(service.hand_over, the_out(app).id, now=due)
        tries += the_out(app).state is OutState.SENT
    work(app)

    assert tries == len(LADDER) + 1
    assert given(lambda: service.notes_of(case_id)) == ["分发失败：部门业务系统没有收到这个办件的报文"]
    (line,) = given(service.undelivered, by)
    assert (line.state, line.error) == (OutState.DEAD, "no_ack")
    with app.app_context():
        assert "exchange.held" in [one.topic for one in db.session().scalars(select(AlertRow))]


@LITE
def test_a_dead_message_goes_out_again_when_people_say_so(app, client, given):
    docked, _ = a_told_system(given, app)
    given(service.note_push, f"exc_{the_out(app).id}", 1, "refused", "http_404", now=clock.system_clock())
    assert the_out(app).state is OutState.DEAD

    given(service.requeue, given(a_manager), the_out(app).id, now=clock.system_clock())
    work(app)

    assert (the_out(app).state, the_out(app).attempts) == (OutState.SENT, 1)
    assert acked(client, docked, (1, {})).json["items"][0]["state"] == "acknowledged"


@LITE
@pytest.mark.parametrize(
    ("status", "state"),
    [
        pytest.param(200, OutState.SENT, id="taken: waits to be acknowledged"),
        pytest.param(503, OutState.RETRY, id="busy: once more"),
        pytest.param(404, OutState.DEAD, id="refused: people"),
    ],
)
def test_a_push_is_signed_and_its_answer_counts(app, given, tables, status, state):
    docked = given(a_system)
    with a_receiver(lambda _post: (status, b"")) as receiver:
        secret = given(subscribe, docked, receiver.url)
        given(a_case, item_id=docked.item_id)
        with pytest.MonkeyPatch.context() as patch:
            # The guard of this installation lets no address of the machine pass: the receiver's does.
            patch.setattr("app.mobile_access.service.outbound_guard", lambda _settings: receiver.guard)
            work(app)

    (post,) = receiver.posts
    said = Verifier(secret).verify(post.body, post.headers)
    assert said["data"] == {"number": 1, "event": "submit", "sptype": 0, "system": docked.code}
    assert good_answers()["id_number"] not in json.dumps(said)
    assert the_out(app).state is state


def subscribe(docked, url):
    made = third_parties.add_webhook(
        docked.key.app.id,
        Stage.PRODUCTION,
        url,
        [EventKind.EXCHANGE_MESSAGE],
        actor="test",
        now=clock.system_clock(),
    )
    return made[1]


@LITE
def test_cases_from_before_going_live_are_told_then(app, client, given):
    docked = given(a_system, state=service.SystemState.PASSED)
    given(a_case, item_id=docked.item_id)
    work(app)
    boss = given(a_principal, "province_reviewer")

    given(
        service.advance,
        boss,
        docked.id,
        service.SystemEvent.GO_LIVE,
        version=1,
        now=clock.system_clock(),
    )
    work(app)

    assert [one["event"] for one in inbox(client, docked).json["items"]] == ["submit"]


@LITE
def test_a_system_that_is_not_live_gets_nothing(app, client, given):
    docked = given(a_system, state=service.SystemState.PASSED)

    answers = [inbox(client, docked), docked.put(client, "GZ-1", Kind.SB, 1)]

    assert [(one.status_code, one.json["code"]) for one in answers] == [(403, "system_not_live")] * 2


@LITE
def test_a_message_that_waits_too_long_is_told_once(app, client, given):
    docked = given(a_system)
    given(take, docked, "GZ-1", Kind.BJ, 3)
    later = clock.system_clock() + timedelta(hours=25)

    first = given(service.tell_of_waiting, now=later)
    second = given(service.tell_of_waiting, now=later)
    work(app)

    assert (first, second) == (1, 0)
    with app.app_context():
        assert [one.topic for one in db.session().scalars(select(AlertRow))] == ["exchange.held"]


@LITE
def test_a_case_of_another_system_is_not_there(app, client, given):
    docked, case_id = a_told_system(given, app)
    other = given(a_system, item_id=docked.item_id, items=())
    number = given(lambda: row_of(case_id).number)

    answers = [
        other.call(client, "GET", f"/cases/{docked.code}/{number}"),
        other.call(client, "GET", f"/inbox?system={docked.code}"),
        other.call(client, "GET", f"/cases/{other.code}/NONE"),
    ]

    assert [one.status_code for one in answers] == [404] * 3


def test_an_inbox_is_numbered_without_gaps_by_many_at_once(app, given, client):
    docked = given(a_system)
    for _ in range(4):
        given(a_case, item_id=docked.item_id)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: work(app), range(3)))

    assert [one["number"] for one in inbox(client, docked).json["items"]] == [1, 2, 3, 4]


@LITE
def test_pushing_to_nobody_is_no_failure(app, given, tables):
    docked = given(a_system)
    given(a_case, item_id=docked.item_id)

    work(app)

    assert (the_out(app).state, the_out(app).error) == (OutState.SENT, "")
