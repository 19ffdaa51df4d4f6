"""The watch whole: checks beside the page's own, roll-ups, groups, maintenance, policies, leases.

Looks get numbers instead of words, and watch, spans, looks and incidents hang on a check instead
of a page; a page's main check has the page's id, so what is there is carried over.
"""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

from app.core.db import Instant, Key, Medium, Paper, Small, Tiny

revision = "0008"
down_revision = "0007"

# The numbers of looks as of this version.
_VERDICTS = ("up", "degraded", "down", "unknown")
_CAUSES = (
    *("", "dns_failure", "connect_refused", "connect_timeout", "unreachable", "tls_invalid", "tls_expired"),
    *("http_status", "wrong_content", "redirect_loop", "bad_redirect", "bad_answer", "connection_lost"),
    *("timeout", "too_large", "slow", "missed", "prober_offline", "prober_fault"),
)
_PHASES = {
    "dns": ("dns_failure",),
    "connect": ("connect_refused", "connect_timeout", "unreachable"),
    "tls": ("tls_invalid", "tls_expired"),
    "status": ("http_status", "redirect_loop", "bad_redirect"),
    "content": ("wrong_content", "bad_answer", "too_large"),
    "slow": ("slow", "timeout", "connection_lost"),
}

_PARTS = ("dns", "connect", "tls", "first_byte", "total")


def _case(column: str, words: dict[str, str], otherwise: str) -> str:
    branches = " ".join(f"WHEN {column} = '{word}' THEN {value}" for word, value in words.items())
    return f"CASE {branches} ELSE {otherwise} END"


def _renew(table: str, create: Callable[[], None], columns: dict[str, str]) -> None:
    """Make ``table`` anew and carry its rows over; ``columns`` says where the new columns come from."""
    op.execute(f"CREATE TABLE old_{table} AS SELECT * FROM {table}")
    op.drop_table(table)
    create()
    names = ", ".join(f"`{name}`" for name in columns)
    op.execute(f"INSERT INTO {table} ({names}) SELECT {', '.join(columns.values())} FROM old_{table}")
    op.drop_table(f"old_{table}")


def _same(*names: str) -> dict[str, str]:
    return {name: f"`{name}`" for name in names}


def _milliseconds(column: str) -> str:
    if op.get_bind().dialect.name == "sqlite":
        return f"substr({column}, 1, 23) || '000'"
    return f"`{column}`"


def _at_most(column: str, most: int) -> str:
    return f"CASE WHEN {column} > {most} THEN {most} ELSE {column} END"


