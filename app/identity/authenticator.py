"""Which resident a request comes from: the cookie on pages, the bearer token on the API."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from flask import request
from werkzeug.wrappers import Response

from app.core import clock, db
from app.core.installation import settings
from app.identity import service
from app.identity.service import Session, SignedIn
from app.identity.sessions import COOKIE_SECRET

SESSION_COOKIE = "resident"
ATTEMPT_COOKIE = "sign-in"
ATTEMPT_SECONDS = 600


class ResidentAuthenticator:
    """Implements ``core.access.ResidentAuthenticator``."""

    def by_cookie(self) -> SignedIn | None:
        token = session_secret()
        return _signed_in(token) if token.startswith(COOKIE_SECRET) else None

    def by_token(self, token: str) -> SignedIn | None:
        return _signed_in(token)


def _signed_in(token: str) -> SignedIn | None:
    now = clock.system_clock()
    found = service.find_session(token, now=now)
    if found is not None and found.touch_due:
        db.transaction(lambda: service.touch_session(found.session_id, now=now))
    return found


def session_secret() -> str:
    """Return what this browser's session cookie holds, ``""`` when there is none."""
    return request.cookies.get(_name(SESSION_COOKIE), "")


def attempt_secret() -> str:
    """Return what the cookie of a sign-in under way holds, ``""`` when there is none."""
    return request.cookies.get(_name(ATTEMPT_COOKIE), "")


def give_session(answer: Response, session: Session) -> None:
    """Make ``session`` the one of this browser."""
    lasts = int((session.expires_at - clock.system_clock()).total_seconds())
    _set(answer, SESSION_COOKIE, session.token, lasts)


def give_attempt(answer: Response, secret: str) -> None:
    """Bind the sign-in that begins to this browser; a second one in another tab shares the secret."""
    _set(answer, ATTEMPT_COOKIE, secret, ATTEMPT_SECONDS)


def take_session(answer: Response) -> None:
    """Take the session's cookie away."""
    _set(answer, SESSION_COOKIE, "", 0)


def _set(answer: Response, name: str, value: str, seconds: int) -> None:
    answer.set_cookie(
        _name(name),
        value,
        max_age=seconds,
        path="/",
        secure=_is_host_bound(),
        httponly=True,
        samesite="Lax",  # the platform leads back from another site
    )
    answer.headers["Cache-Control"] = "no-store"


def _name(name: str) -> str:
    return f"__Host-{name}" if _is_host_bound() else name


def _is_host_bound() -> bool:
    """Tell whether browsers take ``__Host-`` cookies from us: over HTTPS, and on this very machine."""
    parts = urlsplit(settings().base_url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
