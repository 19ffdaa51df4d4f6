"""Reform orders: issued, answered, sent back, accepted; the paper says what was known."""

import io
import shutil
from datetime import date, timedelta

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from app.core import clock, db
from app.core.errors import Forbidden, Invalid, NotFound, Stale
from app.core.runner import Worker
from app.monitoring import service
from app.monitoring.domain import MoveNotAllowed, OrderState
from app.monitoring.models import Incident
from app.monitoring.reform_paper import as_html
from app.monitoring.service import OrderRuns
from mobile_pages.report.pdf import to_pdf
from tests.app.monitoring.builders import at, seen
from tests.builders import NOW, a_bearer, a_body, a_principal, sign_in, submit
from tests.processes import BROWSER

DUE = date(2026, 3, 31)


def incident_of(page):
    return db.session().scalar(select(Incident).where(Incident.page_id == page.id))


def an_order(page, by=None, *, demands="排查网关并提交报告", due_on=DUE):
    who = by or a_principal("province_reviewer")
    return service.issue_order(who, incident_of(page).id, demands, due_on, now=at(60))


def test_an_order_goes_to_the_body_and_back_until_it_is_accepted(app, given):
    page = given(seen, "UDDDUU")
    reviewer, operator = given(a_principal, "province_reviewer"), given(a_principal, "department_operator")
    made = given(an_order, page, reviewer)

    given(service.answer_order, operator, made.id, "换了网关", "见附件截图", version=1, now=at(70))
    given(service.decide_order, reviewer, made.id, accept=False, reason="缺日志", version=2, now=at(80))
    given(service.answer_order, operator, made.id, "换了网关，附日志", "日志", version=3, now=at(90))
    done = given(service.decide_order, reviewer, made.id, accept=True, reason="", version=4, now=at(99))

    assert (done.state, done.remedy, done.version) == (OrderState.ACCEPTED, "换了网关，附日志", 5)


def test_orders_are_numbered_through_the_year(given):
    numbers = [given(an_order, given(seen, "UDDD")).label for _ in range(3)]

    assert numbers == ["〔2026〕1号", "〔2026〕2号", "〔2026〕3号"]


def test_an_incident_has_one_running_order(given):
    page = given(seen, "UDDD")
    made = given(an_order, page)
    with pytest.raises(OrderRuns):
        given(an_order, page)

    reviewer = given(a_principal, "province_reviewer")
    given(service.withdraw_order, reviewer, made.id, "发错单位", version=1, now=at(61))

    assert given(an_order, page).number == 2


def test_of_two_decisions_the_later_is_stale(given):
    page = given(seen, "UDDD")
    reviewer = given(a_principal, "province_reviewer")
    made = given(an_order, page, reviewer)
    operator = given(a_principal, "department_operator")
    given(service.answer_order, operator, made.id, "已改", "", version=1, now=at(70))

    with pytest.raises(Stale):
        given(service.decide_order, reviewer, made.id, accept=True, reason="", version=1, now=at(80))


def test_what_is_not_answered_cannot_be_accepted(given):
    made = given(an_order, given(seen, "UDDD"))
    reviewer = given(a_principal, "province_reviewer")

    with pytest.raises(MoveNotAllowed):
        given(service.decide_order, reviewer, made.id, accept=True, reason="", version=1, now=at(80))


def test_a_department_orders_nothing_and_another_ones_order_does_not_exist(given):
    page = given(seen, "UDDD")
    made = given(an_order, page)

    with pytest.raises(Forbidden):
        given(an_order, page, given(a_principal, "department_operator"))
    stranger = given(a_principal, "department_operator", body=given(a_body, "教育厅"))
    with pytest.raises(NotFound):
        given(service.answer_order, stranger, made.id, "已改", "", version=1, now=at(70))


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"demands": "  "}, id="no demands"),
        pytest.param({"due_on": NOW.date()}, id="due today"),
        pytest.param({"due_on": NOW.date() + timedelta(days=500)}, id="due in far future"),
    ],
)
def test_an_order_must_say_what_until_when(given, wrong):
    page = given(seen, "UDDD")

    with pytest.raises(Invalid):
        given(an_order, page, **wrong)


@pytest.mark.browser
def test_the_paper_states_facts_demands_deadline_and_basis(given):
    page = given(seen, "UDDDUU", name="户政服务")
    order = given(an_order, page, demands="一、排查网关<b>\n二、提交报告")

    text = "".join(one.extract_text() for one in PdfReader(io.BytesIO(to_pdf(as_html(order)))).pages)

    plain = "".join(text.split())
    for said in (
        "〔2026〕1号",
        "省公安厅",
        "户政服务",
        "状态码503",
        "3.0分钟",
        "一、排查网关<b>",
        "2026年3月31日",
        "粤办函〔2016〕186号",
        "第1页，共",
    ):
        assert said in plain


@pytest.mark.browser
def test_the_job_prints_the_order_once(app, client, given):
    page = given(seen, "UDDD")
    who = given(a_principal, "province_reviewer")
    made = given(an_order, page, who)

    Worker(app, app.extensions["hall_jobs"]).drain()

    answer = client.get(f"/api/v1/reform-orders/{made.id}/paper", headers=given(a_bearer, who))
    assert answer.data.startswith(b"%PDF")
    assert shutil.which(BROWSER)


def test_the_console_orders_answers_and_accepts(client, given):
    page = given(seen, "UDDD")
    incident = given(incident_of, page)
    sign_in(client, given, given(a_principal, "province_reviewer"))
    due_on = clock.day_of(clock.system_clock()) + timedelta(days=20)
    path = f"/wall/incidents/{incident.id}"

    answer = submit(client, path, f"{path}/reform-orders", demands="排查", due_on=due_on.isoformat())
    order = answer.headers["Location"]
    sign_in(client, given, given(a_principal, "department_operator"))
    submit(client, order, f"{order}/answer", remedy="已换网关", evidence_note="", version="1")
    sign_in(client, given, given(a_principal, "province_reviewer"))
    submit(client, order, f"{order}/decision", decision="accept", reason="", version="2")

    assert "已通过" in client.get(order).text
    assert "已换网关" in client.get(order).text


def test_a_form_with_mistakes_is_shown_again_with_what_was_written(client, given):
    page = given(seen, "UDDD")
    path = f"/wall/incidents/{given(incident_of, page).id}"
    sign_in(client, given, given(a_principal, "province_reviewer"))

    answer = submit(client, path, f"{path}/reform-orders", demands="排查网关", due_on="2001-01-01")

    assert answer.status_code == 422
    assert "期限要在明天以后" in answer.text
    assert "排查网关" in answer.text