def upgrade() -> None:
    op.create_table(
        "incident_group",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("group_key", sa.String(length=255), nullable=False),
        sa.Column("open_key", sa.String(length=255), nullable=True),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("resolved_at", Instant(), nullable=True),
        sa.Column("member_count", sa.Integer(), nullable=False),
        sa.Column("body_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_group")),
        sa.UniqueConstraint("open_key", name=op.f("uq_incident_group_open_key")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("incident_group", schema=None) as batch_op:
        batch_op.create_index("ix_incident_group_opened", ["opened_at"], unique=False)

    op.create_table(
        "maintenance_window",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("condition", sa.String(length=32), nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("scope_ref", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=40), nullable=False),
        sa.Column("notice", sa.String(length=1000), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("recurrence", sa.String(length=200), nullable=False),
        sa.Column("until_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("cancelled_at", Instant(), nullable=True),
        sa.Column("cancelled_by", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance_window")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("maintenance_window", schema=None) as batch_op:
        batch_op.create_index("ix_maintenance_window_scope", ["scope", "scope_ref"], unique=False)

    op.create_table(
        "monthly_report",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("month_on", sa.Date(), nullable=False),
        sa.Column("scope_ref", sa.String(length=20), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("made_by", sa.String(length=80), nullable=False),
        sa.Column("asked_at", Instant(), nullable=True),
        sa.Column("paper", Paper, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_monthly_report")),
        sa.UniqueConstraint("month_on", "scope_ref", name="uq_monthly_report_once"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "rollup",
        sa.Column("span", sa.String(length=1), nullable=False),
        sa.Column("start_at", Instant(0), nullable=False),
        sa.Column("check_id", Key, autoincrement=False, nullable=False),
        sa.Column("body_id", Key, nullable=False),
        sa.Column("up_s", Medium, nullable=False),
        sa.Column("degraded_s", Medium, nullable=False),
        sa.Column("down_s", Medium, nullable=False),
        sa.Column("maintenance_s", Medium, nullable=False),
        sa.Column("paused_s", Medium, nullable=False),
        sa.Column("unknown_s", Medium, nullable=False),
        sa.Column("looks", Medium, nullable=False),
        sa.Column("failures", Medium, nullable=False),
        sa.Column("missed", Medium, nullable=False),
        sa.Column("visits", Medium, nullable=False),
        sa.Column("visit_failures", Medium, nullable=False),
        sa.Column("dns_ms", sa.Integer(), nullable=False),
        sa.Column("connect_ms", sa.Integer(), nullable=False),
        sa.Column("tls_ms", sa.Integer(), nullable=False),
        sa.Column("first_byte_ms", sa.Integer(), nullable=False),
        sa.Column("total_ms", sa.Integer(), nullable=False),
        sa.Column("histogram", sa.LargeBinary(length=4000), nullable=False),
        sa.Column("slot_s", Small, nullable=False),
        sa.Column("fresh_s", Medium, nullable=False),
        sa.Column("revision", sa.SmallInteger(), nullable=False),
        sa.Column("computed_at", Instant(0), nullable=False),
        sa.PrimaryKeyConstraint("span", "start_at", "check_id", name=op.f("pk_rollup")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "group_rollup",
        sa.Column("span", sa.String(length=1), nullable=False),
        sa.Column("scope", sa.String(length=1), nullable=False),
        sa.Column("start_at", Instant(0), nullable=False),
        sa.Column("ref", sa.String(length=20), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("up_s", Key, nullable=False),
        sa.Column("degraded_s", Key, nullable=False),
        sa.Column("down_s", Key, nullable=False),
        sa.Column("maintenance_s", Key, nullable=False),
        sa.Column("paused_s", Key, nullable=False),
        sa.Column("unknown_s", Key, nullable=False),
        sa.Column("looks", Key, nullable=False),
        sa.Column("failures", Key, nullable=False),
        sa.Column("missed", Key, nullable=False),
        sa.Column("visits", Key, nullable=False),
        sa.Column("visit_failures", Key, nullable=False),
        sa.Column("dns_ms", Key, nullable=False),
        sa.Column("connect_ms", Key, nullable=False),
        sa.Column("tls_ms", Key, nullable=False),
        sa.Column("first_byte_ms", Key, nullable=False),
        sa.Column("total_ms", Key, nullable=False),
        sa.Column("histogram", sa.LargeBinary(length=8000), nullable=False),
        sa.Column("revision", sa.SmallInteger(), nullable=False),
        sa.Column("computed_at", Instant(0), nullable=False),
        sa.PrimaryKeyConstraint("span", "scope", "start_at", "ref", name=op.f("pk_group_rollup")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "rollup_correction",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("span", sa.String(length=1), nullable=False),
        sa.Column("scope", sa.String(length=1), nullable=False),
        sa.Column("ref", sa.String(length=20), nullable=False),
        sa.Column("start_at", Instant(0), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("corrected_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollup_correction")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("rollup_correction", schema=None) as batch_op:
        batch_op.create_index("ix_rollup_correction_at", ["corrected_at"], unique=False)
        batch_op.create_index("ix_rollup_correction_whose", ["scope", "ref", "start_at"], unique=False)

    op.create_table(
        "history_mark",
        sa.Column("name", sa.String(length=10), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_history_mark")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "rollup_touch",
        sa.Column("hour_at", Instant(0), nullable=False),
        sa.Column("check_id", Key, autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("hour_at", "check_id", name=op.f("pk_rollup_touch")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "shard_lease",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.String(length=20), nullable=True),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("shard", name=op.f("pk_shard_lease")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "second_opinion",
        sa.Column("check_id", Key, autoincrement=False, nullable=False),
        sa.Column("asked_by", sa.String(length=20), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("check_id", name=op.f("pk_second_opinion")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "wall_display",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("city_code", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.String(length=43), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wall_display")),
        sa.UniqueConstraint("digest", name=op.f("uq_wall_display_digest")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "policy_draft",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("city_code", sa.String(length=20), nullable=False),
        sa.Column("base_number", sa.Integer(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("effective_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("effect", sa.JSON(), nullable=True),
        sa.Column("reckoned_at", Instant(), nullable=True),
        sa.Column("confirmed_as", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_draft")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("policy_draft", schema=None) as batch_op:
        batch_op.create_index("ix_policy_draft_created", ["created_at"], unique=False)

    op.create_table(
        "slo_burn",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("open_key", sa.String(length=40), nullable=True),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("scope_ref", sa.String(length=20), nullable=False),
        sa.Column("factor", sa.Integer(), nullable=False),
        sa.Column("long_rate", sa.Double(), nullable=False),
        sa.Column("short_rate", sa.Double(), nullable=False),
        sa.Column("began_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slo_burn")),
        sa.UniqueConstraint("open_key", name=op.f("uq_slo_burn_open_key")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("slo_burn", schema=None) as batch_op:
        batch_op.create_index("ix_slo_burn_began", ["began_at"], unique=False)

    op.create_table(
        "watch_policy",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("city_code", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("effective_at", Instant(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch_policy")),
        sa.UniqueConstraint("city_code", "number", name="uq_watch_policy_number"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    op.create_table(
        "page_check",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("page_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("secrets_token", sa.String(length=32), nullable=True),
        sa.Column("interval_seconds", sa.Integer(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("tried", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["page_id"], ["mobile_page.id"], name=op.f("fk_page_check_page_id_mobile_page")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_check")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("page_check", schema=None) as batch_op:
        batch_op.create_index("ix_page_check_page", ["page_id"], unique=False)

    _renew(
        "watch_state",
        _create_watch_state,
        {"check_id": "page_id", "kind": "'page'", "version": "1"}
        | _same("page_id", "body_id", "name", "url", "watched", "begun_at", "condition", "since", "cause")
        | _same("sampled_at", "total_ms", "memory"),
    )
    _renew(
        "state_span",
        _create_state_span,
        {"check_id": "page_id"} | _same("started_at", "ended_at", "condition", "cause"),
    )
    acknowledged = "CASE WHEN acknowledged_at IS NULL THEN 'open' ELSE 'acknowledged' END"
    phases = {cause: f"'{phase}'" for phase, causes in _PHASES.items() for cause in causes}
    _renew(
        "incident",
        _create_incident,
        {
            "check_id": "page_id",
            "open_check_id": "open_page_id",
            "kind": "'page'",
            "state": f"CASE WHEN open_page_id IS NULL THEN 'resolved' ELSE {acknowledged} END",
            "phase": _case("cause", phases, "'other'"),
            "cause_at": "opened_at",
            "evidence": "'{}'",
            "escalation_level": "0",
        }
        | _same("id", "page_id", "body_id", "page_name", "cause", "detail", "started_at", "opened_at")
        | _same("acknowledged_at", "acknowledged_by", "resolved_at", "outcome"),
    )
    _renew(
        "prober_beat",
        _create_prober_beat,
        {"number": "ROW_NUMBER() OVER (ORDER BY name)", "running": "0", "spooled": "0"}
        | _same("name", "seen_at", "own_network_ok", "lag_p99_ms", "targets", "looks", "missed", "waiting")
        | _same("lost"),
    )
    verdicts = {word: str(number) for number, word in enumerate(_VERDICTS)}
    causes = {word: str(number) for number, word in enumerate(_CAUSES)}
    prober = "(SELECT number FROM prober_beat WHERE prober_beat.name = old_probe_sample.prober)"
    _renew(
        "probe_sample",
        _create_probe_sample,
        {
            "check_id": "page_id",
            "prober": f"COALESCE({prober}, 0)",
            "verdict": _case("verdict", verdicts, "3"),
            "cause": _case("cause", causes, str(len(_CAUSES))),
        }
        | {"at": _milliseconds("at")}
        | _same("http_status")
        | {f"{name}_ms": _at_most(f"{name}_ms", 65_535) for name in _PARTS},
    )
    op.create_table(
        "incident_event",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("incident_id", Key, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_incident_event_incident_id_incident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_event")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("incident_event", schema=None) as batch_op:
        batch_op.create_index("ix_incident_event_incident", ["incident_id", "at"], unique=False)
    _create_reform_order()


def _create_watch_state() -> None:
    op.create_table(
        "watch_state",
        sa.Column("check_id", Key, autoincrement=False, nullable=False),
        sa.Column("page_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("body_id", Key, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("watched", sa.Boolean(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("condition", sa.String(length=32), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("sampled_at", Instant(), nullable=True),
        sa.Column("total_ms", sa.Integer(), nullable=True),
        sa.Column("memory", sa.JSON(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=True),
        sa.Column("flapping_since", Instant(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["body_id"], ["body.id"], name=op.f("fk_watch_state_body_id_body")),
        sa.ForeignKeyConstraint(
            ["page_id"], ["mobile_page.id"], name=op.f("fk_watch_state_page_id_mobile_page")
        ),
        sa.PrimaryKeyConstraint("check_id", name=op.f("pk_watch_state")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("watch_state", schema=None) as batch_op:
        batch_op.create_index("ix_watch_state_body", ["body_id", "watched", "condition"], unique=False)
        batch_op.create_index("ix_watch_state_page", ["page_id"], unique=False)


def _create_state_span() -> None:
    op.create_table(
        "state_span",
        sa.Column("check_id", Key, autoincrement=False, nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("condition", sa.String(length=32), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("check_id", "started_at", name=op.f("pk_state_span")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("state_span", schema=None) as batch_op:
        batch_op.create_index("ix_state_span_ended", ["ended_at"], unique=False)


def _create_incident() -> None:
    op.create_table(
        "incident",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("check_id", Key, nullable=False),
        sa.Column("open_check_id", Key, nullable=True),
        sa.Column("page_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("body_id", Key, nullable=False),
        sa.Column("page_name", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("group_id", Key, nullable=True),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.String(length=200), nullable=False),
        sa.Column("cause_at", Instant(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("acknowledged_at", Instant(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=80), nullable=True),
        sa.Column("assigned_to", Key, nullable=True),
        sa.Column("resolved_at", Instant(), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.Column("escalation_level", sa.SmallInteger(), nullable=False),
        sa.Column("escalate_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["assigned_to"], ["staff.id"], name=op.f("fk_incident_assigned_to_staff")),
        sa.ForeignKeyConstraint(
            ["group_id"], ["incident_group.id"], name=op.f("fk_incident_group_id_incident_group")
        ),
        sa.ForeignKeyConstraint(["body_id"], ["body.id"], name=op.f("fk_incident_body_id_body")),
        sa.ForeignKeyConstraint(
            ["page_id"], ["mobile_page.id"], name=op.f("fk_incident_page_id_mobile_page")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
        sa.UniqueConstraint("open_check_id", name=op.f("uq_incident_open_check_id")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.create_index("ix_incident_body", ["body_id", "opened_at"], unique=False)
        batch_op.create_index("ix_incident_opened", ["opened_at", "id"], unique=False)
        batch_op.create_index("ix_incident_page", ["page_id", "opened_at"], unique=False)
        batch_op.create_index("ix_incident_group", ["group_id"], unique=False)
        batch_op.create_index("ix_incident_escalate", ["escalate_at"], unique=False)


def _create_reform_order() -> None:
    op.create_table(
        "reform_order",
        sa.Column("id", Key, autoincrement=False, nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("incident_id", Key, nullable=False),
        sa.Column("open_incident_id", Key, nullable=True),
        sa.Column("body_id", Key, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("demands", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("ordered_at", Instant(), nullable=False),
        sa.Column("ordered_by", sa.String(length=80), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("evidence_note", sa.Text(), nullable=False),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("answered_by", sa.String(length=80), nullable=True),
        sa.Column("decision_reason", sa.String(length=1000), nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("paper", Paper, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["body_id"], ["body.id"], name=op.f("fk_reform_order_body_id_body")),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_reform_order_incident_id_incident")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reform_order")),
        sa.UniqueConstraint("open_incident_id", name=op.f("uq_reform_order_open_incident_id")),
        sa.UniqueConstraint("year", "number", name="uq_reform_order_number"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    with op.batch_alter_table("reform_order", schema=None) as batch_op:
        batch_op.create_index("ix_reform_order_body", ["body_id", "ordered_at"], unique=False)
        batch_op.create_index("ix_reform_order_incident", ["incident_id"], unique=False)


def _create_prober_beat() -> None:
    op.create_table(
        "prober_beat",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("own_network_ok", sa.Boolean(), nullable=False),
        sa.Column("lag_p99_ms", sa.Integer(), nullable=False),
        sa.Column("targets", sa.Integer(), nullable=False),
        sa.Column("looks", Key, nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=False),
        sa.Column("running", sa.Integer(), nullable=False),
        sa.Column("spooled", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_prober_beat")),
        sa.UniqueConstraint("number", name=op.f("uq_prober_beat_number")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )


def _create_probe_sample() -> None:
    op.create_table(
        "probe_sample",
        sa.Column("check_id", Key, autoincrement=False, nullable=False),
        sa.Column("at", Instant(3), nullable=False),
        sa.Column("prober", Small, autoincrement=False, nullable=False),
        sa.Column("verdict", Tiny, nullable=False),
        sa.Column("cause", Tiny, nullable=False),
        sa.Column("http_status", Small, nullable=True),
        sa.Column("dns_ms", Small, nullable=False),
        sa.Column("connect_ms", Small, nullable=False),
        sa.Column("tls_ms", Small, nullable=False),
        sa.Column("first_byte_ms", Small, nullable=False),
        sa.Column("total_ms", Small, nullable=False),
        sa.PrimaryKeyConstraint("check_id", "at", "prober", name=op.f("pk_probe_sample")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    if op.get_bind().dialect.name == "sqlite":
        op.create_index("ix_probe_sample_at", "probe_sample", ["at"])
        return
    # Days are dropped as partitions (app.monitoring.partitions), so the index would only cost room.
    op.execute(
        "ALTER TABLE probe_sample PARTITION BY RANGE COLUMNS(at) "
        "(PARTITION later VALUES LESS THAN (MAXVALUE))"
    )
