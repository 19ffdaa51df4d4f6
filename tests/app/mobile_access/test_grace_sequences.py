"""Whatever checks say and whenever they come, a page leaves residents exactly when its grace time is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import given as examples
from hypothesis import strategies as st
from sqlalchemy import select

from app.core import db
from app.mobile_access import service
from app.mobile_access.domain import DRIFT_GRACE
from app.mobile_access.models import CheckRun
from app.mobile_access.service import CheckKind, CheckVerdict, State
from tests.app.mobile_access.builders import finish_check
from tests.app.mobile_access.judged import a_result, a_reviewer, an_online_page
from tests.builders import NOW

GRACE_DAYS = 30  # of the version that comes with the release
steps = st.lists(
    st.tuples(
        st.integers(0, 40),  # hours since the step before, in units of six
        st.sampled_from([CheckKind.WEEKLY, CheckKind.DRIFT, CheckKind.GRACE, CheckKind.SPEC]),
        st.sampled_from(CheckVerdict),
        st.sampled_from(CheckVerdict),  # what the second visit finds, where there is one
    ),
    max_size=7,
)


@dataclass
class Expected:
    """What must be true, worked out without the code under test."""

    served: bool = True
    until: datetime | None = None

    def step(self, kind: CheckKind, verdict: CheckVerdict, again: CheckVerdict, now: datetime) -> None:
        if verdict is CheckVerdict.PASS:
            self.until = None
        elif verdict is CheckVerdict.FAIL and self.until is None:
            if kind is CheckKind.SPEC:
                self.until = now + timedelta(days=GRACE_DAYS)
            elif again is CheckVerdict.FAIL:
                self.until = now + DRIFT_GRACE
        elif verdict is CheckVerdict.FAIL and now >= self.until and kind is not CheckKind.SPEC:
            self.served, self.until = False, None


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@examples(steps)
def test_a_page_is_served_just_as_long_as_it_may_be(app, given, story):
    page = an_online_page(app, given)
    results = {verdict: a_result(app, *failing(verdict)) for verdict in CheckVerdict}
    expected, now = Expected(), NOW + timedelta(hours=1)
    for units, kind, verdict, again in story:
        now += timedelta(hours=6 * units)
        run_the_check(given, page, kind, verdict, results, now)
        second = waiting(app, page)
        if second is not None:
            finish(given, page, second, again, results, now)
        expected.step(kind, verdict, again, now)
        assert (seen(app, given, page), due(app, page)) == (expected.served, expected.until)
        if not expected.served:
            break


def failing(verdict):
    return ("MAS-TRN-01",) if verdict is CheckVerdict.FAIL else ()


def run_the_check(given, page, kind, verdict, results, now):
    run = given(service.ask_recheck, page.id, kind, occasion=None, because="", actor="system", now=now)
    finish(given, page, run, verdict, results, now)


def finish(given, page, run, verdict, results, now):
    if verdict is CheckVerdict.UNDECIDED:
        given(finish_check, page.id, verdict, now=now - timedelta(seconds=5))
    else:
        given(service.record_check, run, results[verdict], now=now)


def waiting(app, page):
    with app.app_context():
        return db.session().scalar(
            select(CheckRun.id).where(CheckRun.page_id == page.id, CheckRun.finished_at.is_(None))
        )


def seen(app, given, page):
    reviewer = given(a_reviewer)
    with app.app_context():
        found = service.get(reviewer, page.id)
    assert found.state is (State.ONLINE if found.served else State.FAILED)
    return found.served


def due(app, page):
    with app.app_context():
        grace = service.open_grace(page.id)
    return None if grace is None else grace.until_at
