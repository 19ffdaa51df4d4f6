"""JSON API of the watch."""

from __future__ import annotations

from typing import Any

from app.core import access, clock
from app.core.access import Permission
from app.core.json_api import Blueprint
from app.monitoring import service
from app.monitoring.schemas import (
    IncidentListSchema,
    IncidentQuerySchema,
    StatusSchema,
    UptimeQuerySchema,
    UptimeSchema,
)
from app.monitoring.service import IncidentList, Status

api = Blueprint("monitoring", __name__, description="运行监测：可用率、事件、总体状况")
CACHED = {"Cache-Control": "public, max-age=5"}


@api.get("/uptime")
@api.arguments(UptimeQuerySchema(), location="query")
@api.response(200, UptimeSchema())
@access.staff(Permission.WATCH)
def uptime(query: dict[str, Any]) -> dict[str, Any]:
    """Tell the availability of a page, a body, a city, or all that the caller may watch."""
    now = clock.system_clock()
    windows, official = service.uptime_of(access.current_staff(), service.terms_now(now), now=now, **query)
    return {"windows": windows, "official": official}


@api.get("/incidents")
@api.arguments(IncidentQuerySchema(), location="query")
@api.response(200, IncidentListSchema())
@access.staff(Permission.WATCH)
def incidents(query: dict[str, Any]) -> IncidentList:
    """List confirmed outages, the last opened first."""
    return service.incidents(access.current_staff(), **query)


@api.get("/status")
@api.response(200, StatusSchema())
@access.public("how many services work is no secret; counts only")
def status() -> tuple[Status, int, dict[str, str]]:
    """Tell how many pages work and how many do not."""
    now = clock.system_clock()
    return service.status(service.terms_now(now), now=now), 200, CACHED
