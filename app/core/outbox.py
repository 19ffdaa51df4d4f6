"""Work that must happen after a transaction, written in that transaction.

One table is the truth. A job is a name and a small JSON payload; the function behind the name is
idempotent, because a job whose worker dies is run again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Delete, Index, String, Text, Update, and_, delete, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core import audit, clock, db
from app.core.db import Model, key_column
from app.core.errors import NotFound
from app.core.ids import new_id

LEASE = timedelta(minutes=2)  # renewed while the job runs; ends soon after a worker was killed
LONGEST_RUN = timedelta(minutes=30)  # a job that takes longer hangs: its lease is not renewed any more
RETRY_AFTER = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
ERROR_MAX = 500
_ASKED = "hall_jobs_asked"


class JobState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    DEAD = "dead"


Handler = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of background work.

    Attributes:
        name: ``capability.verb-noun``.
        run: idempotent; opens its own transactions.
        every: for periodic work, how often; None for work that is asked for.
        urgent: goes before all that is not, however long that waits.
    """

    name: str
    run: Handler
    every: timedelta | None = None
    urgent: bool = False


class JobRow(Model):
    """One piece of work asked for."""

    __tablename__ = "job"
    __table_args__ = (Index("ix_job_due", "state", "run_at"),)

    id: Mapped[int] = key_column()
    name: Mapped[str] = mapped_column(String(80))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    dedup_key: Mapped[str | None] = mapped_column(String(120), unique=True)
    state: Mapped[JobState] = mapped_column(default=JobState.PENDING)
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str | None] = mapped_column(String(40))
    leased_until: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Claimed:
    """One job that this worker holds until it acknowledges it or the lease ends."""

    id: int
    name: str
    payload: Mapping[str, Any]
    attempts: int


def enqueue(
    name: str,
    payload: Mapping[str, Any] | None = None,
    *,
    dedup_key: str | None = None,
    run_at: datetime | None = None,
) -> None:
    """Ask for a job in the running transaction.

    Args:
        dedup_key: at most one job is ever made under it; asking again does nothing.
        run_at: not before this instant; None is at once.
    """
    now = clock.system_clock()
    row = {
        "id": new_id(),
        "name": name,
        "payload": dict(payload or {}),
        "dedup_key": dedup_key,
        "state": JobState.PENDING,
        "run_at": run_at or now,
        "attempts": 0,
        "created_at": now,
    }
    db.writing().info.setdefault(_ASKED, []).append(row)


@db.last_before_commit
def _write_asked(session: Session) -> None:
    """Write all that the transaction asked for in one statement."""
    asked = session.info.pop(_ASKED, [])
    if asked:
        db.insert_once(JobRow, *asked)


def claim(owner: str, *, limit: int, now: datetime, first: Collection[str] = ()) -> list[Claimed]:
    """Take up to ``limit`` due jobs for ``owner``, each for no longer than ``LEASE``.

    Those with a name in ``first`` go before the others; else who waits longest.

    A guarded UPDATE per row, so that it works alike on SQLite, MariaDB, Galera and TiDB. A job whose
    workers died in every try is put aside for staff: it may be what kills them.
    """
    free = or_(JobRow.owner.is_(None), JobRow.leased_until < now)
    due = (
        select(JobRow.id, JobRow.attempts)
        .where(JobRow.state == JobState.PENDING, JobRow.run_at <= now, free)
        .order_by(JobRow.name.not_in(first), JobRow.run_at)
        .limit(limit)
    )
    candidates = list(db.session().execute(due))
    if not candidates:
        return []

    def take() -> list[Claimed]:
        taken = []
        for job_id, attempts in candidates:
            spent = attempts > len(RETRY_AFTER)
            values = _put_aside() if spent else {"owner": owner, "leased_until": now + LEASE}
            won = db.writing().execute(
                update(JobRow)
                .where(
                    JobRow.id == job_id,
                    JobRow.state == JobState.PENDING,
                    JobRow.attempts == attempts,
                    free,
                )
                .values(attempts=attempts if spent else attempts + 1, **values)
                .execution_options(synchronize_session=False)
            )
            if won.rowcount == 1 and not spent:  # type: ignore[attr-defined]
                taken.append(job_id)
        rows = db.writing().scalars(select(JobRow).where(JobRow.id.in_(taken))) if taken else ()
        return [Claimed(row.id, row.name, row.payload, row.attempts) for row in rows]

    return db.transaction(take)


