"""The Alipay gateway verifies, answers and pushes as the platform does, in GBK and in UTF-8."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, quote_plus, unquote_to_bytes, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from sandbox.alipay import signing
from sandbox.alipay.api import NICK_NAME
from sandbox.world import RESIDENT, alipay_user_id
from tests.sandbox import builders
from tests.sandbox.servers import FakeHall, Received, Sandbox, a_hall, a_sandbox

KEY = "gd-alipay"
APP_ID = "2016050901000001"
BEIJING = timezone(timedelta(hours=8))


@contextmanager
def a_pair(**account: Any) -> Iterator[tuple[FakeHall, Sandbox]]:
    with a_hall() as hall:
        raw = builders.raw_alipay(callback_url=hall.url + "/callbacks/x", **account)
        with a_sandbox(raw, hall_base=hall.url) as sandbox:
            yield hall, sandbox


def request_params(sandbox: Sandbox, method: str, biz: Any = None, **changes: str) -> dict[str, str]:
    moment = datetime.fromtimestamp(sandbox.clock.now, BEIJING)
    params = {
        "app_id": APP_ID,
        "method": method,
        "charset": "GBK",
        "sign_type": "RSA2",
        "timestamp": moment.strftime("%Y-%m-%d %H:%M:%S"),
        "version": "1.0",
        "biz_content": json.dumps(biz or {}, ensure_ascii=False),
        **changes,
    }
    return {name: value for name, value in params.items() if value}


def signed(params: dict[str, str], codec: str = "gbk") -> bytes:
    text = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
    mark = builders.hall_key().sign(text.encode(codec), padding.PKCS1v15(), hashes.SHA256())
    whole = {**params, "sign": base64.b64encode(mark).decode()}
    return "&".join(f"{name}={quote_plus(value.encode(codec))}" for name, value in whole.items()).encode()


def ask(sandbox: Sandbox, form: bytes, codec: str = "gbk") -> dict[str, Any]:
    """Post the form, check the platform's signature over the exact member, and return the member."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    text = sandbox.call("POST", "/alipay/gateway.do", data=form, headers=headers).content.decode(codec)
    answer: dict[str, Any] = json.loads(text)
    name = next(key for key in answer if key != "sign")
    if "sign" in answer:
        member = text[text.index(":") + 1 : text.rindex(',"sign":')]
        key = builders.platform_key().public_key()
        key.verify(
            base64.b64decode(answer["sign"]), member.encode(codec), padding.PKCS1v15(), hashes.SHA256()
        )
    return {"name": name, **answer[name]}


def call(sandbox: Sandbox, method: str, biz: Any = None, **changes: str) -> dict[str, Any]:
    return ask(sandbox, signed(request_params(sandbox, method, biz, **changes)))


def a_menu(**changes: Any) -> dict[str, Any]:
    return {"button": [{"name": "办事", "action_type": "out", "action_param": "SERVICES", **changes}]}


def test_a_menu_is_created_once_then_modified_and_handed_back() -> None:
    with a_pair() as (_hall, sandbox):
        name = "alipay.open.public.menu."

        codes = [
            call(sandbox, name + verb, a_menu())["code"] for verb in ("modify", "create", "create", "modify")
        ]

        assert codes == ["40004", "10000", "40004", "10000"]
        assert json.loads(call(sandbox, name + "query")["menu_content"]) == a_menu()
        assert sandbox.get(f"/control/chats/{KEY}")["menu"][0]["name"] == "办事"


@pytest.mark.parametrize(
    "menu",
    [
        pytest.param({}, id="no buttons"),
        pytest.param({"button": a_menu()["button"] * 5}, id="five entries"),
        pytest.param(a_menu(name="五个字名称"), id="name of five"),
        pytest.param(a_menu(action_type="fly"), id="unknown action"),
        pytest.param(a_menu(action_type="link", action_param="javascript:1"), id="no web address"),
        pytest.param(a_menu(action_param="p" * 256), id="long parameter"),
        pytest.param(a_menu(sub_button=a_menu()["button"] * 6), id="six below"),
        pytest.param({"button": [None]}, id="null for an entry"),
    ],
)
def test_a_menu_beyond_the_limits_is_a_business_failure(menu: Any) -> None:
    with a_pair() as (_hall, sandbox):
        answer = call(sandbox, "alipay.open.public.menu.create", menu)

        assert (answer["code"], answer["name"]) == ("40004", "alipay_open_public_menu_create_response")


