"""The report on paper, printed by the real browser."""

import io

import pytest
from pypdf import PdfReader

from mobile_pages.gather.browser import BrowserMissing
from mobile_pages.report.html import to_html
from mobile_pages.report.pdf import to_pdf
from tests.mobile_pages.report.builders import NOW, PICTURE, a_page, a_png, a_screenshot, every_verdict


def printed(*pages):
    html = to_html(pages, read_picture={PICTURE: a_png()}.get, made_at=NOW, for_print=True)
    return PdfReader(io.BytesIO(to_pdf(html)))


@pytest.mark.browser
def test_chinese_is_text_on_numbered_a4_pages():
    page = a_page(*every_verdict(), screenshots=(a_screenshot(),))

    paper = printed(page, page)

    text = "".join(one.extract_text() for one in paper.pages)
    assert "必须先改的 1 项" in text
    assert "把字号调到 12 px 以上" in text
    assert f"第 2 页，共 {len(paper.pages)} 页" in text
    assert [round(float(side) / 72 * 25.4) for side in paper.pages[0].mediabox[2:]] == [210, 297]


@pytest.mark.browser
def test_it_has_a_title_and_an_outline_and_is_tagged():
    paper = printed(a_page(*every_verdict()))

    assert paper.metadata.title == "手机版接入规范检测报告：社保查询"
    assert paper.outline
    assert paper.trailer["/Root"]["/MarkInfo"]["/Marked"]


@pytest.mark.browser
def test_nothing_is_run_or_fetched_while_printing():
    html = "<p>之前</p><script>document.body.innerText = '之后'</script><img src='http://127.0.0.1:9/'>"

    text = PdfReader(io.BytesIO(to_pdf(html))).pages[0].extract_text()

    assert "之前" in text
    assert "之后" not in text


def test_without_a_browser_it_says_so(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(BrowserMissing, match="chromium-headless-shell"):
        to_pdf("<p>报告</p>")
