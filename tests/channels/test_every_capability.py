"""What only some channels can do: who says so can, who does not say so refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from channels.base import (
    Capability,
    Channel,
    ChannelError,
    ChannelIdentity,
    Consent,
    EventKind,
    LoginScope,
    Media,
    MediaKind,
    MenuEntry,
    MenuRule,
    MiniCode,
    Notification,
    NotificationKind,
    Outcome,
    PageMedium,
    Reply,
)
from tests.channels.builders import NOW, an_adapter
from tests.channels.server import a_platform

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
MENU = (MenuEntry("首页", url="https://hall.example.cn/"),)
RULES = (
    MenuRule((MenuEntry("苹果", key="ios"),), system="ios"),
    MenuRule((MenuEntry("老人", key="tag"),), tag="101", system="android"),
)
NOBODY = ChannelIdentity("a", "nobody")
PAGE = "https://hall.example.cn/p?x=1#top"


def a_notice(kind: NotificationKind = NotificationKind.TEMPLATE, **changes: Any) -> Notification:
    given = {"template_key": "T1", "data": {"thing1": "户口迁移"}, "page": "https://hall.example.cn/c/1"}
    return Notification(**{**given, "kind": kind, **changes})


PICTURE = Media(MediaKind.IMAGE, "guide.png", PNG)
OUTSIDE = (PageMedium.URL_LINK, PageMedium.SCHEME, PageMedium.SHORT_LINK)

CALLS: list[Any] = [
    pytest.param(Capability.SEND, lambda it: it.send("x", Reply("你好")), id="message"),
    pytest.param(Capability.MENU, lambda it: it.publish_menu(MENU), id="menu"),
    pytest.param(Capability.MENU, lambda it: it.read_menu(), id="reading the menu"),
    pytest.param(Capability.WEB_LOGIN, lambda it: it.authorize_url("https://a.cn/", "s"), id="web sign-in"),
    pytest.param(Capability.PHONE_NUMBER, lambda it: it.phone_number("phone-code"), id="phone number"),
    pytest.param(Capability.TEMPLATE_LIST, lambda it: it.list_templates(), id="templates"),
    pytest.param(Capability.MINI_CODE, lambda it: it.mini_code(MiniCode("pages/a/a", "7")), id="mini code"),
    *(
        pytest.param(Capability.URL_LINK, lambda it, to=to: it.page_link("https://a.cn/", {}, to), id=to)
        for to in OUTSIDE
    ),
    pytest.param(
        Capability.LASTING_UPLOAD, lambda it: it.upload(replace(PICTURE, lasting=True)), id="lasting upload"
    ),
    pytest.param(Capability.MENU_RULES, lambda it: it.publish_menu(MENU, RULES), id="menu rules"),
    pytest.param(Capability.MENU_RULES, lambda it: it.read_menu_rules(), id="reading menu rules"),
    pytest.param(Capability.LOGIN_REFRESH, lambda it: it.refresh(NOBODY), id="renewing a sign-in"),
    pytest.param(Capability.USER_INFO, lambda it: it.user_info(NOBODY), id="user info"),
    pytest.param(Capability.TEMPLATE_NOTICE, lambda it: it.send_notification("x", a_notice()), id="template"),
    pytest.param(
        Capability.SUBSCRIBE_NOTICE,
        lambda it: it.send_notification("x", a_notice(NotificationKind.SUBSCRIBE)),
        id="subscription",
    ),
    pytest.param(Capability.QR, lambda it: it.make_qr("desk-7"), id="QR code"),
    pytest.param(Capability.UPLOAD, lambda it: it.upload(PICTURE), id="upload"),
    pytest.param(Capability.IMAGE_REPLY, lambda it: it.render("x", Reply(image="m1")), id="picture"),
    pytest.param(Capability.IMAGE_REPLY, lambda it: it.send("x", Reply(image="m1")), id="sending a picture"),
]


@pytest.mark.parametrize(("capability", "call"), CALLS)
def test_what_an_account_cannot_do_is_refused_and_nothing_else(
    platform: Any, capability: Capability, call: Callable[[Channel], object]
) -> None:
    with a_platform(platform.api()) as server, an_adapter(platform, server.base_url) as adapter:
        try:
            call(adapter)
            code = ""
        except ChannelError as error:
            code = error.code

        assert (code == "unsupported") == (capability not in adapter.capabilities)


def able(adapter: Channel, capability: Capability) -> bool:
    """Tell whether a test has anything to ask of the account."""
    return capability in adapter.capabilities


def test_a_page_is_signed_or_needs_no_signature(platform: Any) -> None:
    with a_platform(platform.api()) as server, an_adapter(platform, server.base_url) as adapter:
        config = adapter.page_config(PAGE, ["scanQRCode"])

        assert (config is not None) == able(adapter, Capability.PAGE_CONFIG)
        assert config is None or (config.apis == ("scanQRCode",) and config.signature != "")


def test_a_signed_pages_fragment_is_not_signed(platform: Any) -> None:
    with a_platform(platform.api()) as server, an_adapter(platform, server.base_url) as adapter:
        with_fragment = adapter.page_config(PAGE, [])
        without = adapter.page_config(PAGE.partition("#")[0], [])
        other = adapter.page_config(PAGE.replace("x=1", "x=2"), [])

    assert with_fragment == without
    assert with_fragment is None or with_fragment != other


def test_what_pages_must_heed_is_told_with_its_source(platform: Any) -> None:
    with an_adapter(platform) as adapter:
        rules = adapter.page_rules()

    assert len({rule.code for rule in rules}) == len(rules)
    assert all(rule.text and rule.source for rule in rules)


@pytest.mark.parametrize("kind", list(NotificationKind))
def test_a_notification_is_taken(platform: Any, kind: NotificationKind) -> None:
    flags = {
        NotificationKind.TEMPLATE: Capability.TEMPLATE_NOTICE,
        NotificationKind.SUBSCRIBE: Capability.SUBSCRIBE_NOTICE,
    }

    with a_platform(platform.api()) as server, an_adapter(platform, server.base_url) as adapter:
        if able(adapter, flags[kind]):
            result = adapter.send_notification(platform.RECIPIENT, a_notice(kind))

            assert result.outcome is Outcome.ACCEPTED


def test_a_notification_names_recipient_template_and_values(platform: Any) -> None:
    with an_adapter(platform) as adapter:
        if able(adapter, Capability.TEMPLATE_NOTICE):
            shown = str(adapter.render_notification(platform.RECIPIENT, a_notice()))

            assert all(part in shown for part in (platform.RECIPIENT, "T1", "户口迁移"))


def test_menus_of_some_residents_come_back_in_order_and_go_with_the_next(platform: Any) -> None:
    with a_platform(platform.api()) as server, an_adapter(platform, server.base_url) as adapter:
        if able(adapter, Capability.MENU_RULES):
            adapter.publish_menu(MENU, RULES)
            first = adapter.read_menu_rules()
            adapter.publish_menu(MENU, RULES[1:])
            second = adapter.read_menu_rules()
            adapter.publish_menu(MENU)

            assert (first, second, adapter.read_menu_rules()) == (RULES, RULES[1:], ())


def test_a_rules_menu_beyond_the_limits_is_not_sent(platform: Any) -> None:
    bad = MenuRule((MenuEntry("名" * 200, key="k"),), system="ios")

    with an_adapter(platform) as adapter:
        if able(adapter, Capability.MENU_RULES):
            violations = adapter.check_menu(MENU, [RULES[0], bad])
            with pytest.raises(ChannelError) as refused:
                adapter.publish_menu(MENU, [RULES[0], bad])

            assert [violation.rule for violation in violations] == [1]
            assert refused.value.code == "bad_menu"


def test_a_code_says_its_content_and_its_end(platform: Any) -> None:
    with a_platform(platform.api()) as server, an_adapter(platform, server.base_url) as adapter:
        if able(adapter, Capability.QR):
            passing, lasting = adapter.make_qr("desk-7", 600), adapter.make_qr("desk-7")

            assert passing.content or passing.picture
            assert passing.expires_at is not None
            assert (passing.expires_at - NOW).total_seconds() == 600
            assert lasting.expires_at is None


@pytest.mark.parametrize(
    ("scene", "seconds", "code"),
    [("", None, "bad_scene"), ("desk", 0, "bad_seconds"), ("desk", -5, "bad_seconds")],
)
def test_a_code_that_cannot_be_is_refused(platform: Any, scene: str, seconds: int | None, code: str) -> None:
    with an_adapter(platform) as adapter:
        if able(adapter, Capability.QR):
            with pytest.raises(ChannelError) as refused:
                adapter.make_qr(scene, seconds)

            assert refused.value.code == code


def test_an_uploaded_file_gets_an_id_and_an_end(platform: Any) -> None:
    with a_platform(platform.api()) as server, an_adapter(platform, server.base_url) as adapter:
        if able(adapter, Capability.UPLOAD):
            passing, again = adapter.upload(PICTURE), adapter.upload(PICTURE)

            assert passing.value
            assert passing.value != again.value
            assert passing.expires_at is not None
            assert passing.expires_at > NOW


def test_a_lasting_file_has_no_end(platform: Any) -> None:
    with a_platform(platform.api()) as server, an_adapter(platform, server.base_url) as adapter:
        if able(adapter, Capability.LASTING_UPLOAD):
            assert adapter.upload(replace(PICTURE, lasting=True)).expires_at is None


def test_an_empty_file_is_not_uploaded(platform: Any) -> None:
    with an_adapter(platform) as adapter:
        if able(adapter, Capability.UPLOAD):
            with pytest.raises(ChannelError) as refused:
                adapter.upload(Media(MediaKind.IMAGE, "guide.png", b""))

            assert refused.value.code == "bad_media"


def test_a_full_sign_in_can_be_renewed_and_tells_more(platform: Any) -> None:
    with a_platform(platform.api()) as server, an_adapter(platform, server.base_url) as adapter:
        if able(adapter, Capability.USER_INFO):
            identity = adapter.exchange(platform.PROFILE_CODE)
            renewed = adapter.refresh(identity)
            told = adapter.user_info(renewed)

            assert renewed.subject == identity.subject == told.subject
            assert renewed.grant is not None
            assert renewed.grant.scope is LoginScope.PROFILE
            assert told.name


def test_a_phone_number_is_digits_and_shows_nowhere(platform: Any) -> None:
    with a_platform(platform.api()) as server, an_adapter(platform, server.base_url) as adapter:
        if able(adapter, Capability.PHONE_NUMBER):
            phone = adapter.phone_number(platform.PHONE_CODE)

            assert (phone.country_code, phone.number) == ("86", "02012345")
            assert "02012345" not in repr(phone)


def test_a_phone_code_the_platform_does_not_know_is_an_error_of_ours(platform: Any) -> None:
    with a_platform(platform.api()) as server, an_adapter(platform, server.base_url) as adapter:
        if able(adapter, Capability.PHONE_NUMBER):
            with pytest.raises(ChannelError) as refused:
                adapter.phone_number("stolen")

            assert refused.value.outcome is Outcome.AUTH


def test_approved_templates_are_told_with_their_values(platform: Any) -> None:
    with a_platform(platform.api()) as server, an_adapter(platform, server.base_url) as adapter:
        if able(adapter, Capability.TEMPLATE_LIST):
            template = adapter.list_templates()[0]

            assert (template.id, template.title) == ("T1", "办件进度通知")
            assert [field.key for field in template.fields] == ["thing1", "time2"]
            assert [field.label for field in template.fields] == ["办理事项", "办理时间"]


@pytest.mark.parametrize("medium", OUTSIDE)
def test_a_page_can_be_opened_from_outside(platform: Any, medium: PageMedium) -> None:
    with a_platform(platform.api()) as server, an_adapter(platform, server.base_url) as adapter:
        if able(adapter, Capability.URL_LINK):
            link = adapter.page_link("https://a.cn/p?x=1", {"from": "sms"}, medium)

            assert link.medium is medium
            assert link.value
            assert link.expires_at is None or NOW < link.expires_at <= NOW + timedelta(days=30)


def test_a_mini_programs_page_is_drawn_as_a_picture(platform: Any) -> None:
    with a_platform(platform.api()) as server, an_adapter(platform, server.base_url) as adapter:
        if able(adapter, Capability.MINI_CODE):
            picture = adapter.mini_code(MiniCode("pages/item/item", "item=7"))

            assert picture.content_type.startswith("image/")
            assert picture.content


@pytest.mark.parametrize("page", ["", "/pages/item/item"])
def test_a_page_that_cannot_be_is_not_drawn(platform: Any, page: str) -> None:
    with an_adapter(platform) as adapter:
        if able(adapter, Capability.MINI_CODE):
            with pytest.raises(ChannelError) as refused:
                adapter.mini_code(MiniCode(page, "7"))

            assert refused.value.code == "bad_page"


def test_a_plain_sign_in_tells_no_more(platform: Any) -> None:
    with a_platform(platform.api()) as server, an_adapter(platform, server.base_url) as adapter:
        if able(adapter, Capability.USER_INFO):
            identity = adapter.exchange(platform.GOOD_CODE)
            with pytest.raises(ChannelError) as refused:
                adapter.user_info(identity)

            assert refused.value.outcome is Outcome.AUTH


def test_what_a_resident_allows_and_forbids_is_told_by_template(platform: Any) -> None:
    with an_adapter(platform) as adapter:
        # Alipay tells its mini programs, on the phone, and nobody else.
        if able(adapter, Capability.SUBSCRIBE_NOTICE) and hasattr(platform, "consent"):
            event = adapter.parse(adapter.open(platform.consent(allowed=["T1", "T2"], forbidden=["T3"])))

            assert event.kind is EventKind.CONSENT
            assert event.consents == (Consent("T1", True), Consent("T2", True), Consent("T3", False))


@pytest.mark.parametrize("arrived", [True, False])
def test_a_receipt_names_the_message_it_is_about(platform: Any, arrived: bool) -> None:
    with an_adapter(platform) as adapter:
        if able(adapter, Capability.RECEIPTS):
            receipt = adapter.parse_receipt(adapter.parse(adapter.open(platform.receipt("777", arrived))))

            assert receipt is not None
            assert (receipt.platform_id, receipt.outcome is Outcome.ACCEPTED) == ("777", arrived)


def test_a_message_is_no_receipt(platform: Any) -> None:
    with an_adapter(platform) as adapter:
        assert adapter.parse_receipt(adapter.parse(adapter.open(platform.text("你好")))) is None


def test_an_answer_can_be_a_picture_or_hand_over_to_a_person(platform: Any) -> None:
    with an_adapter(platform) as adapter:
        envelope = adapter.open(platform.text("转人工"))
        if able(adapter, Capability.IMAGE_REPLY) and able(adapter, Capability.PASSIVE_REPLY):
            assert platform.shows_picture(adapter.seal(envelope, Reply(image="m1")), "m1")
        if able(adapter, Capability.HANDOVER):
            assert platform.hands_over(adapter.seal(envelope, Reply(handover=True)))
