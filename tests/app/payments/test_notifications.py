"""What the platform tells of payments: believed when all five checks hold, and once."""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as drawn
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app.core import db
from app.payments import service
from tests.app.payments.builders import KEY, NOW, a_notice, an_account, an_order, told
from tests.channels import platform_alipay as alipay

SQLITE = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
"""For rules of ours, which know no SQL."""

URL = f"/callbacks/{KEY}/payments"


@pytest.fixture
def order(given):
    given(an_account)
    return given(an_order)


def post(client, body, url=URL):
    return client.post(url, data=body, content_type="application/x-www-form-urlencoded")


def stands(app, order):
    with app.app_context():
        found = service.get(order.id)
        return found.state.value, found.refunded_fen, told(order.id)


def test_a_payment_is_noted_and_its_maker_is_told(app, client, order):
    answer = post(client, a_notice(order))

    assert (answer.status_code, answer.data) == (200, b"success")
    assert stands(app, order) == ("paid", 0, ["paid"])


def test_a_notification_twenty_five_times_at_once_has_one_effect(app, order):
    notice, answers = a_notice(order), []

    def send():
        answers.append(post(app.test_client(), notice).data)

    threads = [threading.Thread(target=send) for _ in range(25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [b"success"] * 25
    assert stands(app, order) == ("paid", 0, ["paid"])


def test_different_notifications_of_one_payment_have_one_effect(app, client, order):
    for _ in range(3):
        assert post(client, a_notice(order)).data == b"success"

    assert stands(app, order) == ("paid", 0, ["paid"])


def test_older_news_changes_nothing(app, client, order):
    for status in ("TRADE_FINISHED", "TRADE_SUCCESS", "WAIT_BUYER_PAY"):
        assert post(client, a_notice(order, status)).data == b"success"

    assert stands(app, order) == ("finished", 0, ["finished"])


def test_money_that_comes_for_a_closed_order_is_not_lost(app, client, order):
    post(client, a_notice(order, "TRADE_CLOSED", gmt_payment=""))
    post(client, a_notice(order, "TRADE_SUCCESS"))

    assert stands(app, order) == ("paid", 0, ["closed", "paid"])


def test_a_part_and_then_all_of_it_is_paid_back(app, client, order):
    post(client, a_notice(order))
    post(client, a_notice(order, refund_fee="2.30"))
    post(client, a_notice(order, "TRADE_CLOSED", refund_fee="12.30"))

    state, refunded, said = stands(app, order)
    assert (state, refunded) == ("closed", 1230)
    assert said == ["paid", "refunded-230", "closed", "refunded-1230"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"out_trade_no": "20260302000000000000"}, "unknown_order", id="no order of ours"),
        pytest.param({"seller_id": "2088000000000042"}, "wrong_seller", id="another seller"),
        pytest.param({"total_amount": "12.31"}, "wrong_amount", id="another amount"),
        pytest.param({"total_amount": "12.3"}, "", id="the same amount written shorter"),
        pytest.param({"total_amount": "1e1"}, "incomplete", id="no amount"),
        pytest.param({"trade_status": "TRADE_DREAMT"}, "incomplete", id="unknown state"),
        pytest.param({"trade_status": ""}, "incomplete", id="no state"),
        pytest.param({"app_id": "2021999999999999"}, "wrong_app_id", id="another app"),
        pytest.param({"notify_id": ""}, "incomplete", id="no id"),
    ],
)
@SQLITE
def test_what_does_not_fit_is_refused_with_one_line_and_no_effect(app, client, order, changes, reason):
    with capture_logs() as lines:
        answer = post(client, a_notice(order, **changes))

    said = [line["reason"] for line in lines if line["event"] == "payment_notice_refused"]
    assert answer.data == (b"fail" if reason else b"success")
    assert stands(app, order)[0] == ("created" if reason else "paid")
    assert said == ([reason] if reason else [])


