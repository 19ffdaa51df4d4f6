"""Calls to Alipay's gateway: signed by python-alipay-sdk, sent and checked by ourselves.

The SDK would send everything in a GET without a pool, stamp it in the machine's time zone and find the signed
part of the answer by counting braces, also those inside strings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlencode

from alipay import AliPay
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from channels.alipay.keys import SignType, verify
from channels.base import ChannelEnv, ChannelError, Outcome
from channels.http import HttpAnswer, call

BEIJING = timezone(timedelta(hours=8))
_SUCCESS = "10000"
_PUBLIC = frozenset({"app_id", "method", "format", "charset", "sign_type", "sign", "timestamp", "version"})
_BLANK = re.compile(r"[ \t\r\n]*")
_OUTCOMES = {
    "20000": Outcome.RETRYABLE,
    "20001": Outcome.AUTH,
    "40005": Outcome.QUOTA,
    "40006": Outcome.AUTH,
}
# The first that the code contains decides; codes of one meaning differ in prefix and spelling.
_SUB_OUTCOMES = (
    ("NOT_FOLLOW", Outcome.NOT_FOLLOWING),
    ("INVALID_USER", Outcome.NOT_FOLLOWING),
    ("OUT_OF_SESSION", Outcome.NOT_FOLLOWING),
    ("CALL_LIMIT", Outcome.QUOTA),
    ("SYSTEM_ERROR", Outcome.RETRYABLE),
    ("UNKNOW_ERROR", Outcome.RETRYABLE),
    ("TEMPLATE", Outcome.BAD_TEMPLATE),
    ("SIGNATURE", Outcome.AUTH),
    ("APP_ID", Outcome.AUTH),
    ("AUTH", Outcome.AUTH),
    ("CODE_INVALID", Outcome.AUTH),
)


def classify(code: str) -> Outcome:
    """Return what a code or sub-code of Alipay means in the common vocabulary."""
    if code == _SUCCESS:
        return Outcome.ACCEPTED
    if code in _OUTCOMES:
        return _OUTCOMES[code]
    spelled = code.upper().replace("-", "_")
    return next((outcome for part, outcome in _SUB_OUTCOMES if part in spelled), Outcome.UNKNOWN)


def members(text: str) -> dict[str, tuple[str, Any]]:
    """Split a JSON object into its members, each as the exact text and as the value.

    Raises:
        ValueError: it is no object, or a member stands twice.
    """
    decoder = json.JSONDecoder()
    found: dict[str, tuple[str, Any]] = {}
    at = _after(text, 0, "{")
    while True:
        name, at = decoder.raw_decode(text, _skip(text, at))
        start = _skip(text, _after(text, at, ":"))
        value, at = decoder.raw_decode(text, start)
        if not isinstance(name, str) or name in found:
            raise ValueError("a member's name is no string or stands twice")
        found[name] = (text[start:at], value)
        at = _skip(text, at)
        if text[at : at + 1] != ",":
            break
        at += 1
    if _skip(text, _after(text, at, "}")) != len(text):
        raise ValueError("something follows the object")
    return found


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at


def _after(text: str, at: int, mark: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != mark:
        raise ValueError(f"{mark} expected")
    return at + 1


class GatewayClient:
    """Calls for one app."""

    def __init__(
        self,
        env: ChannelEnv,
        gateway: str,
        app_id: str,
        sign_type: SignType,
        private_key: RSAPrivateKey,
        alipay_key: RSAPublicKey,
    ) -> None:
        self._env = env
        self._gateway = gateway
        self._sign_type = sign_type
        self._alipay_key = alipay_key
        self._sdk = AliPay(
            appid=app_id,
            app_private_key_string=private_key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode("ascii"),
            alipay_public_key_string=alipay_key.public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            ).decode("ascii"),
            sign_type=str(sign_type),
        )

    def execute(
        self, method: str, biz_content: Mapping[str, Any] | None = None, **params: str
    ) -> dict[str, Any]:
        """Call ``method`` and return its verified answer.

        Raises:
            ChannelError: refused, not reached, or the answer is not signed by Alipay.
        """
        return self.checked(method, self.ask(method, biz_content, **params))

    def ask(self, method: str, biz_content: Mapping[str, Any] | None = None, **params: str) -> HttpAnswer:
        """Call ``method`` and return the answer unread.

        Raises:
            ChannelError: not reached.
        """
        timestamp = self._env.clock().astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
        body = self._sdk.build_body(method, dict(biz_content or {}), timestamp=timestamp, **params)
        signed = dict(parse_qsl(self._sdk.sign_data(body), keep_blank_values=True))
        # As the official SDKs do it: what is public in the address, what is said in the body.
        public = {name: value for name, value in signed.items() if name in _PUBLIC}
        said = {name: value for name, value in signed.items() if name not in _PUBLIC}
        return call(
            self._env,
            "POST",
            self._gateway,
            params=public,
            data=urlencode(said).encode("ascii"),
            content_type="application/x-www-form-urlencoded;charset=utf-8",
        )

    def checked(self, method: str, answer: HttpAnswer) -> dict[str, Any]:
        """Return the answer's content once its signature is verified over the exact text.

        Raises:
            ChannelError: not signed, or a refusal; refusals of the gateway itself need no signature.
        """
        found, charset = _members_of(answer.body)
        name = f"{method.replace('.', '_')}_response"
        if name not in found:
            raise _refusal(found.get("error_response", ("", None))[1])
        raw, content = found[name]
        signature = found.get("sign", ("", ""))[1]
        if not isinstance(content, dict) or not isinstance(signature, str):
            raise _garbage()
        if not verify(self._alipay_key, self._sign_type, raw.encode(charset), signature):
            raise ChannelError(
                "the answer is not signed by Alipay",
                retryable=False,
                code="bad_signature",
                outcome=Outcome.AUTH,
            )
        if str(content.get("code", _SUCCESS)) != _SUCCESS:
            raise _refusal(content)
        return content


def _members_of(body: bytes) -> tuple[dict[str, tuple[str, Any]], str]:
    """Return the members and the charset; refusals of the gateway may come in GBK."""
    for charset in ("utf-8", "gb18030"):
        try:
            return members(body.decode(charset)), charset
        except UnicodeDecodeError:
            continue
        except (ValueError, RecursionError):
            break
    raise _garbage()


def _garbage() -> ChannelError:
    return ChannelError("the answer is no answer of the gateway", retryable=True, code="garbage")


def _refusal(content: Any) -> ChannelError:
    if not isinstance(content, dict):
        return _garbage()
    code, sub_code = str(content.get("code", "")), str(content.get("sub_code", ""))
    outcome = classify(code)
    if outcome is Outcome.UNKNOWN and sub_code:
        outcome = classify(sub_code)
    return ChannelError(
        f"Alipay refused with {code} {sub_code}"[:120],
        retryable=outcome is Outcome.RETRYABLE,
        code=(sub_code or code)[:64],
        outcome=outcome,
    )
