"""Pages of one city, body and page: figures, heat, certificate, further checks, maintenance."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.core import clock, db
from app.monitoring import service
from app.monitoring.domain import CheckKind, MaintenanceScope
from app.monitoring.history_models import Scope
from app.monitoring.history_models import Span as Length
from app.monitoring.marks import Mark, put
from app.monitoring.models import PageCheck, Watch
from app.monitoring.reckoning import Row
from app.monitoring.rollup_rows import put_checks
from app.monitoring.service import Announcement
from app.monitoring.wall import _warned
from mobile_pages.probe.base import Condition
from mobile_pages.probe.uptime import OfficialFigure, OfficialVerdict
from tests.app.monitoring.builders import TERMS, a_watched_page, at, seen
from tests.app.monitoring.test_charts import GUANGZHOU, a_bucket, a_group_day, yesterday
from tests.app.monitoring.test_wall import seen_lately
from tests.builders import NOW, a_body, a_principal, sign_in


def facts_known(page_id: int, days: int) -> None:
    """Let the page have a certificate that ends in ``days``."""
    ends = clock.system_clock() + timedelta(days=days, hours=1)
    certificate = {"fingerprint": "f", "issuer": "样例证书中心", "serial": "1", "not_after": ends.isoformat()}
    facts = {"addresses": ["192.0.2.7"], "tls_version": "TLSv1.3", "certificate": certificate}
    db.writing().execute(update(Watch).where(Watch.check_id == page_id).values(facts=facts))


def a_further_check(page, *, every: int | None = None, check_id: int | None = None) -> PageCheck:
    row = PageCheck(
        id=check_id,
        page_id=page.id,
        kind=CheckKind.API,
        name="审批接口一",
        url="https://api.gd.gov.cn/",
        settings={},
        interval_seconds=every,
        enabled=True,
        version=1,
        created_at=NOW,
        created_by="test",
    )
    db.writing().add(row)
    db.writing().flush()
    return row


def its_watch(page, check_id: int) -> None:
    now = clock.system_clock()
    row = Watch(check_id=check_id, page_id=page.id, kind=CheckKind.API, body_id=page.body_id, name=page.name)
    row.url, row.watched, row.begun_at, row.condition = "https://api.gd.gov.cn/", True, now, Condition.DOWN
    row.since, row.cause, row.sampled_at, row.memory, row.version = now, "timeout", now, {}, 1
    db.writing().add(row)
    db.writing().flush()


def test_a_page_shows_its_certificate_protocol_and_addresses(client, given):
    page = given(a_watched_page, now=clock.system_clock())
    given(facts_known, page.id, 9)
    sign_in(client, given, given(a_principal, "province_watch"))

    shown = client.get(f"/wall/page/{page.id}").text

    assert all(word in shown for word in ("! 还有 9 天", "样例证书中心", "TLSv1.3", "192.0.2.7"))


def test_a_page_lists_its_further_checks_and_how_they_stand(client, given):
    page = given(a_watched_page, now=clock.system_clock())
    check_id = given(lambda: a_further_check(page).id)
    given(its_watch, page, check_id)
    sign_in(client, given, given(a_principal, "province_watch"))

    shown = client.get(f"/wall/page/{page.id}").text

    assert "审批接口一" in shown
    assert "打开超时" in shown


def test_a_page_tells_of_maintenance_announced_for_it(client, given):
    page = given(a_watched_page, now=clock.system_clock())
    by = given(a_principal, "province_watch")
    starts = clock.system_clock().replace(second=0, microsecond=0) + timedelta(hours=3)
    told = Announcement(MaintenanceScope.PAGE, str(page.id), "系统升级", "升级期间不能办理。", starts, 60)
    given(lambda: service.announce(by, told, now=clock.system_clock()))
    sign_in(client, given, by)

    assert "已公告维护：系统升级" in client.get(f"/wall/page/{page.id}").text


def test_a_weeks_times_stand_in_a_table_too(client, given):
    page = given(a_watched_page, now=clock.system_clock() - timedelta(days=3))
    row = {page.id: Row(page.body_id, 60, 195, a_bucket())}
    given(put_checks, Length.DAY, yesterday(), row, {}, None, clock.system_clock())
    given(put, Mark.HOURS, clock.system_clock())
    given(put, Mark.DAYS, yesterday() + timedelta(days=1))
    sign_in(client, given, given(a_principal, "province_watch"))

    shown = client.get(f"/wall/page/{page.id}").text

    assert '<td data-label="等待">30</td>' in shown
    assert '<td data-label="P95">50</td>' in shown


def test_a_city_shows_its_bodies_by_day(client, given):
    body = given(a_body, "广州市", GUANGZHOU)
    given(seen_lately, "UUU", clock.system_clock(), body=body)
    given(a_group_day, Scope.BODY, str(body.id), a_bucket(8640))
    sign_in(client, given, given(a_principal, "province_watch"))

    shown = client.get(f"/wall/city/{GUANGZHOU}").text

    assert "<span>90%</span>" in shown
    assert "近 90 天可用率" in shown


def test_a_body_shows_its_pages_by_day_with_yesterdays_p95_and_certificates(client, given):
    page = given(seen_lately, "UUU", clock.system_clock(), body=given(a_body, "公安厅"))
    given(facts_known, page.id, 80)
    row = {page.id: Row(page.body_id, 60, 195, a_bucket(8640))}
    given(put_checks, Length.DAY, yesterday(), row, {}, None, clock.system_clock())
    sign_in(client, given, given(a_principal, "province_watch"))

    shown = client.get(f"/wall/body/{page.body_id}").text

    assert all(word in shown for word in ("<span>90%</span>", "50 毫秒", "还有 80 天"))


@pytest.mark.parametrize(("every", "expected"), [(None, 0), (3600, 1)])
def test_a_page_looked_at_once_an_hour_is_believed_for_hours(app, given, every, expected):
    page = given(seen, "UUU")
    given(lambda: a_further_check(page, every=every, check_id=page.id).id)
    who = given(a_principal, "province_watch")

    with app.app_context():
        shown = service.wall(who, TERMS, now=at(50))
        detail = service.page_watch(who, page.id, TERMS, now=at(50))

    assert shown.status.counts.up == expected
    assert (detail.watch.condition is Condition.UP) is bool(expected)


@pytest.mark.parametrize(
    ("verdict", "rate", "expected"),
    [
        (OfficialVerdict.PASS, 0.02, OfficialVerdict.WARN),
        (OfficialVerdict.WARN, 0.0099, OfficialVerdict.PASS),
        (OfficialVerdict.VETO, 0.06, OfficialVerdict.VETO),
        (OfficialVerdict.TOO_FEW_VISITS, None, OfficialVerdict.TOO_FEW_VISITS),
    ],
)
def test_the_places_own_rule_warns_of_the_inspection_but_never_changes_its_veto(verdict, rate, expected):
    figure = OfficialFigure(verdict, 100, 2, rate, (), 3, 3.0)

    assert _warned(figure, 0.01).verdict is expected
