"""Tables of the registry of pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Key, Model, key_column
from app.mobile_access.domain import (
    DESCRIPTION_MAX,
    HOTLINE_MAX,
    ICP_MAX,
    NAME_MAX,
    NAME_REASON_MAX,
    REASON_MAX,
    URL_MAX,
    ChannelState,
    CheckVerdict,
    State,
    Theme,
)


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
    """

    __tablename__ = "check_run"
    __table_args__ = (UniqueConstraint("page_id", "number", name="uq_check_run_page_number"),)

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


class Publication(Model):
    """One row: a number that rises with every change to what residents see."""

    __tablename__ = "publication"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
