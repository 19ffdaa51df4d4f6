"""Error budgets and annex 3's progress as staff see them."""

from app.core import clock
from app.monitoring import service
from app.monitoring.budget_views import _inspected
from app.monitoring.figures import Figure
from app.organisations import service as organisations
from config import notice
from mobile_pages.probe.bucket import Bucket
from mobile_pages.probe.uptime import OfficialVerdict
from tests.app.monitoring.test_wall import GUANGZHOU, seen_lately
from tests.builders import a_body, a_principal, sign_in

WEEK_MINUTES = 7 * 24 * 60


def visited(visits: int, failures: int) -> Figure:
    return Figure(1, bucket=Bucket(visits=visits, visit_failures=failures))


def test_the_province_sees_cities_and_bodies_the_wall_leads_there(client, given):
    given(seen_lately, "UUUDDD", clock.system_clock(), body=given(a_body, "广州市", GUANGZHOU))
    sign_in(client, given, given(a_principal, "province_watch"))

    shown = client.get("/wall/budgets").text

    assert "全省" in shown
    assert f'href="/wall/budgets?city={GUANGZHOU}"' in shown
    assert "预算剩余" in shown
    assert 'href="/wall/budgets"' in client.get("/wall").text


def test_a_department_sees_its_own_budget_only(client, given):
    now = clock.system_clock()
    mine = given(seen_lately, "UUU", now, body=given(a_body, "公安厅"))
    given(seen_lately, "UUU", now, body=given(a_body, "教育厅"))
    body = given(a_body, "公安厅")
    sign_in(client, given, given(a_principal, "department_operator", body=body))

    shown = client.get("/wall/budgets").text

    assert f"/wall/body/{mine.body_id}" in shown
    assert "教育厅" not in shown
    assert "全省" not in shown


def test_one_citys_budgets_leave_out_all_others(client, given):
    now = clock.system_clock()
    given(seen_lately, "UUU", now, body=given(a_body, "广州市", GUANGZHOU))
    given(seen_lately, "UUU", now, body=given(a_body, "公安厅"))
    who = given(a_principal, "province_watch")

    found = given(lambda: service.budget_page(who, now=now, city_code=GUANGZHOU))

    assert [one.view.scope_ref for one in found.places] == [GUANGZHOU]
    assert found.body_count == 1


def test_minutes_left_are_those_until_five_in_a_hundred_of_a_weeks_visits():
    found = _inspected(visited(1000, 10), pages=2, warn_rate=0.03)

    assert found.minutes_left == 2 * WEEK_MINUTES * 0.05 - 10
    assert found.verdict is OfficialVerdict.PASS


def test_the_early_warning_is_the_places_own():
    assert _inspected(visited(1000, 10), 1, warn_rate=0.01).verdict is OfficialVerdict.WARN
    assert _inspected(visited(1000, 50), 1, warn_rate=0.04).verdict is OfficialVerdict.VETO
    assert _inspected(visited(0, 0), 1, warn_rate=0.01).verdict is OfficialVerdict.TOO_FEW_VISITS


def test_annex_3_stands_beside_how_its_pages_stand(client, given):
    given(organisations.import_notice, notice.load(), lambda _done, _total: None)
    body = given(organisations.find_body, "公安厅")
    given(seen_lately, "UDDD", clock.system_clock(), body=body)
    sign_in(client, given, given(a_principal, "province_watch"))

    shown = client.get("/wall/schedule").text

    assert "✕ 1/1 无法访问" in shown
    assert "✓ 已接入" in shown
