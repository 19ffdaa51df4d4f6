"""Tables of the watch's past: roll-ups, their corrections, how far each has come."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Medium, Model, Small, key_column
from app.monitoring.domain import NOTE_MAX, SCOPE_REF_MAX


class Span(StrEnum):
    """How long a roll-up is; days are Guangdong's."""

    HOUR = "h"
    DAY = "d"


class Scope(StrEnum):
    """Whose roll-up it is."""

    CHECK = "k"
    BODY = "b"
    CITY = "c"
    PROVINCE = "p"


class Rollup(Model):
    """One check's hour or day: seconds per condition and what its looks measured.

    ``start_at`` begins it. Seconds come from state spans clipped to it, never from counting looks,
    their borders taken at whole seconds. ``looks`` are those that say something, ``failures`` those
    of them that say down, ``missed`` those that could not be made. ``visits`` counts at most one look
    in every ``slot_s`` seconds, as the inspection does; ``fresh_s`` is how long the last look was believed
    where no other followed. The sums of phases and the log-histogram of
    total times are of the looks that found the page open. ``computed_at`` and ``revision`` show
    corrections: a row with other figures than before has a higher revision and its predecessor in
    :class:`RollupCorrection`.

    The time stands before the check in the key: rows are added at its end, and old hours go from
    its beginning. One check's past is read by naming the hours or days.
    """

    __tablename__ = "rollup"

    span: Mapped[str] = mapped_column(String(1), primary_key=True)
    start_at: Mapped[datetime] = mapped_column(Instant(0), primary_key=True)
    check_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    body_id: Mapped[int] = mapped_column(Key)
    up_s: Mapped[int] = mapped_column(Medium)
    degraded_s: Mapped[int] = mapped_column(Medium)
    down_s: Mapped[int] = mapped_column(Medium)
    maintenance_s: Mapped[int] = mapped_column(Medium)
    paused_s: Mapped[int] = mapped_column(Medium)
    unknown_s: Mapped[int] = mapped_column(Medium)
    looks: Mapped[int] = mapped_column(Medium)
    failures: Mapped[int] = mapped_column(Medium)
    missed: Mapped[int] = mapped_column(Medium)
    visits: Mapped[int] = mapped_column(Medium)
    visit_failures: Mapped[int] = mapped_column(Medium)
    dns_ms: Mapped[int]
    connect_ms: Mapped[int]
    tls_ms: Mapped[int]
    first_byte_ms: Mapped[int]
    total_ms: Mapped[int]
    histogram: Mapped[bytes] = mapped_column(LargeBinary(4000))
    slot_s: Mapped[int] = mapped_column(Small)
    fresh_s: Mapped[int] = mapped_column(Medium)
    revision: Mapped[int] = mapped_column(SmallInteger)
    computed_at: Mapped[datetime] = mapped_column(Instant(0))


class GroupRollup(Model):
    """The hour or day of a body, a city or the province: its pages' rows of :class:`Rollup` added up.

    ``ref`` is the body's id, the city's code, or ``""``. Only pages' main checks count; ``pages`` is
    how many of them had a row.
    """

    __tablename__ = "group_rollup"

    span: Mapped[str] = mapped_column(String(1), primary_key=True)
    scope: Mapped[str] = mapped_column(String(1), primary_key=True)
    start_at: Mapped[datetime] = mapped_column(Instant(0), primary_key=True)
    ref: Mapped[str] = mapped_column(String(SCOPE_REF_MAX), primary_key=True)
    pages: Mapped[int]
    up_s: Mapped[int] = mapped_column(Key)
    degraded_s: Mapped[int] = mapped_column(Key)
    down_s: Mapped[int] = mapped_column(Key)
    maintenance_s: Mapped[int] = mapped_column(Key)
    paused_s: Mapped[int] = mapped_column(Key)
    unknown_s: Mapped[int] = mapped_column(Key)
    looks: Mapped[int] = mapped_column(Key)
    failures: Mapped[int] = mapped_column(Key)
    missed: Mapped[int] = mapped_column(Key)
    visits: Mapped[int] = mapped_column(Key)
    visit_failures: Mapped[int] = mapped_column(Key)
    dns_ms: Mapped[int] = mapped_column(Key)
    connect_ms: Mapped[int] = mapped_column(Key)
    tls_ms: Mapped[int] = mapped_column(Key)
    first_byte_ms: Mapped[int] = mapped_column(Key)
    total_ms: Mapped[int] = mapped_column(Key)
    histogram: Mapped[bytes] = mapped_column(LargeBinary(8000))
    revision: Mapped[int] = mapped_column(SmallInteger)
    computed_at: Mapped[datetime] = mapped_column(Instant(0))


class RollupCorrection(Model):
    """What a roll-up said before it was corrected, and why it was.

    ``before`` and ``after`` hold only what differs; ``before`` is empty when the row was missing,
    ``after`` when it should never have been there. ``reason``: :class:`app.monitoring.marks.Reason`.
    """

    __tablename__ = "rollup_correction"
    __table_args__ = (
        Index("ix_rollup_correction_at", "corrected_at"),
        Index("ix_rollup_correction_whose", "scope", "ref", "start_at"),
    )

    id: Mapped[int] = key_column()
    span: Mapped[str] = mapped_column(String(1))
    scope: Mapped[str] = mapped_column(String(1))
    ref: Mapped[str] = mapped_column(String(SCOPE_REF_MAX))
    start_at: Mapped[datetime] = mapped_column(Instant(0))
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
    after: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(String(NOTE_MAX))
    corrected_at: Mapped[datetime]


class HistoryMark(Model):
    """How far one kind of history has come: everything before ``at`` is done. No row: nothing is."""

    __tablename__ = "history_mark"

    name: Mapped[str] = mapped_column(String(10), primary_key=True)
    at: Mapped[datetime]


class RollupTouch(Model):
    """An hour of a check that changed after it was sealed: its roll-up has to be looked at again."""

    __tablename__ = "rollup_touch"

    hour_at: Mapped[datetime] = mapped_column(Instant(0), primary_key=True)
    check_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    reason: Mapped[str] = mapped_column(String(20))
