"""The desk: the queue by risk and scope, taking and giving back, second persons, opinions, hand-over."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app.applications import service
from app.applications.desk_models import ApplicationProposal
from app.applications.service import (
    Event,
    Mark,
    MoveNotAllowed,
    NothingToTake,
    SamePerson,
    SecondPersonNeeded,
    State,
    Wanted,
)
from app.core import db
from app.core.errors import Forbidden, Invalid, NotFound, Stale
from tests.app.applications.builders import (
    a_case,
    a_head,
    a_supervisor,
    an_open_item,
    owner_of,
    row_of,
    take_step,
    version_of,
)
from tests.builders import NOW, a_body, a_principal

TODAY = NOW.date()
SOON = NOW + timedelta(hours=1)
on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def an_operator(region_code="440100"):
    return a_principal("city_operator", region_code=region_code)


def ids(by, **wanted):
    return [one.case.id for one in service.queue(by, Wanted(**wanted), today=TODAY).items]


def test_the_queue_is_one_order_for_province_city_county_and_body(given, app):
    item = given(an_open_item)
    first = given(a_case, item_id=item, now=NOW - timedelta(days=3))
    second = given(a_case, item_id=item)
    people = [
        given(an_operator),
        given(a_supervisor),
        given(lambda: a_head(first)),
    ]

    with app.app_context():
        assert [ids(by) for by in people] == [[first, second]] * 3
        assert ids(given(an_operator, "440300")) == []
        assert ids(given(a_principal, "county_operator")) == []


def test_the_queue_is_read_page_by_page(given, app):
    item = given(an_open_item)
    made = [given(a_case, item_id=item, now=NOW - timedelta(days=day)) for day in (0, 3, 5)]
    by = given(an_operator)

    with app.app_context():
        seen, cursor = [], None
        while True:
            page = service.queue(by, today=TODAY, cursor=cursor, limit=1)
            seen += [one.case.id for one in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break

    assert seen == made[::-1]


def test_the_queue_is_narrowed(given, app):
    item = given(an_open_item)
    late = given(a_case, item_id=item, now=NOW - timedelta(days=20))
    taken = given(a_case, State.HANDLING, item_id=item)
    by = given(an_operator)
    given(reassign, taken, by.staff_id)

    with app.app_context():
        assert ids(by, overdue=True) == [late]
        assert ids(by, whose="mine") == [taken]
        assert ids(by, whose="unassigned") == [late]
        assert ids(by, state=State.HANDLING) == [taken]
        assert ids(by, item_id=item) == [late, taken]
        assert ids(by, item_id=item + 1) == []
        assert ids(by, proposed=True) == []
        assert service.counts(by, TODAY) == service.DeskCounts(1, 1, 1, 1)


def reassign(case_id, staff_id):
    row_of(case_id).handler_id = staff_id


@on_sqlite
def test_marks_say_how_near_the_limit_is(given, app):
    # 春节 lasts until 23 February, and Saturday the 28th is worked on; today is Monday, 2 March.
    ages = {0: Mark.NONE, 4: Mark.NONE, 5: Mark.WARNING, 6: Mark.WARNING, 7: Mark.YELLOW, 20: Mark.RED}
    item = given(an_open_item)
    cases = {days: given(a_case, item_id=item, now=NOW - timedelta(days=days)) for days in ages}
    by = given(an_operator)

    with app.app_context():
        lines = service.queue(by, today=TODAY).items
        found = {one.case.id: one.risk.mark for one in lines}

    assert {days: found[case_id] for days, case_id in cases.items()} == ages


def test_two_people_who_take_the_next_case_get_two(given, app):
    item = given(an_open_item)
    made = {given(a_case, item_id=item, now=NOW - timedelta(days=day)) for day in range(2)}
    people = [given(an_operator) for _ in range(3)]

    def take(by):
        with app.app_context():
            try:
                return db.transaction(lambda: service.take_next(by, now=NOW))
            except NothingToTake:
                return None

    with ThreadPoolExecutor(3) as pool:
        taken = list(pool.map(take, people))

    assert set(taken) == {*made, None}
    assert taken.count(None) == 1


@on_sqlite
def test_the_next_case_is_the_riskiest_one_that_waits_for_its_department(given, app):
    item = given(an_open_item)
    given(a_case, State.SUPPLEMENT_DUE, item_id=item, now=NOW - timedelta(days=9))
    given(a_case, item_id=item)
    risky = given(a_case, item_id=item, now=NOW - timedelta(days=3))

    assert given(service.take_next, given(an_operator), now=NOW) == risky


@on_sqlite
def test_a_case_goes_back_only_with_a_reason_that_colleagues_read(given, app):
    case_id, by = given(a_case), given(an_operator)
    given(service.take, by, case_id, version=given(version_of, case_id), now=SOON)

    with pytest.raises(Invalid):
        given(service.put_back, by, case_id, " ", now=SOON)
    given(service.put_back, by, case_id, "材料涉及亲属，须回避", now=SOON + timedelta(minutes=1))

    with app.app_context():
        seen = service.case_for(given(an_operator), case_id, now=SOON)
        assert [(one.label, one.text) for one in seen.history[-2:]] == [
            ("领取", ""),
            ("退回待领取", "材料涉及亲属，须回避"),
        ]


@on_sqlite
def test_opinions_are_for_colleagues_and_not_for_the_applicant(given, app):
    case_id = given(a_case)

    given(service.opine, given(an_operator), case_id, "建议实地看一下", now=SOON)
    with pytest.raises(Invalid):
        given(service.opine, given(an_operator), case_id, "", now=SOON)
    with pytest.raises(NotFound):
        given(service.opine, given(an_operator, "440300"), case_id, "看看", now=SOON)

    with app.app_context():
        assert (
            service.case_for(given(a_supervisor), case_id, now=SOON).history[-1].opinion == "建议实地看一下"
        )
        assert "建议实地看一下" not in str(service.my_case(owner_of(case_id), case_id))


def a_careful_case(state=State.HANDLING):
    return a_case(state, item_id=an_open_item(second_person=True))


def proposed(given, by, **words):
    case_id = given(a_careful_case)
    said = {"granted": True, **words}
    given(take_step, case_id, Event.DECIDE, by=by, **said)
    return case_id


def answer(given, act, by, case_id, opinion=""):
    return given(act, by, case_id, opinion, version=given(version_of, case_id), now=NOW)


@on_sqlite
def test_a_decision_takes_effect_when_a_second_person_confirms_it(given, app):
    author = given(an_operator)
    case_id = proposed(given, author, granted=False, reason="不符合条件", remedy="六十日内可以申请行政复议")
    with app.app_context():
        waiting = row_of(case_id)
        assert (waiting.state, waiting.granted) == (State.HANDLING, None)

    answer(given, service.confirm, given(lambda: a_head(case_id)), case_id, "同意")

    with app.app_context():
        row = row_of(case_id)
        assert (row.state, row.granted, row.reason) == (State.DECIDED, False, "不符合条件")
        assert row.proposed_by_id is None


@on_sqlite
def test_nobody_confirms_their_own_decision(given):
    author = given(an_operator)
    case_id = proposed(given, author)

    with pytest.raises(SamePerson):
        answer(given, service.confirm, author, case_id)
    with pytest.raises(SamePerson):
        answer(given, service.send_back, author, case_id, "我反悔了")
    with pytest.raises(Forbidden):
        answer(given, service.confirm, given(a_supervisor), case_id)
    with pytest.raises(NotFound):
        answer(given, service.confirm, given(an_operator, "440300"), case_id)


@on_sqlite
def test_a_decision_sent_back_waits_for_nobody_and_may_be_proposed_again(given, app):
    author, second = given(an_operator), given(an_operator)
    case_id = proposed(given, author)

    with pytest.raises(Invalid):
        answer(given, service.send_back, second, case_id)
    answer(given, service.send_back, second, case_id, "还缺现场照片")
    given(take_step, case_id, Event.DECIDE, by=author, granted=True)
    answer(given, service.confirm, second, case_id)

    with app.app_context():
        outcomes = [one.outcome for one in db.session().query(ApplicationProposal)]
        assert (sorted(outcomes), row_of(case_id).state) == (["confirmed", "sent_back"], State.DECIDED)


@on_sqlite
def test_while_a_decision_waits_nothing_else_is_done(given, app):
    author = given(an_operator)
    case_id = proposed(given, author)

    for event in (Event.DECIDE, Event.STEP_PASS, Event.EXTEND):
        with pytest.raises(SecondPersonNeeded):
            given(take_step, case_id, event)
    with app.app_context():
        assert service.case_for(author, case_id, now=NOW).may == ()
    given(take_step, case_id, Event.VOID)

    with app.app_context():
        assert db.session().query(ApplicationProposal).one().outcome == "dropped"


@on_sqlite
def test_a_decision_that_lacks_words_is_not_even_proposed(given):
    case_id = given(a_careful_case)

    with pytest.raises(Invalid):
        given(take_step, case_id, Event.DECIDE, granted=False)
    with pytest.raises(SecondPersonNeeded):
        answer(given, service.confirm, given(an_operator), case_id)


def test_of_two_who_confirm_at_once_one_wins_and_the_other_learns_who(given, app):
    case_id = proposed(given, given(an_operator))
    people = [given(an_operator) for _ in range(2)]
    with app.app_context():
        version = version_of(case_id)

    def confirm(by):
        with app.app_context():
            try:
                db.transaction(lambda: service.confirm(by, case_id, "", version=version, now=NOW))
            except Stale as error:
                return str(error)
        return ""

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(confirm, people))

    assert said[0] == ""
    assert "“作出决定”" in said[1]


@on_sqlite
def test_the_head_extends_and_pauses_and_the_supervisor_does_not(given, app):
    case_id = given(a_case, State.HANDLING)
    head, supervisor = given(lambda: a_head(case_id)), given(a_supervisor)
    other = given(lambda: a_principal("department_head", body=a_body("教育厅")))

    with pytest.raises(Forbidden):
        given(take_step, case_id, Event.EXTEND, by=supervisor)
    with pytest.raises(NotFound):
        given(take_step, case_id, Event.EXTEND, by=other)
    with pytest.raises(Forbidden):
        given(take_step, case_id, Event.DECIDE, by=head)

    with app.app_context():
        assert service.case_for(head, case_id, now=NOW).may == (Event.EXTEND, Event.SPECIAL_BEGIN)
        assert service.case_for(supervisor, case_id, now=NOW).may == (Event.VOID,)


@on_sqlite
def test_a_case_is_handed_over_by_who_has_it_or_by_the_head(given, app):
    case_id, owner, other = given(a_case), given(an_operator), given(an_operator)
    stranger = given(an_operator, "440300")

    def give(by, to):
        version = given(version_of, case_id)
        given(service.pass_on, by, case_id, to.staff_id, "出差", version=version, now=NOW)

    with pytest.raises(Forbidden):
        give(owner, other)
    given(service.take, owner, case_id, version=given(version_of, case_id), now=NOW)
    with pytest.raises(Invalid):
        give(owner, stranger)
    give(owner, other)
    give(given(lambda: a_head(case_id)), owner)

    with app.app_context():
        assert row_of(case_id).handler_id == owner.staff_id


@on_sqlite
def test_all_cases_of_who_is_away_go_to_a_colleague(given, app):
    away, other = given(an_operator), given(an_operator)
    item = given(an_open_item)
    made = [given(a_case, item_id=item) for _ in range(3)]
    for _ in made:
        given(service.take_next, away, now=NOW)

    with pytest.raises(Forbidden):
        given(service.pass_on_all, given(a_supervisor), away.staff_id, other.staff_id, "病假", now=NOW)
    head = given(lambda: a_head(made[0]))
    count = given(service.pass_on_all, head, away.staff_id, other.staff_id, "病假", now=NOW)

    with app.app_context():
        assert (count, ids(other, whose="mine")) == (3, ids(other))


@on_sqlite
def test_what_has_ended_is_nobodys_to_take(given):
    case_id = given(a_case, State.NOT_ACCEPTED)

    with pytest.raises(MoveNotAllowed):
        given(service.take, given(an_operator), case_id, version=given(version_of, case_id), now=NOW)


@on_sqlite
def test_cases_one_proposed_oneself_hide_no_others(given, app):
    item = given(an_open_item, second_person=True)
    by = given(an_operator)
    for day in range(5):
        own = given(a_case, State.ACCEPTED, item_id=item, now=NOW - timedelta(days=7 - day))
        given(take_step, own, Event.DECIDE_ON_SPOT, by=by)
    other = given(a_case, item_id=item)

    assert given(service.take_next, by, now=NOW) == other


@on_sqlite
@pytest.mark.parametrize(
    "cursor", ["2026-03-02.99999999999999999999", "2026-03-02.-1", "2026-03-02.", "9999-13-01.1", "x"]
)
def test_a_page_mark_that_is_none_of_ours_is_refused(given, app, cursor):
    by = given(an_operator)

    with app.app_context(), pytest.raises(Invalid):
        service.queue(by, today=TODAY, cursor=cursor)
