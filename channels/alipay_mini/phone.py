"""The phone number a resident agreed to give (my.getPhoneNumber): signed, and sealed for our app.

Source: opendocs.alipay.com, my.getPhoneNumber and 接口内容加密方式: AES-CBC with an initial vector of zeros;
what is signed is the sealed text with its quotation marks.
"""

from __future__ import annotations

import base64
import binascii
import json
import re

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from channels.alipay.keys import TheirKeys
from channels.base import ChannelError, Outcome, PhoneNumber

MAX_CODE_CHARS = 8192
_BLOCK_BITS = 128
_NUMBER = re.compile(r"(?:\+?([0-9]{1,4})-)?([0-9]{5,15})")
_MAINLAND = "86"
_SUCCESS = "10000"


def read(code: str, theirs: TheirKeys, key: bytes) -> PhoneNumber:
    """Return the number in what the app handed to the mini program, ``{"response", "sign"}`` as JSON text.

    Raises:
        ChannelError: ``bad_code``: not signed by Alipay, not sealed for us, or the resident did not agree.
    """
    try:
        told = json.loads(code) if len(code) <= MAX_CODE_CHARS else None
    except (ValueError, RecursionError):
        told = None
    sealed, sign = (told.get("response"), told.get("sign")) if isinstance(told, dict) else (None, None)
    if not isinstance(sealed, str) or not isinstance(sign, str):
        raise _bad()
    if not theirs.signed(f'"{sealed}"'.encode(), sign):
        raise _bad()
    return _number(_opened(sealed, key))


def _opened(sealed: str, key: bytes) -> str:
    try:
        encrypted = base64.b64decode(sealed, validate=True)
        opened = Cipher(AES(key), CBC(bytes(_BLOCK_BITS // 8))).decryptor()
        padded = opened.update(encrypted) + opened.finalize()
        unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
        return (unpadder.update(padded) + unpadder.finalize()).decode()
    except (ValueError, binascii.Error):
        raise _bad() from None


def _number(text: str) -> PhoneNumber:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise _bad() from None
    if not isinstance(told, dict) or str(told.get("code", _SUCCESS)) != _SUCCESS:
        raise _bad()
    found = _NUMBER.fullmatch(str(told.get("mobile", "")))
    if found is None:
        raise _bad()
    return PhoneNumber(found.group(1) or _MAINLAND, found.group(2))


def _bad() -> ChannelError:
    return ChannelError(
        "no phone number for this app", retryable=False, code="bad_code", outcome=Outcome.AUTH
    )
