"""Tables of the watch."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Key, Model, key_column
from app.monitoring.domain import (
    ACTOR_MAX,
    CAUSE_MAX,
    DETAIL_MAX,
    NAME_MAX,
    PROBER_MAX,
    URL_MAX,
    Outcome,
)
from mobile_pages.probe.base import Condition, Verdict


class ProbeSample(Model):
    """One look. The key makes telling it twice harmless.

    No foreign key: at a province's rate this table is cut into daily partitions, which allow none.
    """

    __tablename__ = "probe_sample"
    __table_args__ = (Index("ix_probe_sample_at", "at"),)

    page_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    prober: Mapped[str] = mapped_column(String(PROBER_MAX), primary_key=True)
    verdict: Mapped[Verdict]
    cause: Mapped[str] = mapped_column(String(CAUSE_MAX))
    http_status: Mapped[int | None] = mapped_column(SmallInteger)
    dns_ms: Mapped[int]
    connect_ms: Mapped[int]
    tls_ms: Mapped[int]
    first_byte_ms: Mapped[int]
    total_ms: Mapped[int]


class Watch(Model):
    """One row per page that is or was watched: what is known of it now.

    ``body_id``, ``name`` and ``url`` are copies, so that the wall reads this table alone.
    ``memory`` is the serialised state of confirmation; ``condition``, ``since`` and ``cause`` say
    the same for queries. ``sampled_at`` is when the newest look began.
    """

    __tablename__ = "watch_state"
    __table_args__ = (Index("ix_watch_state_body", "body_id", "watched", "condition"),)

    page_id: Mapped[int] = mapped_column(
        Key, ForeignKey("mobile_page.id"), primary_key=True, autoincrement=False
    )
    body_id: Mapped[int] = mapped_column(Key, ForeignKey("body.id"))
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    url: Mapped[str] = mapped_column(String(URL_MAX))
    watched: Mapped[bool]
    begun_at: Mapped[datetime]
    condition: Mapped[Condition]
    since: Mapped[datetime]
    cause: Mapped[str] = mapped_column(String(CAUSE_MAX))
    sampled_at: Mapped[datetime | None]
    total_ms: Mapped[int | None]
    memory: Mapped[dict[str, Any]] = mapped_column(JSON)


class StateSpan(Model):
    """A stretch of time under one condition; the newest of a page has no end."""

    __tablename__ = "state_span"
    __table_args__ = (Index("ix_state_span_ended", "ended_at"),)

    page_id: Mapped[int] = mapped_column(
        Key, ForeignKey("mobile_page.id"), primary_key=True, autoincrement=False
    )
    started_at: Mapped[datetime] = mapped_column(primary_key=True)
    ended_at: Mapped[datetime | None]
    condition: Mapped[Condition]
    cause: Mapped[str] = mapped_column(String(CAUSE_MAX))


class Incident(Model):
    """A confirmed outage of one page.

    ``open_page_id`` is the page while the outage lasts and None afterwards: unique, so a page has
    one open incident at most. ``started_at`` is dated back to the first failing look, ``opened_at``
    is when it was believed.
    """

    __tablename__ = "incident"
    __table_args__ = (
        Index("ix_incident_opened", "opened_at", "id"),
        Index("ix_incident_body", "body_id", "opened_at"),
        Index("ix_incident_page", "page_id", "opened_at"),
    )

    id: Mapped[int] = key_column()
    page_id: Mapped[int] = mapped_column(Key, ForeignKey("mobile_page.id"))
    open_page_id: Mapped[int | None] = mapped_column(Key, unique=True)
    body_id: Mapped[int] = mapped_column(Key, ForeignKey("body.id"))
    page_name: Mapped[str] = mapped_column(String(NAME_MAX))
    cause: Mapped[str] = mapped_column(String(CAUSE_MAX))
    detail: Mapped[str] = mapped_column(String(DETAIL_MAX))
    started_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None] = mapped_column(String(ACTOR_MAX))
    resolved_at: Mapped[datetime | None]
    outcome: Mapped[Outcome | None]


class ProberBeat(Model):
    """One row per prober: its own health as it last told it."""

    __tablename__ = "prober_beat"

    name: Mapped[str] = mapped_column(String(PROBER_MAX), primary_key=True)
    seen_at: Mapped[datetime]
    own_network_ok: Mapped[bool]
    lag_p99_ms: Mapped[int]
    targets: Mapped[int]
    looks: Mapped[int] = mapped_column(Key)
    missed: Mapped[int]
    waiting: Mapped[int]
    lost: Mapped[int]