@pytest.mark.parametrize(
    ("changes", "sub_code"),
    [
        pytest.param({"method": "alipay.trade.pay"}, "isv.invalid-method", id="unknown method"),
        pytest.param({"app_id": "1"}, "isv.invalid-app-id", id="unknown app"),
        pytest.param({"sign_type": "RSA"}, "isv.invalid-signature-type", id="old signature"),
        pytest.param({"timestamp": "today"}, "isv.invalid-timestamp", id="no time"),
        pytest.param({"timestamp": ""}, "isv.missing-timestamp", id="missing time"),
        pytest.param({"version": ""}, "isv.missing-version", id="missing version"),
        pytest.param({"charset": "KOI8"}, "isv.invalid-charset", id="unknown charset"),
    ],
)
def test_a_request_is_refused_with_the_platforms_reason(changes: dict[str, str], sub_code: str) -> None:
    with a_pair() as (_hall, sandbox):
        answer = call(sandbox, **{"method": "alipay.open.public.menu.query", **changes})

        assert (answer["name"], answer["sub_code"]) == ("error_response", sub_code)


def test_a_clock_in_utc_is_eight_hours_off_and_refused() -> None:
    with a_pair() as (_hall, sandbox):
        wrong = datetime.fromtimestamp(sandbox.clock.now, UTC).strftime("%Y-%m-%d %H:%M:%S")

        answer = call(sandbox, "alipay.open.public.menu.query", timestamp=wrong)

        assert answer["sub_code"] == "isv.invalid-timestamp"


def test_a_changed_parameter_breaks_the_signature() -> None:
    with a_pair() as (_hall, sandbox):
        form = signed(request_params(sandbox, "alipay.open.public.menu.create", a_menu()))

        answer = ask(sandbox, form.replace(b"SERVICES", b"OTHERS"))

        assert answer["sub_code"] == "isv.invalid-signature"


def test_utf8_is_understood_when_declared() -> None:
    with a_pair() as (_hall, sandbox):
        params = request_params(sandbox, "alipay.open.public.menu.create", a_menu(), charset="utf-8")

        assert ask(sandbox, signed(params, "utf-8"), "utf-8")["code"] == "10000"


@pytest.mark.parametrize(
    "form", [b"", b"charset=GBK&x=%FF", b"charset=%FF", b"a=1&a=2", b"\xff=1", b"biz_content="]
)
def test_a_broken_form_gets_an_answer(form: bytes) -> None:
    with a_pair() as (_hall, sandbox):
        answer = ask(sandbox, form, "utf-8")

        assert answer["code"] in ("40001", "40002")


def custom(content: Any, user: str = "") -> dict[str, Any]:
    return {"to_user_id": user or alipay_user_id(RESIDENT), "msg_type": "text", "text": {"content": content}}


def test_a_message_reaches_followers_within_48_hours() -> None:
    with a_pair() as (_hall, sandbox):
        method = "alipay.open.public.message.custom.send"
        before = call(sandbox, method, custom("您好"))["sub_code"]
        sandbox.act(KEY, "follow")
        within = call(sandbox, method, custom("您好"))["code"]
        sandbox.clock.now += 48 * 3600 + 1
        after = call(sandbox, method, custom("您好"))["sub_code"]

        assert (before, within, after) == ("USER_NOT_FOLLOW", "10000", "OUT_OF_SESSION")
        assert sandbox.get(f"/control/chats/{KEY}")["entries"][-1]["text"] == "您好"


@pytest.mark.parametrize("biz", [custom(""), custom(5), custom("好", "2088000000000000"), {"msg_type": "x"}])
def test_a_wrong_message_is_a_business_failure(biz: Any) -> None:
    with a_pair() as (_hall, sandbox):
        sandbox.act(KEY, "follow")

        assert call(sandbox, "alipay.open.public.message.custom.send", biz)["code"] == "40004"


def auth_code(sandbox: Sandbox, scope: str) -> str:
    params = {
        "app_id": APP_ID,
        "scope": scope,
        "redirect_uri": sandbox.world.config.hall_base + "/in",
        "state": "s",
    }
    path = "/alipay/oauth2/publicAppAuthorize.htm"
    response = sandbox.call("POST", path, params=params, allow_redirects=False)
    return parse_qs(urlsplit(response.headers["Location"]).query)["auth_code"][0]


def test_a_consent_becomes_a_token_once_and_then_a_name() -> None:
    with a_pair() as (_hall, sandbox):
        code = auth_code(sandbox, "auth_user")
        method, grant = "alipay.system.oauth.token", "authorization_code"

        first = call(sandbox, method, grant_type=grant, code=code)
        second = call(sandbox, method, grant_type=grant, code=code)
        person = call(sandbox, "alipay.user.info.share", auth_token=first["access_token"])

        assert (first["user_id"], second["sub_code"]) == (alipay_user_id(RESIDENT), "isv.code-invalid")
        assert person["nick_name"] == NICK_NAME


def test_a_base_consent_does_not_open_the_name() -> None:
    with a_pair() as (_hall, sandbox):
        code = auth_code(sandbox, "auth_base")
        token = call(sandbox, "alipay.system.oauth.token", grant_type="authorization_code", code=code)

        answer = call(sandbox, "alipay.user.info.share", auth_token=token["access_token"])

        assert answer["code"] == "20001"


