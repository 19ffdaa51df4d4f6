from datetime import timedelta

import pytest

from app.core import audit, clock, db
from app.core.errors import Invalid, NotFound, Stale
from app.core.runner import Worker
from app.mobile_access import service
from app.mobile_access.domain import MOVES
from app.mobile_access.models import MobilePage
from app.mobile_access.service import ChannelState, CheckVerdict, MoveNotAllowed, State
from app.organisations import service as organisations
from tests.app.mobile_access.builders import a_page, a_registration, finish_check, the_run
from tests.builders import NOW, a_body, a_principal


def test_a_page_goes_from_registration_to_residents(app, given):
    page = given(a_page, state=State.ONLINE)

    with app.app_context():
        assert page.state is State.ONLINE
        assert page.served
        assert [one.id for one in service.published().items] == [page.id]


def test_every_move_leaves_one_audit_line_with_both_states(app, given):
    page = given(a_page, state=State.RETIRED)

    with app.app_context():
        lines = [one for one in audit.history("mobile_page", page.id) if "from" in one.detail]
    moved = [(one.detail["from"], one.action.removeprefix("mobile_page."), one.detail["to"]) for one in lines]
    assert len(moved) == 5
    assert set(moved) <= {(step.state, step.event, step.to) for step in MOVES}


def test_a_failed_page_is_mended_and_checked_again(given):
    page = given(a_page, state=State.FAILED)
    operator = given(operator_of, page)

    mended = given(
        service.update_page, operator, page.id, a_registration(url=page.url), version=page.version, now=NOW
    )
    again = given(service.start_check, operator, page.id, now=NOW)

    assert (mended.state, again.state) == (State.REGISTERED, State.CHECKING)


def test_a_failed_page_may_be_checked_again_without_new_data(given):
    page = given(a_page, state=State.FAILED)

    again = given(service.start_check, given(operator_of, page), page.id, now=NOW)

    assert again.state is State.CHECKING


def test_an_undecided_check_is_no_pass(app, given):
    page = given(a_page, state=State.CHECKING)

    given(finish_check, page.id, CheckVerdict.UNDECIDED)

    with app.app_context():
        assert state_of(page) is State.FAILED


def test_a_result_that_comes_twice_counts_once(app, given):
    page = given(a_page, state=State.CHECKING)
    with app.app_context():
        run = the_run(page.id)

    first = given(finish_check, page.id, CheckVerdict.FAIL)
    with pytest.raises(NotFound):
        given(service.record_check, run + 1, None, now=NOW)
    second = given(service.record_check, run, a_pass(), now=NOW)

    with app.app_context():
        assert (first, second, state_of(page)) == (True, False, State.FAILED)


@pytest.mark.parametrize("state", [State.REGISTERED, State.CHECKING, State.FAILED, State.SUSPENDED])
def test_only_a_page_that_passed_can_be_approved(given, state):
    page = given(a_page, state=state)

    with pytest.raises(MoveNotAllowed):
        given(
            service.approve,
            given(a_principal, "province_reviewer"),
            page.id,
            ["wechat"],
            version=page.version,
            now=NOW,
        )


def test_channels_are_approved_one_by_one(given):
    page = given(a_page, state=State.PASSED)
    reviewer = given(a_principal, "province_reviewer")

    page = given(service.approve, reviewer, page.id, ["wechat"], version=page.version, now=NOW)
    page = given(service.reject, reviewer, page.id, ["alipay"], "图标不符", version=page.version, now=NOW)

    assert page.state is State.ONLINE
    assert states_of(page) == {"wechat": ChannelState.APPROVED, "alipay": ChannelState.REJECTED}


def test_a_page_rejected_on_every_channel_has_failed(given):
    page = given(a_page, state=State.PASSED)
    reviewer = given(a_principal, "province_reviewer")

    half = given(service.reject, reviewer, page.id, ["wechat"], "名称不符", version=page.version, now=NOW)
    whole = given(service.reject, reviewer, page.id, ["alipay"], "名称不符", version=half.version, now=NOW)

    assert (half.state, whole.state) == (State.PASSED, State.FAILED)


@pytest.mark.parametrize(
    "kinds", [[], ["wechat", "wechat"], ["openapi"]], ids=["none", "twice", "not wanted"]
)
def test_a_decision_about_no_waiting_channel_is_refused(given, kinds):
    page = given(a_page, state=State.PASSED)

    with pytest.raises(Invalid):
        given(
            service.approve,
            given(a_principal, "province_reviewer"),
            page.id,
            kinds,
            version=page.version,
            now=NOW,
        )


def test_a_rejection_needs_a_reason(given):
    page = given(a_page, state=State.PASSED)

    with pytest.raises(Invalid):
        given(
            service.reject,
            given(a_principal, "province_reviewer"),
            page.id,
            ["wechat"],
            " ",
            version=page.version,
            now=NOW,
        )


def test_a_reviewer_who_saw_an_older_version_is_stale(given):
    page = given(a_page, state=State.PASSED)
    reviewer = given(a_principal, "province_reviewer")
    given(service.reject, reviewer, page.id, ["alipay"], "名称不符", version=page.version, now=NOW)

    with pytest.raises(Stale):
        given(service.approve, reviewer, page.id, ["wechat"], version=page.version, now=NOW)


def test_a_department_cannot_approve_its_own_page(given):
    page = given(a_page, state=State.PASSED)

    with pytest.raises(NotFound):
        given(service.approve, given(operator_of, page), page.id, ["wechat"], version=page.version, now=NOW)


