"""Background work of rules, maintenance and error budgets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.core import clock, db
from app.core.outbox import Job
from app.monitoring import holds, policy, policy_effects, slo


def reckon_policy(payload: Mapping[str, Any]) -> None:
    """Reckon what a proposed policy would have done to last month."""
    policy_effects.reckon(int(payload["draft_id"]), now=clock.system_clock())


def forget_drafts(_payload: Mapping[str, Any]) -> None:
    """Delete proposals that nobody confirmed."""
    db.transaction(lambda: policy.forget_drafts(clock.system_clock()))


def apply_holds(_payload: Mapping[str, Any]) -> None:
    """Begin and end maintenance and pauses that are due."""
    holds.apply(clock.system_clock())


def watch_budgets(_payload: Mapping[str, Any]) -> None:
    """Raise and end alarms about error budgets."""
    db.transaction(lambda: slo.watch_budgets(clock.system_clock()))


JOBS = (
    Job("monitoring.watch-budgets", watch_budgets, every=timedelta(minutes=1)),
    Job("monitoring.apply-holds", apply_holds, every=timedelta(seconds=10)),
    Job(policy.RECKON_JOB, reckon_policy),
    Job("monitoring.forget-policy-drafts", forget_drafts, every=timedelta(hours=6)),
)
