"""Tickets: how a department's page learns who opened it (单点登录), once and within a minute.

A ticket is for one audience. What the audience is told is a pseudonym of its own, so that two
departments cannot find out that they deal with the same person.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from sqlalchemy import select, update

from app.core import audit, db, vault
from app.core.errors import NotFound
from app.identity.domain import AUDIENCE_MAX, PSEUDONYM_FIELD, TICKET_LIFE, TicketRefused
from app.identity.models import SsoTicket
from app.identity.residents import actor_of, is_open

TICKET = re.compile(r"[A-Za-z0-9_-]{43}")


def issue_ticket(resident_id: int, audience: str, *, now: datetime) -> str:
    """Return a ticket of 32 random bytes in URL-safe base64; only its digest is kept.

    Args:
        audience: who alone may redeem it, see ``body_audience`` and ``app_audience``.

    Raises:
        NotFound: no such resident.
        ValueError: the audience is empty or too long.
    """
    if not 0 < len(audience) <= AUDIENCE_MAX:
        raise ValueError(f"an audience has 1 to {AUDIENCE_MAX} characters")
    if not is_open(resident_id):
        raise NotFound("没有这个账户")
    ticket = secrets.token_urlsafe(32)
    db.writing().add(
        SsoTicket(
            digest=vault.hash_secret(ticket),
            resident_id=resident_id,
            audience=audience,
            expires_at=now + TICKET_LIFE,
            used_at=None,
        )
    )
    db.writing().flush()
    audit.record(actor_of(resident_id), "sso.issue", "resident", resident_id, {"audience": audience})
    return ticket


def redeem_ticket(ticket: str, audience: str, *, now: datetime) -> int:
    """Return whose ticket it is, and use it up.

    Raises:
        TicketRefused: unknown, used, expired, or for another audience.
    """
    if not TICKET.fullmatch(ticket):
        raise TicketRefused
    digest = vault.hash_secret(ticket)
    # One statement decides who comes first; whoever reads before writing would let two in.
    taken = db.writing().execute(
        update(SsoTicket)
        .where(
            SsoTicket.digest == digest,
            SsoTicket.audience == audience,
            SsoTicket.used_at.is_(None),
            SsoTicket.expires_at > now,
        )
        .values(used_at=now)
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        raise TicketRefused
    resident_id = db.writing().scalars(select(SsoTicket.resident_id).where(SsoTicket.digest == digest)).one()
    if not is_open(resident_id):
        raise TicketRefused
    audit.record(audience, "sso.redeem", "resident", resident_id)
    return resident_id


def subject_for(resident_id: int, audience: str) -> str:
    """Return what ``audience`` calls this resident: 64 hex digits, the same at every visit.

    Another audience gets another, and neither can be led back to the resident without the vault's key.
    """
    return vault.blind_index(PSEUDONYM_FIELD, f"{audience}|{resident_id}")
