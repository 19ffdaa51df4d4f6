"""The hall's Alipay adapters get on with the platform in all they can do, with keys and with certificates."""

from __future__ import annotations

import pytest

from channels.base import (
    ChannelError,
    EventKind,
    Media,
    MediaKind,
    MiniCode,
    Notification,
    NotificationKind,
    Outcome,
    Reply,
)
from sandbox.world import RESIDENT, alipay_open_id, alipay_user_id
from tests.sandbox.alipay_hall import KEY, a_meeting

USER = alipay_user_id(RESIDENT)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def a_notice(template: str = "S1", **changes: str) -> Notification:
    data = {"keyword1": "户口迁移", **changes}
    page = "pages/item/item?id=7"
    return Notification(template, data, page=page, kind=NotificationKind.SUBSCRIBE)


@pytest.mark.parametrize("certificates", [True, False])
def test_a_window_sends_its_followers_template_messages(certificates: bool) -> None:
    with a_meeting(certificates=certificates) as met:
        notice = Notification(
            "T1", {"first": "您好", "keyword1": "已受理"}, page="https://hall.example.cn/c/1"
        )
        before = met.channel.send_notification(USER, notice)
        met.sandbox.act(KEY, "follow")
        after = met.channel.send_notification(USER, notice)

        shown = met.sandbox.get(f"/control/chats/{KEY}")["entries"][-1]["articles"][0]
        assert (before.outcome, after.outcome) == (Outcome.NOT_FOLLOWING, Outcome.ACCEPTED)
        assert (shown["title"], shown["description"]) == ("办件通知", "您好\n已受理")


def test_other_values_than_the_template_asks_for_are_a_bad_template() -> None:
    with a_meeting() as met:
        met.sandbox.act(KEY, "follow")

        result = met.channel.send_notification(USER, Notification("T1", {"first": "您好"}))

        assert result.outcome is Outcome.BAD_TEMPLATE


def test_a_scanned_code_tells_its_scene_to_strangers_and_followers() -> None:
    with a_meeting() as met:
        picture = met.channel.make_qr("desk-7", 600).picture
        drawn = met.sandbox.call("GET", picture.removeprefix(met.sandbox.base))
        for _ in range(2):
            met.control("scan", value=picture)

        assert drawn.content.startswith(b"\x89PNG")
        assert [(event.kind, event.action) for event in met.events] == [
            (EventKind.FOLLOW, "desk-7"),
            (EventKind.SCAN, "desk-7"),
        ]


def test_an_uploaded_picture_can_be_looked_at() -> None:
    with a_meeting() as met:
        uploaded = met.channel.upload(Media(MediaKind.IMAGE, "指南.png", PNG, lasting=True))

        seen = met.sandbox.call("GET", uploaded.url.removeprefix(met.sandbox.base))
        assert seen.content == PNG


def test_the_platforms_own_message_comes_by_the_same_way() -> None:
    with a_meeting() as met:
        outcomes = met.control(
            "ant", msg_method="alipay.open.auth.userauth.cancelled", biz={"user_id": USER}
        )["outcomes"]

        assert outcomes == ["no_answer"]
        assert [(event.kind, event.sender) for event in met.events] == [(EventKind.CONSENT, USER)]


@pytest.mark.parametrize("certificates", [True, False])
def test_the_gateway_address_is_proved_with_keys_and_with_certificates(certificates: bool) -> None:
    # The platform signs with a certificate that the app has to have met in an answer.
    with a_meeting(certificates=certificates, charset="UTF-8") as met:
        met.channel.probe()
        answer = met.sandbox.post(f"/control/accounts/{KEY}/handshake", {})

        assert answer == {"ok": True, "detail": "网关校验成功"}


def test_a_push_signed_by_a_stranger_is_refused() -> None:
    with a_meeting() as met:
        met.switch(wrong_signature=1)
        met.sandbox.act(KEY, "follow")

        assert met.refused == ["bad_signature"]


@pytest.mark.parametrize(
    ("switch", "outcome"),
    [
        ("api_busy", Outcome.RETRYABLE),
        ("api_fail", Outcome.RETRYABLE),
        ("quota_45009", Outcome.QUOTA),
        ("api_wrong_signature", Outcome.AUTH),
        ("api_garbage", Outcome.RETRYABLE),
    ],
)
def test_a_platform_that_misbehaves_has_an_outcome(switch: str, outcome: Outcome) -> None:
    with a_meeting() as met:
        met.sandbox.act(KEY, "follow")
        met.switch(**{switch: 1})

        results = [met.channel.send(USER, Reply("你好")).outcome for _ in range(2)]

        assert results == [outcome, Outcome.ACCEPTED]


@pytest.mark.parametrize(
    ("id_kind", "subject"), [("user_id", USER), ("open_id", alipay_open_id("2016050901000001", RESIDENT))]
)
def test_a_mini_program_signs_in_and_sends_once_per_consent(id_kind: str, subject: str) -> None:
    with a_meeting("alipay_mini", id_kind=id_kind) as met:
        identity = met.channel.exchange(met.control("codes", kind="login")["code"])
        met.control("consent", templates=["S1"])
        results = [met.channel.send_notification(identity.subject, a_notice()).outcome for _ in range(2)]

        assert (identity.subject, identity.id_kind) == (subject, id_kind)
        assert results == [Outcome.ACCEPTED, Outcome.NEEDS_CONSENT]


def test_a_lasting_consent_is_good_for_many_messages() -> None:
    with a_meeting("alipay_mini") as met:
        met.control("consent", templates=["S2"])

        results = [met.channel.send_notification(USER, a_notice("S2")).outcome for _ in range(3)]

        assert results == [Outcome.ACCEPTED] * 3


def test_a_form_that_was_handed_in_allows_one_message() -> None:
    with a_meeting("alipay_mini") as met:
        met.control("forms", form_id="F1")
        notice = Notification(
            "S1", {"keyword1": "x"}, "pages/item/item", NotificationKind.SUBSCRIBE, permit="F1"
        )

        results = [met.channel.send_notification(USER, notice).outcome for _ in range(2)]

        assert results == [Outcome.ACCEPTED, Outcome.NEEDS_CONSENT]


def test_a_phone_number_is_opened() -> None:
    with a_meeting("alipay_mini") as met:
        phone = met.channel.phone_number(met.control("codes", kind="phone")["code"])

        assert (phone.country_code, phone.number) == ("86", "02012345")


def test_a_page_of_a_mini_program_is_drawn() -> None:
    with a_meeting("alipay_mini") as met:
        picture = met.channel.mini_code(MiniCode("pages/item/item", "item=7"))

        assert picture.content_type == "image/png"


def test_a_grant_that_the_platform_dropped_is_an_error_of_access() -> None:
    with a_meeting("alipay_mini") as met:
        identity = met.channel.exchange(met.control("codes", kind="login")["code"])
        renewed = met.channel.refresh(identity)
        met.control("drop-grants")

        with pytest.raises(ChannelError) as refused:
            met.channel.user_info(renewed)

        assert refused.value.outcome is Outcome.AUTH


@pytest.mark.parametrize("certificates", [True, False])
def test_an_account_that_answers_is_well(certificates: bool) -> None:
    with a_meeting("alipay_mini", certificates=certificates) as met:
        health = met.channel.probe()

        assert health.ok
        assert (health.token_expires_at is not None) == certificates
