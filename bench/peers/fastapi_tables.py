"""The hall's tables as the FastAPI peer maps them: the columns that it reads and writes."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, String, Text
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


def new_id() -> int:
    return secrets.randbits(63)


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DATETIME(fsp=6), int: BigInteger, dict[str, Any]: JSON, list[Any]: JSON}


class Region(Base):
    __tablename__ = "region"
    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str]
    parent_code: Mapped[str | None]


class Body(Base):
    __tablename__ = "body"
    id: Mapped[int] = mapped_column(primary_key=True)
    full_name: Mapped[str]
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"))
    region: Mapped[Region] = relationship()


class Directory(Base):
    __tablename__ = "item_directory"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    item_type: Mapped[str]
    domain: Mapped[str]
    legal_basis: Mapped[list[Any]]
    sample: Mapped[bool]


class Implementation(Base):
    __tablename__ = "item_implementation"
    id: Mapped[int] = mapped_column(primary_key=True)
    directory_id: Mapped[int] = mapped_column(ForeignKey("item_directory.id"))
    body_id: Mapped[int] = mapped_column(ForeignKey("body.id"))
    region_code: Mapped[str]
    code: Mapped[str]
    code_scheme: Mapped[str]
    page_id: Mapped[int | None]
    directory: Mapped[Directory] = relationship()
    body: Mapped[Body] = relationship()


class Version(Base):
    __tablename__ = "item_version"
    id: Mapped[int] = mapped_column(primary_key=True)
    implementation_id: Mapped[int] = mapped_column(ForeignKey("item_implementation.id"))
    number: Mapped[int]
    state: Mapped[str]
    live: Mapped[int | None]
    content: Mapped[dict[str, Any]]
    form: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    effective_on: Mapped[date]
    implementation: Mapped[Implementation] = relationship()


class Session(Base):
    __tablename__ = "resident_session"
    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str]
    resident_id: Mapped[int]
    expires_at: Mapped[datetime]


class Entry(Base):
    __tablename__ = "vault_entry"
    token: Mapped[str] = mapped_column(String(32), primary_key=True)
    field: Mapped[str]
    key_id: Mapped[int]
    nonce: Mapped[bytes]
    ciphertext: Mapped[bytes]
    created_at: Mapped[datetime]


class Application(Base):
    __tablename__ = "application"
    id: Mapped[int] = mapped_column(primary_key=True)
    resident_id: Mapped[int]
    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_version.id"))
    body_id: Mapped[int]
    region_code: Mapped[str]
    number: Mapped[str | None]
    state: Mapped[str]
    version: Mapped[int]
    answers: Mapped[dict[str, Any]]
    sealed: Mapped[dict[str, Any]]
    materials: Mapped[dict[str, Any]]
    event_count: Mapped[int]
    submitted_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    intake_due_on: Mapped[date | None]
    promise_due_on: Mapped[date | None]
    desk_on: Mapped[date | None]
    item_version: Mapped[Version] = relationship()


class Event(Base):
    __tablename__ = "application_event"
    id: Mapped[int] = mapped_column(primary_key=True, default=new_id)
    application_id: Mapped[int]
    number: Mapped[int]
    event: Mapped[str]
    from_state: Mapped[str]
    to_state: Mapped[str]
    who: Mapped[str]
    actor: Mapped[str]
    message: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class Job(Base):
    __tablename__ = "job"
    id: Mapped[int] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    payload: Mapped[dict[str, Any]]
    dedup_key: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="pending")
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]


class Template(Base):
    __tablename__ = "notice_template"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    topic: Mapped[str]
    urgent: Mapped[bool]
    binding: Mapped[bool]
    valid_hours: Mapped[int]


class TemplateVersion(Base):
    __tablename__ = "notice_template_version"
    id: Mapped[int] = mapped_column(primary_key=True)
    template_id: Mapped[int] = mapped_column(ForeignKey("notice_template.id"))
    state: Mapped[str]
    template: Mapped[Template] = relationship()


class Message(Base):
    __tablename__ = "notice_message"
    id: Mapped[int] = mapped_column(primary_key=True, default=new_id)
    resident_id: Mapped[int]
    version_id: Mapped[int]
    dedup_key: Mapped[str]
    topic: Mapped[str]
    urgent: Mapped[bool]
    binding: Mapped[bool]
    values_token: Mapped[str]
    link: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    valid_until: Mapped[datetime]
    touched_at: Mapped[datetime]
    is_read: Mapped[bool]


class Head(Base):
    __tablename__ = "audit_head"
    chain: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
    mac: Mapped[str]


class Line(Base):
    __tablename__ = "audit_line"
    id: Mapped[int] = mapped_column(primary_key=True, default=new_id)
    chain: Mapped[int]
    number: Mapped[int]
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    object_kind: Mapped[str]
    object_id: Mapped[int]
    detail: Mapped[dict[str, Any]]
    previous_mac: Mapped[str]
    mac: Mapped[str]


class Answered(Base):
    __tablename__ = "idempotent_answer"
    id: Mapped[int] = mapped_column(primary_key=True, default=new_id)
    owner: Mapped[str]
    operation: Mapped[str]
    key: Mapped[str]
    digest: Mapped[str]
    status: Mapped[int]
    body: Mapped[str]
    created_at: Mapped[datetime]
