"""Acting for others (授权代办): given by the principal, accepted by the agent, ended by either."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select

from app.core import audit, db, vault
from app.core.clock import day_of
from app.core.errors import Invalid, NotFound
from app.identity import numbers
from app.identity.domain import NAME_FIELD
from app.identity.enterprises import enterprise, represents
from app.identity.models import Resident
from app.identity.people import RealName, accounts_of, number_index, real_name
from app.identity.people_domain import (
    DELEGATION_DAYS_MAX,
    DELEGATION_MOVES,
    OFFER_LIFE,
    OFFERS_MAX,
    SCOPE_MAX,
    DelegationEvent,
    DelegationKind,
    DelegationState,
    IdKind,
    NotAllowedNow,
)
from app.identity.people_models import Delegation, Enterprise
from app.identity.residents import actor_of

RESIDENT, ENTERPRISE = "resident", "enterprise"
_LIVE = (DelegationState.OFFERED, DelegationState.ACTIVE)


@dataclass(frozen=True, slots=True)
class Principal:
    """For whom somebody acts.

    Attributes:
        kind: ``resident`` or ``enterprise``; ``id`` is that of the account or of the enterprise.
        name: for the agent's screen; opened from the vault.
    """

    kind: str
    id: int
    name: str
    delegation_id: int


@dataclass(frozen=True, slots=True)
class DelegationView:
    """A delegation as one of its two sides sees it.

    Attributes:
        principal_name: in full for the agent, who must know for whom they act.
        agent_name: masked; the principal typed it.
        scope: directory ids; empty for every item.
        mine_to_give: the viewer is the principal; else the agent.
    """

    id: int
    kind: DelegationKind
    state: DelegationState
    principal_kind: str
    principal_name: str
    agent_name: str
    scope: tuple[int, ...]
    starts_on: date
    ends_on: date | None
    given_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    ended_by: str
    mine_to_give: bool
    version: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What a principal gives.

    Attributes:
        enterprise_id: the principal is this enterprise; None for the resident.
        scope: directory ids; empty for every item.
    """

    kind: DelegationKind
    agent_kind: IdKind
    agent_number: str
    agent_name: str
    starts_on: date
    ends_on: date
    scope: tuple[int, ...] = ()
    enterprise_id: int | None = None


def acting_for(resident_id: int, *, on: date) -> list[Principal]:
    """Return for whom an account may act on a day, whatever the items."""
    query = select(Delegation).where(_accepted_by(resident_id), *_in_force(on)).order_by(Delegation.given_at)
    found = (_principal(row) for row in db.session().scalars(query))
    return [one for one in found if one is not None]


def may_act(agent_id: int, delegation_id: int, *, directory_id: int, on: date) -> Principal | None:
    """Return for whom an agent acts under a delegation; None when it does not hold for this item that day."""
    query = select(Delegation).where(Delegation.id == delegation_id, _accepted_by(agent_id), *_in_force(on))
    row = db.session().scalar(query)
    if row is None or (row.scope and str(directory_id) not in row.scope):
        return None
    return _principal(row)


def delegations(resident_id: int) -> list[DelegationView]:
    """Return what a resident gave, was offered, and acts under: the newest first, ended ones too."""
    accounts = accounts_of(resident_id)
    given = or_(Delegation.resident_id.in_(accounts), Delegation.enterprise_id.in_(_represented(resident_id)))
    taken: ColumnElement[bool] = Delegation.agent_id.in_(accounts)
    me = real_name(resident_id)
    if me is not None:
        waiting = and_(
            Delegation.agent_index == number_index(me.kind, me.number),
            Delegation.state == DelegationState.OFFERED,
        )
        taken = or_(taken, waiting)
    query = (
        select(Delegation)
        .where(or_(given, taken), Delegation.kind != DelegationKind.LEGAL)
        .order_by(Delegation.given_at.desc(), Delegation.id)
        .limit(200)
    )
    found = []
    for row in db.session().scalars(query):
        side = _side(row, resident_id, accounts, me)
        if side is not None:
            found.append(_view(row, mine_to_give=side))
    return found


