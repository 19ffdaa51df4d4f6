from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.applications.service import Channel
from app.core.db import Model, key_column
from app.themes.domain import CODE_MAX, Event, PartStatus, State, VersionState, Who

NUMBER_LENGTH = 21


class Theme(Model):
    """主题: one row per matter; its id is what residents' links keep. ``sample``: made up for trying."""

    __tablename__ = "theme"

    id: Mapped[int] = key_column()
    code: Mapped[str] = mapped_column(String(CODE_MAX), unique=True)
    sample: Mapped[bool]
    created_at: Mapped[datetime]


class ThemeVersion(Model):
    """One version of a theme; never changed once it was published.

    Attributes:
        live: 1 while residents are shown it and NULL else: two cannot be live at once.
        built_on: which versions of its items it was checked against, by implementation.
    """

    __tablename__ = "theme_version"
    __table_args__ = (
        UniqueConstraint("theme_id", "number", name="uq_theme_version_number"),
        UniqueConstraint("theme_id", "live", name="uq_theme_version_live"),
    )

    id: Mapped[int] = key_column()
    theme_id: Mapped[int] = mapped_column(ForeignKey("theme.id"))
    number: Mapped[int]
    state: Mapped[VersionState]
    version: Mapped[int]
    live: Mapped[int | None]
    definition: Mapped[dict[str, Any]] = mapped_column(JSON)
    built_on: Mapped[dict[str, str]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(80))
    published_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class ThemeMerge(Model):
    """The merged form and materials over certain versions of the items; applications keep theirs.

    Attributes:
        digest: of theme version and items' versions: the same merge is kept once.
        parts: by item, the version of the implementation it was made from.
    """

    __tablename__ = "theme_merge"
    __table_args__ = (UniqueConstraint("version_id", "digest", name="uq_theme_merge_digest"),)

    id: Mapped[int] = key_column()
    version_id: Mapped[int] = mapped_column(ForeignKey("theme_version.id"))
    digest: Mapped[str] = mapped_column(String(64))
    parts: Mapped[dict[str, str]] = mapped_column(JSON)
    merged: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]


class ThemeApplication(Model):
    """主题主办件. Its state follows from its sub-cases.

    Attributes:
        answers: those that are nobody's secret; ``sealed``: vault tokens of the personal ones, by question.
        materials: by the slot's code, how it is handed in.
        accepted_on: the day on which the first sub-case was accepted; the joint clock starts with it.
        expires_on: when a draft is given up by itself; NULL once it is none.
    """

    __tablename__ = "theme_application"
    __table_args__ = (
        Index("ix_theme_application_mine", "resident_id", "created_at", "id"),
        Index("ix_theme_application_open", "state", "followed_at"),
        Index("ix_theme_application_expires", "expires_on"),
    )

    id: Mapped[int] = key_column()
    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("theme_version.id"), index=True)
    merge_id: Mapped[int] = mapped_column(ForeignKey("theme_merge.id"), index=True)
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"), index=True)
    left_out: Mapped[list[str]] = mapped_column(JSON)
    number: Mapped[str | None] = mapped_column(String(NUMBER_LENGTH), unique=True)
    state: Mapped[State]
    version: Mapped[int]
    channel: Mapped[Channel]
    answers: Mapped[dict[str, Any]] = mapped_column(JSON)
    sealed: Mapped[dict[str, str]] = mapped_column(JSON)
    materials: Mapped[dict[str, str]] = mapped_column(JSON)
    event_count: Mapped[int]
    created_at: Mapped[datetime]
    saved_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    followed_at: Mapped[datetime | None]
    accepted_on: Mapped[date | None]
    joint_due_on: Mapped[date | None]
    extension_days: Mapped[int]
    extension_reason: Mapped[str] = mapped_column(Text)
    expires_on: Mapped[date | None]


class ThemePart(Model):
    """One item of a theme application, and the sub-case (子办件) that it became.

    Attributes:
        application_id: NULL until the sub-case is opened.
        reason: why it is not opened, or came to nothing.
    """

    __tablename__ = "theme_part"
    __table_args__ = (
        UniqueConstraint("theme_application_id", "item", name="uq_theme_part_item"),
        Index("ix_theme_part_application", "application_id"),
    )

    id: Mapped[int] = key_column()
    theme_application_id: Mapped[int] = mapped_column(ForeignKey("theme_application.id"))
    item: Mapped[str] = mapped_column(String(60))
    place: Mapped[int]
    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_version.id"), index=True)
    status: Mapped[PartStatus]
    application_id: Mapped[int | None] = mapped_column(ForeignKey("application.id"))
    reason: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class ThemeApplicationEvent(Model):
    """One step of a theme application, dated; never changed. ``text`` is for the applicant's eyes."""

    __tablename__ = "theme_application_event"
    __table_args__ = (
        UniqueConstraint("theme_application_id", "number", name="uq_theme_application_event_number"),
    )

    id: Mapped[int] = key_column()
    theme_application_id: Mapped[int] = mapped_column(ForeignKey("theme_application.id"))
    number: Mapped[int]
    event: Mapped[Event]
    from_state: Mapped[State]
    to_state: Mapped[State]
    who: Mapped[Who]
    actor: Mapped[str] = mapped_column(String(80))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