@SQLITE
def test_a_line_in_the_log_holds_nothing_of_the_notification(client, order):
    with capture_logs() as lines:
        post(client, a_notice(order, seller_id="2088000000000042", buyer_logon_id="138****0000"))

    printed = str(lines)
    assert "wrong_seller" in printed
    assert not any(part in printed for part in (order.number, "2088000000000042", "138****0000"))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"gmt_payment": "0001-01-01 00:00:00"}, id="paid before all time"),
        pytest.param({"notify_id": "9" * 200}, id="an endless id"),
        pytest.param({"trade_no": "9" * 200}, id="an endless number"),
    ],
)
def test_what_a_signed_notice_holds_is_never_an_error_of_ours(client, order, changes):
    assert post(client, a_notice(order, **changes)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00\xff" * 100, id="noise"),
        pytest.param(b"a" * 70_000, id="huge"),
        pytest.param(b"sign=%%%&sign_type=RSA2&notify_id=1", id="junk signature"),
        pytest.param(b"&".join([b"a=1"] * 2), id="a name twice"),
        pytest.param(b"&".join(b"a%d=1" % n for n in range(500)), id="too many names"),
        pytest.param(b"charset=rot13&sign=QUJD&notify_id=%ff", id="no charset"),
    ],
)
@SQLITE
def test_what_no_platform_sends_is_refused(app, client, order, body):
    answer = post(client, body)

    assert (answer.status_code, answer.data) == (200, b"fail")
    assert stands(app, order) == ("created", 0, [])


@SQLITE
def test_a_changed_notification_is_refused(app, client, order):
    notice = a_notice(order, total_amount="12.31").replace(b"12.31", b"12.30")

    assert post(client, notice).data == b"fail"
    assert stands(app, order)[0] == "created"


@SQLITE
def test_a_gateway_signature_does_not_do_for_a_notification(client, order):
    fields = {"app_id": alipay.APP_ID, "notify_id": "1", "out_trade_no": order.number}
    body = alipay.signed_form({name: value.encode() for name, value in fields.items()})

    assert post(client, body).data == b"fail"


@SQLITE
def test_an_account_that_takes_no_payments_refuses_them(client, given, order):
    given(an_account, key="no-till", seller_id="")

    assert post(client, a_notice(order), "/callbacks/no-till/payments").data == b"fail"


@SQLITE
def test_an_order_of_one_account_is_not_paid_through_another(app, client, given, order):
    given(an_account, key="other")

    assert post(client, a_notice(order), "/callbacks/other/payments").data == b"fail"
    assert stands(app, order)[0] == "created"


@SQLITE
def test_an_unknown_account_is_not_found(client):
    assert post(client, b"x", "/callbacks/nobody/payments").status_code == 404


HISTORY = (
    ("WAIT_BUYER_PAY", {"gmt_payment": ""}),
    ("TRADE_SUCCESS", {}),
    ("TRADE_SUCCESS", {"refund_fee": "2.30"}),
    ("TRADE_CLOSED", {"refund_fee": "12.30"}),
)


@SQLITE
def test_in_whatever_order_and_number_they_come_the_end_is_the_same(context):
    db.transaction(an_account)

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @drawn(st.lists(st.sampled_from(range(4)), max_size=4), st.permutations(range(4)))
    def ends_the_same(repeats, order_of_arrival):
        order = db.transaction(an_order)
        notices = [a_notice(order, status, **more) for status, more in HISTORY]

        for position in [*order_of_arrival, *repeats]:
            assert service.receive_notification(KEY, notices[position], NOW) == "success"

        found = service.get(order.id)
        assert (found.state.value, found.refunded_fen) == ("closed", 1230)
        assert found.paid_at is not None
        said = told(order.id)
        assert len(said) == len(set(said))
        assert said.count("closed") == 1

    ends_the_same()


@SQLITE
def test_notifications_are_kept_far_beyond_the_platforms_repeats(app, given, order):
    with app.app_context():
        service.receive_notification(KEY, a_notice(order), NOW)

    assert given(service.forget_notices, NOW + service.domain.KEEP_NOTICES) == 0
    assert service.domain.KEEP_NOTICES.days >= 30
