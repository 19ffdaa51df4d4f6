"""Bringing messages into a case: one after the other, each at most once, none before its time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.applications import service as applications
from app.applications.service import Channel, Event, MoveNotAllowed, State, Who
from app.catalogue import service as catalogue
from app.core import audit, db
from app.core.clock import day_of
from app.core.errors import DomainError
from app.exchange import cases, storing
from app.exchange.domain import Gap, Kind, MessageEvent, MessageState, message_after
from app.exchange.effects import plan, substance
from app.exchange.models import ExchangeCase, ExchangeMessage, ExchangeSystem
from app.identity import service as identity
from app.identity.service import IdKind
from app.third_parties.service import Stage
from config.exchange import standard

WAITING = (MessageState.VALID, MessageState.QUARANTINED)
SETTLED = (MessageState.APPLIED, MessageState.DEAD)
PERSON = "1"
NEEDS_PEOPLE = "correction_needs_people"
GAP = "gap"
FORGOTTEN = "办件的个人信息保存期已满，报文内容已删除"


@dataclass(frozen=True, slots=True)
class Settling:
    """A case whose messages are being applied."""

    system: ExchangeSystem
    case: ExchangeCase
    now: datetime

    @property
    def actor(self) -> str:
        return actor_of(self.system)


def actor_of(system: ExchangeSystem) -> str:
    """Return the name of a system for the trail."""
    return f"exchange:{system.id}"


def settle(system: ExchangeSystem, case: ExchangeCase, *, now: datetime) -> None:
    """Apply what can be applied of a locked case, in order; say of the rest what it waits for.

    The number of a message is its place in the case. Several kinds may share one: then the order of
    the standard's life of a case counts. What people closed holds nobody up.
    """
    rows = messages_of(case.id)
    settling = Settling(system, case, now)
    waiting = [row for row in rows if row.state in WAITING]
    for row in [one for one in waiting if one.corrects]:
        _correct(settling, row, rows)
    pending = sorted((one for one in waiting if not one.corrects), key=place_of)
    done = {row.seq for row in rows if row.state in SETTLED}
    while pending:
        first = pending[0]
        because = _missing_before(first, done) or _tried(settling, first)
        if because:
            _hold(first, because)
            for later in pending[1:]:
                _hold(later, f"等待第 {first.seq} 号报文入账")
            break
        done.add(first.seq)
        pending.pop(0)
    db.writing().flush()


def waiting_cases(system_id: int) -> list[int]:
    """Return the ids of a system's cases with messages that wait."""
    query = select(ExchangeMessage.case_id).where(
        ExchangeMessage.system_id == system_id, ExchangeMessage.state == MessageState.QUARANTINED
    )
    return list(db.session().scalars(query.distinct().order_by(ExchangeMessage.case_id)))


def settle_again(case_id: int, *, now: datetime) -> None:
    """Try again what waits in a case, after something besides its messages changed."""
    case = db.writing().get_one(ExchangeCase, case_id, with_for_update=True)
    settle(db.writing().get_one(ExchangeSystem, case.system_id), case, now=now)


def forget_case(application_id: int) -> None:
    """Forget the bodies of a case's messages; what still waits is closed, nobody can mend it any more."""
    query = select(ExchangeCase).where(ExchangeCase.application_id == application_id).with_for_update()
    for case in db.writing().scalars(query):
        for row in messages_of(case.id):
            if row.state in (*WAITING, MessageState.REJECTED):
                refused = row.state is MessageState.REJECTED
                event = MessageEvent.GIVE_UP if refused else MessageEvent.TIMEOUT
                move(row, event, actor="system", reason=FORGOTTEN)
                row.reason = FORGOTTEN
            storing.forget(row.body)
            row.body = []
    db.writing().flush()


def messages_of(case_id: int) -> list[ExchangeMessage]:
    """Return the messages of a case, in no order; inside a transaction as they are there."""
    return list(db.session().scalars(select(ExchangeMessage).where(ExchangeMessage.case_id == case_id)))


def place_of(row: ExchangeMessage) -> tuple[int, int]:
    """Return the place of a message in its case."""
    return row.seq, standard().messages[row.kind].order


def move(row: ExchangeMessage, event: MessageEvent, *, actor: str, **detail: Any) -> None:
    """Move a message, and write down that it moved.

    Raises:
        Conflict: the table has no such move.
    """
    before, row.state = row.state, message_after(row.state, event)
    row.version += 1
    said = {"from": before.value, "to": row.state.value, "data_version": row.data_version, **detail}
    audit.record(actor, f"exchange_message.{event}", "exchange_message", row.id, said)


def _missing_before(row: ExchangeMessage, done: set[int]) -> str:
    gap = next((number for number in range(1, row.seq) if number not in done), None)
    return f"缺少第 {gap} 号报文" if gap is not None else ""


def _hold(row: ExchangeMessage, because: str, code: str = GAP) -> None:
    row.findings = [{"field": "", "name": "", "code": code, "text": because}]


