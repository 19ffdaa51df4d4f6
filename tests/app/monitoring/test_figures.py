"""Figures from roll-ups and the running time: the same as from the spans themselves, told with coverage."""

from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as examples
from hypothesis import strategies as st
from sqlalchemy import select

from app.core import clock, db
from app.monitoring import figures, rollups
from app.monitoring.history_models import Scope
from app.monitoring.models import StateSpan
from app.monitoring.reckoning import Pace, paces
from mobile_pages.probe.base import Span
from mobile_pages.probe.uptime import OfficialVerdict, Window, tally
from tests.app.monitoring.builders import TERMS, at, looks, nothing_rolled_up, seen, tell
from tests.builders import NOW, a_body

DAY = 24 * 60
PACE = paces(TERMS)
SECOND = timedelta(seconds=1)
NUMBERS = count()


def roll(app, minute: float) -> None:
    with app.app_context():
        rollups.roll_up(at(minute), PACE)


def from_spans(page, minute: float):
    rows = db.session().scalars(select(StateSpan).where(StateSpan.check_id == page.id))
    spans = [Span(row.started_at, row.ended_at or at(minute), row.condition) for row in rows]
    return tally(spans, Window(NOW, at(minute)))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@examples(
    letters=st.text("USD?", min_size=1, max_size=12), rolled=st.integers(0, 300), more=st.integers(0, 299)
)
def test_figures_are_those_of_the_spans_however_much_is_rolled_up(app, given, letters, rolled, more):
    given(nothing_rolled_up)
    start = figures.window(1, NOW).start
    page = given(seen, letters, every=0.73, url=f"https://p{next(NUMBERS)}.gd.gov.cn/m/")
    given(tell, looks(page.id, "U" * (300 + more), minute=len(letters) * 0.73 + 1.37))
    end = 298 + more
    roll(app, rolled)

    with app.app_context():
        shown = figures.page(page.id, 1, TERMS, at(end)).whole.tally
        exact = from_spans(page, end)
        grouped = figures.by_body(Window(start, at(end)), PACE, [page.body_id])[page.body_id]
    for name in ("up", "degraded", "down", "unknown"):
        assert abs(getattr(shown, name) - getattr(exact, name)) <= 30 * SECOND
    assert shown.wall == pytest.approx(exact.wall, abs=SECOND)
    assert grouped.tally.wall >= shown.wall - SECOND


def test_a_group_pools_seconds_and_says_how_much_it_knows(app, given):
    given(seen, "U" * 60)
    given(seen, "D" * 30, body=given(a_body, "广州市", "440100"), url="https://gz.gd.gov.cn/m/")
    roll(app, 90)

    with app.app_context():
        whole = figures.province(figures.window(7, at(90)), PACE, times=True)
        city = figures.by_city(figures.window(7, at(90)), PACE)
    assert (whole.pages, set(city)) == (2, {"440100"})
    assert whole.tally.down == city["440100"].tally.down == timedelta(minutes=32)
    assert whole.tally.up == timedelta(minutes=62)
    assert whole.availability_rate == pytest.approx(62 / 94)
    assert whole.coverage_rate == pytest.approx(94 / 180)
    assert whole.quantile_ms(0.95) == pytest.approx(50, rel=0.02)


@pytest.mark.parametrize("rolled", [0, 66, 3 * DAY])
def test_the_running_part_can_be_shared_however_far_the_roll_up_has_come(app, given, rolled):
    given(seen, "U" * 90, every=30)
    roll(app, rolled)

    with app.app_context():
        running = figures.lately(PACE, at(3 * DAY))
        for days in (1, 30):
            asked = figures.window(days, at(3 * DAY))
            alone, shared = figures.province(asked, PACE), figures.province(asked, PACE, running=running)
            assert alone == shared
            assert alone.tally.wall == asked.end - max(asked.start, NOW)


def test_times_not_asked_for_are_not_told(app, given):
    given(seen, "U" * 60)
    roll(app, 90)

    with app.app_context():
        assert figures.province(figures.window(1, at(90)), PACE).quantile_ms(0.95) is None


def test_bodies_with_rarer_looks_are_believed_longer(app, given):
    page = given(seen, "U" * 10)

    def slow(body_id, _interval):
        return Pace(timedelta(hours=1), 600) if body_id == page.body_id else PACE(body_id, None)

    with app.app_context():
        known = figures.by_body(figures.window(1, at(40)), slow)[page.body_id].tally.known
    assert known == timedelta(minutes=39)


def test_a_pages_past_has_a_cell_a_day_and_a_point_an_hour(app, given):
    page = given(seen, "U" * 60 + "D" * 30, every=30)
    roll(app, 2 * DAY)

    with app.app_context():
        past = figures.page(page.id, 4, TERMS, at(2 * DAY), hours=48)
    assert [cell.day for cell in past.days] == [date(2026, 3, day) for day in (1, 2, 3, 4)]
    assert past.days[0].figure is None
    assert past.days[1].figure.availability_rate == 1.0
    assert past.days[3].figure.tally.down == timedelta(minutes=36)
    assert len(past.hours) == 48
    assert past.hours[5].p95_ms == pytest.approx(50, rel=0.02)
    assert past.whole.phases.first_byte == pytest.approx(30)
    assert past.whole.tally.wall == timedelta(days=2)


def test_a_page_never_watched_has_no_past(app, tables):
    with app.app_context():
        assert figures.page(5, 90, TERMS, NOW).days == []
        assert figures.official(5, TERMS, NOW).verdict is OfficialVerdict.TOO_FEW_VISITS


def test_the_heat_has_a_row_of_whole_days_for_each_city(app, given):
    given(seen, "U" * 200, every=15, body=given(a_body, "广州市", "440100"))
    roll(app, 2 * DAY)

    with app.app_context():
        rows = figures.heat(Scope.CITY, 3, at(2 * DAY))
        other = figures.heat(Scope.CITY, 3, at(2 * DAY), ["440300"])
    (strip,) = rows.values()
    assert [cell.day for cell in strip] == [date(2026, 3, 2), date(2026, 3, 3)]
    assert strip[1].figure.availability_rate == 1.0
    assert (set(rows), other) == ({"440100"}, {})


@pytest.mark.parametrize("rolled", [False, True])
def test_the_inspections_figure_is_the_same_before_and_after_the_roll_up(app, given, rolled):
    page = given(seen, "U" * 90 + "D" * 10 + "U" * 20, every=20)
    if rolled:
        roll(app, 40 * 60)

    with app.app_context():
        figure = figures.official(page.id, TERMS, at(40 * 60))
    assert (figure.visit_count, figure.failure_count) == (120, 10)
    assert figure.thin_days == tuple(clock.day_of(NOW) + timedelta(days=n) for n in range(-4, 0))
