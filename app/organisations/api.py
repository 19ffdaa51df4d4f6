"""Public lists of places, bodies and batches."""

from __future__ import annotations

from typing import Any

from app.core import access
from app.core.json_api import Blueprint
from app.organisations import service
from app.organisations.schemas import (
    BatchSchema,
    BodyQuerySchema,
    BodySchema,
    RegionSchema,
    ScheduleQuerySchema,
)
from app.organisations.service import BatchView, BodyView, RegionLevel, RegionView

api = Blueprint("organisations", __name__, description="地区、单位和附件 2–6 的时间安排")
CACHED = {"Cache-Control": "public, max-age=300"}


@api.get("/bodies")
@api.etag
@api.arguments(BodyQuerySchema(), location="query")
@api.response(200, BodySchema(many=True))
@access.public("the list of bodies is public")
def bodies(query: dict[str, Any]) -> tuple[list[BodyView], int, dict[str, str]]:
    """List the bodies that may register pages."""
    level: RegionLevel | None = query.get("level")
    return service.bodies(level), 200, CACHED


@api.get("/regions")
@api.etag
@api.response(200, RegionSchema(many=True))
@access.public("the list of regions is public")
def regions() -> tuple[list[RegionView], int, dict[str, str]]:
    """List the province, its cities, counties and zones."""
    return service.regions(), 200, CACHED


@api.get("/schedule")
@api.etag
@api.arguments(ScheduleQuerySchema(), location="query")
@api.response(200, BatchSchema(many=True))
@access.public("the notice's schedule is public")
def schedule(query: dict[str, Any]) -> tuple[list[BatchView], int, dict[str, str]]:
    """List the batches of annexes 2 to 6, counts as the notice has them."""
    return service.schedule(query.get("annex")), 200, CACHED
