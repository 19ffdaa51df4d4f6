"""The interfaces of api.weixin.qq.com grant what WeChat grants and refuse what it refuses."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox.wechat.tokens import TokenBook
from sandbox.world import RESIDENT, open_id
from tests.sandbox import builders
from tests.sandbox.servers import Sandbox, a_sandbox

KEY = "gd-wechat"
APP_ID = "wxba5fad812f8e6fb9"
SECRET = "0123456789abcdef0123456789abcdef"
OPEN_ID = open_id(APP_ID, RESIDENT)


def token_of(sandbox: Sandbox, **changes: str) -> dict[str, Any]:
    params = {"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET, **changes}
    answer: dict[str, Any] = sandbox.get("/wechat/cgi-bin/token", **params)
    return answer


def send(sandbox: Sandbox, path: str, body: Any, token: str | None = None) -> dict[str, Any]:
    token = token or token_of(sandbox)["access_token"]
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    answer: dict[str, Any] = sandbox.call(
        "POST", f"/wechat/cgi-bin/{path}", params={"access_token": token}, data=raw
    ).json()
    return answer


def a_menu(**changes: Any) -> dict[str, Any]:
    return {"button": [{"type": "click", "name": "办事", "key": "SERVICES", **changes}]}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"grant_type": "x"}, 40002, id="grant type"),
        pytest.param({"appid": ""}, 41002, id="no app id"),
        pytest.param({"appid": "wx0"}, 40013, id="unknown app id"),
        pytest.param({"secret": ""}, 41004, id="no secret"),
        pytest.param({"secret": "wrong"}, 40125, id="wrong secret"),
    ],
)
def test_a_token_is_refused_with_the_reason(change: dict[str, str], code: int) -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        assert token_of(sandbox, **change)["errcode"] == code


def test_a_new_token_leaves_the_old_one_five_minutes() -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        first, second = token_of(sandbox)["access_token"], token_of(sandbox)["access_token"]

        assert send(sandbox, "menu/get", {}, first)["errcode"] == 46003
        sandbox.clock.now += 301
        assert send(sandbox, "menu/get", {}, first)["errcode"] == 40001
        assert send(sandbox, "menu/get", {}, second)["errcode"] == 46003


def test_a_missing_and_a_dropped_token_are_told_apart() -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        token = token_of(sandbox)["access_token"]
        sandbox.post("/control/switches", {"account": KEY, "drop_token": True})

        assert sandbox.get("/wechat/cgi-bin/menu/get")["errcode"] == 41001
        assert send(sandbox, "menu/get", {}, token)["errcode"] == 40001


def test_a_token_that_lived_its_whole_life_is_expired() -> None:
    clock = builders.SetClock()
    book = TokenBook(clock)
    token = book.stable()

    clock.now += 7200

    assert book.judge(token.value) == 42001


def test_the_stable_token_stays_the_same_until_five_minutes_before_its_end() -> None:
    clock = builders.SetClock()
    book = TokenBook(clock)
    first = book.stable()

    clock.now += 6899
    again = book.stable()
    clock.now += 2
    renewed = book.stable()

    assert again.value == first.value != renewed.value
    assert (book.judge(first.value), book.judge(renewed.value)) == (0, 0)


def test_the_two_kinds_of_token_do_not_touch_each_other() -> None:
    book = TokenBook(builders.SetClock())

    stable, ordinary = book.stable(), book.ordinary()

    assert ordinary is not None
    assert [book.judge(stable.value), book.judge(ordinary.value)] == [0, 0]


def test_a_forced_refresh_ends_the_old_token_and_may_not_come_again_at_once() -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        body = {"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET}
        old = sandbox.post("/wechat/cgi-bin/stable_token", body)["access_token"]

        new = sandbox.post("/wechat/cgi-bin/stable_token", {**body, "force_refresh": True})["access_token"]
        too_soon = sandbox.post("/wechat/cgi-bin/stable_token", {**body, "force_refresh": True})

        assert send(sandbox, "menu/get", {}, old)["errcode"] == 40001
        assert send(sandbox, "menu/get", {}, new)["errcode"] == 46003
        assert too_soon["errcode"] == 45011


def test_forcing_more_than_twenty_times_a_day_is_refused() -> None:
    clock = builders.SetClock()
    book = TokenBook(clock)
    for _ in range(20):
        assert book.stable_forced() is not None
        clock.now += 31

    assert book.stable_forced() is None


def test_a_published_menu_is_handed_back_and_shown_on_the_phone() -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        assert send(sandbox, "menu/create", a_menu())["errcode"] == 0

        assert send(sandbox, "menu/get", {})["menu"] == a_menu()
        assert send(sandbox, "get_current_selfmenu_info", {})["is_menu_open"] == 1
        assert sandbox.get(f"/control/chats/{KEY}")["menu"][0]["name"] == "办事"
        assert send(sandbox, "menu/delete", {})["errcode"] == 0
        assert send(sandbox, "menu/get", {})["errcode"] == 46003


def sub_menu(**changes: Any) -> dict[str, Any]:
    child = {"type": "view", "name": "户政", "url": "http://127.0.0.1/huzheng/", **changes}
    return a_menu(sub_button=[child])


@pytest.mark.parametrize(
    ("menu", "code"),
    [
        pytest.param({}, 40016, id="no buttons"),
        pytest.param({"button": a_menu()["button"] * 4}, 40016, id="four buttons"),
        pytest.param(a_menu(type="fly"), 40017, id="unknown type"),
        pytest.param(a_menu(name="六个字的名称"), 40018, id="long name"),
        pytest.param(a_menu(key="k" * 129), 40019, id="long key"),
        pytest.param(a_menu(type="view", url="http://x/" + "u" * 1020), 40020, id="long address"),
        pytest.param(a_menu(type="view", url="javascript:alert(1)"), 40055, id="not a web address"),
        pytest.param(a_menu(sub_button=sub_menu()["button"][0]["sub_button"] * 6), 40023, id="six sub-menus"),
        pytest.param(sub_menu(type="fly"), 40024, id="unknown type below"),
        pytest.param(sub_menu(name="名" * 21), 40025, id="long name below"),
        pytest.param(sub_menu(type="click", key=""), 40026, id="empty key below"),
        pytest.param(sub_menu(url=""), 40027, id="empty address below"),
        pytest.param(sub_menu(url="http://[x"), 40054, id="broken address below"),
        pytest.param({"button": [None]}, 40017, id="null for a button"),
        pytest.param(b'{"button":[{"type":"click","name":"\\u529e","key":"k"}]}', 40033, id="escaped text"),
        pytest.param(b"", 44002, id="empty body"),
        pytest.param(b"[]", 47001, id="not an object"),
        pytest.param(b"\xff", 47001, id="not UTF-8"),
    ],
)
def test_a_menu_beyond_the_limits_is_refused(menu: Any, code: int) -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        assert send(sandbox, "menu/create", menu)["errcode"] == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param({"touser": "x", "msgtype": "text"}, 40003, id="unknown person"),
        pytest.param({"touser": OPEN_ID, "msgtype": "poem"}, 40008, id="unknown type"),
        pytest.param({"touser": OPEN_ID, "msgtype": "text", "text": {"content": ""}}, 44004, id="empty"),
        pytest.param(
            {"touser": OPEN_ID, "msgtype": "text", "text": {"content": "长" * 700}}, 45002, id="long"
        ),
        pytest.param({"touser": OPEN_ID, "msgtype": "news", "news": {"articles": []}}, 44003, id="no card"),
        pytest.param(
            {"touser": OPEN_ID, "msgtype": "news", "news": {"articles": [{}, {}]}}, 45008, id="two cards"
        ),
    ],
)
def test_a_message_to_a_follower_is_refused_for_its_fault(body: Any, code: int) -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        sandbox.act(KEY, "follow")

        assert send(sandbox, "message/custom/send", body)["errcode"] == code


def test_a_message_is_taken_within_48_hours_only() -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        body = {"touser": OPEN_ID, "msgtype": "text", "text": {"content": "已办结"}}
        before = send(sandbox, "message/custom/send", body)["errcode"]
        sandbox.act(KEY, "follow")
        within = send(sandbox, "message/custom/send", body)["errcode"]
        sandbox.clock.now += 48 * 3600 + 1

        assert (before, within, send(sandbox, "message/custom/send", body)["errcode"]) == (43004, 0, 45015)


def test_switches_spoil_the_next_call_and_no_more() -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        token = token_of(sandbox)["access_token"]
        sandbox.post("/control/switches", {"account": KEY, "quota_45009": 1, "api_busy": 1})

        codes = [send(sandbox, "menu/get", {}, token)["errcode"] for _ in range(3)]

        assert codes == [-1, 45009, 46003]


def test_a_garbled_answer_is_no_json() -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        sandbox.post("/control/switches", {"account": KEY, "api_garbage": 1})

        response = sandbox.call(
            "GET",
            "/wechat/cgi-bin/token",
            params={"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET},
        )

        assert response.status_code == 502


def consent(sandbox: Sandbox, **changes: str) -> Any:
    params = {
        "appid": APP_ID,
        "redirect_uri": "http://127.0.0.1:9/sign-in?next=%2F",
        "response_type": "code",
        "scope": "snsapi_userinfo",
        "state": "a&b=c",
        **changes,
    }
    path = "/wechat/connect/oauth2/authorize"
    return sandbox.call("POST", path, params=params, allow_redirects=False)


def exchange(sandbox: Sandbox, code: str) -> dict[str, Any]:
    params = {"appid": APP_ID, "secret": SECRET, "code": code, "grant_type": "authorization_code"}
    answer: dict[str, Any] = sandbox.get("/wechat/sns/oauth2/access_token", **params)
    return answer


def test_a_consent_gives_a_code_that_works_once() -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        query = parse_qs(urlsplit(consent(sandbox).headers["Location"]).query)

        granted = exchange(sandbox, query["code"][0])

        assert (query["state"], query["next"]) == (["a&b=c"], ["/"])
        assert granted["openid"] == OPEN_ID
        assert exchange(sandbox, query["code"][0])["errcode"] == 40163
        assert exchange(sandbox, "nonsense")["errcode"] == 40029


def test_the_code_is_worth_nothing_after_five_minutes() -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        query = parse_qs(urlsplit(consent(sandbox).headers["Location"]).query)
        sandbox.clock.now += 301

        assert exchange(sandbox, query["code"][0])["errcode"] == 42003


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "http://evil.example/"},
        {"scope": "all"},
        {"appid": "wx0"},
        {"redirect_uri": "javascript:1"},
    ],
)
def test_a_consent_for_a_wrong_request_is_refused(change: dict[str, str]) -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        assert consent(sandbox, **change).status_code == 400