def delegation(resident_id: int, delegation_id: int) -> DelegationView:
    """Return one delegation as one of its sides sees it.

    Raises:
        NotFound: none, or the account is on neither side.
    """
    row = db.session().get(Delegation, delegation_id)
    side = None if row is None else _side(row, resident_id, accounts_of(resident_id), real_name(resident_id))
    if row is None or side is None:
        raise NotFound("没有这个授权")
    return _view(row, mine_to_give=side)


def give_delegation(resident_id: int, offer: Offer, *, now: datetime) -> int:
    """Offer somebody the right to act; it counts once they accept. Whether the hall knows them is not told.

    Raises:
        NotFound: the enterprise is not theirs to speak for, or the account is not verified.
        Invalid: dates, scope, kind, name or number do not do; ``fields`` says which.
        NotAllowedNow: too many live ones already.
    """
    me = real_name(resident_id)
    if me is None:
        raise NotFound("没有实名认证")
    today = day_of(now)
    number, name = numbers.check_person(offer.agent_kind, offer.agent_number, offer.agent_name, today)
    _check(offer, today)
    if (offer.agent_kind, number) == (me.kind, me.number):
        raise Invalid("不能授权给自己", fields={"agent_number": ["这是您自己的证件号码"]})
    if offer.enterprise_id is not None and not represents(resident_id, offer.enterprise_id):
        raise NotFound("没有这家企业")
    _demand_room(resident_id, offer.enterprise_id)
    row = Delegation(
        kind=offer.kind,
        resident_id=None if offer.enterprise_id is not None else resident_id,
        enterprise_id=offer.enterprise_id,
        agent_index=number_index(offer.agent_kind, number),
        agent_name_token=vault.seal(NAME_FIELD, name),
        agent_id=None,
        scope=[str(one) for one in offer.scope],
        starts_on=offer.starts_on,
        ends_on=offer.ends_on,
        state=DelegationState.OFFERED,
        given_by=resident_id,
        given_at=now,
        answered_at=None,
        ended_at=None,
        ended_by="",
        version=1,
    )
    db.writing().add(row)
    db.writing().flush()
    audit.record(actor_of(resident_id), "delegation.give", "delegation", row.id, {"kind": offer.kind.value})
    return row.id


def accept_delegation(resident_id: int, delegation_id: int, *, now: datetime) -> None:
    """Take the right that was offered.

    Raises:
        NotFound: none was offered to this person.
        NotAllowedNow: it was answered, ended, or its time is over.
    """
    row = _offered_to(resident_id, delegation_id)
    if now >= row.given_at + OFFER_LIFE or (row.ends_on is not None and row.ends_on < day_of(now)):
        raise NotAllowedNow("这个授权已经过期")
    _move(row, DelegationEvent.ACCEPT, actor_of(resident_id))
    row.agent_id, row.answered_at = resident_id, now


def decline_delegation(resident_id: int, delegation_id: int, *, now: datetime) -> None:
    """Refuse the right that was offered.

    Raises:
        NotFound, NotAllowedNow: as in :func:`accept_delegation`.
    """
    row = _offered_to(resident_id, delegation_id)
    _move(row, DelegationEvent.DECLINE, actor_of(resident_id))
    row.answered_at = now


def end_delegation(resident_id: int, delegation_id: int, *, now: datetime) -> None:
    """End a delegation, from either side.

    Raises:
        NotFound: none, or the account is on neither side.
        NotAllowedNow: it ended already; or it is an enterprise's own representative.
    """
    row = _locked(delegation_id)
    side = _side(row, resident_id, accounts_of(resident_id), real_name(resident_id))
    if side is None or row.kind is DelegationKind.LEGAL:
        raise NotFound("没有这个授权")
    if not side and row.state is DelegationState.OFFERED:
        decline_delegation(resident_id, delegation_id, now=now)
        return
    _end(row, actor_of(resident_id), now)


