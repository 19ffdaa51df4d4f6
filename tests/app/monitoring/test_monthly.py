"""Monthly reports: pooled seconds, ranks, the inspection's measure, files that officials open."""

import io
from datetime import UTC, date, datetime, timedelta

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from app.core import db
from app.core.errors import Invalid, NotFound
from app.monitoring import service
from app.monitoring.history_models import GroupRollup, Rollup, Scope
from app.monitoring.history_models import Span as Length
from app.monitoring.models import MonthlyReport
from app.monitoring.monthly import reckon
from app.monitoring.monthly_files import as_paper, as_xlsx
from app.monitoring.reckoning import GroupRow, Row
from app.monitoring.rollup_rows import put_checks, put_groups
from mobile_pages.probe.bucket import Bucket
from mobile_pages.probe.histogram import LogHistogram
from mobile_pages.report.pdf import to_pdf
from tests.app.monitoring.builders import a_watched_page
from tests.builders import a_body, a_principal, a_region, sign_in

MAY = date(2016, 5, 1)
DAY = datetime(2016, 5, 9, 16, tzinfo=UTC)  # midnight in Guangdong
LATER = datetime(2016, 6, 1, 3, tzinfo=UTC)
GUANGZHOU, SHENZHEN = "440100", "440300"


def a_bucket(down_s: int = 0, *, known_s: int = 86_400, visits: int = 1440, failures: int = 0) -> Bucket:
    return Bucket(
        up_s=known_s - down_s,
        down_s=down_s,
        unknown_s=86_400 - known_s,
        looks=visits,
        failures=failures,
        visits=visits,
        visit_failures=failures,
        histogram=LogHistogram([120] * 95 + [900] * 5),
    )


def a_day_of(scope: Scope, ref: str, bucket: Bucket, pages: int = 1) -> None:
    put_groups(Length.DAY, scope, DAY, {ref: GroupRow(pages, bucket)}, {}, None, LATER)


def a_day_of_a_page(page, bucket: Bucket) -> None:
    put_checks(Length.DAY, DAY, {page.id: Row(page.body_id, 60, 195, bucket)}, {}, None, LATER)


def test_cities_are_ranked_by_availability_and_equals_share_a_rank(given, context):
    a_region_of_each(given)
    given(a_day_of, Scope.CITY, GUANGZHOU, a_bucket(864))
    given(a_day_of, Scope.CITY, SHENZHEN, a_bucket(0))

    cities = reckon("", MAY, today=date(2016, 6, 1)).tables[0].lines

    assert [(one.ref, one.rank, one.availability_rate) for one in cities] == [
        (SHENZHEN, 1, 1.0),
        (GUANGZHOU, 2, 0.99),
    ]


def a_region_of_each(given):
    given(a_region, GUANGZHOU)
    given(a_region, SHENZHEN)


def test_who_was_hardly_watched_is_not_ranked(given, context):
    a_region_of_each(given)
    given(a_day_of, Scope.CITY, GUANGZHOU, a_bucket(0, known_s=40_000))
    given(a_day_of, Scope.CITY, SHENZHEN, a_bucket(8640))

    cities = reckon("", MAY, today=date(2016, 6, 1)).tables[0].lines

    assert [(one.ref, one.rank) for one in cities] == [(SHENZHEN, 1), (GUANGZHOU, None)]


@pytest.mark.parametrize(
    ("failures", "vetoed"), [pytest.param(71, 0, id="just under"), pytest.param(72, 1, id="five percent")]
)
def test_a_page_that_the_inspection_would_turn_down_is_counted(given, context, failures, vetoed):
    page = given(a_watched_page, now=DAY)
    given(a_day_of_a_page, page, a_bucket(failures=failures))

    line = reckon(str(page.body_id), MAY, today=date(2016, 6, 1)).tables[0].lines[0]

    assert (line.vetoed, line.visits, line.visit_failures) == (vetoed, 1440, failures)


