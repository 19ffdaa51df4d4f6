"""A process that remembers: nothing is lost, invented or told twice, however batches come."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as examples
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from app.core import db
from app.monitoring import service
from app.monitoring.intake import Intake
from app.monitoring.models import Incident, SecondOpinion, Watch
from app.monitoring.opinions import asked_of
from app.monitoring.service import Condition
from app.monitoring.watching import state_of
from mobile_pages.probe.runner import Stats
from tests.app.monitoring.builders import TERMS, a_watched_page, at, looks, spans, take_list, tell
from tests.builders import NOW

HEALTH = Stats(0, 0, 0, 0, 0, 0, False, 0.0, 0.0)
LETTERS = st.text("USD?", min_size=1, max_size=12)


class Prober:
    """A process with a memory of its own."""

    def __init__(self, app, name="a", pulse_seconds=0.0):
        self.app = app
        self.intake = Intake(name, TERMS, pulse_seconds=pulse_seconds)
        with app.app_context():
            db.transaction(lambda: service.beat(name, HEALTH, now=NOW))

    def tell(self, results):
        with self.app.app_context():
            self.intake.remember(db.transaction(lambda: self.intake.take_in(results)))


def concluded(page):
    """Return what is concluded of a page, and how far it has been looked at."""
    row = db.session().get_one(Watch, page.id, populate_existing=True)
    incidents = db.session().execute(
        select(Incident.started_at, Incident.resolved_at, Incident.outcome)
        .where(Incident.check_id == page.id)
        .order_by(Incident.started_at)
    )
    state = state_of(row)
    return (
        row.condition,
        row.since,
        state.belief,
        state.row_count,
        state.last_at,
        spans(page.id),
        [*incidents],
    )


def told_at_once(app, given, letters):
    """Return what is concluded of a page that a prober without memory told of in one batch."""
    page = given(a_watched_page)
    given(tell, looks(page.id, letters))
    with app.app_context():
        return concluded(page)


@pytest.fixture
def statements(app):
    """The statements sent to the writing engine."""
    sent = []

    def note(_connection, _cursor, statement, *_rest):
        sent.append(statement.split()[0])

    engine = app.extensions["hall_db"].write_engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def test_looks_that_confirm_what_is_known_lock_and_change_no_row(app, given, statements):
    pages = [given(a_watched_page) for _ in range(5)]
    prober = Prober(app, pulse_seconds=1000)
    prober.tell([one for page in pages for one in looks(page.id, "UU")])
    statements.clear()

    prober.tell([one for page in pages for one in looks(page.id, "U", minute=3)])

    assert statements.count("INSERT") == 1
    assert "UPDATE" not in statements
    with app.app_context():
        versions = set(db.session().scalars(select(Watch.version)))
    assert len(versions) == 1


def test_a_pulse_moves_the_time_of_the_newest_look_and_nothing_else(app, given):
    page = given(a_watched_page)
    prober = Prober(app)
    prober.tell(looks(page.id, "U"))

    prober.tell(looks(page.id, "UUU", minute=2))

    with app.app_context():
        row = db.session().get_one(Watch, page.id)
        assert (row.sampled_at, row.total_ms, row.condition) == (at(4), 50, Condition.UP)


def test_pulses_are_written_now_and_then_only(app, given):
    page, now = given(a_watched_page), [0.0]
    prober = Prober(app, pulse_seconds=3)
    prober.intake.clock = lambda: now[0]
    seen = []
    for minute, now[0] in enumerate([0, 1, 2, 4, 5, 8], start=1):
        prober.tell(looks(page.id, "U", minute=minute))
        with app.app_context():
            seen.append(db.session().get_one(Watch, page.id).sampled_at)

    assert seen == [at(1), at(1), at(1), at(4), at(4), at(6)]


def test_a_process_that_dies_between_two_pulses_loses_and_invents_nothing(app, given):
    page = given(a_watched_page)
    Prober(app, pulse_seconds=1000).tell(looks(page.id, "U"))
    dead = Prober(app, pulse_seconds=1000)
    for minute in range(2, 12):
        dead.tell(looks(page.id, "U", minute=minute))

    Prober(app).tell(looks(page.id, "U", minute=12))

    with app.app_context():
        assert spans(page.id) == [(0, 1, "unknown"), (1, None, "up")]


def test_what_another_process_concluded_is_noticed(app, given):
    page = given(a_watched_page)
    first, second = Prober(app, "a"), Prober(app, "b")
    first.tell(looks(page.id, "UU"))
    second.tell(looks(page.id, "DDD", minute=3))

    first.tell(looks(page.id, "UU", minute=6))

    with app.app_context():
        assert spans(page.id) == [(0, 1, "unknown"), (1, 3, "up"), (3, 6, "down"), (6, None, "up")]


def test_a_look_and_what_is_stored_of_it_are_one_though_fewer_digits_are_stored(app, given):
    page = given(a_watched_page)
    finer = [
        replace(one, started_at=one.started_at + timedelta(microseconds=1999))
        for one in looks(page.id, "UDD")
    ]

    for one in finer:
        Prober(app).tell([one])

    with app.app_context():
        assert concluded(page)[3] == 2


def test_a_page_that_left_and_came_back_is_begun_anew(app, given):
    page = given(a_watched_page)
    prober = Prober(app)
    prober.tell(looks(page.id, "UU"))
    with app.app_context():
        row = db.session().get_one(Watch, page.id)
        before = row.version
    given(watch_nothing, at(3))
    prober.tell(looks(page.id, "U", minute=4))

    given(take_list, at(5))
    prober.tell(looks(page.id, "U", minute=6))

    with app.app_context():
        row = db.session().get_one(Watch, page.id, populate_existing=True)
        assert row.version > before
        assert [one[2] for one in spans(page.id)][-3:] == ["paused", "unknown", "up"]


def watch_nothing(now):
    service.take_list([], TERMS, now=now)


def test_a_transaction_that_failed_teaches_nothing(app, given):
    page = given(a_watched_page)
    prober = Prober(app)
    prober.tell(looks(page.id, "U"))

    with app.app_context(), pytest.raises(ZeroDivisionError):
        db.transaction(lambda: (prober.intake.take_in(looks(page.id, "DDD", minute=2)), 1 / 0))
    prober.tell(looks(page.id, "DDD", minute=2))

    with app.app_context():
        assert db.session().scalar(select(func.count()).select_from(Incident)) == 1


fuzzy = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@fuzzy
@examples(letters=LETTERS, cuts=st.lists(st.integers(0, 12), max_size=4), again=st.integers(0, 3))
def test_batches_told_again_by_a_process_with_or_without_memory_change_nothing(
    app, given, letters, cuts, again
):
    expected = told_at_once(app, given, letters)
    page = given(a_watched_page)
    results, prober, start = looks(page.id, letters), Prober(app), 0
    for cut in [*sorted(cuts), len(results)]:
        prober.tell(results[max(0, start - again) : cut])
        if again == 2:
            prober = Prober(app)  # it died and began anew
        start = cut

    with app.app_context():
        assert concluded(page) == expected


@fuzzy
@examples(letters=LETTERS, order=st.randoms(use_true_random=False))
def test_the_order_within_a_batch_does_not_matter(app, given, letters, order):
    expected = told_at_once(app, given, letters)
    page = given(a_watched_page)
    results = looks(page.id, letters)
    order.shuffle(results)

    Prober(app).tell(results)

    with app.app_context():
        assert concluded(page) == expected


@fuzzy
@examples(letters=LETTERS, late=st.integers(0, 11))
def test_a_look_that_comes_after_a_newer_one_changes_no_conclusion(app, given, letters, late):
    page = given(a_watched_page)
    results, prober = looks(page.id, letters), Prober(app)
    left_out = results.pop(late % len(results))
    prober.tell(results)
    with app.app_context():
        before = concluded(page)
    newest = max((one.started_at for one in results), default=None)

    prober.tell([left_out])

    with app.app_context():
        assert newest is None or left_out.started_at > newest or concluded(page) == before


@fuzzy
@examples(letters=LETTERS, shares=st.lists(st.booleans(), min_size=12, max_size=12), pulses=st.booleans())
def test_two_probers_that_share_the_telling_come_to_the_same_conclusion(app, given, letters, shares, pulses):
    expected = told_at_once(app, given, letters)
    page = given(a_watched_page)
    both = [Prober(app, name, 0 if pulses else 1000) for name in "ab"]

    for result, mine in zip(looks(page.id, letters), shares, strict=False):
        both[mine].tell([result])

    for one in both:
        one.intake.pulse_seconds = 0
        one.tell(looks(page.id, letters)[-1:])
    with app.app_context():
        found = concluded(page)
    assert (found[0], found[1], *found[5:]) == (expected[0], expected[1], *expected[5:])


def test_a_second_opinion_is_asked_of_the_next_prober_and_not_needed_once_it_is_given(app, given):
    page = given(a_watched_page)
    doubting = Prober(app, "a")
    doubting.intake.terms = second_prober_wanted()
    doubting.intake.second_at_hand = True
    doubting.tell(looks(page.id, "UD"))
    with app.app_context():
        assert asked_of("b", ["a", "b", "c"]) == {page.id}
        assert asked_of("c", ["a", "b", "c"]) == asked_of("a", ["a", "b", "c"]) == set()

    other = Prober(app, "b")
    other.intake.terms, other.intake.second_at_hand = doubting.intake.terms, True
    other.tell(looks(page.id, "D", minute=2.5))

    with app.app_context():
        assert list(db.session().scalars(select(SecondOpinion))) == []


def second_prober_wanted():
    return replace(TERMS, rule=replace(TERMS.rule, second_prober=True))
