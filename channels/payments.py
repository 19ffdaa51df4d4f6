"""Payments at a platform: what an account with :attr:`Capability.PAY` can do besides the contract.

Apart from the contract, because few accounts are paid to and no other code asks for it. Amounts are whole
fen (分); a platform's decimals never become floats.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from channels.base import Capability, Channel, InboundRequest
from channels.lacking import unsupported

MAX_FEN = 10_000_000_000
_YUAN = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,2}))?")


class TradeState(StrEnum):
    """Where a payment stands at the platform, in Alipay's words."""

    WAITING = "WAIT_BUYER_PAY"
    PAID = "TRADE_SUCCESS"
    FINISHED = "TRADE_FINISHED"
    """Paid, and too old to be paid back."""
    CLOSED = "TRADE_CLOSED"
    """Never paid in time, or paid back whole."""


@dataclass(frozen=True, slots=True)
class TradeOrder:
    """What a resident is asked to pay.

    Attributes:
        number: ours; unique within the account, 1 to 64 letters, digits and underscores.
        subject: shown to the resident.
        notify_url: where the platform tells what became of it.
        expires_at: not to be paid after this; UTC.
    """

    number: str
    amount_fen: int
    subject: str
    notify_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TradeReport:
    """What the platform says of a payment.

    Attributes:
        number: ours; ``platform_number`` is theirs.
        refunded_fen: paid back so far, all in all; ``None`` where the platform does not say.
        paid_at: UTC.
    """

    number: str
    platform_number: str
    state: TradeState
    amount_fen: int
    refunded_fen: int | None = None
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PaymentNotice:
    """A verified notification about a payment.

    Attributes:
        notify_id: the same over all repeats.
        seller_id: whom the money went to.
    """

    notify_id: str
    seller_id: str = field(repr=False)
    report: TradeReport


@runtime_checkable
class Cashier(Protocol):
    """An account that residents can pay to."""

    @property
    def seller_id(self) -> str: ...

    def create_trade(self, order: TradeOrder, buyer: str) -> str:
        """Make a payment for a resident; returns the number that the app's own cashier opens.

        Raises:
            ChannelError: refused or not reached.
        """
        ...

    def pay_address(self, order: TradeOrder, return_url: str) -> str:
        """Return a signed address where a phone's browser pays; good for some minutes, makes no call."""
        ...

    def query_trade(self, number: str) -> TradeReport | None:
        """Ask what became of a payment; ``None`` when the platform knows none.

        Raises:
            ChannelError: refused or not reached.
        """
        ...

    def close_trade(self, number: str) -> None:
        """End a payment that nobody made; one that the platform does not know is ended already.

        Raises:
            ChannelError: refused (it was paid meanwhile) or not reached.
        """
        ...

    def refund_trade(self, number: str, request: str, amount_fen: int, reason: str) -> int:
        """Pay back; the same ``request`` twice is one. Returns what was paid back so far, all in all.

        Raises:
            ChannelError: refused or not reached.
        """
        ...

    def read_payment(self, req: InboundRequest) -> PaymentNotice:
        """Verify and read a notification.

        Raises:
            Rejected: not the platform's, not for this account, or incomplete.
        """
        ...


def cashier_of(channel: Channel) -> Cashier:
    """Return the account's cashier.

    Raises:
        ChannelError: ``unsupported``.
    """
    if Capability.PAY not in channel.capabilities or not isinstance(channel, Cashier):
        raise unsupported(Capability.PAY)
    return channel


def fen(yuan: str) -> int | None:
    """Return a platform's amount (``"12.30"``) in fen; ``None`` for anything else."""
    found = _YUAN.fullmatch(yuan)
    if found is None:
        return None
    return int(found.group(1)) * 100 + int((found.group(2) or "").ljust(2, "0"))


def yuan(amount_fen: int) -> str:
    """Return an amount as platforms want it: ``1230`` is ``"12.30"``."""
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"
