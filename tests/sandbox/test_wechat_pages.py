"""The phone lets a page call its functions when, and only when, the hall signed it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from tests.sandbox import builders
from tests.sandbox.servers import Sandbox, a_sandbox
from tests.sandbox.test_adapters import Hall, a_meeting


def page_of(sandbox: Sandbox) -> str:
    return f"{sandbox.world.config.hall_base}/p?x=1&y=二"


def judged(hall: Hall, sandbox: Sandbox, key: str, **changes: Any) -> str:
    url = page_of(sandbox)
    config = hall.channel.page_config(url + "#top", ["scanQRCode"])
    assert config is not None
    told = {**asdict(config), "url": url, **changes}
    return str(sandbox.post(f"/control/accounts/{key}/page-config", told)["detail"])


def test_a_signed_page_is_taken() -> None:
    with a_meeting("wechat-secure") as (hall, sandbox, key):
        assert judged(hall, sandbox, key) == "config:ok"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"nonce": "other"}, "config:invalid signature"),
        ({"signed_at": 1}, "config:invalid signature"),
        ({"app_id": "wx0"}, "config:invalid appid"),
        ({"url": "https://elsewhere.example/"}, "config:invalid url domain"),
        ({"url": None}, "config:invalid url domain"),
    ],
)
def test_a_page_that_says_otherwise_is_refused(changes: dict[str, Any], words: str) -> None:
    with a_meeting("wechat-secure") as (hall, sandbox, key):
        assert judged(hall, sandbox, key, **changes) == words


def test_a_page_is_taken_before_and_after_the_ticket_ran_out() -> None:
    with a_meeting("wechat-secure") as (hall, sandbox, key):
        before = judged(hall, sandbox, key)
        sandbox.clock.now += 7000
        after = judged(hall, sandbox, key)

        assert (before, after) == ("config:ok", "config:ok")


def test_a_dropped_ticket_is_seen_on_the_phone() -> None:
    with a_meeting("wechat-secure") as (hall, sandbox, key):
        judged(hall, sandbox, key)
        sandbox.post("/control/switches", {"account": key, "drop_ticket": True})

        assert judged(hall, sandbox, key) == "config:invalid signature"


def test_pages_in_a_service_window_need_no_signature() -> None:
    with a_sandbox(builders.raw_alipay()) as sandbox:
        response = sandbox.call("POST", "/control/accounts/gd-alipay/page-config", json={"url": "http://a/"})

        assert response.status_code == 422
