"""The working calendar's years in the database, version by version; nothing is ever changed or deleted.

A year that is published late, or corrected, lands as a new version of that year. All versions of all
years are numbered through: the highest number is the version of the calendar.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import JSON, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, mapped_column

from app.core import audit, db
from app.core.db import Model, key_column
from app.core.errors import Invalid
from config import working_days
from config.working_days import Table, Year

SOURCE_MAX = 500
BY_SYSTEM = "system"
_SATURDAY = 5

# Two people who land a year in the same moment meet in its number: who comes second looks again.
db.draw_again("uq_working_year_number", "working_year.number", "uq_working_year_version")


class WorkingYear(Model):
    """One version of one year.

    Attributes:
        number: which version of the calendar it made; ``version``: which of its year.
        days_off, workdays: ISO dates, ascending; see ``config.working_days.Year``.
    """

    __tablename__ = "working_year"
    __table_args__ = (UniqueConstraint("year", "version", name="uq_working_year_version"),)

    id: Mapped[int] = key_column()
    number: Mapped[int] = mapped_column(unique=True)
    year: Mapped[int]
    version: Mapped[int]
    provisional: Mapped[bool]
    source: Mapped[str] = mapped_column(String(SOURCE_MAX))
    days_off: Mapped[list[str]] = mapped_column(JSON)
    workdays: Mapped[list[str]] = mapped_column(JSON)
    entered_by: Mapped[str] = mapped_column(String(80))
    entered_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class YearView:
    """A version of a year; ``present``: it is the one in force."""

    year: Year
    number: int
    version: int
    entered_by: str
    entered_at: datetime
    present: bool


@dataclass(frozen=True, slots=True)
class DayChange:
    """A day that another arrangement makes one of work, or of rest."""

    day: date
    works: bool


def version() -> int:
    """Return the version of the calendar, 0 while the table is empty."""
    return db.session().scalar(select(func.max(WorkingYear.number))) or 0


def table() -> Table:
    """Return the calendar in force: the newest version of each year, hours as in the file.

    The file alone speaks while the table is empty.
    """
    filed = working_days.load()
    years = {view.year.number: view.year for view in history() if view.present}
    return Table(filed.hours, years or filed.years)


def history() -> list[YearView]:
    """Return every version of every year, the newest of the latest year first."""
    order = (WorkingYear.year.desc(), WorkingYear.version.desc())
    seen: set[int] = set()
    views = []
    for row in db.session().scalars(select(WorkingYear).order_by(*order)):
        present = row.year not in seen
        seen.add(row.year)
        views.append(
            YearView(_year_of(row), row.number, row.version, row.entered_by, row.entered_at, present)
        )
    return views


def _year_of(row: WorkingYear) -> Year:
    return Year(
        row.year,
        row.provisional,
        row.source,
        frozenset(map(date.fromisoformat, row.days_off)),
        frozenset(map(date.fromisoformat, row.workdays)),
    )


def changes(former: Table, years: Iterable[Year]) -> list[DayChange]:
    """Return the days that ``years`` change, in order."""
    found = []
    for year in sorted(years, key=lambda one: one.number):
        before = former.years.get(year.number)
        first = date(year.number, 1, 1)
        for day in (first + timedelta(days=number) for number in range(366)):
            if day.year == year.number and works_on(day, before) != works_on(day, year):
                found.append(DayChange(day, works_on(day, year)))
    return found


def works_on(day: date, year: Year | None) -> bool:
    """Tell whether one works on ``day`` by its year's arrangement; by the ordinary week without one."""
    if year is not None and day in year.workdays:
        return True
    return day.weekday() < _SATURDAY and (year is None or day not in year.days_off)


def land(years: Iterable[Year], *, by: str, now: datetime) -> list[Year]:
    """Add a version of each year that differs from the one in force; return those.

    A different source or an arrangement that became official is a difference too.

    Raises:
        Invalid: a year without a source, or an official one became provisional again.
    """
    present = {view.year.number: view for view in history() if view.present}
    number = version()
    landed = []
    for year in sorted(years, key=lambda one: one.number):
        before = present.get(year.number)
        if before is not None and before.year == year:
            continue
        _check(year, before)
        number += 1
        row = WorkingYear(
            number=number,
            year=year.number,
            version=before.version + 1 if before else 1,
            provisional=year.provisional,
            source=year.source,
            days_off=[day.isoformat() for day in sorted(year.days_off)],
            workdays=[day.isoformat() for day in sorted(year.workdays)],
            entered_by=by,
            entered_at=now,
        )
        db.writing().add(row)
        db.writing().flush()
        audit.record(
            by, "calendar.land", "working_year", row.id, {"year": year.number, "version": row.version}
        )
        landed.append(year)
    return landed


def _check(year: Year, before: YearView | None) -> None:
    if not 0 < len(year.source.strip()) <= SOURCE_MAX:
        raise Invalid(fields={"source": [f"请写明 {year.number} 年安排的出处，不超过 {SOURCE_MAX} 字"]})
    if before is not None and year.provisional and not before.year.provisional:
        raise Invalid(fields={"provisional": [f"{year.number} 年已有正式安排，不能改回暂定"]})


def fill(now: datetime) -> list[Year]:
    """Add what the file knows better: years that are missing, and newer words for what came from it.

    What people brought in themselves is left alone.
    """
    by_people = {view.year.number for view in history() if view.present and view.entered_by != BY_SYSTEM}
    filed = working_days.load().years
    official = {one.year.number for one in history() if one.present and not one.year.provisional}
    fresh = [
        year
        for year in filed.values()
        if year.number not in by_people and not (year.provisional and year.number in official)
    ]
    return land(fresh, by=BY_SYSTEM, now=now)
