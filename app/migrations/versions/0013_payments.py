"""Payments at a platform: orders of ours and the notifications about them."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "payment_order",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("amount_fen", Key, nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("seller_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("platform_number", sa.String(length=64), nullable=True),
        sa.Column("refunded_fen", Key, nullable=False),
        sa.Column("tell_job", sa.String(length=80), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("paid_at", Instant(), nullable=True),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["channel_account.id"], name=op.f("fk_payment_order_account_id_channel_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_order")),
        sa.UniqueConstraint("account_id", "number", name="uq_payment_order_account_id_number"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("payment_order", schema=None) as batch_op:
        batch_op.create_index("ix_payment_order_state", ["state", "asked_at"], unique=False)

    op.create_table(
        "payment_notice",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("notify_id", sa.String(length=128), nullable=False),
        sa.Column("order_id", Key, nullable=False),
        sa.Column("trade_state", sa.String(length=32), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["channel_account.id"], name=op.f("fk_payment_notice_account_id_channel_account")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["payment_order.id"], name=op.f("fk_payment_notice_order_id_payment_order")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_notice")),
        sa.UniqueConstraint("account_id", "notify_id", name="uq_payment_notice_account_id_notify_id"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("payment_notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payment_notice_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_payment_notice_received_at"), ["received_at"], unique=False)

    op.create_table(
        "payment_refund",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("order_id", Key, nullable=False),
        sa.Column("amount_fen", Key, nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"], ["payment_order.id"], name=op.f("fk_payment_refund_order_id_payment_order")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_refund")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("payment_refund", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payment_refund_order_id"), ["order_id"], unique=False)
