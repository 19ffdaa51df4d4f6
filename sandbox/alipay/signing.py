"""Sign and verify as the Alipay open platform does: RSA2 (SHA-256 with RSA) over sorted parameters.

The text to sign holds every non-empty parameter except ``sign``; ``sign_type`` stays in, both in requests and
in what the gateway pushes. It is encoded in the declared charset.
Source: Alipay's signing document; service-window document of 2014, section 9.3.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import quote_plus, unquote_to_bytes

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CODECS = {"GBK": "gbk", "UTF-8": "utf-8"}


def codec(charset: str) -> str | None:
    """Return Python's name for a charset of the platform in any case; None = not one of them."""
    return CODECS.get(charset.upper())


def encode(text: str, charset: str) -> bytes:
    """Return the bytes in ``charset``; what it cannot hold becomes ``?``, as on the platform."""
    return text.encode(CODECS[charset], "replace")


def content(params: Mapping[str, str]) -> str:
    """Return the text to sign."""
    kept = sorted((name, value) for name, value in params.items() if name != "sign" and value != "")
    return "&".join(f"{name}={value}" for name, value in kept)


def sign(key: rsa.RSAPrivateKey, data: bytes) -> str:
    """Return the base64 RSA2 signature of ``data``."""
    return base64.b64encode(key.sign(data, padding.PKCS1v15(), hashes.SHA256())).decode()


def verify(key: rsa.RSAPublicKey, data: bytes, signature: str) -> bool:
    """Say whether the signature is good; junk is simply not good."""
    try:
        key.verify(base64.b64decode(signature, validate=True), data, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def bare_public_key(key: rsa.RSAPublicKey) -> str:
    """Return the key in base64 on one line, without the PEM frame."""
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def encode_form(params: Mapping[str, str], charset: str) -> bytes:
    """Return an urlencoded form whose bytes are in ``charset``."""
    return "&".join(f"{key}={quote_plus(encode(value, charset))}" for key, value in params.items()).encode()


def decode_form(raw: bytes, fallback: str = "UTF-8") -> dict[str, str]:
    """Read an urlencoded form in the charset it declares itself, or ``fallback``.

    Raises:
        ValueError: unknown charset, bytes that are not in it, or a parameter that comes twice.
    """
    pairs: dict[str, bytes] = {}
    for part in filter(None, raw.replace(b"+", b" ").split(b"&")):
        name, _, value = part.partition(b"=")
        key = unquote_to_bytes(name).decode("ascii")
        if key in pairs:
            raise ValueError(f"参数 {key} 重复")
        pairs[key] = unquote_to_bytes(value)
    name_of_charset = pairs.get("charset", fallback.encode()).decode("ascii")
    chosen = codec(name_of_charset)
    if chosen is None:
        raise ValueError("不支持的 charset")
    return {key: value.decode(chosen) for key, value in pairs.items()}
