"""Give the codes a mini program gets on the phone, ``wx.login``'s and ``getPhoneNumber``'s.

Source: developers.weixin.qq.com, code2Session and getPhoneNumber: a code is good once, for five minutes.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field

from sandbox.grants import GrantBook
from sandbox.world import Clock

CODE_SECONDS = 300
UNKNOWN, USED, LATE = 40029, 40163, 42003
KINDS = ("login", "phone")
PHONE_NUMBER = "02012345"
"""No number of anybody."""


@dataclass(slots=True)
class CodeBooks:
    """Both kinds of code; one is never good as the other."""

    clock: Clock
    _books: dict[str, GrantBook] = field(init=False)

    def __post_init__(self) -> None:
        self._books = {kind: GrantBook(self.clock) for kind in KINDS}

    def give(self, kind: str, app_id: str, user: str) -> str:
        """Return a new code."""
        return self._books[kind].give(app_id, user, kind)

    def take(self, kind: str, app_id: str, code: str) -> str | int:
        """Use the code up; return whose it is, or the errcode."""
        book = self._books[kind]
        if book.was_used(code):
            return USED
        grant = book.take(app_id, code)
        if grant is None:
            return UNKNOWN
        return grant.user if self.clock() - grant.given_at <= CODE_SECONDS else LATE


def session_key() -> str:
    """Return what code2Session gives along: 16 bytes in base64."""
    return base64.b64encode(secrets.token_bytes(16)).decode()
