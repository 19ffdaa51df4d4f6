"""An incident's life: who deals with it, what its timeline says, who may see it, what it adds up to."""

import threading

import pytest
from sqlalchemy import select

from app.core import audit, db
from app.core.errors import Invalid, NotFound
from app.mobile_access import service as mobile_access
from app.monitoring import causes, service
from app.monitoring.domain import (
    INCIDENT_MOVES,
    ORDER_MOVES,
    IncidentMove,
    IncidentState,
    MoveNotAllowed,
    OrderMove,
    OrderState,
    incident_move,
    order_move,
    phase_of,
)
from app.monitoring.models import Incident
from app.monitoring.service import By
from mobile_pages.probe.base import Cause
from tests.app.monitoring.builders import MINUTE, at, looks, seen, tell
from tests.app.monitoring.test_grouping import pages_down, tend
from tests.builders import NOW, a_body, a_principal


def of(page):
    return db.session().scalar(select(Incident).where(Incident.page_id == page.id))


def detail(who, page, minute=60):
    return service.incident_detail(who, of(page).id, now=at(minute))


@pytest.mark.parametrize("state", IncidentState)
@pytest.mark.parametrize("move", IncidentMove)
def test_only_moves_of_the_table_are_allowed(state, move):
    if (state, move) in INCIDENT_MOVES:
        assert incident_move(state, move) is not state
    else:
        with pytest.raises(MoveNotAllowed):
            incident_move(state, move)


@pytest.mark.parametrize("state", OrderState)
@pytest.mark.parametrize("move", OrderMove)
def test_orders_too_move_by_their_table_only(state, move):
    if (state, move) in ORDER_MOVES:
        assert order_move(state, move) is not state
    else:
        with pytest.raises(MoveNotAllowed):
            order_move(state, move)


def test_the_timeline_tells_what_happened_and_who_did_it(app, given):
    page = given(seen, "UDDD")
    who = given(a_principal, "department_operator")
    incident_id = given(of, page).id
    given(tend, 5)
    given(service.acknowledge, who, incident_id, note="正在重启网关", now=at(6))
    given(service.add_note, who, incident_id, "已恢复一台", now=at(7))
    given(tell, looks(page.id, "UU", minute=8))

    with app.app_context():
        lines = [(line.kind.value, line.who) for line in detail(who, page).timeline]
    assert lines == [
        ("opened", ""),
        ("notified", ""),
        ("acknowledged", "测试人员"),
        ("note", "测试人员"),
        ("resolved", ""),
    ]


def test_every_move_is_one_audit_line(app, given):
    page = given(seen, "UDDD")
    who = given(a_principal, "department_operator")
    given(service.acknowledge, who, given(of, page).id, now=at(6))
    given(service.acknowledge, who, given(of, page).id, now=at(7))
    given(tell, looks(page.id, "UU", minute=8))

    with app.app_context():
        actions = [line.action for line in audit.history("incident", of(page).id)]
    assert actions == ["incident.close", "incident.acknowledge", "incident.open"]


