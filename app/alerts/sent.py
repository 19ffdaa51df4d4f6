"""How a try to send ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sent:
    """The other side took it.

    Attributes:
        platform_id: what it calls the message, to be quoted when asking it.
        confirmed: it said that the message arrived, not only that it will be passed on.
    """

    platform_id: str = ""
    confirmed: bool = False


class NotSent(Exception):
    """The other side did not take it.

    Attributes:
        code: stable, short, free of addresses, e.g. ``smtp_550``.
        retryable: another try may help.
    """

    def __init__(self, code: str, *, retryable: bool) -> None:
        super().__init__(code)
        self.code = code
        self.retryable = retryable
