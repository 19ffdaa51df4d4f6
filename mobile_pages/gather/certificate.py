"""What a host's certificate and protocol are worth, without asking for a page."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from dataclasses import replace
from pathlib import Path

import pycurl
from cryptography import x509
from service_identity import CertificateError, VerificationError
from service_identity.cryptography import verify_certificate_hostname, verify_certificate_ip_address

from mobile_pages.artifact import Tls
from mobile_pages.gather import transport
from mobile_pages.guard import Pinned

_OLD_VERSIONS = {
    "TLSv1": pycurl.SSLVERSION_TLSv1_0 | pycurl.SSLVERSION_MAX_TLSv1_0,
    "TLSv1.1": pycurl.SSLVERSION_TLSv1_1 | pycurl.SSLVERSION_MAX_TLSv1_1,
}
_HANDSHAKE_REFUSED = frozenset({pycurl.E_SSL_CONNECT_ERROR, pycurl.E_RECV_ERROR, pycurl.E_GOT_NOTHING})


def inspect(pinned: Pinned, deadline: float, ca_file: Path | None = None) -> Tls | None:
    """Shake hands and read the certificate, whether or not it is good; None when there is no handshake.

    Trust and host name are judged apart, so that both problems of one certificate are told.
    """
    problem = ""
    try:
        try:
            version, der = _handshake(pinned, deadline, _verifying(ca_file))
        except ssl.SSLCertVerificationError as error:
            problem = error.verify_message
            version, der = _handshake(pinned, deadline, _accepting())
        certificate = x509.load_der_x509_certificate(der)
        mismatch = _mismatch(certificate, pinned.host)
        return Tls(
            version=version,
            issuer=certificate.issuer.rfc4514_string(),
            subject=certificate.subject.rfc4514_string(),
            not_before=certificate.not_valid_before_utc.isoformat(),
            not_after=certificate.not_valid_after_utc.isoformat(),
            trusted=not problem,
            host_matches=not mismatch,
            problem="; ".join(filter(None, (problem, mismatch))),
        )
    except (OSError, ValueError):  # also ssl.SSLError; ValueError: a certificate that cannot be read
        return None


def with_old_versions(tls: Tls, pinned: Pinned, deadline: float) -> Tls:
    """Return ``tls`` with the versions before 1.2 that the server accepts, None when that stayed open."""
    accepted = []
    for name, version in _OLD_VERSIONS.items():
        answer = _accepts(pinned, deadline, version)
        if answer is None:
            return tls
        if answer:
            accepted.append(name)
    return replace(tls, old_versions=tuple(accepted))


def _verifying(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.check_hostname = False  # judged apart, see _mismatch
    return context


def _accepting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # short keys are to be told of, not to stop the look
    return context


def _handshake(pinned: Pinned, deadline: float, context: ssl.SSLContext) -> tuple[str, bytes]:
    with (
        _connect(pinned, deadline) as plain,
        context.wrap_socket(plain, server_hostname=pinned.host, do_handshake_on_connect=False) as secure,
    ):
        secure.settimeout(_remaining(deadline))
        secure.do_handshake()
        return secure.version() or "", secure.getpeercert(binary_form=True) or b""


def _connect(pinned: Pinned, deadline: float) -> socket.socket:
    for address in pinned.addresses[:-1]:
        try:
            return socket.create_connection((address, pinned.port), _remaining(deadline) / 2)
        except OSError:
            continue
    return socket.create_connection((pinned.addresses[-1], pinned.port), _remaining(deadline))


def _remaining(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _mismatch(certificate: x509.Certificate, host: str) -> str:
    try:
        if _is_address(host):
            verify_certificate_ip_address(certificate, host)
        else:
            verify_certificate_hostname(certificate, host)
    except (VerificationError, CertificateError):
        return f"certificate is not valid for {host}"
    return ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _accepts(pinned: Pinned, deadline: float, version: int) -> bool | None:
    with transport.PinnedCurl() as pinned_curl:
        pinned_curl.pin(pinned, deadline)
        pinned_curl.trust(verify=False)
        pinned_curl.curl.setopt(pycurl.CONNECT_ONLY, 1)
        pinned_curl.curl.setopt(pycurl.SSLVERSION, version)
        pinned_curl.curl.setopt(pycurl.SSL_CIPHER_LIST, "DEFAULT:@SECLEVEL=0")
        try:
            pinned_curl.perform()
        except pycurl.error as error:
            return False if error.args[0] in _HANDSHAKE_REFUSED else None
    return True