def renew(held: Sequence[Claimed], owner: str, *, now: datetime) -> None:
    """Hold jobs that are still being run for another ``LEASE``; what was lost meanwhile stays lost."""
    mine = or_(*(and_(JobRow.id == one.id, JobRow.attempts == one.attempts) for one in held))
    extended = update(JobRow).where(mine, JobRow.owner == owner).values(leased_until=now + LEASE)
    db.transaction(lambda: db.writing().execute(extended.execution_options(synchronize_session=False)))


def _put_aside() -> dict[str, Any]:
    return {
        "state": JobState.DEAD,
        "owner": None,
        "leased_until": None,
        "last_error": "the worker died in every try",
    }


def acknowledge(claimed: Claimed, owner: str, *, now: datetime) -> None:
    """Mark a job as done; nothing happens when its lease ended and somebody took it again."""
    _settle(claimed, owner, state=JobState.DONE, done_at=now, last_error=None)


def fail(claimed: Claimed, owner: str, error: str, *, now: datetime) -> bool:
    """Put a failed job back for later, or aside for staff when it has failed too often.

    Nothing happens when its lease ended and somebody took it again.

    Returns:
        True when it was put aside (dead letter).
    """
    dead = claimed.attempts > len(RETRY_AFTER)
    wait = timedelta() if dead else RETRY_AFTER[claimed.attempts - 1]
    _settle(
        claimed,
        owner,
        state=JobState.DEAD if dead else JobState.PENDING,
        run_at=now + wait,
        last_error=error[:ERROR_MAX],
    )
    return dead


def _settle(claimed: Claimed, owner: str, **values: Any) -> None:
    # The try is part of the condition: this process may itself have taken the job again.
    mine = (JobRow.id == claimed.id, JobRow.owner == owner, JobRow.attempts == claimed.attempts)

    def settle() -> None:
        db.writing().execute(update(JobRow).where(*mine).values(owner=None, leased_until=None, **values))

    db.transaction(settle)


def counts() -> dict[str, int]:
    """Return how many jobs stand in each state."""
    rows = db.session().execute(select(JobRow.state, func.count()).group_by(JobRow.state))
    return {state.value: count for state, count in rows}


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A job that staff must decide about; its payload may name persons and stays where it is.

    Attributes:
        failed_at: when it was put aside, near enough: the last time it was due.
    """

    id: int
    name: str
    attempts: int
    error: str
    asked_at: datetime
    failed_at: datetime


def dead_letters(*, limit: int) -> list[DeadLetter]:
    """Return what was put aside, the newest first."""
    query = (
        select(JobRow).where(JobRow.state == JobState.DEAD).order_by(JobRow.run_at.desc(), JobRow.id.desc())
    )
    return [
        DeadLetter(row.id, row.name, row.attempts, row.last_error or "", row.created_at, row.run_at)
        for row in db.session().scalars(query.limit(limit))
    ]


def revive(job_id: int, *, by: str, now: datetime) -> None:
    """Let a job that was put aside be tried again from the beginning, at once.

    Raises:
        NotFound: it is not put aside, or not any more.
    """
    values = {"state": JobState.PENDING, "run_at": now, "attempts": 0, "owner": None, "leased_until": None}
    _decide(job_id, "job.revive", by, update(JobRow).values(**values))


def give_up(job_id: int, *, by: str) -> None:
    """Delete a job that was put aside: what it was to do is done otherwise, or not at all.

    Raises:
        NotFound: as for :func:`revive`.
    """
    _decide(job_id, "job.give_up", by, delete(JobRow))


def _decide(job_id: int, action: str, by: str, statement: Update | Delete) -> None:
    name = db.session().scalar(select(JobRow.name).where(JobRow.id == job_id, JobRow.state == JobState.DEAD))
    decided = db.writing().execute(statement.where(JobRow.id == job_id, JobRow.state == JobState.DEAD))
    if name is None or decided.rowcount != 1:  # type: ignore[attr-defined]
        raise NotFound("没有这项停下的后台工作，可能已有人处理")
    audit.record(by, action, "job", job_id, {"name": name})


def forget_done(before: datetime) -> int:
    """Delete jobs done before ``before``; return how many."""
    gone = db.writing().execute(delete(JobRow).where(JobRow.state == JobState.DONE, JobRow.done_at < before))
    return int(gone.rowcount)  # type: ignore[attr-defined]