def test_another_department_does_not_find_the_page(given):
    page = given(a_page)
    stranger = given(a_principal, "department_operator", body=given(a_body, name="教育厅"))

    for call in (service.start_check, service.recheck):
        with pytest.raises(NotFound):
            given(call, stranger, page.id, now=NOW)


def test_a_suspended_page_comes_back_only_through_check_and_review(app, given):
    page = given(a_page, state=State.SUSPENDED)

    again = given(service.recheck, given(operator_of, page), page.id, now=NOW)
    given(finish_check, page.id)

    with app.app_context():
        assert service.published().items == []
        assert state_of(page) is State.PASSED
        assert set(states_of(again).values()) == {ChannelState.WANTED}


def test_a_short_outage_degrades_and_recovers(app, given):
    page = given(a_page, state=State.ONLINE)

    assert given(service.probe_failed, page.id, NOW, "timeout")
    assert not given(service.probe_failed, page.id, NOW, "timeout")
    with app.app_context():
        assert (state_of(page), service.entry(page.id).available) == (State.DEGRADED, True)
    assert given(service.probe_recovered, page.id, NOW + timedelta(seconds=30))

    with app.app_context():
        assert state_of(page) is State.ONLINE


def test_the_entry_is_hidden_after_the_grace_time_and_back_at_recovery(app, given):
    page = given(a_page, state=State.DEGRADED)

    assert given(service.hide_entry, page.id, NOW, now=NOW + timedelta(seconds=60))
    with app.app_context():
        hidden = service.entry(page.id)
        assert (hidden.available, service.published().items) == (False, [])
        assert "暂时无法访问" in hidden.notice
    given(service.probe_recovered, page.id, NOW + timedelta(minutes=5))

    with app.app_context():
        assert service.entry(page.id).available


def test_an_outage_that_ended_hides_nothing_later(app, given):
    page = given(a_page, state=State.DEGRADED)
    given(service.probe_recovered, page.id, NOW + timedelta(seconds=30))

    assert not given(service.hide_entry, page.id, NOW, now=NOW + timedelta(seconds=60))
    assert not given(service.end_outage, page.id, NOW, now=NOW + timedelta(hours=24))


def test_an_outage_without_end_takes_the_page_offline(app, given):
    page = given(a_page, state=State.DEGRADED)

    assert given(service.end_outage, page.id, NOW, now=NOW + timedelta(hours=24))

    with app.app_context():
        assert state_of(page) is State.SUSPENDED
        assert not service.entry(page.id).available


def test_the_address_of_a_retired_page_is_free_again(given):
    page = given(a_page, state=State.RETIRED)

    again = given(a_page, url=page.url)

    assert again.state is State.REGISTERED


def operator_of(page):

    return a_principal("department_operator", body=organisations.get_body(page.body_id))


def a_pass():
    return service.CheckResult(CheckVerdict.PASS, "1", "standard", {}, None, None)


def state_of(page):
    return next(one.state for one in all_pages() if one.id == page.id)


def all_pages():

    return list(db.session().query(MobilePage))


def states_of(page):
    return {one.kind: one.state for one in page.channels}


def test_an_address_cannot_be_changed_to_one_that_is_taken(given):
    page, other = given(a_page), given(a_page)
    wanted = a_registration(url=other.url)

    with pytest.raises(service.AddressTaken):
        given(service.update_page, given(operator_of, page), page.id, wanted, version=page.version, now=NOW)


@pytest.mark.parametrize("state", [State.CHECKING, State.PASSED, State.ONLINE, State.RETIRED])
def test_what_is_checked_reviewed_or_shown_cannot_be_edited(given, state):
    page = given(a_page, state=state)

    with pytest.raises(MoveNotAllowed):
        given(
            service.update_page,
            given(operator_of, page),
            page.id,
            a_registration(),
            version=page.version,
            now=NOW,
        )


def test_an_empty_contact_keeps_the_sealed_one_and_a_new_one_replaces_it(given):
    page = given(a_page, contact_phone="020-11111111")
    operator = given(operator_of, page)

    kept = given(service.update_page, operator, page.id, a_registration(), version=page.version, now=NOW)
    old = given(service.contact, operator, page.id)
    wanted = a_registration(contact_phone="020-22222222")
    given(service.update_page, operator, page.id, wanted, version=kept.version, now=NOW)

    assert old == ("", "020-11111111")
    assert given(service.contact, operator, page.id) == ("", "020-22222222")


def test_channels_that_are_no_longer_wanted_are_dropped(given):
    page = given(a_page)

    wanted = a_registration(channels=("wechat",))
    changed = given(
        service.update_page, given(operator_of, page), page.id, wanted, version=page.version, now=NOW
    )

    assert set(states_of(changed)) == {"wechat"}


def test_an_outage_hides_the_entry_and_later_takes_the_page_offline_by_itself(app, given):
    long_ago = clock.system_clock() - timedelta(minutes=2)
    short, long = given(a_page, state=State.ONLINE), given(a_page, state=State.ONLINE)
    given(service.probe_failed, short.id, long_ago, "timeout")
    given(service.probe_failed, long.id, long_ago - timedelta(hours=24), "timeout")

    Worker(app, app.extensions["hall_jobs"]).drain()

    with app.app_context():
        assert (state_of(short), service.entry(short.id).available) == (State.DEGRADED, False)
        assert state_of(long) is State.SUSPENDED
