"""What staff can do about payments at the command line, and what runs by itself."""

from __future__ import annotations

import pytest

from app.core import db
from app.core.runner import Worker
from app.payments import service
from app.payments.models import PaymentNoticeRow, PaymentRefund
from tests.app.payments.builders import KEY, NOW, a_notice, an_account, an_order
from tests.channels import platform_alipay as alipay
from tests.channels.server import a_platform

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def test_orders_are_listed_newest_first(app, given):
    given(an_account)
    order = given(an_order)

    printed = app.test_cli_runner().invoke(args=["payments", "list"]).output

    assert order.number in printed
    assert "12.30 元" in printed
    assert "待发起" in printed


def test_the_platform_is_asked_at_the_command_line(app, given):
    given(an_account)
    given(an_order)

    assert "1 " in app.test_cli_runner().invoke(args=["payments", "reconcile"]).output


def test_a_refund_that_was_asked_for_is_sent_by_the_worker(app, given):
    api = alipay.Api()
    api.now = None
    with a_platform(api) as server:
        given(an_account, server.base_url)
        order = given(an_order)
        with app.app_context():
            service.start(order.id, alipay.RECIPIENT, base_url="http://localhost", now=NOW)
            service.receive_notification(KEY, a_notice(order), NOW)
        given(service.ask_refund, order.id, amount_fen=1230, reason="撤销", actor="staff:1", now=NOW)

        Worker(app, app.extensions["hall_jobs"]).drain()

    with app.app_context():
        assert [row.state.value for row in db.session().query(PaymentRefund)] == ["done"]
        assert service.get(order.id).state.value == "closed"


def test_old_notifications_are_forgotten_and_orders_stay(app, given):
    given(an_account)
    order = given(an_order)
    with app.app_context():
        service.receive_notification(KEY, a_notice(order), NOW)

    gone = given(service.forget_notices, NOW + service.domain.KEEP_NOTICES * 2)

    with app.app_context():
        assert (gone, db.session().query(PaymentNoticeRow).count()) == (1, 0)
        assert service.get(order.id).state.value == "paid"
