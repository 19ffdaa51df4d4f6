"""Sign-in and phone numbers in a mini program: codes in, as little as possible out."""

from __future__ import annotations

from typing import Any

import pytest

from channels.base import ChannelError, ChannelIdentity, Outcome, PhoneNumber
from tests.channels import platform_wechat as official
from tests.channels import platform_wechat_mini as mini
from tests.channels.builders import an_adapter
from tests.channels.server import a_platform

PHONE = "/wxa/business/getuserphonenumber"


def signed_in(code: str = mini.GOOD_CODE, **answers: Any) -> ChannelIdentity:
    with a_platform(mini.Api(answers)) as server, an_adapter(mini, server.base_url) as adapter:
        return adapter.exchange(code)


def a_number(code: str = mini.PHONE_CODE, info: Any = None) -> PhoneNumber:
    answers = {} if info is None else {PHONE: {"errcode": 0, "phone_info": info}}
    with a_platform(mini.Api(answers)) as server, an_adapter(mini, server.base_url) as adapter:
        return adapter.phone_number(code)


def an_info(**changes: Any) -> dict[str, Any]:
    mark = {"timestamp": 1, "appid": mini.APP_ID}
    return {"purePhoneNumber": "02012345", "countryCode": "86", "watermark": mark, **changes}


def test_a_code_tells_who_it_is_and_nothing_more() -> None:
    assert signed_in() == ChannelIdentity("gd-mini", mini.RECIPIENT, "u1")


def test_the_session_key_goes_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)

    identity = signed_in()

    kept = [str(getattr(identity, name)) for name in ("account", "subject", "union_id", "grant")]
    assert not any(mini.SESSION_KEY in text for text in [*kept, caplog.text])


def test_a_sign_in_needs_no_access_token() -> None:
    with a_platform(mini.Api()) as server, an_adapter(mini, server.base_url) as adapter:
        adapter.exchange(mini.GOOD_CODE)

        assert [call.target.partition("?")[0] for call in server.calls] == ["/sns/jscode2session"]
        assert "access_token" not in server.calls[0].target


@pytest.mark.parametrize(
    ("errcode", "outcome"),
    [
        pytest.param(40029, Outcome.AUTH, id="no such code"),
        pytest.param(40163, Outcome.AUTH, id="code used before"),
        pytest.param(40226, Outcome.AUTH, id="a user the platform blocks"),
        pytest.param(45011, Outcome.QUOTA, id="too often"),
        pytest.param(-1, Outcome.RETRYABLE, id="platform busy"),
    ],
)
def test_a_refused_sign_in_says_why(errcode: int, outcome: Outcome) -> None:
    with pytest.raises(ChannelError) as refused:
        signed_in(jscode2session={"errcode": errcode, "errmsg": "no"})

    assert (refused.value.outcome, refused.value.code) == (outcome, str(errcode))


@pytest.mark.parametrize("answer", [{}, {"openid": ""}, {"openid": 7}, {"openid": "o", "unionid": [1]}])
def test_an_answer_without_a_user_signs_nobody_in(answer: dict[str, Any]) -> None:
    with pytest.raises(ChannelError) as refused:
        signed_in(jscode2session=answer)

    assert refused.value.code == "garbage"


@pytest.mark.parametrize("code", ["", "x" * 600, "中文", "a\nb"])
def test_a_code_no_phone_makes_is_not_sent(code: str) -> None:
    with a_platform(mini.Api()) as server, an_adapter(mini, server.base_url) as adapter:
        for call in (adapter.exchange, adapter.phone_number):
            with pytest.raises(ChannelError) as refused:
                call(code)
            assert (refused.value.code, refused.value.outcome) == ("bad_code", Outcome.AUTH)

        assert server.calls == []


def test_neither_secret_nor_code_is_in_an_error() -> None:
    with an_adapter(mini) as adapter, pytest.raises(ChannelError) as failed:
        adapter.exchange(mini.GOOD_CODE)

    assert failed.value.retryable
    assert official.APP_SECRET not in str(failed.value)
    assert mini.GOOD_CODE not in str(failed.value)


def test_a_number_comes_with_its_country() -> None:
    assert a_number(info=an_info(countryCode="852")) == PhoneNumber("852", "02012345")


@pytest.mark.parametrize(
    "info",
    [
        pytest.param({}, id="nothing"),
        pytest.param([], id="a list"),
        pytest.param(an_info(watermark={"appid": "wxother"}), id="made for another account"),
        pytest.param(an_info(watermark=None), id="made for nobody"),
    ],
)
def test_a_number_that_is_not_for_us_is_refused(info: Any) -> None:
    with pytest.raises(ChannelError) as refused:
        a_number(info=info)

    assert (refused.value.code, refused.value.retryable) == ("wrong_app_id", False)


@pytest.mark.parametrize(
    "changes",
    [{"purePhoneNumber": ""}, {"purePhoneNumber": "1<2"}, {"countryCode": "zz"}, {"countryCode": 0}],
)
def test_a_number_that_is_none_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ChannelError) as refused:
        a_number(info=an_info(**changes))

    assert refused.value.code == "garbage"
