"""Whom an incident reaches, and when: contact at once, body and province by the working-time clock."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select

from app.alerts.models import AlertRow
from app.core import audit, db
from app.core.clock import HALL_TIME
from app.mobile_access import service as mobile_access
from app.monitoring import escalation, service
from app.monitoring.domain import EventKind, IncidentState
from app.monitoring.models import Incident, IncidentEvent
from tests.app.monitoring.builders import a_watched_page, at, looks, seen, tell
from tests.app.monitoring.test_grouping import groups, pages_down, tend
from tests.builders import a_body, a_principal

MINUTES = (0, 30, 120)


def an_incident(text, *, level=0, state=IncidentState.OPEN):
    opened_at = datetime.fromisoformat(text).replace(tzinfo=HALL_TIME)
    return Incident(opened_at=opened_at, escalation_level=level, state=state)


def hall(text):
    return datetime.fromisoformat(text).replace(tzinfo=HALL_TIME)


@pytest.mark.parametrize(
    ("incident", "due"),
    [
        pytest.param(an_incident("2026-09-30T23:00"), "2026-09-30T23:00:20", id="contact at night"),
        pytest.param(an_incident("2026-03-02T09:00", level=1), "2026-03-02T09:30", id="body"),
        pytest.param(an_incident("2026-03-02T09:00", level=2), "2026-03-02T11:00", id="province"),
        pytest.param(
            an_incident("2026-09-30T17:20", level=1), "2026-10-08T08:50", id="body after the National Day"
        ),
        pytest.param(
            an_incident("2026-02-14T17:00", level=2), "2026-02-24T10:00", id="province after Spring Festival"
        ),
        pytest.param(
            an_incident("2026-03-02T09:00", level=1, state=IncidentState.ACKNOWLEDGED),
            "2026-03-03T09:00",
            id="acknowledged but a day of work long",
        ),
    ],
)
def test_escalation_waits_for_working_time(incident, due):
    assert escalation.due_at(incident, MINUTES) == hall(due)


@pytest.mark.parametrize(
    "incident",
    [
        pytest.param(an_incident("2026-03-02T09:00", level=3), id="nobody is left"),
        pytest.param(an_incident("2026-03-02T09:00", state=IncidentState.RESOLVED), id="it is over"),
    ],
)
def test_nobody_else_is_told(incident):
    assert escalation.due_at(incident, MINUTES) is None


def alerts():
    query = select(AlertRow).order_by(AlertRow.at, AlertRow.audience)
    return [(row.topic, row.audience, row.body_id) for row in db.session().scalars(query)]


def of(page):
    return db.session().scalar(select(Incident).where(Incident.page_id == page.id))


def kinds(page):
    query = select(IncidentEvent.kind).where(IncidentEvent.incident_id == of(page).id)
    return list(db.session().scalars(query.order_by(IncidentEvent.at, IncidentEvent.id)))


def test_an_incident_climbs_from_contact_to_body_to_province(app, given):
    page = given(seen, "UDDD")

    for minute in (5, 33, 34.1, 123, 124.1, 500):
        given(tend, minute)

    with app.app_context():
        told = [(topic, audience) for topic, audience, _ in alerts()]
        assert told == [("incident.opened", 1), ("incident.escalated", 2), ("incident.escalated", 3)]
        assert sorted(kinds(page)) == ["escalated", "escalated", "notified", "opened"]
        lines = [line.action for line in audit.history("incident", of(page).id)]
        assert lines == ["incident.escalate", "incident.escalate", "incident.open"]


def test_acknowledging_spares_the_body_and_not_the_province(app, given):
    page = given(seen, "UDDD")
    given(tend, 5)
    who = given(a_principal, "department_operator")
    given(service.acknowledge, who, given(of, page).id, now=at(10))

    given(tend, 10)
    given(tend, 60)
    given(tend, 24 * 60 + 10)

    with app.app_context():
        assert [audience for _, audience, _ in alerts()] == [1, 3]


def test_whoever_heard_of_an_outage_hears_of_its_end(app, given):
    page = given(seen, "UDDD")
    given(tend, 5)

    given(tell, looks(page.id, "UU", minute=6))

    with app.app_context():
        assert [topic for topic, *_ in alerts()] == ["incident.opened", "incident.resolved"]


def test_an_outage_over_before_anybody_heard_of_it_tells_nobody(app, given):
    given(seen, "UDDDUU")

    given(tend, 60)

    with app.app_context():
        assert alerts() == []


def test_a_group_tells_each_body_once_of_its_own_pages_and_the_province(app, given):
    bodies = [given(a_body, *place) for place in (("广州市", "440100"), ("佛山市", "440600"), ("公安厅",))]
    for number, body in enumerate(bodies):
        given(pages_down, 2, first=2 * number, body=body)

    given(tend, 5)

    with app.app_context():
        first_told = {body_id for _, audience, body_id in alerts() if audience == 1}
        assert first_told == {body.id for body in bodies}
        assert [(audience, body_id) for _, audience, body_id in alerts()][-1] == (3, None)
        texts = db.session().scalars(select(AlertRow.text).where(AlertRow.body_id == bodies[0].id)).all()
        assert len(texts) == 1
        assert "网页0" in texts[0]
        assert "网页2" not in texts[0]
        assert "同组还有 4 个其他故障" in texts[0]


def test_a_body_hears_of_the_end_when_the_last_of_its_own_is_back(app, given):
    own = given(pages_down, 2)
    other = given(pages_down, 1, first=5, body=given(a_body, "广州市", "440100"))
    given(tend, 5)

    given(tell, looks(own[0].id, "UU", minute=6))
    given(tell, looks(own[1].id, "UU", minute=9))

    with app.app_context():
        ended = [body_id for topic, _, body_id in alerts() if topic == "incident.resolved"]
        assert ended == [own[0].body_id]
        assert of(other[0]).resolved_at is None


def test_hiding_and_showing_the_entry_stand_in_the_timeline(app, given):
    page = given(seen, "UDDD")
    given(mobile_access.hide_entry, page.id, at(2), now=at(5))
    given(escalation.keep_house, at(6))

    given(tell, looks(page.id, "UU", minute=7))

    with app.app_context():
        assert [kind for kind in kinds(page) if kind in (EventKind.HIDDEN, EventKind.SHOWN)] == [
            EventKind.HIDDEN,
            EventKind.SHOWN,
        ]


def statements(app, work):
    """Return how many statements ``work`` sends to the database."""
    count = 0

    def note(*_args):
        nonlocal count
        count += 1

    engine = app.extensions["hall_db"].write_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return count


def test_grouping_and_telling_a_storm_takes_no_more_statements_for_more_pages(app, given):
    counts = []
    for size in (20, 60):
        given(storm, size, first=100 * size)
        counts.append(statements(app, lambda: given(tend, 5)))

    assert counts[1] <= counts[0] + 10


def storm(count, *, first):
    """Open incidents as if so many pages of one host had just failed; their pages stay as they are."""
    body = a_body()
    page = a_watched_page(url=f"https://first.example.test/{first}")
    for number in range(count):
        db.writing().add(
            Incident(
                check_id=first + number,
                open_check_id=first + number,
                page_id=page.id,
                kind="page",
                body_id=body.id,
                page_name=f"网页{number}",
                state=IncidentState.OPEN,
                phase="connect",
                cause="connect_timeout",
                detail="",
                cause_at=at(4),
                evidence={"host": f"storm{first}.example.test"},
                started_at=at(2),
                opened_at=at(4),
                escalation_level=0,
                escalate_at=at(4) + timedelta(seconds=20),
            )
        )
    db.writing().flush()


def test_a_storm_is_one_group_and_one_message_for_its_body(app, given):
    given(storm, 1000, first=10_000)

    given(tend, 5)

    with app.app_context():
        (made,) = groups()
        assert made.member_count == 1000
        assert len(alerts()) == 1
