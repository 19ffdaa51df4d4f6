"""Certificates as Alipay's authorities make them, with keys made here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from channels.base import AccountConfig
from tests.channels import platform_alipay as alipay
from tests.channels.builders import NOW

ALIPAY = "支付宝（测试）网络技术有限公司"
YEAR = timedelta(days=365)
_OIDS = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
}
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def a_name(**parts: str) -> x509.Name:
    """Return a name with its parts in the given order."""
    return x509.Name([x509.NameAttribute(_OIDS[part], value) for part, value in parts.items()])


@dataclass(frozen=True)
class Authority:
    """Someone who issues certificates."""

    name: x509.Name
    key: Key
    certificate: x509.Certificate

    def issue(
        self,
        name: x509.Name,
        key: Key,
        *,
        serial: int = 77,
        ends_at: datetime = NOW + YEAR,
        authority: bool = False,
    ) -> x509.Certificate:
        return _made(name, key, self.name, self.key, serial, ends_at, authority)


def _made(
    name: x509.Name, key: Key, issuer: x509.Name, issuer_key: Key, serial: int, ends_at: datetime, ca: bool
) -> x509.Certificate:
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(NOW - 3 * YEAR)
        .not_valid_after(ends_at)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    return built.sign(issuer_key, hashes.SHA256())


def an_authority(name: x509.Name, key: Key, serial: int = 1) -> Authority:
    return Authority(name, key, _made(name, key, name, key, serial, NOW + 10 * YEAR, ca=True))


@cache
def rsa_key(which: str) -> rsa.RSAPrivateKey:
    """Return a key, the same for the same word."""
    return rsa.generate_private_key(65537, 2048)


@cache
def root() -> Authority:
    return an_authority(a_name(C="CN", O="Ant", OU="CA", CN="Test R1"), rsa_key("root"), serial=4242)


@cache
def other_root() -> Authority:
    """Return an authority whose name has a place and no department."""
    name = a_name(C="CN", ST="广东省", L="广州市", O="测试机构", CN="Test R2")
    return an_authority(name, rsa_key("intermediate"), serial=2**80 + 5)


@cache
def elliptic_root() -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    return an_authority(a_name(C="CN", O="Ant", CN="Test E1"), key)


@cache
def intermediate() -> Authority:
    name = a_name(C="CN", O="Ant", OU="CA", CN="Test Class 1")
    certificate = root().issue(name, rsa_key("intermediate"), serial=5, authority=True)
    return Authority(name, rsa_key("intermediate"), certificate)


def app_certificate(key: rsa.RSAPrivateKey = alipay.APP_KEY) -> x509.Certificate:
    name = a_name(C="CN", O="广东省测试单位", OU="Alipay", CN="2088000000000099-2021000000000001")
    return intermediate().issue(name, key, serial=8001)


def alipay_certificate(
    key: rsa.RSAPrivateKey = alipay.PLATFORM_KEY,
    *,
    issuer: Authority | None = None,
    organisation: str = ALIPAY,
    serial: int = 9001,
    ends_at: datetime = NOW + YEAR,
) -> x509.Certificate:
    name = a_name(C="CN", O=organisation, OU="Alipay", CN="2088000000000099")
    return (issuer or intermediate()).issue(name, key, serial=serial, ends_at=ends_at)


def pem(*certificates: x509.Certificate, between: str = "\n") -> str:
    """Return a file of several certificates, as Alipay's root file has them: with blank lines between."""
    return between.join(one.public_bytes(Encoding.PEM).decode() for one in certificates)


def config(base_url: str = "http://127.0.0.1:9", **settings: str) -> AccountConfig:
    """Return an account in certificate mode."""
    given = {
        "key_mode": "certificate",
        "app_cert": pem(app_certificate(), intermediate().certificate),
        "alipay_cert": pem(alipay_certificate(), intermediate().certificate),
        "alipay_root_cert": pem(root().certificate, elliptic_root().certificate),
        **settings,
    }
    plain = alipay.config(base_url)
    kept = {name: value for name, value in plain.settings.items() if name != "alipay_public_key"}
    return AccountConfig(plain.kind, plain.account, {**kept, **given}, plain.secrets)
