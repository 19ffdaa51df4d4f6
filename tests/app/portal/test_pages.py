"""What residents see on the phone."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from app.core import clock
from app.mobile_access import service as mobile_access
from app.mobile_access.service import State
from app.monitoring import service as monitoring
from app.monitoring.domain import MaintenanceScope
from app.monitoring.service import Announcement
from tests.app.mobile_access.builders import a_page
from tests.app.monitoring.builders import a_watched_page
from tests.builders import NOW, a_body, a_principal


def test_a_published_page_is_found_on_the_home_page_and_opens(client, given):
    page = given(a_page, state=State.ONLINE, name="户政服务", url="https://hz.example.cn/m/")

    home = client.get("/")
    opened = client.get(f"/go/{page.id}?channel=wechat")

    assert "户政服务" in home.text
    assert f'href="/go/{page.id}"' in home.text
    assert opened.status_code == 302
    assert opened.location == "https://hz.example.cn/m/"
    assert opened.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("state", [State.REGISTERED, State.PASSED, State.FAILED])
def test_a_page_that_never_was_online_cannot_be_opened(client, given, state):
    page = given(a_page, state=state)

    assert client.get(f"/go/{page.id}").status_code == 404
    assert page.name not in client.get("/").text


def test_a_suspended_page_says_so_names_the_hotline_and_offers_others(client, given):
    page = given(a_page, state=State.SUSPENDED, name="停办的事", hotline="020-12345")
    other = given(a_page, state=State.ONLINE, name="还在办的")

    notice = client.get(f"/go/{page.id}")

    assert notice.status_code == 503
    assert notice.headers["Retry-After"]
    assert 'href="tel:020-12345"' in notice.text
    assert other.name in notice.text
    assert page.name not in client.get("/").text


def test_a_page_that_is_down_stays_in_sight_without_being_opened(app, client, given):
    page = given(a_page, state=State.DEGRADED, name="居住证")
    given(mobile_access.hide_entry, page.id, NOW, now=NOW)

    home, found, opened = client.get("/"), client.get("/?q=居住证"), client.get(f"/go/{page.id}")

    assert "暂时无法使用" in home.text
    assert "暂时无法使用" in found.text
    assert opened.status_code == 503
    assert page.url not in opened.text


def test_words_find_pages_and_the_near_ones_when_nothing_is_exact(client, given):
    given(a_page, state=State.ONLINE, name="居住证")

    assert "居住证" in client.get("/?q=居住证").text
    assert "接近的服务" in client.get("/?q=我要办居住证").text
    assert "没有找到" in client.get("/?q=火星").text


def test_changing_the_edition_leads_back_to_channel_theme_and_words(client):
    here = "/?channel=wechat&theme=household&q=%E6%88%B7%E5%8F%A3"
    back_to = re.search(r'name="return_to" value="([^"]*)"', client.get(here).text)
    assert back_to

    back = client.get("/view", query_string={"style": "elder", "return_to": html.unescape(back_to[1])})

    assert (back.status_code, back.location) == (303, here)
    assert 'class="phone-page elder"' in client.get("/").text


def test_the_way_home_from_a_closed_page_keeps_edition_and_channel(client, given):
    page = given(a_page, state=State.SUSPENDED)

    notice = client.get(f"/go/{page.id}?channel=wechat&style=elder")

    assert '<p class="site"><a href="/?channel=wechat&amp;style=elder">' in notice.text
    assert notice.text.count("<h1") == 1


def test_the_elder_edition_and_the_channel_stay_on_the_way(client, given):
    page = given(a_page, state=State.ONLINE, elder_url="https://hz.example.cn/m/?elder=1")

    home = client.get("/?style=elder&channel=alipay")
    opened = client.get(f"/go/{page.id}?style=elder")

    assert "elder" in home.text
    assert f"/go/{page.id}?channel=alipay&amp;style=elder" in home.text
    assert opened.location == "https://hz.example.cn/m/?elder=1"


@pytest.mark.parametrize(
    "path",
    ["/?theme=nonsense", "/?after=nonsense", "/go/1", "/go/99999999999999999999", "/go/abc"],
)
def test_a_wrong_address_is_a_plain_4xx(client, tables, path):
    assert 400 <= client.get(path).status_code < 500


def test_what_a_visitor_types_is_shown_as_text(client, tables):
    page = client.get("/", query_string={"q": "<script>alert(1)</script>", "channel": '"><b>'})

    assert "<script>alert" not in page.text
    assert '"><b>' not in page.text


def test_the_nearest_service_that_works_is_offered_first(client, given):
    city = given(a_body, "广州市", "440100")
    down = given(a_page, state=State.DEGRADED, name="居住证办理", body=city)
    given(mobile_access.hide_entry, down.id, NOW, now=NOW)
    given(a_page, state=State.ONLINE, name="佛山居住证", body=given(a_body, "佛山市", "440600"))
    province = given(a_page, state=State.ONLINE, name="省居住证")
    own = given(a_page, state=State.ONLINE, name="户口", body=city)

    notice = client.get(f"/go/{down.id}").text

    assert "暂时无法使用" in notice
    assert notice.index(own.name) < notice.index(province.name)
    assert "佛山居住证" not in notice


def test_without_a_hotline_of_its_own_12345_is_named(client, given):
    page = given(a_page, state=State.DEGRADED, hotline="")
    given(mobile_access.hide_entry, page.id, NOW, now=NOW)

    assert 'href="tel:12345"' in client.get(f"/go/{page.id}").text


def test_whoever_looks_for_a_page_that_is_down_learns_whom_to_call(client, given):
    page = given(a_page, state=State.DEGRADED, name="居住证", hotline="020-12345")
    given(mobile_access.hide_entry, page.id, NOW, now=NOW)
    given(a_page, state=State.ONLINE, name="居住证进度")

    found = client.get("/?q=居住证").text

    assert found.count(f"/go/{page.id}") == 1
    assert "电话 020-12345" in found


def test_a_page_under_announced_maintenance_says_when_it_is_back(client, given):
    now = clock.system_clock()
    page = given(a_watched_page, now=now - timedelta(hours=1))
    given(mobile_access.probe_failed, page.id, now, "timeout")
    given(mobile_access.hide_entry, page.id, now, now=now)
    starts_at = now.replace(second=0, microsecond=0)
    told = Announcement(MaintenanceScope.PAGE, str(page.id), "系统升级", "升级期间不能办理", starts_at, 120)
    given(monitoring.announce, given(a_principal, "province_watch"), told, now=now)

    notice = client.get(f"/go/{page.id}").text

    assert "系统升级：升级期间不能办理" in notice
    assert "恢复。" in notice
