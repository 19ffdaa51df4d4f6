"""The department's own repair: what waits, what was refused, what nobody took over, and mending it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, select

from app.applications import service as applications
from app.core import audit, db, hearing
from app.core.errors import Invalid, NotFound, Stale
from app.exchange import cases, storing, systems
from app.exchange.applying import move, settle
from app.exchange.domain import (
    QUARANTINE_LIFE,
    QUEUE_SHOWN,
    REASON_MAX,
    Kind,
    MessageEvent,
    MessageState,
    OutState,
)
from app.exchange.models import ExchangeCase, ExchangeMessage, ExchangeOut, ExchangeSystem
from app.exchange.outbound import HELD
from app.exchange.receiving import Given, Receipt, receive
from app.organisations.service import Principal
from app.third_parties.service import Stage
from config.exchange import standard

NEEDS_CARE = (MessageState.QUARANTINED, MessageState.REJECTED)
STARS = "***"


@dataclass(frozen=True, slots=True)
class MessageLine:
    """A message as the repair queue shows it.

    Attributes:
        overdue: it has waited longer than messages should.
    """

    id: int
    system_id: int
    system_name: str
    stage: Stage
    kind: Kind
    name: str
    seq: int
    data_version: int
    state: MessageState
    sblsh: str
    application_id: int | None
    findings: Sequence[Mapping[str, str]]
    business_at: datetime | None
    received_at: datetime
    applied_at: datetime | None
    overdue: bool
    reason: str
    version: int


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One field of a held message; a personal one is starred, and so is what a list says of people."""

    code: str
    name: str
    value: str
    required: bool
    personal: bool
    is_list: bool
    codes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OutLine:
    """A message to a department as staff see it."""

    id: int
    system_id: int
    system_name: str
    number: int
    event: str
    kind: Kind | None
    state: OutState
    attempts: int
    error: str
    sblsh: str
    application_id: int | None
    created_at: datetime
    due_at: datetime | None


def queue(
    by: Principal, *, system_id: int | None = None, state: MessageState | None = None, stage: Stage
) -> list[MessageLine]:
    """Return the messages that need care in the scope of ``by``, those that wait longest first."""
    wanted = (state,) if state in NEEDS_CARE else NEEDS_CARE
    query = (
        select(ExchangeMessage, ExchangeSystem)
        .join(ExchangeSystem, ExchangeSystem.id == ExchangeMessage.system_id)
        .where(systems.visible(by), ExchangeMessage.state.in_(wanted), ExchangeMessage.stage == stage)
        .order_by(ExchangeMessage.received_at, ExchangeMessage.id)
        .limit(QUEUE_SHOWN)
    )
    if system_id is not None:
        query = query.where(ExchangeMessage.system_id == system_id)
    return [_line(row, system) for row, system in db.session().execute(query)]


def undelivered(by: Principal, *, system_id: int | None = None) -> list[OutLine]:
    """Return what systems in the scope of ``by`` were told in vain, and what is on its way there."""
    dead_first = case((ExchangeOut.state == OutState.DEAD, 0), else_=1)
    query = (
        select(ExchangeOut, ExchangeSystem)
        .join(ExchangeSystem, ExchangeSystem.id == ExchangeOut.system_id)
        .where(
            systems.visible(by),
            ExchangeOut.state != OutState.ACKNOWLEDGED,
            ExchangeOut.stage == Stage.PRODUCTION,
        )
        .order_by(dead_first, ExchangeOut.created_at, ExchangeOut.id)
        .limit(QUEUE_SHOWN)
    )
    if system_id is not None:
        query = query.where(ExchangeOut.system_id == system_id)
    return [_out_line(row, system) for row, system in db.session().execute(query)]


def message(by: Principal, message_id: int) -> tuple[MessageLine, list[FieldValue]]:
    """Return a message with its fields; that it was opened is written down.

    Raises:
        NotFound: no such message in the scope of ``by``.
    """
    row, system = _load(by, message_id)
    if not row.body:
        return _line(row, system), []
    body, spec = storing.opened(row.body), standard().messages[row.kind]
    fields = [
        FieldValue(
            code=code,
            name=field.name,
            value=_shown(body.get(code), personal=field.personal),
            required=code in spec.required,
            personal=field.personal,
            is_list=field.kind == "materials",
            codes=field.codes,
        )
        for code, field in spec.fields.items()
    ]
    return _line(row, system), fields