def represent(resident_id: int, enterprise_id: int, *, now: datetime) -> None:
    """Let the person who represents an enterprise by law act for it, and nobody who did before."""
    me = real_name(resident_id)
    if me is None:
        raise NotFound("没有实名认证")
    index, accounts = number_index(me.kind, me.number), accounts_of(resident_id)
    query = select(Delegation).where(
        Delegation.enterprise_id == enterprise_id,
        Delegation.kind == DelegationKind.LEGAL,
        Delegation.state == DelegationState.ACTIVE,
    )
    rows = db.writing().scalars(query.with_for_update()).all()
    for row in rows:
        if row.agent_index != index:
            _end(row, "system", now)
    if any(row.agent_index == index and row.agent_id in accounts for row in rows):
        return
    row = Delegation(
        kind=DelegationKind.LEGAL,
        resident_id=None,
        enterprise_id=enterprise_id,
        agent_index=index,
        agent_name_token=None,
        agent_id=resident_id,
        scope=[],
        starts_on=day_of(now),
        ends_on=None,
        state=DelegationState.ACTIVE,
        given_by=resident_id,
        given_at=now,
        answered_at=now,
        ended_at=None,
        ended_by="",
        version=1,
    )
    db.writing().add(row)
    db.writing().flush()
    audit.record(
        "system", "delegation.represent", "delegation", row.id, {"enterprise_id": str(enterprise_id)}
    )


def end_all_of(resident_id: int, *, now: datetime) -> None:
    """End everything that an account gave or may do for others: nobody is behind it any more."""
    for row in _live_of(resident_id):
        _end(row, actor_of(resident_id), now)


def pass_on(resident_id: int, heir_id: int) -> None:
    """Let another account of the same person have what an account gave and may do: it is being closed."""
    for row in _live_of(resident_id):
        if row.resident_id == resident_id:
            row.resident_id = heir_id
        if row.agent_id == resident_id:
            row.agent_id = heir_id
        row.version += 1
        detail = {"from": str(resident_id), "to": str(heir_id)}
        audit.record(actor_of(resident_id), "delegation.pass-on", "delegation", row.id, detail)
    db.writing().flush()


def _live_of(resident_id: int) -> Sequence[Delegation]:
    query = select(Delegation).where(
        or_(Delegation.resident_id == resident_id, Delegation.agent_id == resident_id),
        Delegation.state.in_(_LIVE),
    )
    return db.writing().scalars(query.with_for_update()).all()


def expire_delegations(now: datetime, *, limit: int = 500) -> int:
    """Mark delegations and offers whose time is over; return how many.

    What is in force is asked of the dates; this makes lists say so too.
    """
    over = or_(
        Delegation.ends_on < day_of(now),
        and_(Delegation.state == DelegationState.OFFERED, Delegation.given_at <= now - OFFER_LIFE),
    )
    query = select(Delegation).where(Delegation.state.in_(_LIVE), over).limit(limit)
    rows = db.writing().scalars(query.with_for_update()).all()
    for row in rows:
        _move(row, DelegationEvent.TIMEOUT, "system")
        row.ended_at = now
    return len(rows)


def _check(offer: Offer, today: date) -> None:
    said: dict[str, list[str]] = {}
    if offer.kind is DelegationKind.LEGAL or (offer.kind is DelegationKind.CLERK) is (
        offer.enterprise_id is None
    ):
        said["kind"] = ["企业授权给经办人，个人授权给代办人或家人"]
    if offer.starts_on < today:
        said["starts_on"] = ["开始日期不能早于今天"]
    if offer.ends_on < offer.starts_on:
        said["ends_on"] = ["结束日期不能早于开始日期"]
    elif offer.ends_on - offer.starts_on > timedelta(days=DELEGATION_DAYS_MAX):
        said["ends_on"] = ["授权最长三年"]
    if len(set(offer.scope)) > SCOPE_MAX:
        said["scope"] = [f"最多选 {SCOPE_MAX} 个事项"]
    if said:
        raise Invalid("授权填写有误", fields=said)


