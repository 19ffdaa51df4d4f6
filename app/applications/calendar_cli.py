"""``flask calendar``: bring a year's working days in, and see which are in force."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click
from flask.cli import AppGroup

from app.applications import service
from app.core import clock, db, working_years
from app.core.errors import Invalid

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
    try:
        years = service.read_years(
            file.read_bytes(),
            is_csv=file.suffix.lower() == ".csv",
            source=source,
            provisional=provisional,
        )
        trial = service.tried(years)
        for one in trial.changes:
            click.echo(f"{_said(one.day)} 改为{'上班' if one.works else '休息'}")
        most = "至少 " if trial.cases == service.MOVED_MAX else ""
        click.echo(f"{len(trial.changes)} 天有变化，{most}{trial.cases} 个办件的期限会重新计算")
        if not applied:
            click.echo("没有写入；加上 --apply 才生效")
            return
        landed = db.transaction(lambda: service.land_years(years, by=BY, now=clock.system_clock()))
    except Invalid as error:
        said = "；".join(" ".join(one) for one in error.fields.values())
        raise click.ClickException(f"{file.name}：{said}") from error
    click.echo(f"已写入 {len(landed)} 个年份，工作日历第 {working_years.version()} 版")


def _said(day: date) -> str:
    return f"{day} 星期{_WEEK[day.weekday()]}"