def pushed(received: Received, codec: str) -> dict[str, str]:
    """Check the platform's signature with sign_type kept, and return the parameters."""
    parts = (part.partition(b"=") for part in received.body.replace(b"+", b" ").split(b"&"))
    params = {name.decode(): unquote_to_bytes(value).decode(codec) for name, _, value in parts}
    mark = base64.b64decode(params.pop("sign"))
    text = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
    key = builders.platform_key().public_key()
    key.verify(mark, text.encode(codec), padding.PKCS1v15(), hashes.SHA256())
    return params


@pytest.mark.parametrize(("charset", "codec"), [("GBK", "gbk"), ("UTF-8", "utf-8")])
def test_a_text_arrives_signed_in_the_accounts_charset(charset: str, codec: str) -> None:
    with a_pair(charset=charset) as (hall, sandbox):
        sandbox.act(KEY, "follow")
        sandbox.act(KEY, "text", "户籍 ]]> 办理")

        params = pushed(hall.received[-1], codec)
        xml = fromstring(params["biz_content"].split("?>", 1)[1])
        assert params["sign_type"] == "RSA2"
        assert (xml.findtext("AppId"), xml.findtext("Text/Content")) == (APP_ID, "户籍 ]]> 办理")
        assert xml.findtext("CreateTime") == str(int(sandbox.clock.now * 1000))


def test_following_entering_tapping_and_leaving_are_events() -> None:
    with a_pair() as (hall, sandbox):
        call(sandbox, "alipay.open.public.menu.create", a_menu())
        sandbox.act(KEY, "follow")
        sandbox.act(KEY, "tap", "SERVICES")
        sandbox.clock.now += 601
        sandbox.act(KEY, "enter")
        sandbox.act(KEY, "unfollow")

        xmls = [fromstring(pushed(r, "gbk")["biz_content"].split("?>", 1)[1]) for r in hall.received]
        assert [xml.findtext("EventType") for xml in xmls] == ["follow", "click", "enter", "unfollow"]


def handshake_answer(success: str = "true", key: str = "", codec: str = "gbk", tamper: str = "") -> bytes:
    bare = key or signing.bare_public_key(builders.hall_key().public_key())
    inner = f"<success>{success}</success><biz_content>{bare}</biz_content>"
    mark = builders.hall_key().sign(inner.encode(codec), padding.PKCS1v15(), hashes.SHA256())
    sign = base64.b64encode(mark).decode()
    frame = (
        f"<alipay><response>{inner}{tamper}</response><sign>{sign}</sign><sign_type>RSA2</sign_type></alipay>"
    )
    return ('<?xml version="1.0" encoding="GBK"?>' + frame).encode(codec)


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        pytest.param(handshake_answer(), True, id="good"),
        pytest.param(handshake_answer("false"), False, id="signed failure"),
        pytest.param(handshake_answer(key="AAAA"), False, id="another key"),
        pytest.param(handshake_answer(tamper=" "), False, id="inner text changed"),
        pytest.param(b"success", False, id="not XML"),
        pytest.param(b"\xff\xff", False, id="not GBK"),
    ],
)
def test_the_gateway_check_wants_our_key_signed(answer: bytes, passed: bool) -> None:
    with a_pair() as (hall, sandbox):
        hall.reply = lambda _received: answer

        assert sandbox.post(f"/control/accounts/{KEY}/handshake", {})["ok"] is passed
        assert pushed(hall.received[0], "gbk")["service"] == "alipay.service.check"


def test_the_switches_spoil_what_is_pushed() -> None:
    with a_pair() as (hall, sandbox):
        sandbox.act(KEY, "follow")
        hall.received.clear()
        for name in ("unsigned", "garbage", "duplicate", "replay_other_body"):
            sandbox.post("/control/switches", {"account": KEY, name: 1})
            sandbox.act(KEY, "text", "你好")

        bodies = [received.body for received in hall.received]
        assert b"&sign=" not in bodies[0]
        assert b"%FF%FE" in bodies[1]
        assert bodies[2] == bodies[3]
        assert len(bodies) == 6
        assert bodies[4].split(b"sign=")[1] != bodies[5]


@given(
    params=st.dictionaries(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), st.text(max_size=20), max_size=5)
)
def test_a_form_reads_back_as_it_was_written(params: dict[str, str]) -> None:
    params = {name: value for name, value in params.items() if name != "charset"}

    form = signing.encode_form({**params, "charset": "UTF-8"}, "UTF-8")

    assert signing.decode_form(form) == {**params, "charset": "UTF-8"}


@pytest.mark.parametrize("mark", ["", "!!!", "AAAA", "签名"])
def test_a_junk_signature_is_simply_not_good(mark: str) -> None:
    assert not signing.verify(builders.hall_key().public_key(), b"data", mark)
