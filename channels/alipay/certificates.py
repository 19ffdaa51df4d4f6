"""Certificates in place of keys (公钥证书模式): their serial numbers, and whom to believe.

Source: opendocs.alipay.com, 公钥证书签名; a certificate's number (SN) is the MD5 of its issuer's name in the
notation of RFC 2253 followed by its serial number in decimal. A root file's number joins those of its
RSA-signed certificates with ``_``; it holds others besides, signed with Chinese algorithms (SM2) or ECDSA.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import Certificate

MAX_CHAIN = 5
MAX_CERTIFICATES = 20
# Files pass through mailers, editors and web forms, so line ends and blank lines say nothing.
_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----")
_RSA_SIGNED = "1.2.840.113549.1.1."


def read(text: str) -> tuple[Certificate, ...]:
    """Return the certificates in ``text``, in its order; those in forms nobody here can read are left out.

    Raises:
        ValueError: there is none, or there are too many.
    """
    blocks = _BLOCK.findall(text)
    if not 1 <= len(blocks) <= MAX_CERTIFICATES:
        raise ValueError("no certificate, or too many")
    found = tuple(_readable(blocks))
    if not found:
        raise ValueError("no readable certificate")
    return found


def _readable(blocks: Sequence[str]) -> Iterator[Certificate]:
    for block in blocks:
        try:
            yield x509.load_der_x509_certificate(base64.b64decode("".join(block.split()), validate=True))
        except (ValueError, binascii.Error, UnsupportedAlgorithm):
            continue


def number(certificate: Certificate) -> str:
    """Return the platform's number (SN) of one certificate, 32 hex digits."""
    words = f"{certificate.issuer.rfc4514_string()}{certificate.serial_number}"
    # The platform's protocol wants MD5; it names a certificate and proves nothing.
    return hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()


def is_rsa_signed(certificate: Certificate) -> bool:
    """Tell whether the certificate is signed with RSA; the root file's number counts no others."""
    return certificate.signature_algorithm_oid.dotted_string.startswith(_RSA_SIGNED)


def root_number(roots: Sequence[Certificate]) -> str:
    """Return the platform's number of a root file.

    Raises:
        ValueError: none of them is signed with RSA.
    """
    numbers = [number(root) for root in roots if is_rsa_signed(root)]
    if not numbers:
        raise ValueError("no root certificate signed with RSA")
    return "_".join(numbers)


def rsa_key(certificate: Certificate) -> RSAPublicKey:
    """Return the certificate's key.

    Raises:
        ValueError: it is no RSA key.
    """
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("no usable RSA key") from None
    if not isinstance(key, RSAPublicKey):
        raise ValueError("no usable RSA key")
    return key


def is_of(certificate: Certificate, key: RSAPublicKey) -> bool:
    """Tell whether the certificate is about ``key``."""
    try:
        return rsa_key(certificate) == key
    except ValueError:
        return False


def leaves(certificates: Sequence[Certificate]) -> tuple[Certificate, ...]:
    """Return those that issued none of the others: files carry the issuers along."""
    issuers = {one.issuer for one in certificates if one.issuer != one.subject}
    return tuple(one for one in certificates if one.subject not in issuers)


def is_trusted(
    leaf: Certificate,
    others: Sequence[Certificate],
    roots: Sequence[Certificate],
    now: datetime | None = None,
) -> bool:
    """Tell whether ``leaf`` descends from one of ``roots``, through ``others`` where need be.

    Issuers in between must be marked as such: else whoever has a certificate could make more.

    Args:
        now: all of them must hold at this instant; None = at any.
    """
    current = leaf
    for _ in range(MAX_CHAIN):
        if not _holds(current, now):
            return False
        if any(_issued(root, current) and _holds(root, now) for root in roots if is_rsa_signed(root)):
            return True
        above = next((one for one in others if _is_authority(one) and _issued(one, current)), None)
        if above is None or above == current:
            return False
        current = above
    return False


def _holds(certificate: Certificate, now: datetime | None) -> bool:
    return now is None or certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _issued(issuer: Certificate, certificate: Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _is_authority(certificate: Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False
