"""Weekly rechecks spread over the week, and what a daily look takes for a change."""

from datetime import timedelta

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from app.core import db
from app.mobile_access import jobs, service
from app.mobile_access.drift import DAY, WEEK, Look, changes_between, last_moment
from app.mobile_access.looking import look_at
from app.mobile_access.models import CheckRun
from app.mobile_access.service import CheckKind
from tests.app.mobile_access.builders import a_page, finish_check
from tests.app.mobile_access.judged import an_online_page
from tests.app.mobile_access.test_checks import reachable  # noqa: F401
from tests.builders import NOW
from tests.mobile_pages.servers import html, serving
from tests.mobile_pages.spec.builders import a_fetch

instants = st.integers(0, 10 * 365 * 86400).map(lambda seconds: NOW + timedelta(seconds=seconds))
PAGE = "<!doctype html><title>{title}</title><body><ul>{rows}</ul><a href='{link}'>办理</a>{more}"


def a_look(title="户政", rows=3, link="/x", more=""):
    row = "<li><a href='/n'>通知</a></li>"
    body = PAGE.format(title=title, rows=row * rows, link=link, more=more)
    return look_at(a_fetch(body))


@examples(st.integers(1, 2**63 - 1), instants, st.sampled_from([DAY, WEEK]))
def test_a_pages_moment_lies_in_the_period_before_now_and_stays_the_same(page_id, now, period):
    moment = last_moment(page_id, period, now)

    assert now - period < moment <= now
    assert last_moment(page_id, period, moment) == moment
    assert last_moment(page_id, period, moment + period) == moment + period


def test_the_moments_of_many_pages_are_spread_over_the_week():
    days = {last_moment(page_id, WEEK, NOW).weekday() for page_id in range(200)}

    assert days == set(range(7))


def test_an_online_page_is_asked_for_once_a_week(app, given):
    page = an_online_page(app, given)
    asked = []
    for at in range(22):
        now = NOW + at * DAY
        with app.app_context():
            due = service.due_rechecks(now=now)
        for one in due:
            given(service.ask_weekly_recheck, one, now=now)
            given(service.ask_weekly_recheck, one, now=now)
            given(finish_check, page.id, now=now)
            asked.append(at)

    assert len(asked) == 3
    assert {later - earlier for earlier, later in zip(asked, asked[1:], strict=False)} == {7}


def test_weeks_without_a_worker_are_made_up_for_with_one_check(app, given):
    page = an_online_page(app, given)

    with app.app_context():
        due = service.due_rechecks(now=NOW + 60 * DAY)

    assert [one.page_id for one in due] == [page.id]


def test_pages_that_nobody_uses_are_not_asked_for(app, given):
    given(a_page)

    with app.app_context():
        assert service.due_rechecks(now=NOW + 8 * DAY) == []
        assert service.due_looks(now=NOW + 8 * DAY) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param({"title": "彩票"}, "标题", id="another title"),
        pytest.param({"link": "https://evil.example.com/x"}, "evil.example.com", id="another domain"),
        pytest.param({"more": "<form><table><tr><td><input name=q></form>" * 3}, "结构", id="another build"),
    ],
)
def test_a_change_is_told_in_words(changed, said):
    told = changes_between(a_look(), a_look(**changed))

    assert said in told[0]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"rows": 40}, id="a longer list"),
        pytest.param({"link": "/elsewhere"}, id="another address of its own"),
    ],
)
def test_what_changes_every_day_is_no_change(changed):
    assert changes_between(a_look(), a_look(**changed)) == []


@examples(st.text(max_size=300))
def test_whatever_the_page_holds_a_look_is_the_same_twice(text):
    first, second = (look_at(a_fetch(f"<!doctype html>{text}")) for _ in range(2))

    assert changes_between(first, second) == []


def test_no_page_is_no_look():
    assert look_at(a_fetch("x", status=503)) is None


def kinds_of(app, page):
    with app.app_context():
        query = db.session().query(CheckRun).filter_by(page_id=page.id).order_by(CheckRun.number)
        return [(run.kind, run.because) for run in query]


def test_a_change_asks_for_a_full_recheck_that_says_why(app, given):
    page = an_online_page(app, given)
    given(service.note_look, page.id, a_look(), now=NOW)

    given(service.note_look, page.id, a_look(title="彩票"), now=NOW + DAY)
    given(service.note_look, page.id, a_look(title="彩票"), now=NOW + 2 * DAY)

    assert kinds_of(app, page)[1:] == [(CheckKind.DRIFT, "标题由“户政”变为“彩票”")]


def test_a_look_that_saw_nothing_forgets_nothing(app, given):
    page = an_online_page(app, given)
    given(service.note_look, page.id, a_look(), now=NOW)
    given(service.note_missed_look, page.id, now=NOW + DAY)

    changes = given(service.note_look, page.id, Look("彩票", (), ()), now=NOW + 2 * DAY)

    assert changes[0].startswith("标题由“户政”")


def test_the_daily_job_looks_at_real_pages(app, given, reachable):  # noqa: F811
    title = ["户政"]
    with serving({"/": lambda handler: html(f"<!doctype html><title>{title[0]}</title>")(handler)}) as base:
        reachable(base)
        page = an_online_page(app, given, url=f"{base}/")
        with app.app_context():
            for _ in range(2):
                jobs.look_at_page({"page_id": str(page.id), "url": page.url})
                title[0] = "已被替换"

    assert kinds_of(app, page)[1][1] == "标题由“户政”变为“已被替换”"


def test_looks_are_asked_for_once_a_day_and_page(app, given):
    an_online_page(app, given, now=NOW - timedelta(days=2))

    with app.app_context():
        for _ in range(2):
            jobs.ask_looks({})

    with app.app_context():
        rows = db.session().execute(db.Model.metadata.tables["job"].select()).all()
    assert [row.name for row in rows].count(jobs.LOOK_JOB) == 1
