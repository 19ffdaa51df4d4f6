"""Under which name an application knows a person: a pseudonym, learnt by redeeming a ticket.

In production it is the body's pseudonym of a resident (``identity``). The sandbox works on made-up
people of its own, who are in no other table: a sandbox key cannot touch a resident.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from app.core import db, vault
from app.core.errors import NotFound
from app.core.ids import new_id
from app.identity import service as identity
from app.third_parties.domain import SAMPLES, Stage
from app.third_parties.models import SampleResident, Subject
from app.third_parties.shapes import Caller

TICKET_LIFE = timedelta(seconds=60)
SAMPLE_LEVEL = 1


class NotInSandbox(NotFound):
    code = "sandbox_only"
    title = "只有测试环境的密钥可以这样调用"
    title_en = "For keys of the sandbox only"


class SubjectUnknown(NotFound):
    code = "subject_unknown"
    title = "没有这个用户标识"
    title_en = "The subject is unknown"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who came with a ticket; ``level`` says how sure we are of who it is."""

    subject: str
    level: int


def sample_ticket(caller: Caller, number: int, *, now: datetime) -> str:
    """Return a ticket as the bridge would hand it out, for one of the sandbox's made-up people.

    Args:
        number: 1 to ``SAMPLES``.

    Raises:
        NotInSandbox: the key is one of production.
        NotFound: there is no such sample.
    """
    if caller.stage is not Stage.SANDBOX:
        raise NotInSandbox
    if not 1 <= number <= SAMPLES:
        raise NotFound(f"测试用户的编号为 1 至 {SAMPLES}")
    row = _sample(caller, number)
    ticket = secrets.token_urlsafe(32)
    row.ticket_digest, row.ticket_until = vault.hash_secret(ticket), now + TICKET_LIFE
    db.writing().flush()
    return ticket


def redeem(caller: Caller, ticket: str, *, now: datetime) -> SignedIn:
    """Use a ticket up and return whose it is, by the name this application knows them under.

    Raises:
        TicketRefused: unknown, used, expired, or for somebody else.
    """
    if caller.stage is Stage.SANDBOX:
        resident_id, level = _redeem_sample(caller, ticket, now), SAMPLE_LEVEL
        subject = _known(caller, resident_id) or secrets.token_hex(32)
    else:
        resident_id = identity.redeem_ticket(ticket, identity.body_audience(caller.body_id), now=now)
        return arrived(caller, resident_id, identity.view_of(resident_id).level, now=now)
    _note(caller, resident_id, subject, now)
    return SignedIn(subject, level)


def arrived(caller: Caller, resident_id: int, level: int, *, now: datetime) -> SignedIn:
    """Return what an application of production calls a resident who comes, and remember that they came."""
    subject = identity.subject_for(resident_id, identity.body_audience(caller.body_id))
    _note(caller, resident_id, subject, now)
    return SignedIn(subject, level)


def sample_arrived(caller: Caller, number: int, *, now: datetime) -> tuple[int, SignedIn]:
    """Return one of the sandbox's made-up people and what the application calls them."""
    resident_id = _sample(caller, number).resident_id
    subject = _known(caller, resident_id) or secrets.token_hex(32)
    _note(caller, resident_id, subject, now)
    return resident_id, SignedIn(subject, SAMPLE_LEVEL)


def resident_of(caller: Caller, subject: str) -> int:
    """Return who ``subject`` is.

    Raises:
        SubjectUnknown: nobody has signed in to this application under that name.
    """
    found = known_resident(caller.id, caller.stage, subject)
    if found is None:
        raise SubjectUnknown
    return found


def known_resident(app_id: int, stage: Stage, subject: str) -> int | None:
    """Return whom an application knows under a name; None when nobody."""
    query = select(Subject.resident_id).where(
        Subject.app_id == app_id, Subject.stage == stage, Subject.subject == subject
    )
    return db.session().scalar(query)


def subject_of(app_id: int, stage: Stage, resident_id: int) -> str:
    """Return under which name an application knows a person; ``""`` when it does not."""
    query = select(Subject.subject).where(
        Subject.app_id == app_id, Subject.stage == stage, Subject.resident_id == resident_id
    )
    return db.session().scalar(query) or ""


def _known(caller: Caller, resident_id: int) -> str:
    return subject_of(caller.id, caller.stage, resident_id)


def _note(caller: Caller, resident_id: int, subject: str, now: datetime) -> None:
    seen = (
        update(Subject)
        .where(Subject.app_id == caller.id, Subject.stage == caller.stage, Subject.subject == subject)
        .values(seen_at=now)
        .execution_options(synchronize_session=False)
    )
    if db.writing().execute(seen).rowcount == 0:  # type: ignore[attr-defined]
        db.writing().execute(
            db.insert_ignoring(Subject),
            {
                "id": new_id(),
                "app_id": caller.id,
                "stage": caller.stage,
                "subject": subject,
                "resident_id": resident_id,
                "seen_at": now,
            },
        )


def _sample(caller: Caller, number: int) -> SampleResident:
    query = (
        select(SampleResident)
        .where(SampleResident.app_id == caller.id, SampleResident.number == number)
        .with_for_update()
    )
    row = db.writing().scalar(query)
    if row is None:
        made = {"resident_id": new_id(), "app_id": caller.id, "number": number}
        db.writing().execute(db.insert_ignoring(SampleResident), made)
        row = db.writing().scalars(query).one()
    return row


def _redeem_sample(caller: Caller, ticket: str, now: datetime) -> int:
    digest = vault.hash_secret(ticket)
    query = select(SampleResident.resident_id).where(
        SampleResident.app_id == caller.id, SampleResident.ticket_digest == digest
    )
    resident_id = db.writing().scalar(query)
    taken = db.writing().execute(
        update(SampleResident)
        .where(
            SampleResident.app_id == caller.id,
            SampleResident.ticket_digest == digest,
            SampleResident.ticket_until > now,
        )
        .values(ticket_digest=None)
        .execution_options(synchronize_session=False)
    )
    if resident_id is None or taken.rowcount != 1:  # type: ignore[attr-defined]
        raise identity.TicketRefused
    return resident_id
