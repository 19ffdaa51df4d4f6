"""Payments at the platform that the tests play: trades that are made, paid, asked about and paid back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SUCCESS = {"code": "10000", "msg": "Success"}
NOT_THERE = {"code": "40004", "msg": "Business Failed", "sub_code": "ACQ.TRADE_NOT_EXIST"}


@dataclass
class Trades:
    """Trades by our number; a test may change them as a resident or the platform would."""

    made: dict[str, dict[str, str]] = field(default_factory=dict)
    refunds: dict[tuple[str, str], int] = field(default_factory=dict)

    def answer(self, verb: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
        number = content["out_trade_no"]
        if verb == "create":
            assert {"total_amount", "subject", "seller_id", "time_expire", "product_code"} <= content.keys()
            assert {"buyer_id", "buyer_open_id"} & content.keys()
            theirs = f"2026112222001{len(self.made):06d}"
            self.made[number] = {
                "trade_no": theirs,
                "total_amount": content["total_amount"],
                "trade_status": "WAIT_BUYER_PAY",
            }
            return {**SUCCESS, "out_trade_no": number, "trade_no": theirs}
        trade = self.made.get(number)
        if trade is None:
            return NOT_THERE
        if verb == "refund":
            return self._refund(number, content)
        if verb == "close":
            trade["trade_status"] = "TRADE_CLOSED"
        return {**SUCCESS, "out_trade_no": number, **trade}

    def _refund(self, number: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
        yuan, _, cents = content["refund_amount"].partition(".")
        self.refunds[number, content["out_request_no"]] = int(yuan) * 100 + int(cents)
        whole = sum(fen for (of, _), fen in self.refunds.items() if of == number)
        return {**SUCCESS, "out_trade_no": number, "refund_fee": f"{whole // 100}.{whole % 100:02d}"}
