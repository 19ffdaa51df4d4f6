"""What looks teach besides is kept once, told once, and never stands in the way of the looks."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import event, select

from app.alerts.models import AlertRow
from app.core import db
from app.monitoring import findings
from app.monitoring.models import Watch
from mobile_pages.probe.facts import Certificate, Seen
from tests.app.monitoring.builders import a_watched_page, at, looks

DAY = timedelta(days=1)


def a_look(page_id, minute=1.0, days=90, **seen):
    certificate = Certificate("aa", "样例机构", "01", at(0) + days * DAY)
    details = {"addresses": ("203.0.113.1",), "certificate": certificate, "title": "户政", **seen}
    (look,) = looks(page_id, "U", minute=minute)
    return replace(look, seen=Seen(look.started_at, **details))


def told(app):
    with app.app_context():
        return [(one.topic, one.severity) for one in db.session().scalars(select(AlertRow))]


def known(app, page_id):
    with app.app_context():
        return findings.facts_of(page_id)


def keep(app, *results):
    with app.app_context():
        findings.keep(results)


def test_what_is_learnt_first_is_kept_and_nobody_is_told(app, given):
    page = given(a_watched_page)

    keep(app, a_look(page.id))

    facts, changes = known(app, page.id)
    assert (facts.title, changes, told(app)) == ("户政", [], [])


def test_an_ending_certificate_is_told_once(app, given):
    page = given(a_watched_page)
    keep(app, a_look(page.id))

    keep(app, a_look(page.id, minute=85 * 24 * 60))
    keep(app, a_look(page.id, minute=85 * 24 * 60 + 1))

    assert told(app) == [("certificate.expiring", "warning")]
    assert "请及时更换" in known(app, page.id)[1][0].text


def test_a_change_of_the_page_is_told_and_listed(app, given):
    page = given(a_watched_page)
    keep(app, a_look(page.id))

    keep(app, a_look(page.id, minute=2, title="另一页"))

    assert told(app) == [("page.changed", "info")]
    assert known(app, page.id)[1][0].kind == "title_changed"


def test_what_is_known_already_is_not_written_again(app, given):
    page = given(a_watched_page)
    keep(app, a_look(page.id))
    written = []

    def note(_connection, _cursor, statement, *_rest):
        written.append(statement)

    engine = app.extensions["hall_db"].write_engine
    event.listen(engine, "before_cursor_execute", note)
    keep(app, a_look(page.id, minute=2))
    event.remove(engine, "before_cursor_execute", note)

    assert written == []


def test_checks_that_are_gone_teach_nothing(app, given):
    page = given(a_watched_page)

    keep(app, a_look(page.id + 1))

    with app.app_context():
        assert db.session().scalars(select(Watch.facts)).all() == [None]
