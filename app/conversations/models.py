"""Tables of conversations. Of what residents write only what an answer quotes is kept, three days."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model, key_column


class InboundMessage(Model):
    """One message of a platform and what was answered; unique by event and by signed request.

    ``push_outcome`` tells how a reply fared that had to be sent later: empty while it waits, ``accepted``,
    or why the platform refused it.
    """

    __tablename__ = "inbound_message"
    __table_args__ = (
        UniqueConstraint("account_id", "dedup_key", name="uq_inbound_message_account_id_dedup_key"),
        UniqueConstraint("account_id", "request_key", name="uq_inbound_message_account_id_request_key"),
    )

    id: Mapped[int] = key_column()
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"))
    dedup_key: Mapped[str] = mapped_column(String(64))
    request_key: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(32))
    received_at: Mapped[datetime] = mapped_column(index=True)
    answered_at: Mapped[datetime | None]
    answer_status: Mapped[int | None]
    answer_type: Mapped[str | None] = mapped_column(String(80))
    answer_body: Mapped[bytes | None] = mapped_column(LargeBinary)
    recipient_token: Mapped[str | None] = mapped_column(String(32))
    push_outcome: Mapped[str | None] = mapped_column(String(32))
    push_code: Mapped[str | None] = mapped_column(String(40))


class RulesVersion(Model):
    """One version of an account's rules, as saved; the greatest number is in force."""

    __tablename__ = "conversation_rules"
    __table_args__ = (
        UniqueConstraint("account_id", "number", name="uq_conversation_rules_account_id_number"),
    )

    id: Mapped[int] = key_column()
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"))
    number: Mapped[int]
    rules: Mapped[dict[str, Any]] = mapped_column(JSON)
    saved_by: Mapped[str] = mapped_column(String(80))
    saved_at: Mapped[datetime]


class PersonTalk(Model):
    """A resident whom a person of ours answers; the hall is silent meanwhile.

    Attributes:
        sender_index: keyed digest of the platform's user id, which names a person.
        taken_at: when a person took over; None while the resident waits for one.
        ends_at: when the platform gives the conversation back by itself.
    """

    __tablename__ = "person_talk"
    __table_args__ = (
        UniqueConstraint("account_id", "sender_index", name="uq_person_talk_account_id_sender_index"),
    )

    id: Mapped[int] = key_column()
    account_id: Mapped[int] = mapped_column(ForeignKey("channel_account.id"))
    sender_index: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    ends_at: Mapped[datetime] = mapped_column(index=True)
