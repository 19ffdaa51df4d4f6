from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.conversations import service
from app.core import clock, db
from app.core.outbox import Job


def send_reply(payload: Mapping[str, Any]) -> None:
    service.send_reply(payload, clock.system_clock())


def forget_old_messages(_payload: Mapping[str, Any]) -> None:
    while db.transaction(lambda: service.forget_old_messages(clock.system_clock())):
        pass


JOBS = (
    Job(service.SEND_JOB, send_reply),
    Job("conversations.forget-old-messages", forget_old_messages, every=timedelta(hours=6)),
)
