"""What everybody may know: status page, feed, badges, and the gauges for Prometheus."""

from datetime import timedelta
from xml.etree import ElementTree

from app.core import clock, db
from app.monitoring import service
from app.monitoring.domain import MaintenanceScope
from app.monitoring.models import WatchPolicy
from app.monitoring.service import Announcement
from tests.app.monitoring.builders import a_beat, a_watched_page, looks_from, tell
from tests.app.monitoring.test_views import facts_known
from tests.builders import NOW, a_body, a_principal

GUANGZHOU = "440100"


def an_outage(*, back: bool = False, **details):
    """Bring a page down ten minutes ago, and perhaps up again."""
    begun = clock.system_clock() - timedelta(minutes=12)
    page = a_watched_page(now=begun, **details)
    tell(looks_from(begun, page.id, "UUDDDDDD" + ("UUU" if back else "DDD")))
    return page


def test_the_status_page_says_what_is_out_of_order_and_since_when(client, given):
    page = given(an_outage)
    given(a_beat, clock.system_clock())

    said = client.get("/status").text

    assert "1 项服务暂时无法访问" in said
    assert page.name in said
    assert "已恢复" not in said


def test_the_feed_tells_of_an_outage_and_of_its_end_once_each(client, given):
    page = given(an_outage, back=True)

    items = ElementTree.fromstring(client.get("/status/feed.xml").data).findall("./channel/item")

    titles = [item.findtext("title") for item in items]
    assert [title.partition("：")[0] for title in titles] == ["已恢复", "无法访问"]
    assert all(page.name in title for title in titles)
    assert len({item.findtext("guid") for item in items}) == 2


def maintenance_of(page, *, hours: int = 3) -> None:
    """Announce an hour of maintenance of a page."""
    now = clock.system_clock().replace(second=0, microsecond=0)
    told = Announcement(
        MaintenanceScope.PAGE, str(page.id), "系统升级", "期间不能办理。", now + timedelta(hours=hours), 60
    )
    service.announce(a_principal("province_watch"), told, now=clock.system_clock())


def kept_to_itself(city_code: str) -> None:
    """Let a city say that how its services stand is not published."""
    common = {"reason": "测试", "effective_at": NOW, "created_at": NOW, "created_by": "test", "number": 1}
    province = {"city_may": ["publish_status"]}
    for code, rules in (("", province), (city_code, {"publish_status": False})):
        db.writing().add(WatchPolicy(city_code=code, rules=rules, **common))
    db.writing().flush()


def test_announced_maintenance_stands_on_the_status_page_and_in_the_feed(client, given):
    page = given(a_watched_page, name="户政服务")
    given(maintenance_of, page)

    said, feed = client.get("/status").text, client.get("/status/feed.xml").text

    assert "系统升级" in said
    assert "户政服务" in said
    assert "维护公告：" in feed


def test_maintenance_under_way_says_when_it_ends(client, given):
    given(maintenance_of, given(a_watched_page), hours=0)

    assert "! 维护中" in client.get("/status").text


def test_a_city_that_does_not_publish_is_left_out_everywhere(client, given):
    body = given(a_body, "广州市", GUANGZHOU)
    page = given(an_outage, body=body, name="户政服务")
    given(maintenance_of, page)
    given(kept_to_itself, GUANGZHOU)

    said, feed = client.get("/status").text, client.get("/status/feed.xml").text

    assert "广州市" not in said
    assert "户政服务" not in said + feed
    assert "无法访问" not in said


def test_a_badge_shows_the_condition_of_its_page(client, given):
    page = given(an_outage)

    badge = client.get(f"/status/badge/{page.id}.svg")

    assert badge.content_type.startswith("image/svg+xml")
    assert ElementTree.fromstring(badge.data).get("aria-label") == f"{page.name}：无法访问"


def test_there_is_no_badge_of_a_page_that_nobody_watches(client):
    assert client.get("/status/badge/7.svg").status_code == 404


def test_prometheus_reads_pages_by_city_and_condition(client, given):
    given(an_outage)

    read = client.get("/metrics").text

    down = [
        line
        for line in read.splitlines()
        if line.startswith("hall_watch_pages") and 'condition="down"' in line
    ]
    assert sum(float(line.rsplit(" ", 1)[1]) for line in down) == 1
    assert 'hall_watch_open_incidents{city="",name="省级部门"}' in read


def read_gauge(client, name: str) -> str:
    return next(line for line in client.get("/metrics").text.splitlines() if line.startswith(name))


def test_prometheus_reads_availability_and_the_first_certificate_to_end_by_city(client, given):
    body = given(a_body, "广州市", GUANGZHOU)
    early, late = (given(a_watched_page, body=body, now=clock.system_clock()).id for _ in "ab")
    given(facts_known, early, 9)
    given(facts_known, late, 90)

    found = read_gauge(client, f'hall_watch_certificate_days{{city="{GUANGZHOU}"')

    assert 9 < float(found.rsplit(" ", 1)[1]) < 10


def test_prometheus_reads_what_became_of_alerts(client, given):
    given(a_watched_page)

    assert read_gauge(client, 'hall_alert_deliveries{state="failed"}').endswith(" 0.0")
