"""Channel accounts, their secrets and tokens."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "channel_account",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("last_inbound_at", Instant(), nullable=True),
        sa.Column("last_handshake_at", Instant(), nullable=True),
        sa.Column("menu_published_at", Instant(), nullable=True),
        sa.Column("menu_error", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_account")),
        sa.UniqueConstraint("key", name=op.f("uq_channel_account_key")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "channel_token",
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("vault_token", sa.String(length=32), nullable=True),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("renewed_by", sa.String(length=40), nullable=True),
        sa.Column("renewed_until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_channel_token")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "channel_secret",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("account_id", Key, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("vault_token", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["channel_account.id"], name=op.f("fk_channel_secret_account_id_channel_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_secret")),
        sa.UniqueConstraint("account_id", "name", name="uq_channel_secret_account_id_name"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
