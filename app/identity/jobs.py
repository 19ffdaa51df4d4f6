from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.core import clock, db
from app.core.outbox import Job
from app.identity import service


def forget_expired(_payload: Mapping[str, Any]) -> None:
    now = clock.system_clock()
    while db.transaction(lambda: service.forget_expired(now)):
        pass


JOBS = (Job("identity.forget-expired", forget_expired, every=timedelta(hours=1)),)
