"""Numbers of certificates (证书 SN) as Alipay reckons them.

Source: Alipay's document on certificates: MD5 over the issuer's name, last part first, and the serial number
in decimal; the root file's number joins those of its RSA-signed certificates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

SHORT = {
    NameOID.COMMON_NAME: "CN",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.LOCALITY_NAME: "L",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.COUNTRY_NAME: "C",
}
RSA_SIGNATURES = "1.2.840.113549.1.1"


@dataclass(frozen=True, slots=True)
class Certificates:
    """What the platform has on record of an app in certificate mode.

    Attributes:
        app_number: of the app's certificate; ``root_number`` of the root file it was given.
        platform_number: of the certificate that the platform signs with now.
        platform_pem: the file handed out when that is asked for.
    """

    app_number: str
    root_number: str
    platform_number: str
    platform_pem: str = field(repr=False)


def number(certificate: x509.Certificate) -> str:
    parts = [f"{SHORT.get(one.oid, one.oid.dotted_string)}={one.value!s}" for one in certificate.issuer]
    words = ",".join(reversed(parts)) + str(certificate.serial_number)
    return hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()


def root_number(certificates: Sequence[x509.Certificate]) -> str:
    return "_".join(
        number(one)
        for one in certificates
        if one.signature_algorithm_oid.dotted_string.startswith(RSA_SIGNATURES)
    )


def read(app_pem: str, root_pem: str, platform_pem: str, hall_key: rsa.RSAPublicKey) -> Certificates:
    """Take the numbers of three files.

    Raises:
        ValueError: one is no certificate, or the app's is not about the hall's key.
    """
    app, roots, platform = (
        x509.load_pem_x509_certificates(text.encode()) for text in (app_pem, root_pem, platform_pem)
    )
    if app[0].public_key() != hall_key:
        raise ValueError("the app's certificate is about another key")
    return Certificates(number(app[0]), root_number(roots), number(platform[0]), platform_pem)
