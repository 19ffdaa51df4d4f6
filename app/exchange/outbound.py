"""Handing the hall's own events over to departments' systems (分发): one inbox each, and a ladder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from app.applications import service as applications
from app.applications.service import HandedIn
from app.core import audit, db, hearing, outbox
from app.core.clock import HALL_TIME
from app.core.errors import NotFound
from app.exchange import cases, systems
from app.exchange.applying import actor_of, settle
from app.exchange.domain import (
    LADDER,
    Kind,
    OutEvent,
    OutState,
    SystemState,
    next_try,
    out_after,
)
from app.exchange.models import ExchangeCase, ExchangeOut, ExchangeSystem
from app.organisations.service import Principal
from app.third_parties import service as third_parties
from app.third_parties.service import EventKind, Stage

HAND_OVER_JOB = "exchange.hand-over"
HELD = "exchange.held"
"""Heard by alerts: ``body_id``, ``system_id``, ``system_name``, ``what`` (in, out), ``at``."""
PREFIX = "exc_"
TEST_FORM = {"测试": "联调测试报文，没有真实办件"}
FIRST, PERSON, CITIZEN = "1", "1", "1"


@dataclass(frozen=True, slots=True)
class OutView:
    """A message as a system takes it from its inbox.

    Attributes:
        number: place in the inbox; ask for what comes after the last one.
        kind: SPTYPE; None for what the standard has no message for, e.g. a withdrawal.
        body: field codes of the standard, and ``answers``: the form by its labels.
    """

    number: int
    kind: int | None
    code: str
    event: str
    sblsh: str
    numbers: list[str]
    state: OutState
    created_at: datetime
    body: Mapping[str, Any]


def tell_system(application_id: int, step: int, *, now: datetime) -> None:
    """Put a step of a case into the inbox of the system that handles it, unless the system took it itself.

    A department's message that waited for this step is applied with it.
    """
    facts = applications.facts_of(application_id)
    system = systems.handling(facts.body_id, facts.item_code)
    if system is None:
        return
    case = cases.case_of(system, application_id, facts.number, now)
    if applications.step_taken(application_id, step).actor == actor_of(system):
        return
    # The case before the system, as for messages that come in: who waits for whom stays the same.
    locked = db.writing().get_one(ExchangeCase, case.id, with_for_update=True)
    settle(system, locked, now=now)
    # Whichever step is told of first: those before it that the inbox lacks go in before it.
    for number in range(_last_told(case) + 1, step + 1):
        taken = applications.step_taken(application_id, number)
        if taken.actor == actor_of(system):
            continue
        code = applications.MESSAGES.get(taken.event, "")
        put(
            system,
            case,
            taken.event.value,
            Kind[code] if code else None,
            step=number,
            happening=f"{system.id}:{application_id}:{number}",
            now=now,
        )


def _last_told(case: ExchangeCase) -> int:
    """Return the last step of a locked case that lies in its system's inbox; 0 for none."""
    query = select(func.max(ExchangeOut.step)).where(ExchangeOut.case_id == case.id)
    return db.writing().scalar(query) or 0


def catch_up(system_id: int, *, now: datetime, after: int = 0) -> int | None:
    """Put open cases from before a system went live into its inbox; return where to go on."""
    system = db.writing().get_one(ExchangeSystem, system_id)
    found = applications.open_cases(system.body_id, after=after)
    for application_id in found:
        facts = applications.facts_of(application_id)
        own = applications.step_taken(application_id, 1).actor == actor_of(system)
        if cases.handles(system, facts) and not own:
            case = cases.case_of(system, application_id, facts.number, now)
            happening = f"{system.id}:{application_id}:1"
            put(system, case, "submit", Kind.SB, step=1, happening=happening, now=now)
    return found[-1] if found else None


def put(
    system: ExchangeSystem,
    case: ExchangeCase,
    event: str,
    kind: Kind | None,
    *,
    step: int | None,
    happening: str,
    now: datetime,
) -> None:
    """Put a message into a system's inbox in the running transaction; once per ``happening``."""
    query = select(ExchangeSystem).where(ExchangeSystem.id == system.id).with_for_update()
    # Numbers are given while the row is held: who has seen one has seen all before it.
    locked = db.writing().scalars(query.execution_options(populate_existing=True)).one()
    known = select(ExchangeOut.id).where(ExchangeOut.happening == happening)
    if db.writing().scalar(known) is not None:
        return
    number = locked.sent_count.get(case.stage.value, 0) + 1
    locked.sent_count = {**locked.sent_count, case.stage.value: number}
    row = ExchangeOut(
        system_id=system.id,
        stage=case.stage,
        number=number,
        case_id=case.id,
        kind=int(kind) if kind is not None else None,
        event=event,
        step=step,
        state=OutState.QUEUED,
        attempts=0,
        error="",
        happening=happening,
        due_at=now,
        created_at=now,
    )
    db.writing().add(row)
    db.writing().flush()
    outbox.enqueue(HAND_OVER_JOB, {"out_id": str(row.id)}, dedup_key=f"{HAND_OVER_JOB}:{row.id}:0")


