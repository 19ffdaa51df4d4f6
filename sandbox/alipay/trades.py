"""Payments: made by the hall, paid by residents on a click, told of by the platform until it is heard.

Source: alipay.trade.create, .wap.pay, .query, .close, .refund and the page on asynchronous notifications.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

from sandbox.alipay.notify import Notifier
from sandbox.alipay.refusals import SUCCESS, Payload, Refused
from sandbox.config import AlipayAccount
from sandbox.world import World

BEIJING = timezone(timedelta(hours=8))
NUMBER = re.compile(r"[A-Za-z0-9_]{1,64}")
AMOUNT = re.compile(r"(0|[1-9][0-9]{0,8})\.[0-9]{2}")
FORBIDDEN = re.compile(r"[/=&]")
WAITING, PAID, CLOSED = "WAIT_BUYER_PAY", "TRADE_SUCCESS", "TRADE_CLOSED"


@dataclass(frozen=True, slots=True)
class Trade:
    """One payment as the platform has it; amounts in fen."""

    account: str
    number: str
    theirs: str
    amount_fen: int
    subject: str
    seller: str
    notify_url: str
    return_url: str
    expires_at: float | None
    state: str = WAITING
    paid_at: float | None = None
    refunds: Mapping[str, int] = field(default_factory=dict)

    @property
    def refunded_fen(self) -> int:
        return sum(self.refunds.values())


@dataclass(slots=True)
class TradeBook:
    """All trades of all apps."""

    world: World
    notifier: Notifier
    _trades: dict[tuple[str, str], Trade] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def of(self, account: AlipayAccount) -> list[Trade]:
        with self._lock:
            return [trade for (key, _), trade in self._trades.items() if key == account.key]

    def find(self, theirs: str) -> Trade | None:
        with self._lock:
            return next((trade for trade in self._trades.values() if trade.theirs == theirs), None)

    def make(
        self,
        account: AlipayAccount,
        params: Mapping[str, str],
        body: Payload,
        user_ids: set[str] | None = None,
        cashier: str = "",
    ) -> Trade:
        """Make a trade, or return the one of that number if it is the same.

        Args:
            user_ids: who may pay; ``None`` = whoever opens the page.
            cashier: where a phone pays; the resident is told of it unless the page opens by itself.

        Raises:
            Refused: a parameter is missing or wrong, or the number is taken.
        """
        _check(account, params, body)
        buyer = body.get("buyer_id") or body.get("buyer_open_id")
        if user_ids is not None and buyer not in user_ids:
            raise Refused("40004", "ACQ.INVALID_PARAMETER", "买家不存在")
        number = body["out_trade_no"]
        wanted = Trade(
            account=account.key,
            number=number,
            theirs=self._new_number(),
            amount_fen=int(body["total_amount"].replace(".", "")),
            subject=body["subject"],
            seller=account.seller_id,
            notify_url=params["notify_url"],
            return_url=params.get("return_url", ""),
            expires_at=_moment(body.get("time_expire")),
        )
        with self._lock:
            known = self._trades.get((account.key, number))
            if known is None:
                self._trades[account.key, number] = wanted
        if known is None:
            if cashier:
                words = f"待支付 {_yuan(wanted.amount_fen)} 元：{cashier}{wanted.theirs}"
                self.world.say(account.key, "account", words)
            return wanted
        if known.amount_fen != wanted.amount_fen or known.subject != wanted.subject:
            raise Refused("40004", "ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
        if known.state != WAITING:
            raise Refused("40004", "ACQ.TRADE_HAS_SUCCESS", "交易已支付或已关闭")
        return known

    def answer(self, account: AlipayAccount, verb: str, body: Payload) -> Payload:
        """Carry out query, close or refund.

        Raises:
            Refused: as the platform would.
        """
        trade = self._known(account, body)
        if verb == "close":
            if trade.state != WAITING:
                raise Refused("40004", "ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
            trade = self._put(replace(trade, state=CLOSED))
            self.notifier.tell(account, trade.notify_url, _told(trade, self.world.clock()))
        if verb == "refund":
            return self._refund(account, trade, body)
        paid = {"send_pay_date": _words(trade.paid_at)} if trade.paid_at is not None else {}
        return {
            **SUCCESS,
            "out_trade_no": trade.number,
            "trade_no": trade.theirs,
            "trade_status": trade.state,
            "total_amount": _yuan(trade.amount_fen),
            **paid,
        }

    def pay(self, account: AlipayAccount, theirs: str) -> list[str]:
        """Pay as the resident; returns how the first notification was taken.

        Raises:
            Refused: there is no such trade, or it cannot be paid any more.
        """
        trade = self.find(theirs)
        if trade is None or trade.account != account.key:
            raise Refused("40004", "ACQ.TRADE_NOT_EXIST", "交易不存在")
        now = self.world.clock()
        over = trade.expires_at is not None and now > trade.expires_at
        if trade.state != WAITING or over:
            raise Refused("40004", "ACQ.TRADE_STATUS_ERROR", "交易已支付、已关闭或已超时")
        trade = self._put(replace(trade, state=PAID, paid_at=now))
        self.world.say(account.key, "notice", f"你已向{account.name}支付 {_yuan(trade.amount_fen)} 元")
        return self.notifier.tell(account, trade.notify_url, _told(trade, self.world.clock()))

    def _refund(self, account: AlipayAccount, trade: Trade, body: Payload) -> Payload:
        request, amount = body.get("out_request_no"), body.get("refund_amount")
        if not isinstance(request, str) or not request or not isinstance(amount, str):
            raise _invalid("out_request_no")
        if not AMOUNT.fullmatch(amount):
            raise _invalid("refund_amount")
        changed = "N"
        if request not in trade.refunds:
            fen = int(amount.replace(".", ""))
            if trade.state != PAID or not 0 < fen <= trade.amount_fen - trade.refunded_fen:
                raise Refused("40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限")
            refunds = {**trade.refunds, request: fen}
            whole = sum(refunds.values()) == trade.amount_fen
            trade = self._put(replace(trade, refunds=refunds, state=CLOSED if whole else PAID))
            self.world.say(account.key, "notice", f"{account.name}已退款 {_yuan(fen)} 元")
            self.notifier.tell(account, trade.notify_url, _told(trade, self.world.clock()))
            changed = "Y"
        return {
            **SUCCESS,
            "out_trade_no": trade.number,
            "trade_no": trade.theirs,
            "refund_fee": _yuan(trade.refunded_fen),
            "fund_change": changed,
        }

    def _known(self, account: AlipayAccount, body: Payload) -> Trade:
        with self._lock:
            found = self._trades.get((account.key, str(body.get("out_trade_no", ""))))
        if found is None:
            raise Refused("40004", "ACQ.TRADE_NOT_EXIST", "交易不存在")
        return found

    def _put(self, trade: Trade) -> Trade:
        with self._lock:
            self._trades[trade.account, trade.number] = trade
        return trade

    def _new_number(self) -> str:
        return _words(self.world.clock())[:10].replace("-", "") + f"22001{secrets.randbelow(10**15):015d}"


def _check(account: AlipayAccount, params: Mapping[str, str], body: Payload) -> None:
    """Refuse what no trade can be made of."""
    if not account.seller_id:
        raise Refused("40006", "isv.insufficient-isv-permissions", "应用没有签约收款产品")
    number, amount, subject = (body.get(name) for name in ("out_trade_no", "total_amount", "subject"))
    if not isinstance(number, str) or not NUMBER.fullmatch(number):
        raise _invalid("out_trade_no")
    if not isinstance(amount, str) or not AMOUNT.fullmatch(amount) or amount == "0.00":
        raise _invalid("total_amount")
    if not isinstance(subject, str) or not 0 < len(subject) <= 256 or FORBIDDEN.search(subject):
        raise _invalid("subject")
    if body.get("seller_id") not in (None, account.seller_id):
        raise _invalid("seller_id")
    if urlsplit(params.get("notify_url", "")).netloc != urlsplit(account.callback_url).netloc:
        # A real platform tells any address; this one has nothing to say to strangers.
        raise _invalid("notify_url")


def _told(trade: Trade, now: float) -> dict[str, str]:
    """Return what a notification says of the trade."""
    told = {
        "notify_type": "trade_status_sync",
        "out_trade_no": trade.number,
        "trade_no": trade.theirs,
        "trade_status": trade.state,
        "total_amount": _yuan(trade.amount_fen),
        "seller_id": trade.seller,
        "subject": trade.subject,
        "buyer_logon_id": "gd***@example.cn",
    }
    if trade.paid_at is not None:
        told |= {"gmt_payment": _words(trade.paid_at), "receipt_amount": _yuan(trade.amount_fen)}
    if trade.refunds:
        told |= {"refund_fee": _yuan(trade.refunded_fen), "gmt_refund": _words(now)}
    return told


def _invalid(name: str) -> Refused:
    return Refused("40004", "ACQ.INVALID_PARAMETER", f"参数 {name} 不正确")


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _words(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def _moment(words: Any) -> float | None:
    try:
        return datetime.strptime(str(words), "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING).timestamp()
    except ValueError:
        return None