def test_latencies_are_merged_and_not_averaged(given, context):
    page = given(a_watched_page, now=DAY)
    given(a_day_of_a_page, page, a_bucket())

    line = reckon(str(page.body_id), MAY, today=date(2016, 6, 1)).tables[0].lines[0]

    assert line.p95_ms == pytest.approx(120, rel=0.02)


def test_a_report_is_published_once_the_month_is_over_and_then_stays(given, context):
    page = given(a_watched_page, now=DAY)
    ref = str(page.body_id)
    given(a_day_of_a_page, page, a_bucket(864))

    assert given(service.publish_month, ref, MAY, "test", now=LATER)
    given(forget_roll_ups)

    assert not given(service.publish_month, ref, MAY, "test", now=LATER)
    kept = service.monthly_report(given(a_principal, "province_watch"), MAY, ref)
    assert kept.figures.tables[0].lines[0].down_seconds == 864


def forget_roll_ups():
    for table in (Rollup, GroupRollup):
        db.writing().query(table).delete()


def test_a_month_under_way_is_not_published(given, context):
    with pytest.raises(Invalid):
        given(service.publish_month, "", MAY, "test", now=LATER - timedelta(days=3))


def test_nobody_reads_the_report_of_others(given, context):
    page = given(a_watched_page, now=DAY)
    given(service.publish_month, str(page.body_id), MAY, "test", now=LATER)
    stranger = given(a_principal, "department_operator", body=given(a_body, "教育厅"))

    with pytest.raises(NotFound):
        service.monthly_report(stranger, MAY, str(page.body_id))


def test_the_spreadsheet_holds_numbers_and_no_formulas(given, context):
    page = given(a_watched_page, now=DAY, name="=HYPERLINK(1)")
    given(a_day_of_a_page, page, a_bucket(864))

    book = load_workbook(io.BytesIO(as_xlsx(reckon(str(page.body_id), MAY, today=date(2016, 6, 1)))))

    row = [cell.value for cell in book["网页"][2]]
    assert row[:6] == [1, "'=HYPERLINK(1)", 1, 0.99, 1, 15]


@pytest.mark.browser
def test_the_paper_can_be_read_as_text(given, app, context):
    page = given(a_watched_page, now=DAY, name="户政服务")
    given(a_day_of_a_page, page, a_bucket(864))

    with app.test_request_context():
        paper = to_pdf(as_paper(reckon(str(page.body_id), MAY, today=date(2016, 6, 1))))

    text = "".join(one.extract_text() for one in PdfReader(io.BytesIO(paper)).pages)
    assert "户政服务" in text
    assert "99%" in text


def test_the_page_shows_a_report_and_offers_it_as_a_spreadsheet(client, given):
    page = given(a_watched_page, now=DAY, name="户政服务")
    given(a_day_of_a_page, page, a_bucket(864))
    given(service.publish_month, str(page.body_id), MAY, "test", now=LATER)
    sign_in(client, given, given(a_principal, "province_watch"))

    shown = client.get(f"/wall/reports/2016-05/{page.body_id}")
    file = client.get(f"/wall/reports/2016-05/{page.body_id}.xlsx")

    assert "户政服务" in shown.text
    assert file.data.startswith(b"PK")
    assert "2016-05" in client.get("/wall/reports").text


@pytest.mark.parametrize("month", ["2016-13", "abc", "2016-5", "9999-12-01"])
def test_a_month_that_is_none_is_not_found(client, given, month):
    sign_in(client, given, given(a_principal, "province_watch"))

    assert client.get(f"/wall/reports/{month}/province").status_code == 404
    assert client.get(f"/wall/reports/preview?month={month}").status_code in (404, 422)


def test_asking_for_the_paper_twice_prints_it_once(app, client, given):
    page = given(a_watched_page, now=DAY)
    ref = str(page.body_id)
    given(service.publish_month, ref, MAY, "test", now=LATER)
    by = given(a_principal, "province_watch")

    for _ in range(2):
        given(service.ask_for_paper, by, MAY, ref, now=LATER)

    with app.app_context():
        assert db.session().query(MonthlyReport).one().asked_at == LATER
