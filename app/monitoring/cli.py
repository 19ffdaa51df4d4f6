"""Commands of the watch: the prober process, the proof of its figures."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from threading import Event

import click
from flask.cli import AppGroup, ScriptInfo, pass_script_info

from app.core import clock
from app.core.installation import settings
from app.core.later import load
from app.monitoring import policy, recompute
from app.monitoring.domain import PROBER_MAX, terms
from app.monitoring.prober import Desk, watch
from app.monitoring.queue_worker import NO_STATS, relay
from app.monitoring.reckoning import paces_of
from mobile_pages.probe.uptime import Window, day_window

group = AppGroup("monitor", help="Watch the published pages (运行监测).")


def _name(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not 0 < len(value) <= PROBER_MAX or not value.isprintable():
        raise click.BadParameter(f"needs 1 to {PROBER_MAX} printable characters")
    return value


@group.command("run")
@click.option("--name", default="prober-1", show_default=True, callback=_name, help="Unique among probers.")
@pass_script_info
def run(info: ScriptInfo, name: str) -> None:
    """Look at every published page until interrupted."""
    watch(info.load_app(), settings(), name)


@group.command("relay")
@click.option("--name", default="relay-1", show_default=True, callback=_name, help="Unique among probers.")
@pass_script_info
def relay_command(info: ScriptInfo, name: str) -> None:
    """Put looks that are due into RabbitMQ, for workers of Celery; leases shares as a prober does."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    desk = Desk(info.load_app(), name, terms(settings()), lambda: NO_STATS)
    relay(desk, load("app.monitoring.celery_app:send"), stop)


@group.command("recompute")
@click.option(
    "--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="First day; default: the oldest kept."
)
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Last day; default: the newest.")
@click.option("--page", type=int, help="Only this page or check, by id.")
@click.option("--repair", is_flag=True, help="Write what should be there; each is a visible correction.")
def recompute_command(first: datetime | None, last: datetime | None, page: int | None, repair: bool) -> None:
    """Reckon every published figure anew from stored rows; exit 1 and name each that differs."""
    now = clock.system_clock()
    start = day_window(first.date()).start if first else datetime.min.replace(tzinfo=UTC)
    end = day_window(last.date()).end if last else datetime.max.replace(tzinfo=UTC)
    if end <= start:
        raise click.BadParameter("ends before it begins", param_hint="--to")
    order = recompute.Order(Window(start, end), page, repair)
    count = 0
    for one in recompute.recompute(order, now, paces_of(policy.terms_of_bodies(now).of)):
        count += 1
        told = ", ".join(
            f"{name} {one.stored.get(name, '-')} -> {one.due.get(name, '-')}"
            for name in sorted(one.stored.keys() | one.due.keys())
        )
        begun = one.start.astimezone(clock.HALL_TIME)
        click.echo(f"{one.length.name} {begun:%Y-%m-%d %H:%M} {one.scope.name} {one.ref}: {told}")
    if count:
        click.echo(f"{count} differences" + (", repaired" if repair else ""))
        raise SystemExit(1)
    click.echo("every roll-up says what its rows say")
