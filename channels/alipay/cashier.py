"""Payments at Alipay (支付宝收款).

Source: opendocs.alipay.com, alipay.trade.create, .wap.pay, .query, .close, .refund, and the page on
asynchronous notifications (异步通知).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from channels.alipay.client import BEIJING, GatewayClient
from channels.alipay.inbound import Notification
from channels.alipay.login import id_kind
from channels.base import MAX_ID_CHARS, ChannelError, Rejected
from channels.payments import PaymentNotice, TradeOrder, TradeReport, TradeState, fen, yuan

_TIME = "%Y-%m-%d %H:%M:%S"
_NUMBER_CHARS_MAX = 64
_NOT_THERE = "ACQ.TRADE_NOT_EXIST"


@dataclass(frozen=True, slots=True)
class AlipayCashier:
    """The cashier of one app."""

    client: GatewayClient = field(repr=False)
    seller_id: str

    def create(self, order: TradeOrder, buyer: str) -> str:
        """Make a payment; returns Alipay's number of it, which ``my.tradePay`` opens.

        Raises:
            ChannelError: refused or not reached.
        """
        who = "buyer_id" if id_kind(buyer) == "user_id" else "buyer_open_id"
        content = {**self._content(order), who: buyer, "product_code": "JSAPI_PAY"}
        told = self.client.execute("alipay.trade.create", content, notify_url=order.notify_url)
        number = told.get("trade_no")
        if not _is_number(number):
            raise ChannelError("the answer holds no trade number", retryable=True, code="garbage")
        return str(number)

    def address(self, order: TradeOrder, return_url: str) -> str:
        """Return where a phone's browser pays."""
        content = {**self._content(order), "product_code": "QUICK_WAP_WAY"}
        return self.client.address(
            "alipay.trade.wap.pay", content, notify_url=order.notify_url, return_url=return_url
        )

    def query(self, number: str) -> TradeReport | None:
        """Ask what became of a payment.

        Raises:
            ChannelError: refused or not reached.
        """
        try:
            told = self.client.execute("alipay.trade.query", {"out_trade_no": number})
        except ChannelError as error:
            if error.code == _NOT_THERE:
                return None
            raise
        report = _report(told, paid="send_pay_date")
        if report is None or report.number != number:
            raise ChannelError("the answer is about no trade of ours", retryable=True, code="garbage")
        return report

    def close(self, number: str) -> None:
        """End a payment that nobody made.

        Raises:
            ChannelError: refused or not reached.
        """
        try:
            self.client.execute("alipay.trade.close", {"out_trade_no": number})
        except ChannelError as error:
            if error.code != _NOT_THERE:
                raise

    def refund(self, number: str, request: str, amount_fen: int, reason: str) -> int:
        """Pay back; returns what was paid back so far, all in all.

        Raises:
            ChannelError: refused or not reached.
        """
        content = {
            "out_trade_no": number,
            "out_request_no": request,
            "refund_amount": yuan(amount_fen),
            "refund_reason": reason[:80],
        }
        told = self.client.execute("alipay.trade.refund", content)
        refunded = fen(str(told.get("refund_fee", "")))
        if refunded is None or told.get("out_trade_no") != number:
            raise ChannelError("the answer tells no refund", retryable=True, code="garbage")
        return refunded

    def _content(self, order: TradeOrder) -> dict[str, str]:
        return {
            "out_trade_no": order.number,
            "total_amount": yuan(order.amount_fen),
            "subject": order.subject,
            "seller_id": self.seller_id,
            "time_expire": order.expires_at.astimezone(BEIJING).strftime(_TIME),
        }


def read_notice(notification: Notification) -> PaymentNotice:
    """Return what a verified notification says.

    Raises:
        Rejected: ``incomplete``, something every such notification has is missing or is none.
    """
    report = _report(notification.fields, paid="gmt_payment")
    seller = notification.fields.get("seller_id", "")
    if report is None or not seller or len(notification.notify_id) > MAX_ID_CHARS:
        raise Rejected("incomplete")
    return PaymentNotice(notification.notify_id, seller, report)


def _report(told: Mapping[str, Any], paid: str) -> TradeReport | None:
    number, theirs = told.get("out_trade_no"), told.get("trade_no")
    amount = fen(str(told.get("total_amount", "")))
    try:
        state = TradeState(str(told.get("trade_status", "")))
    except ValueError:
        return None
    if not (_is_number(number) and _is_number(theirs)) or amount is None:
        return None
    refunded = fen(str(told.get("refund_fee", "")))
    return TradeReport(str(number), str(theirs), state, amount, refunded, _moment(told.get(paid)))


def _is_number(told: Any) -> bool:
    """Tell whether this can be the number of a trade, ours or theirs."""
    return isinstance(told, str) and 1 <= len(told) <= _NUMBER_CHARS_MAX


def _moment(told: Any) -> datetime | None:
    try:
        return datetime.strptime(str(told), _TIME).replace(tzinfo=BEIJING).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
