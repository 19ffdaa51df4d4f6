"""Paths, links and drawn codes of a mini program's pages, and whose web view asks."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import ChannelError, MiniCode, Outcome, PageMedium
from channels.wechat_mini.links import MAX_QUERY_CHARS, place_of
from tests.channels import platform_wechat_mini as mini
from tests.channels.builders import an_adapter
from tests.channels.server import a_platform

AGENT = "Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.50.1(0x2)"
OUTSIDE = [PageMedium.URL_LINK, PageMedium.SCHEME, PageMedium.SHORT_LINK]


def asked(medium: PageMedium, url: str = "pages/item/item?id=7", **config: str) -> Any:
    """Return what the platform was asked for a link."""
    api = mini.Api()
    with a_platform(api) as server, an_adapter(mini, server.base_url, **config) as adapter:
        adapter.page_link(url, {"from": "sms"}, medium)
    return api.sent[-1]


def drawn(code: MiniCode, **config: str) -> tuple[str, Any]:
    """Return where a code was asked for, and what was asked."""
    api = mini.Api()
    with a_platform(api) as server, an_adapter(mini, server.base_url, **config) as adapter:
        picture = adapter.mini_code(code)
    assert picture.content == mini.PICTURE
    return urlsplit(server.calls[-1].target).path, api.drawn[-1]


def test_a_web_page_opens_in_the_page_that_shows_web_pages() -> None:
    with an_adapter(mini, web_page="pages/h5/h5") as adapter:
        link = adapter.page_link("https://a.cn/p?x=1&y=中#top", {"from": "公众号"}, PageMedium.MINI_PATH)

    page, _, query = link.value.partition("?")
    assert page == "pages/h5/h5"
    assert parse_qs(parse_qs(query)["url"][0].partition("?")[2].partition("#")[0])["from"] == ["公众号"]


def test_a_url_link_names_page_query_version_and_end() -> None:
    assert asked(PageMedium.URL_LINK, state="trial") == {
        "path": "pages/item/item",
        "query": "id=7&from=sms",
        "env_version": "trial",
        "is_expire": True,
        "expire_type": 1,
        "expire_interval": 30,
    }


def test_a_scheme_holds_the_page_in_an_object_of_its_own() -> None:
    body = asked(PageMedium.SCHEME)

    opened = {"path": "pages/item/item", "query": "id=7&from=sms", "env_version": "release"}
    assert (body["jump_wxa"], body["expire_interval"]) == (opened, 30)


def test_a_short_link_holds_page_and_query_together() -> None:
    body = asked(PageMedium.SHORT_LINK)

    assert body == {"page_url": "pages/item/item?id=7&from=sms", "is_permanent": False}


@pytest.mark.parametrize(
    ("errcode", "outcome"),
    [(40165, Outcome.BAD_TEMPLATE), (43104, Outcome.AUTH), (44990, Outcome.QUOTA), (44993, Outcome.QUOTA)],
)
def test_a_refused_link_says_why(errcode: int, outcome: Outcome) -> None:
    answers = {"/wxa/generate_urllink": {"errcode": errcode, "errmsg": "no"}}

    with (
        a_platform(mini.Api(answers)) as server,
        an_adapter(mini, server.base_url) as adapter,
        pytest.raises(ChannelError) as refused,
    ):
        adapter.page_link("pages/a/a", {}, PageMedium.URL_LINK)

    assert (refused.value.code, refused.value.outcome) == (str(errcode), outcome)


@pytest.mark.parametrize("answer", [{}, {"url_link": ""}, {"url_link": 7}])
def test_an_answer_without_a_link_is_garbage(answer: dict[str, Any]) -> None:
    with (
        a_platform(mini.Api({"/wxa/generate_urllink": answer})) as server,
        an_adapter(mini, server.base_url) as adapter,
        pytest.raises(ChannelError) as refused,
    ):
        adapter.page_link("pages/a/a", {}, PageMedium.URL_LINK)

    assert refused.value.code == "garbage"


@pytest.mark.parametrize(
    "url", ["", "/pages/a/a", "javascript:alert(1)", "ftp://a.cn/", "pages/a a", "pages/a?b=中"]
)
@pytest.mark.parametrize("medium", [*OUTSIDE, PageMedium.MINI_PATH])
def test_what_is_no_page_makes_no_link(url: str, medium: PageMedium) -> None:
    with an_adapter(mini) as adapter, pytest.raises(ChannelError) as refused:
        adapter.page_link(url, {}, medium)

    assert refused.value.code == "bad_page"


def test_an_address_too_long_for_a_query_makes_no_link() -> None:
    with an_adapter(mini) as adapter, pytest.raises(ChannelError) as refused:
        adapter.page_link("https://a.cn/?x=" + "y" * MAX_QUERY_CHARS, {}, PageMedium.URL_LINK)

    assert refused.value.code == "bad_page"


@settings(max_examples=50)
@given(value=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_parameter_arrives_whole_and_none_breaks_out(value: str) -> None:
    place = place_of("pages/a/a", {"q": value}, "")

    assert place.query.isascii()
    assert unquote(place.query.partition("=")[2]) == value
    assert place.query.count("&") == 0


def test_a_code_with_a_scene_is_of_the_kind_without_number() -> None:
    path, body = drawn(MiniCode("pages/item/item", "item=7&d=desk", width_px=280))

    assert path == "/wxa/getwxacodeunlimit"
    assert (body["scene"], body["page"], body["width"]) == ("item=7&d=desk", "pages/item/item", 280)
    assert (body["check_path"], body["env_version"]) == (True, "release")


def test_a_code_for_a_trial_may_name_a_page_that_is_not_out_yet() -> None:
    _, body = drawn(MiniCode("pages/new/new", "7"), state="trial")

    assert (body["check_path"], body["env_version"]) == (False, "trial")


def test_codes_without_scene_carry_the_query_round_or_square() -> None:
    round_path, body = drawn(MiniCode("pages/item/item?id=7"))
    square_path, square = drawn(MiniCode("pages/item/item?id=7", square=True))
    _, scened = drawn(MiniCode("pages/item/item", "a=1", square=True))

    assert (round_path, body["path"]) == ("/wxa/getwxacode", "pages/item/item?id=7")
    assert (square_path, square["path"]) == ("/cgi-bin/wxaapp/createwxaqrcode", "pages/item/item?id=7")
    assert scened["path"] == "pages/item/item?scene=a%3D1"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        pytest.param(MiniCode("pages/a/a", "x" * 33), "bad_scene", id="scene too long"),
        pytest.param(MiniCode("pages/a/a", "中文"), "bad_scene", id="scene in Chinese"),
        pytest.param(MiniCode("pages/a/a", "a b"), "bad_scene", id="scene with a gap"),
        pytest.param(MiniCode("pages/a/a", "50%"), "bad_scene", id="scene with per cent"),
        pytest.param(MiniCode("pages/a/a?b=1", "7"), "bad_page", id="query and scene"),
        pytest.param(MiniCode("pages/a/a?b=" + "x" * 1100), "bad_page", id="path too long"),
        pytest.param(
            MiniCode("pages/a/a?b=" + "x" * 120, square=True), "bad_page", id="too long for a square"
        ),
        pytest.param(MiniCode("pages/a/a", "7", width_px=279), "bad_width", id="too small"),
        pytest.param(MiniCode("pages/a/a", "7", width_px=1281), "bad_width", id="too large"),
    ],
)
def test_a_code_that_cannot_be_drawn_is_not_asked_for(code: MiniCode, reason: str) -> None:
    with an_adapter(mini) as adapter, pytest.raises(ChannelError) as refused:
        adapter.mini_code(code)

    assert refused.value.code == reason


@pytest.mark.parametrize(
    ("answer", "code", "outcome"),
    [
        ({"errcode": 41030, "errmsg": "invalid page"}, "41030", Outcome.BAD_TEMPLATE),
        ({"errcode": 45009, "errmsg": "quota"}, "45009", Outcome.QUOTA),
        ({"errcode": 45029, "errmsg": "count"}, "45029", Outcome.QUOTA),
    ],
)
def test_an_error_in_place_of_a_picture_is_understood(
    answer: dict[str, Any], code: str, outcome: Outcome
) -> None:
    with (
        a_platform(mini.Api({"/wxa/getwxacodeunlimit": answer})) as server,
        an_adapter(mini, server.base_url) as adapter,
        pytest.raises(ChannelError) as refused,
    ):
        adapter.mini_code(MiniCode("pages/a/a", "7"))

    assert (refused.value.code, refused.value.outcome) == (code, outcome)


@pytest.mark.parametrize("body", [b"", b"<html>502</html>", b"{}", b'{"errcode":0}', b"[1]", b"\x00" * 99])
def test_what_is_neither_picture_nor_error_is_garbage(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mini, "PICTURE", body)

    with (
        a_platform(mini.Api()) as server,
        an_adapter(mini, server.base_url) as adapter,
        pytest.raises(ChannelError) as refused,
    ):
        adapter.mini_code(MiniCode("pages/a/a", "7"))

    assert refused.value.code == "garbage"


def test_a_dropped_token_is_fetched_anew_for_a_picture() -> None:
    api = mini.Api()

    with a_platform(api) as server, an_adapter(mini, server.base_url) as adapter:
        adapter.mini_code(MiniCode("pages/a/a", "7"))
        api.drop_token()
        picture = adapter.mini_code(MiniCode("pages/a/a", "8"))

    assert picture.content_type == "image/png"
    assert (api.issued, [body["scene"] for body in api.drawn]) == (2, ["7", "8"])


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        pytest.param({"User-Agent": f"{AGENT} miniProgram/{mini.APP_ID}"}, True, id="Android says so"),
        pytest.param(
            {"User-Agent": AGENT, "Referer": f"https://servicewechat.com/{mini.APP_ID}/12/page-frame.html"},
            True,
            id="our referer",
        ),
        pytest.param(
            {"User-Agent": AGENT, "Referer": "https://servicewechat.com/wxother/12/"}, False, id="another's"
        ),
        pytest.param(
            {"User-Agent": AGENT, "Referer": f"https://evil.cn/?servicewechat.com/{mini.APP_ID}/1/"},
            False,
            id="not the platform's host",
        ),
        pytest.param({"User-Agent": AGENT}, False, id="the app itself"),
        pytest.param({"User-Agent": "miniProgram"}, False, id="not the app"),
    ],
)
def test_the_web_view_is_told_from_the_headers(headers: dict[str, str], ours: bool) -> None:
    with an_adapter(mini) as adapter:
        client = adapter.detect(headers)

    assert (client is not None) is ours
    assert client is None or (client.channel, client.mini_program) == ("wechat_mini", True)


def test_what_pages_must_heed_names_domains_and_https() -> None:
    with an_adapter(mini) as adapter:
        rules = {rule.code for rule in adapter.page_rules() if rule.required}

    assert {"wechat-mini-business-domain", "wechat-mini-https", "wechat-mini-frames"} <= rules


def test_the_health_is_asked_by_a_call_that_changes_nothing() -> None:
    with a_platform(mini.Api()) as server, an_adapter(mini, server.base_url) as adapter:
        health = adapter.probe()

    assert health.ok
    assert [json.loads(call.body or b"0") for call in server.calls][-1] == 0
    assert server.calls[-1].target.startswith("/cgi-bin/get_api_domain_ip?")
