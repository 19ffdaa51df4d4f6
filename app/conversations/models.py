"""Tables of conversations. Of what residents write only what an answer quotes is kept, three days."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model, key_column


class InboundMessage(Model):
    """One message of a platform and what was answered; unique by event and by signed request."""

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
    claimed_until: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answer_status: Mapped[int | None]
    answer_type: Mapped[str | None] = mapped_column(String(80))
    answer_body: Mapped[bytes | None] = mapped_column(LargeBinary)
