"""The working calendar in the console: tried first, landed as tried, refused with words one can act on."""

from __future__ import annotations

import io
from datetime import date

import pytest

from app.core import working_years
from app.core.working_time import fresh_calendar
from tests.app.applications.builders import a_case, a_supervisor, an_open_item
from tests.builders import NOW, a_principal, sign_in, submit

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
PAGE = "/console/calendar"
SOURCE = "调整通知（示例）"


def a_list(client, given):
    """Return the days of 2026 as they are, with Friday, 6 March as a day of rest too."""
    given(working_years.fill, NOW)
    with client.application.app_context():
        year = next(one.year for one in working_years.history() if one.year.number == 2026)
    off, on = year.days_off | {date(2026, 3, 6)}, year.workdays
    lines = [f"{day},{'班' if day in on else '休'}" for day in sorted(off | on)]
    return "\n".join(["date,kind", *lines]).encode()


def bring(client, content, name="2026.csv", **fields):
    file = (io.BytesIO(content), name)
    return submit(client, PAGE, f"{PAGE}/trial", file=file, source=SOURCE, **fields)


def test_a_file_is_tried_before_it_counts(app, client, given):
    sign_in(client, given, given(a_supervisor))
    content = a_list(client, given)
    given(a_case, item_id=given(an_open_item))

    page = bring(client, content)

    with app.app_context():
        assert (page.status_code, working_years.version()) == (200, 12)
    assert "2026-03-06 星期五" in page.text
    assert '期限会变的在办件 <b class="number">1</b>' in page.text


def test_what_was_tried_comes_into_force_once(app, client, given):
    sign_in(client, given, given(a_supervisor))
    text = a_list(client, given).decode()
    sent = {"text": text, "format": "csv", "source": SOURCE, "version": "12"}

    first = submit(client, PAGE, f"{PAGE}/apply", **sent)
    second = submit(client, PAGE, f"{PAGE}/apply", **sent)

    assert (first.status_code, second.status_code) == (303, 303)
    with app.app_context():
        assert working_years.version() == 13
        assert not fresh_calendar().is_workday(date(2026, 3, 6))
    assert "请重新试算" in client.get(PAGE).text


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "y.yaml",
            b"years: [{year: 99999, provisional: false, source: x, days_off: [], workdays: []}]",
            "年份",
        ),
        (
            "y.yaml",
            b"years: [{year: 2027, provisional: maybe, source: x, days_off: [], workdays: []}]",
            "格式",
        ),
        ("y.yaml", b"[" * 30_000, "嵌套"),
        ("y.yaml", b"years: {", "第 1 行"),
        ("y.csv", b'date,kind\n"' + b"a" * 140_000, "KB"),
        ("y.csv", b'date,kind\n2027-10-01,"x"y"\r\rz', "第 "),
        ("y.csv", b"\xff\xff\xff", "编码"),
        ("y.csv", b"date,kind\n", "没有任何一天"),
    ],
)
def test_a_file_that_is_no_calendar_is_refused_in_words(client, given, name, content, said):
    sign_in(client, given, given(a_supervisor))

    page = bring(client, content, name)

    assert (page.status_code, said in page.text) == (422, True)


def test_the_calendar_is_not_an_operators_to_change(client, given):
    sign_in(client, given, given(lambda: a_principal("city_operator", region_code="440100")))

    assert client.get(PAGE).status_code == 403


def test_each_year_shows_its_versions_and_days(client, given):
    sign_in(client, given, given(a_supervisor))
    given(working_years.fill, NOW)

    page = client.get(f"{PAGE}/2026")

    assert "第 1 版（现行）" in page.text
    assert "2026-10-01" in page.text
