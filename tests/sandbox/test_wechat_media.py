"""Files, pictures and full sign-ins between the hall's adapter and a platform written without it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from channels.base import ChannelError, ChannelIdentity, LoginScope, Media, MediaKind, Outcome, Reply
from tests.sandbox import builders
from tests.sandbox.servers import Sandbox, a_sandbox
from tests.sandbox.test_adapters import Hall, a_meeting
from tests.sandbox.test_wechat_api import OPEN_ID, send, token_of

PNG = Media(MediaKind.IMAGE, "guide.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 2_000_000)
KEY = "gd-wechat"


@pytest.mark.parametrize("lasting", [False, True])
def test_an_uploaded_picture_is_shown_as_an_answer_and_by_itself(lasting: bool) -> None:
    with a_meeting("wechat-secure") as (hall, sandbox, key):
        made = hall.channel.upload(Media(PNG.kind, PNG.name, PNG.content, lasting))
        hall.reply = Reply(image=made.value)

        assert sandbox.act(key, "follow") == ["answered"]
        assert hall.channel.send(hall.events[0].sender, hall.reply).outcome is Outcome.ACCEPTED
        assert [e["text"] for e in sandbox.get(f"/control/chats/{key}")["entries"][-2:]] == ["［图片］"] * 2


def test_a_picture_that_ran_out_or_never_was_is_refused() -> None:
    with a_meeting("wechat-secure") as (hall, sandbox, key):
        sandbox.act(key, "follow")
        made = hall.channel.upload(PNG)
        sandbox.clock.now += 3 * 24 * 3600 + 1
        hall.reply = Reply(image=made.value)

        assert sandbox.act(key, "text", "图片") == ["odd"]
        assert hall.channel.send(hall.events[0].sender, hall.reply).code == "40007"


def test_a_resident_is_handed_over_to_a_person() -> None:
    with a_meeting("wechat-secure", Reply(handover=True)) as (_hall, sandbox, key):
        sandbox.act(key, "follow")

        assert sandbox.get(f"/control/chats/{key}")["entries"][-1]["text"] == "（已转接人工客服）"


@pytest.mark.parametrize(
    ("kind", "file", "code"),
    [
        pytest.param("poem", ("a.png", b"x"), 40004, id="unknown kind"),
        pytest.param("image", ("a.exe", b"x"), 40005, id="unknown ending"),
        pytest.param("image", ("a.png", b""), 40006, id="empty"),
        pytest.param("thumb", ("a.jpg", b"x" * 70_000), 40012, id="too large"),
        pytest.param("image", None, 41005, id="no file"),
    ],
)
def test_a_file_is_refused_for_its_fault(kind: str, file: Any, code: int) -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        params = {"access_token": token_of(sandbox)["access_token"], "type": kind}
        files = {"media": file} if file else {"other": ("a", b"b")}
        answer = sandbox.call("POST", "/wechat/cgi-bin/media/upload", params=params, files=files)

        assert answer.json()["errcode"] == code


def test_a_message_with_an_unknown_picture_is_refused() -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        sandbox.act(KEY, "follow")

        body = {"touser": OPEN_ID, "msgtype": "image", "image": {"media_id": "m"}}
        assert send(sandbox, "message/custom/send", body)["errcode"] == 40007


def sign_in(hall: Hall, sandbox: Sandbox, scope: LoginScope) -> ChannelIdentity:
    url = hall.channel.authorize_url(f"{sandbox.world.config.hall_base}/sign-in", "s", scope)
    location = requests.post(url, allow_redirects=False, timeout=5).headers["Location"]
    code, _ = hall.channel.read_callback(dict(parse_qsl(urlsplit(location).query)))
    return hall.channel.exchange(code)


def test_a_full_sign_in_tells_name_and_picture_and_can_be_renewed() -> None:
    with a_meeting("wechat-secure") as (hall, sandbox, _key):
        identity = sign_in(hall, sandbox, LoginScope.PROFILE)
        sandbox.clock.now += 7201
        with pytest.raises(ChannelError):
            hall.channel.user_info(identity)
        told = hall.channel.user_info(hall.channel.refresh(identity))

        assert (told.subject, told.name, told.union_id) == (identity.subject, "粤小民", identity.union_id)
        sandbox.clock.now += 31 * 24 * 3600
        with pytest.raises(ChannelError) as refused:
            hall.channel.refresh(identity)
        assert refused.value.code == "40030"


def test_a_plain_sign_in_tells_no_name() -> None:
    with a_meeting("wechat-secure") as (hall, sandbox, _key):
        identity = sign_in(hall, sandbox, LoginScope.BASE)

        assert identity.grant is not None
        params = {"access_token": identity.grant.access_token, "openid": identity.subject}
        assert sandbox.get("/wechat/sns/userinfo", **params)["errcode"] == 48001


@pytest.mark.parametrize(
    ("switch", "code"), [("snapshot_user", "snapshot_user"), ("api_busy", "-1"), ("api_garbage", "http_502")]
)
def test_a_disturbed_sign_in_signs_nobody_in(switch: str, code: str) -> None:
    with a_meeting("wechat-secure") as (hall, sandbox, key):
        sandbox.post("/control/switches", {"account": key, switch: 1})

        with pytest.raises(ChannelError) as refused:
            sign_in(hall, sandbox, LoginScope.PROFILE)

        assert refused.value.code == code
