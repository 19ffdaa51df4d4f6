"""Command of the prober process."""

from __future__ import annotations

import click
from flask.cli import AppGroup, ScriptInfo, pass_script_info

from app.core.installation import settings
from app.monitoring.domain import PROBER_MAX
from app.monitoring.prober import watch

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
