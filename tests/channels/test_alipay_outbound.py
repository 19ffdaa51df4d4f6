"""What a service window sends besides replies; what a sign-in lets it ask; payments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from alipay import AliPay

from channels import registry
from channels.alipay.adapter import AlipayChannel
from channels.base import (
    Article,
    ChannelError,
    LoginScope,
    Media,
    MediaKind,
    Notification,
    NotificationKind,
    Outcome,
    Reply,
)
from channels.payments import TradeOrder, cashier_of, fen, yuan
from tests.channels import platform_alipay as alipay
from tests.channels.builders import NOW, an_env
from tests.channels.server import a_platform

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@contextmanager
def an_adapter(api: alipay.Api | None = None, **settings: str) -> Iterator[AlipayChannel]:
    with a_platform(api or alipay.Api()) as server, an_env() as env:
        adapter = registry.build(alipay.config(server.base_url, **settings), env)
        assert isinstance(adapter, AlipayChannel)
        yield adapter


def test_a_template_message_is_as_the_platform_wants_it() -> None:
    api = alipay.Api()
    data = {"first": "您的办件已受理", "keyword1": "A1]]>😀", "remark": "请留意"}

    with an_adapter(api) as adapter:
        result = adapter.send_notification(alipay.RECIPIENT, Notification("T9", data, "https://a.cn/c/1"))

    (sent,) = api.sent
    context = sent["template"]["context"]
    assert result.outcome is Outcome.ACCEPTED
    assert (sent["to_user_id"], sent["template"]["template_id"]) == (alipay.RECIPIENT, "T9")
    assert (context["url"], context["keyword1"]["value"]) == ("https://a.cn/c/1", "A1]]>😀")


@pytest.mark.parametrize("data", [{"first": " \n "}, {"关键词": "x"}, {"a b": "x"}, {"x" * 40: "y"}])
def test_values_the_platform_would_refuse_are_not_sent(data: dict[str, str]) -> None:
    with an_adapter() as adapter:
        result = adapter.send_notification(alipay.RECIPIENT, Notification("T9", data))

    assert (result.outcome, result.code) == (Outcome.BAD_TEMPLATE, "bad_data")


def test_a_window_has_no_subscriptions() -> None:
    notice = Notification("T9", {"first": "x"}, kind=NotificationKind.SUBSCRIBE)

    with an_adapter() as adapter, pytest.raises(ChannelError) as refused:
        adapter.render_notification(alipay.RECIPIENT, notice)

    assert refused.value.code == "unsupported"


def test_of_many_articles_ten_are_sent_and_a_new_id_is_named_as_such() -> None:
    articles = tuple(Article(str(n), url="https://a.cn/") for n in range(14))

    with an_adapter() as adapter:
        sent = adapter.render(alipay.OPEN_ID, Reply(articles=articles))

    assert len(sent["articles"]) == 10
    assert sent["to_open_id"] == alipay.OPEN_ID
    assert "to_user_id" not in sent


@pytest.mark.parametrize(
    ("scene", "seconds", "code"),
    [("中文", None, "bad_scene"), ("x" * 65, None, "bad_scene"), ("desk", 1801, "bad_seconds")],
)
def test_a_code_beyond_the_platforms_limits_is_refused(scene: str, seconds: int | None, code: str) -> None:
    with an_adapter() as adapter, pytest.raises(ChannelError) as refused:
        adapter.make_qr(scene, seconds)

    assert refused.value.code == code


def test_a_code_is_a_picture_of_the_platforms() -> None:
    api = alipay.Api()

    with an_adapter(api) as adapter:
        passing = adapter.make_qr("desk-7", 600)

    assert passing.picture.startswith("https://mobilecodec.alipay.com/")
    assert passing.expires_at == NOW + timedelta(seconds=600)
    assert '"scene_id":"desk-7"' in api.asked[0]["biz_content"]


@pytest.mark.parametrize(
    "media",
    [
        pytest.param(Media(MediaKind.IMAGE, "a.png", b"GIF89a", lasting=True), id="another type inside"),
        pytest.param(Media(MediaKind.IMAGE, "a.exe", PNG, lasting=True), id="no picture's name"),
        pytest.param(Media(MediaKind.VIDEO, "a.png", PNG, lasting=True), id="no picture"),
        pytest.param(Media(MediaKind.IMAGE, "a.png", PNG + bytes(6 << 20), lasting=True), id="too large"),
    ],
)
def test_what_is_no_picture_is_not_uploaded(media: Media) -> None:
    with an_adapter() as adapter, pytest.raises(ChannelError) as refused:
        adapter.upload(media)

    assert refused.value.code == "bad_media"


def test_a_picture_goes_beside_what_is_signed() -> None:
    api = alipay.Api()

    with an_adapter(api) as adapter:
        uploaded = adapter.upload(Media(MediaKind.IMAGE, "指南.png", PNG, lasting=True))

    assert uploaded.url == "https://oalipay.example/p.png"
    assert "image_content" not in api.asked[0]


def test_a_renewed_grant_belongs_to_the_same_person() -> None:
    with an_adapter() as adapter:
        identity = adapter.exchange(alipay.PROFILE_CODE)
        assert identity.grant is not None
        strange = replace(identity, subject="2088000000000777")
        with pytest.raises(ChannelError) as refused:
            adapter.refresh(strange)
        renewed = adapter.refresh(identity)

    assert refused.value.code == "garbage"
    assert (renewed.grant is not None and renewed.grant.scope) is LoginScope.PROFILE
    assert "token" not in repr(renewed)


def test_a_name_with_a_brace_is_read() -> None:
    with an_adapter() as adapter:
        told = adapter.user_info(adapter.exchange(alipay.PROFILE_CODE))

    assert (told.name, told.picture) == ("小{粤", "https://a.cn/p.png")


def test_an_address_to_pay_at_is_signed_as_the_sdk_signs() -> None:
    order = TradeOrder("20261120000001", 1230, "证明补发", "https://a.cn/n", NOW + timedelta(minutes=30))

    with an_adapter() as adapter:
        address = cashier_of(adapter).pay_address(order, "https://a.cn/back")

    given = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    sdk = AliPay(
        appid=alipay.APP_ID,
        app_private_key_string=alipay.private_pem(alipay.APP_KEY),
        alipay_public_key_string=alipay.public_pem(alipay.PLATFORM_KEY),
    )
    sign = given.pop("sign")
    expected = parse_qs(sdk.sign_data(dict(given)))["sign"][0]
    assert sign == expected
    assert '"time_expire":"2026-11-20 12:30:00"' in given["biz_content"]


def test_an_account_without_a_seller_has_no_cashier() -> None:
    with an_adapter(seller_id="") as adapter, pytest.raises(ChannelError) as refused:
        cashier_of(adapter)

    assert refused.value.code == "unsupported"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12.30", 1230),
        ("12.3", 1230),
        ("12", 1200),
        ("0.01", 1),
        ("0", 0),
        ("12.345", None),
        ("1e1", None),
        ("-1", None),
        ("", None),
        (" 1", None),
        ("１", None),
        ("1,000.00", None),
    ],
)
def test_amounts_are_whole_fen(text: str, expected: int | None) -> None:
    assert fen(text) == expected


@pytest.mark.parametrize("amount", [1, 10, 99, 100, 1230, 999_999_99])
def test_an_amount_comes_back_as_it_was_written(amount: int) -> None:
    assert fen(yuan(amount)) == amount
