"""Looks by way of RabbitMQ: `flask monitor relay` puts there what is due, any number of workers look.

For watching that outgrows one machine or stands behind firewalls. Celery is no part of the hall's
requirements: see deploy/celery.md. The task carries ids only; a worker reads the rest (addresses, test
credentials) itself, makes the very same look as the prober and stores it by the very same desk. It is
acknowledged after storing, so the looks of a worker that dies are made by another.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Sequence
from functools import cache

from celery import Celery

from app import create_app
from app.monitoring.queue_worker import QueueWorker
from config.settings import Settings

BROKER = "HALL_CELERY_BROKER"
TASK = "monitoring.look"
BATCH = 25

application = Celery("hall", broker=os.environ.get(BROKER, "amqp://guest@127.0.0.1//"))
application.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_default_queue="hall-looks",
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)


@cache
def _worker() -> QueueWorker:
    """Return this process's worker; one for life, since a client belongs to its event loop."""
    settings = Settings.from_env()
    return QueueWorker(create_app(settings), settings, socket.gethostname())


def look(check_ids: Sequence[int], due_at: float) -> None:
    """Look at checks that were due at ``due_at`` (seconds since 1970) and store what was found."""
    _worker().look(check_ids, due_at)


application.task(look, name=TASK)


def send(check_ids: Iterable[int], due_at: float, *, expires_seconds: float) -> None:
    """Ask any worker to look; what nobody has begun after ``expires_seconds`` is not done at all."""
    ids = list(check_ids)
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        application.send_task(TASK, args=(batch, due_at), expires=expires_seconds)
