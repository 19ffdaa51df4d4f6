"""Totals per rule over many pages."""

import csv
import io

import pytest

from mobile_pages.report.csv import COLUMNS, to_csv
from tests.mobile_pages.report.builders import a_page, a_refused_page, a_result, every_verdict


def rows(pages):
    return list(csv.DictReader(io.StringIO(to_csv(pages).decode("utf-8-sig"), newline="")))


def test_each_rule_is_a_row_with_how_many_pages_ended_how():
    first = a_page(a_result(), url="https://a.gov.cn/")
    second = a_page(a_result(verdict="pass"), url="https://b.gov.cn/")
    third = a_page(a_result(waiver="暂缓"), url="https://c.gov.cn/")

    row = rows([first, second, third])[0]

    counts = [row[name] for name in ("页面数", "通过", "不通过", "其中暂缓整改", "待人工")]
    assert counts == ["3", "1", "2", "1", "0"]
    assert row["不通过的页面"].split("\n") == ["https://a.gov.cn/", "https://c.gov.cn/"]


def test_spreadsheet_programs_read_it_as_utf_8():
    assert to_csv([]).startswith(b"\xef\xbb\xbf")


def test_it_is_written_also_when_there_is_nothing_to_count():
    assert to_csv([a_refused_page()]).decode("utf-8-sig").strip() == ",".join(COLUMNS)


def test_counts_add_up_to_the_pages_of_the_rule():
    for row in rows([a_page(*every_verdict())] * 3):
        ended = ("通过", "不通过", "待人工", "不适用", "未检测")
        assert sum(int(row[name]) for name in ended) == int(row["页面数"]) == 3


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", " =", "\u3000@", "\r"])
def test_no_cell_is_a_formula(start):
    page = a_page(a_result(title=f"{start}cmd|' /C calc'!A0"), url=f"{start}HYPERLINK(1)")

    row = rows([page])[0]

    assert row["内容"].startswith("'")
    assert row["不通过的页面"].startswith("'")
