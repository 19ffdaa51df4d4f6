"""Sign, open and seal WeChat messages.

The primitives are wechatpy's; its message layer is not used, because it compares signatures with ``!=``,
checks no padding and lets malformed input out as ``KeyError``, ``IndexError`` and the like.

Source: developers.weixin.qq.com, message push: sha1 over the sorted parts; AES-256-CBC, IV = first half of
the key; 16 random bytes, length as big-endian u32, message, app id; padded to 32.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from dataclasses import dataclass, field

from wechatpy.crypto.cryptography import WeChatCipher
from wechatpy.crypto.pkcs7 import PKCS7Encoder
from wechatpy.utils import WeChatSigner

from channels.base import Rejected

KEY_CHARS = 43
_RANDOM_BYTES = 16
_HEAD_BYTES = _RANDOM_BYTES + 4
_BLOCK_BYTES = 32
_AES_BLOCK_BYTES = 16


def signature(*parts: str) -> str:
    """Return sha1 over the sorted parts, 40 hex digits."""
    signer = WeChatSigner()
    signer.add_data(*(part.encode("utf-8", "surrogatepass") for part in parts))
    digest: str = signer.signature
    return digest


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


@dataclass(frozen=True, slots=True)
class Sealer:
    """Opens and seals messages of one account under its current and its previous key."""

    app_id: str
    keys: tuple[tuple[str, bytes], ...] = field(repr=False)

    def open(self, cipher_text: str) -> tuple[str, str]:
        """Return the message and the id of the key that opened it.

        Raises:
            Rejected: no key opens it, or it was meant for another account.
        """
        try:
            encrypted = base64.b64decode(cipher_text.encode("ascii"), validate=True)
        except (binascii.Error, UnicodeEncodeError):
            raise Rejected("undecryptable") from None
        if not encrypted or len(encrypted) % _AES_BLOCK_BYTES:
            raise Rejected("undecryptable")
        for key_id, key in self.keys:
            found = _unpack(_unpad(WeChatCipher(key).decrypt(encrypted)))
            if found is not None:
                return self._checked(*found), key_id
        raise Rejected("undecryptable")

    def seal(self, message: str, key_id: str, random: str) -> str:
        """Return the base64 cipher text of ``message``; ``random`` is 16 ASCII characters."""
        key = dict(self.keys)[key_id]
        content = message.encode()
        plain = random.encode("ascii") + struct.pack(">I", len(content)) + content + self.app_id.encode()
        encrypted: bytes = WeChatCipher(key).encrypt(PKCS7Encoder.encode(plain))
        return base64.b64encode(encrypted).decode("ascii")

    def _checked(self, content: bytes, app_id: bytes) -> str:
        if not hmac.compare_digest(app_id, self.app_id.encode()):
            raise Rejected("wrong_app_id", 403)
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            raise Rejected("bad_encoding") from None


def _unpad(padded: bytes) -> bytes:
    count = padded[-1]
    whole = 1 <= count <= _BLOCK_BYTES and padded.endswith(bytes([count]) * count)
    return padded[:-count] if whole else b""


def _unpack(plain: bytes) -> tuple[bytes, bytes] | None:
    """Return message and app id, ``None`` when ``plain`` is what a wrong key leaves."""
    if len(plain) < _HEAD_BYTES:
        return None
    (size,) = struct.unpack(">I", plain[_RANDOM_BYTES:_HEAD_BYTES])
    if size > len(plain) - _HEAD_BYTES:
        return None
    return plain[_HEAD_BYTES : _HEAD_BYTES + size], plain[_HEAD_BYTES + size :]
