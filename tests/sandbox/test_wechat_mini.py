"""The simulated WeChat judges what a mini program's server asks of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sandbox.config import ConfigError
from sandbox.world import RESIDENT, open_id
from tests.sandbox import builders
from tests.sandbox.servers import Sandbox, a_sandbox

RAW = builders.raw_mini()
KEY, APP_ID, SECRET = RAW["key"], RAW["app_id"], RAW["app_secret"]
OPEN_ID = open_id(APP_ID, RESIDENT)
NOTICE = {
    "touser": OPEN_ID,
    "template_id": "T-progress",
    "page": "pages/item/item?id=7",
    "miniprogram_state": "formal",
    "data": {"thing1": {"value": "户口迁移"}, "time2": {"value": "2026-11-22 12:00"}},
}
LINK = {"path": "pages/item/item", "query": "id=7", "expire_type": 1, "expire_interval": 30}


@contextmanager
def a_platform(**changes: Any) -> Iterator[tuple[Sandbox, str]]:
    """Yield a sandbox with one mini program, and its access token."""
    with a_sandbox(builders.raw_mini(**changes), builders.raw_wechat()) as sandbox:
        yield sandbox, token_of(sandbox)


def token_of(sandbox: Sandbox, app_id: str = APP_ID) -> str:
    body = {"grant_type": "client_credential", "appid": app_id, "secret": SECRET}
    return str(sandbox.post("/wechat/cgi-bin/stable_token", body)["access_token"])


def a_code(sandbox: Sandbox, kind: str = "login") -> str:
    return str(sandbox.post(f"/control/accounts/{KEY}/codes", {"kind": kind})["code"])


def session(sandbox: Sandbox, **changes: str) -> Any:
    asked = {"appid": APP_ID, "secret": SECRET, "grant_type": "authorization_code", **changes}
    return sandbox.get("/wechat/sns/jscode2session", **asked)


def ask(sandbox: Sandbox, token: str, path: str, body: Any) -> Any:
    return sandbox.post(f"/wechat/{path}?access_token={token}", body)


def test_a_login_code_tells_who_it_is_once() -> None:
    with a_platform() as (sandbox, _):
        code = a_code(sandbox)

        first, again = session(sandbox, js_code=code), session(sandbox, js_code=code)

    assert first["openid"] == OPEN_ID
    assert len(first["session_key"]) == 24
    assert again["errcode"] == 40163


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        pytest.param({"js_code": "stolen"}, 40029, id="unknown code"),
        pytest.param({"js_code": ""}, 41008, id="no code"),
        pytest.param({"secret": "f" * 32}, 40125, id="wrong secret"),
        pytest.param({"appid": "wxnobody"}, 40013, id="unknown account"),
        pytest.param({"appid": builders.raw_wechat()["app_id"]}, 40013, id="an official account"),
        pytest.param({"grant_type": "password"}, 40002, id="another grant"),
    ],
)
def test_a_login_that_is_not_right_is_refused(changes: dict[str, str], errcode: int) -> None:
    with a_platform() as (sandbox, _):
        answer = session(sandbox, **{"js_code": a_code(sandbox), **changes})

    assert answer["errcode"] == errcode


@pytest.mark.parametrize("kind", ["login", "phone"])
def test_a_code_is_good_for_five_minutes_and_for_one_thing(kind: str) -> None:
    with a_platform() as (sandbox, token):
        late, other = a_code(sandbox, kind), a_code(sandbox, "phone" if kind == "login" else "login")
        sandbox.clock.now += 301

        def use(code: str) -> int:
            if kind == "login":
                return int(session(sandbox, js_code=code)["errcode"])
            return int(ask(sandbox, token, "wxa/business/getuserphonenumber", {"code": code})["errcode"])

        assert (use(late), use(other)) == (42003, 40029)


def test_a_phone_code_gives_the_number_once() -> None:
    with a_platform() as (sandbox, token):
        body = {"code": a_code(sandbox, "phone")}

        first, again = (ask(sandbox, token, "wxa/business/getuserphonenumber", body) for _ in range(2))

    assert first["phone_info"]["purePhoneNumber"] == "02012345"
    assert first["phone_info"]["watermark"]["appid"] == APP_ID
    assert again["errcode"] == 40163


def test_one_consent_is_good_for_one_message() -> None:
    with a_platform() as (sandbox, token):
        before = ask(sandbox, token, "cgi-bin/message/subscribe/send", NOTICE)
        sandbox.act(KEY, "consent", "T-progress")
        sent, again = (ask(sandbox, token, "cgi-bin/message/subscribe/send", NOTICE) for _ in range(2))

    assert [before["errcode"], sent["errcode"], again["errcode"]] == [43101, 0, 43101]
    assert sent["msgid"]


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"page": "pages/none/none"}, 41030),
        ({"page": "https://a.cn/"}, 41030),
        ({"template_id": "T-none"}, 40037),
        ({"miniprogram_state": "beta"}, 47003),
        ({"touser": "o-nobody"}, 40003),
        ({"data": {"thing1": {"value": "办" * 21}, "time2": {"value": "1"}}}, 47003),
        ({"data": {"thing1": {"value": "办"}}}, 47003),
    ],
)
def test_a_message_that_is_not_right_uses_no_consent_up(changes: dict[str, Any], errcode: int) -> None:
    with a_platform() as (sandbox, token):
        sandbox.act(KEY, "consent", "T-progress")
        refused = ask(sandbox, token, "cgi-bin/message/subscribe/send", {**NOTICE, **changes})
        taken = ask(sandbox, token, "cgi-bin/message/subscribe/send", NOTICE)

    assert (refused["errcode"], taken["errcode"]) == (errcode, 0)


def test_the_two_kinds_of_account_keep_to_their_own_interfaces() -> None:
    with a_platform() as (sandbox, token):
        official = token_of(sandbox, builders.raw_wechat()["app_id"])

        assert ask(sandbox, token, "cgi-bin/menu/create", {"button": []})["errcode"] == 48001
        assert ask(sandbox, official, "wxa/generate_urllink", LINK)["errcode"] == 48001


def test_templates_are_listed_with_their_labels() -> None:
    with a_platform() as (sandbox, token):
        listed = sandbox.get("/wechat/wxaapi/newtmpl/gettemplate", access_token=token)["data"]

    assert [template["priTmplId"] for template in listed] == ["T-progress"]
    assert listed[0]["content"] == "事项:{{thing1.DATA}}\n时间:{{time2.DATA}}\n"


def test_a_link_opens_its_page_for_thirty_days() -> None:
    with a_platform() as (sandbox, token):
        link = {"value": ask(sandbox, token, "wxa/generate_urllink", LINK)["url_link"]}
        opened = sandbox.post(f"/control/accounts/{KEY}/open", link)
        sandbox.clock.now += 30 * 86_400

        late = sandbox.call("POST", f"/control/accounts/{KEY}/open", json=link)

    assert opened == {"path": "pages/item/item", "query": "id=7"}
    assert late.status_code == 409


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"path": "pages/none/none"}, 40165),
        ({"path": "/pages/item/item"}, 40165),
        ({"query": "q=中文"}, 40212),
        ({"query": "x" * 1025}, 40212),
        ({"expire_interval": 31}, 85401),
        ({"expire_type": 0}, 85401),
        ({"env_version": "beta"}, 85402),
    ],
)
def test_a_link_that_cannot_be_is_refused(changes: dict[str, Any], errcode: int) -> None:
    with a_platform() as (sandbox, token):
        url_link = ask(sandbox, token, "wxa/generate_urllink", {**LINK, **changes})
        ends = {name: {**LINK, **changes}[name] for name in ("expire_type", "expire_interval")}
        scheme = ask(
            sandbox, token, "wxa/generatescheme", {"jump_wxa": {**LINK, **changes}, "is_expire": True, **ends}
        )

    assert (url_link["errcode"], scheme["errcode"]) == (errcode, errcode)


def test_a_drawn_code_is_a_picture_that_opens_its_page() -> None:
    with a_platform() as (sandbox, token):
        body = {"scene": "item=7", "page": "pages/item/item", "width": 430}
        drawn = sandbox.call("POST", f"/wechat/wxa/getwxacodeunlimit?access_token={token}", json=body)
        opened = sandbox.post(f"/control/accounts/{KEY}/open", {"value": drawn.headers["X-Sandbox-Says"]})

    assert drawn.content.startswith(b"\x89PNG")
    assert opened == {"path": "pages/item/item", "query": "scene=item=7"}


@pytest.mark.parametrize(
    ("path", "body", "errcode"),
    [
        ("getwxacodeunlimit", {"scene": "x" * 33}, 40097),
        ("getwxacodeunlimit", {"scene": "中"}, 40097),
        ("getwxacodeunlimit", {"scene": "1", "page": "pages/none/none"}, 41030),
        ("getwxacodeunlimit", {"scene": "1", "width": 2000}, 40097),
        ("getwxacode", {"path": "pages/none/none"}, 41030),
        ("getwxacode", {"path": "pages/item/item", "env_version": "x"}, 85402),
        ("genwxashortlink", {"page_url": "pages/none/none"}, 40066),
    ],
)
def test_a_code_that_cannot_be_is_refused_in_json(path: str, body: dict[str, Any], errcode: int) -> None:
    with a_platform() as (sandbox, token):
        assert ask(sandbox, token, f"wxa/{path}", body)["errcode"] == errcode


def test_five_messages_follow_each_turn_of_the_resident() -> None:
    with a_platform() as (sandbox, token):
        sandbox.act(KEY, "enter")
        body = {"touser": OPEN_ID, "msgtype": "text", "text": {"content": "您好"}}

        codes = [ask(sandbox, token, "cgi-bin/message/custom/send", body)["errcode"] for _ in range(6)]
        sandbox.clock.now += 48 * 3600 + 1
        late = ask(sandbox, token_of(sandbox), "cgi-bin/message/custom/send", body)["errcode"]

    assert (codes, late) == ([0] * 5 + [45047], 45015)


@pytest.mark.parametrize(
    ("message", "errcode"),
    [
        ({"msgtype": "news", "news": {"articles": [{"title": "t"}]}}, 40008),
        ({"msgtype": "link", "link": {"title": "t", "url": "javascript:1"}}, 40066),
        ({"msgtype": "link", "link": {"url": "https://a.cn/"}}, 44004),
        ({"msgtype": "miniprogrampage", "miniprogrampage": {"title": "t", "thumb_media_id": "m"}}, 40007),
    ],
)
def test_messages_of_the_wrong_kind_are_refused(message: dict[str, Any], errcode: int) -> None:
    with a_platform() as (sandbox, token):
        sandbox.act(KEY, "enter")
        answer = ask(sandbox, token, "cgi-bin/message/custom/send", {"touser": OPEN_ID, **message})

    assert answer["errcode"] == errcode


def test_nobody_unfollows_a_mini_program() -> None:
    with a_platform() as (sandbox, _):
        answer = sandbox.call("POST", "/control/messages", json={"account": KEY, "kind": "unfollow"})

    assert answer.status_code == 409


def test_the_phone_lists_the_mini_program_and_takes_words_for_its_service() -> None:
    with a_platform() as (sandbox, _):
        home, chat = (sandbox.call("GET", f"/phone/{path}").text for path in ("", f"chat/{KEY}"))

    assert "微信小程序" in home
    assert "给小程序客服留言" in chat
    assert "取消关注" not in chat


@pytest.mark.parametrize("pages", [None, [], "pages/a/a", [7]])
def test_a_mini_program_needs_pages(pages: Any) -> None:
    with pytest.raises(ConfigError) as refused:
        builders.a_config(builders.raw_mini(pages=pages))

    assert any("pages" in problem for problem in refused.value.problems)


@pytest.mark.parametrize("body", [{"kind": "other"}, {}])
def test_a_code_of_no_kind_is_not_given(body: dict[str, str]) -> None:
    with a_platform() as (sandbox, _):
        assert sandbox.call("POST", f"/control/accounts/{KEY}/codes", json=body).status_code == 422
