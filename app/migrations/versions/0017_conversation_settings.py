"""Conversations: settings of an account, its routes, hand-over to people."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "channel_menu_rules",
        sa.Column("account_id", Key, autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["channel_account.id"],
            name=op.f("fk_channel_menu_rules_account_id_channel_account"),
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_channel_menu_rules")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "conversation_rules",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("saved_by", sa.String(length=80), nullable=False),
        sa.Column("saved_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["channel_account.id"],
            name=op.f("fk_conversation_rules_account_id_channel_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation_rules")),
        sa.UniqueConstraint("account_id", "number", name="uq_conversation_rules_account_id_number"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "person_talk",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("sender_index", sa.String(length=64), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("taken_at", Instant(), nullable=True),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["channel_account.id"], name=op.f("fk_person_talk_account_id_channel_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_talk")),
        sa.UniqueConstraint("account_id", "sender_index", name="uq_person_talk_account_id_sender_index"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("person_talk", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_person_talk_ends_at"), ["ends_at"], unique=False)

    with op.batch_alter_table("inbound_message", schema=None) as batch_op:
        batch_op.add_column(sa.Column("recipient_token", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("push_outcome", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("push_code", sa.String(length=40), nullable=True))
        batch_op.drop_column("claimed_until")
