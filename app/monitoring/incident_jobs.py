"""Background work of incidents: grouping, telling, escalating, printing reform orders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.core import clock, db
from app.core.outbox import Job
from app.monitoring import escalation, service
from app.monitoring.incidents_intake import TEND_JOB
from app.monitoring.reform_paper import as_html
from mobile_pages.report.pdf import to_pdf


def tend_incidents(_payload: Mapping[str, Any]) -> None:
    """Group incidents, tell whoever is due, note hidden entries."""
    while db.transaction(lambda: escalation.tend(clock.system_clock())):
        pass
    db.transaction(lambda: escalation.keep_house(clock.system_clock()))


def print_order(payload: Mapping[str, Any]) -> None:
    """Print a reform order; printing it again changes nothing."""
    found = service.to_print(int(payload["order_id"]))
    if found is None:
        return
    paper = to_pdf(as_html(found))
    db.transaction(lambda: service.note_printed(found.id, paper))


JOBS = (
    Job(TEND_JOB, tend_incidents, every=timedelta(minutes=1)),
    Job(service.ORDER_PRINT_JOB, print_order),
)
