"""Every message and event of the platform reaches the hall's adapter and is answered."""

from __future__ import annotations

import pytest

from channels.base import Article, EventKind, Reply
from sandbox import config
from sandbox.wechat import samples
from tests.sandbox import builders
from tests.sandbox.servers import a_hall, a_sandbox
from tests.sandbox.test_adapters import a_meeting

KEY = "gd-wechat"


@pytest.mark.parametrize("form", ["xml", "json"])
@pytest.mark.parametrize("kind", ["wechat-plain", "wechat-secure"])
def test_every_kind_arrives_and_only_the_unknown_is_unknown(kind: str, form: str) -> None:
    with a_meeting(kind, form=form) as (hall, sandbox, key):
        sandbox.act(key, "follow")

        outcomes = [sandbox.act(key, "sample", name) for name in samples.NAMES]

        unknown = [event.raw_type for event in hall.events if event.kind is EventKind.UNKNOWN]
        assert outcomes == [["no_answer"]] * len(samples.NAMES)
        assert unknown == ["event:from_the_future"]
        assert len({hall.channel.dedup_key(event) for event in hall.events}) == len(samples.NAMES) + 1


@pytest.mark.parametrize("kind", ["wechat-plain", "wechat-compat", "wechat-secure"])
@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        pytest.param(Reply("好 ]]> 😀"), "好 ]]> 😀", id="text"),
        pytest.param(
            Reply(articles=(Article("户政办理", "省公安厅", "http://127.0.0.1:1/"),)), "", id="card"
        ),
        pytest.param(Reply(handover=True), "（已转接人工客服）", id="person"),
    ],
)
def test_answers_in_json_are_shown(kind: str, reply: Reply, shown: str) -> None:
    with a_meeting(kind, reply, form="json") as (_hall, sandbox, key):
        assert sandbox.act(key, "follow") == ["answered"]

        last = sandbox.get(f"/control/chats/{key}")["entries"][-1]
        assert last["text"] == shown
        assert [card["title"] for card in last["articles"]] == [card.title for card in reply.articles]


@pytest.mark.parametrize("body", ["<xml/>", "[1]", "{", "[" * 99_999, '{"MsgType": "text"}'])
def test_an_odd_answer_in_json_puts_the_account_out_of_order(body: str) -> None:
    with a_hall() as hall:
        raw = builders.raw_wechat(callback_url=hall.url + "/x", mode="plain", form="json")
        hall.reply = lambda _received: body
        with a_sandbox(raw, hall_base=hall.url) as sandbox:
            assert sandbox.act(KEY, "follow") == ["odd"]


def test_a_form_that_is_none_is_named() -> None:
    with pytest.raises(config.ConfigError, match="form"):
        config.parse(builders.raw_config([builders.raw_wechat(form="yaml")]))


def test_a_sample_that_is_none_is_refused() -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        body = {"account": KEY, "kind": "sample", "value": "poem"}

        assert sandbox.call("POST", "/control/messages", json=body).status_code == 422
