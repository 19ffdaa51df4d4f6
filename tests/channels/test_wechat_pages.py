"""Signatures of pages inside WeChat, to the byte, and the ticket they need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy import WeChatClient

from channels import registry
from channels.base import Capability, Channel, ChannelError, Token, TokenStore
from channels.tokens import MemoryTokenStore
from channels.wechat.pages import sign
from tests.channels import platform_wechat as wechat
from tests.channels.builders import NOW, an_adapter, an_env
from tests.channels.server import Answer, Respond, a_platform

PAGE = "https://hall.example.cn/p?x=1"
TICKET_KEY = f"wechat:{wechat.APP_ID}:jsapi_ticket"
DOC_TIME = datetime.fromtimestamp(1414587457, UTC)


@contextmanager
def an_account(respond: Respond, tokens: TokenStore | None = None) -> Iterator[Channel]:
    with a_platform(respond) as server, an_env(tokens=tokens) as env:
        yield registry.build(wechat.config(server.base_url), env)


def test_the_documents_page_is_signed_to_the_byte() -> None:
    with a_platform(wechat.Api()) as server, an_env(now=DOC_TIME, nonce="Wm3WZYTPz0wzccnW") as env:
        adapter = registry.build(wechat.config(server.base_url), env)
        config = adapter.page_config("http://mp.weixin.qq.com?params=value", ["chooseImage"])

    assert config is not None
    assert config.signature == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"
    assert (config.app_id, config.signed_at, config.nonce) == (wechat.APP_ID, 1414587457, "Wm3WZYTPz0wzccnW")


@given(
    ticket=st.text("abcXYZ019_-", min_size=1), nonce=st.text("abc019", min_size=1), path=st.text("ab/?=&é中")
)
def test_signatures_are_those_of_the_peer_library(ticket: str, nonce: str, path: str) -> None:
    url = f"https://hall.example.cn/{path}"

    theirs = WeChatClient("a", "b").jsapi.get_jsapi_signature(nonce, ticket, 1414587457, url)

    assert sign(ticket, nonce, 1414587457, url) == theirs


def test_one_ticket_serves_all_pages_and_all_processes() -> None:
    api, tokens = wechat.Api(), MemoryTokenStore()

    with an_account(api, tokens) as one, an_account(api, tokens) as other:
        for adapter in (one, other, one):
            adapter.page_config(PAGE, [])

    assert api.tickets == 1


def test_a_ticket_about_to_end_is_renewed() -> None:
    api, tokens = wechat.Api(), MemoryTokenStore()
    tokens.compare_and_refresh(TICKET_KEY, 0, lambda: Token("ending", NOW + timedelta(minutes=4)))

    with an_account(api, tokens) as adapter:
        adapter.page_config(PAGE, [])

    assert tokens.get(TICKET_KEY) == Token(wechat.TICKET, NOW + timedelta(seconds=7200), 2)


def test_a_ticket_outlives_the_access_token() -> None:
    api = wechat.Api()

    with an_account(api) as adapter:
        first = adapter.page_config(PAGE, [])
        api.drop_token()

        assert adapter.page_config(PAGE, []) == first


def test_a_dropped_access_token_does_not_hinder_the_ticket() -> None:
    api = wechat.Api()

    with an_account(api) as adapter:
        adapter.read_menu()
        api.drop_token()
        adapter.page_config(PAGE, [])

    assert (api.issued, api.tickets) == (2, 1)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"ticket":1,"expires_in":9}',
        b'{"ticket":"t","expires_in":"soon"}',
        b'{"ticket":"","expires_in":9}',
    ],
)
def test_an_answer_without_a_ticket_is_not_stored(body: bytes) -> None:
    api, tokens = wechat.Api(), MemoryTokenStore()

    with (
        an_account(lambda call: Answer(body) if "ticket" in call.target else api(call), tokens) as adapter,
        pytest.raises(ChannelError) as failed,
    ):
        adapter.page_config(PAGE, [])

    assert failed.value.code == "garbage"
    assert tokens.get(TICKET_KEY) is None


@pytest.mark.parametrize(
    ("url", "apis", "code"),
    [
        pytest.param("javascript:alert(1)", [], "bad_url", id="script"),
        pytest.param("/only/a/path", [], "bad_url", id="no host"),
        pytest.param("http://[x", [], "bad_url", id="broken"),
        pytest.param(PAGE, ["scan QRCode"], "bad_apis", id="blank in a name"),
        pytest.param(PAGE, ["</script>"], "bad_apis", id="markup for a name"),
        pytest.param(PAGE, ["a"] * 65, "bad_apis", id="too many"),
    ],
)
def test_what_is_no_page_is_not_signed(url: str, apis: list[str], code: str) -> None:
    with an_adapter(wechat) as adapter, pytest.raises(ChannelError) as refused:
        adapter.page_config(url, apis)

    assert refused.value.code == code


def test_a_subscription_account_signs_pages_but_nobody_in() -> None:
    with an_adapter(wechat, account_type="subscription") as adapter, pytest.raises(ChannelError) as refused:
        adapter.authorize_url("https://hall.example.cn/back", "s1")

    assert refused.value.code == "unsupported"
    assert Capability.PAGE_CONFIG in adapter.capabilities
    assert Capability.WEB_LOGIN not in adapter.capabilities
