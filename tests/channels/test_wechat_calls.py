"""Calls to WeChat's API over real HTTP: tokens, faults, bounds."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from channels import registry
from channels.base import Channel, ChannelError, MenuEntry, Outcome, Reply, Token, TokenStore
from channels.tokens import MemoryTokenStore
from tests.channels import platform_wechat as wechat
from tests.channels.builders import NOW, an_env
from tests.channels.server import Answer, Call, Platform, Respond, a_platform

HELLO = Reply("你好")


@contextmanager
def an_adapter(
    respond: Respond,
    tokens: TokenStore | None = None,
    timeout_seconds: float = 4.0,
    deadline_seconds: float = 8.0,
    **settings: str,
) -> Iterator[tuple[Channel, Platform]]:
    with (
        a_platform(respond) as server,
        an_env(tokens=tokens, timeout_seconds=timeout_seconds, deadline_seconds=deadline_seconds) as env,
    ):
        yield registry.build(wechat.config(server.base_url, **settings), env), server


@pytest.mark.parametrize("method", ["stable", "ordinary"])
def test_one_token_serves_many_calls(method: str) -> None:
    api = wechat.Api()

    with an_adapter(api, token_method=method) as (adapter, _):
        results = [adapter.send(wechat.RECIPIENT, HELLO) for _ in range(3)]

    assert [result.outcome for result in results] == [Outcome.ACCEPTED] * 3
    assert api.issued == 1


def test_a_dropped_token_is_replaced_once_and_the_call_repeated() -> None:
    api = wechat.Api()

    with an_adapter(api) as (adapter, _):
        adapter.send(wechat.RECIPIENT, HELLO)
        api.drop_token()
        result = adapter.send(wechat.RECIPIENT, HELLO)

    assert result.outcome is Outcome.ACCEPTED
    assert api.issued == 2
    assert len(api.sent) == 2


def test_a_platform_that_takes_no_token_is_not_asked_for_ever() -> None:
    api = wechat.Api()
    api.always_bad_token = True

    with an_adapter(api) as (adapter, server):
        result = adapter.send(wechat.RECIPIENT, HELLO)

    assert (result.outcome, result.code) == (Outcome.AUTH, "40001")
    assert len(server.targets("/cgi-bin/message/custom/send")) == 2
    assert api.issued == 2


def test_a_token_another_process_has_stored_is_used() -> None:
    api, tokens = wechat.Api(), MemoryTokenStore()

    with an_adapter(api, tokens) as (adapter, _), an_adapter(api, tokens) as (other, _):
        adapter.send(wechat.RECIPIENT, HELLO)
        other.send(wechat.RECIPIENT, HELLO)

    assert api.issued == 1


def test_a_token_about_to_end_is_renewed_early() -> None:
    api, tokens = wechat.Api(), MemoryTokenStore()
    ending = Token("ending", NOW + timedelta(minutes=4))
    tokens.compare_and_refresh(f"wechat:{wechat.APP_ID}:stable", 0, lambda: ending)

    with an_adapter(api, tokens) as (adapter, _):
        adapter.send(wechat.RECIPIENT, HELLO)

    assert api.issued == 1


def test_a_token_that_is_still_good_serves_while_no_other_can_be_had() -> None:
    api, tokens = wechat.Api(), MemoryTokenStore()

    def respond(call: Call) -> Answer | None:
        away = call.target.startswith("/cgi-bin/stable_token") and api.issued
        return Answer(b"", status=503) if away else api(call)

    with an_adapter(respond, tokens) as (adapter, _):
        adapter.send(wechat.RECIPIENT, HELLO)
        held = tokens.get(f"wechat:{wechat.APP_ID}:stable")
        assert held is not None
        ending = replace(held, expires_at=NOW + timedelta(minutes=4))
        tokens.compare_and_refresh(f"wechat:{wechat.APP_ID}:stable", held.version, lambda: ending)
        result = adapter.send(wechat.RECIPIENT, HELLO)

    assert result.outcome is Outcome.ACCEPTED


def test_an_answer_that_tells_no_result_is_not_taken_for_success() -> None:
    api = wechat.Api()

    def respond(call: Call) -> Answer | None:
        return Answer(b"{}") if "custom/send" in call.target else api(call)

    with an_adapter(respond) as (adapter, _):
        result = adapter.send(wechat.RECIPIENT, HELLO)

    assert (result.outcome, result.code) == (Outcome.RETRYABLE, "garbage")


def test_a_storm_of_calls_after_a_dropped_token_fetches_one() -> None:
    api = wechat.Api()

    with an_adapter(api) as (adapter, _), ThreadPoolExecutor(8) as pool:
        adapter.send(wechat.RECIPIENT, HELLO)
        api.drop_token()
        results = list(pool.map(lambda _: adapter.send(wechat.RECIPIENT, HELLO), range(16)))

    assert {result.outcome for result in results} == {Outcome.ACCEPTED}
    assert api.issued == 2


def test_no_secret_is_part_of_a_token_key() -> None:
    keys: list[str] = []

    class Recording(MemoryTokenStore):
        def get(self, key: str) -> Token | None:
            keys.append(key)
            return super().get(key)

    with an_adapter(wechat.Api(), Recording()) as (adapter, _):
        adapter.send(wechat.RECIPIENT, HELLO)

    assert keys
    assert not any(wechat.APP_SECRET in key for key in keys)


def test_the_stable_method_keeps_the_secret_out_of_the_address() -> None:
    with an_adapter(wechat.Api()) as (adapter, server):
        adapter.send(wechat.RECIPIENT, HELLO)

    assert not any(wechat.APP_SECRET in call.target for call in server.calls)


def hang_at(path: str) -> Respond:
    api = wechat.Api()
    return lambda call: None if call.target.startswith(path) else api(call)


@pytest.mark.parametrize("path", ["/cgi-bin/stable_token", "/cgi-bin/menu/get"])
def test_a_platform_that_says_nothing_is_given_up(path: str) -> None:
    with (
        an_adapter(hang_at(path), timeout_seconds=0.3) as (adapter, _),
        pytest.raises(ChannelError) as failed,
    ):
        adapter.read_menu()

    assert failed.value.retryable
    assert failed.value.code == "timeout"


def test_a_platform_that_is_not_there_is_a_retryable_failure_without_secrets() -> None:
    with an_env() as env, pytest.raises(ChannelError) as failed:
        registry.build(wechat.config("http://127.0.0.1:9", token_method="ordinary"), env).read_menu()

    assert failed.value.retryable
    assert wechat.APP_SECRET not in repr(failed.value)
    assert failed.value.__cause__ is None


def answering(answer: Answer) -> Respond:
    api = wechat.Api()
    return lambda call: api(call) if "token" in call.target.split("?")[0] else answer


@pytest.mark.parametrize(
    ("answer", "code", "retryable"),
    [
        pytest.param(Answer(b"<html>502</html>", 502), "http_502", True, id="bad gateway"),
        pytest.param(Answer(b"", 404), "http_404", False, id="not found"),
        pytest.param(Answer(b"", 302), "http_302", False, id="redirect"),
        pytest.param(Answer(b"<html>"), "garbage", True, id="no JSON"),
        pytest.param(Answer(b"[]"), "garbage", True, id="JSON list"),
        pytest.param(Answer(b'{"errcode":"x"}'), "garbage", True, id="errcode is a word"),
        pytest.param(Answer(b'{"errcode":' + b"[" * 90_000), "garbage", True, id="deep JSON"),
        pytest.param(Answer(b" " * 2_000_000), "too_large", False, id="huge"),
        pytest.param(Answer(b'{"errcode":-1}'), "-1", True, id="busy"),
        pytest.param(Answer(b'{"errcode":"45009"}'), "45009", False, id="quota, as a string"),
    ],
)
def test_odd_answers_are_errors_that_say_whether_to_retry(answer: Answer, code: str, retryable: bool) -> None:
    with an_adapter(answering(answer)) as (adapter, _), pytest.raises(ChannelError) as failed:
        adapter.publish_menu((MenuEntry("首页", url="https://a.cn/"),))

    assert (failed.value.code, failed.value.retryable) == (code, retryable)


@pytest.mark.parametrize(
    "body", [b"{}", b'{"access_token":1}', b'{"access_token":"a","expires_in":"soon"}', b'{"errcode":40164}']
)
def test_an_answer_without_a_token_is_not_stored(body: bytes) -> None:
    tokens = MemoryTokenStore()

    with an_adapter(lambda call: Answer(body), tokens) as (adapter, _), pytest.raises(ChannelError):
        adapter.read_menu()

    assert tokens.get(f"wechat:{wechat.APP_ID}:stable") is None


def test_an_answer_that_trickles_in_is_given_up() -> None:
    with an_adapter(wechat.Api(), deadline_seconds=0.0) as (adapter, _):
        result = adapter.send(wechat.RECIPIENT, HELLO)

    assert (result.outcome, result.code) == (Outcome.RETRYABLE, "timeout")


@pytest.mark.parametrize(
    ("errcode", "outcome"),
    [
        (43101, Outcome.NEEDS_CONSENT),
        (43004, Outcome.NOT_FOLLOWING),
        (45015, Outcome.NOT_FOLLOWING),
        (45009, Outcome.QUOTA),
        (40037, Outcome.BAD_TEMPLATE),
        (40164, Outcome.AUTH),
        (-1, Outcome.RETRYABLE),
        (99999, Outcome.UNKNOWN),
    ],
)
def test_a_refused_message_has_an_outcome(errcode: int, outcome: Outcome) -> None:
    refusals: Mapping[str, Mapping[str, Any]] = {"message/custom/send": {"errcode": errcode, "errmsg": "x"}}

    with an_adapter(wechat.Api(refusals)) as (adapter, _):
        result = adapter.send(wechat.RECIPIENT, HELLO)

    assert (result.outcome, result.code) == (outcome, str(errcode))
    assert adapter.classify(str(errcode)) is outcome


def test_the_menu_is_sent_as_the_platform_wants_it() -> None:
    api = wechat.Api()
    tree = (MenuEntry("办事", children=(MenuEntry("进度", key="p"),)), MenuEntry("首页", url="https://a.cn/"))

    with an_adapter(api) as (adapter, _):
        adapter.publish_menu(tree)

    assert api.menu == {
        "button": [
            {"name": "办事", "sub_button": [{"type": "click", "name": "进度", "key": "p"}]},
            {"type": "view", "name": "首页", "url": "https://a.cn/"},
        ]
    }


@pytest.mark.parametrize(
    ("entry", "codes"),
    [
        pytest.param(MenuEntry("办" * 5, key="k"), [], id="15 bytes"),
        pytest.param(MenuEntry("办" * 6, key="k"), ["name_too_long"], id="18 bytes"),
        pytest.param(MenuEntry(" ", key="k"), ["name_missing"], id="no name"),
        pytest.param(MenuEntry("a", key="k" * 129), ["key_too_long"], id="long key"),
        pytest.param(MenuEntry("a", url="javascript:alert(1)"), ["bad_url"], id="script"),
        pytest.param(MenuEntry("a", url="https://a.cn/" + "x" * 1024), ["url_too_long"], id="long address"),
        pytest.param(
            MenuEntry("a", children=tuple(MenuEntry("b", key=str(i)) for i in range(6))),
            ["entry_count"],
            id="six children",
        ),
        pytest.param(
            MenuEntry("a", children=(MenuEntry("b", children=(MenuEntry("c", key="k"),)),)),
            ["too_deep"],
            id="third level",
        ),
    ],
)
def test_the_menus_limits_are_told(entry: MenuEntry, codes: list[str]) -> None:
    with an_env() as env:
        violations = registry.build(wechat.config(), env).check_menu([entry])

    assert [violation.code for violation in violations] == codes


def test_only_one_thread_fetches_at_a_cold_start() -> None:
    api, started = wechat.Api(), threading.Barrier(8)

    with an_adapter(api) as (adapter, _), ThreadPoolExecutor(8) as pool:

        def send(_: int) -> Outcome:
            started.wait(10)
            return adapter.send(wechat.RECIPIENT, HELLO).outcome

        outcomes = set(pool.map(send, range(8)))

    assert outcomes == {Outcome.ACCEPTED}
    assert api.issued == 1


def test_an_ill_account_is_seen_as_ill() -> None:
    def refuse(call: Call) -> Answer:
        return Answer(b'{"errcode":40125,"errmsg":"invalid appsecret"}')

    with an_adapter(refuse) as (adapter, _):
        health = adapter.probe()

    assert (health.ok, health.code) == (False, "40125")
