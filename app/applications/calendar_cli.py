"""``flask calendar``: bring a year's working days in, and see which are in force."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import click
import yaml
from flask.cli import AppGroup

from app.applications import service
from app.core import clock, db, outbox, working_years
from app.core.errors import Invalid
from app.core.working_time import WorkingCalendar
from config import working_days
from config.working_days import Table, Year

BY = "command-line"
_WEEK = "一二三四五六日"

calendar = AppGroup("calendar", help="The working calendar (工作日历).")


@calendar.command("show")
@click.argument("year", type=int, required=False)
def show(year: int | None) -> None:
    """List the versions of every year, or the days of one YEAR in force."""
    for view in working_years.history():
        one = view.year
        if year is not None and one.number != year:
            continue
        kind = "暂定" if one.provisional else "正式"
        mark = "*" if view.present else " "
        click.echo(
            f"{mark} {one.number} 第{view.version}版 {kind} 休{len(one.days_off)}天 班{len(one.workdays)}天"
            f" 录入 {clock.day_of(view.entered_at)} {view.entered_by} {one.source}"
        )
        if year is not None and view.present:
            for day in sorted(one.days_off | one.workdays):
                click.echo(f"    {_said(day)} {'班' if day in one.workdays else '休'}")


@calendar.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", default="", help="document that the days come from; for CSV")
@click.option("--provisional", is_flag=True, help="not published yet; for CSV")
@click.option("--apply", "applied", is_flag=True, help="do it; without it nothing is changed")
def bring_in(file: Path, source: str, provisional: bool, applied: bool) -> None:
    """Bring in the years of a YAML or CSV FILE; says first what would change."""
    years = _read(file, source, provisional)
    former = working_years.table()
    changes = working_years.changes(former, years)
    for one in changes:
        click.echo(f"{_said(one.day)} 改为{'上班' if one.works else '休息'}")
    after = WorkingCalendar(Table(former.hours, {**former.years, **{one.number: one for one in years}}))
    cases = service.count_moved(after, changes[0].day) if changes else 0
    click.echo(f"{len(changes)} 天有变化，{cases} 个办件的期限会重新计算")
    if not applied:
        click.echo("没有写入；加上 --apply 才生效")
        return
    try:
        landed = db.transaction(lambda: _land(years))
    except Invalid as error:
        raise click.ClickException("；".join(" ".join(said) for said in error.fields.values())) from error
    click.echo(f"已写入 {len(landed)} 个年份，工作日历第 {working_years.version()} 版")


def _land(years: list[Year]) -> list[Year]:
    landed = working_years.land(years, by=BY, now=clock.system_clock())
    if landed:
        key = f"{service.RECOMPUTE_JOB}:{working_years.version()}"
        outbox.enqueue(service.RECOMPUTE_JOB, {}, dedup_key=key)
    return landed


def _read(file: Path, source: str, provisional: bool) -> list[Year]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix.lower() == ".csv":
            return working_days.years_from_csv(text, source=source, provisional=provisional)
        raw = yaml.safe_load(text)
        years = working_days.years_of(raw if isinstance(raw, dict) else {})
    except (ValueError, yaml.YAMLError) as error:
        raise click.ClickException(f"{file}: {error}") from error
    return [replace(one, source=source) for one in years] if source else years


def _said(day: date) -> str:
    return f"{day} 星期{_WEEK[day.weekday()]}"
