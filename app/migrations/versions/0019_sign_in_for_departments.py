"""OpenID Connect for departments: signing keys, codes and tokens."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "partner_oidc_key",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("private_token", sa.String(length=32), nullable=False),
        sa.Column("public", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_oidc_key")),
        sa.UniqueConstraint("kid", name=op.f("uq_partner_oidc_key_kid")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "partner_oidc_code",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("app_id", Key, nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("resident_id", Key, nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("redirect_uri", sa.String(length=500), nullable=False),
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("nonce", sa.String(length=255), nullable=False),
        sa.Column("challenge", sa.String(length=128), nullable=False),
        sa.Column("signed_in_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["app_id"], ["partner_app.id"], name=op.f("fk_partner_oidc_code_app_id_partner_app")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_oidc_code")),
        sa.UniqueConstraint("digest", name=op.f("uq_partner_oidc_code_digest")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("partner_oidc_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_partner_oidc_code_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index("ix_partner_oidc_code_nonce", ["app_id", "nonce"], unique=False)

    op.create_table(
        "partner_oidc_token",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("code_id", Key, nullable=False),
        sa.Column("app_id", Key, nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("resident_id", Key, nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["app_id"], ["partner_app.id"], name=op.f("fk_partner_oidc_token_app_id_partner_app")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_oidc_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_partner_oidc_token_digest")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("partner_oidc_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_partner_oidc_token_code_id"), ["code_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_partner_oidc_token_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_partner_oidc_token_resident_id"), ["resident_id"], unique=False)
