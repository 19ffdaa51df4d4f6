"""Periodic housekeeping of the core."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.core import clock, db, idempotency, outbox
from app.core.checkpoints import write_checkpoint
from app.core.installation import settings
from app.core.outbox import Job

KEEP_DONE_JOBS = timedelta(days=3)
KEEP_ANSWERS = timedelta(days=7)


def export_audit_checkpoint(_payload: Mapping[str, Any]) -> None:
    write_checkpoint(settings().var_dir / "audit" / "checkpoints.jsonl")


def forget_done_jobs(_payload: Mapping[str, Any]) -> None:
    db.transaction(lambda: outbox.forget_done(clock.system_clock() - KEEP_DONE_JOBS))


def forget_answers(_payload: Mapping[str, Any]) -> None:
    db.transaction(lambda: idempotency.forget_answers(clock.system_clock() - KEEP_ANSWERS))


UPKEEP = (
    Job("core.export-audit-checkpoint", export_audit_checkpoint, every=timedelta(hours=1)),
    Job("core.forget-done-jobs", forget_done_jobs, every=timedelta(hours=6)),
    Job("core.forget-answers", forget_answers, every=timedelta(hours=6)),
)
