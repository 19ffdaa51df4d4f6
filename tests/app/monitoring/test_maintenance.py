"""Announced maintenance and pauses: whose they are, when they count, what they leave of the past."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as examples
from hypothesis import strategies as st
from sqlalchemy import select

from app.core import audit, db
from app.core.errors import Conflict, Invalid, NotFound, Stale
from app.mobile_access import service as mobile_access
from app.mobile_access.service import State
from app.monitoring import holds, maintenance
from app.monitoring.domain import MaintenanceScope
from app.monitoring.maintenance import Announcement
from app.monitoring.models import Incident, Maintenance, StateSpan
from mobile_pages.probe.base import Condition, Span
from mobile_pages.probe.uptime import Window, tally
from tests.app.monitoring.builders import MINUTE, a_watched_page, at, looks, seen, spans, tell
from tests.builders import NOW, a_body, a_principal

PAGE, BODY = MaintenanceScope.PAGE, MaintenanceScope.BODY
CITY, PROVINCE = MaintenanceScope.CITY, MaintenanceScope.PROVINCE
CITY_CODE = "440100"


def told(scope=PROVINCE, ref="", *, minute=10, minutes=30, **details) -> Announcement:
    plan = Announcement(scope, ref, "系统升级", "期间不能办理。", at(minute), minutes)
    return replace(plan, **details)


def announced(plan, *, by=None, now=NOW):
    return maintenance.announce(by or a_principal("province_watch"), plan, now=now)


def apply(app, minute: float) -> int:
    with app.app_context():
        return holds.apply(at(minute))


def test_a_window_is_held_from_its_first_to_its_last_minute(app, given):
    page = given(seen, "UUUUUUUUU")
    given(announced, told(PAGE, str(page.id), minute=10, minutes=30))

    apply(app, 10.2)
    apply(app, 40.1)

    with app.app_context():
        assert spans(page.id)[1:] == [(1, 10, "up"), (10, 40, "maintenance"), (40, None, "unknown")]


def test_applied_late_it_counts_as_if_it_had_been_in_time(app, given):
    page = given(seen, "UUUU")
    given(announced, told(minute=5, minutes=60))
    given(tell, looks(page.id, "UUDDDDD", minute=5))

    apply(app, 13)

    with app.app_context():
        assert spans(page.id)[-1] == (5, None, "maintenance")
        assert db.session().scalars(select(Incident.resolved_at)).one() is not None
        assert "down" not in {condition for *_, condition in spans(page.id)}
    assert given(state_of, page) is State.ONLINE


def state_of(page):
    return mobile_access.get(a_principal("province_reviewer"), page.id).state


def test_a_window_that_nobody_put_into_effect_in_time_is_laid_where_it_was(app, given):
    page = given(seen, "UUUU")
    given(announced, told(minute=20, minutes=10))

    apply(app, 60)

    with app.app_context():
        assert spans(page.id)[-3:] == [(7.25, 20, "unknown"), (20, 30, "maintenance"), (30, None, "unknown")]


def test_running_it_again_touches_nothing(app, given):
    page = given(seen, "UUUU")
    given(announced, told(PAGE, str(page.id)))
    assert apply(app, 11) == 1

    assert apply(app, 12) == 0
    assert apply(app, 41) == 1
    assert apply(app, 42) == 0


def test_a_page_that_comes_to_the_watch_meanwhile_is_held_too(app, given):
    given(announced, told(minute=10, minutes=60))
    apply(app, 11)
    page = given(a_watched_page, now=at(20))

    apply(app, 21)

    with app.app_context():
        assert spans(page.id)[-1] == (20, None, "maintenance")


def test_the_past_cannot_be_announced(given):
    with pytest.raises(Invalid) as refused:
        given(announced, told(minute=-60))

    assert "不能补报" in refused.value.fields["starts_at"][0]


def test_an_announcement_of_this_minute_excuses_nothing_before_it(app, given):
    page = given(seen, "UDDDD")
    given(announced, told(minute=4.5 - 0.5, minutes=30), now=at(4.5))

    apply(app, 6)

    with app.app_context():
        assert spans(page.id)[-2:] == [(2, 4.5, "down"), (4.5, None, "maintenance")]
        assert db.session().scalars(select(Incident.resolved_at)).one() is None


@pytest.mark.parametrize(
    ("role", "scope", "ref", "allowed"),
    [
        pytest.param("province_watch", PROVINCE, "", True, id="province, everything"),
        pytest.param("province_watch", CITY, CITY_CODE, True, id="province, a city"),
        pytest.param("city_operator", CITY, CITY_CODE, True, id="city, itself"),
        pytest.param("city_operator", PROVINCE, "", False, id="city, everything"),
        pytest.param("city_operator", CITY, "440300", False, id="city, another"),
        pytest.param("department_operator", BODY, "own", True, id="department, itself"),
        pytest.param("department_operator", BODY, "other", False, id="department, another"),
        pytest.param("department_operator", CITY, CITY_CODE, False, id="department, a city"),
        pytest.param("province_watch", CITY, "999999", False, id="no such city"),
        pytest.param("province_watch", PAGE, "1", False, id="no such page"),
        pytest.param("province_watch", BODY, "x", False, id="no number"),
        pytest.param("province_watch", PROVINCE, "1", False, id="a province of a province"),
        pytest.param("auditor", PROVINCE, "", False, id="who watches nothing"),
    ],
)
def test_everybody_announces_for_what_is_his(given, role, scope, ref, allowed):
    for name, code in (("广州市", CITY_CODE), ("深圳市", "440300")):
        given(a_body, name, code)
    bodies = {"own": str(given(a_body).id), "other": str(given(a_body, "教育厅").id)}
    by = given(a_principal, role)
    plan = told(scope, bodies.get(ref, ref))

    if allowed:
        assert given(announced, plan, by=by).may_end
    else:
        with pytest.raises(NotFound):
            given(announced, plan, by=by)


@pytest.mark.parametrize(
    ("field", "details"),
    [
        pytest.param("title", {"title": " "}, id="no title"),
        pytest.param("text", {"text": ""}, id="no text"),
        pytest.param("minutes", {"minutes": 0}, id="no length"),
        pytest.param("minutes", {"minutes": 7 * 1440 + 1}, id="more than a week"),
        pytest.param("minutes", {"minutes": 481, "recurrence": "FREQ=DAILY"}, id="most of every day"),
        pytest.param("starts_at", {"starts_at": NOW + timedelta(days=400)}, id="another year"),
        pytest.param("starts_at", {"starts_at": NOW + timedelta(seconds=90)}, id="seconds"),
        pytest.param("recurrence", {"recurrence": "FREQ=SECONDLY"}, id="every second"),
        pytest.param("until_at", {"until_at": NOW + timedelta(days=1)}, id="an end of what does not recur"),
    ],
)
def test_what_is_wrong_is_said(given, field, details):
    with pytest.raises(Invalid) as refused:
        given(announced, told(**details))

    assert list(refused.value.fields) == [field]


def test_a_window_ended_early_counts_until_then(app, given):
    page = given(seen, "UUUU")
    by = given(a_principal, "province_watch")
    window = given(announced, told(minute=10, minutes=60), by=by)
    apply(app, 11)

    given(maintenance.end, by, window.id, None, now=at(20))
    apply(app, 21)

    with app.app_context():
        assert spans(page.id)[-2:] == [(10, 20, "maintenance"), (20, None, "unknown")]
        assert [one.action for one in audit.history("maintenance_window", window.id)] == [
            "maintenance_window.end",
            "maintenance_window.announce",
        ]


def test_it_can_be_shortened_but_its_past_cannot(given):
    by = given(a_principal, "province_watch")
    window = given(announced, told(minute=10, minutes=60), by=by)

    shorter = given(maintenance.end, by, window.id, at(30), now=at(20))

    assert shorter.now_until == at(30)
    with pytest.raises(Invalid):
        given(maintenance.end, by, window.id, at(15), now=at(20))
    with pytest.raises(Stale):
        given(maintenance.end, by, window.id, at(50), now=at(20))
    with pytest.raises(Stale):
        given(maintenance.end, by, window.id, None, now=at(31))


def test_one_of_a_series_can_be_ended_alone(app, given):
    by = given(a_principal, "province_watch")
    window = given(announced, told(minute=10, minutes=60, recurrence="FREQ=DAILY"), by=by)

    rest = given(maintenance.end_this_time, by, window.id, now=at(20))

    assert (rest.standing, rest.next_at) == ("coming", at(10) + timedelta(days=1))
    with app.app_context():
        held = holds.windows(NOW, NOW + timedelta(days=2))
        assert [(one.start, one.end) for one in held] == [
            (at(10), at(20)),
            (at(10 + 1440), at(70 + 1440)),
        ]


def test_only_what_recurs_and_is_under_way_can_be_ended_this_time(given):
    by = given(a_principal, "province_watch")
    window = given(announced, told(), by=by)

    with pytest.raises(Conflict):
        given(maintenance.end_this_time, by, window.id, now=at(20))


def test_another_departments_window_is_not_found(app, given):
    page = given(seen, "U")
    window = given(announced, told(PAGE, str(page.id)))
    stranger = given(a_principal, body=given(a_body, "教育厅"))

    with pytest.raises(NotFound):
        given(maintenance.end, stranger, window.id, None, now=NOW)
    with app.app_context():
        assert maintenance.window_list(stranger, now=NOW) == []


def test_what_is_over_stands_in_the_other_list(app, given):
    by = given(a_principal, "province_watch")
    past, coming = given(announced, told(minute=1, minutes=2)), given(announced, told(minute=30))

    with app.app_context():
        assert [one.id for one in maintenance.window_list(by, now=at(5))] == [coming.id]
        assert [one.id for one in maintenance.window_list(by, over=True, now=at(5))] == [past.id]


def test_residents_are_told_what_is_and_what_will_be(app, given):
    page = given(seen, "U")
    other = given(seen, "U", name="另一网页")
    given(announced, told(PAGE, str(page.id), minute=10))
    given(announced, told(PAGE, str(page.id), minute=100, title="再次升级"))

    with app.app_context():
        now = holds.current([page.id, other.id], at(20))
        later = holds.upcoming([page.id, other.id], at(20), timedelta(days=1))
    assert {key: (one.title, one.ends_at) for key, one in now.items()} == {page.id: ("系统升级", at(40))}
    assert {key: [one.title for one in ones] for key, ones in later.items()} == {page.id: ["再次升级"]}


def test_a_pause_counts_like_maintenance_and_tells_residents_nothing(app, given):
    page = given(seen, "UU")
    by = given(a_principal, "province_watch")

    given(maintenance.pause, by, page.id, "换服务器", at(30), now=at(5))
    apply(app, 6)
    apply(app, 31)

    with app.app_context():
        assert spans(page.id)[1:] == [(1, 5, "up"), (5, 30, "paused"), (30, None, "unknown")]
        assert holds.current([page.id], at(10)) == {}


@pytest.mark.parametrize(
    ("reason", "until"),
    [pytest.param("", at(30), id="no reason"), pytest.param("换", at(31 * 1440), id="more than thirty days")],
)
def test_a_pause_has_a_reason_and_an_end(given, reason, until):
    page = given(seen, "U")
    by = given(a_principal, "province_watch")

    with pytest.raises(Invalid):
        given(maintenance.pause, by, page.id, reason, until, now=NOW)


def test_a_pause_of_what_is_not_watched_is_not_found(given):
    with pytest.raises(NotFound):
        given(lambda: maintenance.pause(a_principal("province_watch"), 1, "换", at(30), now=NOW))


_PLANS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20), st.booleans()), min_size=1, max_size=4)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@examples(letters=st.text("UD?", min_size=10, max_size=40), plans=_PLANS, every=st.integers(1, 15))
def test_no_second_of_maintenance_counts_and_none_is_lost(app, given, letters, plans, every):
    page = given(a_watched_page)
    given(lay_out, plans, page.id)
    for first in range(0, len(letters), every):
        given(tell, looks(page.id, letters[first : first + every], minute=first + 1))
        apply(app, first + every + 0.5)
    apply(app, 70)

    with app.app_context():
        held = stored(page.id)
        assert [one.end for one in held[:-1]] == [one.start for one in held[1:]]
        for one in holds.windows(NOW, at(70), check_id=page.id, page_id=page.id):
            spent = tally(held, Window(one.start, one.end))
            assert spent.maintenance + spent.paused == one.end - one.start
    given(lambda: db.writing().query(Maintenance).delete())


def lay_out(plans, page_id):
    """Store windows as they would have been announced in time."""
    for start, minutes, paused in plans:
        condition = Condition.PAUSED if paused else Condition.MAINTENANCE
        db.writing().add(
            Maintenance(
                condition=condition,
                scope=PAGE,
                scope_ref=str(page_id),
                title="x",
                notice="x",
                starts_at=at(start),
                minutes=minutes,
                recurrence="",
                created_at=NOW,
                created_by="test",
            )
        )


def stored(page_id) -> list[Span]:
    query = select(StateSpan).where(StateSpan.check_id == page_id).order_by(StateSpan.started_at)
    return [Span(row.started_at, row.ended_at, row.condition) for row in db.session().scalars(query)]


def test_a_window_takes_no_time_away_from_before_it(app, given):
    page = given(seen, "UUUUU", every=1)
    given(announced, told(minute=6, minutes=3))
    apply(app, 20)

    with app.app_context():
        spent = tally(stored(page.id), Window(at(1), at(6)))
        assert spent.up == 5 * MINUTE
