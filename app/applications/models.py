from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.applications.domain import NUMBER_LENGTH, Channel, Event, FileType, State, Who
from app.core.db import Key, Model, key_column


class Application(Model):
    """办件. A projection of its events, kept in step with them in the same transaction.

    Attributes:
        item_version_id: the version it is handled by; fixed at submission.
        form_version_id: the version whose form it was filled in with.
        answers: those that are nobody's secret; ``sealed``: vault tokens of the personal ones, by field.
        materials: by the material's code, how it is handed in; ``files``: the ids of what was uploaded.
        variant: 情形 that it is applied for in; ``""`` where the item has none, or nobody said yet.
        agent_id: who acts for the applicant (代办人); ``delegation_id`` is by what right.
        enterprise_id: the enterprise that applies; ``resident_id`` is then its clerk.
        sources: by field, where a prefilled answer came from: ``from``, ``text``, ``on``.
        code_issue: how often a new query code was asked for.
        fits_on: the day on which all answers of the draft were seen to fit its form, nothing since.
        expires_on: when a draft is given up by itself; NULL once it is none.
        forgotten_at: when the personal answers and files of an ended case were forgotten.
        desk_on: when its department must act, far away when it waits for somebody else; NULL once
            it is no work of theirs. The desk's order.
        city_code: the city of its body.
        desk_body_id: on whose desk it lies, and ``desk_city``: of which city; NULL once it is no work of
            theirs. So each desk is one range of an index that holds open cases only.
        step: how many steps of the handling are done.
        proposed_by_id: who proposed a decision that waits for a second person; NULL while none does.
        used_days: working days between acceptance and decision, pauses left out.
        on_time: decided within the promise.
        calendar_version: the version of the working calendar its limits were reckoned by.
    """

    __tablename__ = "application"
    __table_args__ = (
        Index("ix_application_mine", "resident_id", "created_at", "id"),
        Index("ix_application_desk", "desk_body_id", "desk_on", "id"),
        Index("ix_application_desk_all", "desk_on", "id"),
        Index("ix_application_desk_city", "desk_city", "desk_on", "id"),
        Index("ix_application_desk_handler", "handler_id", "desk_on", "id"),
        Index("ix_application_calendar", "state", "calendar_version", "id"),
        Index("ix_application_intake", "state", "desk_on"),
        Index("ix_application_supplement", "state", "supplement_due_on"),
        Index("ix_application_version", "item_version_id", "state"),
        Index("ix_application_agent", "agent_id", "created_at", "id"),
        Index("ix_application_enterprise", "enterprise_id", "created_at", "id"),
        Index("ix_application_expires", "expires_on"),
        Index("ix_application_ended", "forgotten_at", "ended_at"),
    )

    id: Mapped[int] = key_column()
    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id"))
    implementation_id: Mapped[int] = mapped_column(ForeignKey("item_implementation.id"), index=True)
    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_version.id"))
    form_version_id: Mapped[int] = mapped_column(ForeignKey("item_version.id"), index=True)
    body_id: Mapped[int] = mapped_column(ForeignKey("body.id"), index=True)
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"), index=True)
    referred_from_id: Mapped[int | None] = mapped_column(
        ForeignKey("application.id", ondelete="SET NULL"), index=True
    )
    number: Mapped[str | None] = mapped_column(String(NUMBER_LENGTH), unique=True)
    state: Mapped[State]
    version: Mapped[int]
    channel: Mapped[Channel]
    answers: Mapped[dict[str, Any]] = mapped_column(JSON)
    sealed: Mapped[dict[str, str]] = mapped_column(JSON)
    materials: Mapped[dict[str, str]] = mapped_column(JSON)
    files: Mapped[dict[str, list[str]]] = mapped_column(JSON, default=dict)
    sources: Mapped[dict[str, dict[str, str]]] = mapped_column(JSON, default=dict)
    variant: Mapped[str] = mapped_column(String(40), default="")
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("resident.id"))
    delegation_id: Mapped[int | None] = mapped_column(ForeignKey("delegation.id"), index=True)
    enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"))
    code_issue: Mapped[int] = mapped_column(default=0)
    fits_on: Mapped[date | None]
    expires_on: Mapped[date | None]
    reminded_at: Mapped[datetime | None]
    forgotten_at: Mapped[datetime | None]
    city_code: Mapped[str | None] = mapped_column(String(20))
    desk_body_id: Mapped[int | None] = mapped_column(Key)
    desk_city: Mapped[str | None] = mapped_column(String(20))
    handler_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    proposed_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    step: Mapped[int] = mapped_column(default=0)
    event_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    saved_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    intake_due_on: Mapped[date | None]
    supplement_due_on: Mapped[date | None]
    promise_due_on: Mapped[date | None]
    lawful_due_on: Mapped[date | None]
    delivery_due_on: Mapped[date | None]
    desk_on: Mapped[date | None]
    extension_days: Mapped[int] = mapped_column(default=0)
    pauses: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    calendar_version: Mapped[int] = mapped_column(default=0)
    used_days: Mapped[int | None]
    on_time: Mapped[bool | None]
    granted: Mapped[bool | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    remedy: Mapped[str] = mapped_column(Text, default="")
    result: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))


class ApplicationEvent(Model):
    """One step of an application, dated; never changed.

    Attributes:
        text: for the applicant's eyes; ``detail``: for staff and for the exchange.
        message: code of the exchange standard's message that tells of it, ``""`` for none.
    """

    __tablename__ = "application_event"
    __table_args__ = (
        UniqueConstraint("application_id", "number", name="uq_application_event_number"),
        Index("ix_application_event_at", "at", "event"),
    )

    id: Mapped[int] = key_column()
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"))
    number: Mapped[int]
    event: Mapped[Event]
    from_state: Mapped[State]
    to_state: Mapped[State]
    who: Mapped[Who]
    actor: Mapped[str] = mapped_column(String(80))
    message: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime]


class ApplicationSupplement(Model):
    """One notice of what is missing (补正告知), and what was handed in on it."""

    __tablename__ = "application_supplement"
    __table_args__ = (UniqueConstraint("application_id", "number", name="uq_application_supplement_number"),)

    id: Mapped[int] = key_column()
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"))
    number: Mapped[int]
    items: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    asked_at: Mapped[datetime]
    due_on: Mapped[date]
    supplied_at: Mapped[datetime | None]
    statement: Mapped[str] = mapped_column(Text, default="")


class ApplicationFile(Model):
    """One picture or document of a material (附件), as it lies in the blob store.

    Attributes:
        key: the client's own name for the upload: sent again, it is the same file.
        digest: what was sent, as a blind index: the same content is kept once per application.
        secret_token: where in the vault the key lies that opens it; without it the blob is noise.
        blob: address in the store.
        thumb: small picture, sealed by the same key; empty for documents.
        byte_count: of what is kept; ``page_count`` of a document, else 0.
        scanned: a virus scanner has looked at it.
    """

    __tablename__ = "application_file"
    __table_args__ = (
        UniqueConstraint("application_id", "key", name="uq_application_file_key"),
        Index("ix_application_file_digest", "application_id", "digest"),
        Index("ix_application_file_blob", "blob"),
    )

    id: Mapped[int] = key_column()
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"))
    material: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(80))
    digest: Mapped[str] = mapped_column(String(64))
    secret_token: Mapped[str] = mapped_column(String(32))
    blob: Mapped[str] = mapped_column(String(64))
    thumb: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    type: Mapped[FileType]
    byte_count: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    page_count: Mapped[int]
    scanned: Mapped[bool]
    actor: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]
