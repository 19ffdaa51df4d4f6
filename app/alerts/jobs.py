"""Background work of alerts."""

from __future__ import annotations

from app.core.outbox import Job

JOBS: tuple[Job, ...] = ()
