"""The person with the sandbox's phone, signed in through every account, as they would by hand."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

import requests

from app.core import db
from app.identity import service as identity


def sign_in_person(now: datetime) -> int | None:
    """Return the resident behind the sandbox's phone, with all their accounts; None without any account.

    Safe to repeat: whoever came before is known again.
    """
    resident_id: int | None = None
    for way in identity.ways():
        resident_id = _sign_in(way.key, resident_id, now)
    return resident_id


def _sign_in(account_key: str, resident_id: int | None, now: datetime) -> int:
    start = identity.start_sign_in(account_key, "/me", now=now, resident_id=resident_id)
    # The consent page of the platform, with its button pressed.
    agreed = requests.post(start.url.partition("#")[0], allow_redirects=False, timeout=10)
    args = dict(parse_qsl(urlsplit(agreed.headers.get("Location", "")).query))
    try:
        ended = identity.finish_sign_in(args, start.cookie, now=now, signed_in=resident_id)
    except identity.BindingTaken:
        # Somebody tried the accounts one by one before: they stay apart, as they would for a person.
        return _sign_in(account_key, None, now)
    session = ended.session
    if session is not None:
        db.transaction(lambda: identity.end_session(session.resident_id, session.id))
    return ended.resident_id
