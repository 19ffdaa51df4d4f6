"""RSA keys and signatures as Alipay uses them.

Verifying is done with ``cryptography``: it is near thirty times as fast as the SDK's and takes bytes, which
GBK messages need.
"""

from __future__ import annotations

import base64
import binascii
from enum import StrEnum

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey


class SignType(StrEnum):
    """``RSA`` is SHA-1 and only for accounts made before 2017; ``RSA2`` is SHA-256."""

    RSA = "RSA"
    RSA2 = "RSA2"


_HASHES: dict[SignType, hashes.HashAlgorithm] = {SignType.RSA: hashes.SHA1(), SignType.RSA2: hashes.SHA256()}


def load_private_key(text: str) -> RSAPrivateKey:
    """Read an app's private key: PEM, or the bare base64 the key tool prints (PKCS#1 or PKCS#8).

    Raises:
        ValueError: it is no RSA private key, or it is protected by a password.
    """
    try:
        if "-----BEGIN" in text:
            key = serialization.load_pem_private_key(text.encode(), password=None)
        else:
            key = serialization.load_der_private_key(_der(text), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("no usable RSA private key") from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("no usable RSA private key")
    return key


def load_public_key(text: str) -> RSAPublicKey:
    """Read Alipay's public key: PEM or bare base64.

    Raises:
        ValueError: it is no RSA public key.
    """
    try:
        if "-----BEGIN" in text:
            key = serialization.load_pem_public_key(text.encode())
        else:
            key = serialization.load_der_public_key(_der(text))
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("no usable RSA public key") from None
    if not isinstance(key, RSAPublicKey):
        raise ValueError("no usable RSA public key")
    return key


def _der(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        raise ValueError("no base64") from None


def bare_public_key(key: RSAPrivateKey) -> str:
    """Return the public half as one line of base64, as Alipay shows and wants it."""
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(der).decode("ascii")


def sign(key: RSAPrivateKey, sign_type: SignType, message: bytes) -> str:
    """Return the base64 signature of ``message``."""
    return base64.b64encode(key.sign(message, padding.PKCS1v15(), _HASHES[sign_type])).decode("ascii")


def verify(key: RSAPublicKey, sign_type: SignType, message: bytes, signature: str) -> bool:
    """Tell whether ``signature`` (base64) is of ``message``; junk is simply not."""
    try:
        # A plus sign that nobody escaped arrives as a blank; base64 has no blanks, so nothing is lost.
        raw = base64.b64decode(signature.replace(" ", "+").encode("ascii"), validate=True)
        key.verify(raw, message, padding.PKCS1v15(), _HASHES[sign_type])
    except (binascii.Error, UnicodeEncodeError, InvalidSignature):
        return False
    return True
