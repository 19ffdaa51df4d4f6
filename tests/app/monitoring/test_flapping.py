"""A page that opens and closes all the time: one incident, held open; every second counted as ever."""

from sqlalchemy import select

from app.core import db
from app.mobile_access import service as mobile_access
from app.mobile_access.service import State
from app.monitoring.models import Incident, Watch
from mobile_pages.probe.flapping import FlapRule
from tests.app.monitoring import builders
from tests.app.monitoring.builders import at, seen, spans
from tests.builders import a_principal


def flapping(given, letters: str, monkeypatch):
    rule = builders.replace(builders.TERMS.rule, flaps=FlapRule())
    # The usual terms of these tests damp nothing, so that the others may flip as they like.
    monkeypatch.setattr(builders, "TERMS", builders.replace(builders.TERMS, rule=rule))
    return given(seen, letters)


def incidents(app) -> list[Incident]:
    with app.app_context():
        return list(db.session().scalars(select(Incident).order_by(Incident.started_at)))


def state_of(page):
    return mobile_access.get(a_principal("province_reviewer"), page.id).state


def test_many_short_outages_are_one_incident(app, given, monkeypatch):
    page = flapping(given, "U" + "DDDUU" * 8, monkeypatch)

    found = incidents(app)
    assert len(found) == 3  # two before it was known to flap, then one for the other six
    assert found[-1].resolved_at is None
    with app.app_context():
        assert [one for *_, one in spans(page.id)].count("down") == 8
        assert db.session().get_one(Watch, page.id).flapping_since is not None


def test_failures_too_short_to_be_an_outage_are_told_too_when_there_are_many(app, given, monkeypatch):
    page = flapping(given, "UDUDUDUD", monkeypatch)

    (incident,) = incidents(app)
    assert incident.cause == "flapping"
    assert given(state_of, page) is State.ONLINE


def test_it_ends_when_the_page_has_been_calm(app, given, monkeypatch):
    page = flapping(given, "UDUDUDUDU" + "U" * 9, monkeypatch)

    (incident,) = incidents(app)
    assert incident.resolved_at == at(9)
    with app.app_context():
        assert db.session().get_one(Watch, page.id).flapping_since is None


def test_residents_are_told_the_truth_meanwhile(app, given, monkeypatch):
    down = flapping(given, "UDUDUD" + "DDD", monkeypatch)
    assert given(state_of, down) is State.DEGRADED

    back = flapping(given, "UDUDUD" + "DDD" + "UU", monkeypatch)
    assert given(state_of, back) is State.ONLINE
    assert [one.resolved_at for one in incidents(app)] == [None, None]


def test_a_page_that_stays_down_keeps_the_incident_until_it_is_back(app, given, monkeypatch):
    flapping(given, "UDUDUD" + "D" * 12 + "UU", monkeypatch)

    (incident,) = incidents(app)
    assert incident.resolved_at == at(19)
