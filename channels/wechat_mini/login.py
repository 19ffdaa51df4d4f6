"""Who uses a mini program, and their phone number, each for a code from the phone.

Source: developers.weixin.qq.com, code2Session and getPhoneNumber. The session key that comes with the first
is dropped at once: it would decrypt what the phone encrypts, and nothing here asks for that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from channels.base import ChannelEnv, ChannelError, ChannelIdentity, Outcome, PhoneNumber
from channels.http import call, whole_number
from channels.wechat.client import Client, decode

MAX_CODE_CHARS = 512
_NUMBER = re.compile(r"[0-9]{4,15}")


@dataclass(frozen=True, slots=True)
class MiniLogin:
    """The sign-in of one mini program."""

    env: ChannelEnv = field(repr=False)
    account: str
    api_base: str
    app_id: str
    secret: str = field(repr=False)

    def exchange(self, code: str) -> ChannelIdentity:
        """Trade the code of ``wx.login`` for who it is.

        The platform's address takes the secret in place of an access token.

        Raises:
            ChannelError: refused or not reached.
        """
        given = {"appid": self.app_id, "secret": self.secret, "js_code": _code(code)}
        params = {**given, "grant_type": "authorization_code"}
        result = decode(call(self.env, "GET", f"{self.api_base}/sns/jscode2session", params=params))
        openid, union_id = result.get("openid"), result.get("unionid", "")
        if not isinstance(openid, str) or not openid or not isinstance(union_id, str):
            raise ChannelError("the answer holds no openid", retryable=True, code="garbage")
        return ChannelIdentity(self.account, openid, union_id)


def phone_number(client: Client, app_id: str, code: str) -> PhoneNumber:
    """Trade the code of ``getPhoneNumber`` for the number.

    Raises:
        ChannelError: refused, not reached, or the answer was made for another mini program.
    """
    answer = client.answer_of("POST", "/wxa/business/getuserphonenumber", {"code": _code(code)})
    told = _member(decode(answer), "phone_info")
    if _member(told, "watermark").get("appid") != app_id:
        raise ChannelError("the number is for another account", retryable=False, code="wrong_app_id")
    country, number = whole_number(told.get("countryCode")), told.get("purePhoneNumber")
    if country is None or not 0 < country < 10_000 or not _is_number(number):
        raise ChannelError("the answer holds no number", retryable=True, code="garbage")
    return PhoneNumber(str(country), str(number))


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and _NUMBER.fullmatch(value) is not None


def _member(result: dict[str, Any], name: str) -> dict[str, Any]:
    value = result.get(name)
    return value if isinstance(value, dict) else {}


def _code(code: str) -> str:
    """Return ``code``; what no phone ever made is not worth a call."""
    if not code or len(code) > MAX_CODE_CHARS or not code.isascii() or not code.isprintable():
        raise ChannelError("no such code", retryable=False, code="bad_code", outcome=Outcome.AUTH)
    return code
