"""Commands of the core: prepare the hall, work the jobs, verify the audit trail."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup

from app.core import audit, clock, db, migrate, vault, working_years
from app.core.capability import Capability
from app.core.checkpoints import read_checkpoints, write_checkpoint
from app.core.outbox import Job
from app.core.runner import Worker
from config.settings import Settings

Progress = Callable[[int, int], None]


def init_app(
    app: Flask, settings: Settings, capabilities: Sequence[Capability], jobs: Mapping[str, Job]
) -> None:
    app.cli.add_command(_hall(settings, capabilities))
    app.cli.add_command(_jobs(app, settings, jobs))
    app.cli.add_command(_audit(settings))
    app.cli.add_command(_vault(settings))


def _hall(settings: Settings, capabilities: Sequence[Capability]) -> AppGroup:
    group = AppGroup("hall", help="Set the hall up.")

    @group.command("prepare")
    def prepare() -> None:
        """Create or migrate the database and fill the tables of the notice. Safe to repeat."""
        settings.demand_secrets()
        click.echo("数据库 database: " + migrate.upgrade(settings.database_url))
        landed = db.transaction(lambda: working_years.fill(clock.system_clock()))
        click.echo(f"工作日历 working days: {len(landed)} years entered")
        for capability in capabilities:
            if capability.prepare is not None:
                with click.progressbar(length=1, label=f"{capability.name:<16}", width=30) as bar:
                    capability.prepare(_reporter(bar))

    @group.command("check-settings")
    def check_settings() -> None:
        """Say whether the settings are complete; all but the secrets were read to come this far."""
        settings.demand_secrets()
        click.echo(f"settings are complete ({settings.environment})")

    return group


def _reporter(bar: click._termui_impl.ProgressBar[int]) -> Progress:
    def report(done: int, total: int) -> None:
        bar.length = max(total, 1)
        bar.update(done - bar.pos)

    return report


def _jobs(app: Flask, settings: Settings, jobs: Mapping[str, Job]) -> AppGroup:
    group = AppGroup("jobs", help="Background work.")

    @group.command("work")
    @click.option("--threads", default=2, show_default=True, type=click.IntRange(1, 32))
    def work(threads: int) -> None:
        """Run jobs until interrupted."""
        settings.demand_secrets()
        worker = Worker(app, jobs, threads=threads)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: worker.stop())
        worker.run_forever()

    @group.command("run")
    @click.argument("name")
    @click.option("--payload", default="{}", help="JSON object")
    def run(name: str, payload: str) -> None:
        """Run one job once, now, in this process."""
        if name not in jobs:
            raise click.BadParameter(f"choose one of {', '.join(sorted(jobs))}", param_hint="NAME")
        try:
            given = json.loads(payload)
        except ValueError as error:
            raise click.BadParameter("is not JSON", param_hint="--payload") from error
        jobs[name].run(given)
        click.echo(f"{name}: done")

    return group


def _audit(settings: Settings) -> AppGroup:
    group = AppGroup("audit", help="The audit trail (全程留痕).")
    exported = settings.var_dir / "audit" / "checkpoints.jsonl"

    @group.command("verify")
    @click.option("--checkpoints", type=click.Path(path_type=Path), default=exported, show_default=False)
    def verify(checkpoints: Path) -> None:
        """Recompute the chain; exit 1 and name every doctored line."""
        try:
            points = read_checkpoints(checkpoints)
        except ValueError as error:
            raise click.ClickException(f"{checkpoints}: {error}") from error
        faults = list(audit.verify(points))
        for fault in faults:
            click.echo(f"chain {fault.chain}, line {fault.number}: {fault.problem}")
        lines = sum(number for number, _ in audit.heads().values())
        if faults:
            raise SystemExit(1)
        click.echo(f"audit trail is whole: {lines} lines")

    @group.command("checkpoint")
    @click.option("--output", type=click.Path(path_type=Path), default=exported, show_default=False)
    def checkpoint(output: Path) -> None:
        """Append the heads of the chain to a file outside the database."""
        write_checkpoint(output)
        click.echo(f"checkpoint written to {output}")

    return group


def _vault(settings: Settings) -> AppGroup:
    group = AppGroup("vault", help="The vault (保险箱).")

    @group.command("rewrap")
    def rewrap() -> None:
        """Wrap all data keys by the newest master key, so that older ones can be taken away."""
        settings.demand_secrets()
        newest = max(settings.vault_keys)

        def work() -> int:
            count = vault.rewrap()
            audit.record("system", "vault.rewrap", "vault", newest, {"keys": count})
            return count

        count = db.transaction(work)
        click.echo(f"{count} keys wrapped anew; master keys older than {newest} are not needed any more")

    return group