def _tried(settling: Settling, row: ExchangeMessage) -> str:
    """Apply one message whole or not at all; return what kept it from being applied, ``""`` for nothing."""
    because = attempt(lambda: _apply(settling, row))
    if not because:
        _note_applied(settling, row)
    return because


def attempt(work: Callable[[], None]) -> str:
    """Run ``work`` whole or not at all inside the running transaction; return why not, ``""`` when done."""
    lines: list[Any] = db.writing().info.setdefault("audit", [])
    kept = len(lines)
    try:
        with db.writing().begin_nested():
            work()
    except Gap as gap:
        because = str(gap)
    except DomainError as error:
        told = "；".join(str(text) for texts in error.fields.values() for text in texts)
        because = told or str(error)
    else:
        return ""
    del lines[kept:]  # nothing of it happened
    return because


def _note_applied(settling: Settling, row: ExchangeMessage) -> None:
    held = row.state is MessageState.QUARANTINED
    event = MessageEvent.GAP_FILLED if held else MessageEvent.APPLY
    move(row, event, actor=settling.actor, kind=Kind(row.kind).name, seq=row.seq)
    row.findings, row.applied_at = [], settling.now
    if row.business_at is not None:
        row.lag_seconds = max(0, int((settling.now - row.business_at).total_seconds()))


def _correct(settling: Settling, row: ExchangeMessage, rows: Sequence[ExchangeMessage]) -> None:
    """Take a higher version of what was applied, unless it changes what others built on since."""
    before = [
        one
        for one in rows
        if (one.kind, one.seq) == (row.kind, row.seq) and one.state is MessageState.APPLIED
    ]
    kind = Kind(row.kind)
    newest = max(before, key=lambda one: one.data_version)
    # Without the older body nobody can tell what changed: see forget_case.
    compared = (newest, row) if newest.body else ()
    said = {substance(kind, storing.opened(one.body), settling.system.results) for one in compared}
    if len(said) == 1:
        _note_applied(settling, row)
    else:
        _hold(
            row, "更正改变了已经入账并告知申请人的内容，不能自动更正，请按办件页核对后人工处理", NEEDS_PEOPLE
        )


def _apply(settling: Settling, row: ExchangeMessage) -> None:
    kind, body = Kind(row.kind), storing.opened(row.body)
    if settling.case.stage is Stage.SANDBOX:
        _pretend(settling, kind, body)
        return
    if settling.case.application_id is None:
        if kind is not Kind.SB:
            raise Gap("还没有申办，应先有申办报文")
        settling.case.application_id = _taken_in(settling, row, body)
    facts = applications.facts_of(settling.case.application_id)
    at = _business_time(row, facts.moved_at) or settling.now
    for do in plan(kind, body, facts, settling.system.results):
        applications.step_by_system(
            facts.id,
            do.event,
            do.told,
            actor=settling.actor,
            body_id=settling.system.body_id,
            at=at,
            now=settling.now,
        )


def _business_time(row: ExchangeMessage, moved_at: datetime) -> datetime | None:
    """Return when it happened; where the standard knows the day only, after what came before on it."""
    spec, at = standard().messages[row.kind], row.business_at
    only_day = spec.fields[spec.at].kind == "day"
    if at is not None and only_day and day_of(at) == day_of(moved_at):
        return max(at, moved_at)
    return at


def _taken_in(settling: Settling, row: ExchangeMessage, body: dict[str, Any]) -> int:
    item_id = catalogue.item_by_code(body["SXBM"], settling.system.body_id)
    if item_id is None:
        raise Gap("事项已停止办理或已取消")
    name, kind, number = body["SQRMC"], body["SQRZJLX"], body["SQRZJHM"]
    if body["SQRLX"] != PERSON:
        name, kind, number = body["LXRXM"], body["LXRZJLX"], body["LXRSFZJHM"]
    applicant = identity.applicant_for(IdKind(kind), number, name, now=settling.now)
    return applications.take_in(
        applicant,
        item_id,
        channel=Channel(body.get("WSSBQD") or Channel.OTHER),
        received_at=row.business_at or settling.now,
        actor=settling.actor,
        now=settling.now,
    )


def _pretend(settling: Settling, kind: Kind, body: dict[str, Any]) -> None:
    """Move a case of the test environment, by the same machine."""
    case = settling.case
    if case.state is None:
        if kind is not Kind.SB:
            raise Gap("还没有申办，应先有申办报文")
        case.state = State.SUBMITTED
    facts = cases.facts_of(case, body["SXBM"])
    assert facts is not None
    for do in plan(kind, body, facts, settling.system.results):
        case.state = _state_after(case.state, do.event)
        case.step += do.event is Event.STEP_PASS


def _state_after(state: State, event: Event) -> State:
    for who in (Who.DEPARTMENT, Who.SUPERVISOR, Who.RESIDENT):
        if event in applications.events_from(state, who):
            return applications.move(state, event, who).to
    raise MoveNotAllowed(f"办件处于“{applications.STATE_LABELS[state]}”，不能这样办理")