def resend(
    by: Principal, message_id: int, changed: Mapping[str, Any], *, version: int, now: datetime
) -> Receipt:
    """Send a held or refused message again with changes, under the next data version.

    Args:
        changed: by field, what to say now; ``""`` leaves the field out, fields not named stay.

    Raises:
        NotFound: no such message in the scope of ``by``.
        Stale: it moved on meanwhile.
        Conflict: it needs no care.
    """
    row, system = _load(by, message_id)
    if row.version != version or row.state not in NEEDS_CARE:
        raise Stale
    found = db.writing().get_one(ExchangeCase, row.case_id)
    body = {**storing.opened(row.body), **changed}
    newest = max(
        one
        for one in db.writing().scalars(
            select(ExchangeMessage.data_version).where(
                ExchangeMessage.case_id == row.case_id,
                ExchangeMessage.kind == row.kind,
                ExchangeMessage.seq == row.seq,
            )
        )
    )
    data_version = newest + 1
    said = {code: value for code, value in body.items() if value != ""} | {"SJBBH": str(data_version)}
    audit.record(
        by.actor,
        "exchange_message.mend",
        "exchange_message",
        row.id,
        {"fields": sorted(changed), "data_version": data_version},
    )
    given = Given(_number_in(said, found), Kind(row.kind), row.seq, data_version, said)
    return receive(system, row.stage, given, now=now)


def close(by: Principal, message_id: int, reason: str, *, version: int, now: datetime) -> None:
    """Close a message that will not be applied; what waited for it goes on.

    Raises:
        NotFound: no such message in the scope of ``by``.
        Invalid: no reason is given.
        Stale: it moved on meanwhile.
    """
    row, system = _load(by, message_id)
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_MAX:
        raise Invalid("请填写理由", fields={"reason": [f"1 至 {REASON_MAX} 个字"]})
    found = db.writing().get_one(ExchangeCase, row.case_id, with_for_update=True)
    db.writing().refresh(row)
    if row.version != version or row.state not in NEEDS_CARE:
        raise Stale
    event = MessageEvent.GIVE_UP if row.state is MessageState.REJECTED else MessageEvent.TIMEOUT
    move(row, event, actor=by.actor, reason=reason)
    row.reason = reason
    db.writing().flush()
    settle(system, found, now=now)


def of_case(by: Principal, application_id: int) -> tuple[list[MessageLine], list[OutLine]]:
    """Return the whole traffic about a case of the hall, in both directions, in order.

    Raises:
        NotFound: no system in the scope of ``by`` knows the case.
    """
    known = (
        select(ExchangeCase.id)
        .join(ExchangeSystem, ExchangeSystem.id == ExchangeCase.system_id)
        .where(systems.visible(by), ExchangeCase.application_id == application_id)
    )
    if db.session().scalar(known.limit(1)) is None:
        raise NotFound("没有这个办件的往来报文")
    inbound = (
        select(ExchangeMessage, ExchangeSystem)
        .join(ExchangeSystem, ExchangeSystem.id == ExchangeMessage.system_id)
        .join(ExchangeCase, ExchangeCase.id == ExchangeMessage.case_id)
        .where(systems.visible(by), ExchangeCase.application_id == application_id)
        .order_by(ExchangeMessage.seq, ExchangeMessage.data_version, ExchangeMessage.id)
    )
    outbound = (
        select(ExchangeOut, ExchangeSystem)
        .join(ExchangeSystem, ExchangeSystem.id == ExchangeOut.system_id)
        .join(ExchangeCase, ExchangeCase.id == ExchangeOut.case_id)
        .where(systems.visible(by), ExchangeCase.application_id == application_id)
        .order_by(ExchangeOut.number)
    )
    return (
        [_line(row, system) for row, system in db.session().execute(inbound)],
        [_out_line(row, system) for row, system in db.session().execute(outbound)],
    )


