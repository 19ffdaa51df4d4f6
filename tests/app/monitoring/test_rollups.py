"""Hours and days from stored rows: clipped spans, late looks, retracted outages, days of standing still."""

from datetime import datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as examples
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.core import db
from app.mobile_access import service as mobile_access
from app.monitoring import marks, reckoning, rollup_rows, rollups, service
from app.monitoring.history_models import Rollup, RollupCorrection, RollupTouch, Scope
from app.monitoring.history_models import Span as Length
from app.monitoring.marks import Mark
from app.monitoring.reckoning import paces
from mobile_pages.probe.base import Condition
from mobile_pages.probe.bucket import Bucket
from mobile_pages.probe.outage import Outage
from tests.app.monitoring.builders import (
    TERMS,
    a_watched_page,
    at,
    looks,
    nothing_rolled_up,
    seen,
    take_list,
    tell,
)
from tests.builders import NOW, a_body

HOUR = timedelta(hours=1)
DAY_START = datetime.fromisoformat("2026-03-01T16:00:00+00:00")
PACE = paces(TERMS)
NUMBERS = count()


def roll(app, minute: float) -> rollups.Done:
    with app.app_context():
        return rollups.roll_up(at(minute), PACE)


def hour(page, start: datetime = NOW) -> Bucket | None:
    row = rollup_rows.check_rows(Length.HOUR, start, [page.id]).get(page.id)
    return row and row.bucket


def day(page) -> Bucket | None:
    row = rollup_rows.check_rows(Length.DAY, DAY_START, [page.id]).get(page.id)
    return row and row.bucket


def corrections() -> list[RollupCorrection]:
    return list(db.session().scalars(select(RollupCorrection).order_by(RollupCorrection.scope)))


def test_an_hour_says_how_long_each_condition_held_and_what_looks_measured(app, given):
    page = given(seen, "U" * 20 + "DDDDDD" + "U" * 40)

    roll(app, 66)

    with app.app_context():
        bucket = hour(page)
        assert (bucket.unknown_s, bucket.down_s, bucket.up_s) == (60, 6 * 60, 53 * 60)
        assert (bucket.looks, bucket.failures, bucket.visits, bucket.visit_failures) == (59, 6, 59, 6)
        assert bucket.phases.total == pytest.approx(50)
        assert bucket.histogram.quantile(0.95) == pytest.approx(50, rel=0.02)


def test_an_hour_that_has_not_settled_waits(app, given):
    page = given(seen, "U" * 64)

    roll(app, 64)

    with app.app_context():
        assert hour(page) is None


def test_a_span_still_open_is_believed_as_long_as_its_last_look_is_fresh(app, given):
    page = given(seen, "U" * 30)

    roll(app, 66)

    with app.app_context():
        assert hour(page).up_s == 32 * 60
        assert hour(page).unknown_s == 28 * 60


def test_rolling_up_twice_changes_nothing(app, given):
    given(seen, "UUUDDDUUU" * 20)
    roll(app, 190)

    again = roll(app, 190)

    with app.app_context():
        assert (again.hours, again.days, again.corrected) == (0, 0, 0)
        assert corrections() == []
        assert set(db.session().scalars(select(Rollup.revision))) == {1}


def test_days_of_standing_still_are_caught_up_with_as_unknown(app, given):
    page = given(seen, "U" * 60)

    done = roll(app, 3 * 24 * 60)

    with app.app_context():
        assert (done.hours, done.days) == (71, 3)
        assert day(page).tally.wall == timedelta(hours=15)
        assert day(page).unknown_s > 13 * 3600


def test_catching_up_can_stop_anywhere_and_go_on(app, given):
    given(seen, "U" * 60)
    rounds = iter([False, False, True] + [True] * 9)
    with app.app_context():
        first = rollups.roll_up(at(300), PACE, lambda: next(rounds))

    rest = roll(app, 300)

    assert (first.hours, first.finished) == (2, False)
    assert (rest.hours, rest.finished) == (2, True)


def test_a_late_look_corrects_its_hour_for_all_to_see(app, given):
    page = given(seen, "U" * 30)
    roll(app, 66)

    given(tell, looks(page.id, "U" * 40, minute=31))
    roll(app, 80)

    with app.app_context():
        assert (hour(page).up_s, hour(page).looks) == (59 * 60, 59)
        told = {one.scope: (one.before["looks"], one.after["looks"], one.reason) for one in corrections()}
        assert told == dict.fromkeys(("k", "b", "p"), (30, 59, "late_look"))
        assert db.session().scalar(select(func.count()).select_from(RollupTouch)) == 0


def test_a_look_told_twice_after_the_roll_up_corrects_nothing(app, given):
    page = given(seen, "U" * 70)
    roll(app, 70)

    given(tell, looks(page.id, "U" * 70))
    roll(app, 71)

    with app.app_context():
        assert corrections() == []


