"""Working days as a file brings them: read, tried, landed; for the command line and the console alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import yaml

from app.applications.recomputing import RECOMPUTE_JOB, count_moved
from app.core import outbox, working_years
from app.core.errors import Invalid, Stale
from app.core.working_time import WorkingCalendar
from app.core.working_years import DayChange
from config import working_days
from config.working_days import Table, Year

CALENDAR_BYTES_MAX = 64 * 1024
MOVED_MAX = 2000
"""Cases counted by a trial; how many there are beyond is of no use to who decides."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a file would change.

    Attributes:
        changes: days, in order; ``cases``: open cases with a limit that moves, :data:`MOVED_MAX` at most.
        version: of the calendar it was compared with.
    """

    years: list[Year]
    changes: list[DayChange]
    cases: int
    version: int


def read_years(content: bytes, *, is_csv: bool, source: str, provisional: bool) -> list[Year]:
    """Return the years of a CSV or YAML file.

    Args:
        source: document that the days come from; for YAML only where it replaces the file's own.
        provisional: of CSV, which does not say so itself.

    Raises:
        Invalid: ``fields`` says under ``file`` what is wrong with it.
    """
    text = decoded_days(content)
    try:
        if is_csv:
            found = working_days.years_from_csv(text, source=source, provisional=provisional)
        else:
            raw = yaml.safe_load(text)
            found = working_days.years_of(raw if isinstance(raw, dict) else {})
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"第 {mark.line + 1} 行" if mark is not None else "文件"
        raise Invalid(fields={"file": [f"{where}不是 YAML 的写法，请检查缩进、引号和冒号"]}) from error
    except RecursionError as error:
        raise Invalid(fields={"file": ["文件里层层嵌套，不是工作日历"]}) from error
    except ValueError as error:
        raise Invalid(fields={"file": [str(error)]}) from error
    if not found:
        raise Invalid(fields={"file": ["文件里没有任何一天"]})
    return [replace(one, source=source) for one in found] if source else found


def decoded_days(content: bytes) -> str:
    """Return the words of a file.

    Raises:
        Invalid: it is too large, or in no encoding that spreadsheet programs write.
    """
    if len(content) > CALENDAR_BYTES_MAX:
        raise Invalid(fields={"file": [f"文件超过 {CALENDAR_BYTES_MAX // 1024} KB，不像是工作日历"]})
    for charset in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(charset)
        except UnicodeDecodeError:
            continue
    raise Invalid(fields={"file": ["文字编码不是 UTF-8 或 GB18030"]})


def tried(years: Sequence[Year]) -> Trial:
    """Return what years would change; nothing is changed."""
    former, version = working_years.table(), working_years.version()
    changes = working_years.changes(former, years)
    after = WorkingCalendar(Table(former.hours, {**former.years, **{one.number: one for one in years}}))
    cases = count_moved(after, changes[0].day, most=MOVED_MAX) if changes else 0
    return Trial(list(years), changes, cases, version)


def land_years(years: Sequence[Year], *, by: str, now: datetime, version: int | None = None) -> list[Year]:
    """Let years come into force, and have the limits of open cases reckoned anew; return what differs.

    Args:
        version: of the calendar that the trial was made with; None lands whatever is in force.

    Raises:
        Stale: another calendar came into force meanwhile.
        Invalid: see :func:`working_years.land`.
    """
    if version is not None and version != working_years.version():
        raise Stale("工作日历刚刚有了新的版本，请重新试算")
    landed = working_years.land(years, by=by, now=now)
    if landed:
        key = f"{RECOMPUTE_JOB}:{working_years.version()}"
        outbox.enqueue(RECOMPUTE_JOB, {}, dedup_key=key)
    return landed
