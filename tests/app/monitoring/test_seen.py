"""What the watch tells the rules that judge a page over time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from app.core import db
from app.core.installation import seen_of
from app.mobile_access import service as mobile_access
from app.mobile_access.service import State
from app.monitoring import checks, service
from app.monitoring.domain import CheckKind
from app.monitoring.models import Watch
from app.monitoring.policy import terms_of_bodies
from app.monitoring.seen import seen_until
from app.monitoring.watching import keep, state_of
from mobile_pages.probe.base import Condition, Phases
from mobile_pages.probe.state import hold
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


def with_health(letters, health_letters, *, slow=()):
    """Look at a page and at its health address, once a minute each; ``slow`` are those of its looks."""
    page = a_page(state=State.ONLINE, health_url="https://sb.example.cn/health")
    pages = mobile_access.watched_pages()
    checks.keep_health_checks(pages, now=NOW)
    found = checks.targets(pages, terms_of_bodies(NOW))
    further = [one for one in found if one.kind is CheckKind.HEALTH]
    service.take_list(pages, watch.TERMS, now=NOW, further=further)
    watch.tell(watch.looks(page.id, letters))
    answers = watch.looks(further[0].check_id, health_letters)
    late = Phases(first_byte_ms=3500)
    watch.tell([replace(one, phases=late) if n in slow else one for n, one in enumerate(answers)])
    return page


def told_of(app, page, minute=20):
    with app.app_context():
        return seen_until(page.id, watch.at(minute))


def test_a_health_address_that_fails_with_its_page_has_told_of_the_outage(app, given):
    page = given(with_health, "UUDDDDUU", "UUUDDUUU")

    told = told_of(app, page)

    assert (told.health_visits, told.health_failures, told.outages, told.outages_told) == (8, 2, 1, 1)


def test_a_health_address_that_is_always_well_has_not(app, given):
    page = given(with_health, "UUDDDDUU", "UUUUUUUU", slow=(1, 2))

    told = told_of(app, page)

    assert (told.health_failures, told.health_slow, told.outages_told) == (0, 2, 0)


def test_an_outage_of_the_health_address_is_none_of_the_page(app, given):
    page = given(with_health, "UUUUUUUU", "UUDDDDUU")

    assert told_of(app, page).outages == 0


def test_what_a_page_shows_in_maintenance_is_counted(app, given):
    page = given(watch.seen, "UU")
    given(hold_page, page.id)
    looks = watch.looks(page.id, "DDU", minute=4)
    given(watch.tell, [replace(looks[0], cause="maintenance_page"), *looks[1:]])

    told = told_of(app, page)

    assert (told.maintenance_visits, told.maintenance_told) == (2, 1)


def hold_page(page_id):
    row = db.writing().get(Watch, page_id)
    before = state_of(row)
    keep(row, before, hold(before, watch.at(3), Condition.MAINTENANCE))
