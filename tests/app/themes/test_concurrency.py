"""Sub-cases that end in the same moment, on both databases: one right state."""

import threading

import pytest

from app.applications.service import Event
from app.core import db
from app.core.runner import Worker
from app.themes import service
from app.themes.domain import State
from tests.app.applications import builders as cases
from tests.app.themes import builders as build
from tests.builders import NOW


def side_by_side(app, *works):
    """Run each work in a thread and context of its own, all at once; return what went wrong."""
    gate, failed = threading.Barrier(len(works)), []

    def run(work):
        with app.app_context():
            gate.wait()
            try:
                work()
            except Exception as error:  # what went wrong is told in the main thread
                failed.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return failed


def end(made, item):
    """End a sub-case, and let the theme application hear of it."""
    db.transaction(lambda: cases.take_step(build.case_of(made, item), Event.COMPLETE))
    db.transaction(lambda: service.follow(made, now=NOW))


@pytest.fixture
def nearly_done(given):
    """A theme application whose last two cases are decided and about to end."""
    made = given(build.an_application)
    given(lambda: build.grant(build.case_of(made, "GS")))
    given(lambda: service.follow(made, now=NOW))
    for item in ("SW", "SP"):
        for event in (Event.ACCEPT, Event.BEGIN, Event.DECIDE):
            given(lambda item=item, event=event: cases.take_step(build.case_of(made, item), event))
    return made


def test_two_cases_that_end_at_once_leave_one_right_state(app, nearly_done):
    failed = side_by_side(app, lambda: end(nearly_done, "SW"), lambda: end(nearly_done, "SP"))

    assert failed == []
    with app.app_context():
        row = build.row_of(nearly_done)
        events = [one.event.value for one in service.my_case(row.resident_id, nearly_done).events]
        assert row.state is State.COMPLETED
        assert events == ["submit", "distribute", "all_granted"]


def test_a_prerequisite_granted_twice_over_opens_one_case(app, given):
    made = given(build.an_application)
    given(lambda: build.grant(build.case_of(made, "GS")))

    failed = side_by_side(app, *[lambda: db.transaction(lambda: service.follow(made, now=NOW))] * 4)
    Worker(app, app.extensions["hall_jobs"]).drain()

    assert failed == []
    with app.app_context():
        row = build.row_of(made)
        names = [one.item_name for one in build.cases_of(row.resident_id)]
        assert sorted(names) == ["个体工商户登记", "税务登记", "食品经营许可"]


def test_of_two_devices_that_submit_at_once_one_makes_the_cases(app, given):
    made = given(build.a_draft)
    with app.app_context():
        row = build.row_of(made)
        resident_id, version = row.resident_id, row.version

    def submit():
        db.transaction(lambda: service.submit(resident_id, made, version=version, level=1, now=NOW))

    failed = side_by_side(app, submit, submit)

    assert len(failed) == 1
    with app.app_context():
        assert len(build.cases_of(resident_id)) == 2
