"""Calls to Alipay's gateway: signed by python-alipay-sdk, sent and checked by ourselves.

The SDK would send everything in a GET without a pool, stamp it in the machine's time zone and find the signed
part of the answer by counting braces, also those inside strings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta, timezone
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode

from alipay import AliPay
from cryptography.hazmat.primitives import serialization
from urllib3.filepost import encode_multipart_formdata

from channels.alipay.codes import SUCCESS, classify
from channels.alipay.credentials import Credentials
from channels.base import ChannelEnv, ChannelError, Outcome
from channels.http import HttpAnswer, call

BEIJING = timezone(timedelta(hours=8))
_PUBLIC = frozenset(
    {
        "app_id",
        "method",
        "format",
        "charset",
        "sign_type",
        "sign",
        "timestamp",
        "version",
        "app_cert_sn",
        "alipay_root_cert_sn",
        "notify_url",
        "return_url",
        "auth_token",
    }
)
_FORM = "application/x-www-form-urlencoded;charset=utf-8"
_CERT_DOWNLOAD = "alipay.open.app.alipaycert.download"
_BLANK = re.compile(r"[ \t\r\n]*")


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

    def __init__(self, env: ChannelEnv, gateway: str, credentials: Credentials) -> None:
        self._env = env
        self._gateway = gateway
        self._credentials = credentials

    @cached_property
    def _sdk(self) -> AliPay:
        # Made at the first call: the SDK takes as long to read a key as all else together.
        key = self._credentials.private_key
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return AliPay(
            appid=self._credentials.app_id,
            app_private_key_string=key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode("ascii"),
            # It only signs here; a key to verify with is asked of it all the same.
            alipay_public_key_string=public.decode("ascii"),
            sign_type=str(self._credentials.sign_type),
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
        public, said = self._signed(method, biz_content, params)
        body = urlencode(said).encode("ascii")
        return call(self._env, "POST", self._gateway, params=public, data=body, content_type=_FORM)

    def send_file(
        self, method: str, name: str, file: tuple[str, bytes, str], **params: str
    ) -> dict[str, Any]:
        """Call ``method`` with a file (name, content, type) as parameter ``name``, which is not signed.

        Raises:
            ChannelError: as for :meth:`execute`.
        """
        public, said = self._signed(method, None, params)
        body, content_type = encode_multipart_formdata({**said, name: file})
        answer = call(self._env, "POST", self._gateway, params=public, data=body, content_type=content_type)
        return self.checked(method, answer)

    def address(self, method: str, biz_content: Mapping[str, Any], **params: str) -> str:
        """Return a signed address that a resident's browser opens; it is good for some minutes."""
        public, said = self._signed(method, biz_content, params)
        return f"{self._gateway}?{urlencode({**public, **said})}"

    def _signed(
        self, method: str, biz_content: Mapping[str, Any] | None, params: Mapping[str, str]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return the signed parameters: those of all calls, and what this one says."""
        timestamp = self._env.clock().astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
        given = {**params, "timestamp": timestamp}
        if self._credentials.store is not None:
            given["app_cert_sn"] = self._credentials.store.app_number
            given["alipay_root_cert_sn"] = self._credentials.store.root_number
        body = self._sdk.build_body(method, dict(biz_content or {}), **given)
        signed = dict(parse_qsl(self._sdk.sign_data(body), keep_blank_values=True))
        # As the official SDKs do it: what is public in the address, what is said in the body.
        public = {name: value for name, value in signed.items() if name in _PUBLIC}
        said = {name: value for name, value in signed.items() if name not in _PUBLIC}
        return public, said

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
        number = found.get("alipay_cert_sn", ("", ""))[1]
        if not (isinstance(content, dict) and isinstance(signature, str) and isinstance(number, str)):
            raise _garbage()
        # A certificate is sent unsigned; it is believed by who issued it, or not at all.
        if method != _CERT_DOWNLOAD:
            self._learn(number)
            if not self._credentials.theirs.signed(raw.encode(charset), signature, number):
                raise _unsigned()
        if str(content.get("code", SUCCESS)) != SUCCESS:
            raise _refusal(content)
        return content

    def _learn(self, number: str) -> None:
        """Fetch the certificate of that number if it is not known.

        Raises:
            ChannelError: it is not Alipay's, or ``unverified``, it could not be had.
        """
        store, theirs = self._credentials.store, self._credentials.theirs
        if store is None or not number or theirs.knows(number):
            return
        with store.fetching:
            if theirs.knows(number):
                return
            try:
                told = self.execute(_CERT_DOWNLOAD, {"alipay_cert_sn": number})
            except ChannelError:
                # The call itself was answered; this one's failure must not pass for that one's.
                raise _unverified() from None
            key = store.accept(str(told.get("alipay_cert_content", "")), number, self._env.clock())
            if key is None:
                raise _unsigned()
            theirs.add(number, key)


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


def _unsigned() -> ChannelError:
    return ChannelError(
        "the answer is not signed by Alipay",
        retryable=False,
        code="bad_signature",
        outcome=Outcome.AUTH,
    )


def _unverified() -> ChannelError:
    return ChannelError("the answer could not be verified", retryable=True, code="unverified")


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
