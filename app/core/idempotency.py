"""The same answer for the same request (Idempotency-Key), however often a caller repeats it.

Key, digest of the request and answer are written in the transaction that does the work, so there
is no moment in which the work is done and the answer not kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import String, Text, UniqueConstraint, delete, select
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from app.core import db
from app.core.db import Model, key_column
from app.core.errors import Conflict, Invalid

KEY = re.compile(r"[\x21-\x7e]{8,80}")
NAME = "Idempotency-Key"
HEADER = {
    "in": "header",
    "name": NAME,
    "required": False,
    "schema": {"type": "string", "minLength": 8, "maxLength": 80},
    "description": "同一个键的重复请求得到第一次的回答",
}
"""The header as calls that take it describe it."""


class KeyReused(Conflict):
    """The key came with another request before."""

    code = "idempotency_key_reused"
    title = "幂等键已用于另一个请求"
    title_en = "The idempotency key was used for another request"


class IdempotentAnswer(Model):
    """One row per key of a caller: what was asked and what was answered."""

    __tablename__ = "idempotent_answer"
    __table_args__ = (UniqueConstraint("owner", "operation", "key", name="uq_idempotent_answer_key"),)

    id: Mapped[int] = key_column()
    owner: Mapped[str] = mapped_column(String(80))
    operation: Mapped[str] = mapped_column(String(80))
    key: Mapped[str] = mapped_column(String(80))
    digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    body: Mapped[str] = mapped_column(Text().with_variant(mysql.MEDIUMTEXT(), "mysql"))
    created_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON body."""

    status: int
    body: str


def answer_once(
    owner: str, operation: str, key: str | None, request: bytes, work: Callable[[], Answer], *, now: datetime
) -> Answer:
    """Run ``work`` in a transaction, or return what it answered under this key before.

    Errors are not kept: a request that was refused may be mended and sent again under its key.

    Args:
        key: as the caller sent it; None runs ``work`` every time.
        request: what makes two requests the same, byte for byte.

    Raises:
        Invalid: the key is not 8 to 80 visible ASCII characters.
        KeyReused: it came with another request before.
    """
    if key is None:
        return db.transaction(work)
    if not KEY.fullmatch(key):
        raise Invalid("幂等键应为 8 至 80 个可见 ASCII 字符", fields={NAME: ["格式不正确"]})
    digest = sha256(request).hexdigest()

    def once() -> Answer:
        kept = _kept(owner, operation, key, digest)
        if kept is not None:
            return kept
        row = IdempotentAnswer(
            owner=owner, operation=operation, key=key, digest=digest, status=0, body="", created_at=now
        )
        # Before the work: a second request with the key waits here until the first is done.
        db.writing().add(row)
        db.writing().flush()
        answer = work()
        row.status, row.body = answer.status, answer.body
        return answer

    try:
        return db.transaction(once)
    except IntegrityError:
        kept = _kept(owner, operation, key, digest)
        if kept is None:
            raise
        return kept


def forget_answers(before: datetime) -> int:
    """Delete what was answered before ``before``; return how many."""
    gone = db.writing().execute(delete(IdempotentAnswer).where(IdempotentAnswer.created_at < before))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def _kept(owner: str, operation: str, key: str, digest: str) -> Answer | None:
    row = db.session().scalar(
        select(IdempotentAnswer).where(
            IdempotentAnswer.owner == owner,
            IdempotentAnswer.operation == operation,
            IdempotentAnswer.key == key,
        )
    )
    if row is None:
        return None
    if row.digest != digest:
        raise KeyReused
    return Answer(row.status, row.body)
