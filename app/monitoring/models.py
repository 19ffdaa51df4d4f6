"""Tables of the watch.

A *check* is one thing that is looked at. Every watched page has its main check, whose id is the
page's; further checks (health address, approval API, task, rendered page) have ids of their own.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Model, Paper, Small, Tiny, key_column
from app.monitoring.domain import (
    ACTOR_MAX,
    CAUSE_MAX,
    DETAIL_MAX,
    NAME_MAX,
    NOTE_MAX,
    PROBER_MAX,
    SCOPE_REF_MAX,
    URL_MAX,
    CheckKind,
    EventKind,
    IncidentState,
    MaintenanceScope,
    OrderState,
    Outcome,
)
from mobile_pages.probe.base import Condition


class ProbeSample(Model):
    """One look, small: 28 million rows a day at a province's rate.

    The key makes telling it twice harmless. No foreign key: on MariaDB the table is cut into daily
    partitions, which allow none. ``verdict`` and ``cause`` are the numbers of ``samples.VERDICTS``
    and ``samples.CAUSES``, ``prober`` that of :class:`ProberBeat`; times are whole milliseconds,
    at most 65,535.
    """

    __tablename__ = "probe_sample"
    __table_args__ = (Index("ix_probe_sample_at", "at", info={"only_on": "sqlite"}),)

    check_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Instant(3), primary_key=True)
    prober: Mapped[int] = mapped_column(Small, primary_key=True, autoincrement=False)
    verdict: Mapped[int] = mapped_column(Tiny)
    cause: Mapped[int] = mapped_column(Tiny)
    http_status: Mapped[int | None] = mapped_column(Small)
    dns_ms: Mapped[int] = mapped_column(Small)
    connect_ms: Mapped[int] = mapped_column(Small)
    tls_ms: Mapped[int] = mapped_column(Small)
    first_byte_ms: Mapped[int] = mapped_column(Small)
    total_ms: Mapped[int] = mapped_column(Small)


class PageCheck(Model):
    """A check besides the page's main one, as its body or the province set it up.

    ``settings`` holds what the kind needs (:mod:`app.monitoring.check_settings`); credentials of a task
    probe lie in the vault under ``secrets_token``. ``interval_seconds`` None: as the policy says. A
    page's main check has a row, under the page's id, only when something of it was set up. ``tried``
    is what the last try-out found; while one is under way it holds no verdict.
    """

    __tablename__ = "page_check"
    __table_args__ = (Index("ix_page_check_page", "page_id"),)

    id: Mapped[int] = key_column()
    page_id: Mapped[int] = mapped_column(Key, ForeignKey("mobile_page.id"))
    kind: Mapped[CheckKind]
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    url: Mapped[str] = mapped_column(String(URL_MAX))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    secrets_token: Mapped[str | None] = mapped_column(String(32))
    interval_seconds: Mapped[int | None]
    enabled: Mapped[bool]
    version: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(ACTOR_MAX))
    tried: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class Watch(Model):
    """One row per check that is or was watched: what is known of it now.

    ``check_id`` is the page's id for its main check (``kind`` is ``page``). ``body_id``, ``name``
    and ``url`` are copies, so that the wall reads this table alone. ``memory`` is the serialised
    state of confirmation; ``condition``, ``since`` and ``cause`` say the same for queries.
    ``sampled_at`` is when the newest look began. ``facts`` is what the newest good look learnt
    besides (certificate, TLS version, addresses, fingerprint; :class:`mobile_pages.probe.facts.Facts`).
    ``flapping_since``: set while the check flips so often that its events are held back.
    ``version`` counts the changes of what is concluded; a process that remembers a state compares
    it. A look that confirms what is held true moves ``sampled_at`` only, which therefore also says
    how far the stored looks have been judged.
    """

    __tablename__ = "watch_state"
    __table_args__ = (
        Index("ix_watch_state_body", "body_id", "watched", "condition"),
        Index("ix_watch_state_page", "page_id"),
    )

    check_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    page_id: Mapped[int] = mapped_column(Key, ForeignKey("mobile_page.id"))
    kind: Mapped[CheckKind]
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
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    flapping_since: Mapped[datetime | None]
    version: Mapped[int]


class StateSpan(Model):
    """A stretch of time under one condition; the newest of a check has no end."""

    __tablename__ = "state_span"
    __table_args__ = (Index("ix_state_span_ended", "ended_at"),)

    check_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    started_at: Mapped[datetime] = mapped_column(primary_key=True)
    ended_at: Mapped[datetime | None]
    condition: Mapped[Condition]
    cause: Mapped[str] = mapped_column(String(CAUSE_MAX))


class IncidentGroup(Model):
    """Incidents that share a cause: same host, certificate or network, beginning together.

    ``open_key`` is ``group_key`` while one of its incidents lasts and None afterwards: unique, so
    there is one open group per key at most.
    """

    __tablename__ = "incident_group"
    __table_args__ = (Index("ix_incident_group_opened", "opened_at"),)

    id: Mapped[int] = key_column()
    group_key: Mapped[str] = mapped_column(String(255))
    open_key: Mapped[str | None] = mapped_column(String(255), unique=True)
    label: Mapped[str] = mapped_column(String(DETAIL_MAX))
    cause: Mapped[str] = mapped_column(String(CAUSE_MAX))
    opened_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    member_count: Mapped[int]
    body_count: Mapped[int]


class Incident(Model):
    """A confirmed outage of one check.

    ``open_check_id`` is the check while the outage lasts and None afterwards: unique, so a check
    has one open incident at most. ``started_at`` is dated back to the first failing look,
    ``opened_at`` is when it was believed. ``phase`` is where it goes wrong (dns, connect, tls,
    status, content, slow), ``cause`` why, both as last noted, at ``cause_at``. ``evidence`` is what
    the look that confirmed it found (host, address, status, certificate). ``escalation_level`` counts
    who has been told: 0 nobody yet, 1 contact, 2 body, 3 province; ``escalate_at`` is when the next
    must be, None when nobody is left.
    """

    __tablename__ = "incident"
    __table_args__ = (
        Index("ix_incident_opened", "opened_at", "id"),
        Index("ix_incident_body", "body_id", "opened_at"),
        Index("ix_incident_page", "page_id", "opened_at"),
        Index("ix_incident_group", "group_id"),
        Index("ix_incident_escalate", "escalate_at"),
    )

    id: Mapped[int] = key_column()
    check_id: Mapped[int] = mapped_column(Key)
    open_check_id: Mapped[int | None] = mapped_column(Key, unique=True)
    page_id: Mapped[int] = mapped_column(Key, ForeignKey("mobile_page.id"))
    kind: Mapped[CheckKind]
    body_id: Mapped[int] = mapped_column(Key, ForeignKey("body.id"))
    page_name: Mapped[str] = mapped_column(String(NAME_MAX))
    state: Mapped[IncidentState]
    group_id: Mapped[int | None] = mapped_column(Key, ForeignKey("incident_group.id"))
    phase: Mapped[str] = mapped_column(String(16))
    cause: Mapped[str] = mapped_column(String(CAUSE_MAX))
    detail: Mapped[str] = mapped_column(String(DETAIL_MAX))
    cause_at: Mapped[datetime]
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)
    started_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None] = mapped_column(String(ACTOR_MAX))
    assigned_to: Mapped[int | None] = mapped_column(Key, ForeignKey("staff.id"))
    resolved_at: Mapped[datetime | None]
    outcome: Mapped[Outcome | None]
    escalation_level: Mapped[int] = mapped_column(SmallInteger)
    escalate_at: Mapped[datetime | None]


class IncidentEvent(Model):
    """One line of an incident's timeline; only ever added."""

    __tablename__ = "incident_event"
    __table_args__ = (Index("ix_incident_event_incident", "incident_id", "at"),)

    id: Mapped[int] = key_column()
    incident_id: Mapped[int] = mapped_column(Key, ForeignKey("incident.id"))
    at: Mapped[datetime]
    kind: Mapped[EventKind]
    actor: Mapped[str] = mapped_column(String(ACTOR_MAX))
    text: Mapped[str] = mapped_column(String(NOTE_MAX))


