"""Commands of mobile_access: check pages as the hall would, anywhere, e.g. in a department's CI."""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click
from flask.cli import AppGroup

from app.core import clock
from app.core.installation import settings
from app.mobile_access.batch import Plan, check, exit_code
from app.mobile_access.page_list import ListRefused, declaration_of, read_list
from config.access_spec.versions import PinchZoom, VersionRow, load_versions, version_on
from config.settings import Settings
from mobile_pages.artifact import Client, Declaration
from mobile_pages.gather.browser import BrowserMissing, BrowserPool
from mobile_pages.guard import Guard, Policy
from mobile_pages.report.document import StoredReport
from mobile_pages.report.files import Form, ReportFolder
from mobile_pages.report.view import view
from mobile_pages.spec.base import Profile

pages = AppGroup("pages", help="Mobile pages.")

F = TypeVar("F", bound=Callable[..., Any])
_ENDED_BY_CTRL_C = 130
_NOT_JUDGED = 2


def _words(kind: type[Client] | type[Form]) -> Callable[[click.Context, click.Parameter, str], Any]:
    """Return a callback that reads a comma-separated list of members."""

    def parse(_context: click.Context, _parameter: click.Parameter, raw: str) -> Any:
        words = [word.strip() for word in raw.split(",") if word.strip()]
        try:
            return tuple(kind(word) for word in words)
        except ValueError:
            known = ", ".join(kind)
            raise click.BadParameter(f"must be a comma-separated list of {known}") from None

    return parse


def _allowed(_context: click.Context, _parameter: click.Parameter, raw: tuple[str, ...]) -> Any:
    targets = []
    for one in raw:
        cidr, _, port = one.rpartition(":")
        if not cidr or not port.isdigit():
            raise click.BadParameter("must look like 127.0.0.1/32:8102")
        targets.append((cidr.strip("[]"), int(port)))
    return targets


@pages.command("check")
@click.argument("urls", nargs=-1, metavar="[URL]...")
@click.option(
    "--list",
    "listed",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with one address a line, or CSV with a heading: url,name,body,hotline,…",
)
@click.option(
    "--profile", type=click.Choice([one.value for one in Profile]), default="standard", show_default=True
)
@click.option(
    "--channels",
    default="wechat,alipay,plain",
    show_default=True,
    callback=_words(Client),
    help="Whose browsers to open the page in; the plain one always does.",
)
@click.option(
    "--format",
    "forms",
    default="html,json",
    show_default=True,
    callback=_words(Form),
    help="Any of html,json,sarif,junit,pdf,csv.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("pages-check"),
    show_default=True,
    help="Folder for the reports.",
)
@click.option(
    "--pinch-zoom",
    type=click.Choice([one.value for one in PinchZoom]),
    help="Whether a page must allow pinch zoom or may forbid it; default: as the spec in force has it.",
)
@click.option("--static-only", is_flag=True, help="Plain HTTP alone, no browser.")
@click.option(
    "--allow",
    multiple=True,
    metavar="CIDR:PORT",
    callback=_allowed,
    help="Address that may be visited although it is not public; loopback not in production.",
)
@click.option("--name", default="", help="Service name (服务名) the page is registered under.")
@click.option("--body", default="", help="Body (单位) that provides it, full name.")
@click.option("--hotline", default="", help="Hotline (咨询热线).")
@click.option(
    "--probe-paths",
    is_flag=True,
    help="The bodies concerned allow that /.git/HEAD and five other paths are tried on the pages' hosts.",
)
@click.option(
    "--previous",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Output folder of an earlier run with json, to show what changed.",
)
@click.option("--jobs", type=click.IntRange(1, 16), default=2, show_default=True, help="Pages at a time.")
def check_pages(
    urls: tuple[str, ...],
    listed: Path | None,
    profile: str,
    channels: tuple[Client, ...],
    forms: tuple[Form, ...],
    output: Path,
    pinch_zoom: str | None,
    static_only: bool,
    allow: list[tuple[str, int]],
    name: str,
    body: str,
    hotline: str,
    probe_paths: bool,
    previous: Path | None,
    jobs: int,
) -> None:
    """Check pages under the access spec (手机版接入规范) and write reports.

    Needs no database, no secrets and nothing of the hall running. Exits 0 when no must-rule failed,
    1 when some did, 2 when a page could not be judged (refused, no browser).
    """
    defaults = {"name": name, "body_name": body, "hotline": hotline, "may_probe_paths": probe_paths}
    declarations = _declarations(urls, listed, defaults)
    folder = ReportFolder(output)
    earlier = ReportFolder(previous) if previous is not None else None
    try:
        before = earlier.read() if earlier is not None else None
    except ValueError as error:
        raise click.BadParameter(
            f"holds something else than reports: {error}", param_hint="--previous"
        ) from None
    plan = Plan(
        settings=settings(),
        guard=_guard(settings(), allow),
        spec=_spec(pinch_zoom),
        profile=Profile(profile),
        clients=frozenset(channels),
        static_only=static_only,
        keep_picture=folder.put_picture,
    )
    found = _check_all(declarations, plan, jobs)
    for page in found:
        shown = view(page)
        click.echo(f"{shown.badge.text}  {shown.name or shown.url}  {shown.headline}")
    code = exit_code(found, static_only=static_only)
    try:
        written = folder.write(
            found,
            forms,
            made_at=clock.system_clock(),
            previous=before,
            previous_picture=earlier.picture if earlier is not None else None,
        )
    except BrowserMissing as missing:
        click.echo(missing.trouble.detail, err=True)
        code, written = _NOT_JUDGED, [output]
    for path in written:
        click.echo(f"报告 {path}")
    raise SystemExit(code)