def test_an_outage_taken_back_later_leaves_the_hour_and_the_day(app, given):
    page = given(seen, "U" * 20 + "D" * 100)
    roll(app, 24 * 60)
    with app.app_context():
        assert (hour(page).down_s, day(page).down_s > 39 * 60) == (39 * 60, True)

    given(service.void_outage, Outage(at(20.5), at(121), over=False), [page.id], TERMS)
    roll(app, 24 * 60)

    with app.app_context():
        assert (hour(page).down_s, day(page).down_s) == (0, 0)
        assert {one.reason for one in corrections()} == {"voided"}
        assert {(one.span, one.scope) for one in corrections()} == {
            (length, scope) for length in "hd" for scope in "kbp"
        }


def test_a_page_that_begins_within_the_hour_counts_from_then_on(app, given):
    page = given(a_watched_page, now=at(45))

    roll(app, 66)

    with app.app_context():
        assert hour(page).tally.wall == timedelta(minutes=15)


def test_a_page_taken_offline_has_no_hours_any_more(app, given):
    page = given(seen, "U" * 61)
    given(mobile_access.probe_failed, page.id, at(62), "timeout")
    given(mobile_access.end_outage, page.id, at(62), now=at(200))
    given(take_list, at(62))

    roll(app, 190)

    with app.app_context():
        assert hour(page, at(60)).paused_s == 58 * 60
        assert hour(page, at(120)) is None


def test_bodies_cities_and_the_province_add_up_their_pages(app, given):
    city = given(a_body, "广州市", "440100")
    given(seen, "U" * 60)
    given(seen, "D" * 60, body=city, url="https://gz.gd.gov.cn/m/")

    roll(app, 66)

    with app.app_context():
        province = rollup_rows.group_rows(Length.HOUR, Scope.PROVINCE, NOW)[""]
        guangzhou = rollup_rows.group_rows(Length.HOUR, Scope.CITY, NOW)
        assert (province.pages, province.bucket.up_s, province.bucket.down_s) == (2, 59 * 60, 59 * 60)
        assert {ref: row.bucket.down_s for ref, row in guangzhou.items()} == {"440100": 59 * 60}
        assert len(rollup_rows.group_rows(Length.HOUR, Scope.BODY, NOW)) == 2


def test_looks_of_days_already_forgotten_change_nothing(app, given):
    page = given(seen, "U" * 60)
    roll(app, 66)
    given(marks.put, Mark.SAMPLES, at(60))

    given(tell, looks(page.id, "D" * 5, minute=30.5))
    roll(app, 67)

    with app.app_context():
        assert (hour(page).looks, corrections()) == (59, [])


def test_what_was_measured_outlives_its_looks_when_the_state_is_corrected(app, given):
    page = given(seen, "U" * 20 + "D" * 100)
    roll(app, 130)
    given(marks.put, Mark.SAMPLES, at(60))

    given(service.void_outage, Outage(at(20.5), at(121), over=False), [page.id], TERMS)
    roll(app, 131)

    with app.app_context():
        assert (hour(page).down_s, hour(page).looks, hour(page).failures) == (0, 59, 39)


def test_old_hours_go_and_days_stay(app, given):
    page = given(seen, "U" * 60)
    roll(app, 24 * 60)

    while given(rollups.forget_hours, at(24 * 60)):
        pass

    with app.app_context():
        assert hour(page) is None
        assert day(page) is not None


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@examples(letters=st.text("USD?", min_size=1, max_size=16), cut=st.integers(0, 16), rolled=st.booleans())
def test_however_looks_arrive_the_hours_say_the_same(app, given, letters, cut, rolled):
    given(nothing_rolled_up)
    early = given(a_watched_page, url=f"https://early{next(NUMBERS)}.gd.gov.cn/m/")
    late = given(a_watched_page, url=f"https://late{early.id}.gd.gov.cn/m/")
    given(tell, looks(early.id, letters, every=9))
    given(tell, looks(late.id, letters[:cut], every=9))

    if rolled:
        roll(app, 200)
    given(tell, looks(late.id, letters, every=9))
    roll(app, 200)

    with app.app_context():
        starts = [NOW + n * HOUR for n in range(3)]
        said = [hour(early, start) for start in starts]
        assert None not in said
        assert [hour(late, start) for start in starts] == said


def test_the_same_condition_under_another_name_is_no_difference():
    before = [marks.Span(at(0), None, Condition.UP)]
    after = [marks.Span(at(0), at(5), Condition.UP), marks.Span(at(5), None, Condition.UP, "again")]

    assert marks.first_difference(before, after) is None
    assert marks.first_difference(before, [*before, marks.Span(at(7), None, Condition.DOWN)]) == at(7)


def test_an_interval_of_its_own_makes_a_look_stand_longer_and_visits_rarer():
    assert PACE(1, None) == reckoning.Pace(timedelta(minutes=3), 60)
    assert PACE(1, 3600) == reckoning.Pace(timedelta(hours=3), 3600)
    assert PACE(1, 86_400).slot_s == 3600
