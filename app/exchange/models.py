"""Tables of the exchange. No body of a message stands here in clear: see ``storing``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.applications.service import State
from app.core.db import Model, key_column
from app.exchange.domain import (
    ACTOR_MAX,
    CODE_MAX,
    DIGEST_LENGTH,
    NAME_MAX,
    NUMBER_MAX,
    REASON_MAX,
    MessageState,
    OutState,
    RunState,
    SystemState,
)
from app.third_parties.service import Stage

DIGEST = String(DIGEST_LENGTH)


class ExchangeSystem(Model):
    """A department's system (对接登记).

    Attributes:
        app_id: the registered application whose keys, quota and webhooks it uses.
        items: SXBM it may send; none: every item of its body.
        results: 办结结果代码 of this system to what they mean.
        sent_count: by stage, how many messages were put into its inbox: the next one's number.
        passed_version: of the conformance run it last passed; 0 for none.
    """

    __tablename__ = "exchange_system"

    id: Mapped[int] = key_column()
    body_id: Mapped[int] = mapped_column(ForeignKey("body.id"), index=True)
    app_id: Mapped[int] = mapped_column(ForeignKey("partner_app.id"), unique=True)
    code: Mapped[str] = mapped_column(String(CODE_MAX), unique=True)
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    items: Mapped[list[str]] = mapped_column(JSON)
    results: Mapped[dict[str, str]] = mapped_column(JSON)
    sent_count: Mapped[dict[str, int]] = mapped_column(JSON)
    state: Mapped[SystemState] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(String(REASON_MAX))
    passed_version: Mapped[int]
    live_at: Mapped[datetime | None]
    version: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(ACTOR_MAX))
    changed_at: Mapped[datetime]


class ExchangeCase(Model):
    """A case as one system knows it; its row is locked while messages of the case are applied.

    Attributes:
        application_id: the hall's case; None in the test environment, and until 申办 has come.
        state: in the test environment, where no case of the hall moves.
        step: there, how many steps are done.
    """

    __tablename__ = "exchange_case"
    __table_args__ = (UniqueConstraint("system_id", "application_id", name="uq_exchange_case_application"),)

    id: Mapped[int] = key_column()
    system_id: Mapped[int] = mapped_column(ForeignKey("exchange_system.id"))
    stage: Mapped[Stage]
    application_id: Mapped[int | None] = mapped_column(ForeignKey("application.id"), index=True)
    state: Mapped[State | None]
    step: Mapped[int]
    created_at: Mapped[datetime]


class ExchangeAlias(Model):
    """A number under which a system knows a case: SBLSH or YWLSH, unique in the system."""

    __tablename__ = "exchange_alias"
    __table_args__ = (
        UniqueConstraint("system_id", "stage", "field", "number", name="uq_exchange_alias_number"),
    )

    id: Mapped[int] = key_column()
    system_id: Mapped[int] = mapped_column(ForeignKey("exchange_system.id"))
    stage: Mapped[Stage]
    field: Mapped[str] = mapped_column(String(10))
    number: Mapped[str] = mapped_column(String(NUMBER_MAX))
    case_id: Mapped[int] = mapped_column(ForeignKey("exchange_case.id"), index=True)


class ExchangeMessage(Model):
    """A message from a department on its way, under its newest data version.

    Attributes:
        body: vault tokens of the pieces of the body.
        digest: blind index of the body.
        corrects: a version of it was applied before.
        told_at: when people were told that it waits too long.
    """

    __tablename__ = "exchange_message"
    __table_args__ = (
        Index("ix_exchange_message_case", "case_id", "seq", "kind"),
        Index("ix_exchange_message_queue", "state", "received_at"),
        Index("ix_exchange_message_health", "system_id", "stage", "received_at"),
    )

    id: Mapped[int] = key_column()
    system_id: Mapped[int] = mapped_column(ForeignKey("exchange_system.id"))
    stage: Mapped[Stage]
    case_id: Mapped[int] = mapped_column(ForeignKey("exchange_case.id"))
    kind: Mapped[int]
    seq: Mapped[int]
    data_version: Mapped[int]
    state: Mapped[MessageState]
    body: Mapped[list[str]] = mapped_column(JSON)
    digest: Mapped[str] = mapped_column(DIGEST)
    findings: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    corrects: Mapped[bool]
    business_at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]
    lag_seconds: Mapped[int | None]
    told_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(REASON_MAX))
    version: Mapped[int]


class ExchangeArrival(Model):
    """One body that came under one key and version, and what was answered: the same again at every repeat.

    Attributes:
        status: of the first answer; ``answer`` is what it said.
        count: how often it came.
    """

    __tablename__ = "exchange_arrival"
    __table_args__ = (
        UniqueConstraint("case_id", "kind", "seq", "data_version", "digest", name="uq_exchange_arrival_body"),
    )

    id: Mapped[int] = key_column()
    case_id: Mapped[int] = mapped_column(ForeignKey("exchange_case.id"))
    kind: Mapped[int]
    seq: Mapped[int]
    data_version: Mapped[int]
    digest: Mapped[str] = mapped_column(DIGEST)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("exchange_message.id"), index=True)
    state: Mapped[MessageState]
    status: Mapped[int]
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)
    count: Mapped[int]
    at: Mapped[datetime]
    last_at: Mapped[datetime]


class ExchangeOut(Model):
    """Something of the hall's that a department's system must take over (分发).

    Attributes:
        number: place in the inbox of the system, from 1 without gaps.
        step: the step of the case that it tells of; None in the test environment.
        attempts: how often it was handed over since it was put in, or put in again.
        happening: what makes it unlike others.
        due_at: when it is handed over again unless it was acknowledged; None when nothing is to be done.
        pulled_at: when its content was first given out.
    """

    __tablename__ = "exchange_out"
    __table_args__ = (
        UniqueConstraint("system_id", "stage", "number", name="uq_exchange_out_number"),
        UniqueConstraint("happening", name="uq_exchange_out_happening"),
        Index("ix_exchange_out_due", "state", "due_at"),
    )

    id: Mapped[int] = key_column()
    system_id: Mapped[int] = mapped_column(ForeignKey("exchange_system.id"))
    stage: Mapped[Stage]
    number: Mapped[int]
    case_id: Mapped[int] = mapped_column(ForeignKey("exchange_case.id"), index=True)
    kind: Mapped[int | None]
    event: Mapped[str] = mapped_column(String(30))
    step: Mapped[int | None]
    state: Mapped[OutState]
    attempts: Mapped[int]
    error: Mapped[str] = mapped_column(String(80))
    happening: Mapped[str] = mapped_column(String(80))
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    pulled_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]


class ConformanceRun(Model):
    """One go at the golden cases (联调测试).

    Attributes:
        standard_version: of the cases.
        place: index of the case that is due.
        marks: by the code of a case, how it went.
    """

    __tablename__ = "exchange_run"

    id: Mapped[int] = key_column()
    system_id: Mapped[int] = mapped_column(ForeignKey("exchange_system.id"), index=True)
    standard_version: Mapped[int]
    state: Mapped[RunState]
    place: Mapped[int]
    tries: Mapped[int]
    marks: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    notes: Mapped[dict[str, Any]] = mapped_column(JSON)
    certificate: Mapped[str | None] = mapped_column(String(20), unique=True)
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
