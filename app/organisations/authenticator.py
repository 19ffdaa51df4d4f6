"""Who a request comes from: the session cookie on pages, the bearer token on the API."""

from __future__ import annotations

from flask import request, session

from app.core import clock, db
from app.organisations import service
from app.organisations.service import Principal

SESSION_KEY = "staff_session"


class StaffAuthenticator:
    """Implements ``core.access.Authenticator``."""

    def by_session(self) -> Principal | None:
        # Looking into the session marks the answer as different for every cookie; visitors have none.
        secret = session.get(SESSION_KEY) if request.cookies else None
        if not isinstance(secret, str):
            return None
        now = clock.system_clock()
        found = service.session_principal(secret, now=now)
        if found is None:
            return None
        if found.touch_due:
            db.transaction(lambda: service.touch_session(secret, now=now))
        return found.principal

    def by_token(self, token: str) -> Principal | None:
        return service.token_principal(token, now=clock.system_clock())


def start_session(secret: str) -> None:
    """Make ``secret`` the session of this browser; whatever it held before is over."""
    end_session()
    session[SESSION_KEY] = secret


def end_session() -> None:
    """End this browser's session, here and on the server."""
    former = session.get(SESSION_KEY)
    session.clear()
    if isinstance(former, str):
        db.transaction(lambda: service.close_session(former))
