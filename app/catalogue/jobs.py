"""What the catalogue does by the calendar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from app.catalogue import importing, service, standing
from app.catalogue.service import VersionEvent
from app.core import clock, db
from app.core.errors import Conflict
from app.core.outbox import Job

log = structlog.get_logger(__name__)


def publish_due(_payload: Mapping[str, Any]) -> None:
    now = clock.system_clock()
    for version_id in service.due_versions(clock.day_of(now)):
        try:
            _publish(version_id, now)
        except Conflict as error:
            # One that cannot come into force must not hold up the others.
            log.warning("item_version_not_published", version=version_id, because=str(error))


def _publish(version_id: int, now: datetime) -> None:
    db.transaction(
        lambda: service.move_version(version_id, VersionEvent.EFFECTIVE_DATE, actor="system", now=now)
    )


def assess(_payload: Mapping[str, Any]) -> None:
    """Make standings that are missing, or of older rules."""
    while outdated := standing.outdated():
        db.transaction(partial(_touch, outdated))


def _touch(implementation_ids: Iterable[int]) -> None:
    for one in implementation_ids:
        standing.touch(one)


def forget_imports(_payload: Mapping[str, Any]) -> None:
    db.transaction(lambda: importing.forget_imports(now=clock.system_clock()))


JOBS = (
    Job("catalogue.publish-due", publish_due, every=timedelta(minutes=10)),
    Job("catalogue.assess", assess, every=timedelta(hours=1)),
    Job("catalogue.forget-imports", forget_imports, every=timedelta(days=1)),
)