class ReformOrder(Model):
    """A reform order (整改通知): what the province demands of a body after an incident.

    ``facts`` is what the paper states, as it stood when it was ordered; ``paper`` is the PDF, None
    until it is printed. ``open_incident_id`` is the incident until the order is accepted or withdrawn
    and None afterwards: unique, so an incident has one running order at most.
    """

    __tablename__ = "reform_order"
    __table_args__ = (
        UniqueConstraint("year", "number", name="uq_reform_order_number"),
        Index("ix_reform_order_body", "body_id", "ordered_at"),
        Index("ix_reform_order_incident", "incident_id"),
    )

    id: Mapped[int] = key_column()
    year: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int]
    incident_id: Mapped[int] = mapped_column(Key, ForeignKey("incident.id"))
    open_incident_id: Mapped[int | None] = mapped_column(Key, unique=True)
    body_id: Mapped[int] = mapped_column(Key, ForeignKey("body.id"))
    state: Mapped[OrderState]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    demands: Mapped[str] = mapped_column(Text)
    due_on: Mapped[date]
    ordered_at: Mapped[datetime]
    ordered_by: Mapped[str] = mapped_column(String(ACTOR_MAX))
    remedy: Mapped[str] = mapped_column(Text)
    evidence_note: Mapped[str] = mapped_column(Text)
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None] = mapped_column(String(ACTOR_MAX))
    decision_reason: Mapped[str] = mapped_column(String(NOTE_MAX))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(ACTOR_MAX))
    paper: Mapped[bytes | None] = mapped_column(Paper, deferred=True)
    version: Mapped[int]


