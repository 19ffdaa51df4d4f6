"""Telling the applicant what happened, through the hall's notices."""

from __future__ import annotations

from datetime import date, datetime

import structlog

from app.applications.models import Application
from app.catalogue.service import ItemView
from app.core.clock import HALL_TIME
from app.core.errors import Invalid
from app.notices import service as notices
from app.notices.service import UnknownTemplate

log = structlog.get_logger(__name__)
SUBMITTED = "application.submitted"
ACCEPTED = "application.accepted"
CORRECTION = "application.correction"
DECIDED = "application.decided"
DOCUMENT = "document.served"


def link_of(application_id: int) -> str:
    """Return the path of the page on which the applicant follows the case."""
    return f"/me/applications/{application_id}"


def tell(
    row: Application,
    item: ItemView,
    template: str,
    now: datetime,
    *,
    at: datetime | None = None,
    until: date | None = None,
    paper: str = "",
) -> None:
    """Send a notice about the case in the running transaction; once per event.

    Args:
        at: when it happened, None for now.
        until: the day a supplement is due.
        paper: the document that is served, for the template of documents.
    """
    values = {
        "事项": item.content.name,
        "编号": row.number or "",
        "时间": day(until) if until else moment(at or now),
    }
    if template != CORRECTION:
        values["单位"] = item.body_name
    if template == DOCUMENT:
        values["文书"] = paper
    try:
        notices.send(
            row.resident_id,
            template,
            values,
            link=link_of(row.id),
            dedup_key=f"application:{row.id}:{row.event_count}",
            now=now,
        )
    except (UnknownTemplate, Invalid) as error:
        # A case must not stand still for a template that staff took away or changed.
        log.error("notice_not_sent", template=template, because=error.code, application=row.id)


def moment(at: datetime) -> str:
    """Return a moment in words, e.g. ``2026年3月2日 09:00``."""
    local = at.astimezone(HALL_TIME)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


def day(on: date) -> str:
    """Return a day in words, e.g. ``2026年3月2日``."""
    return f"{on.year}年{on.month}月{on.day}日"
