"""What looks lead to: spans, incidents, hidden entries; told twice, late, or by a prober cut off."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as examples
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.core import audit, db
from app.core.outbox import JobRow
from app.mobile_access import service as mobile_access
from app.mobile_access.service import State
from app.monitoring import samples, service
from app.monitoring.models import Incident, ProbeSample, StateSpan, Watch
from app.monitoring.service import Condition, Outcome
from mobile_pages.probe.base import Span
from mobile_pages.probe.outage import Outage
from mobile_pages.probe.uptime import Window, tally
from tests.app.monitoring.builders import (
    MINUTE,
    TERMS,
    a_watched_page,
    at,
    looks,
    seen,
    spans,
    take_list,
    tell,
)
from tests.builders import NOW, a_principal


def incidents_of(page):
    query = select(Incident).where(Incident.page_id == page.id).order_by(Incident.started_at)
    return list(db.session().scalars(query))


def watch_of(page):
    return db.session().get_one(Watch, page.id)


def state_of(page):
    return mobile_access.get(a_principal("province_reviewer"), page.id).state


def test_two_failures_open_no_incident(app, given):
    page = given(seen, "UDD")

    with app.app_context():
        assert incidents_of(page) == []
        assert watch_of(page).condition is Condition.UP


def test_three_failures_open_one_incident_dated_back_to_the_first(app, given):
    page = given(seen, "UDDDD")

    with app.app_context():
        (incident,) = incidents_of(page)
        assert (incident.started_at, incident.opened_at) == (at(2), at(4))
        assert (incident.cause, incident.detail) == ("http_status", "服务器返回状态码 503。")
        assert incident.resolved_at is None


def test_the_page_is_degraded_from_the_first_failure_on(app, given):
    page = given(seen, "UDDD")

    assert given(state_of, page) is State.DEGRADED
    with app.app_context():
        (watched,) = mobile_access.watched_pages()
        assert watched.down_since == at(2)


def test_two_good_looks_close_the_incident_at_the_first(app, given):
    page = given(seen, "UDDDUU")

    with app.app_context():
        (incident,) = incidents_of(page)
        assert (incident.resolved_at, incident.outcome) == (at(5), Outcome.RECOVERED)
    assert given(state_of, page) is State.ONLINE


def test_one_good_look_does_not_end_an_outage(app, given):
    page = given(seen, "UDDDUD")

    with app.app_context():
        (incident,) = incidents_of(page)
        assert incident.resolved_at is None
        assert spans(page.id)[-1] == (2, None, "down")


def test_a_second_outage_is_a_second_incident(app, given):
    page = given(seen, "UDDDUUDDD")

    with app.app_context():
        first, second = incidents_of(page)
        assert (first.resolved_at, second.started_at) == (at(5), at(7))


def test_the_entry_is_to_be_hidden_after_the_grace_time(app, given):
    given(seen, "UDDD")

    with app.app_context():
        due = db.session().scalar(select(JobRow.run_at).where(JobRow.name == "mobile_access.hide-entry"))
        assert due == at(2) + TERMS.grace


def test_a_hidden_entry_comes_back_with_the_page(app, given):
    page = given(seen, "UDDD")
    given(mobile_access.hide_entry, page.id, at(2), now=at(4))

    given(tell, looks(page.id, "UU", minute=5))

    with app.app_context():
        assert mobile_access.entry(page.id).available


def test_every_transition_leaves_one_audit_line(app, given):
    page = given(seen, "UDDDUU")

    with app.app_context():
        (incident,) = incidents_of(page)
        of_incident = [line.action for line in audit.history("incident", incident.id)]
        of_page = [line.action for line in audit.history("mobile_page", page.id)][:2]
    assert of_incident == ["incident.close", "incident.open"]
    assert of_page == ["mobile_page.probe_ok", "mobile_page.probe_fail"]


def test_a_page_has_one_open_incident_at_most(app, given):
    page = given(seen, "UDDD")

    with pytest.raises(IntegrityError):
        given(another_open_incident, page)


def another_open_incident(page):
    (first,) = incidents_of(page)
    columns = {column.name: getattr(first, column.name) for column in Incident.__table__.columns}
    db.writing().add(Incident(**{**columns, "id": first.id ^ 1}))
    db.writing().flush()


def everything(page):
    """Return all that is stored of a page."""
    samples = db.session().scalar(select(func.count()).where(ProbeSample.check_id == page.id))
    memory = watch_of(page).memory
    ends = [(one.started_at, one.resolved_at) for one in incidents_of(page)]
    return samples, memory, spans(page.id), ends, len(audit.recent(limit=100))


def test_the_same_batch_twice_changes_nothing(app, given):
    page = given(seen, "UDDD?UUS")
    with app.app_context():
        before = everything(page)

    given(tell, looks(page.id, "UDDD?UUS"))

    with app.app_context():
        assert everything(page) == before


def test_a_late_look_is_kept_and_changes_no_conclusion(app, given):
    page = given(seen, "UUU")

    given(tell, looks(page.id, "DDD", minute=0.5, every=0.2))

    with app.app_context():
        assert everything(page)[0] == 6
        assert spans(page.id) == [(0, 1, "unknown"), (1, None, "up")]


def test_looks_at_pages_nobody_watches_are_dropped(app, given):
    page = given(a_watched_page)

    given(tell, looks(page.id + 1, "UDDD"))

    with app.app_context():
        assert db.session().scalar(select(func.count()).select_from(ProbeSample)) == 0


def test_a_silent_prober_leaves_the_time_unknown(app, given):
    page = given(seen, "UU")

    given(tell, looks(page.id, "U", minute=10))

    with app.app_context():
        assert spans(page.id) == [(0, 1, "unknown"), (1, 5, "up"), (5, 10, "unknown"), (10, None, "up")]


def test_looks_excused_by_the_probers_own_outage_make_no_incident(app, given):
    page = given(seen, "U????")

    with app.app_context():
        assert incidents_of(page) == []
        assert spans(page.id)[-1] == (2, None, "unknown")


def test_an_incident_of_the_probers_own_making_is_taken_back(app, given):
    page = given(seen, "UDDD")

    given(service.void_outage, Outage(at(1.5), at(5), over=False), [page.id], TERMS)

    with app.app_context():
        (incident,) = incidents_of(page)
        assert incident.outcome is Outcome.VOIDED
        assert "down" not in {condition for *_, condition in spans(page.id)}
    assert given(state_of, page) is State.ONLINE


def test_an_outage_seen_with_a_working_connection_stays(app, given):
    page = given(seen, "UDDD")

    given(service.void_outage, Outage(at(4.5), at(6), over=False), [page.id], TERMS)

    with app.app_context():
        (incident,) = incidents_of(page)
        assert incident.resolved_at is None
        assert spans(page.id)[-2:] == [(2, 4.5, "down"), (4.5, None, "unknown")]


def test_a_page_taken_offline_is_watched_no_more_and_its_incident_closed(app, given):
    page = given(seen, "UDDD")
    given(mobile_access.end_outage, page.id, at(2), now=at(60))

    given(take_list, at(61))

    with app.app_context():
        (incident,) = incidents_of(page)
        assert (incident.outcome, incident.resolved_at) == (Outcome.UNWATCHED, at(61))
        assert not watch_of(page).watched
        assert service.watched_ids() == []


def test_the_watch_prevails_where_the_registry_says_otherwise(app, given):
    page = given(seen, "UU")
    given(mobile_access.probe_failed, page.id, at(2), "timeout")
    with app.app_context():
        assert service.differs(mobile_access.watched_pages())

    given(take_list, at(3))

    assert given(state_of, page) is State.ONLINE
    with app.app_context():
        assert not service.differs(mobile_access.watched_pages())


def test_old_looks_are_forgotten_and_conclusions_kept(app, given):
    page = given(seen, "UDDDUU", every=60)

    while given(samples.forget, at(121)):
        pass

    with app.app_context():
        kept = db.session().scalars(select(ProbeSample.at).order_by(ProbeSample.at)).all()
        assert kept == [at(121), at(181), at(241), at(301)]
        assert len(spans(page.id)) > 1


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@examples(letters=st.text("USD?", min_size=1, max_size=12), cut=st.integers(0, 12))
def test_spans_cover_all_time_once_however_looks_are_batched(app, given, letters, cut):
    page = given(a_watched_page)
    results = looks(page.id, letters)

    given(tell, results[:cut])
    given(tell, results[max(0, cut - 2) :])

    with app.app_context():
        rows = db.session().scalars(select(StateSpan).where(StateSpan.check_id == page.id)).all()
        held = sorted(((row.started_at, row.ended_at, row.condition) for row in rows), key=lambda row: row[0])
        assert held[0][0] == NOW
        assert [row[1] for row in held] == [row[0] for row in held[1:]] + [None]
        whole = tally([Span(*row) for row in held], Window(NOW, at(20))).wall
        assert whole == 20 * MINUTE
        assert {row[2] for row in held} <= {"unknown", "up", "degraded", "down"}