def due(now: datetime, *, limit: int = 200) -> list[int]:
    """Return the messages that must be handed over now, or were not acknowledged in time."""
    query = (
        select(ExchangeOut.id)
        .join(ExchangeSystem, ExchangeSystem.id == ExchangeOut.system_id)
        .where(
            ExchangeOut.state.in_((OutState.QUEUED, OutState.SENT, OutState.RETRY)),
            ExchangeOut.due_at <= now,
            (ExchangeSystem.state == SystemState.LIVE) | (ExchangeOut.stage == Stage.SANDBOX),
        )
        .order_by(ExchangeOut.due_at)
        .limit(limit)
    )
    return list(db.session().scalars(query))


def hand_over(out_id: int, *, now: datetime) -> None:
    """Hand a message over if it is due: ready in the inbox, and pushed where there is a webhook."""
    row = _locked(out_id)
    if row.due_at is None or row.due_at > now:
        return
    system = db.writing().get_one(ExchangeSystem, row.system_id)
    if row.stage is Stage.PRODUCTION and system.state is not SystemState.LIVE:
        return  # stays in the inbox until the system goes on
    if row.state is OutState.SENT:
        _move(row, OutEvent.TIMEOUT_OR_5XX)
        row.error = row.error or "no_ack"
    if row.state is OutState.RETRY and row.attempts > len(LADDER):
        _give_up(row, system, OutEvent.LADDER_END, now)
        return
    _send(row, now)
    said = {"number": row.number, "event": row.event, "sptype": row.kind, "system": system.code}
    third_parties.push(
        EventKind.EXCHANGE_MESSAGE,
        said,
        app_id=system.app_id,
        stage=row.stage,
        reference=f"{PREFIX}{row.id}",
        attempt=row.attempts,
        now=now,
    )


def note_push(reference: str, attempt: int, outcome: str, error: str, *, now: datetime) -> None:
    """Take note of how a push went; one that was taken still waits to be acknowledged."""
    if not reference.startswith(PREFIX):
        return
    row = _locked(int(reference.removeprefix(PREFIX)))
    if row.state is not OutState.SENT or row.attempts != attempt:
        return
    row.error = error[:80]
    if outcome == "refused":
        system = db.writing().get_one(ExchangeSystem, row.system_id)
        _give_up(row, system, OutEvent.REFUSE_4XX, now)
    elif outcome == "failed":
        _move(row, OutEvent.TIMEOUT_OR_5XX)
        if row.attempts > len(LADDER):
            system = db.writing().get_one(ExchangeSystem, row.system_id)
            _give_up(row, system, OutEvent.LADDER_END, now)
    db.writing().flush()


def pull(
    system: ExchangeSystem, stage: Stage, *, after: int, limit: int, actor: str, now: datetime
) -> list[OutView]:
    """Return what lies in a system's inbox after a number, in order; taken so, it counts as handed over."""
    query = (
        select(ExchangeOut)
        .where(ExchangeOut.system_id == system.id, ExchangeOut.stage == stage, ExchangeOut.number > after)
        .order_by(ExchangeOut.number)
        .limit(limit)
        .with_for_update()
    )
    found = []
    for row in db.writing().scalars(query):
        if row.state in (OutState.QUEUED, OutState.RETRY):
            _send(row, now)
        found.append(_view(row, system, actor, now))
        row.pulled_at = row.pulled_at or now
    db.writing().flush()
    return found


def acknowledge(
    system: ExchangeSystem, stage: Stage, taken: Mapping[int, str], *, now: datetime
) -> dict[int, OutState | None]:
    """Note what a system has taken over; return the state of each, None for a number it was never sent.

    Args:
        taken: by number, the system's own SBLSH of the case, ``""`` for none.

    Raises:
        NotFound: an SBLSH is another case's.
    """
    query = (
        select(ExchangeOut)
        .where(
            ExchangeOut.system_id == system.id,
            ExchangeOut.stage == stage,
            ExchangeOut.number.in_(list(taken)),
        )
        .order_by(ExchangeOut.number)
        .with_for_update()
    )
    found: dict[int, OutState | None] = dict.fromkeys(taken)
    for row in db.writing().scalars(query):
        if row.state in (OutState.QUEUED, OutState.RETRY):
            _send(row, now)
        if row.state is OutState.SENT:
            _move(row, OutEvent.ACK)
            row.acknowledged_at, row.due_at, row.error = now, None, ""
        if taken[row.number]:
            _name(system, row, taken[row.number], now)
        found[row.number] = row.state
    db.writing().flush()
    return found


