"""RSA keys and signatures as Alipay uses them.

Verifying is done with ``cryptography``: it is near thirty times as fast as the SDK's and takes bytes, which
GBK messages need. Keys are parsed once per account.
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
_PADDING = padding.PKCS1v15()


class NoKey(ValueError):
    """A text is no key that can be used.

    Attributes:
        reason: what it is instead: ``certificate``, ``public``, ``private``, ``locked``, ``not_rsa``,
            ``too_short`` or ``junk``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"no usable RSA key: {reason}")
        self.reason = reason


MIN_BITS = 1024


def load_private_key(text: str, *, known: bool = False) -> RSAPrivateKey:
    """Read an app's private key: PEM, or the bare base64 the key tool prints (PKCS#1 or PKCS#8).

    Args:
        known: it was read before, so that its arithmetic, which takes tens of milliseconds, holds.

    Raises:
        NoKey: it is no RSA private key, or it is protected by a password.
    """
    key = _parsed_private(text, known=known)
    if not isinstance(key, RSAPrivateKey):
        raise NoKey("not_rsa")
    if key.key_size < MIN_BITS:
        raise NoKey("too_short")
    return key


def load_public_key(text: str) -> RSAPublicKey:
    """Read Alipay's public key: PEM or bare base64.

    Raises:
        NoKey: it is no RSA public key.
    """
    key = _parsed_public(text)
    if not isinstance(key, RSAPublicKey):
        raise NoKey("not_rsa")
    if key.key_size < MIN_BITS:
        raise NoKey("too_short")
    return key


def _parsed_private(text: str, *, known: bool = False) -> object:
    if "BEGIN ENCRYPTED" in text or "Proc-Type: 4,ENCRYPTED" in text:
        raise NoKey("locked")
    if "BEGIN CERTIFICATE" in text:
        raise NoKey("certificate")
    try:
        if "-----BEGIN" in text:
            return serialization.load_pem_private_key(
                text.encode(), password=None, unsafe_skip_rsa_key_validation=known
            )
        return serialization.load_der_private_key(
            _der(text), password=None, unsafe_skip_rsa_key_validation=known
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise NoKey("public" if _is_public(text) else "junk") from None


def _parsed_public(text: str) -> object:
    if "BEGIN CERTIFICATE" in text:
        raise NoKey("certificate")
    try:
        return _public(text)
    except (ValueError, UnsupportedAlgorithm):
        raise NoKey("private" if _is_private(text) else "junk") from None


def _public(text: str) -> object:
    if "-----BEGIN" in text:
        return serialization.load_pem_public_key(text.encode())
    return serialization.load_der_public_key(_der(text))


def _is_public(text: str) -> bool:
    try:
        _public(text)
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def _is_private(text: str) -> bool:
    try:
        _parsed_private(text)
    except NoKey as error:
        return error.reason == "locked"
    return True


def _der(text: str) -> bytes:
    return base64.b64decode("".join(text.split()), validate=True)


def bare_public_key(key: RSAPrivateKey) -> str:
    """Return the public half as one line of base64, as Alipay shows and wants it."""
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(der).decode("ascii")


def sign(key: RSAPrivateKey, sign_type: SignType, message: bytes) -> str:
    """Return the base64 signature of ``message``."""
    return base64.b64encode(key.sign(message, _PADDING, _HASHES[sign_type])).decode("ascii")


def verify(key: RSAPublicKey, sign_type: SignType, message: bytes, signature: str) -> bool:
    """Tell whether ``signature`` (base64) is of ``message``; junk is simply not."""
    try:
        # A plus sign that nobody escaped arrives as a blank; base64 has no blanks, so nothing is lost.
        raw = binascii.a2b_base64(signature.replace(" ", "+"), strict_mode=True)
        key.verify(raw, message, _PADDING, _HASHES[sign_type])
    except (ValueError, InvalidSignature):
        return False
    return True


class TheirKeys:
    """The keys under which one account believes Alipay: one, or those of the certificates known so far.

    While the platform changes its certificate, two are good.
    """

    def __init__(self, sign_type: SignType, keys: dict[str, RSAPublicKey]) -> None:
        """Take ``keys`` by their certificates' numbers; a key without certificate stands under ``""``."""
        self.sign_type = sign_type
        self._keys = dict(keys)

    def knows(self, number: str) -> bool:
        """Tell whether the certificate of that number is known; without certificates all are one."""
        return number in self._keys or "" in self._keys

    def add(self, number: str, key: RSAPublicKey) -> None:
        """Believe one more; replaces the table, so that others may be reading it."""
        self._keys = {**self._keys, number: key}

    def signed(self, message: bytes, signature: str, number: str = "") -> bool:
        """Tell whether one of the keys made ``signature``; only that of ``number`` when it is known."""
        named = self._keys.get(number)
        if named is not None:
            return verify(named, self.sign_type, message, signature)
        return any(verify(key, self.sign_type, message, signature) for key in self._keys.values())
