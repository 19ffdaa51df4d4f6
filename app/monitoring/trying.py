"""One look at a check now, for those who set it up; runs in a worker, counts nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.core import db
from app.mobile_access import service as mobile_access
from app.monitoring import checks
from app.monitoring.policy import terms_of_bodies
from config.settings import Settings
from mobile_pages.guard import Policy
from mobile_pages.probe.base import Phases, ProbeResult, ProbeTarget, Verdict
from mobile_pages.probe.http import HttpProber, Trip
from mobile_pages.probe.targets import TaskTarget
from mobile_pages.probe.task import StepLook, TaskProber, excerpt_of

NOT_WATCHED = "网页没有上线，不能试探。"


def try_check(check_id: int, asked_at: str, settings: Settings, *, now: datetime) -> None:
    """Look once and keep what was found. Opens its own transaction; the look is outside of it."""
    target = checks.target_of(check_id, terms_of_bodies(now))
    if target is None:
        found: Mapping[str, Any] = {"verdict": Verdict.UNKNOWN.value, "detail": NOT_WATCHED, "steps": []}
    else:
        result, steps = asyncio.run(look(target, mobile_access.outbound_guard(settings).policy))
        found = _told(result, steps)
    db.transaction(lambda: checks.note_tried(check_id, asked_at, found))


async def look(target: ProbeTarget, policy: Policy) -> tuple[ProbeResult, list[StepLook]]:
    """Look once, with the beginning of what was answered."""
    http = HttpProber(policy)
    try:
        if isinstance(target, TaskTarget):
            told: list[StepLook] = []
            return await TaskProber(http).look(target, told), told
        return await _look_at_page(http, target)
    finally:
        await http.close()


async def _look_at_page(http: HttpProber, target: ProbeTarget) -> tuple[ProbeResult, list[StepLook]]:
    trips: list[Trip] = []

    async def open_page(trip: Trip) -> None:
        trips.append(trip)
        await http.open(trip)

    result = await http.travel(target, open_page)
    excerpt = ""
    if trips and (answer := trips[0].answer) is not None:
        excerpt = excerpt_of(answer.body, answer.headers.get("Content-Type", ""), [])
    return result, [StepLook("打开网页", result.status, result.phases, excerpt)]


def _told(result: ProbeResult, steps: list[StepLook]) -> dict[str, Any]:
    return {
        "verdict": result.verdict.value,
        "cause": result.cause,
        "detail": result.detail,
        "status": result.status,
        "total_ms": round(result.phases.total_ms),
        "steps": [
            {"name": one.name, "status": one.status, "phases": _ms(one.phases), "excerpt": one.excerpt}
            for one in steps
        ],
    }


def _ms(phases: Phases) -> dict[str, int]:
    names = ("dns", "connect", "tls", "first_byte", "transfer")
    return {name: round(getattr(phases, f"{name}_ms")) for name in names}
