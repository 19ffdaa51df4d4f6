"""What the gateway answers when it does not carry out a request."""

from __future__ import annotations

from typing import Any

Payload = dict[str, Any]

MESSAGES = {
    "20000": "Service Currently Unavailable",
    "20001": "Insufficient Token Permissions",
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    "40004": "Business Failed",
    "40005": "App Call Limited",
    "40006": "Insufficient Permissions",
}
SUCCESS = {"code": "10000", "msg": "Success"}


class Refused(Exception):
    """A request the gateway does not carry out; ``code`` and ``sub_code`` as the platform names them."""

    def __init__(self, code: str, sub_code: str, words: str) -> None:
        super().__init__(words)
        self.payload = {"code": code, "msg": MESSAGES[code], "sub_code": sub_code, "sub_msg": words}