def requeue(by: Principal, out_id: int, *, now: datetime) -> None:
    """Send a dead message again, from the foot of the ladder.

    Raises:
        NotFound: no such message in the scope of ``by``.
        Conflict: it is not dead.
    """
    row = _locked(out_id)
    systems.load(by, row.system_id)
    _move(row, OutEvent.REQUEUE)
    row.attempts, row.error, row.due_at = 0, "", now
    audit.record(by.actor, "exchange_out.requeue", "exchange_out", row.id, {"number": row.number})
    outbox.enqueue(HAND_OVER_JOB, {"out_id": str(row.id)})
    db.writing().flush()


def _send(row: ExchangeOut, now: datetime) -> None:
    _move(row, OutEvent.SEND if row.state is OutState.QUEUED else OutEvent.DUE)
    row.attempts += 1
    row.sent_at = now
    # The wait for an acknowledgement and the wait before the next try are one.
    row.due_at = next_try(row.attempts, now) or now + LADDER[-1]
    db.writing().flush()


def _give_up(row: ExchangeOut, system: ExchangeSystem, event: OutEvent, now: datetime) -> None:
    _move(row, event)
    row.due_at = None
    audit.record("system", f"exchange_out.{event}", "exchange_out", row.id, {"error": row.error})
    if row.stage is Stage.PRODUCTION:
        said = {
            "body_id": str(system.body_id),
            "system_id": str(system.id),
            "system_name": system.name,
            "what": "out",
            "at": now.isoformat(),
        }
        hearing.tell(HELD, said, dedup_key=f"out:{row.id}:{int(now.timestamp())}")
    db.writing().flush()


def _move(row: ExchangeOut, event: OutEvent) -> None:
    row.state = out_after(row.state, event)


def _locked(out_id: int) -> ExchangeOut:
    row = db.writing().get(ExchangeOut, out_id, with_for_update=True)
    if row is None:
        raise NotFound("没有这条报文")
    return row


def _name(system: ExchangeSystem, row: ExchangeOut, number: str, now: datetime) -> None:
    case = db.writing().get_one(ExchangeCase, row.case_id)
    known = cases.by_number(system, case.stage, cases.SBLSH, number)
    if known is None and not applications.is_number(number):
        cases.name_case(case, cases.SBLSH, number)
    elif known != case.id:
        raise NotFound(f"申办流水号已用于另一个办件（第 {row.number} 条）")


def _view(row: ExchangeOut, system: ExchangeSystem, actor: str, now: datetime) -> OutView:
    numbers = cases.numbers_of(row.case_id)
    kind = Kind(row.kind) if row.kind is not None else None
    case = db.writing().get_one(ExchangeCase, row.case_id)
    body: dict[str, Any] = {"SBLSH": numbers[0], "SJBBH": FIRST}
    if case.application_id is None or row.step is None:
        body |= {"answers": TEST_FORM}
    else:
        body |= _body(row, case.application_id, kind, system, actor, now)
    return OutView(
        number=row.number,
        kind=row.kind,
        code=kind.name if kind is not None else "",
        event=row.event,
        sblsh=numbers[0],
        numbers=numbers,
        state=row.state,
        created_at=row.created_at,
        body=body,
    )


def _body(
    row: ExchangeOut,
    application_id: int,
    kind: Kind | None,
    system: ExchangeSystem,
    actor: str,
    now: datetime,
) -> dict[str, Any]:
    facts = applications.facts_of(application_id)
    told = applications.step_taken(application_id, row.step or 1)
    body: dict[str, Any] = {
        "SXBM": facts.item_code,
        "SXMC": facts.item_name,
        "XZQHDM": facts.region_code,
        "BZ": told.text,
    }
    if kind not in (Kind.SB, Kind.BJSL):
        return body
    handed = applications.hand_over(
        application_id,
        body_id=system.body_id,
        actor=actor,
        by=system.name,
        first=row.pulled_at is None,
        now=now,
    )
    body |= {"answers": handed.answers}
    field = "SBCLQD" if kind is Kind.SB else "BZCLQD"
    body[field] = list(_materials(handed))
    if kind is Kind.BJSL:
        return body | {"BZSJ": _moment(told.at)}
    return body | {
        "SQRLX": PERSON,
        "SQRMC": handed.name,
        "SQRZJLX": CITIZEN,
        "SQRZJHM": handed.id_number,
        "LXRSJ": handed.phone,
        "SBSJ": _moment(handed.submitted_at),
        "WSSBQD": handed.channel.value,
    }


def _materials(handed: HandedIn) -> Iterable[dict[str, str]]:
    for one in handed.materials:
        yield {
            "CLMC": one["name"],
            "STUFF_SEQ": one["code"],
            "WJLX": "0" if one["handing"] == "paper" else "1",
        }


def _moment(at: datetime) -> str:
    return at.astimezone(HALL_TIME).strftime("%Y-%m-%d %H:%M:%S")
