"""Telling the applicant what happened, through the hall's notices."""

from __future__ import annotations

from datetime import date, datetime

import structlog

from app.applications.desk_domain import ReminderKind
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
LIMIT_MOVED = "application.limit-moved"
CORRECTION_REMINDER = "application.correction-reminder"
RESULT_REMINDER = "application.result-reminder"


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
    _send(row, template, values, str(row.event_count), now)


def _send(row: Application, template: str, values: dict[str, str], once: str, now: datetime) -> None:
    try:
        notices.send(
            row.resident_id,
            template,
            values,
            link=link_of(row.id),
            dedup_key=f"application:{row.id}:{once}",
            now=now,
        )
    except (UnknownTemplate, Invalid) as error:
        # A case must not stand still for a template that staff took away or changed.
        log.error("notice_not_sent", template=template, because=error.code, application=row.id)


def tell_moved(
    row: Application, item: ItemView, limit: str, old_on: date, new_on: date, version: int, now: datetime
) -> None:
    """Tell the applicant that a limit moved because of version ``version`` of the calendar."""
    values = {
        "事项": item.content.name,
        "编号": row.number or "",
        "期限": limit,
        "原定": day(old_on),
        "时间": day(new_on),
    }
    _send(row, LIMIT_MOVED, values, f"limit:{version}", now)


def remind(row: Application, item: ItemView, kind: ReminderKind, due: date, now: datetime) -> None:
    """Remind the applicant of what is due on ``due``."""
    fetch = kind is ReminderKind.FETCH
    values = {"事项": item.content.name, "编号": row.number or "", "时间": day(due)}
    if fetch:
        values["单位"] = item.body_name
    _send(row, RESULT_REMINDER if fetch else CORRECTION_REMINDER, values, f"{kind}:{due}", now)


def moment(at: datetime) -> str:
    """Return a moment in words, e.g. ``2026年3月2日 09:00``."""
    local = at.astimezone(HALL_TIME)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


def day(on: date) -> str:
    """Return a day in words, e.g. ``2026年3月2日``."""
    return f"{on.year}年{on.month}月{on.day}日"