def _declarations(urls: Sequence[str], listed: Path | None, defaults: dict[str, Any]) -> list[Declaration]:
    try:
        declared = [{"url": url} for url in urls] + (read_list(listed.read_bytes()) if listed else [])
    except ListRefused as error:
        raise click.BadParameter(str(error), param_hint="--list") from None
    if not declared:
        raise click.UsageError("give at least one URL, or --list FILE")
    return [declaration_of(one, defaults) for one in declared]


def _spec(pinch_zoom: str | None) -> VersionRow:
    """Return the version of this release that holds today, its switch turned if that is asked for."""
    holds = version_on(clock.day_of(clock.system_clock()), load_versions())
    return holds if pinch_zoom is None else replace(holds, pinch_zoom=PinchZoom(pinch_zoom))


def _guard(installed: Settings, allow: Sequence[tuple[str, int]]) -> Guard:
    targets = [*allow, *((one.cidr, one.port) for one in installed.outbound_allow)]
    try:
        return Guard(Policy.allowing(targets, test_or_demo=installed.may_reach_loopback))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--allow") from None


def _check_all(declarations: Sequence[Declaration], plan: Plan, jobs: int) -> list[StoredReport]:
    """Check all pages, ``jobs`` at a time; return the reports in the order of ``declarations``."""
    workers = ThreadPoolExecutor(jobs, thread_name_prefix="page")
    # A KeyboardInterrupt would be lost where Python ignores exceptions, in the middle of tidying up.
    before = signal.signal(signal.SIGINT, _end_at_once)
    try:
        with BrowserPool(jobs) as pool:
            futures = [
                workers.submit(functools.partial(check, one, plan, pool, now=clock.system_clock()))
                for one in declarations
            ]
            _show_progress(futures)
            return [future.result() for future in futures]
    finally:
        signal.signal(signal.SIGINT, before)


def _end_at_once(_signal: int, _frame: object) -> None:
    click.echo("已中断。", err=True)
    # Threads in the middle of pages would hold up a tidy end for as long as the pages like.
    # Browsers end by themselves with the pipes to this process.
    os._exit(_ENDED_BY_CTRL_C)


def _show_progress(futures: Sequence[Future[StoredReport]]) -> None:
    with click.progressbar(as_completed(futures), length=len(futures), label="检测页面") as done:
        for _ in done:
            pass
