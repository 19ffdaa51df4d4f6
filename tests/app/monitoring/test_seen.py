"""What the watch tells the rules that judge a page over time."""

from __future__ import annotations

from datetime import timedelta

from app.core.installation import seen_of
from app.mobile_access import service as mobile_access
from app.mobile_access.service import State
from app.monitoring.seen import seen_until
from tests.app.mobile_access.builders import a_page
from tests.app.monitoring import builders as watch
from tests.builders import NOW


def test_a_page_nobody_watched_yet_has_no_figures(app, given):
    page = given(a_page, state=State.ONLINE)

    with app.app_context():
        assert seen_of(page.id) is None
        assert mobile_access.with_rechecks(page.id, None, now=NOW) is None


def test_looks_and_outages_are_counted(app, given):
    page = given(watch.seen, "UUDDDDUUU")

    with app.app_context():
        told = seen_until(page.id, watch.at(20))

    assert (told.visits, told.failures, told.outages, told.window_days) == (9, 4, 1, 0)


def test_only_whole_days_count_for_the_day_with_the_fewest_looks(app, given):
    page = given(watch.seen, "U" * 30, every=60)

    with app.app_context():
        told = seen_until(page.id, NOW + timedelta(days=2))

    assert told.window_days == 2
    assert told.fewest_daily_visits == 15


def test_the_last_full_check_is_dated(app, given):
    page = given(watch.seen, "UUU")

    with app.app_context():
        told = mobile_access.with_rechecks(page.id, seen_until(page.id, watch.at(5)), now=watch.at(5))

    assert told.changes == told.changes_rechecked == 0
    assert told.days_since_full_check is None
