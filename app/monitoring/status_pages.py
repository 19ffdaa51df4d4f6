"""The public status page (服务状态), its feed and badges: what residents may know, without signing in."""

from __future__ import annotations

from typing import Any

import feedgenerator
from flask import Blueprint, Response, make_response, render_template, request

from app.core import access, clock
from app.core.installation import settings
from app.monitoring import service
from app.monitoring.pages import SIGNS
from app.monitoring.service import CONDITION_LABELS, PublicIncident, PublicNotice
from app.monitoring.wording import duration, moment

# Badges and feeds are fetched by others' pages and readers, again and again.
CACHED = "public, max-age=30"
_HEAD_MAX = 12

status_pages = Blueprint("status_pages", __name__, url_prefix="/status", template_folder="templates")


@status_pages.context_processor
def _words() -> dict[str, Any]:
    return {
        "condition_labels": CONDITION_LABELS,
        "signs": SIGNS,
        "duration": duration,
        "moment": moment,
        "cause_label": service.cause_label,
        "elder": request.args.get("style") == "elder",
    }


@status_pages.get("")
@access.public("how the services stand is for everybody")
def status() -> Response:
    now = clock.system_clock()
    terms = service.terms_now(now)
    groups = service.published_standing(terms, now=now)
    answer = make_response(
        render_template(
            "monitoring/status.html",
            watching=any(one.alive for one in service.probers(now=now)),
            counts=service.counts_of(groups),
            groups=groups,
            incidents=service.public_incidents(now=now),
            notices=service.public_maintenance(now=now),
            now=now,
        )
    )
    answer.headers["Cache-Control"] = CACHED
    return answer


@status_pages.get("/feed.xml")
@access.public("the same as a feed for readers")
def feed() -> Response:
    """Give the incidents as RSS 2.0, each once when it opens and once when it ends, and maintenance."""
    base = settings().base_url
    made = feedgenerator.Rss201rev2Feed(
        title="广东省网上办事大厅手机版 · 服务状态",
        link=f"{base}/status",
        description="移动服务的中断、恢复与维护公告",
        language="zh-CN",
        feed_url=f"{base}/status/feed.xml",
    )
    now = clock.system_clock()
    for notice in service.public_maintenance(now=now):
        _add_notice(made, notice, base)
    for one in service.public_incidents(now=now):
        _add(made, one, base)
    answer = Response(made.writeString("utf-8"), content_type="application/rss+xml; charset=utf-8")
    answer.headers["Cache-Control"] = CACHED
    return answer


def _add_notice(made: Any, one: PublicNotice, base: str) -> None:
    """Add announced maintenance; each time it falls is an item of its own."""
    made.add_item(
        title=f"维护公告：{one.place} {one.title}",
        description=f"{moment(one.starts_at)} 至 {moment(one.ends_at)}。{one.text}",
        link=f"{base}/status",
        unique_id=f"maintenance-{one.id}-{one.ends_at:%Y%m%d%H%M}",
        unique_id_is_permalink=False,
    )


def _add(made: Any, one: PublicIncident, base: str) -> None:
    incident = one.incident
    where = f"{one.body_name} · {incident.page_name}"
    cause = service.cause_label(incident.cause)
    told = {"link": f"{base}/status", "author_name": one.body_name}
    if incident.resolved_at is not None:
        made.add_item(
            title=f"已恢复：{where}",
            description=f"历时 {duration(incident.lasted_seconds(incident.resolved_at))}。",
            pubdate=incident.resolved_at,
            unique_id=f"{incident.id}-resolved",
            unique_id_is_permalink=False,
            **told,
        )
    made.add_item(
        title=f"无法访问：{where}",
        description=f"{moment(incident.started_at)} 起{cause or '无法访问'}。",
        pubdate=incident.opened_at,
        unique_id=f"{incident.id}-opened",
        unique_id_is_permalink=False,
        **told,
    )


@status_pages.get("/badge/<id:page_id>.svg")
@access.public("departments show on their own pages how the service stands")
def badge(page_id: int) -> Response:
    now = clock.system_clock()
    found = service.badge(page_id, service.terms_now(now), now=now)
    picture = render_template("monitoring/badge.svg", badge=found, name=found.name[:_HEAD_MAX])
    answer = Response(picture, content_type="image/svg+xml; charset=utf-8")
    answer.headers["Cache-Control"] = CACHED
    return answer
