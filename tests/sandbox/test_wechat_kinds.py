"""Every message and event of the platform reaches the hall's adapter and is answered."""

from __future__ import annotations

import pytest

from channels.base import EventKind
from sandbox.wechat import samples
from tests.sandbox import builders
from tests.sandbox.servers import a_sandbox
from tests.sandbox.test_adapters import a_meeting

KEY = "gd-wechat"


@pytest.mark.parametrize("kind", ["wechat-plain", "wechat-secure"])
def test_every_kind_arrives_and_only_the_unknown_is_unknown(kind: str) -> None:
    with a_meeting(kind) as (hall, sandbox, key):
        sandbox.act(key, "follow")

        outcomes = [sandbox.act(key, "sample", name) for name in samples.NAMES]

        unknown = [event.raw_type for event in hall.events if event.kind is EventKind.UNKNOWN]
        assert outcomes == [["no_answer"]] * len(samples.NAMES)
        assert unknown == ["event:from_the_future"]
        assert len({hall.channel.dedup_key(event) for event in hall.events}) == len(samples.NAMES) + 1


def test_a_sample_that_is_none_is_refused() -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        body = {"account": KEY, "kind": "sample", "value": "poem"}

        assert sandbox.call("POST", "/control/messages", json=body).status_code == 422
