"""Theme applications: opened, followed, gathered in, withdrawn."""

import pytest

from app.applications import service as applications
from app.core import db
from app.core.errors import NotFound, Stale
from app.core.runner import Worker
from app.themes import service
from app.themes.domain import State
from tests.app.applications import builders as cases
from tests.app.themes import builders as build
from tests.builders import NOW

pytestmark = [
    pytest.mark.parametrize("app", ["sqlite"], indirect=True),
    pytest.mark.usefixtures("context"),
]


def told(made):
    return db.transaction(lambda: made())


@pytest.fixture
def worker(app):
    return Worker(app, app.extensions["hall_jobs"])


def test_one_number_stands_for_all_and_only_what_waits_for_nothing_is_opened():
    made = told(build.an_application)

    row = build.row_of(made)
    assert applications.is_number(row.number)
    assert build.statuses_of(made) == {"GS": "open", "SP": "waiting", "SW": "open"}
    assert row.state is State.RUNNING


def test_a_granted_prerequisite_opens_the_next_case_with_its_result(worker):
    made = told(build.an_application)

    told(lambda: build.grant(build.case_of(made, "GS")))
    worker.drain()

    case = cases.row_of(build.case_of(made, "SP"))
    assert case.answers["licence"] == "L-1"
    assert case.materials == {"m1": "shared", "m9": "shared"}


def test_all_granted_completes_the_theme(worker):
    made = told(build.an_application)

    for item in ("GS", "SW", "SP"):
        told(lambda item=item: build.grant(build.case_of(made, item)))
        worker.drain()

    assert build.row_of(made).state is State.COMPLETED
    assert build.row_of(made).sealed == {}


def test_while_only_a_prerequisite_runs_the_theme_waits_for_it(worker):
    made = told(build.an_application)

    told(lambda: build.grant(build.case_of(made, "SW")))
    worker.drain()

    assert build.row_of(made).state is State.WAITING_PREREQUISITE


def test_a_refused_prerequisite_returns_what_waits_for_it_and_says_why(worker):
    made = told(build.an_application)
    told(lambda: build.grant(build.case_of(made, "SW")))
    worker.drain()

    told(lambda: build.refuse(build.case_of(made, "GS")))
    worker.drain()

    assert build.row_of(made).state is State.PARTLY_COMPLETED
    assert build.statuses_of(made) == {"GS": "refused", "SP": "returned", "SW": "granted"}
    assert "个体工商户登记" in build.part_of(made, "SP").reason


def test_a_refusal_does_not_stop_what_does_not_wait_for_it(worker):
    made = told(build.an_application)

    told(lambda: build.refuse(build.case_of(made, "GS")))
    worker.drain()

    assert build.row_of(made).state is State.RUNNING
    assert build.statuses_of(made)["SW"] == "open"


def test_a_case_that_is_referred_up_is_followed_there(worker):
    build_items = told(lambda: (build.the_items(), build.the_items(body="广州市", region="440100")))
    assert build_items
    theme = told(build.a_theme)
    made = told(lambda: build.a_draft(theme, region="440100"))
    row = build.row_of(made)
    told(lambda: service.submit(row.resident_id, made, version=row.version, level=1, now=NOW))
    old = build.case_of(made, "SW")
    for event in (applications.Event.ACCEPT, applications.Event.BEGIN, applications.Event.REFER_UP):
        told(lambda event=event: cases.take_step(old, event))
    worker.drain()

    above = applications.standings([old])[old].id
    told(lambda: build.grant(above))
    worker.drain()

    assert above != old
    assert build.statuses_of(made)["SW"] == "granted"


def test_withdrawal_ends_each_case_and_what_waited():
    made = told(build.an_application)
    row = build.row_of(made)

    told(lambda: service.withdraw(row.resident_id, made, version=row.version, now=NOW))

    assert build.row_of(made).state is State.WITHDRAWN
    assert set(build.statuses_of(made).values()) == {"withdrawn"}
    assert cases.row_of(build.case_of(made, "GS")).state is applications.State.WITHDRAWN


def test_what_is_decided_stays_decided_when_the_rest_is_withdrawn(worker):
    made = told(build.an_application)
    for event in (applications.Event.ACCEPT, applications.Event.BEGIN, applications.Event.DECIDE):
        told(lambda event=event: cases.take_step(build.case_of(made, "GS"), event))
    worker.drain()
    row = build.row_of(made)

    told(lambda: service.withdraw(row.resident_id, made, version=row.version, now=NOW))

    assert cases.row_of(build.case_of(made, "GS")).state is applications.State.DECIDED
    assert "个体工商户登记" in service.my_case(row.resident_id, made).events[-1].text


def test_an_event_that_comes_again_changes_nothing(worker):
    made = told(build.an_application)
    told(lambda: build.grant(build.case_of(made, "GS")))
    worker.drain()
    before = service.my_case(build.row_of(made).resident_id, made)

    for _ in range(3):
        told(lambda: service.follow(made, now=NOW))

    assert service.my_case(before_owner(made), made) == before


def before_owner(made):
    return build.row_of(made).resident_id


def test_each_body_gets_the_fields_of_its_own_form_only():
    made = told(build.an_application)

    case = cases.row_of(build.case_of(made, "SW"))

    assert set(case.answers) | set(case.sealed) == {"name", "shop", "tax_kind"}


def test_somebody_elses_application_does_not_exist():
    made, stranger = told(build.an_application), told(cases.a_resident)

    with pytest.raises(NotFound):
        service.my_case(stranger, made)
    with pytest.raises(NotFound):
        told(lambda: service.withdraw(stranger, made, version=1, now=NOW))


def test_a_second_submission_of_the_same_page_is_refused_and_makes_nothing():
    made = told(build.a_draft)
    row = build.row_of(made)
    told(lambda: service.submit(row.resident_id, made, version=row.version, level=1, now=NOW))

    with pytest.raises((Stale, service.MoveNotAllowed)):
        told(lambda: service.submit(row.resident_id, made, version=row.version, level=1, now=NOW))

    assert len(service.mine(row.resident_id).items) == 1
    assert len(applications.mine(row.resident_id).items) == 2
