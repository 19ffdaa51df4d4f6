"""Residents are people: real names, enterprises, merged accounts, delegations."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "person",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("number_index", sa.String(length=64), nullable=True),
        sa.Column("number_token", sa.String(length=32), nullable=True),
        sa.Column("name_token", sa.String(length=32), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("verified_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("number_index", name=op.f("uq_person_number_index")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "enterprise",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("uscc_index", sa.String(length=64), nullable=False),
        sa.Column("uscc_token", sa.String(length=32), nullable=False),
        sa.Column("name_token", sa.String(length=32), nullable=False),
        sa.Column("legal_person_id", Key, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("verified_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["legal_person_id"], ["person.id"], name=op.f("fk_enterprise_legal_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enterprise")),
        sa.UniqueConstraint("uscc_index", name=op.f("uq_enterprise_uscc_index")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("enterprise", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enterprise_legal_person_id"), ["legal_person_id"], unique=False)

    op.create_table(
        "account_link",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("person_id", Key, nullable=False),
        sa.Column("first_id", Key, nullable=False),
        sa.Column("second_id", Key, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("first_proved_at", Instant(), nullable=True),
        sa.Column("second_proved_at", Instant(), nullable=True),
        sa.Column("merged_at", Instant(), nullable=True),
        sa.Column("undone_at", Instant(), nullable=True),
        sa.Column("undone_by", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["first_id"], ["resident.id"], name=op.f("fk_account_link_first_id_resident")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_account_link_person_id_person")),
        sa.ForeignKeyConstraint(
            ["second_id"], ["resident.id"], name=op.f("fk_account_link_second_id_resident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_link")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("account_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_link_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_link_first_id"), ["first_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_link_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_link_second_id"), ["second_id"], unique=False)

    op.create_table(
        "data_use",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("resident_id", Key, nullable=False),
        sa.Column("what", sa.String(length=120), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("purpose", sa.String(length=200), nullable=False),
        sa.Column("case_number", sa.String(length=40), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_data_use_resident_id_resident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_use")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("data_use", schema=None) as batch_op:
        batch_op.create_index("ix_data_use_resident_at", ["resident_id", "at"], unique=False)

    op.create_table(
        "delegation",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("resident_id", Key, nullable=True),
        sa.Column("enterprise_id", Key, nullable=True),
        sa.Column("agent_index", sa.String(length=64), nullable=False),
        sa.Column("agent_name_token", sa.String(length=32), nullable=True),
        sa.Column("agent_id", Key, nullable=True),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("given_by", Key, nullable=False),
        sa.Column("given_at", Instant(), nullable=False),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["resident.id"], name=op.f("fk_delegation_agent_id_resident")),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_delegation_enterprise_id_enterprise")
        ),
        sa.ForeignKeyConstraint(["given_by"], ["resident.id"], name=op.f("fk_delegation_given_by_resident")),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_delegation_resident_id_resident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("delegation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delegation_agent_id"), ["agent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_delegation_agent_index"), ["agent_index"], unique=False)
        batch_op.create_index(batch_op.f("ix_delegation_enterprise_id"), ["enterprise_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_delegation_resident_id"), ["resident_id"], unique=False)

    op.create_table(
        "real_name_check",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("resident_id", Key, nullable=False),
        sa.Column("session_id", Key, nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("number_index", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("state_digest", sa.String(length=43), nullable=True),
        sa.Column("by_code", sa.Boolean(), nullable=False),
        sa.Column("code_index", sa.String(length=64), nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("return_to", sa.String(length=500), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_real_name_check_resident_id_resident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_real_name_check")),
        sa.UniqueConstraint("state_digest", name=op.f("uq_real_name_check_state_digest")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("real_name_check", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_real_name_check_at"), ["at"], unique=False)
        batch_op.create_index("ix_real_name_check_number_at", ["number_index", "at"], unique=False)
        batch_op.create_index("ix_real_name_check_resident_at", ["resident_id", "at"], unique=False)

    with op.batch_alter_table("resident", schema=None) as batch_op:
        batch_op.add_column(sa.Column("person_id", Key, nullable=True))
        batch_op.add_column(sa.Column("verified_at", Instant(), nullable=True))
        batch_op.create_index(batch_op.f("ix_resident_person_id"), ["person_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_resident_person_id_person"), "person", ["person_id"], ["id"]
        )

    with op.batch_alter_table("resident_session", schema=None) as batch_op:
        batch_op.add_column(sa.Column("face_until", Instant(), nullable=True))
