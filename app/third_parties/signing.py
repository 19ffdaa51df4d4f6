"""Signed requests: HTTP Message Signatures (RFC 9421) with HMAC-SHA256 and Content-Digest (RFC 9530). Pure.

One narrow profile of the standard: exactly one signature, which covers method, path and query (and the
digest of the body where there is one), with ``created``, ``keyid`` and ``nonce``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import http_sf
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    InvalidSignature,
    MappingKeyResolver,
    algorithms,
)
from http_message_signatures.digests import ContentDigest

from app.core.errors import NotSignedIn
from app.third_parties.domain import KEY_ID_MAX, NONCE_MAX, NONCE_MIN, SKEW

LABEL = "hall"
COVERED = ("@method", "@path", "@query")
DIGEST = "content-digest"
HEADER_MAX = 2000
_TIME_MAX = 2**33


class SignatureMissing(NotSignedIn):
    code = "signature_missing"
    title = "请求没有签名，或签名头的格式不正确"
    title_en = "The request is not signed, or its signature headers are malformed"


class SignatureWrong(NotSignedIn):
    """The detail names the digest of what the hall computed, never the text itself."""

    code = "signature_wrong"
    title = "签名不正确"
    title_en = "The signature is wrong"


class DigestWrong(NotSignedIn):
    code = "digest_wrong"
    title = "请求内容与 Content-Digest 不一致"
    title_en = "The body does not match its Content-Digest"


class ClockSkew(NotSignedIn):
    code = "clock_skew"
    title = "签名时间与服务器时间相差太多"
    title_en = "The time of signing is too far from ours"


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as far as it is signed; ``url`` is absolute and percent-encoded."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """What the signature says of itself, before anything is proved.

    Attributes:
        expires: until when its maker wants it to count at most; None for no wish.
    """

    key_id: str
    created: int
    nonce: str
    expires: int | None = None

    @property
    def nonce_digest(self) -> str:
        return sha256(self.nonce.encode()).hexdigest()


def read_claim(request: SignedRequest) -> Claim:
    """Return which key is said to have signed, when, and with which nonce.

    Raises:
        SignatureMissing: no signature, several, or none of the profile.
    """
    inputs = _header(request, "signature-input")
    try:
        parsed: Any = http_sf.parse(inputs.encode(), tltype="dictionary", on_duplicate_key=_no_duplicates)
    except ValueError:
        raise SignatureMissing("Signature-Input 不是有效的结构化字段") from None
    if len(parsed) != 1:
        raise SignatureMissing("只能有一个签名")
    covered, params = next(iter(parsed.values()))
    if not isinstance(covered, list):
        raise SignatureMissing("Signature-Input 没有列出签名覆盖的内容")
    _check_cover([name for name, _ in covered], needs_digest=bool(request.body))
    created, key_id, nonce = params.get("created"), params.get("keyid"), params.get("nonce")
    if type(created) is not int or not 0 <= created < _TIME_MAX:
        raise SignatureMissing("缺少 created（秒，整数）")
    if type(key_id) is not str or not 0 < len(key_id) <= KEY_ID_MAX:
        raise SignatureMissing("缺少 keyid")
    if type(nonce) is not str or not NONCE_MIN <= len(nonce) <= NONCE_MAX:
        raise SignatureMissing(f"缺少 nonce（{NONCE_MIN} 至 {NONCE_MAX} 个字符）")
    expires = params.get("expires")
    if expires is not None and type(expires) is not int:
        raise SignatureMissing("expires 应是整数（秒）")
    return Claim(key_id, created, nonce, expires)


def check_time(claim: Claim, now: datetime) -> None:
    """Let pass what was signed within ``SKEW`` of ``now``, the edges included.

    Raises:
        ClockSkew: says by how many seconds the other clock is off, or that the signature's own time is over.
    """
    ahead = claim.created - int(now.timestamp())
    if abs(ahead) > SKEW.total_seconds():
        side = "快" if ahead > 0 else "慢"
        raise ClockSkew(f"您的时钟比服务器{side} {abs(ahead)} 秒，最多允许 {int(SKEW.total_seconds())} 秒")
    if claim.expires is not None and claim.expires < int(now.timestamp()):
        raise ClockSkew("签名已过了自己写明的期限（expires）")


def verify(request: SignedRequest, claim: Claim, secret: str) -> None:
    """Let pass a request that ``secret`` signed as it stands; compared in constant time.

    Raises:
        SignatureWrong: another secret, or another request, was signed.
        DigestWrong: the body is not the one that was signed.
        SignatureMissing: the headers do not fit together.
    """
    key = secret.encode()
    verifier = _Verifier(
        signature_algorithm=_TellingHmac,
        key_resolver=MappingKeyResolver(public_keys={claim.key_id: key}, private_keys={}),
    )
    try:
        verifier.verify(request)
    except _Different as different:
        raise SignatureWrong(
            f"服务器计算的待签名文本的 SHA-256 是 {different.base_digest}，请与您的对照"
        ) from None
    except InvalidSignature:
        raise SignatureMissing("签名头与请求不一致") from None
    if request.body or DIGEST in {name.lower() for name in request.headers}:
        try:
            ContentDigest.verify(_header(request, DIGEST), request.body)
        except InvalidSignature:
            raise DigestWrong from None


def sign(
    request: SignedRequest, *, key_id: str, secret: str, created: datetime, nonce: str
) -> dict[str, str]:
    """Return the headers of ``request`` with those that sign it, as a client sends them."""
    headers = dict(request.headers)
    signed = SignedRequest(request.method, request.url, headers, request.body)
    resolver = MappingKeyResolver(public_keys={}, private_keys={key_id: secret.encode()})
    signer = HTTPMessageSigner(signature_algorithm=algorithms.HMAC_SHA256, key_resolver=resolver)
    signer.sign(
        signed,
        key_id=key_id,
        created=created,
        nonce=nonce,
        label=LABEL,
        include_alg=False,
        covered_component_ids=COVERED,
        body=request.body or None,
    )
    return headers


class _Different(InvalidSignature):
    def __init__(self, base_digest: str) -> None:
        super().__init__("different")
        self.base_digest = base_digest


class _TellingHmac(algorithms.HMAC_SHA256):
    """Says by its digest what would have had to be signed."""

    def verify(self, signature: bytes, message: bytes) -> None:
        try:
            super().verify(signature, message)
        except Exception:  # the library underneath raises its own
            raise _Different(sha256(message).hexdigest()) from None


class _Verifier(HTTPMessageVerifier):
    """The time is judged by :func:`check_time`, by the clock that the caller was given."""

    def validate_created_and_expires(self, sig_input: Any, max_age: object = None) -> None:
        return


def _header(request: SignedRequest, wanted: str) -> str:
    found = next((value for name, value in request.headers.items() if name.lower() == wanted), "")
    if not found or len(found) > HEADER_MAX or not found.isascii():
        raise SignatureMissing(f"缺少 {wanted} 请求头")
    return found


def _check_cover(covered: list[Any], *, needs_digest: bool) -> None:
    wanted = {*COVERED, *((DIGEST,) if needs_digest else ())}
    if not wanted <= {name for name in covered if isinstance(name, str)}:
        raise SignatureMissing(f"签名须覆盖 {' '.join(sorted(wanted))}")


def _no_duplicates(_key: str, context: str) -> None:
    if context == "dictionary":
        raise ValueError("twice")
