"""Files handed over to WeChat, and answers that show one or pass the resident on."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from channels.base import ChannelError, InboundRequest, Media, MediaId, MediaKind, Outcome, Reply
from tests.channels import platform_wechat as wechat
from tests.channels.builders import NOW, an_adapter
from tests.channels.server import a_platform

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 64
MP4 = b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 64


def uploaded(media: Media, answers: dict[str, Any] | None = None) -> tuple[MediaId, bytes, str]:
    """Return the id, the call's body and its address."""
    api = wechat.Api(answers)
    with a_platform(api) as server, an_adapter(wechat, server.base_url) as adapter:
        made = adapter.upload(media)
        target = next(
            call.target for call in server.calls if "media" in call.target or "material" in call.target
        )
    return made, api.files[0], target


@pytest.mark.parametrize(
    ("media", "part"),
    [
        (Media(MediaKind.IMAGE, "办事指南.PNG", PNG), b'name="media"; filename="upload.png"'),
        (Media(MediaKind.IMAGE, 'a";x=".jpg', JPEG), b'name="media"; filename="upload.jpg"'),
        (Media(MediaKind.VOICE, "a.mp3", b"ID3" + b"\x00" * 9), b"Content-Type: audio/mpeg"),
        (Media(MediaKind.VOICE, "a.amr", b"#!AMR\n"), b"Content-Type: audio/amr"),
        (Media(MediaKind.VIDEO, "a.mp4", MP4), b"Content-Type: video/mp4"),
        (Media(MediaKind.THUMB, "a.jpeg", JPEG), b"Content-Type: image/jpeg"),
    ],
)
def test_a_file_goes_as_a_form_with_a_plain_name(media: Media, part: bytes) -> None:
    _, body, target = uploaded(media)

    assert part in body
    assert media.content in body
    assert f"type={media.kind}" in target


def test_a_passing_file_lasts_three_days() -> None:
    made, _, target = uploaded(Media(MediaKind.IMAGE, "a.png", PNG))

    assert made == MediaId("media-1", NOW + timedelta(days=3))
    assert target.startswith("/cgi-bin/media/upload?")


def test_a_lasting_video_has_a_title() -> None:
    made, body, target = uploaded(Media(MediaKind.VIDEO, "指南.mp4", MP4, lasting=True))

    assert (made.expires_at, made.url) == (None, "http://mmbiz.qpic.cn/1")
    assert target.startswith("/cgi-bin/material/add_material?")
    assert '"title": "指南.mp4"'.encode() in body


@pytest.mark.parametrize("created_at", [None, "x", 10**17, 5])
def test_an_odd_time_of_the_platform_is_not_believed(created_at: Any) -> None:
    answer = {"media_id": "m", "created_at": created_at}

    made, _, _ = uploaded(Media(MediaKind.IMAGE, "a.png", PNG), {"media/upload": answer})

    assert made.expires_at == NOW + timedelta(days=3)


@pytest.mark.parametrize(
    "media",
    [
        pytest.param(Media(MediaKind.IMAGE, "a.png", JPEG), id="another type than it says"),
        pytest.param(Media(MediaKind.IMAGE, "a.svg", b"<svg/>"), id="a type that is not taken"),
        pytest.param(Media(MediaKind.IMAGE, "png", PNG[:8]), id="a name that is an ending"),
        pytest.param(Media(MediaKind.THUMB, "a.jpg", JPEG + b"\x00" * 64 * 1024), id="too large"),
        pytest.param(Media(MediaKind.VOICE, "a.mp3", MP4), id="a video for a voice"),
        pytest.param(Media(MediaKind.IMAGE, "a.exe", b"MZ" + PNG), id="a program"),
    ],
)
def test_a_file_the_platform_would_refuse_is_not_sent(media: Media) -> None:
    if media.name == "png":
        media = Media(MediaKind.VIDEO, "png", PNG)

    with an_adapter(wechat) as adapter, pytest.raises(ChannelError) as refused:
        adapter.upload(media)

    assert refused.value.code == "bad_media"


@pytest.mark.parametrize("answer", [{}, {"media_id": 7}, {"media_id": "m", "url": 7}])
def test_an_answer_without_an_id_is_an_error(answer: dict[str, Any]) -> None:
    with pytest.raises(ChannelError) as failed:
        uploaded(Media(MediaKind.IMAGE, "a.png", PNG), {"media/upload": answer})

    assert failed.value.code == "garbage"


def test_a_dropped_token_does_not_hinder_an_upload() -> None:
    api, media = wechat.Api(), Media(MediaKind.IMAGE, "a.png", PNG)

    with a_platform(api) as server, an_adapter(wechat, server.base_url) as adapter:
        adapter.upload(media)
        api.drop_token()
        adapter.upload(media)

    assert (len(api.files), api.issued) == (2, 2)


def in_json() -> InboundRequest:
    head = {"ToUserName": wechat.ORIGINAL_ID, "FromUserName": wechat.RECIPIENT, "CreateTime": 1714037059}
    return wechat.plain(json.dumps({**head, "MsgType": "text", "Content": "hi", "MsgId": 7}))


@pytest.mark.parametrize(
    ("reply", "more"),
    [
        (Reply(image="m1"), {"MsgType": "image", "Image": {"MediaId": "m1"}}),
        (Reply(handover=True), {"MsgType": "transfer_customer_service"}),
    ],
)
def test_answers_in_json_can_show_a_picture_and_hand_over(reply: Reply, more: dict[str, Any]) -> None:
    with an_adapter(wechat, mode="compat") as adapter:
        answer = json.loads(adapter.seal(adapter.open(in_json()), reply).body)

    assert answer == {
        "ToUserName": wechat.RECIPIENT,
        "FromUserName": wechat.ORIGINAL_ID,
        "CreateTime": int(NOW.timestamp()),
        **more,
    }


def test_nothing_in_a_media_id_adds_elements() -> None:
    with an_adapter(wechat) as adapter:
        root = wechat.open_answer(adapter.seal(adapter.open(wechat.text("hi")), Reply(image="m]]><a/>&")))

    assert root.findtext("Image/MediaId") == "m]]><a/>&"
    assert [child.tag for child in root] == ["ToUserName", "FromUserName", "CreateTime", "MsgType", "Image"]


def test_a_picture_can_be_sent_later_but_not_a_person() -> None:
    api = wechat.Api()

    with a_platform(api) as server, an_adapter(wechat, server.base_url) as adapter:
        sent = adapter.send(wechat.RECIPIENT, Reply(image="m1"))
        with pytest.raises(ChannelError) as refused:
            adapter.send(wechat.RECIPIENT, Reply(handover=True))

    assert sent.outcome is Outcome.ACCEPTED
    assert api.sent == [{"touser": wechat.RECIPIENT, "msgtype": "image", "image": {"media_id": "m1"}}]
    assert refused.value.code == "unsupported"
