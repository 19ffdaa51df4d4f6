"""Commands of the access spec's versions."""

from __future__ import annotations

from datetime import datetime

import click
from flask.cli import AppGroup

from app.core import clock, db
from app.core.errors import DomainError
from app.mobile_access import service
from app.mobile_access.wording import problems_of
from config.access_spec.versions import PinchZoom

ACTOR = "system:command"
spec = AppGroup("spec", help="Versions of the access spec (手机版接入规范).")


@spec.command("list")
def show() -> None:
    """List the published versions, the newest first."""
    holds = service.spec_in_force(today=clock.day_of(clock.system_clock()))
    for one in service.versions():
        mark = "*" if one.version == holds.version else " "
        click.echo(
            f"{mark} {one.version}  {one.effective_on}  grace {one.grace_days} d  zoom {one.pinch_zoom}  "
            f"{one.digest[:12]}"
        )


@spec.command("publish")
@click.argument("version")
@click.option("--changelog", required=True, help="What changes, in Chinese.")
@click.option("--effective-on", type=click.DateTime(["%Y-%m-%d"]), help="Default: today.")
@click.option("--grace-days", type=int, default=30, show_default=True)
@click.option(
    "--pinch-zoom", type=click.Choice([one.value for one in PinchZoom]), default="allow", show_default=True
)
def publish(
    version: str, changelog: str, effective_on: datetime | None, grace_days: int, pinch_zoom: str
) -> None:
    """Publish VERSION; on its day all pages are judged again from what was collected of them."""
    now = clock.system_clock()
    day = effective_on.date() if effective_on else clock.day_of(now)
    new = service.NewVersion(version, day, grace_days, PinchZoom(pinch_zoom), changelog)
    try:
        made = db.transaction(lambda: service.publish_version(new, actor=ACTOR, now=now))
    except DomainError as error:
        told = {name: said for name, said in problems_of(error).items() if name}
        raise click.ClickException(
            "; ".join(f"{name}: {said}" for name, said in told.items()) or str(error)
        ) from None
    click.echo(f"version {made.version} is published, effective on {made.effective_on}")
