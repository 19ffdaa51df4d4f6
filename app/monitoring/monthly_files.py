"""A monthly report as spreadsheet and as the paper that is printed to PDF."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import render_template

from app.monitoring.monthly import Figures, Line, Table
from app.monitoring.wording import duration, percent

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

_HEAD, _BAD = "DCE6F2", "F8D7DA"
_RATE = "0.00%"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

# Heading, what of a line, the cell's format.
_COLUMNS: tuple[tuple[str, Callable[[Line], Any], str], ...] = (
    ("名次", lambda one: one.rank if one.rank is not None else "监测不足", "General"),
    ("名称", lambda one: _safe(one.name), "General"),
    ("监测网页", lambda one: one.pages, "0"),
    ("可用率", lambda one: _down(one.availability_rate), _RATE),
    ("监测覆盖率", lambda one: _down(one.coverage_rate), _RATE),
    ("无法访问（分钟）", lambda one: math.ceil(one.down_seconds / 60), "0"),
    ("公告维护（分钟）", lambda one: math.ceil(one.maintenance_seconds / 60), "0"),
    ("中断次数", lambda one: one.incidents, "0"),
    ("平均响应（分钟）", lambda one: _minutes(one.mtta_seconds), "0.0"),
    ("平均恢复（分钟）", lambda one: _minutes(one.mttr_seconds), "0.0"),
    ("打开用时 P95（毫秒）", lambda one: one.p95_ms, "0"),
    ("访问次数", lambda one: one.visits, "0"),
    ("打不开次数", lambda one: one.visit_failures, "0"),
    ("打不开占比", lambda one: one.visit_rate, _RATE),
    ("单项否决网页", lambda one: one.vetoed, "0"),
)
NOTES = (
    "可用率＝可访问时间÷（可访问时间＋无法访问时间），按状态时段累计；公告维护、停止监测和没有数据的时间不计入。",
    "监测覆盖率＝有监测数据的时间÷全部时间；低于 50% 的不排名。",
    "打不开占比按国务院办公厅检查指标口径：15 秒打不开计一次失败，占比达到 5% 即单项否决。",
    "中断以连续多次探测确认为准，自身网络故障造成的误报已撤销，不计入。",
)


def as_xlsx(figures: Figures) -> bytes:
    """Return the report as a workbook: one sheet of totals, one per ranking."""
    # Here and not above: a web worker that makes no spreadsheet is spared its megabytes.
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "总体"
    first.append([f"{figures.name}移动网页运行月报（{figures.month}）"])
    first["A1"].font = Font(bold=True, size=14)
    for heading, read, style in _COLUMNS[2:]:
        first.append([heading, read(figures.whole)])
        first.cell(first.max_row, 2).number_format = style
    if figures.schedule:
        first.append(["附件3进度", "应接入 {members}，已上线 {met}，逾期 {late}".format(**figures.schedule)])
    for note in NOTES:
        first.append([note])
    first.column_dimensions["A"].width = 26
    first.column_dimensions["B"].width = 30
    for table in figures.tables:
        _fill(book.create_sheet(table.title), table)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _fill(sheet: Worksheet, table: Table) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    sheet.append([heading for heading, _, _ in _COLUMNS])
    for cell in sheet[1]:
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor=_HEAD)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    for line in table.lines:
        sheet.append([read(line) for _, read, _ in _COLUMNS])
        for cell, (_, _, style) in zip(sheet[sheet.max_row], _COLUMNS, strict=True):
            cell.number_format = style
            if line.vetoed:
                cell.fill = PatternFill("solid", fgColor=_BAD)
    sheet.freeze_panes = "C2"
    for number in range(1, len(_COLUMNS) + 1):
        sheet.column_dimensions[get_column_letter(number)].width = 24 if number == 2 else 12


def as_paper(figures: Figures) -> str:
    """Return the report as one HTML document for printing."""
    return render_template(
        "monitoring/monthly_paper.html", figures=figures, notes=NOTES, percent=percent, duration=duration
    )


def _down(rate: float | None) -> float | None:
    """Round a rate down to hundredths of a percent: only what never failed is 100 %."""
    return None if rate is None else math.floor(rate * 10_000 + 1e-9) / 10_000


def _minutes(seconds: int | None) -> float | None:
    return None if seconds is None else round(seconds / 60, 1)


def _safe(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
