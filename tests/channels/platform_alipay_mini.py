"""Plays the other end of an Alipay mini program: the platform of all Alipay apps, and a phone."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from channels.base import AccountConfig
from tests.channels import platform_alipay
from tests.channels.platform_alipay import CALLBACK as CALLBACK
from tests.channels.platform_alipay import GOOD_CODE as GOOD_CODE
from tests.channels.platform_alipay import PROFILE_CODE as PROFILE_CODE
from tests.channels.platform_alipay import RECIPIENT as RECIPIENT
from tests.channels.platform_alipay import accepts_handshake as accepts_handshake
from tests.channels.platform_alipay import event as event
from tests.channels.platform_alipay import handshake as handshake
from tests.channels.platform_alipay import read_reply as read_reply
from tests.channels.platform_alipay import signed as signed
from tests.channels.platform_alipay import text as text
from tests.channels.server import Answer, Call

AES_KEY = bytes(range(16))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def config(base_url: str = "http://127.0.0.1:9", **settings: str) -> AccountConfig:
    app = platform_alipay.config(base_url, **settings)
    secrets = {**app.secrets, "aes_key": base64.b64encode(AES_KEY).decode()}
    return AccountConfig("alipay_mini", "gd-mini", app.settings, secrets)


def phone_code(told: Mapping[str, Any] | bytes, key: bytes = AES_KEY) -> str:
    """Return what the app hands to the mini program: sealed and signed."""
    plain = told if isinstance(told, bytes) else json.dumps(told).encode()
    padder = padding.PKCS7(128).padder()
    sealer = Cipher(AES(key), CBC(bytes(16))).encryptor()
    encrypted = sealer.update(padder.update(plain) + padder.finalize()) + sealer.finalize()
    sealed = base64.b64encode(encrypted).decode()
    return json.dumps({"response": sealed, "sign": platform_alipay.sign(f'"{sealed}"'.encode())})


PHONE_CODE = phone_code({"code": "10000", "msg": "Success", "mobile": "02012345"})


class Api(platform_alipay.Api):
    """The gateway of a mini program, which also draws codes."""

    def __call__(self, call: Call) -> Answer:
        if urlsplit(call.target).path == "/code.png":
            return Answer(PNG, content_type="image/png")
        return super().__call__(call)

    def result(self, method: str, content: Any) -> Mapping[str, Any]:
        if method.endswith("app.qrcode.create"):
            assert {"url_param", "query_param", "describe"} <= content.keys()
            return {**platform_alipay.SUCCESS, "qr_code_url": f"{self.base_url}/code.png"}
        return super().result(method, content)


def api() -> Api:
    return Api()
