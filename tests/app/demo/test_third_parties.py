"""The demo's applications of third parties, made through the same services as real ones."""

from __future__ import annotations

import pytest

from app.core import clock
from app.demo.third_parties import make_applications
from app.third_parties import service
from app.third_parties.service import AppState
from tests.app.third_parties.builders import a_boss, a_resident
from tests.builders import a_body

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def test_one_is_approved_and_agreed_to_one_waits_and_a_second_start_adds_nothing(app, given):
    given(a_body)
    resident_id, boss = given(a_resident), given(a_boss)
    now = clock.system_clock()

    made = [given(make_applications, resident_id, now=now) for _ in range(2)]

    assert made == [2, 0]
    with app.app_context():
        assert {one.state for one in service.listing(boss)} == {AppState.APPROVED, AppState.SUBMITTED}
        assert [one.in_force for one in service.consents_of(resident_id, now=now)] == [True]


def test_without_a_resident_nobody_has_agreed(given):
    given(a_body)

    assert given(make_applications, None, now=clock.system_clock()) == 2
