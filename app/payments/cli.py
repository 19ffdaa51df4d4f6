"""Commands of payments."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.core import clock
from app.payments import service

group = AppGroup("payments", help="Look at payments; ask the platform about them.")


@group.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 200))
def list_orders(limit: int) -> None:
    """Show the newest orders."""
    for order in service.newest(limit):
        back = f"，已退 {order.refunded_fen / 100:.2f}" if order.refunded_fen else ""
        label = service.STATE_LABELS[order.state]
        click.echo(f"{order.number}  {order.amount_fen / 100:>9.2f} 元  {label}{back}  {order.subject}")


@group.command("reconcile")
def reconcile() -> None:
    """Ask the platform about orders nobody heard of for ten minutes."""
    click.echo(f"问了 {service.reconcile(clock.system_clock())} 笔 asked about")
