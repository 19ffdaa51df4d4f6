"""China's working days (工作日) year by year, and the working time of a day, as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).parent / "working_days.yaml"
OFF = frozenset({"off", "休"})
WORK = frozenset({"work", "班"})
YEARS = range(2000, 2101)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Year:
    """One year's arrangement.

    Attributes:
        provisional: not published yet: statutory days only.
        days_off: days of rest; Saturdays and Sundays not named here are days of rest too.
        workdays: Saturdays and Sundays on which one works (调休上班).
    """

    number: int
    provisional: bool
    source: str
    days_off: frozenset[date]
    workdays: frozenset[date]

    def __post_init__(self) -> None:
        if self.number not in YEARS:
            raise ValueError(f"年份要在 {YEARS[0]} 至 {YEARS[-1]} 之间")
        if any(day.year != self.number for day in self.days_off | self.workdays):
            raise ValueError(f"{self.number} 年里有不属于这一年的日期")
        if self.days_off & self.workdays or any(day.weekday() < _SATURDAY for day in self.workdays):
            raise ValueError(f"{self.number} 年的调休上班日只能是周六或周日，也不能同时是休息日")


@dataclass(frozen=True, slots=True)
class Table:
    """``hours``: the stretches of working time of a day, in order, local time."""

    hours: tuple[tuple[time, time], ...]
    years: Mapping[int, Year]


def load(path: Path = TABLE) -> Table:
    """Return the table as written.

    Raises:
        ValueError: a day outside its year, a workday that is no Saturday or Sunday or also off, a
            year twice, hours that overlap or run backwards.
    """
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    hours = tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in raw["hours"])
    edges = [edge for stretch in hours for edge in stretch]
    if not edges or edges != sorted(set(edges)):
        raise ValueError("工作时间要先后相接，不能重叠")
    return Table(hours, {one.number: one for one in years_of(raw)})


def years_of(raw: Mapping[str, Any]) -> list[Year]:
    """Return the years of a document of the shape of ``working_days.yaml``.

    Raises:
        ValueError: a field is missing or of the wrong kind, or one of the faults of :func:`load`.
    """
    try:
        years = [_year(one) for one in raw["years"]]
    except (KeyError, TypeError, AttributeError):
        raise ValueError(
            "不是工作日历的格式：years 下面每年要有 year、provisional、source、days_off、workdays"
        ) from None
    if len({one.number for one in years}) != len(years):
        raise ValueError("同一年写了两次")
    return years


def years_from_csv(text: str, *, source: str, provisional: bool) -> list[Year]:
    """Return the years of a list of days: a column ``date``, and ``kind``: 休 (off) or 班 (work).

    Raises:
        ValueError: a column is missing, or a line is none of these; the message, Chinese, names the line.
    """
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    days: dict[date, str] = {}
    try:
        if not {"date", "kind"} <= set(rows.fieldnames or ()):
            raise ValueError("第一行要有 date 和 kind 两列的名称")
        for row in rows:
            day, kind = _line(row, rows.line_num)
            if day in days:
                raise ValueError(f"第 {rows.line_num} 行：{day} 写了两次")
            days[day] = kind
    except csv.Error:
        raise ValueError("不是 CSV 的写法，请检查引号，或用表格软件另存为 CSV") from None
    return [
        Year(number, provisional, source, _of_kind(days, number, OFF), _of_kind(days, number, WORK))
        for number in sorted({day.year for day in days})
    ]


def _line(row: Mapping[str, str | None], number: int) -> tuple[date, str]:
    kind = (row["kind"] or "").strip()
    try:
        day = date.fromisoformat((row["date"] or "").strip())
    except ValueError:
        raise ValueError(f"第 {number} 行：日期要写成 2027-02-05 这样") from None
    if kind not in OFF | WORK:
        raise ValueError(f"第 {number} 行：kind 要写“休”（off）或“班”（work）")
    return day, kind


def _of_kind(days: Mapping[date, str], number: int, kinds: Iterable[str]) -> frozenset[date]:
    return frozenset(day for day, kind in days.items() if day.year == number and kind in kinds)


def _year(raw: Mapping[str, Any]) -> Year:
    if not isinstance(raw["provisional"], bool) or not isinstance(raw["year"], int):
        raise TypeError("a year is a number, and provisional true or false")
    off = frozenset(day for stretch in raw["days_off"] for day in _days(stretch))
    workdays = frozenset(map(_day, raw["workdays"]))
    return Year(raw["year"], raw["provisional"], str(raw["source"]), off, workdays)


def _day(said: object) -> date:
    # YAML reads a day without quotes as one.
    try:
        return said if type(said) is date else date.fromisoformat(str(said))
    except ValueError:
        raise ValueError(f"日期要写成 2027-02-05 这样，不是“{str(said)[:20]}”") from None


def _days(stretch: Sequence[object]) -> list[date]:
    if len(stretch) != 2 or isinstance(stretch, str):
        raise ValueError("假期要写成 [开始日期, 结束日期]")
    first, last = map(_day, stretch)
    if not first <= last <= first + timedelta(days=366):
        raise ValueError(f"假期的起止日期颠倒或过长：{first}")
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