class Maintenance(Model):
    """A time set aside, once or recurring: announced maintenance (维护窗口), or a pause by staff.

    ``scope_ref`` is a check's, page's or body's id or a city's code; ``""`` for the whole province.
    ``condition`` is what the time counts as, ``maintenance`` (residents are told) or ``paused``.
    ``recurrence`` is an RFC 5545 RRULE without DTSTART, ``""`` for once; ``starts_at`` begins the
    first, each lasts ``minutes``; nothing begins after ``until_at``. Nothing counts before
    ``created_at`` nor from ``cancelled_at`` on: the past is never changed.
    """

    __tablename__ = "maintenance_window"
    __table_args__ = (Index("ix_maintenance_window_scope", "scope", "scope_ref"),)

    id: Mapped[int] = key_column()
    condition: Mapped[Condition]
    scope: Mapped[MaintenanceScope]
    scope_ref: Mapped[str] = mapped_column(String(SCOPE_REF_MAX))
    title: Mapped[str] = mapped_column(String(NAME_MAX))
    notice: Mapped[str] = mapped_column(String(NOTE_MAX))
    starts_at: Mapped[datetime]
    minutes: Mapped[int]
    recurrence: Mapped[str] = mapped_column(String(200))
    until_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(ACTOR_MAX))
    cancelled_at: Mapped[datetime | None]
    cancelled_by: Mapped[str | None] = mapped_column(String(ACTOR_MAX))


class WatchPolicy(Model):
    """One version of the rules of operation (运行管理办法) of the province or a city.

    ``city_code`` is ``""`` for the province; a city's policy states only what differs. ``rules``:
    :class:`app.monitoring.rules.Rules` as JSON, a province's with ``city_may`` beside them.
    """

    __tablename__ = "watch_policy"
    __table_args__ = (UniqueConstraint("city_code", "number", name="uq_watch_policy_number"),)

    id: Mapped[int] = key_column()
    city_code: Mapped[str] = mapped_column(String(20))
    number: Mapped[int]
    rules: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(Text)
    effective_at: Mapped[datetime]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(ACTOR_MAX))


