"""What everybody may know: status page, feed, badges, and the gauges for Prometheus."""

from datetime import timedelta
from xml.etree import ElementTree

from app.core import clock
from tests.app.monitoring.builders import a_beat, a_watched_page, looks_from, tell


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
