"""How each system's exchange goes: last success, lag, refusals, what waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from app.core import db
from app.exchange import systems
from app.exchange.domain import HEALTH_DAYS, MessageState, OutState
from app.exchange.models import ExchangeMessage, ExchangeOut
from app.exchange.systems import SystemView
from app.organisations.service import Principal
from app.third_parties.service import Stage

PERCENT = 95


@dataclass(frozen=True, slots=True)
class Health:
    """The last days of one system, real messages only.

    Attributes:
        last_success_at: when a message was last applied; None for never.
        lag_p95: how long after the event 95 of 100 messages were in the hall; None without messages.
        rejected_rate: of the messages that came in, 0 to 1; None without messages.
        oldest_wait: how long the oldest held message has waited; None when none waits.
        dead_count: messages of the hall that the system did not take over.
    """

    system: SystemView
    last_success_at: datetime | None
    message_count: int
    lag_p95: timedelta | None
    rejected_rate: float | None
    held_count: int
    oldest_wait: timedelta | None
    rejected_count: int
    dead_count: int


def health(by: Principal, *, now: datetime) -> list[Health]:
    """Return how the systems in the scope of ``by`` are doing, by code."""
    return [_of(one, now) for one in systems.listing(by)]


def _of(system: SystemView, now: datetime) -> Health:
    mine = (ExchangeMessage.system_id == system.id, ExchangeMessage.stage == Stage.PRODUCTION)
    lately = (*mine, ExchangeMessage.received_at >= now - timedelta(days=HEALTH_DAYS))
    counts = select(ExchangeMessage.state, func.count()).where(*lately).group_by(ExchangeMessage.state)
    by_state = {row[0]: int(row[1]) for row in db.session().execute(counts)}
    total = sum(by_state.values())
    held = select(func.count(), func.min(ExchangeMessage.received_at)).where(
        *mine, ExchangeMessage.state == MessageState.QUARANTINED
    )
    held_count, oldest = db.session().execute(held).one()
    last = select(func.max(ExchangeMessage.applied_at)).where(*mine)
    rejected = select(func.count()).where(*mine, ExchangeMessage.state == MessageState.REJECTED)
    dead = select(func.count()).where(
        ExchangeOut.system_id == system.id,
        ExchangeOut.stage == Stage.PRODUCTION,
        ExchangeOut.state == OutState.DEAD,
    )
    return Health(
        system=system,
        last_success_at=db.session().scalar(last),
        message_count=total,
        lag_p95=_lag(by_state.get(MessageState.APPLIED, 0), lately),
        rejected_rate=by_state.get(MessageState.REJECTED, 0) / total if total else None,
        held_count=held_count,
        oldest_wait=now - oldest if oldest else None,
        rejected_count=db.session().scalar(rejected) or 0,
        dead_count=db.session().scalar(dead) or 0,
    )


def _lag(applied: int, lately: tuple[object, ...]) -> timedelta | None:
    if not applied:
        return None
    query = (
        select(ExchangeMessage.lag_seconds)
        .where(*lately, ExchangeMessage.lag_seconds.is_not(None))  # type: ignore[arg-type]
        .order_by(ExchangeMessage.lag_seconds)
        .offset(max(0, -(-applied * PERCENT // 100) - 1))
        .limit(1)
    )
    seconds = db.session().scalar(query)
    return timedelta(seconds=seconds) if seconds is not None else None
