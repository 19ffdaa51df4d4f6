"""Builders of alerts and of who is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.alerts import service
from app.alerts.models import Delivery, Message, Notice
from app.alerts.service import Alert, Audience, Severity, Topic
from app.core import clock, db
from app.core.runner import Worker
from tests.builders import NOW, a_body

LATER = NOW + timedelta(seconds=20)


def an_alert(**changed: Any) -> Alert:
    """Return an outage of the first body, for its operators; nothing is stored."""
    given = {
        "topic": Topic.INCIDENT_OPENED,
        "severity": Severity.WARNING,
        "title": "户口办理无法访问",
        "text": "服务器拒绝连接",
        "body_id": None,
        "city_code": None,
        "group_key": "incident:1",
        "link": "/wall/page/1",
        "at": NOW,
        "audience": Audience.CONTACT,
    }
    return Alert(**{**given, **changed})


def raise_for(body=None, **changed: Any) -> None:
    """Raise an outage of ``body``; needs a transaction."""
    service.raise_alert(an_alert(body_id=(body or a_body()).id, **changed))


def settings_of(principal, **changed: Any):
    """Say how somebody wants to be told."""
    return service.change_settings(principal.staff_id, service.NewSettings(**changed), now=NOW)


def told_at(now: datetime) -> list[Message]:
    """Gather and compose as the jobs would at ``now``; return every message so far, oldest first."""
    service.gather(now)
    due = select(Notice.recipient).where(Notice.message_id.is_(None), Notice.due_at <= now).distinct()
    for recipient in list(db.session().scalars(due)):
        db.transaction(lambda recipient=recipient: service.compose(recipient, now))
    return messages()


def messages() -> list[Message]:
    query = select(Message).order_by(Message.created_at, Message.id)
    return list(db.session().scalars(query.execution_options(populate_existing=True)))


def deliveries() -> list[Delivery]:
    query = select(Delivery).order_by(Delivery.created_at, Delivery.id)
    return list(db.session().scalars(query.execution_options(populate_existing=True)))


def work(app) -> None:
    """Run every job that is due."""
    Worker(app, app.extensions["hall_jobs"]).drain()


def now() -> datetime:
    return clock.system_clock()