def _demand_room(resident_id: int, enterprise_id: int | None) -> None:
    whose: ColumnElement[bool] = (
        Delegation.resident_id.in_(accounts_of(resident_id))
        if enterprise_id is None
        else Delegation.enterprise_id == enterprise_id
    )
    count = select(func.count()).where(whose, Delegation.state.in_(_LIVE))
    if db.writing().scalars(count).one() >= OFFERS_MAX:
        raise NotAllowedNow(f"同时有效的授权最多 {OFFERS_MAX} 个，请先终止不用的")


def _offered_to(resident_id: int, delegation_id: int) -> Delegation:
    row, me = _locked(delegation_id), real_name(resident_id)
    if not _is_agent(row, me):
        raise NotFound("没有这个授权")
    return row


def _locked(delegation_id: int) -> Delegation:
    row = db.writing().get(Delegation, delegation_id, with_for_update=True)
    if row is None:
        raise NotFound("没有这个授权")
    return row


def _move(row: Delegation, event: DelegationEvent, actor: str) -> None:
    to = DELEGATION_MOVES.get((row.state, event))
    if to is None:
        raise NotAllowedNow
    row.state, row.version = to, row.version + 1
    audit.record(actor, f"delegation.{event.value}", "delegation", row.id)
    db.writing().flush()


def _end(row: Delegation, actor: str, now: datetime) -> None:
    _move(row, DelegationEvent.END, actor)
    row.ended_at, row.ended_by = now, actor
    db.writing().flush()


def _side(row: Delegation, resident_id: int, accounts: Collection[int], me: RealName | None) -> bool | None:
    """Tell whether an account is the principal's (True), the agent's (False), or neither's (None)."""
    if row.resident_id in accounts:
        return True
    if row.enterprise_id is not None and represents(resident_id, row.enterprise_id):
        return True
    if row.agent_id in accounts or (row.agent_id is None and _is_agent(row, me)):
        return False
    return None


def _is_agent(row: Delegation, me: RealName | None) -> bool:
    """Tell whether it is given to this person: number and name must both be theirs."""
    if me is None or row.agent_name_token is None or row.agent_index != number_index(me.kind, me.number):
        return False
    return numbers.same_name(vault.unseal(NAME_FIELD, row.agent_name_token), me.name)


def _represented(resident_id: int) -> Iterable[int]:
    person = select(Resident.person_id).where(Resident.id == resident_id).scalar_subquery()
    return db.session().scalars(select(Enterprise.id).where(Enterprise.legal_person_id == person)).all()


def _accepted_by(resident_id: int) -> ColumnElement[bool]:
    return Delegation.agent_id.in_(accounts_of(resident_id))


def _in_force(on: date) -> tuple[ColumnElement[bool], ...]:
    return (
        Delegation.state == DelegationState.ACTIVE,
        Delegation.starts_on <= on,
        or_(Delegation.ends_on.is_(None), Delegation.ends_on >= on),
    )


def _principal(row: Delegation) -> Principal | None:
    if row.enterprise_id is not None:
        return Principal(ENTERPRISE, row.enterprise_id, enterprise(row.enterprise_id).name, row.id)
    name = _name_of(row)
    return Principal(RESIDENT, row.resident_id or 0, name, row.id) if name else None


def _name_of(row: Delegation) -> str:
    if row.enterprise_id is not None:
        return enterprise(row.enterprise_id).name
    found = real_name(row.resident_id or 0)
    return "" if found is None else found.name


def _view(row: Delegation, *, mine_to_give: bool) -> DelegationView:
    agent = "" if row.agent_name_token is None else vault.unseal(NAME_FIELD, row.agent_name_token)
    return DelegationView(
        id=row.id,
        kind=row.kind,
        state=row.state,
        principal_kind=RESIDENT if row.enterprise_id is None else ENTERPRISE,
        principal_name=_name_of(row),
        agent_name=numbers.mask_name(agent),
        scope=tuple(int(one) for one in row.scope),
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        given_at=row.given_at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
        mine_to_give=mine_to_give,
        version=row.version,
    )
