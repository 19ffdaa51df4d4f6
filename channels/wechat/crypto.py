"""Sign, open and seal WeChat messages.

AES is the cryptography library's. wechatpy's message layer is not used, because it compares signatures with
``!=``, checks no padding, lets malformed input out as ``KeyError``, ``IndexError`` and the like, and prepares
its keys anew for each message.

Source: developers.weixin.qq.com, message push: sha1 over the sorted parts; AES-256-CBC, IV = first half of
the key; 16 random bytes, length as big-endian u32, message, app id; padded to 32.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

import pybase64
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from channels.base import Rejected

KEY_CHARS = 43
_RANDOM_BYTES = 16
_HEAD_BYTES = _RANDOM_BYTES + 4
_BLOCK_BYTES = 32
_AES_BLOCK_BYTES = 16
_PADDINGS = tuple(bytes([count]) * count for count in range(_BLOCK_BYTES + 1))


def signature(*parts: str) -> str:
    """Return sha1 over the sorted parts, 40 hex digits."""
    # Code points sort as their UTF-8 bytes do.
    return hashlib.sha1("".join(sorted(parts)).encode("utf-8", "surrogatepass")).hexdigest()


def same(expected: str, given: str) -> bool:
    """Compare in constant time, whatever ``given`` holds."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


def decode_key(encoding_aes_key: str) -> bytes:
    """Return the 32 bytes of an EncodingAESKey.

    Raises:
        ValueError: it is no such key.
    """
    try:
        key = base64.b64decode(f"{encoding_aes_key}=", validate=True)
    except binascii.Error:
        key = b""
    if len(encoding_aes_key) != KEY_CHARS or len(key) != _BLOCK_BYTES:
        raise ValueError("an EncodingAESKey has 43 letters and digits")
    return key


class Sealer:
    """Opens and seals messages of one account under its current and its previous key."""

    def __init__(self, app_id: str, keys: Sequence[tuple[str, bytes]]) -> None:
        self._app_id = app_id.encode()
        self._ciphers = {name: Cipher(AES256(key), CBC(key[:_AES_BLOCK_BYTES])) for name, key in keys}

    def open(self, cipher_text: str) -> tuple[str, str]:
        """Return the message and the id of the key that opened it.

        Raises:
            Rejected: no key opens it, or it was meant for another account.
        """
        try:
            encrypted = pybase64.b64decode(cipher_text, validate=True)
        except ValueError:
            raise Rejected("undecryptable") from None
        if not encrypted or len(encrypted) % _AES_BLOCK_BYTES:
            raise Rejected("undecryptable")
        for key_id, cipher in self._ciphers.items():
            # Whole blocks go in, so the end brings nothing more.
            plain = _unpad(cipher.decryptor().update(encrypted))
            size = int.from_bytes(plain[_RANDOM_BYTES:_HEAD_BYTES], "big")
            end = _HEAD_BYTES + size
            if _HEAD_BYTES <= end <= len(plain):  # a wrong key leaves noise
                return self._checked(plain[_HEAD_BYTES:end], plain[end:]), key_id
        raise Rejected("undecryptable")

    def seal(self, message: str, key_id: str, random: str) -> str:
        """Return the base64 cipher text of ``message``; ``random`` is 16 ASCII characters."""
        content = message.encode()
        plain = random.encode("ascii") + len(content).to_bytes(4, "big") + content + self._app_id
        padded = plain + _PADDINGS[_BLOCK_BYTES - len(plain) % _BLOCK_BYTES]
        encrypted = self._ciphers[key_id].encryptor().update(padded)
        return pybase64.b64encode_as_string(encrypted)

    def _checked(self, content: bytes, app_id: bytes) -> str:
        if not hmac.compare_digest(app_id, self._app_id):
            raise Rejected("wrong_app_id", 403)
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            raise Rejected("bad_encoding") from None


def _unpad(padded: bytes) -> bytes:
    count = padded[-1]
    whole = 1 <= count <= _BLOCK_BYTES and padded.endswith(_PADDINGS[count])
    return padded[:-count] if whole else b""
