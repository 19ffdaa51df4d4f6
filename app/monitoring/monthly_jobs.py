"""Background work of the monthly reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.core import clock, db
from app.core.outbox import Job
from app.monitoring import service
from app.monitoring.monthly_files import as_paper
from mobile_pages.report.pdf import to_pdf

ACTOR = "system:watch"


def publish_month(_payload: Mapping[str, Any]) -> None:
    """Publish what is still missing of last month's reports, one transaction each."""
    now = clock.system_clock()
    month_on = (clock.day_of(now).replace(day=1) - timedelta(days=1)).replace(day=1)
    if not service.month_is_rolled_up(month_on):
        return  # the last day's roll-ups are not there yet: the next run finds them
    for scope_ref in service.due_reports():
        db.transaction(lambda ref=scope_ref: service.publish_month(ref, month_on, ACTOR, now=now))  # type: ignore[misc]


def print_month(payload: Mapping[str, Any]) -> None:
    """Print one report; printing again changes nothing."""
    found = service.report_to_print(int(payload["id"]))
    if found is None:
        return
    paper = to_pdf(as_paper(found.figures))
    db.transaction(lambda: service.keep_report_paper(found.id, paper))


JOBS = (
    Job("monitoring.publish-month", publish_month, every=timedelta(hours=1)),
    Job(service.MONTHLY_PRINT_JOB, print_month),
)
