"""Alipay mini programs: phone numbers, messages, links and codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import registry
from channels.alipay_mini import links
from channels.alipay_mini.adapter import AlipayMiniChannel
from channels.base import (
    Capability,
    ChannelError,
    LoginScope,
    MiniCode,
    MiniPage,
    Notification,
    NotificationKind,
    Outcome,
    PageMedium,
    Rejected,
)
from tests.channels import platform_alipay as alipay
from tests.channels import platform_alipay_mini as mini
from tests.channels.builders import an_env
from tests.channels.server import a_platform

MOBILE = {"code": "10000", "msg": "Success", "mobile": "02012345"}


@contextmanager
def an_adapter(api: mini.Api | None = None, **settings: str) -> Iterator[AlipayMiniChannel]:
    with a_platform(api or mini.Api()) as server, an_env() as env:
        adapter = registry.build(mini.config(server.base_url, **settings), env)
        assert isinstance(adapter, AlipayMiniChannel)
        yield adapter


def a_notice(**changes: Any) -> Notification:
    given_ = {"template_key": "MDI4", "data": {"keyword1": "户口迁移"}, "page": "pages/case/case?id=1"}
    return Notification(**{**given_, "kind": NotificationKind.SUBSCRIBE, **changes})


@pytest.mark.parametrize(
    ("mobile", "expected"),
    [
        ("02012345", ("86", "02012345")),
        ("852-20123456", ("852", "20123456")),
        ("86-02012345", ("86", "02012345")),
    ],
)
def test_a_phone_number_is_opened_with_its_country(mobile: str, expected: tuple[str, str]) -> None:
    with an_adapter() as adapter:
        phone = adapter.phone_number(mini.phone_code({**MOBILE, "mobile": mobile}))

    assert (phone.country_code, phone.number) == expected


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("", id="nothing"),
        pytest.param("stolen", id="no JSON"),
        pytest.param("[" * 5000, id="deep"),
        pytest.param("x" * 10_000, id="huge"),
        pytest.param('{"response":"QUJD"}', id="unsigned"),
        pytest.param('{"response":{"mobile":"02012345"},"sign":"QUJD"}', id="not sealed"),
        pytest.param(mini.PHONE_CODE.replace('"sign": "', '"sign": "A'), id="junk signature"),
        pytest.param(mini.PHONE_CODE.replace('"response": "', '"response": "A'), id="changed"),
        pytest.param(mini.phone_code(MOBILE, bytes(16)), id="sealed for another app"),
        pytest.param(mini.phone_code(b"no json"), id="no JSON inside"),
        pytest.param(mini.phone_code(b"\xff\xfe"), id="no text inside"),
        pytest.param(mini.phone_code({"code": "40003", "subCode": "isv.missing-privilege"}), id="refused"),
        pytest.param(mini.phone_code({**MOBILE, "mobile": "abc"}), id="no number"),
    ],
)
def test_what_is_no_number_for_this_app_is_refused(code: str) -> None:
    with an_adapter() as adapter, pytest.raises(ChannelError) as refused:
        adapter.phone_number(code)

    assert (refused.value.code, refused.value.outcome) == ("bad_code", Outcome.AUTH)


def test_without_a_key_for_content_there_are_no_phone_numbers() -> None:
    with a_platform(mini.Api()) as server, an_env() as env:
        adapter = registry.build(
            mini.AccountConfig(
                "alipay_mini", "m", alipay.config(server.base_url).settings, alipay.config().secrets
            ),
            env,
        )

    assert Capability.PHONE_NUMBER not in adapter.capabilities
    assert Capability.MINI_LOGIN in adapter.capabilities


@pytest.mark.parametrize("key", ["QUJD", "%%%", "x"])
def test_what_is_no_key_for_content_is_told(key: str) -> None:
    config = mini.config()
    values = {**config.settings, **config.secrets, "aes_key": key}

    problems = registry.check_settings("alipay_mini", "gd-mini", values)

    assert [(one.name, "AES" in one.message) for one in problems] == [("aes_key", True)]


@pytest.mark.parametrize(
    ("code", "subject", "kind"),
    [(alipay.GOOD_CODE, alipay.RECIPIENT, "user_id"), (alipay.OPEN_CODE, alipay.OPEN_ID, "open_id")],
)
def test_what_kind_of_id_a_sign_in_gave_is_told(code: str, subject: str, kind: str) -> None:
    with an_adapter() as adapter:
        identity = adapter.exchange(code)

    assert (identity.subject, identity.id_kind) == (subject, kind)


def test_there_is_no_web_sign_in() -> None:
    with an_adapter() as adapter:
        with pytest.raises(Rejected):
            adapter.read_callback({"auth_code": "c", "state": "s"})
        with pytest.raises(ChannelError):
            adapter.authorize_url("https://a.cn/", "s", LoginScope.BASE)


@pytest.mark.parametrize(
    ("recipient", "name"), [(alipay.RECIPIENT, "to_user_id"), (alipay.OPEN_ID, "to_open_id")]
)
def test_a_message_names_the_resident_by_the_kind_of_id(recipient: str, name: str) -> None:
    api = mini.Api()

    with an_adapter(api) as adapter:
        result = adapter.send_notification(recipient, a_notice(permit="2017010100000000580012345678"))

    (sent,) = api.sent
    assert result.outcome is Outcome.ACCEPTED
    assert sent[name] == recipient
    assert (sent["user_template_id"], sent["page"]) == ("MDI4", "pages/case/case?id=1")
    assert sent["form_id"] == "2017010100000000580012345678"
    assert json.loads(sent["data"]) == {"keyword1": {"value": "户口迁移"}}


def test_a_message_opens_a_web_page_inside_the_mini_program() -> None:
    with an_adapter() as adapter:
        sent = adapter.render_notification("x", a_notice(page="https://a.cn/p?x=1"))
        own = adapter.render_notification("x", a_notice(mini_page=MiniPage("", "pages/my/my")))

    assert sent["page"] == "pages/web/web?url=https%3A%2F%2Fa.cn%2Fp%3Fx%3D1"
    assert own["page"] == "pages/my/my"
    assert "form_id" not in sent


def test_long_values_are_shortened_to_what_the_platform_takes() -> None:
    with an_adapter() as adapter:
        sent = adapter.render_notification("x", a_notice(data={"keyword1": "字" * 80, "keyword2": "a" * 50}))

    values = json.loads(sent["data"])
    assert values["keyword1"]["value"] == "字" * 49 + "…"
    assert values["keyword2"]["value"] == "a" * 50


@pytest.mark.parametrize(
    ("sub_code", "outcome"),
    [
        ("USER_TEMPLATE_ILLEGAL", Outcome.BAD_TEMPLATE),
        ("USER_KEYWORD_LENGTH_ERROR", Outcome.BAD_TEMPLATE),
        ("USER_NOT_SUBSCRIBE", Outcome.NEEDS_CONSENT),
        ("FORM_ID_EXPIRED", Outcome.NEEDS_CONSENT),
        ("PUB.MSG_BATCH_SD_OVER", Outcome.QUOTA),
        ("isv.insufficient-isv-permissions", Outcome.AUTH),
        ("isv.invalid-app-cert-sn", Outcome.AUTH),
        ("aop.invalid-auth-token", Outcome.AUTH),
    ],
)
def test_a_refused_message_has_an_outcome(sub_code: str, outcome: Outcome) -> None:
    method = "alipay.open.app.mini.templatemessage.send"
    refusal = alipay.signed_answer(method, alipay.refusal("40004", sub_code)).body

    with an_adapter(mini.Api({method: refusal})) as adapter:
        result = adapter.send_notification(alipay.RECIPIENT, a_notice())

    assert (result.outcome, result.code) == (outcome, sub_code)


@pytest.mark.parametrize(
    ("url", "medium", "expected"),
    [
        (
            "pages/item/item?id=7",
            PageMedium.SCHEME,
            "alipays://platformapi/startapp?appId=2021000000000001&page=pages%2Fitem%2Fitem%3Fid%3D7%26from%3Dsms",
        ),
        ("pages/item/item", PageMedium.MINI_PATH, "pages/item/item?from=sms"),
        ("https://a.cn/p", PageMedium.MINI_PATH, "pages/web/web?url=https%3A%2F%2Fa.cn%2Fp%3Ffrom%3Dsms"),
        (
            "pages/my/my",
            PageMedium.URL_LINK,
            "https://ds.alipay.com/?scheme=alipays%3A%2F%2Fplatformapi%2Fstartapp%3FappId%3D2021000000000001"
            "%26page%3Dpages%252Fmy%252Fmy%253Ffrom%253Dsms",
        ),
    ],
)
def test_links_are_as_the_platform_documents_them(url: str, medium: PageMedium, expected: str) -> None:
    with an_adapter() as adapter:
        link = adapter.page_link(url, {"from": "sms"}, medium)

    assert (link.value, link.expires_at) == (expected, None)


@pytest.mark.parametrize("url", ["", "/pages/a/a", "javascript:alert(1)", "pages/a a", "pages/a?x= y"])
def test_what_is_no_page_is_not_linked(url: str) -> None:
    with an_adapter() as adapter, pytest.raises(ChannelError) as refused:
        adapter.page_link(url, {}, PageMedium.SCHEME)

    assert refused.value.code == "bad_page"


@given(value=st.text(min_size=1, max_size=60))
def test_nothing_in_a_parameter_breaks_out_of_a_link(value: str) -> None:
    try:
        place = links.place_of("pages/a/a", {"q": value}, "pages/web/web")
    except (ChannelError, UnicodeEncodeError):
        return
    link = links.link("2021000000000001", place, PageMedium.SCHEME)

    assert link.isascii()
    assert link.count("&") == 1
    assert link.count("appId=") == 1


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (MiniCode("pages/a/a", "字"), "bad_scene"),
        (MiniCode("pages/a/a", "7", width_px=20), "bad_width"),
        (MiniCode("pages/a/a?x=1", "7"), "bad_page"),
    ],
)
def test_a_code_that_cannot_be_is_not_drawn(code: MiniCode, error: str) -> None:
    with an_adapter() as adapter, pytest.raises(ChannelError) as refused:
        adapter.mini_code(code)

    assert refused.value.code == error


def test_a_code_at_a_strangers_is_not_fetched() -> None:
    told = {**alipay.SUCCESS, "qr_code_url": "http://169.254.169.254/latest"}
    answer = alipay.signed_answer(links.QR_METHOD, told).body

    with an_adapter(mini.Api({links.QR_METHOD: answer})) as adapter, pytest.raises(ChannelError) as refused:
        adapter.mini_code(MiniCode("pages/a/a", "7"))

    assert refused.value.code == "garbage"


def test_the_web_view_is_told_from_the_app(request: pytest.FixtureRequest) -> None:
    agent = "Mozilla/5.0 (Linux; Android 14) AliApp(AP/10.5.0) AlipayClient/10.5.0"
    inside = {"User-Agent": f"{agent} MiniProgram"}
    other = {**inside, "Referer": "https://2021999999999999.hybrid.alipay-eco.com/x"}

    with an_adapter() as adapter:
        found = [adapter.detect(headers) for headers in (inside, {"User-Agent": agent}, other)]

    assert [client.channel if client else None for client in found] == ["alipay_mini", None, None]
