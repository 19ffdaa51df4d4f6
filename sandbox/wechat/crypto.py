"""Sign, encrypt and open messages the way the WeChat message push does (消息加解密).

Source: developers.weixin.qq.com, message push: signature = sha1 of the sorted parts; AES-256-CBC, IV = first
16 bytes of the key, padded to 32; plaintext = 16 random + length as big-endian u32 + message + app id.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK_BITS = 32 * 8
RANDOM_BYTES = 16


class CryptoError(ValueError):
    """The cipher text cannot be what the holder of the key wrote."""


def signature(*parts: str) -> str:
    """Return sha1 over the parts, sorted and joined, as lower-case hex."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def same(left: str, right: str) -> bool:
    """Compare two signatures in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


def encrypt(encoding_aes_key: str, app_id: str, message: bytes, random: bytes) -> str:
    """Return the base64 cipher text of ``message``; ``random`` is 16 bytes."""
    if len(random) != RANDOM_BYTES:
        raise ValueError("random must be 16 bytes")
    plain = random + struct.pack(">I", len(message)) + message + app_id.encode()
    padder = padding.PKCS7(BLOCK_BITS).padder()
    padded = padder.update(plain) + padder.finalize()
    encryptor = _cipher(encoding_aes_key).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def decrypt(encoding_aes_key: str, app_id: str, cipher_text: str) -> bytes:
    """Return the message inside ``cipher_text``.

    Raises:
        CryptoError: not base64, wrong key or padding, impossible length, or another account's app id.
    """
    try:
        decryptor = _cipher(encoding_aes_key).decryptor()
        padded = decryptor.update(base64.b64decode(cipher_text, validate=True)) + decryptor.finalize()
        unpadder = padding.PKCS7(BLOCK_BITS).unpadder()
        plain = unpadder.update(padded) + unpadder.finalize()
    except (binascii.Error, ValueError) as error:
        raise CryptoError("密文无法解开") from error
    start = RANDOM_BYTES + 4
    if len(plain) < start:
        raise CryptoError("密文太短")
    (length,) = struct.unpack(">I", plain[RANDOM_BYTES:start])
    if start + length > len(plain):
        raise CryptoError("密文中的长度不对")
    if plain[start + length :] != app_id.encode():
        raise CryptoError("密文中的 appid 不是本公众号")
    return plain[start : start + length]


def _cipher(encoding_aes_key: str) -> Cipher[modes.CBC]:
    key = base64.b64decode(encoding_aes_key + "=")
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))
