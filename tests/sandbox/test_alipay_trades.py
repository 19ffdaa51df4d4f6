"""Payments: made by the hall, paid on a click, told of until the hall has heard."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.base import ChannelError
from channels.payments import Cashier, TradeOrder, TradeState, cashier_of
from sandbox.world import RESIDENT, alipay_user_id
from tests.sandbox.alipay_hall import KEY, Meeting, a_meeting

USER = alipay_user_id(RESIDENT)


def an_order(met: Meeting, number: str = "20260302000001", **changes: Any) -> TradeOrder:
    ends = datetime.fromtimestamp(met.sandbox.clock.now, UTC) + timedelta(minutes=30)
    given = {"amount_fen": 1230, "subject": "证明补发", "notify_url": f"{met.hall_url}/callbacks/x/payments"}
    return TradeOrder(number, **{**given, "expires_at": ends, **changes})


def till(met: Meeting) -> Cashier:
    return cashier_of(met.channel)


def wait_for(happened: Callable[[], bool]) -> None:
    ends = time.monotonic() + 10
    while not happened() and time.monotonic() < ends:
        time.sleep(0.02)
    assert happened()


def test_a_trade_is_paid_on_a_click_and_told() -> None:
    with a_meeting("alipay_mini") as met:
        theirs = till(met).create_trade(an_order(met), USER)
        shown = met.sandbox.get(f"/control/chats/{KEY}")["entries"][-1]["text"]
        page = met.sandbox.call("GET", f"/alipay/cashier/{theirs}").text
        paid = met.sandbox.call("POST", f"/alipay/cashier/{theirs}", allow_redirects=False)

        report = till(met).query_trade("20260302000001")
        assert f"/alipay/cashier/{theirs}" in shown
        assert "12.30 元" in page
        assert paid.status_code == 303
        assert [notice.report.state for notice in met.notices] == [TradeState.PAID]
        assert report is not None
        assert (report.state, report.amount_fen) == (TradeState.PAID, 1230)


def test_a_signed_address_leads_to_the_cashier_and_back() -> None:
    with a_meeting() as met:
        address = till(met).pay_address(an_order(met), f"{met.hall_url}/my")
        first = met.sandbox.call("GET", address.removeprefix(met.sandbox.base), allow_redirects=False)
        cashier = first.headers["Location"].removeprefix(met.sandbox.base)
        back = met.sandbox.call("POST", cashier, allow_redirects=False)

        assert back.headers["Location"] == f"{met.hall_url}/my"
        assert met.notices[0].report.number == "20260302000001"


def test_a_changed_address_leads_nowhere() -> None:
    with a_meeting() as met:
        address = till(met).pay_address(an_order(met), met.hall_url).replace("12.30", "00.01")

        answer = met.sandbox.call("GET", address.removeprefix(met.sandbox.base)).json()

        assert answer["error_response"]["sub_code"] == "isv.invalid-signature"


def test_what_was_not_heard_is_told_again_under_the_same_number() -> None:
    with a_meeting() as met:
        met.deaf = 2
        theirs = till(met).create_trade(an_order(met), USER)
        met.control("pay", trade_no=theirs)

        wait_for(lambda: len(met.notices) == 3)
        assert len({notice.notify_id for notice in met.notices}) == 1
        log = met.sandbox.get("/control/deliveries", account=KEY)["deliveries"]
        assert [(one["what"], one["attempt"]) for one in log] == [("payment", n) for n in (1, 2, 3)]


@pytest.mark.parametrize("switch", ["garbage", "unsigned", "replay_other_body"])
def test_a_spoiled_notification_is_refused_and_the_next_believed(switch: str) -> None:
    with a_meeting() as met:
        met.switch(**{switch: 1})
        theirs = till(met).create_trade(an_order(met), USER)
        met.control("pay", trade_no=theirs)

        wait_for(lambda: len(met.notices) == 1)
        assert len(met.refused) == 1


def test_notifications_may_come_twice_and_overtake_each_other() -> None:
    with a_meeting() as met:
        theirs = till(met).create_trade(an_order(met), USER)
        met.switch(reorder=1)
        met.control("pay", trade_no=theirs)
        met.switch(duplicate=1)
        till(met).refund_trade("20260302000001", "R1", 230, "多收")

        assert [notice.report.refunded_fen for notice in met.notices] == [230, 230, None]
        assert [notice.report.state for notice in met.notices] == [TradeState.PAID] * 3


def test_the_same_refund_twice_is_one_and_all_of_it_closes() -> None:
    with a_meeting() as met:
        theirs = till(met).create_trade(an_order(met), USER)
        met.control("pay", trade_no=theirs)

        parts = [till(met).refund_trade("20260302000001", "R1", 230, "多收") for _ in range(2)]
        whole = till(met).refund_trade("20260302000001", "R2", 1000, "撤销")

        assert (parts, whole) == ([230, 230], 1230)
        assert met.notices[-1].report.state is TradeState.CLOSED


def test_nothing_beyond_what_was_paid_is_paid_back() -> None:
    with a_meeting() as met:
        theirs = till(met).create_trade(an_order(met), USER)
        met.control("pay", trade_no=theirs)

        with pytest.raises(ChannelError) as refused:
            till(met).refund_trade("20260302000001", "R1", 1231, "多收")

        assert refused.value.code == "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
        assert not refused.value.retryable


def test_a_trade_that_is_over_cannot_be_paid() -> None:
    with a_meeting() as met:
        theirs = till(met).create_trade(an_order(met), USER)
        met.sandbox.clock.now += 1801

        answer = met.sandbox.call("POST", f"/control/alipay/{KEY}/pay", json={"trade_no": theirs})

        assert answer.status_code == 409
        assert met.notices == []


def test_a_closed_trade_is_told_and_an_unknown_one_is_closed_already() -> None:
    with a_meeting() as met:
        till(met).create_trade(an_order(met), USER)

        till(met).close_trade("20260302000001")
        till(met).close_trade("20260302999999")

        assert [notice.report.state for notice in met.notices] == [TradeState.CLOSED]
        assert till(met).query_trade("20260302999999") is None


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"amount_fen": 0}, id="nothing"),
        pytest.param({"subject": "a/b"}, id="a sign it does not take"),
        pytest.param({"notify_url": "http://198.51.100.7/x"}, id="told to a stranger"),
        pytest.param({"number": "编号"}, id="no number"),
    ],
)
def test_a_trade_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with a_meeting() as met, pytest.raises(ChannelError) as refused:
        till(met).create_trade(an_order(met, **changes), USER)

    assert refused.value.code == "ACQ.INVALID_PARAMETER"


def test_one_number_is_one_trade() -> None:
    with a_meeting() as met:
        numbers = {till(met).create_trade(an_order(met), USER) for _ in range(2)}
        with pytest.raises(ChannelError) as refused:
            till(met).create_trade(an_order(met, amount_fen=1), USER)

        assert len(numbers) == 1
        assert refused.value.code == "ACQ.CONTEXT_INCONSISTENT"
