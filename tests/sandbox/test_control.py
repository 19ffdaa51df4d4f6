"""The control board takes well-formed orders and refuses the rest with words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox import builders
from tests.sandbox.servers import a_sandbox

KEY = "gd-wechat"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param("switches", {"account": KEY, "explode": 1}, 422, id="unknown switch"),
        pytest.param("switches", {"account": KEY, "garbage": -1}, 422, id="negative count"),
        pytest.param("switches", {"account": KEY, "garbage": "1"}, 422, id="count in words"),
        pytest.param("switches", {"account": KEY, "garbage": True}, 422, id="truth for a count"),
        pytest.param("switches", {"account": "gd-alipay", "drop_token": True}, 422, id="no token to drop"),
        pytest.param("switches", {"account": "nobody"}, 404, id="unknown account"),
        pytest.param("switches", {"account": ["x"]}, 404, id="list for an account"),
        pytest.param("switches", [], 400, id="not an object"),
        pytest.param("messages", {"account": KEY, "kind": "sing"}, 422, id="unknown action"),
        pytest.param("messages", {"account": KEY, "kind": ["text"]}, 422, id="list for an action"),
        pytest.param("messages", {"account": KEY, "kind": "text", "value": 5}, 422, id="number for a text"),
        pytest.param("messages", {"account": KEY, "kind": "tap", "value": "X"}, 409, id="no such entry"),
        pytest.param("accounts/nobody/handshake", {}, 404, id="handshake of nobody"),
    ],
)
def test_a_wrong_order_is_refused(path: str, body: Any, status: int) -> None:
    with a_sandbox() as sandbox:
        response = sandbox.call("POST", f"/control/{path}", json=body)

        assert response.status_code == status
        assert response.json()["error"]


def test_an_order_must_be_json_so_that_no_web_page_can_send_it() -> None:
    with a_sandbox() as sandbox:
        assert sandbox.call("POST", "/control/switches", data="account=x").status_code == 415


def test_a_huge_body_is_refused() -> None:
    with a_sandbox() as sandbox:
        response = sandbox.call("POST", "/control/messages", json={"value": "x" * 1_100_000})

        assert response.status_code == 413


def test_the_switches_and_the_log_can_be_read() -> None:
    with a_sandbox(builders.raw_wechat()) as sandbox:
        sandbox.post("/control/switches", {"account": KEY, "garbage": 2, "delay_ms": 5})
        sandbox.act(KEY, "follow")

        deliveries = sandbox.get("/control/deliveries", account=KEY)["deliveries"]

        assert sandbox.get("/control/switches")[KEY] == {"garbage": 1, "delay_ms": 5}
        assert [entry["attempt"] for entry in deliveries] == [1, 2, 3]
        assert {entry["outcome"] for entry in deliveries} == {"unreachable"}
