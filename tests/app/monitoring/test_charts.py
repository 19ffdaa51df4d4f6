"""Pictures over time: the heat map, the latency of a page by phase, the lines of the wall."""

import re
from datetime import timedelta

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from app.core import clock
from app.monitoring import service
from app.monitoring.history_models import Scope
from app.monitoring.history_models import Span as Length
from app.monitoring.marks import Mark, put
from app.monitoring.reckoning import GroupRow, Row
from app.monitoring.rollup_rows import put_checks, put_groups
from app.monitoring.wording import heat_class
from mobile_pages.probe.bucket import Bucket
from mobile_pages.probe.histogram import LogHistogram
from mobile_pages.probe.uptime import day_window
from tests.app.monitoring.builders import a_watched_page
from tests.builders import a_body, a_principal, a_region, sign_in

GUANGZHOU = "440100"
HOUR = timedelta(hours=1)


def a_bucket(down_s: int = 0, seconds: int = 86_400) -> Bucket:
    return Bucket(
        up_s=seconds - down_s,
        down_s=down_s,
        looks=100,
        dns_ms=200,
        connect_ms=300,
        tls_ms=1000,
        first_byte_ms=3000,
        total_ms=5000,
        histogram=LogHistogram([50] * 100),
    )


def yesterday():
    return day_window(clock.day_of(clock.system_clock()) - timedelta(days=1)).start


def a_group_day(scope: Scope, ref: str, bucket: Bucket) -> None:
    put_groups(Length.DAY, scope, yesterday(), {ref: GroupRow(1, bucket)}, {}, None, clock.system_clock())


def test_the_heat_map_shows_each_citys_days(client, given):
    given(a_region, GUANGZHOU)
    given(a_group_day, Scope.CITY, GUANGZHOU, a_bucket(8640))
    sign_in(client, given, given(a_principal, "province_watch"))

    shown = client.get("/wall/heat?days=14").text

    assert re.search(r'<td class="h5" title="\d\d-\d\d"><span>90%</span></td>', shown)
    assert shown.count('<td class="hn"') == 13


def test_a_department_sees_its_own_row_and_no_others(client, given):
    body = given(a_body, "公安厅")
    other = given(a_body, "教育厅")
    for one in (body, other):
        given(a_group_day, Scope.BODY, str(one.id), a_bucket())
    sign_in(client, given, given(a_principal, "department_operator", body=body))

    shown = client.get("/wall/heat").text

    assert "公安厅" in shown
    assert "教育厅" not in shown


@pytest.mark.parametrize("days", ["0", "13", "x", "99999999999999999999"])
def test_only_offered_stretches_are_shown(client, given, days):
    page = given(a_watched_page)
    sign_in(client, given, given(a_principal, "province_watch"))

    assert client.get(f"/wall/heat?days={days}").status_code == 404
    assert client.get(f"/wall/page/{page.id}/latency.json?days={days}").status_code == 404


def test_latency_comes_by_the_hour_with_means_of_phases_and_quantiles(client, given):
    page = given(a_watched_page, now=clock.system_clock() - timedelta(days=2))
    start = clock.system_clock().replace(minute=0, second=0, microsecond=0) - 3 * HOUR
    row = {page.id: Row(page.body_id, 60, 195, a_bucket(seconds=3600))}
    given(put_checks, Length.HOUR, start, row, {}, None, clock.system_clock())
    given(put, Mark.HOURS, start + HOUR)
    sign_in(client, given, given(a_principal, "province_watch"))

    told = client.get(f"/wall/page/{page.id}/latency.json?days=1").json

    at = told["at"].index(start.isoformat())
    assert [told["phases"][name][at] for name in ("dns", "connect", "tls", "first_byte", "transfer")] == [
        2,
        3,
        10,
        30,
        5,
    ]
    assert told["p95"][at] == pytest.approx(50, rel=0.02)
    assert told["p95"][at - 1] is None
    assert len(told["at"]) == 24


def test_the_latency_of_a_foreign_page_is_not_found(client, given):
    page = given(a_watched_page)
    sign_in(client, given, given(a_principal, "department_operator", body=given(a_body, "教育厅")))

    assert client.get(f"/wall/page/{page.id}/latency.json").status_code == 404


@pytest.mark.parametrize(
    ("rate", "step"),
    [(None, "hn"), (1.0, "h0"), (0.99999, "h1"), (0.999, "h1"), (0.995, "h2"), (0.98, "h4"), (0.0, "h5")],
)
def test_the_heat_has_six_steps_and_one_for_not_knowing(rate, step):
    assert heat_class(rate) == step


@drawn(st.lists(st.one_of(st.none(), st.floats(0, 1e5)), max_size=50))
def test_a_sparkline_leaves_gaps_and_stays_inside_its_frame(values):
    runs = service.sparkline(values, width=100, height=20)

    points = [tuple(map(float, point.split(","))) for run in runs for point in run.split()]
    assert len(points) == sum(value is not None for value in values)
    assert all(0 <= x <= 100 and 0 <= y <= 20 for x, y in points)
