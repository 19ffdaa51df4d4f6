"""Error budgets: pooled seconds, alarms that begin once and end, what is not known spends nothing."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.alerts.models import AlertRow
from app.core import db
from app.monitoring import slo
from app.monitoring.domain import MaintenanceScope
from app.monitoring.models import SloBurn
from tests.app.monitoring.builders import MINUTE, a_watched_page, at, looks, seen, tell
from tests.builders import a_body, a_principal

BODY, PROVINCE = MaintenanceScope.BODY, MaintenanceScope.PROVINCE


def watched(given, minute: float) -> int:
    return given(slo.watch_budgets, at(minute))


def alerts(app) -> list[AlertRow]:
    with app.app_context():
        return list(db.session().scalars(select(AlertRow).where(AlertRow.topic == "slo.burn")))


def five_pages(given, letters: str) -> None:
    """Five pages of one body; one that fails in five hours spends four months' budget of an hour."""
    for name in "甲乙丙丁戊":
        given(seen, "U" * 20 if name != "甲" else letters, name=name)


def test_an_outage_that_lasts_calls_once_for_body_and_province(app, given):
    five_pages(given, "U" * 5 + "D" * 15)

    begun = watched(given, 20)

    assert begun == 6  # body and province, each over all three pairs of windows
    assert watched(given, 20.5) == 0
    raised = alerts(app)
    assert {one.severity.value for one in raised} == {"critical", "warning"}
    assert all("差错预算" in one.title for one in raised)


def test_an_alarm_ends_when_the_short_window_is_clean(app, given):
    five_pages(given, "U" * 5 + "D" * 10 + "U" * 5)
    given(slo.watch_budgets, at(14))
    for name in range(25, 60):
        given(keep_up, name)

    watched(given, 59)

    with app.app_context():
        open_now = db.session().scalars(select(SloBurn.factor).where(SloBurn.open_key.is_not(None))).all()
    assert 144 not in open_now


def keep_up(minute: int) -> None:
    for page_id in db.session().scalars(select(slo.Watch.check_id)).all():
        tell(looks(page_id, "U", minute=minute))


def test_pages_that_work_spend_nothing(app, given):
    five_pages(given, "U" * 20)

    assert watched(given, 20) == 0
    assert alerts(app) == []


def test_of_one_page_alone_nobody_is_called_at_night(app, given):
    given(seen, "U" * 5 + "D" * 15)

    watched(given, 20)

    assert {one.severity.value for one in alerts(app)} == {"warning"}


def test_time_without_looks_spends_nothing(given):
    five_pages(given, "U" * 5 + "?" * 15)

    assert watched(given, 60 * 24) == 0


def test_a_budget_adds_up_to_the_last_second(app, given):
    given(seen, "UUUUU" + "DDDDD" + "UUUUU")

    with app.app_context():
        found = slo.budgets(given(a_principal, "province_watch"), now=at(16))
    own = next(one for one in found if one.scope is BODY)
    assert own.budget.spent == 5 * MINUTE
    assert own.budget.allowed == timedelta(minutes=15) * 0.005
    assert own.budget.left < timedelta()
    assert own.pages == 1


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        pytest.param("province_watch", {PROVINCE, BODY}, id="province"),
        pytest.param("department_operator", {BODY}, id="department"),
    ],
)
def test_everybody_sees_the_budgets_of_what_is_his(app, given, role, scopes):
    given(seen, "UUU")
    given(a_watched_page, name="外单位", body=given(a_body, "教育厅"))

    with app.app_context():
        found = slo.budgets(given(a_principal, role), now=at(5))

    assert {one.scope for one in found} == scopes
    assert "省教育厅" not in {one.name for one in found} or role == "province_watch"
