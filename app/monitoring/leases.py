"""Which prober looks at which checks: shares of the schedule, leased from the database.

Every prober says every few seconds that it is alive and renews its leases; it holds a fair share of
the shards and takes over those of a prober that has fallen silent. All of it is guarded UPDATEs,
which any of the databases can do. Two probers that look at the same check for a moment do no harm.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update

from app.core import db
from app.monitoring.domain import QUEUE_PREFIX
from app.monitoring.models import ProberBeat, ShardLease

SHARDS = 64
LEASE = timedelta(seconds=12)
"""Shorter than the shortest interval of a policy: a prober that dies costs a check one look at most."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a prober looks at now, and who else is there.

    Attributes:
        shards: numbers of :func:`shard_of`.
        alive: names of all probers that work, this one among them.
    """

    shards: frozenset[int]
    alive: tuple[str, ...]


def shard_of(check_id: int) -> int:
    """Return the shard of a check; ids are scattered, so shards are alike in size."""
    return check_id % SHARDS


def renew(prober: str, *, now: datetime) -> Share:
    """Renew, give back or take over leases until ``prober`` holds its fair share of the shards."""
    alive = tuple(sorted({*_alive(now), prober}))
    _write_shards()
    held = {row.shard: row for row in db.writing().scalars(select(ShardLease))}
    mine = sorted(shard for shard, row in held.items() if row.owner == prober)
    fair = -(-SHARDS // len(alive))
    _give_back(mine[fair:], prober)
    open_to_all = [
        shard for shard, row in sorted(held.items()) if row.owner is None or _lapsed(row.leased_until, now)
    ]
    wanted = [shard for shard in open_to_all if shard not in mine][: max(0, fair - len(mine))]
    mine_or_open = or_(ShardLease.owner == prober, ShardLease.owner.is_(None), ShardLease.leased_until <= now)
    _update([*mine[:fair], *wanted], mine_or_open, owner=prober, leased_until=now + LEASE)
    own = db.writing().scalars(select(ShardLease.shard).where(ShardLease.owner == prober))
    return Share(frozenset(own), alive)


def leave(prober: str, *, now: datetime) -> None:
    """Give back all leases of a prober that stops, so that others need not wait for them to lapse."""
    _give_back(range(SHARDS), prober)
    silent = update(ProberBeat).where(ProberBeat.name == prober).values(seen_at=now - LEASE)
    db.writing().execute(silent.execution_options(synchronize_session=False))


def _alive(now: datetime) -> Collection[str]:
    query = select(ProberBeat.name).where(
        ProberBeat.seen_at > now - LEASE, ProberBeat.name.not_like(f"{QUEUE_PREFIX}%")
    )
    return db.writing().scalars(query).all()


def _lapsed(until: datetime | None, now: datetime) -> bool:
    return until is None or until <= now


def _write_shards() -> None:
    written = set(db.writing().scalars(select(ShardLease.shard)))
    missing = [{"shard": shard} for shard in range(SHARDS) if shard not in written]
    if missing:
        db.writing().execute(db.insert_ignoring(ShardLease), missing)


def _give_back(shards: Collection[int], prober: str) -> None:
    _update(shards, ShardLease.owner == prober, owner=None, leased_until=None)


def _update(shards: Collection[int], guard: ColumnElement[bool], **values: object) -> None:
    if not shards:
        return
    statement = update(ShardLease).where(ShardLease.shard.in_(shards), guard).values(**values)
    db.writing().execute(statement.execution_options(synchronize_session=False))
