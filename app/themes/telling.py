"""Telling the applicant what a theme came to, through the hall's notices."""

from __future__ import annotations

from datetime import datetime

import structlog

from app.core.clock import HALL_TIME
from app.core.errors import Invalid
from app.notices import service as notices
from app.notices.service import UnknownTemplate
from app.themes.made import Made
from app.themes.models import ThemeApplication

log = structlog.get_logger(__name__)
DECIDED = "application.decided"
PART_WAITS = "theme.part-waits"
HALL = "广东省网上办事大厅"


def link_of(theme_application_id: int) -> str:
    """Return the path of the page on which the applicant follows all parts."""
    return f"/me/themes/{theme_application_id}"


def tell_end(row: ThemeApplication, made: Made, now: datetime) -> None:
    """Say once that all parts have ended; each part's own body has told of it before."""
    local = now.astimezone(HALL_TIME)
    values = {
        "事项": made.definition.name,
        "编号": row.number or "",
        "时间": f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}",
        "单位": HALL,
    }
    _send(row, DECIDED, values, f"theme:{row.id}:{row.event_count}", now)


def tell_part_waits(row: ThemeApplication, made: Made, item: str, now: datetime) -> None:
    """Say once that a part has its turn and asks for more than was filled in."""
    values = {
        "事项": made.views[item].content.name,
        "主题": made.definition.name,
        "编号": row.number or "",
    }
    _send(row, PART_WAITS, values, f"theme:{row.id}:part:{item}", now)


def _send(
    row: ThemeApplication, template: str, values: dict[str, str], dedup_key: str, now: datetime
) -> None:
    try:
        notices.send(row.resident_id, template, values, link=link_of(row.id), dedup_key=dedup_key, now=now)
    except (UnknownTemplate, Invalid) as error:
        # A case must not stand still for a template that staff took away or changed.
        log.error("notice_not_sent", template=template, because=error.code, theme_application=row.id)
