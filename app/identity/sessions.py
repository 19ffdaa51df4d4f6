"""Sessions of residents: random secrets of which only digests are kept, with two limits in time."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update

from app.core import audit, db, vault
from app.core.access import RESIDENT_TOKEN
from app.core.errors import NotFound
from app.core.installation import settings
from app.identity.domain import FACE_LEVEL, NAME_LEVEL, SESSIONS_MAX, USED_EVERY, Client
from app.identity.models import Resident, ResidentSession
from app.identity.people import accounts_of
from app.identity.residents import actor_of

COOKIE_SECRET = "w_"
"""How secrets in cookies begin, so that none of them is a bearer token and the other way round."""

_SECRET = re.compile(r"[rw]_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Session:
    """A session that was just opened. ``token`` is told once, to whoever signed in."""

    id: int
    token: str
    resident_id: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as its owner sees it: enough to know the device again, nothing about places."""

    id: int
    client: Client
    account_id: int
    opened_at: datetime
    used_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a request comes from; implements ``core.access.Resident``.

    Attributes:
        account_id: the platform account that the session was opened through.
        opened_at: when they signed in.
        touch_due: whether the last use should be written down.
    """

    id: int
    level: int
    session_id: int
    account_id: int
    opened_at: datetime
    touch_due: bool

    @property
    def actor(self) -> str:
        return actor_of(self.id)


def open_session(
    resident_id: int, account_id: int, client: Client, *, for_cookie: bool, now: datetime
) -> Session:
    """Open a session; when there are too many, the one used longest ago ends."""
    token = (COOKIE_SECRET if for_cookie else RESIDENT_TOKEN) + secrets.token_urlsafe(32)
    row = ResidentSession(
        digest=vault.hash_secret(token),
        resident_id=resident_id,
        account_id=account_id,
        client=client,
        opened_at=now,
        used_at=now,
        expires_at=now + timedelta(seconds=settings().resident_session_seconds),
    )
    db.writing().add(row)
    db.writing().flush()
    _make_room(resident_id)
    audit.record(actor_of(resident_id), "resident.sign-in", "resident", resident_id, {"client": client.value})
    return Session(row.id, token, resident_id, row.expires_at)


def find_session(token: str, *, now: datetime) -> SignedIn | None:
    """Return who a session belongs to; None when it is unknown, idle for too long, or over."""
    if not _SECRET.fullmatch(token):
        return None
    query = (
        select(Resident.level, ResidentSession)
        .join(Resident, Resident.id == ResidentSession.resident_id)
        .where(ResidentSession.digest == vault.hash_secret(token), *_alive(now), Resident.closed_at.is_(None))
    )
    found = db.session().execute(query).first()
    if found is None:
        return None
    level, row = found
    due = now - row.used_at >= USED_EVERY
    shown = _level(level, row, now)
    return SignedIn(row.resident_id, shown, row.id, row.account_id, row.opened_at, touch_due=due)


def level_of(session_id: int, *, now: datetime) -> int:
    """Return how sure a session is of who it is at this moment, 0 when it is gone."""
    query = (
        select(Resident.level, ResidentSession)
        .join(Resident, Resident.id == ResidentSession.resident_id)
        .where(ResidentSession.id == session_id)
    )
    found = db.session().execute(query).first()
    return 0 if found is None else _level(found[0], found[1], now)


def _level(account_level: int, row: ResidentSession, now: datetime) -> int:
    shown = row.face_until is not None and row.face_until > now
    return FACE_LEVEL if shown and account_level >= NAME_LEVEL else account_level


def touch_session(session_id: int, *, now: datetime) -> None:
    """Write down that a session was used now."""
    db.writing().execute(
        update(ResidentSession)
        .where(ResidentSession.id == session_id, ResidentSession.used_at < now)
        .values(used_at=now)
    )


def sessions(resident_id: int, *, now: datetime) -> list[SessionView]:
    """Return the sessions of a resident, through all merged accounts, the one used last first."""
    query = (
        select(ResidentSession)
        .where(ResidentSession.resident_id.in_(accounts_of(resident_id)), *_alive(now))
        .order_by(ResidentSession.used_at.desc(), ResidentSession.id)
    )
    return [
        SessionView(row.id, row.client, row.account_id, row.opened_at, row.used_at, row.expires_at)
        for row in db.session().scalars(query)
    ]


def end_session(resident_id: int, session_id: int) -> None:
    """End one session, also of an account that is merged with this one.

    Raises:
        NotFound: no such session of this resident.
    """
    gone = db.writing().execute(
        delete(ResidentSession).where(
            ResidentSession.id == session_id, ResidentSession.resident_id.in_(accounts_of(resident_id))
        )
    )
    if gone.rowcount != 1:  # type: ignore[attr-defined]
        raise NotFound("没有这个登录")
    audit.record(actor_of(resident_id), "resident.sign-out", "resident", resident_id)


def end_all_sessions(resident_id: int) -> int:
    """End every session of a resident, through all merged accounts; return how many there were."""
    mine = ResidentSession.resident_id.in_(accounts_of(resident_id))
    gone = db.writing().execute(delete(ResidentSession).where(mine))
    count = int(gone.rowcount)  # type: ignore[attr-defined]
    audit.record(
        actor_of(resident_id), "resident.sign-out-everywhere", "resident", resident_id, {"count": count}
    )
    return count


def count_face(resident_id: int, session_id: int, until: datetime) -> None:
    """Let a face check count in one session, until ``until``."""
    db.writing().execute(
        update(ResidentSession).where(ResidentSession.id == session_id).values(face_until=until)
    )
    audit.record(actor_of(resident_id), "resident.verify-face", "resident", resident_id)


def forget_faces(resident_id: int) -> None:
    """Let no face check count any more in any session of an account."""
    db.writing().execute(
        update(ResidentSession).where(ResidentSession.resident_id == resident_id).values(face_until=None)
    )


def end_by_token(token: str) -> None:
    """End the session with this secret; nothing happens when it is none."""
    if not _SECRET.fullmatch(token):
        return
    query = select(ResidentSession).where(ResidentSession.digest == vault.hash_secret(token))
    row = db.writing().scalar(query)
    if row is not None:
        end_session(row.resident_id, row.id)


def _alive(now: datetime) -> tuple[ColumnElement[bool], ...]:
    idle = timedelta(seconds=settings().resident_idle_seconds)
    return ResidentSession.expires_at > now, ResidentSession.used_at > now - idle


def _make_room(resident_id: int) -> None:
    query = (
        select(ResidentSession.id)
        .where(ResidentSession.resident_id == resident_id)
        .order_by(ResidentSession.used_at.desc(), ResidentSession.opened_at.desc())
        .offset(SESSIONS_MAX)
        .limit(SESSIONS_MAX)
    )
    surplus = db.writing().scalars(query).all()
    if surplus:
        db.writing().execute(delete(ResidentSession).where(ResidentSession.id.in_(surplus)))
