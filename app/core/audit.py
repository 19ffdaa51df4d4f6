"""The audit trail (全程留痕): an HMAC chain written in the business transaction.

Lines are gathered during a transaction and written at its end, so that the head of a chain is
locked for as short as possible. Objects are spread over ``CHAINS`` chains for the same reason.
Checkpoints of the heads are exported outside the database: a chain cut at its end and a head
doctored to match would show against them.
"""

from __future__ import annotations

import hmac
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from typing import Any

from flask import Flask, current_app
from sqlalchemy import JSON, Index, String, UniqueConstraint, and_, false, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core import clock, db
from app.core.db import Key, Model, key_column
from app.core.errors import Stale
from config.settings import SecretMissing

CHAINS = 16
GENESIS = "0" * 64
END = "the chain's end does not match its head"


class AuditLine(Model):
    """One line of the trail; ``mac`` covers every column and the line before."""

    __tablename__ = "audit_line"
    __table_args__ = (
        UniqueConstraint("chain", "number", name="uq_audit_line_chain_number"),
        Index("ix_audit_line_object", "object_kind", "object_id"),
    )

    id: Mapped[int] = key_column()
    chain: Mapped[int]
    number: Mapped[int]
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(80))
    object_kind: Mapped[str] = mapped_column(String(40))
    object_id: Mapped[int] = mapped_column(Key)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    previous_mac: Mapped[str] = mapped_column(String(64))
    mac: Mapped[str] = mapped_column(String(64))


class AuditHead(Model):
    """The last line of each chain."""

    __tablename__ = "audit_head"

    chain: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]
    mac: Mapped[str] = mapped_column(String(64))


@dataclass(frozen=True, slots=True)
class Entry:
    """One line as others may read it."""

    at: datetime
    actor: str
    action: str
    object_kind: str
    object_id: int
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """A place where the trail was doctored."""

    chain: int
    number: int
    problem: str


def init_app(app: Flask, key: bytes) -> None:
    app.extensions["hall_audit_key"] = key


def record(
    actor: str, action: str, object_kind: str, object_id: int, detail: Mapping[str, Any] | None = None
) -> None:
    """Add one line to the trail of the running transaction.

    Args:
        actor: who, e.g. ``"staff:123"``, ``"system"``.
        detail: small JSON without personal numbers.
    """
    pending: list[AuditLine] = db.writing().info.setdefault("audit", [])
    pending.append(
        AuditLine(
            chain=zlib.crc32(f"{object_kind}|{object_id}".encode()) % CHAINS,
            at=clock.system_clock(),
            actor=actor,
            action=action,
            object_kind=object_kind,
            object_id=object_id,
            detail=dict(detail or {}),
        )
    )


@db.last_before_commit
def _write_pending(session: Session) -> None:
    # Chains in ascending order, so that two transactions never wait for each other in a ring.
    lines = sorted(session.info.pop("audit", []), key=_chain)
    with session.no_autoflush:
        for chain, its_lines in groupby(lines, _chain):
            head = _locked_head(session, chain)
            number, mac = head.number, head.mac
            for line in its_lines:
                line.number, line.previous_mac = number + 1, mac
                line.mac = _mac(line)
                session.add(line)
                number, mac = line.number, line.mac
            moved = session.execute(
                update(AuditHead)
                .where(AuditHead.chain == chain, AuditHead.mac == head.mac)
                .values(number=number, mac=mac)
                .execution_options(synchronize_session=False)
            )
            if moved.rowcount != 1:  # type: ignore[attr-defined]
                raise Stale
    session.flush()


def _chain(line: AuditLine) -> int:
    return line.chain


def _locked_head(session: Session, chain: int) -> AuditHead:
    query = (
        select(AuditHead)
        .where(AuditHead.chain == chain)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    head = session.scalar(query)
    if head is None:
        # Two transactions may begin a chain in the same moment; the second waits here for the first.
        beginning = {"chain": chain, "number": 0, "mac": GENESIS}
        session.execute(db.insert_ignoring(AuditHead), beginning)
        head = session.scalars(query).one()
    return head


def _mac(line: AuditLine) -> str:
    covered = [
        line.chain,
        line.number,
        line.at.isoformat(),
        line.actor,
        line.action,
        line.object_kind,
        line.object_id,
        line.detail,
        line.previous_mac,
    ]
    text = json.dumps(covered, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    key: bytes = current_app.extensions["hall_audit_key"]
    if not key:
        raise SecretMissing("HALL_AUDIT_KEY")
    return hmac.new(key, text.encode(), sha256).hexdigest()


def history(object_kind: str, object_id: int, *, limit: int = 100) -> list[Entry]:
    """Return the lines about one object, newest first."""
    query = (
        select(AuditLine)
        .where(AuditLine.object_kind == object_kind, AuditLine.object_id == object_id)
        .order_by(AuditLine.number.desc())
        .limit(limit)
    )
    return [_entry(line) for line in db.session().scalars(query)]


def recent(*, limit: int = 100) -> list[Entry]:
    """Return the newest lines of all chains, newest first."""
    # The end of each chain by its key: sorting a trail of years by time would read all of it.
    ends = [
        and_(AuditLine.chain == chain, AuditLine.number > number - limit)
        for chain, (number, _) in heads().items()
    ]
    query = select(AuditLine).where(or_(false(), *ends)).order_by(AuditLine.at.desc()).limit(limit)
    return [_entry(line) for line in db.session().scalars(query)]


def _entry(line: AuditLine) -> Entry:
    return Entry(line.at, line.actor, line.action, line.object_kind, line.object_id, line.detail)


def heads() -> dict[int, tuple[int, str]]:
    """Return number and MAC of each chain's last line."""
    return {head.chain: (head.number, head.mac) for head in db.session().scalars(select(AuditHead))}


def verify(checkpoints: list[dict[int, tuple[int, str]]] | None = None) -> Iterator[Fault]:
    """Yield every fault of the trail; an untouched trail yields nothing.

    Args:
        checkpoints: heads exported earlier; each must still stand where it stood.
    """
    for chain in range(CHAINS):
        yield from _verify_chain(chain, [point[chain] for point in checkpoints or [] if chain in point])


def _verify_chain(chain: int, points: list[tuple[int, str]]) -> Iterator[Fault]:
    due = dict(points)
    # Lines may be added meanwhile: the end must be where it stood before, or further on.
    end_number, end_mac = _head(chain)
    number, mac = 0, GENESIS
    query = select(AuditLine).where(AuditLine.chain == chain).order_by(AuditLine.number)
    for line in db.session().scalars(query.execution_options(yield_per=500)):
        if line.number != number + 1:
            yield Fault(chain, number + 1, "line is missing")
        if line.previous_mac != mac:
            yield Fault(chain, line.number, "does not follow the line before")
        if not hmac.compare_digest(_mac(line), line.mac):
            yield Fault(chain, line.number, "was changed")
        if due.get(line.number, line.mac) != line.mac:
            yield Fault(chain, line.number, "differs from the checkpoint")
        due.pop(line.number, None)
        number, mac = line.number, line.mac
        if number == end_number and mac != end_mac:
            yield Fault(chain, number, END)
    if number < end_number or number > _head(chain)[0]:
        yield Fault(chain, number, END)
    for missing in due:
        yield Fault(chain, missing, "line of a checkpoint is missing")


def _head(chain: int) -> tuple[int, str]:
    row = (
        db.session().execute(select(AuditHead.number, AuditHead.mac).where(AuditHead.chain == chain)).first()
    )
    return (row.number, row.mac) if row else (0, GENESIS)
