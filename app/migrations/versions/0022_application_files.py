"""Applications: files, variants, agents, where prefilled answers came from, when drafts end."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    with op.batch_alter_table("application", schema=None) as batch_op:
        batch_op.add_column(sa.Column("files", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("sources", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("variant", sa.String(length=40), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("agent_id", Key, nullable=True))
        batch_op.add_column(sa.Column("delegation_id", Key, nullable=True))
        batch_op.add_column(sa.Column("enterprise_id", Key, nullable=True))
        batch_op.add_column(sa.Column("code_issue", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("fits_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("expires_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("reminded_at", Instant(), nullable=True))
        batch_op.add_column(sa.Column("forgotten_at", Instant(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_application_agent_id_resident"), "resident", ["agent_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_application_delegation_id_delegation"), "delegation", ["delegation_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_application_enterprise_id_enterprise"), "enterprise", ["enterprise_id"], ["id"]
        )
        batch_op.create_index(batch_op.f("ix_application_delegation_id"), ["delegation_id"], unique=False)
        batch_op.create_index("ix_application_agent", ["agent_id", "created_at", "id"], unique=False)
        batch_op.create_index(
            "ix_application_enterprise", ["enterprise_id", "created_at", "id"], unique=False
        )
        batch_op.create_index("ix_application_expires", ["expires_on"], unique=False)
        batch_op.create_index("ix_application_ended", ["forgotten_at", "ended_at"], unique=False)

    op.create_table(
        "application_file",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("application_id", Key, nullable=False),
        sa.Column("material", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("secret_token", sa.String(length=32), nullable=False),
        sa.Column("blob", sa.String(length=64), nullable=False),
        sa.Column("thumb", sa.LargeBinary(), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("byte_count", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("page_count", sa.Integer(), nullable=False),
        sa.Column("scanned", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_application_file_application_id_application"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_file")),
        sa.UniqueConstraint("application_id", "key", name="uq_application_file_key"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("application_file", schema=None) as batch_op:
        batch_op.create_index("ix_application_file_blob", ["blob"], unique=False)
        batch_op.create_index("ix_application_file_digest", ["application_id", "digest"], unique=False)
