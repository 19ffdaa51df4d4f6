"""Tables of the registry of pages."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Key, Model, key_column
from app.mobile_access.domain import (
    BECAUSE_MAX,
    CODE_MAX,
    DESCRIPTION_MAX,
    EVIDENCE_NAME_MAX,
    HOTLINE_MAX,
    ICP_MAX,
    NAME_MAX,
    NAME_REASON_MAX,
    NOTE_MAX,
    REASON_MAX,
    SPEC_VERSION_MAX,
    URL_MAX,
    VERIFY_FILE_MAX,
    ChannelState,
    CheckKind,
    CheckVerdict,
    GraceOutcome,
    State,
    Theme,
    WaiverState,
)
from config.access_spec.versions import PinchZoom


class MobilePage(Model):
    """One row per registered page.

    ``url_digest`` keeps an address from being registered twice; None once the page is retired.
    ``served`` says whether residents find the page: set when it goes online, taken back when it is
    hidden, suspended or retired. ``checks`` counts the checks asked for. ``first_online_at`` is
    never taken back: the schedule of annex 3 asks when a body first got there.
    """

    __tablename__ = "mobile_page"
    __table_args__ = (
        Index("ix_mobile_page_served", "served", "first_online_at"),
        Index("ix_mobile_page_body", "body_id", "state"),
        Index("ix_mobile_page_changed", "changed_at"),
    )

    id: Mapped[int] = key_column()
    body_id: Mapped[int] = mapped_column(Key, ForeignKey("body.id"))
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    url: Mapped[str] = mapped_column(String(URL_MAX))
    url_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    theme: Mapped[Theme]
    description: Mapped[str] = mapped_column(String(DESCRIPTION_MAX))
    hotline: Mapped[str] = mapped_column(String(HOTLINE_MAX))
    elder_url: Mapped[str] = mapped_column(String(URL_MAX))
    health_url: Mapped[str] = mapped_column(String(URL_MAX))
    domains: Mapped[list[str]] = mapped_column(JSON)
    icp_number: Mapped[str] = mapped_column(String(ICP_MAX))
    name_reason: Mapped[str] = mapped_column(String(NAME_REASON_MAX))
    signed_in_url: Mapped[str] = mapped_column(String(URL_MAX))
    ticket_url: Mapped[str] = mapped_column(String(URL_MAX))
    expired_ticket_url: Mapped[str] = mapped_column(String(URL_MAX))
    wechat_file: Mapped[str] = mapped_column(String(VERIFY_FILE_MAX))
    wechat_file_text: Mapped[str] = mapped_column(String(VERIFY_FILE_MAX))
    alipay_file: Mapped[str] = mapped_column(String(VERIFY_FILE_MAX))
    may_probe_paths: Mapped[bool]
    contact_name: Mapped[str | None] = mapped_column(String(32))  # vault token
    contact_phone: Mapped[str | None] = mapped_column(String(32))  # vault token
    state: Mapped[State]
    version: Mapped[int]
    served: Mapped[bool]
    checks: Mapped[int]
    down_since: Mapped[datetime | None]
    suspension_reason: Mapped[str] = mapped_column(String(REASON_MAX))
    first_online_at: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class PageChannel(Model):
    """One row per page and channel kind wanted for it."""

    __tablename__ = "page_channel"
    __table_args__ = (UniqueConstraint("page_id", "kind", name="uq_page_channel_page_kind"),)

    id: Mapped[int] = key_column()
    page_id: Mapped[int] = mapped_column(Key, ForeignKey("mobile_page.id"))
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[ChannelState]
    reviewer: Mapped[str] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(String(REASON_MAX))
    changed_at: Mapped[datetime]


class CheckRun(Model):
    """One row per check asked for; the verdict is None until it is finished.

    ``artifact`` is the content address of what was collected, ``report`` the report as JSON.
    ``occasion`` names what the check is for, so that one occasion makes one check; ``because`` says it
    in words. ``differences`` holds lists of codes: ``broken``, ``must_broken`` and ``mended`` against
    the check before. ``files_forgotten_at``: artifact and screenshots are no longer kept for it.
    """

    __tablename__ = "check_run"
    __table_args__ = (
        UniqueConstraint("page_id", "number", name="uq_check_run_page_number"),
        Index("ix_check_run_finished", "files_forgotten_at", "finished_at"),
    )

    id: Mapped[int] = key_column()
    page_id: Mapped[int] = mapped_column(Key, ForeignKey("mobile_page.id"))
    number: Mapped[int]
    asked_by: Mapped[str] = mapped_column(String(80))
    asked_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    spec_version: Mapped[str] = mapped_column(String(20))
    profile: Mapped[str] = mapped_column(String(20))
    verdict: Mapped[CheckVerdict | None]
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
    report: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    artifact: Mapped[str | None] = mapped_column(String(64))
    kind: Mapped[CheckKind] = mapped_column(default=CheckKind.ASKED)
    occasion: Mapped[str | None] = mapped_column(String(100), unique=True)
    because: Mapped[str] = mapped_column(String(BECAUSE_MAX), default="")
    differences: Mapped[dict[str, list[str]] | None] = mapped_column(JSON(none_as_null=True))
    decided_review: Mapped[bool] = mapped_column(default=False)
    files_forgotten_at: Mapped[datetime | None]


class CheckFile(Model):
    """One row per file that a check keeps: its artifact and its screenshots."""

    __tablename__ = "check_file"

    run_id: Mapped[int] = mapped_column(
        Key, ForeignKey("check_run.id"), primary_key=True, autoincrement=False
    )
    digest: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)


class SpecVersion(Model):
    """One row per published version of the access spec.

    ``digest`` is over the rules as they stood when it was published. ``applied_at``: since when pages
    are judged by it; None while it is still to come.
    """

    __tablename__ = "spec_version"

    id: Mapped[int] = key_column()
    version: Mapped[str] = mapped_column(String(SPEC_VERSION_MAX), unique=True)
    effective_on: Mapped[date]
    published_at: Mapped[datetime]
    published_by: Mapped[str] = mapped_column(String(80))
    changelog: Mapped[str] = mapped_column(Text)
    grace_days: Mapped[int]
    pinch_zoom: Mapped[PinchZoom]
    digest: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(500))
    applied_at: Mapped[datetime | None]


class GracePeriod(Model):
    """One row per grace time (限期整改) of an online page that newly fails must-rules.

    ``open_page_id`` keeps a page from having two at once; None when it is over.
    """

    __tablename__ = "grace_period"
    __table_args__ = (Index("ix_grace_period_page", "page_id", "opened_at"),)

    id: Mapped[int] = key_column()
    page_id: Mapped[int] = mapped_column(Key, ForeignKey("mobile_page.id"))
    open_page_id: Mapped[int | None] = mapped_column(Key, unique=True)
    cause: Mapped[CheckKind]
    check_number: Mapped[int]
    spec_version: Mapped[str] = mapped_column(String(SPEC_VERSION_MAX))
    codes: Mapped[list[str]] = mapped_column(JSON)
    opened_at: Mapped[datetime]
    until_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[GraceOutcome | None]


class PageWaiver(Model):
    """One row per leave to fail a rule until a day (暂缓整改), asked for, given or refused.

    ``open_key`` keeps a page from having two for one rule; None when it is over.
    """

    __tablename__ = "page_waiver"
    __table_args__ = (
        Index("ix_page_waiver_page", "page_id", "code"),
        Index("ix_page_waiver_state", "state", "until_on"),
    )

    id: Mapped[int] = key_column()
    page_id: Mapped[int] = mapped_column(Key, ForeignKey("mobile_page.id"))
    code: Mapped[str] = mapped_column(String(CODE_MAX))
    open_key: Mapped[str | None] = mapped_column(String(60), unique=True)
    state: Mapped[WaiverState]
    reason: Mapped[str] = mapped_column(String(REASON_MAX))
    until_on: Mapped[date]
    requested_by: Mapped[str] = mapped_column(String(80))
    requested_at: Mapped[datetime]
    approver: Mapped[str] = mapped_column(String(80))
    approved_at: Mapped[datetime | None]
    opinion: Mapped[str] = mapped_column(String(REASON_MAX))
    ended_at: Mapped[datetime | None]


class Ruling(Model):
    """One row per decision of a person on a rule that no machine can decide; the newest counts.

    ``self_declared``: it is the department's word, which the province's goes before. ``answers`` holds
    one answer per question. ``evidence`` is the content address of a file that proves it.
    """

    __tablename__ = "ruling"
    __table_args__ = (Index("ix_ruling_run", "run_id", "code"),)

    id: Mapped[int] = key_column()
    page_id: Mapped[int] = mapped_column(Key, ForeignKey("mobile_page.id"))
    run_id: Mapped[int] = mapped_column(Key, ForeignKey("check_run.id"))
    code: Mapped[str] = mapped_column(String(CODE_MAX))
    passed: Mapped[bool]
    self_declared: Mapped[bool]
    answers: Mapped[list[str]] = mapped_column(JSON)
    note: Mapped[str] = mapped_column(String(NOTE_MAX))
    evidence: Mapped[str | None] = mapped_column(String(64), index=True)
    evidence_name: Mapped[str] = mapped_column(String(EVIDENCE_NAME_MAX))
    evidence_type: Mapped[str] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]


class PageLook(Model):
    """One row per online page: what the last daily look saw, to tell when it changes."""

    __tablename__ = "page_look"

    page_id: Mapped[int] = mapped_column(
        Key, ForeignKey("mobile_page.id"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime]
    title: Mapped[str] = mapped_column(String(200))
    hosts: Mapped[list[str]] = mapped_column(JSON)
    structure: Mapped[list[str]] = mapped_column(JSON)


class PrintedReport(Model):
    """One row per report asked for as PDF; ``digest`` is None until it is there, or it failed."""

    __tablename__ = "printed_report"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    run_id: Mapped[int] = mapped_column(Key, ForeignKey("check_run.id"))
    asked_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    digest: Mapped[str | None] = mapped_column(String(64), index=True)


class Publication(Model):
    """One row: a number that rises with every change to what residents see."""

    __tablename__ = "publication"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
