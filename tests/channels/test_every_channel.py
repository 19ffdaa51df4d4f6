"""What every channel must do, whatever its platform. A new channel's other end is ``platform_<kind>.py``."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import registry
from channels.base import (
    MAX_BODY_BYTES,
    Article,
    Capability,
    Channel,
    ChannelError,
    EventKind,
    InboundEvent,
    InboundRequest,
    MenuEntry,
    Outcome,
    PageMedium,
    RawResponse,
    Rejected,
    Reply,
)
from tests.channels.builders import NOW, an_adapter
from tests.channels.server import a_platform

NOISE = st.binary(max_size=300)
MENU = (
    MenuEntry(
        "办事", children=(MenuEntry("查进度", key="progress"), MenuEntry("网页", url="https://a.cn/?b=1"))
    ),
    MenuEntry("首页", url="https://hall.example.cn/"),
)


def inbound(adapter: Channel, req: InboundRequest) -> InboundEvent:
    return adapter.parse(adapter.open(req))


def serve(adapter: Channel, req: InboundRequest) -> RawResponse:
    """Do what the callback view does."""
    try:
        answer = adapter.handshake(req)
        if answer is not None:
            return answer
        envelope = adapter.open(req)
        adapter.parse(envelope)
    except Rejected as rejected:
        return adapter.reject(req, rejected)
    return adapter.seal(envelope, None)


def test_an_adapter_meets_the_contract(platform: Any) -> None:
    with an_adapter(platform) as adapter:
        assert isinstance(adapter, Channel)
        assert adapter.kind == platform.config().kind
        assert adapter.account == platform.config().account


def test_secrets_do_not_show_in_the_configuration(platform: Any) -> None:
    config = platform.config()

    shown = repr(config)

    assert not any(secret in shown for secret in config.secrets.values())


def test_all_secret_fields_are_kept_as_secrets(platform: Any) -> None:
    config = platform.config()

    description = registry.kinds()[config.kind]

    assert description.secret_names >= config.secrets.keys()
    assert not description.secret_names & config.settings.keys()


def test_missing_settings_are_told_all_at_once(platform: Any) -> None:
    description = registry.kinds()[platform.config().kind]

    problems = {problem.name for problem in description.problems({})}

    assert problems == {field.name for field in description.fields if field.required and not field.default}


def test_the_platforms_own_check_of_the_address_is_answered(platform: Any) -> None:
    with an_adapter(platform) as adapter:
        answer = adapter.handshake(platform.handshake())

    assert answer is not None
    assert platform.accepts_handshake(answer)


def test_a_message_is_no_handshake(platform: Any) -> None:
    with an_adapter(platform) as adapter:
        answer = adapter.handshake(platform.text("你好"))

    assert answer is None


def test_a_text_arrives_with_sender_and_time(platform: Any) -> None:
    at = NOW - timedelta(seconds=42)

    with an_adapter(platform) as adapter:
        event = inbound(adapter, platform.text("公积金 <查询> & 进度", "77", at))

    assert (event.kind, event.text, event.event_id) == (EventKind.TEXT, "公积金 <查询> & 进度", "77")
    assert (event.sender, event.occurred_at) == (platform.RECIPIENT, at)
    assert (event.channel, event.account) == (adapter.kind, adapter.account)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("follow", EventKind.FOLLOW), ("unfollow", EventKind.UNFOLLOW), ("click", EventKind.MENU)],
)
def test_events_have_one_vocabulary(platform: Any, name: str, kind: EventKind) -> None:
    with an_adapter(platform) as adapter:
        event = inbound(adapter, platform.event(name, "progress"))

    assert (event.kind, event.action) == (kind, "progress")


def test_an_unknown_event_is_received_all_the_same(platform: Any) -> None:
    with an_adapter(platform) as adapter:
        event = inbound(adapter, platform.event("from_the_future"))

    assert event.kind is EventKind.UNKNOWN
    assert "from_the_future" in event.raw_type


def test_the_freshness_of_a_message_is_told(platform: Any) -> None:
    with an_adapter(platform) as adapter:
        freshness = adapter.open(platform.text("你好")).freshness

    assert freshness.signed_at == NOW
    assert freshness.nonce
    assert len(freshness.digest) == 64
    assert freshness.binds_body


def test_a_repeated_message_has_the_same_key(platform: Any) -> None:
    with an_adapter(platform) as adapter:
        first, again = (adapter.dedup_key(inbound(adapter, platform.text("你好"))) for _ in range(2))

    assert first == again
    assert len(first) == 64


def test_different_events_of_one_user_in_one_second_are_two(platform: Any) -> None:
    requests = [
        platform.event("follow"),
        platform.event("unfollow"),
        platform.event("click", "a"),
        platform.event("click", "b"),
        platform.text("a", "1"),
        platform.text("a", "2"),
    ]

    with an_adapter(platform) as adapter:
        keys = {adapter.dedup_key(inbound(adapter, req)) for req in requests}

    assert len(keys) == len(requests)


def test_one_message_id_under_two_senders_is_two_messages(platform: Any) -> None:
    with an_adapter(platform) as adapter:
        event = inbound(adapter, platform.text("你好"))
        other = replace(event, sender="somebody-else")

        assert adapter.dedup_key(event) != adapter.dedup_key(other)


def test_a_passive_reply_reaches_the_resident(platform: Any) -> None:
    with an_adapter(platform) as adapter:
        answer = adapter.seal(adapter.open(platform.text("你好")), Reply("请点 <这里> & 看]]>😀"))

        passive = Capability.PASSIVE_REPLY in adapter.capabilities
        assert platform.read_reply(answer) == ("请点 <这里> & 看]]>😀" if passive else "")


def test_the_bare_receipt_carries_no_reply(platform: Any) -> None:
    with an_adapter(platform) as adapter:
        answer = adapter.seal(adapter.open(platform.text("你好")), None)

    assert answer.status == 200
    assert platform.read_reply(answer) == ""


def test_a_tampered_body_is_refused(platform: Any) -> None:
    req = platform.text("你好")
    at = len(req.body) * 2 // 3
    other = b"B" if req.body[at : at + 1] == b"A" else b"A"
    tampered = replace(req, body=req.body[:at] + other + req.body[at + 1 :])

    with an_adapter(platform) as adapter:
        answer = serve(adapter, tampered)

    assert 400 <= answer.status <= 499


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", ""])
def test_messages_come_by_post_only(platform: Any, method: str) -> None:
    with an_adapter(platform) as adapter, pytest.raises(Rejected) as refused:
        adapter.open(replace(platform.text("你好"), method=method))

    assert refused.value.status == 405


BAD_REQUESTS = [
    pytest.param(InboundRequest("POST"), id="empty"),
    pytest.param(InboundRequest("GET"), id="empty handshake"),
    pytest.param(InboundRequest("POST", b"a=%FF&signature=1"), id="query in no charset"),
    pytest.param(InboundRequest("POST", b"sign=a&sign=b&signature=1&signature=2"), id="parameter twice"),
    pytest.param(InboundRequest("POST", b"&".join(b"p%d=1" % i for i in range(999))), id="many parameters"),
    pytest.param(InboundRequest("POST", b"", {}, b"x" * (MAX_BODY_BYTES + 1)), id="huge body"),
    pytest.param(InboundRequest("POST", b"x" * (MAX_BODY_BYTES + 1)), id="huge query"),
    pytest.param(InboundRequest("POST", b"timestamp=1&nonce=2&time=1", {}, b"<xml/>"), id="unsigned"),
    pytest.param(
        InboundRequest("POST", "timestamp=1&nonce=2&time=1&sign=中&signature=中".encode(), {}, b"{}"),
        id="signature beyond ASCII",
    ),
    pytest.param(InboundRequest("POST", b"timestamp=" + b"9" * 5000 + b"&nonce=1"), id="endless number"),
]


@pytest.mark.parametrize("req", BAD_REQUESTS)
def test_a_bad_request_is_refused_with_4xx(platform: Any, req: InboundRequest) -> None:
    with an_adapter(platform) as adapter:
        answer = serve(adapter, req)

    assert 400 <= answer.status <= 499


BAD_BODIES = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"not a message", id="words"),
    pytest.param(b"<xml>", id="unclosed"),
    pytest.param(b"<xml></xml>", id="no elements"),
    pytest.param(b"<xml><a>1</a><a>2</a></xml>", id="element twice"),
    pytest.param(b"<a>" * 9000 + b"</a>" * 9000, id="deeply nested"),
    pytest.param(b'<!DOCTYPE x [<!ENTITY a "b">]><xml><a>&a;</a></xml>', id="entity"),
    pytest.param(b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><xml/>', id="external entity"),
    pytest.param(b"[1,2]", id="json list"),
    pytest.param(b"{" * 20_000, id="deep json"),
    pytest.param(b'{"a":1,"a":2}', id="json member twice"),
    pytest.param(b"<xml>" + b"".join(b"<e%d/>" % i for i in range(2000)) + b"</xml>", id="many elements"),
]


@pytest.mark.parametrize("body", BAD_BODIES)
def test_an_authentic_but_malformed_message_is_refused_with_4xx(platform: Any, body: bytes) -> None:
    with an_adapter(platform) as adapter:
        answer = serve(adapter, platform.signed(body))

    assert 400 <= answer.status <= 499


def test_no_noise_brings_an_adapter_down(platform: Any) -> None:
    with an_adapter(platform) as adapter:

        @given(method=st.sampled_from(["GET", "POST"]), query=NOISE, body=NOISE)
        def is_refused(method: str, query: bytes, body: bytes) -> None:
            answer = serve(adapter, InboundRequest(method, query, {}, body))
            assert 400 <= answer.status <= 499

        is_refused()


def test_a_menu_comes_back_as_it_was_published(platform: Any) -> None:
    with a_platform(platform.api()) as server, an_adapter(platform, server.base_url) as adapter:
        if Capability.MENU in adapter.capabilities:
            before = adapter.read_menu()
            adapter.publish_menu(MENU)
            adapter.publish_menu(MENU[:1])

            assert (before, adapter.read_menu()) == ((), MENU[:1])


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param((), id="empty"),
        pytest.param(tuple(MenuEntry("办事", key=str(i)) for i in range(9)), id="too many"),
        pytest.param((MenuEntry("办" * 200, key="a"),), id="name too long"),
    ],
)
def test_a_menu_beyond_the_limits_is_not_sent(platform: Any, tree: tuple[MenuEntry, ...]) -> None:
    with an_adapter(platform) as adapter:
        violations = adapter.check_menu(tree)
        with pytest.raises(ChannelError) as refused:
            adapter.publish_menu(tree)

        able = Capability.MENU in adapter.capabilities

    assert violations
    assert refused.value.code == ("bad_menu" if able else "unsupported")
    assert not refused.value.retryable


def test_a_menu_within_the_limits_has_no_violations_where_there_are_menus(platform: Any) -> None:
    with an_adapter(platform) as adapter:
        assert (adapter.check_menu(MENU) == []) == (Capability.MENU in adapter.capabilities)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply("办件已受理 😀 ]]> }{"), id="text"),
        pytest.param(
            Reply(articles=(Article("公积金", "查询", "https://a.cn/", "https://a.cn/p.png"),)), id="news"
        ),
    ],
)
def test_a_message_of_our_own_is_accepted(platform: Any, reply: Reply) -> None:
    with a_platform(platform.api()) as server, an_adapter(platform, server.base_url) as adapter:
        if Capability.SEND in adapter.capabilities:
            assert adapter.send(platform.RECIPIENT, reply).outcome is Outcome.ACCEPTED


def test_a_sign_in_tells_who_it_is(platform: Any) -> None:
    with a_platform(platform.api()) as server, an_adapter(platform, server.base_url) as adapter:
        able = Capability.WEB_LOGIN in adapter.capabilities
        returned = adapter.read_callback(platform.CALLBACK) if able else (platform.GOOD_CODE, "s1")
        identity = adapter.exchange(returned[0])

    assert returned == (platform.GOOD_CODE, "s1")
    assert identity.subject
    assert identity.subject not in repr(identity)


def test_a_code_the_platform_does_not_know_is_an_error_of_ours(platform: Any) -> None:
    with (
        a_platform(platform.api()) as server,
        an_adapter(platform, server.base_url) as adapter,
        pytest.raises(ChannelError) as refused,
    ):
        adapter.exchange("stolen")

    assert not refused.value.retryable
    assert refused.value.outcome is Outcome.AUTH


@pytest.mark.parametrize("args", [{}, {"state": "s"}, {"code": "c", "auth_code": "c"}])
def test_an_incomplete_sign_in_is_refused(platform: Any, args: dict[str, str]) -> None:
    with an_adapter(platform) as adapter, pytest.raises(Rejected):
        adapter.read_callback(args)


def test_nothing_in_the_state_breaks_out_of_the_sign_in_address(platform: Any) -> None:
    state = "a&scope=snsapi_userinfo#x y中"

    with an_adapter(platform) as adapter:
        able = Capability.WEB_LOGIN in adapter.capabilities
        url = adapter.authorize_url("https://hall.example.cn/back", state) if able else ""

    assert "&scope=snsapi_userinfo" not in url
    assert " " not in url


def test_a_page_link_keeps_what_the_page_had(platform: Any) -> None:
    with an_adapter(platform) as adapter:
        link = adapter.page_link("https://a.cn/p?x=1#top", {"from": "公众号"})

    assert link.medium is PageMedium.H5
    assert link.value == "https://a.cn/p?x=1&from=%E5%85%AC%E4%BC%97%E5%8F%B7#top"


def test_a_plain_browser_belongs_to_no_channel(platform: Any) -> None:
    with an_adapter(platform) as adapter:
        assert adapter.detect({"user-agent": "Mozilla/5.0 (Linux; Android 14) Chrome/120 Mobile"}) is None


def test_a_healthy_account_is_seen_as_healthy(platform: Any) -> None:
    with a_platform(platform.api()) as server, an_adapter(platform, server.base_url) as adapter:
        health = adapter.probe()

    assert health.ok
    assert health.clock_skew_seconds is not None
