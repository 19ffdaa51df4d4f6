"""Third-party applications: keys, scopes, quota, consent, signed requests and webhooks."""

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "partner_nonce",
        sa.Column("key_id", Key, autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "digest", name=op.f("pk_partner_nonce")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("partner_nonce", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_partner_nonce_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "partner_app",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("body_id", Key, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("contact_token", sa.String(length=32), nullable=False),
        sa.Column("callback_url", sa.String(length=500), nullable=False),
        sa.Column("sso_hosts", sa.JSON(), nullable=False),
        sa.Column("purpose_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["body_id"], ["body.id"], name=op.f("fk_partner_app_body_id_body")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_app")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("partner_app", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_partner_app_body_id"), ["body_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_partner_app_state"), ["state"], unique=False)

    op.create_table(
        "partner_consent",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("app_id", Key, nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("resident_id", Key, nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("purpose_version", sa.Integer(), nullable=False),
        sa.Column("granted_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id"], ["partner_app.id"], name=op.f("fk_partner_consent_app_id_partner_app")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_consent")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("partner_consent", schema=None) as batch_op:
        batch_op.create_index("ix_partner_consent_app", ["app_id", "stage", "resident_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_partner_consent_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index("ix_partner_consent_resident", ["resident_id", "granted_at"], unique=False)

    op.create_table(
        "partner_consent_request",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("app_id", Key, nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("resident_id", Key, nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=200), nullable=False),
        sa.Column("decision", sa.String(length=32), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id"], ["partner_app.id"], name=op.f("fk_partner_consent_request_app_id_partner_app")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_consent_request")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_partner_consent_request_token_digest")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("partner_consent_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_partner_consent_request_app_id"), ["app_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_partner_consent_request_expires_at"), ["expires_at"], unique=False
        )

    op.create_table(
        "partner_key",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("app_id", Key, nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("secret_token", sa.String(length=32), nullable=False),
        sa.Column("not_before", Instant(), nullable=False),
        sa.Column("not_after", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("last_used_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id"], ["partner_app.id"], name=op.f("fk_partner_key_app_id_partner_app")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_key")),
        sa.UniqueConstraint("key_id", name=op.f("uq_partner_key_key_id")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("partner_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_partner_key_app_id"), ["app_id"], unique=False)

    op.create_table(
        "partner_purpose",
        sa.Column("app_id", Key, autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id"], ["partner_app.id"], name=op.f("fk_partner_purpose_app_id_partner_app")
        ),
        sa.PrimaryKeyConstraint("app_id", "version", name=op.f("pk_partner_purpose")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "partner_quota",
        sa.Column("app_id", Key, autoincrement=False, nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("per_day", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id"], ["partner_app.id"], name=op.f("fk_partner_quota_app_id_partner_app")
        ),
        sa.PrimaryKeyConstraint("app_id", "stage", name=op.f("pk_partner_quota")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "partner_sample_resident",
        sa.Column("resident_id", Key, autoincrement=False, nullable=False),
        sa.Column("app_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ticket_digest", sa.String(length=64), nullable=True),
        sa.Column("ticket_until", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["app_id"], ["partner_app.id"], name=op.f("fk_partner_sample_resident_app_id_partner_app")
        ),
        sa.PrimaryKeyConstraint("resident_id", name=op.f("pk_partner_sample_resident")),
        sa.UniqueConstraint("app_id", "number", name="uq_partner_sample_resident_number"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("partner_sample_resident", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_partner_sample_resident_ticket_digest"), ["ticket_digest"], unique=False
        )

    op.create_table(
        "partner_scope",
        sa.Column("app_id", Key, autoincrement=False, nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("changed_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id"], ["partner_app.id"], name=op.f("fk_partner_scope_app_id_partner_app")
        ),
        sa.PrimaryKeyConstraint("app_id", "scope", name=op.f("pk_partner_scope")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "partner_subject",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("app_id", Key, nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("resident_id", Key, nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id"], ["partner_app.id"], name=op.f("fk_partner_subject_app_id_partner_app")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_subject")),
        sa.UniqueConstraint("app_id", "stage", "resident_id", name="uq_partner_subject_resident"),
        sa.UniqueConstraint("app_id", "stage", "subject", name="uq_partner_subject_name"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("partner_subject", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_partner_subject_resident_id"), ["resident_id"], unique=False)

    op.create_table(
        "partner_usage",
        sa.Column("app_id", Key, autoincrement=False, nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id"], ["partner_app.id"], name=op.f("fk_partner_usage_app_id_partner_app")
        ),
        sa.PrimaryKeyConstraint("app_id", "stage", "on", name=op.f("pk_partner_usage")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "partner_webhook",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("app_id", Key, nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("url_token", sa.String(length=32), nullable=False),
        sa.Column("secret_token", sa.String(length=32), nullable=False),
        sa.Column("previous_token", sa.String(length=32), nullable=True),
        sa.Column("previous_until", Instant(), nullable=True),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("last_error", sa.String(length=80), nullable=False),
        sa.Column("last_sent_at", Instant(), nullable=True),
        sa.Column("paused_at", Instant(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id"], ["partner_app.id"], name=op.f("fk_partner_webhook_app_id_partner_app")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_webhook")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("partner_webhook", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_partner_webhook_app_id"), ["app_id"], unique=False)

    op.create_table(
        "partner_event",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("app_id", Key, nullable=True),
        sa.Column("stage", sa.String(length=32), nullable=True),
        sa.Column("webhook_id", Key, nullable=True),
        sa.Column("happening", sa.String(length=120), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id"], ["partner_app.id"], name=op.f("fk_partner_event_app_id_partner_app")
        ),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["partner_webhook.id"], name=op.f("fk_partner_event_webhook_id_partner_webhook")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_event")),
        sa.UniqueConstraint("happening", name=op.f("uq_partner_event_happening")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("partner_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_partner_event_app_id"), ["app_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_partner_event_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_partner_event_webhook_id"), ["webhook_id"], unique=False)

    op.create_table(
        "partner_use",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("consent_id", Key, nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("what", sa.String(length=80), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["consent_id"], ["partner_consent.id"], name=op.f("fk_partner_use_consent_id_partner_consent")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_use")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("partner_use", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_partner_use_at"), ["at"], unique=False)
        batch_op.create_index("ix_partner_use_consent", ["consent_id", "at"], unique=False)

    op.create_table(
        "partner_delivery",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("webhook_id", Key, nullable=False),
        sa.Column("event_id", Key, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("rung", sa.Integer(), nullable=False),
        sa.Column("next_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["partner_event.id"], name=op.f("fk_partner_delivery_event_id_partner_event")
        ),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["partner_webhook.id"],
            name=op.f("fk_partner_delivery_webhook_id_partner_webhook"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_delivery")),
        sa.UniqueConstraint("webhook_id", "event_id", name="uq_partner_delivery_once"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("partner_delivery", schema=None) as batch_op:
        batch_op.create_index("ix_partner_delivery_created", ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_partner_delivery_event_id"), ["event_id"], unique=False)

    op.create_table(
        "partner_attempt",
        sa.Column("delivery_id", Key, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["partner_delivery.id"],
            name=op.f("fk_partner_attempt_delivery_id_partner_delivery"),
        ),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_partner_attempt")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
