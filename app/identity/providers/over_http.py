"""A provider over HTTP: signed JSON both ways; docs/identity.md describes the protocol.

Names and numbers are in the body only, never in an address; errors name the host and nothing else.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import TypeVar
from urllib.parse import urlsplit

import structlog

from app.core.json_api import strict_json
from app.identity.people_domain import REFERENCE_MAX, IdKind, ProviderAway
from app.identity.providers.base import FaceFinding, FaceStart, Finding
from channels import http
from channels.base import ChannelEnv, ChannelError

V = TypeVar("V", bound=StrEnum)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HttpProvider:
    """Implements ``base.Provider``."""

    env: ChannelEnv
    url: str
    app: str
    secret: str

    def __repr__(self) -> str:
        return f"HttpProvider({self.url!r})"

    def check_person(self, kind: IdKind, number: str, name: str) -> Finding:
        asked = {"kind": kind.value, "number": number, "name": name}
        return _one_of(Finding, self._ask("/v1/person", asked))

    def start_face(self, kind: IdKind, number: str, name: str, return_url: str) -> FaceStart:
        asked = {"kind": kind.value, "number": number, "name": name, "return_url": return_url}
        told = self._ask("/v1/face", asked)
        reference, url = told.get("reference"), told.get("url")
        if not isinstance(reference, str) or not 0 < len(reference) <= REFERENCE_MAX:
            raise _unusable("no reference")
        if not isinstance(url, str) or not _leads_to(url, self.url):
            raise _unusable("the page is elsewhere")
        return FaceStart(reference, url)

    def face_result(self, reference: str) -> FaceFinding:
        return _one_of(FaceFinding, self._ask("/v1/face/result", {"reference": reference}))

    def check_enterprise(self, uscc: str, name: str, legal_kind: IdKind, legal_number: str) -> Finding:
        asked = {"uscc": uscc, "name": name, "legal_kind": legal_kind.value, "legal_number": legal_number}
        return _one_of(Finding, self._ask("/v1/enterprise", asked))

    def _ask(self, path: str, asked: Mapping[str, str]) -> Mapping[str, object]:
        body = json.dumps(asked, ensure_ascii=False).encode()
        time, nonce = str(int(self.env.clock().timestamp())), self.env.nonce()
        said = "\n".join(("POST", path, self.app, time, nonce, sha256(body).hexdigest()))
        params = {"app": self.app, "time": time, "nonce": nonce, "sign": self._sign(said)}
        try:
            answer = http.call(self.env, "POST", self.url + path, params=params, data=body)
        except ChannelError as error:
            log.warning("verification_away", code=error.code, host=urlsplit(self.url).hostname)
            raise ProviderAway from None
        return self._opened(answer.body, nonce)

    def _opened(self, body: bytes, nonce: str) -> Mapping[str, object]:
        """Return what an answer says, when the provider signed it for this very question."""
        try:
            outer = strict_json(body)
            said, sign = outer["answer"], outer["sign"]
            genuine = hmac.compare_digest(self._sign(f"{nonce}\n{said}").encode(), sign.encode())
            inner = strict_json(said.encode()) if genuine else None
        except (ValueError, TypeError, KeyError, AttributeError):
            inner = None
        if not isinstance(inner, dict):
            raise _unusable("not signed as agreed")
        return inner

    def _sign(self, said: str) -> str:
        return hmac.new(self.secret.encode(), said.encode(), sha256).hexdigest()


def _one_of(values: type[V], told: Mapping[str, object]) -> V:
    found = next((one for one in values if one.value == told.get("result")), None)
    if found is None:
        raise _unusable("no known result")
    return found


def _leads_to(url: str, base: str) -> bool:
    try:
        ours, theirs = urlsplit(base), urlsplit(url)
    except ValueError:
        return False
    return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)


def _unusable(why: str) -> ProviderAway:
    log.warning("verification_unusable", why=why)
    return ProviderAway()