def notes_of(application_id: int) -> list[str]:
    """Return what staff of the desk should know of a case's traffic; nothing when all is well."""
    found = []
    dead = select(ExchangeOut.id).join(ExchangeCase, ExchangeCase.id == ExchangeOut.case_id)
    if db.session().scalar(
        dead.where(ExchangeCase.application_id == application_id, ExchangeOut.state == OutState.DEAD).limit(1)
    ):
        found.append("分发失败：部门业务系统没有收到这个办件的报文")
    held = select(ExchangeMessage.id).join(ExchangeCase, ExchangeCase.id == ExchangeMessage.case_id)
    if db.session().scalar(
        held.where(
            ExchangeCase.application_id == application_id, ExchangeMessage.state.in_(NEEDS_CARE)
        ).limit(1)
    ):
        found.append("部门业务系统发来的报文待处理")
    return found


def tell_of_waiting(*, now: datetime) -> int:
    """Let owners know, once each, of messages that have waited too long; return how many systems."""
    query = select(ExchangeMessage).where(
        ExchangeMessage.state == MessageState.QUARANTINED,
        ExchangeMessage.received_at < now - QUARANTINE_LIFE,
        ExchangeMessage.told_at.is_(None),
        ExchangeMessage.stage == Stage.PRODUCTION,
    )
    rows = list(db.writing().scalars(query.limit(500)))
    for row in rows:
        row.told_at = now
    found = {row.system_id for row in rows}
    for system_id in found:
        system = db.writing().get_one(ExchangeSystem, system_id)
        said = {
            "body_id": str(system.body_id),
            "system_id": str(system.id),
            "system_name": system.name,
            "what": "in",
            "at": now.isoformat(),
        }
        hearing.tell(HELD, said, dedup_key=f"in:{system_id}:{int(now.timestamp())}")
    return len(found)


def _load(by: Principal, message_id: int) -> tuple[ExchangeMessage, ExchangeSystem]:
    query = (
        select(ExchangeMessage, ExchangeSystem)
        .join(ExchangeSystem, ExchangeSystem.id == ExchangeMessage.system_id)
        .where(ExchangeMessage.id == message_id, systems.visible(by))
    )
    found = db.session().execute(query).first()
    if found is None:
        raise NotFound("没有这条报文")
    return found[0], found[1]


def _shown(value: Any, *, personal: bool) -> str:
    if value in (None, ""):
        return ""
    if isinstance(value, str):
        return STARS if personal else value
    return json.dumps(value, ensure_ascii=False)


def _number_in(said: Mapping[str, Any], found: ExchangeCase) -> str:
    """Return the number of the case that a message says, the case's own where it says another's."""
    known = cases.numbers_of(found.id)
    if found.application_id is not None:
        known.append(applications.facts_of(found.application_id).number)
    return next((one for one in known if one == said.get("SBLSH")), known[0])


def _own_number(found: ExchangeCase) -> str:
    return cases.numbers_of(found.id)[0]


def _line(row: ExchangeMessage, system: ExchangeSystem) -> MessageLine:
    found = db.session().get_one(ExchangeCase, row.case_id)
    return MessageLine(
        id=row.id,
        system_id=system.id,
        system_name=system.name,
        stage=row.stage,
        kind=Kind(row.kind),
        name=standard().messages[row.kind].name,
        seq=row.seq,
        data_version=row.data_version,
        state=row.state,
        sblsh=_own_number(found),
        application_id=found.application_id,
        findings=row.findings,
        business_at=row.business_at,
        received_at=row.received_at,
        applied_at=row.applied_at,
        overdue=row.told_at is not None,
        reason=row.reason,
        version=row.version,
    )


def _out_line(row: ExchangeOut, system: ExchangeSystem) -> OutLine:
    found = db.session().get_one(ExchangeCase, row.case_id)
    return OutLine(
        id=row.id,
        system_id=system.id,
        system_name=system.name,
        number=row.number,
        event=row.event,
        kind=Kind(row.kind) if row.kind is not None else None,
        state=row.state,
        attempts=row.attempts,
        error=row.error,
        sblsh=_own_number(found),
        application_id=found.application_id,
        created_at=row.created_at,
        due_at=row.due_at,
    )