def test_of_two_who_acknowledge_at_once_one_is_kept(app, given):
    page = given(seen, "UDDD")
    people = [given(a_principal, "department_operator") for _ in range(2)]
    incident_id = given(of, page).id
    gate = threading.Barrier(2)

    def go(who):
        gate.wait()
        given(service.acknowledge, who, incident_id, now=at(6))

    threads = [threading.Thread(target=go, args=(who,)) for who in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with app.app_context():
        assert of(page).acknowledged_by in {who.actor for who in people}
        acknowledged = [line for line in detail(people[0], page).timeline if line.kind == "acknowledged"]
        assert len(acknowledged) == 1


def test_an_incident_that_recovered_in_this_moment_cannot_be_acknowledged(app, given):
    page = given(seen, "UDDDUU")
    who = given(a_principal, "department_operator")

    with pytest.raises(MoveNotAllowed):
        given(service.acknowledge, who, given(of, page).id, now=at(9))

    with app.app_context():
        assert of(page).acknowledged_at is None


def test_recovery_ends_an_acknowledged_incident(app, given):
    page = given(seen, "UDDD")
    given(service.acknowledge, given(a_principal, "department_operator"), given(of, page).id, now=at(5))

    given(tell, looks(page.id, "UU", minute=6))

    with app.app_context():
        assert (of(page).state, of(page).escalate_at) == (IncidentState.RESOLVED, None)


def test_another_cause_is_noted_once_it_is_not_mere_flicker(app, given):
    page = given(seen, "UDDD")
    other = [look_with(look, Cause.CONNECT_REFUSED) for look in looks(page.id, "DD", minute=5, every=5)]

    given(tell, other)

    with app.app_context():
        assert (of(page).cause, of(page).phase) == ("connect_refused", "connect")
        changed = [line for line in detail(given_watch(given), page).timeline if line.kind == "changed"]
        assert [line.at for line in changed] == [at(10)]


def look_with(look, cause):
    return type(look)(look.target_id, look.started_at, look.verdict, cause.value, "服务器拒绝连接。")


def given_watch(given):
    return given(a_principal, "province_watch")


def test_the_confirming_look_is_kept_as_evidence(app, given):
    page = given(seen, "UDDD")

    with app.app_context():
        evidence = of(page).evidence
        assert (evidence["status"], evidence["url"]) == (503, page.url)


def test_a_person_of_the_body_may_be_asked_to_deal_with_it(app, given):
    page = given(seen, "UDDD")
    who = given(a_principal, "department_operator")

    given(service.assign, who, given(of, page).id, who.staff_id, now=at(6))

    with app.app_context():
        found = detail(who, page)
        assert (found.incident.assigned_to, found.assigned_to) == (who.staff_id, "测试人员")
        assert who.staff_id in found.people


def test_nobody_of_another_body_can_be_asked(app, given):
    page = given(seen, "UDDD")
    stranger = given(a_principal, "department_operator", body=given(a_body, "教育厅"))

    with pytest.raises(Invalid):
        given(service.assign, given_watch(given), given(of, page).id, stranger.staff_id, now=at(6))


@pytest.mark.parametrize("work", ["acknowledge", "add_note", "assign"])
def test_what_others_deal_with_does_not_exist(given, work):
    page = given(seen, "UDDD")
    stranger = given(a_principal, "department_operator", body=given(a_body, "教育厅"))
    more = {"acknowledge": [], "add_note": ["看看"], "assign": [None]}[work]

    with pytest.raises(NotFound):
        given(getattr(service, work), stranger, given(of, page).id, *more, now=at(6))


def test_a_group_shows_ones_own_and_counts_the_others(app, given):
    city = given(a_body, "广州市", "440100")
    own = given(pages_down, 2)
    given(pages_down, 3, first=5, body=city)
    given(tend, 5)
    who = given(a_principal, "department_operator")

    with app.app_context():
        found = service.group_detail(who, of(own[0]).group_id)
        assert (found.group.seen, found.group.others, found.group.member_count) == (2, 3, 5)
        assert {one.page_id for one in found.incidents} == {page.id for page in own}


def test_acknowledging_a_group_takes_only_ones_own(app, given):
    own = given(pages_down, 2)
    other = given(pages_down, 1, first=5, body=given(a_body, "广州市", "440100"))
    given(tend, 5)
    who = given(a_principal, "department_operator")

    count = given(service.acknowledge_group, who, given(of, own[0]).group_id, now=at(6))

    with app.app_context():
        assert count == 2
        assert of(other[0]).acknowledged_at is None


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param({"state": IncidentState.RESOLVED}, {"back"}, id="state"),
        pytest.param({"city_code": "440100"}, {"city"}, id="city"),
        pytest.param({"phase": "status"}, {"down", "back", "city"}, id="phase"),
        pytest.param({"phase": "dns"}, set(), id="another phase"),
        pytest.param({"kind": "task"}, set(), id="another kind"),
        pytest.param({"from_on": NOW.date(), "until_on": NOW.date()}, {"down", "back", "city"}, id="the day"),
    ],
)
def test_the_list_is_narrowed(app, given, wanted, found):
    given(seen, "UDDD", name="down")
    given(seen, "UDDDUU", name="back")
    given(seen, "UDDD", name="city", body=given(a_body, "广州市", "440100"))

    with app.app_context():
        listed = service.incidents(given_watch(given), **wanted)
    assert {one.page_name for one in listed.items} == found


def test_figures_clip_outages_to_the_time_asked_about(app, given):
    given(seen, "UDDDDDDDDUU")

    with app.app_context():
        (figures,) = service.statistics(at(0), at(6), By.BODY).values()
        assert (figures.count, figures.down_minutes) == (1, 4.0)
        assert figures.mttr_minutes == 8.0


def test_figures_are_told_by_city_body_and_phase(app, given):
    page = given(seen, "UDDD")
    given(seen, "UDDDUU", body=given(a_body, "广州市", "440100"))
    given(service.acknowledge, given_watch(given), given(of, page).id, now=at(4) + 3 * MINUTE)

    with app.app_context():
        by_city = service.statistics(at(0), at(12), By.CITY)
        assert {code: row.count for code, row in by_city.items()} == {"": 1, "440100": 1}
        assert by_city[""].mtta_minutes == 3.0
        assert by_city["440100"].mttr_minutes == 3.0
        assert list(service.statistics(at(0), at(12), By.PHASE)) == ["status"]


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_a_sentence_and_something_to_check(cause):
    from_phase = causes.diagnose(phase_of(cause), cause, {"status": 503})

    assert from_phase.sentence.endswith("。")
    assert from_phase.advice


def test_only_hidden_entries_are_told_hidden(app, given):
    page = given(seen, "UDDD")
    given(mobile_access.hide_entry, page.id, at(2), now=at(5))

    with app.app_context():
        assert set(mobile_access.hidden([page.id, 7])) == {page.id}
