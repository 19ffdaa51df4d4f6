"""Every figure is what its rows say; one that is not is found, named and repaired where all can see it."""

from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as examples
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from app.core import db
from app.monitoring import recompute, rollups, service
from app.monitoring.history_models import GroupRollup, Rollup, RollupCorrection
from app.monitoring.models import ProbeSample, StateSpan
from app.monitoring.reckoning import paces
from app.monitoring.recompute import Order
from mobile_pages.probe.outage import Outage
from mobile_pages.probe.uptime import Window
from tests.app.monitoring.builders import TERMS, at, looks, nothing_rolled_up, seen, tell
from tests.builders import a_body

DAY = 24 * 60
PACE = paces(TERMS)
NUMBERS = count()


def roll(app, minute: float) -> None:
    with app.app_context():
        rollups.roll_up(at(minute), PACE)


def found(app, order: Order | None = None, minute: float = 3 * DAY):
    with app.app_context():
        differences = list(recompute.recompute(order or Order(), at(minute), PACE))
    return [(one.length.value, one.scope.value) for one in differences]


def change(statement):
    db.writing().execute(statement.execution_options(synchronize_session=False))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@examples(
    letters=st.text("USD?", min_size=1, max_size=14),
    every=st.sampled_from([0.5, 7.0, 190.0]),
    rolled=st.integers(0, 2 * DAY),
    blind=st.booleans(),
)
def test_no_history_of_looks_leaves_a_difference(app, given, letters, every, rolled, blind):
    given(nothing_rolled_up)
    body = given(a_body, "广州市", "440100")
    page = given(seen, letters[:5], every=every, body=body, url=f"https://p{next(NUMBERS)}.cn/")
    roll(app, rolled)
    given(tell, looks(page.id, letters, every=every))
    if blind:
        given(service.void_outage, Outage(at(1.5), at(60), over=False), [page.id], TERMS)
    roll(app, 2 * DAY)

    assert found(app) == []


@pytest.mark.parametrize(
    ("statement", "differing"),
    [
        pytest.param(update(Rollup).where(Rollup.span == "h").values(down_s=5), ("h", "k"), id="an hour"),
        pytest.param(update(Rollup).where(Rollup.span == "d").values(visits=5), ("d", "k"), id="a day"),
        pytest.param(update(Rollup).values(histogram=b"\xff"), ("h", "k"), id="no histogram at all"),
        pytest.param(update(GroupRollup).values(missed=5), ("h", "p"), id="a group"),
        pytest.param(delete(Rollup).where(Rollup.span == "d"), ("d", "k"), id="a day that is gone"),
        pytest.param(update(StateSpan).values(condition="down"), ("h", "k"), id="the spans"),
        pytest.param(delete(ProbeSample), ("h", "k"), id="the looks"),
    ],
)
def test_what_was_tampered_with_is_found_and_repaired_for_all_to_see(app, given, statement, differing):
    given(seen, "U" * 90, every=20)
    roll(app, 2 * DAY)
    given(change, statement)

    assert differing in found(app)

    assert differing in found(app, Order(repair=True))
    assert found(app) == []
    with app.app_context():
        assert set(db.session().scalars(select(RollupCorrection.reason))) == {"recomputed"}


def test_one_page_and_some_days_can_be_asked_for(app, given):
    page = given(seen, "U" * 90, every=20)
    roll(app, 2 * DAY)
    given(change, update(Rollup).where(Rollup.span == "h").values(down_s=5))

    here = Window(at(60), at(120))
    assert found(app, Order(here, page.id)) == [("h", "k")]
    assert found(app, Order(here, page.id + 1)) == []


def test_days_whose_hours_are_gone_are_proved_from_their_spans(app, given):
    given(seen, "U" * 90 + "D" * 60, every=20)
    roll(app, 3 * DAY)
    while given(rollups.forget_hours, at(2 * DAY)):
        pass
    assert found(app) == []

    given(change, update(Rollup).where(Rollup.span == "d").values(down_s=Rollup.down_s + 1))
    assert ("d", "k") in found(app)


def test_the_command_names_what_differs_and_fails(app, given):
    given(seen, "U" * 90)
    roll(app, 3 * DAY)
    run = app.test_cli_runner().invoke
    whole = run(args=["monitor", "recompute"])
    given(change, update(Rollup).where(Rollup.span == "d", Rollup.start_at < at(60)).values(visits=7))

    broken = run(args=["monitor", "recompute", "--from", "2026-03-02", "--to", "2026-03-02"])

    assert (whole.exit_code, "every roll-up says" in whole.output) == (0, True)
    assert (broken.exit_code, "DAY 2026-03-02 00:00 CHECK" in broken.output) == (1, True)
    assert "visits 7 -> 90" in broken.output


def test_a_command_whose_days_are_turned_round_is_refused(app):
    asked = ["monitor", "recompute", "--from", "2026-03-02", "--to", "2026-03-01"]

    assert app.test_cli_runner().invoke(args=asked).exit_code == 2
