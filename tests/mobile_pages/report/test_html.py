"""The report as one HTML file."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from selectolax.lexbor import LexborHTMLParser

from mobile_pages.report.html import to_html
from mobile_pages.spec.base import Profile
from tests.mobile_pages.report.builders import (
    NOW,
    PICTURE,
    a_finding,
    a_page,
    a_png,
    a_refused_page,
    a_result,
    a_screenshot,
    every_verdict,
)

BOX = (10.0, 300.0, 80.0, 20.0)
EVIL = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>"


def shown(*pages, pictures=True, **options):
    read = {PICTURE: a_png()}.get if pictures else {}.get
    return LexborHTMLParser(to_html(pages, read_picture=read, made_at=NOW, **options))


def a_page_with_a_box(box=BOX, **changes):
    finding = a_finding(rendering="plain-360", box=box)
    return a_page(a_result(findings=(finding,)), screenshots=(a_screenshot(),), **changes)


def test_it_loads_nothing_and_runs_nothing():
    tree = shown(a_page_with_a_box(), a_page(*every_verdict()))

    assert tree.css("script, link, iframe, object, style[src]") == []
    assert all(one.attributes["href"].startswith(("data:", "#")) for one in tree.css("image, use, a"))
    assert "default-src 'none'" in tree.css_first("meta[http-equiv]").attributes["content"]
    assert "url(" not in tree.css_first("style").text()


def test_what_a_page_holds_stays_text():
    finding = a_finding(where=EVIL, snippet=EVIL, selector=EVIL, advice=EVIL, measured=EVIL)
    result = a_result(findings=(finding,), measured=EVIL, reason=EVIL, title=EVIL, fix=EVIL, waiver="")

    tree = shown(a_page(result, name=EVIL, url=EVIL))

    assert tree.css("script, img, [onerror]") == []
    assert EVIL in tree.css_first("pre").text()


def test_faults_that_block_come_before_everything_else():
    text = shown(a_page(*every_verdict())).css_first("article").text()

    assert text.index("必须先改的 1 项") < text.index("MAS-LAY-01") < text.index("MAS-LAY-02")
    assert text.index("MAS-LAY-03") < text.index("其他条款") < text.index("MAS-LAY-04")


def test_a_fault_says_what_was_measured_and_how_to_mend_it():
    text = shown(a_page(a_result())).css_first(".rule").text()

    for words in ("10 px", "≥12 px", "怎么改：把字号调到 12 px 以上。", "p { font-size: 14px; }", "样例规范"):
        assert words in text


def test_the_box_is_drawn_on_the_picture_and_on_the_part_around_it():
    tree = shown(a_page_with_a_box())

    marks = [one.attributes for one in tree.css("rect.grave")]
    views = [one.attributes["viewBox"] for one in tree.css("figure svg")]
    assert [(one["x"], one["y"], one["width"], one["height"]) for one in marks] == [
        ("10.0", "300.0", "80.0", "20.0")
    ] * 2
    assert views == ["0 250.0 360 120", "0 0 360 900"]


@pytest.mark.parametrize(
    ("box", "drawn"),
    [
        pytest.param((-50.0, -9.0, 900.0, 40.0), ("1.0", "1.0", "358.0", "30.0"), id="wider than the screen"),
        pytest.param((0.0, 5000.0, 10.0, 10.0), None, id="below the picture"),
        pytest.param((400.0, 10.0, 10.0, 10.0), None, id="right of the picture"),
    ],
)
def test_boxes_are_cut_to_the_picture(box, drawn):
    marks = [one.attributes for one in shown(a_page_with_a_box(box)).css("rect")]

    found = {(one["x"], one["y"], one["width"], one["height"]) for one in marks}
    assert found == ({drawn} if drawn else set())


def test_each_picture_is_kept_once_however_often_it_is_shown():
    result = a_result(findings=(a_finding(rendering="plain-360", box=BOX),) * 3)

    tree = shown(a_page(result, screenshots=(a_screenshot(),)))

    assert len(tree.css("image")) == 1
    assert len(tree.css("use")) == 4


def test_a_picture_that_is_gone_is_left_out():
    tree = shown(a_page_with_a_box(), pictures=False)

    assert tree.css("svg") == []
    assert "10 px" in tree.css_first(".finding").text()


def test_many_pages_begin_with_a_list_and_the_commonest_faults():
    waived = a_result("MAS-TRN-01", waiver="本机")
    pages = [a_page(a_result(), waived, url=f"https://a{n}.gov.cn/", name=f"服务{n}") for n in range(3)]

    tree = shown(*pages, a_page(a_result("MAS-LAY-02", severity="should")))

    assert [one.text() for one in tree.css("main > section:first-child li a")][:3] == [
        "服务0",
        "服务1",
        "服务2",
    ]
    rows = [one.text(separator=" ", strip=True) for one in tree.css("main > section tbody tr")]
    assert rows == ["必须 条款 MAS-LAY-07 MAS-LAY-07 3", "建议 条款 MAS-LAY-02 MAS-LAY-02 1"]


def test_what_changed_since_the_last_check_is_told_with_both_pictures():
    before = a_page(a_result("MAS-LAY-01"), a_result("MAS-LAY-02", "pass"), screenshots=(a_screenshot(),))
    now = a_page(a_result("MAS-LAY-01", "pass"), a_result("MAS-LAY-02"), screenshots=(a_screenshot(),))

    tree = shown(now, previous={now.report.url: before})

    moved = [re.sub(r"\s+", " ", one.text()).strip() for one in tree.css("article li") if "项" in one.text()]
    assert moved == ["新出现 1 项 条款 MAS-LAY-02（MAS-LAY-02）", "已改好 1 项 条款 MAS-LAY-01（MAS-LAY-01）"]
    assert [one.text() for one in tree.css(".pair figcaption")] == ["上次", "这次"]


def test_a_page_that_always_passed_says_so():
    page = a_page(a_result(verdict="pass"))

    assert "两次都没有不通过的条款。" in shown(page, previous={page.report.url: page}).text()


def test_a_report_on_the_other_edition_is_no_earlier_one():
    page = a_page(a_result())
    elder = replace(page, report=replace(page.report, profile=Profile.ELDER))

    assert "与上次检测相比" not in shown(page, previous={page.report.url: elder}).text()


def test_an_address_that_was_refused_shows_the_reason_and_no_rules():
    tree = shown(a_refused_page())

    assert "不能检查" in tree.css_first("article .badge").text()
    assert "只支持 http 和 https 网址" in tree.css_first("article").text()
    assert tree.css("details, dt + dd + dt + dd + dt + dd + dt") == []


def test_on_paper_everything_is_unfolded():
    assert "open" in shown(a_page(*every_verdict()), for_print=True).css_first("details").attributes


def test_times_are_beijing_s():
    tree = shown(a_page(a_result()))

    assert tree.css_first("header .soft").text().startswith("2016-12-01 10:00")
    assert datetime(2016, 12, 1, 2, 0, tzinfo=UTC) == NOW
