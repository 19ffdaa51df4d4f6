"""Every message and event WeChat sends is known by its kind, in XML and in JSON alike."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import Article, Attachment, EventKind, InboundEvent, Outcome, Rejected, Reply
from channels.wechat.messages import MAX_DESCRIPTION_BYTES, MAX_TEXT_BYTES, MAX_TITLE_BYTES, read_fields
from sandbox.wechat import messages as platform
from sandbox.wechat import samples
from tests.channels import platform_wechat as wechat
from tests.channels.builders import NOW, an_adapter

KINDS = {
    "image": EventKind.IMAGE,
    "voice": EventKind.VOICE,
    "video": EventKind.VIDEO,
    "shortvideo": EventKind.VIDEO,
    "location": EventKind.LOCATION,
    "link": EventKind.LINK,
    "VIEW": EventKind.MENU,
    "view_miniprogram": EventKind.MENU,
    "scancode_push": EventKind.SCAN,
    "scancode_waitmsg": EventKind.SCAN,
    "pic_sysphoto": EventKind.MENU,
    "pic_photo_or_album": EventKind.MENU,
    "pic_weixin": EventKind.MENU,
    "location_select": EventKind.MENU,
    "LOCATION": EventKind.POSITION,
    "user_enter_tempsession": EventKind.ENTER,
    "kf_create_session": EventKind.SERVICE,
    "kf_close_session": EventKind.SERVICE,
    "kf_switch_session": EventKind.SERVICE,
    "MASSSENDJOBFINISH": EventKind.RECEIPT,
    "PUBLISHJOBFINISH": EventKind.ACCOUNT,
    "user_info_modified": EventKind.CONSENT,
    "user_authorization_revoke": EventKind.CONSENT,
    "user_authorization_cancellation": EventKind.CONSENT,
    "qualification_verify_success": EventKind.ACCOUNT,
    "qualification_verify_fail": EventKind.ACCOUNT,
    "naming_verify_success": EventKind.ACCOUNT,
    "naming_verify_fail": EventKind.ACCOUNT,
    "annual_renew": EventKind.ACCOUNT,
    "verify_expired": EventKind.ACCOUNT,
    "from_the_future": EventKind.UNKNOWN,
}


def event_of(body: bytes) -> InboundEvent:
    with an_adapter(wechat, mode="plain") as adapter:
        return adapter.parse(adapter.open(wechat.plain(body)))


def a_message(name: str, **changes: Any) -> dict[str, Any]:
    head = {"ToUserName": "gh_1", "FromUserName": "o1", "CreateTime": int(NOW.timestamp())}
    return {**head, **samples.fields_of(name, 77), **changes}


def in_xml(name: str) -> InboundEvent:
    return event_of(platform.render(a_message(name)))


@pytest.mark.parametrize("name", samples.NAMES)
def test_each_kind_is_known_in_both_forms(name: str) -> None:
    xml, from_json = in_xml(name), event_of(json.dumps(a_message(name)).encode())

    assert xml.kind is KINDS[name]
    assert xml.raw_type == (name if name in samples.MESSAGES else f"event:{name}")
    assert (from_json.kind, from_json.action, from_json.text) == (xml.kind, xml.action, xml.text)
    assert (from_json.extras, from_json.attachments) == (xml.extras, xml.attachments)


@pytest.mark.parametrize(
    ("name", "extras"),
    [
        ("location", {"latitude": "23.129080", "longitude": "113.264360", "scale": "20"}),
        ("location_select", {"latitude": "23.12908", "longitude": "113.26436", "scale": "15"}),
        ("LOCATION", {"latitude": "23.137466", "longitude": "113.352425", "precision": "119.385040"}),
        ("link", {"title": "办事指南", "description": "户口迁移", "url": "https://hall.example.cn/guide"}),
        ("video", {"thumb_media_id": "thumb"}),
        ("pic_weixin", {"picture_count": "2"}),
        ("kf_switch_session", {"staff": "desk2@gd_hall", "former_staff": "desk1@gd_hall"}),
        ("kf_close_session", {"staff": "desk1@gd_hall", "close_type": "KF"}),
        ("qualification_verify_fail", {"reason": "by time"}),
        ("annual_renew", {"expires_at": "1442401004"}),
        ("user_authorization_revoke", {"revoked": "301"}),
        ("PUBLISHJOBFINISH", {"publish_status": "0"}),
    ],
)
def test_each_kind_keeps_what_belongs_to_it(name: str, extras: dict[str, str]) -> None:
    assert in_xml(name).extras == extras


@pytest.mark.parametrize(
    ("name", "attachment"),
    [
        ("image", Attachment("media-of-the-resident", "http://mmbiz.qpic.cn/mmbiz_jpg/1/0")),
        ("voice", Attachment("media-of-the-resident", format="amr")),
        ("shortvideo", Attachment("media-of-the-resident")),
    ],
)
def test_what_was_sent_along_can_be_fetched(name: str, attachment: Attachment) -> None:
    assert in_xml(name).attachments == (attachment,)


@pytest.mark.parametrize(
    ("name", "action", "text"),
    [
        ("view_miniprogram", "pages/index/index", ""),
        ("scancode_push", "SCAN", "https://hall.example.cn/q/7"),
        ("location_select", "PLACE", "广州市越秀区"),
        ("pic_sysphoto", "PHOTO", ""),
    ],
)
def test_menu_entries_report_their_key_and_what_was_chosen(name: str, action: str, text: str) -> None:
    event = in_xml(name)

    assert (event.action, event.text) == (action, text)


def test_the_spoken_words_of_a_voice_are_its_text() -> None:
    event = event_of(platform.render(a_message("voice", Recognition="查公积金")))

    assert event.text == "查公积金"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("send success", Outcome.ACCEPTED),
        ("sendsuccess", Outcome.ACCEPTED),
        ("send fail", Outcome.UNKNOWN),
        ("err(10001)", Outcome.UNKNOWN),
    ],
)
def test_the_result_of_a_mass_message_is_told(status: str, outcome: Outcome) -> None:
    with an_adapter(wechat, mode="plain") as adapter:
        body = platform.render(a_message("MASSSENDJOBFINISH", Status=status))
        event = adapter.parse(adapter.open(wechat.plain(body)))
        receipt = adapter.parse_receipt(event)

    assert receipt is not None
    assert (receipt.platform_id, receipt.outcome) == ("1000001625", outcome)
    assert (event.extras["recipient_count"], event.extras["sent_count"]) == ("100", "75")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<xml><List><a>1</a></List><a/><a/></xml>", id="element twice beside a list"),
        pytest.param(b"<xml><List><a>1</a><a>2</a></List></xml>", id="element twice inside a list"),
        pytest.param(b"<xml>" + b"<List><a>1</a></List>" * 400 + b"</xml>", id="endless list"),
        pytest.param(b'{"List": [' + b'{"a": "1"},' * 400 + b'{"a": "1"}]}', id="endless JSON list"),
        pytest.param(b'{"a": ' * 9 + b"1" + b"}" * 9, id="deep JSON"),
        pytest.param(b'{"a": ' + b"[" * 9 + b'"x"' + b"]" * 9 + b"}", id="deep JSON list"),
        pytest.param(b'{"a": {"b": "\\ud800"}}', id="half a character inside"),
    ],
)
def test_lists_and_depths_have_their_limits(body: bytes) -> None:
    with pytest.raises(Rejected):
        read_fields(body)


WORDS = st.text(min_size=1, max_size=900)


@given(title=WORDS, description=WORDS)
def test_no_card_is_longer_than_the_platform_takes(title: str, description: str) -> None:
    reply = Reply(articles=(Article(title, description, "https://hall.example.cn/"),))

    with an_adapter(wechat) as adapter:
        item = wechat.open_answer(adapter.seal(adapter.open(wechat.text("hi")), reply)).find("Articles/item")
        sent = adapter.render("o1", reply)["news"]["articles"][0]

    assert len(item.findtext("Title").encode()) <= MAX_TITLE_BYTES
    assert len(item.findtext("Description").encode()) <= MAX_DESCRIPTION_BYTES
    assert len(sent["title"].encode()) <= MAX_TITLE_BYTES
    assert len(sent["description"].encode()) <= MAX_DESCRIPTION_BYTES


@given(text=st.text("办a😀]>&", min_size=1, max_size=1500))
def test_no_text_is_longer_than_the_platform_takes(text: str) -> None:
    with an_adapter(wechat) as adapter:
        shown = wechat.read_reply(adapter.seal(adapter.open(wechat.text("hi")), Reply(text)))
        sent = adapter.render("o1", Reply(text))["text"]["content"]

    assert shown == sent
    assert 0 < len(shown.encode()) <= MAX_TEXT_BYTES
    assert text.startswith(shown.removesuffix("…"))
