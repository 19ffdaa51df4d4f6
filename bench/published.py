"""Requests per second of the published-pages list against a bare WSGI hello on the same gunicorn."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

from app import create_app
from app.core import clock, db, migrate
from app.mobile_access.models import MobilePage, Publication
from app.mobile_access.service import State, Theme
from app.organisations import service as organisations
from bench.load import measure, rss_mb
from bench.servers import gunicorn
from config import notice
from config.settings import Settings

PAGES = 200
ROUNDS = 5
REQUESTS = 2000
LIST = "/api/v1/published-pages"


def run(environment: Mapping[str, str]) -> None:
    """Print the ratio, medians of interleaved rounds."""
    fill(Settings.from_env(environment))
    with (
        gunicorn("bench.peers.hello:application", environment) as hello,
        gunicorn("wsgi:application", environment) as hall,
    ):
        measure(hello.port, "/", hello.pids, requests=200)
        measure(hall.port, LIST, hall.pids, requests=200)
        pairs = [
            (
                measure(hello.port, "/", hello.pids, requests=REQUESTS),
                measure(hall.port, LIST, hall.pids, requests=REQUESTS),
            )
            for _ in range(ROUNDS)
        ]
        memory = rss_mb(hall.worker)
    rates = [ours.per_second / bare.per_second for bare, ours in pairs]
    costs = [bare.cpu_ms / ours.cpu_ms for bare, ours in pairs]
    bare, ours = pairs[-1]
    median = statistics.median
    print(f"published list, {PAGES} pages, against a bare WSGI hello on the same gunicorn:")
    print(f"  requests per second   {median(rates):5.2f}x  ({_spread(rates)} in {ROUNDS} rounds)")
    print(f"  CPU per request       {median(costs):5.2f}x  ({bare.cpu_ms:.2f} and {ours.cpu_ms:.2f} ms)")
    print(f"  hall's web worker     {memory:5.0f} MB RSS after {ROUNDS * REQUESTS} requests (limit 120)")
    print(f"  command to first page {hall.started_in:5.1f} s (limit 10, database prepared before)")


def _spread(values: list[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"


def fill(settings: Settings) -> None:
    """Publish ``PAGES`` pages in an empty database."""
    migrate.upgrade(settings.database_url)
    app = create_app(settings)
    with app.app_context():
        db.transaction(lambda: organisations.import_notice(notice.load(), lambda _done, _total: None))
        db.transaction(_insert_pages)


def _insert_pages() -> None:
    bodies = organisations.bodies()
    now = clock.system_clock()
    for number in range(PAGES):
        page = MobilePage(
            body_id=bodies[number % len(bodies)].id,
            name=f"样例服务{number}",
            url=f"https://page{number}.gd.gov.cn/m/",
            url_digest=str(number),
            theme=list(Theme)[number % len(Theme)],
            description="面向居民的办事服务，可查询办理条件、预约窗口和查看进度。",
            hotline="12345",
            elder_url="",
            health_url="",
            domains=[],
            icp_number="",
            name_reason="",
            signed_in_url="",
            ticket_url="",
            expired_ticket_url="",
            wechat_file="",
            wechat_file_text="",
            alipay_file="",
            may_probe_paths=True,
            state=State.ONLINE,
            version=1,
            served=True,
            checks=1,
            suspension_reason="",
            first_online_at=now,
            created_by="bench",
            created_at=now,
            changed_at=now,
        )
        db.writing().add(page)
    db.writing().add(Publication(id=1, version=1))
