"""Orders of ours: made, handed to the platform, asked about, paid back."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core import db
from app.core.errors import Invalid, Unavailable
from app.payments import service
from app.payments.models import PaymentRefund
from channels.base import ChannelError
from channels.http import MAX_ANSWER_BYTES
from tests.app.payments.builders import KEY, NOW, a_notice, an_account, an_order, told
from tests.channels import platform_alipay as alipay
from tests.channels.server import a_platform

SQLITE = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
HALL = "https://hall.example.cn"
LATER = NOW + timedelta(minutes=11)
pytestmark = SQLITE


@contextmanager
def a_till():
    """Yield the platform with an account that takes payments at it."""
    api = alipay.Api()
    api.now = None
    with a_platform(api) as server:
        db.transaction(lambda: an_account(server.base_url))
        yield api


def a_paid_order(api):
    order = db.transaction(an_order)
    service.start(order.id, alipay.RECIPIENT, base_url=HALL, now=NOW)
    api.trades.made[order.number]["trade_status"] = "TRADE_SUCCESS"
    assert service.receive_notification(KEY, a_notice(order), NOW) == "success"
    return order


def test_an_order_is_handed_to_the_apps_cashier(context):
    with a_till() as api:
        order = db.transaction(an_order)

        number = service.start(order.id, alipay.OPEN_ID, base_url=HALL, now=NOW)

        asked = api.asked[-1]
        assert number == service.get(order.id).platform_number
        assert asked["notify_url"] == f"{HALL}/callbacks/{KEY}/payments"
        assert '"buyer_open_id"' in asked["biz_content"]
        assert '"total_amount":"12.30"' in asked["biz_content"]
        assert service.get(order.id).state.value == "waiting"


def test_an_address_to_pay_at_is_signed_and_names_where_to_tell(context):
    with a_till():
        order = db.transaction(an_order)

        address = service.pay_address(order.id, f"{HALL}/my", base_url=HALL, now=NOW)

        assert "method=alipay.trade.wap.pay" in address
        assert "sign=" in address
        assert "notify_url=https%3A%2F%2Fhall.example.cn%2Fcallbacks%2Fgd-window%2Fpayments" in address


@pytest.mark.parametrize("late", [True, False])
def test_an_order_that_is_over_is_not_to_be_paid(context, late):
    with a_till() as api:
        order = db.transaction(an_order) if late else a_paid_order(api)
        now = order.expires_at if late else NOW

        with pytest.raises(service.NotPayable):
            service.pay_address(order.id, HALL, base_url=HALL, now=now)


def test_a_platform_that_refuses_leaves_the_order_as_it_was(context):
    with a_till() as api:
        api.answers["alipay.trade.create"] = b'{"error_response":{"code":"20000"}}'
        order = db.transaction(an_order)

        with pytest.raises(Unavailable):
            service.start(order.id, alipay.RECIPIENT, base_url=HALL, now=NOW)

        assert service.get(order.id).state.value == "created"


@pytest.mark.parametrize(
    ("amount_fen", "subject", "field"),
    [(0, "证明", "amount_fen"), (-1, "证明", "amount_fen"), (1, "", "subject"), (1, "a&b=c", "subject")],
)
def test_an_order_that_cannot_be_is_refused(context, amount_fen, subject, field):
    db.transaction(an_account)

    with pytest.raises(Invalid) as refused:
        db.transaction(lambda: an_order(amount_fen, subject=subject))

    assert list(refused.value.fields) == [field]


def test_an_account_without_a_seller_makes_no_orders(context):
    db.transaction(lambda: an_account(seller_id=""))

    with pytest.raises(service.NoCashier):
        db.transaction(an_order)


def test_an_order_that_hangs_is_asked_about(context):
    with a_till() as api:
        order = db.transaction(an_order)
        service.start(order.id, alipay.RECIPIENT, base_url=HALL, now=NOW)
        api.trades.made[order.number]["trade_status"] = "TRADE_SUCCESS"

        asked = [service.reconcile(at) for at in (NOW, LATER, LATER)]

        assert asked == [0, 1, 0]
        assert service.get(order.id).state.value == "paid"
        assert told(order.id) == ["waiting", "paid"]


def test_an_answer_about_another_amount_changes_nothing(context):
    with a_till() as api:
        order = db.transaction(an_order)
        service.start(order.id, alipay.RECIPIENT, base_url=HALL, now=NOW)
        api.trades.made[order.number] |= {"trade_status": "TRADE_SUCCESS", "total_amount": "0.01"}

        service.reconcile(LATER)

        assert service.get(order.id).state.value == "waiting"


def test_an_order_the_platform_never_heard_of_is_closed_when_it_can_come_no_more(context):
    with a_till():
        order = db.transaction(an_order)
        states = []

        for days in (0, 2):
            service.reconcile(LATER + timedelta(days=days))
            states.append(service.get(order.id).state.value)

        assert states == ["created", "closed"]


def test_a_platform_that_is_away_is_asked_again_later(context):
    db.transaction(an_account)
    order = db.transaction(an_order)

    assert [service.reconcile(at) for at in (LATER, LATER, LATER + timedelta(hours=1))] == [1, 0, 1]
    assert service.get(order.id).state.value == "created"


def refund(order, amount_fen=230):
    return db.transaction(
        lambda: service.ask_refund(order.id, amount_fen=amount_fen, reason="多收", actor="staff:1", now=NOW)
    )


def test_a_part_is_paid_back_once_however_often_the_job_runs(context):
    with a_till() as api:
        order = a_paid_order(api)
        request = refund(order)

        for _ in range(3):
            service.send_refund(request, NOW)

        found = service.get(order.id)
        assert (found.state.value, found.refunded_fen) == ("paid", 230)
        assert api.methods.count("alipay.trade.refund") == 1
        assert told(order.id) == ["waiting", "paid", "refunded-230"]


def test_who_is_paid_back_everything_has_a_closed_order(context):
    with a_till() as api:
        order = a_paid_order(api)
        for part in (230, 1000):
            service.send_refund(refund(order, part), NOW)

        assert service.get(order.id).state.value == "closed"
        assert sum(api.trades.refunds.values()) == 1230


@pytest.mark.parametrize("amount_fen", [0, -1, 1001, 1231])
def test_no_more_is_paid_back_than_is_left(context, amount_fen):
    with a_till() as api:
        order = a_paid_order(api)
        refund(order, 230)

        with pytest.raises(service.NotRefundable):
            refund(order, amount_fen)


def test_nothing_is_paid_back_of_what_was_not_paid(context):
    db.transaction(an_account)
    order = db.transaction(an_order)

    with pytest.raises(service.NotRefundable):
        refund(order)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        pytest.param({"code": "40004", "sub_code": "ACQ.SELLER_BALANCE_NOT_ENOUGH"}, "failed", id="refused"),
        pytest.param({"code": "20000", "sub_code": "aop.unknow-error"}, "asked", id="busy"),
    ],
)
def test_a_refusal_is_noted_and_a_busy_platform_is_asked_again(context, answer, state):
    with a_till() as api:
        order = a_paid_order(api)
        request = refund(order)
        api.answers["alipay.trade.refund"] = alipay.signed_answer("alipay.trade.refund", answer).body
        try:
            service.send_refund(request, NOW)
        except ChannelError:
            assert state == "asked"

        assert db.session().scalar(select(PaymentRefund.state)) == state


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b'{"alipay_trade_refund_response":{"code":"10000"},"sign":"AAAA"}', id="unverified"),
        pytest.param(b" " * (MAX_ANSWER_BYTES + 1), id="endless"),
    ],
)
def test_money_that_may_have_gone_back_is_not_set_free_to_be_paid_back_again(context, said):
    with a_till() as api:
        order = a_paid_order(api)
        request = refund(order, 1230)
        api.answers["alipay.trade.refund"] = said
        with pytest.raises(ChannelError):
            service.send_refund(request, NOW)

        with pytest.raises(service.NotRefundable):
            refund(order, 1230)
