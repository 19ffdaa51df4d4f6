"""The console: who sees which system, and how a department mends its own messages."""

from __future__ import annotations

import re

import pytest

from app.applications.service import State
from app.exchange import service
from app.exchange.service import Kind, MessageState, SystemState
from app.third_parties.service import Stage
from tests.api.walk import post_form
from tests.app.applications.builders import a_case
from tests.app.exchange.builders import CITY, PERSON, SCOPES, a_system, messages, take, the_case
from tests.app.third_parties.builders import an_app
from tests.builders import a_body, a_principal, sign_in, submit

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
HOME = "/console/exchange"


@pytest.fixture
def docked(given):
    return given(a_system)


def signed_in(client, given, role="city_operator", **details):
    person = given(a_principal, role, **details)
    sign_in(client, given, person)
    return person


def test_a_department_registers_its_system(client, given):
    given(a_system)
    given(lambda: an_app(body=a_body(*CITY), scopes=SCOPES, name="新的业务系统"))
    signed_in(client, given)

    form = client.get(f"{HOME}/new").text
    app_id = re.search(r'<option value="(\d+)">新的业务系统', form)[1]
    done = submit(
        client, f"{HOME}/new", app_id=app_id, code="GZ-NEW", name="新系统", items="", results="0 granted"
    )

    assert done.status_code == 303
    assert "GZ-NEW" in client.get(HOME).text


def test_a_wrong_registration_says_what_to_mend(client, given, docked):
    signed_in(client, given)

    page = f"{HOME}/systems/{docked.id}/edit"
    answer = submit(client, page, version=1, name="", items="X-1", results="0 never")

    assert answer.status_code == 422
    assert "1 至 60 个字" in answer.text
    assert "X-1" in answer.text


def test_other_bodies_see_nothing_of_it(client, given, docked):
    held = given(take, docked, "GZ-1", Kind.BJ, 3)
    signed_in(client, given, "department_operator", body=given(a_body))

    case_id = given(a_case, item_id=docked.item_id)
    pages = [f"{HOME}/systems/{docked.id}", f"{HOME}/messages/{held.message_id}", f"{HOME}/cases/{case_id}"]

    assert [client.get(page).status_code for page in pages] == [404] * 3
    assert docked.code not in client.get(HOME).text
    assert "GZ-1" not in client.get(f"{HOME}/messages").text


def test_only_the_province_lets_a_system_go_live(client, given):
    docked = given(a_system, state=SystemState.PASSED)
    page = f"{HOME}/systems/{docked.id}"
    signed_in(client, given)

    refused = submit(client, f"{page}/edit", f"{page}/moves", event="go_live", version=1)
    signed_in(client, given, "province_reviewer")
    done = submit(client, page, f"{page}/moves", event="go_live", version=1)

    assert (refused.status_code, done.status_code) == (403, 303)
    assert "已上线" in client.get(page).text


def test_the_province_sees_how_each_system_does(client, given, docked):
    given(take, docked, "GZ-1", Kind.SB, 1)
    given(take, docked, "GZ-2", Kind.SB, 1, SQRMC=None)
    given(take, docked, "GZ-3", Kind.BJ, 2)
    signed_in(client, given, "province_reviewer")

    page = client.get(HOME).text

    assert docked.code in page
    assert "33.3%" in page
    assert "1 条</a>，最久" in page


def test_a_refused_message_is_mended_and_applied(client, given, docked):
    refused = given(take, docked, "GZ-1", Kind.SB, 1, SQRLX="7")
    page = f"{HOME}/messages/{refused.message_id}"
    signed_in(client, given)
    shown = client.get(page).text

    done = submit(client, page, f"{page}/again", version=2, SQRLX="1", SQRMC="")

    assert "代码只能是：1 个人" in shown
    assert PERSON not in shown
    assert "测试一" not in shown
    assert done.status_code == 303
    assert given(lambda: messages()[0].state) is MessageState.APPLIED
    assert given(lambda: messages()[0].data_version) == 2


def test_a_message_that_stays_wrong_comes_back_with_its_fault(client, given, docked):
    refused = given(take, docked, "GZ-1", Kind.SB, 1, SBSJ="昨天")
    page = f"{HOME}/messages/{refused.message_id}"
    signed_in(client, given)

    done = submit(client, page, f"{page}/again", version=2, SBSJ="前天")

    assert done.status_code == 303
    assert "还没有入账" in client.get(done.location).text


def test_closing_lets_what_waited_go_on(client, given, docked):
    for kind, seq in ((Kind.SB, 1), (Kind.LQDJ, 2), (Kind.SL, 3)):
        last = given(take, docked, "GZ-1", kind, seq)
    held = given(lambda: messages()[1].id)
    page = f"{HOME}/messages/{held}"
    signed_in(client, given)

    nothing = submit(client, page, f"{page}/closing", version=3, reason=" ")
    done = submit(client, page, f"{page}/closing", version=3, reason="误报")

    assert last.state is MessageState.QUARANTINED
    assert (nothing.status_code, done.status_code) == (422, 303)
    assert given(lambda: [row.state for row in messages()]) == [
        MessageState.APPLIED,
        MessageState.DEAD,
        MessageState.APPLIED,
    ]
    assert given(lambda: the_case().state) is State.ACCEPTED


def test_the_desk_says_that_a_message_waits(client, given, docked):
    case_id = given(a_case, item_id=docked.item_id)
    number = given(lambda: the_case().number)
    given(take, docked, number, Kind.BJ, 2)
    signed_in(client, given)

    page = client.get(f"/desk/cases/{case_id}").text

    assert "部门业务系统发来的报文待处理" in page
    assert "办结" in client.get(f"{HOME}/cases/{case_id}").text


def test_the_document_for_partners_has_every_message(client):
    document = client.get("/api/exchange/openapi.json").json

    assert {f"Message{kind.name}" for kind in Kind} <= set(document["components"]["schemas"])
    assert client.get("/api/exchange/docs").status_code == 200


def test_the_queue_shows_real_messages_only(client, given):
    docked = given(a_system, stage=Stage.SANDBOX)
    given(take, docked, "T-1", Kind.BJ, 3, stage=Stage.SANDBOX)
    by = signed_in(client, given)

    assert given(lambda: service.queue(by, stage=Stage.PRODUCTION)) == []
    assert "没有待处理的报文" in client.get(f"{HOME}/messages").text


HOSTILE = ["\x00", "\ud800", "9" * 5000, "-1", "1e99", "٣", "<script>alert(1)</script>", "'; --", ""]


def test_nothing_sent_by_hand_breaks_a_page(client, app, given, docked):
    held = given(take, docked, "GZ-1", Kind.BJ, 3)
    signed_in(client, given)
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(f"{HOME}/new").text)[1]
    places = [
        f"{HOME}/new",
        f"{HOME}/systems/{docked.id}/edit",
        f"{HOME}/systems/{docked.id}/moves",
        f"{HOME}/messages/{held.message_id}/again",
        f"{HOME}/messages/{held.message_id}/closing",
        f"{HOME}/outgoing/1/again",
    ]
    names = ("app_id", "code", "name", "items", "results", "version", "event", "reason", "SBCLQD", "BJSJ")

    statuses = set()
    for value in HOSTILE:
        fields = {"csrf_token": token, **dict.fromkeys(names, value)}
        statuses |= {post_form(client, place, fields).status_code for place in places}
        statuses.add(
            client.get(
                f"{HOME}/messages",
                query_string={"system": value.encode("utf-8", "surrogatepass"), "state": "x"},
            ).status_code
        )

    assert statuses <= {200, 303, 404, 422, 403}
