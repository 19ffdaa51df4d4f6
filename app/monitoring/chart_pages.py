"""Pictures of the watch over time: heat by day, latency by phase."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from app.core import access, clock
from app.core.access import Permission
from app.core.errors import NotFound
from app.monitoring import service
from app.monitoring.pages import words

PHASES = ("dns", "connect", "tls", "first_byte", "transfer")

chart_pages = Blueprint("chart_pages", __name__, url_prefix="/wall", template_folder="templates")
chart_pages.context_processor(words)


@chart_pages.get("/heat")
@access.staff(Permission.WATCH)
def heat() -> str:
    days = _one_of(service.HEAT_DAYS, default=30)
    shown = service.heat(access.current_staff(), days, now=clock.system_clock())
    return render_template("monitoring/heat.html", heat=shown, days=days, choices=service.HEAT_DAYS)


@chart_pages.get("/page/<id:page_id>/latency.json")
@access.staff(Permission.WATCH)
def latency(page_id: int) -> dict[str, Any]:
    """Give columns, so that 168 points take a few kilobytes; milliseconds, None where nothing was seen."""
    days = _one_of(service.LATENCY_DAYS, default=7)
    now = clock.system_clock()
    points = service.latency(access.current_staff(), page_id, days, service.terms_now(now), now=now)
    phases = [one.phases or (None,) * 5 for one in points]
    columns = dict(
        zip(("dns", "connect", "tls", "first_byte", "transfer"), zip(*phases, strict=True), strict=True)
    )
    return {
        "at": [one.start.isoformat() for one in points],
        "phases": {name: [_tenths(value) for value in values] for name, values in columns.items()},
        "p50": [_tenths(one.p50) for one in points],
        "p95": [_tenths(one.p95) for one in points],
        "p99": [_tenths(one.p99) for one in points],
    }


def _one_of(choices: tuple[int, ...], default: int) -> int:
    given = request.args.get("days", str(default))
    if given not in {str(one) for one in choices}:
        raise NotFound("没有这个时间范围")
    return int(given)


def _tenths(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
