"""Which third party a request comes from: its signature, and the headers that tell what is left."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from flask import Response, g, request

from app.core import clock
from app.third_parties import service
from app.third_parties.service import Caller, QuotaUsedUp, Remaining, SignedRequest

SIGNATURE = 'Signature realm="hall"'


class PartnerAuthenticator:
    """Implements ``core.access.PartnerAuthenticator``."""

    def by_signature(self) -> Caller:
        g.for_partners = True
        try:
            caller = service.admit(_signed_request(), now=clock.system_clock())
        except QuotaUsedUp as full:
            g.partner_remaining = full.remaining
            raise
        g.partner_remaining = caller.remaining
        return caller


def tell_what_is_left(answer: Response) -> Response:
    """Say in every answer to a third party what is left of its quota, and how to sign where it did not.

    Of every capability's routes for third parties; other answers stay as they are.

    Source: draft-ietf-httpapi-ratelimit-headers-10.
    """
    if not g.get("for_partners"):
        return answer
    if answer.status_code == 401:
        answer.headers["WWW-Authenticate"] = SIGNATURE
    remaining: Iterable[Remaining] = g.get("partner_remaining", ())
    policies = [f'"{one.name}";q={one.quota};w={one.window_seconds}' for one in remaining]
    if policies:
        answer.headers["RateLimit-Policy"] = ", ".join(policies)
        answer.headers["RateLimit"] = ", ".join(
            f'"{one.name}";r={one.left};t={one.reset_seconds}' for one in remaining
        )
    return answer


def _signed_request() -> SignedRequest:
    # The path as it is written without need: no address of the API has a sign that must be escaped.
    path = quote(request.path, safe="/-._~")
    # Byte by byte: read as text, a stray byte would be escaped like the letter that another request signed.
    query = quote(request.query_string, safe=_AS_SENT)
    return SignedRequest(
        method=request.method,
        url=f"{request.scheme}://{request.host}{path}{'?' + query if query else ''}",
        headers=dict(request.headers),
        body=request.get_data(cache=True),
    )


_AS_SENT = "%!$&'()*+,;=:@/?-._~[]"
"""What stays in a query as it came; anything else is no URL, and cannot have been signed."""