class PolicyDraft(Model):
    """A policy somebody wishes to make, and what it would have done to last month.

    ``base_number`` is the version it was written upon; it can only be confirmed while that is the
    newest. ``effect``: :class:`app.monitoring.effects.Effect` as JSON, None until it is reckoned.
    ``confirmed_as`` is the number of the version made of it.
    """

    __tablename__ = "policy_draft"
    __table_args__ = (Index("ix_policy_draft_created", "created_at"),)

    id: Mapped[int] = key_column()
    city_code: Mapped[str] = mapped_column(String(20))
    base_number: Mapped[int]
    rules: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(Text)
    effective_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(ACTOR_MAX))
    effect: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    reckoned_at: Mapped[datetime | None]
    confirmed_as: Mapped[int | None]


class SloBurn(Model):
    """An alarm about an error budget; ``open_key`` is None once it is over, unique before.

    ``scope_ref`` is a body's id or a city's code, ``""`` for the province; ``factor`` tells the pair
    of windows (:data:`mobile_pages.probe.slo.PAIRS`) in tenths.
    """

    __tablename__ = "slo_burn"
    __table_args__ = (Index("ix_slo_burn_began", "began_at"),)

    id: Mapped[int] = key_column()
    open_key: Mapped[str | None] = mapped_column(String(40), unique=True)
    scope: Mapped[MaintenanceScope]
    scope_ref: Mapped[str] = mapped_column(String(SCOPE_REF_MAX))
    factor: Mapped[int]
    long_rate: Mapped[float]
    short_rate: Mapped[float]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ProberBeat(Model):
    """One row per prober: its own health as it last told it. ``number`` stands for it in samples.

    ``running``: looks under way; ``waiting``: results not stored yet, ``spooled`` of them on disk;
    ``missed`` looks and ``lost`` results count since the prober began.
    """

    __tablename__ = "prober_beat"

    name: Mapped[str] = mapped_column(String(PROBER_MAX), primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, unique=True)
    seen_at: Mapped[datetime]
    own_network_ok: Mapped[bool]
    lag_p99_ms: Mapped[int]
    targets: Mapped[int]
    looks: Mapped[int] = mapped_column(Key)
    missed: Mapped[int]
    waiting: Mapped[int]
    lost: Mapped[int]
    running: Mapped[int]
    spooled: Mapped[int]


class ShardLease(Model):
    """Which prober looks at which share of the checks, until when."""

    __tablename__ = "shard_lease"

    shard: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    owner: Mapped[str | None] = mapped_column(String(PROBER_MAX))
    leased_until: Mapped[datetime | None]


class SecondOpinion(Model):
    """A check in doubt, at which another prober is asked to look too; gone when the doubt is settled."""

    __tablename__ = "second_opinion"

    check_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    asked_by: Mapped[str] = mapped_column(String(PROBER_MAX))
    asked_at: Mapped[datetime]


class MonthlyReport(Model):
    """A month's report of the province (``""``), a city or a body, as it was published.

    ``paper`` is the PDF, None until somebody ``asked`` for it and it was printed.
    """

    __tablename__ = "monthly_report"
    __table_args__ = (UniqueConstraint("month_on", "scope_ref", name="uq_monthly_report_once"),)

    id: Mapped[int] = key_column()
    month_on: Mapped[date]
    scope_ref: Mapped[str] = mapped_column(String(SCOPE_REF_MAX))
    figures: Mapped[dict[str, Any]] = mapped_column(JSON)
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(String(ACTOR_MAX))
    asked_at: Mapped[datetime | None]
    paper: Mapped[bytes | None] = mapped_column(Paper, deferred=True)


class WallDisplay(Model):
    """A screen that shows the wall without anybody signed in (大屏); only its secret's digest is kept."""

    __tablename__ = "wall_display"

    id: Mapped[int] = key_column()
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    city_code: Mapped[str] = mapped_column(String(20))
    digest: Mapped[str] = mapped_column(String(43), unique=True)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(ACTOR_MAX))
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
