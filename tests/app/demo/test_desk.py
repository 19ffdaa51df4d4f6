"""The demo's desk: what a newcomer finds there waits for a second person, and is late."""

from __future__ import annotations

import pytest

from app.applications import service as applications
from app.applications.service import Mark, Wanted
from app.core import clock
from app.demo.catalogue import add_items
from app.demo.desk import SAMPLES, show_cases
from app.organisations import service as organisations
from config import items, notice
from config.settings import Environment
from tests.app.applications.builders import a_resident

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def demo_principal(name):
    return organisations.principal_of(organisations.find_staff(name).id)


def test_one_decision_waits_for_a_second_person_and_one_case_is_late(app, given):
    now = clock.system_clock()
    given(organisations.import_notice, notice.load(), lambda *_: None)
    given(organisations.demo_links, environment=Environment.TEST, now=now)
    given(add_items, [one for one in items.samples() if one.code in {s.code for s in SAMPLES}], now)
    resident = given(a_resident)

    shown = [given(show_cases, resident, now) for _ in range(2)]

    with app.app_context():
        county, head = demo_principal("demo-county-operator"), demo_principal("demo-department-head")
        today = clock.day_of(now)
        waiting = applications.queue(county, Wanted(proposed=True), today=today).items
        late = applications.queue(head, today=today).items
        assert shown == [2, 0]
        assert applications.case_for(county, waiting[0].case.id, now=now).may_confirm
        assert [one.risk.mark for one in late] == [Mark.YELLOW]
