"""The sample pages answer as their rows in the catalogue promise, and one of them falls down on time."""

from __future__ import annotations

import re

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from sandbox.config import OutagePlan
from sandbox.pages.catalogue import load_content, load_pages
from sandbox.pages.outage import is_up_by_plan, seconds_to_change
from tests.sandbox import builders
from tests.sandbox.servers import a_sandbox, sample_pages

PAGES = load_pages()
GOOD = [slug for slug in PAGES if slug in load_content()]
PLAN = OutagePlan(60, 75, 120)
ALIPAY = "Mozilla/5.0 (Linux; Android 12) AliApp(AP/10.3.0) AlipayClient/10.3.0"


@pytest.mark.parametrize(
    ("elapsed", "up", "left"),
    [
        (0, True, 60),
        (59.5, True, 0.5),
        (60, False, 75),
        (134, False, 1),
        (135, True, 120),
        (254, True, 1),
        (255, False, 75),
        (330, True, 120),
    ],
)
def test_the_outage_keeps_its_rhythm(elapsed: float, up: bool, left: float) -> None:
    assert is_up_by_plan(PLAN, elapsed) is up
    assert seconds_to_change(PLAN, elapsed) == left


@given(elapsed=st.floats(min_value=-1000, max_value=1e6))
def test_the_state_holds_until_the_change_and_then_turns(elapsed: float) -> None:
    left = seconds_to_change(PLAN, elapsed)
    state = is_up_by_plan(PLAN, elapsed)

    assert left > 0
    assert is_up_by_plan(PLAN, elapsed + left * 0.99) is state
    assert is_up_by_plan(PLAN, elapsed + left + 0.001) is not state


def test_the_catalogue_names_every_page_with_full_addresses() -> None:
    with sample_pages() as (base, _outage, _clock):
        rows = requests.get(base + "/catalogue.json", timeout=5).json()["pages"]

        assert len(rows) == len(PAGES) >= 14
        assert all(row["url"] == f"{base}/{row['slug']}/" for row in rows)
        assert all(len(row["name"]) <= 6 and 20 <= len(row["description"]) <= 200 for row in rows)
        assert len({row["hotline"] for row in rows}) == len(rows)


@pytest.mark.parametrize("slug", GOOD)
def test_a_good_page_carries_what_the_spec_asks_of_the_wire(slug: str) -> None:
    with sample_pages() as (base, _outage, _clock):
        response = requests.get(f"{base}/{slug}/", timeout=5)

        page, text = PAGES[slug], response.text
        assert response.content.startswith(b"<!doctype html>")
        assert 'charset="utf-8"' in text[:300]
        assert '<html lang="zh-CN">' in text
        assert f"<title>{page.name}</title>" in text
        assert f"服务提供单位：{page.provider}" in text
        assert f'href="tel:{page.hotline_digits}"' in text
        assert response.headers["Content-Encoding"] == "gzip"
        assert not re.search(r"\d", response.headers["Server"])
        assert "frame-ancestors" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("slug", GOOD)
def test_a_good_page_has_no_dead_link_in_either_edition(slug: str) -> None:
    with sample_pages() as (base, _outage, _clock):
        for start in (f"/{slug}/", f"/{slug}/?style=elder", f"/{slug}/guide?style=elder"):
            text = requests.get(base + start, timeout=5).text
            links = {
                link.replace("&amp;", "&") for link in re.findall(r'(?:href|src|action)="(/[^"]*)"', text)
            }
            assert links
            assert {requests.get(base + link, timeout=5).status_code for link in links} == {200}


def test_the_style_sheet_may_be_kept_for_a_year_under_its_own_name() -> None:
    with sample_pages() as (base, _outage, _clock):
        name = re.findall(
            r"/assets/pages\.[0-9a-f]{12}\.css", requests.get(base + "/huzheng/", timeout=5).text
        )[0]

        assert "max-age=31536000" in requests.get(base + name, timeout=5).headers["Cache-Control"]
        assert requests.get(base + "/assets/pages.000000000000.css", timeout=5).status_code == 404


def test_the_page_falls_down_on_time_and_comes_back() -> None:
    with sample_pages() as (base, _outage, clock):
        states = []
        for seconds in (0, 61, 80):
            clock.now += seconds
            response = requests.get(base + "/dianti/", timeout=5)
            states.append((response.status_code, "Retry-After" in response.headers))

        assert states == [(200, False), (503, True), (200, False)]


def test_the_outage_can_be_forced_and_released() -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        seen = []
        for state in ("down", "up", "auto"):
            sandbox.post("/control/pages", {"state": state})
            seen.append(sandbox.get("/control/pages")["up"])

        assert seen == [False, True, True]
        assert sandbox.call("POST", "/control/pages", json={"state": "sideways"}).status_code == 422


def fetch(base: str, slug: str, agent: str = "Mozilla/5.0") -> requests.Response:
    return requests.get(f"{base}/{slug}/", headers={"User-Agent": agent}, timeout=5)


def test_the_blank_page_is_blank_in_alipay_only() -> None:
    with sample_pages() as (base, _outage, _clock):
        assert "票据号码" in fetch(base, "caizheng").text
        assert "票据号码" not in fetch(base, "caizheng", ALIPAY).text


def test_the_mislabelled_page_is_gbk_called_utf8() -> None:
    with sample_pages() as (base, _outage, _clock):
        response = fetch(base, "shenji")

        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "审计公告" in response.content.decode("gbk")
        with pytest.raises(UnicodeDecodeError):
            response.content.decode("utf-8")


def test_the_looping_page_never_ends() -> None:
    with sample_pages() as (base, _outage, _clock), pytest.raises(requests.TooManyRedirects):
        fetch(base, "guangdian")


def test_the_hanging_page_says_nothing() -> None:
    with sample_pages() as (base, _outage, _clock), pytest.raises(requests.ReadTimeout):
        requests.get(base + "/zhuanli/", timeout=0.5)


def test_the_endless_page_keeps_coming() -> None:
    with (
        sample_pages() as (base, _outage, _clock),
        requests.get(base + "/zhongshan-zhibo/", stream=True, timeout=5) as response,
    ):
        chunks = response.iter_content(None)

        assert "庭审直播" in next(chunks).decode()
        assert "正在载入" in next(chunks).decode()


@pytest.mark.parametrize(
    ("slug", "trace"),
    [
        ("keji", "user-scalable=no"),
        ("tongji", "<title>欢迎光临本站首页</title>"),
        ("zhongyi", "setInterval"),
        ("guozi", "width: 760px"),
        ("foshan-tingche", 'class="small"'),
        ("dongguan-xuewei", "width: 980px"),
        ("sifa", "#b4b9bf"),
    ],
)
def test_a_faulty_page_has_its_fault(slug: str, trace: str) -> None:
    with sample_pages() as (base, _outage, _clock):
        assert trace in fetch(base, slug).text


def test_the_page_without_footer_names_neither_body_nor_hotline() -> None:
    with sample_pages() as (base, _outage, _clock):
        text = fetch(base, "shuili").text

        assert "服务提供单位" not in text
        assert "tel:" not in text


def test_the_download_is_no_page() -> None:
    with sample_pages() as (base, _outage, _clock):
        assert fetch(base, "zhuhai-biaoge").headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "path", ["/nothing/", "/huzheng/nothing", "/keji/guide", "/assets/x", "/nothing/health"]
)
def test_an_unknown_address_is_not_found(path: str) -> None:
    with sample_pages() as (base, _outage, _clock):
        assert requests.get(base + path, timeout=5).status_code == 404
