"""Residents: who signs in, through which channels, and for how long."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "resident",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("phone_token", sa.String(length=32), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resident")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "resident_binding",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("resident_id", Key, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("subject_index", sa.String(length=64), nullable=False),
        sa.Column("subject_token", sa.String(length=32), nullable=False),
        sa.Column("union_index", sa.String(length=64), nullable=True),
        sa.Column("bound_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["channel_account.id"],
            name=op.f("fk_resident_binding_account_id_channel_account"),
        ),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_resident_binding_resident_id_resident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resident_binding")),
        sa.UniqueConstraint("account_id", "subject_index", name="uq_resident_binding_account_subject"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("resident_binding", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_resident_binding_resident_id"), ["resident_id"], unique=False)
    op.create_table(
        "resident_session",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=43), nullable=False),
        sa.Column("resident_id", Key, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("client", sa.String(length=32), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["channel_account.id"],
            name=op.f("fk_resident_session_account_id_channel_account"),
        ),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_resident_session_resident_id_resident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resident_session")),
        sa.UniqueConstraint("digest", name=op.f("uq_resident_session_digest")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("resident_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_resident_session_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_resident_session_resident_id"), ["resident_id"], unique=False)
    op.create_table(
        "resident_union",
        sa.Column("union_index", sa.String(length=64), nullable=False),
        sa.Column("resident_id", Key, nullable=False),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_resident_union_resident_id_resident")
        ),
        sa.PrimaryKeyConstraint("union_index", name=op.f("pk_resident_union")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("resident_union", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_resident_union_resident_id"), ["resident_id"], unique=False)
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("state_digest", sa.String(length=43), nullable=False),
        sa.Column("cookie_digest", sa.String(length=43), nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("resident_id", Key, nullable=True),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("return_to", sa.String(length=500), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["channel_account.id"], name=op.f("fk_sign_in_attempt_account_id_channel_account")
        ),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_sign_in_attempt_resident_id_resident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
        sa.UniqueConstraint("state_digest", name=op.f("uq_sign_in_attempt_state_digest")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("sign_in_attempt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_attempt_expires_at"), ["expires_at"], unique=False)
    op.create_table(
        "sso_ticket",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=43), nullable=False),
        sa.Column("resident_id", Key, nullable=False),
        sa.Column("audience", sa.String(length=80), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_sso_ticket_resident_id_resident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sso_ticket")),
        sa.UniqueConstraint("digest", name=op.f("uq_sso_ticket_digest")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("sso_ticket", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sso_ticket_expires_at"), ["expires_at"], unique=False)
