"""What one app proves itself with, and whom it believes: keys (公钥模式) or certificates (公钥证书模式)."""

from __future__ import annotations

import base64
import binascii
import threading
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.x509 import Certificate
from cryptography.x509.oid import NameOID

from channels.alipay import certificates
from channels.alipay.keys import SignType, TheirKeys, load_private_key, load_public_key
from channels.alipay.settings import KeyMode
from channels.base import AccountConfig


class CertificateStore:
    """The certificates of one account.

    Alipay's own changes from time to time: a new one is fetched by its number and believed when it descends
    from the root and is made out to the organisation of the one that staff entered. The root alone would not
    do, since it stands above the certificates of all apps.
    """

    def __init__(self, config: AccountConfig) -> None:
        self.roots = certificates.read(config.value("alipay_root_cert"))
        self.root_number = certificates.root_number(self.roots)
        ours = load_private_key(config.value("app_private_key"), known=True).public_key()
        chain = certificates.read(config.value("app_cert"))
        self.app = next(one for one in chain if certificates.is_of(one, ours))
        self.app_number = certificates.number(self.app)
        entered = certificates.leaves(certificates.read(config.value("alipay_cert")))
        self._theirs = {certificates.number(one): one for one in entered}
        self._organisations = {_organisation(one) for one in entered}
        self.fetching = threading.Lock()

    def keys(self) -> dict[str, RSAPublicKey]:
        """Return Alipay's keys by the numbers of their certificates."""
        return {number: certificates.rsa_key(one) for number, one in self._theirs.items()}

    def accept(self, content: str, number: str, now: datetime) -> RSAPublicKey | None:
        """Return the key of Alipay's certificate of that number in ``content``, base64 of a file; or None."""
        try:
            chain = certificates.read(base64.b64decode("".join(content.split())).decode("ascii"))
        except (ValueError, binascii.Error):
            return None
        leaf = next((one for one in chain if certificates.number(one) == number), None)
        if leaf is None or _organisation(leaf) not in self._organisations:
            return None
        if not certificates.is_trusted(leaf, chain, self.roots, now):
            return None
        try:
            key = certificates.rsa_key(leaf)
        except ValueError:
            return None
        self._theirs = {**self._theirs, number: leaf}
        return key

    def expires_at(self) -> datetime:
        """Return when our certificate or the last of Alipay's ends, whichever is sooner; UTC."""
        theirs = max(one.not_valid_after_utc for one in self._theirs.values())
        return min(self.app.not_valid_after_utc, theirs)


def _organisation(certificate: Certificate) -> tuple[str, ...]:
    found = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return tuple(str(one.value) for one in found)


@dataclass(frozen=True, slots=True)
class Credentials:
    """One app's side. ``store`` is ``None`` in key mode."""

    app_id: str
    sign_type: SignType
    private_key: RSAPrivateKey = field(repr=False)
    theirs: TheirKeys = field(repr=False)
    store: CertificateStore | None = field(default=None, repr=False)


def credentials_of(config: AccountConfig) -> Credentials:
    """Return the credentials of an account whose settings are already checked."""
    sign_type = SignType(config.value("sign_type", SignType.RSA2))
    private_key = load_private_key(config.value("app_private_key"), known=True)
    app_id = config.value("app_id")
    if KeyMode(config.value("key_mode", KeyMode.KEY)) is KeyMode.KEY:
        theirs = TheirKeys(sign_type, {"": load_public_key(config.value("alipay_public_key"))})
        return Credentials(app_id, sign_type, private_key, theirs)
    store = CertificateStore(config)
    return Credentials(app_id, sign_type, private_key, TheirKeys(sign_type, store.keys()), store)
