"""Tables that people send and take away: CSV or XLSX into rows of text, and back. Pure.

Whatever the bytes, reading ends. What was written reads back as it was. No cell is ever a formula.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from app.core.errors import Invalid

UNZIPPED_MAX = 20 * 1024 * 1024
ZIP_MEMBERS_MAX = 200
COLUMNS_MAX = 40
ERRORS_MAX = 200

_ZIP_START = b"PK\x03\x04"
_MACROS = "vbaProject.bin"
# What neither CSV as we read it nor a workbook can hold.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SIGNED_NUMBER = re.compile(r"[+-][0-9 ()-]*")
_NARROW = str.maketrans("＝＠＋－", "=@+-")
"""Where Chinese is written, spreadsheet programs take the wide signs for the narrow ones."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a table looks like.

    Attributes:
        columns: names of fields by the heading that people read.
        required: headings that must be there.
        sheet: name of the sheet in a workbook.
    """

    columns: Mapping[str, str]
    required: Sequence[str]
    sheet: str
    bytes_max: int = 1024 * 1024
    rows_max: int = 500
    cell_max: int = 1000


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong where; the heading is row 1. An empty column means the whole row or file.

    Attributes:
        advice: how to mend it; ``""`` where the message says so itself.
    """

    row: int
    column: str
    message: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of data by field name; cells of columns that are absent are ``""``."""

    number: int
    cells: dict[str, str] = field(default_factory=dict)


class ImportRefused(Invalid):
    """Nothing of a file was imported; ``errors`` says why."""

    code = "import_refused"
    title = "文件没有导入，请修改后重新上传"
    title_en = "Nothing was imported"

    def __init__(self, errors: Sequence[RowError]) -> None:
        shown = list(errors[:ERRORS_MAX])
        rows = [_told(one) for one in shown]
        super().__init__(f"共 {len(errors)} 处错误", fields={"rows": rows})
        self.errors = shown


def _told(error: RowError) -> dict[str, Any]:
    told = {"row": error.row, "column": error.column, "message": error.message}
    return {**told, "advice": error.advice} if error.advice else told


def read_table(content: bytes, layout: Layout) -> list[Row]:
    """Return the rows of a CSV (UTF-8 or GB18030) or XLSX file; blank rows are left out.

    Raises:
        ImportRefused: it is neither, is too large, has a wrong heading or holds formulas.
    """
    if not content:
        raise _refused("文件是空的")
    if len(content) > layout.bytes_max:
        raise _refused(f"文件超过 {layout.bytes_max // 1024} KB")
    lines = _xlsx(content, layout) if content.startswith(_ZIP_START) else _csv(content)
    heading = next(lines, None)
    if heading is None:
        raise _refused("文件是空的")
    fields = _fields(heading, layout)
    rows: list[Row] = []
    errors: list[RowError] = []
    for number, cells in enumerate(lines, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(rows) >= layout.rows_max:
            raise _refused(f"超过 {layout.rows_max} 行，请分几次导入")
        row, wrong = _row(number, fields, cells, layout)
        rows.append(row)
        errors += wrong
    if errors:
        raise ImportRefused(errors)
    if not rows:
        raise _refused("没有数据行")
    return rows


def template(layout: Layout) -> bytes:
    """Return an empty file to fill in: CSV that spreadsheet programs open as UTF-8."""
    out = io.StringIO(newline="")
    csv.writer(out).writerow(layout.columns)
    return out.getvalue().encode("utf-8-sig")


def _row(
    number: int, fields: Sequence[str | None], cells: Sequence[str], layout: Layout
) -> tuple[Row, list[RowError]]:
    labels = {name: label for label, name in layout.columns.items()}
    row, errors = Row(number), []
    for name, cell in zip(fields, cells, strict=False):
        if name is None:
            continue
        if is_formula(cell):
            errors.append(RowError(number, labels[name], "不接受公式"))
        elif len(cell) > layout.cell_max:
            errors.append(RowError(number, labels[name], f"超过 {layout.cell_max} 个字符"))
        row.cells[name] = _unharmed(cell.strip())
    if any(cell.strip() for cell in cells[len(fields) :]):
        errors.append(RowError(number, "", "数据比表头多"))
    return row, errors


def is_formula(cell: str) -> bool:
    """Tell whether a spreadsheet program would run ``cell``; signed telephone numbers are none."""
    text = cell.strip().translate(_NARROW)
    return text.startswith(("=", "@")) or (text.startswith(("+", "-")) and not _SIGNED_NUMBER.fullmatch(text))


def harmless(cell: str) -> str:
    """Return ``cell`` so that a spreadsheet program shows it and runs nothing."""
    return f"'{cell}" if is_formula(cell.lstrip("'")) else cell


def _unharmed(cell: str) -> str:
    """Return what :func:`harmless` was given."""
    return cell[1:] if cell.startswith("'") and is_formula(cell.lstrip("'")) else cell


def to_csv(rows: Iterable[Mapping[str, str]], layout: Layout) -> bytes:
    """Write rows, by field name, under the headings that :func:`read_table` knows; no cell is a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(layout.columns)
    writer.writerows(_written(row, layout) for row in rows)
    return out.getvalue().encode("utf-8-sig")


def to_xlsx(rows: Iterable[Mapping[str, str]], layout: Layout) -> bytes:
    """Write a workbook as :func:`to_csv` does a file; every cell is text."""
    # Here and not above: see _xlsx.
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet(layout.sheet)
    sheet.append(list(layout.columns))
    for row in rows:
        sheet.append(_written(row, layout))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _written(row: Mapping[str, str], layout: Layout) -> list[str]:
    return [_UNWRITABLE.sub("", harmless(row.get(name, ""))) for name in layout.columns.values()]


def _fields(heading: Sequence[str], layout: Layout) -> list[str | None]:
    labels = [cell.strip() for cell in heading]
    while labels and not labels[-1]:
        labels.pop()
    missing = [label for label in layout.required if label not in labels]
    errors = [RowError(1, label, "缺少这一列") for label in missing]
    errors += [
        RowError(1, label, "不认识这一列" if label not in layout.columns else "这一列出现了不止一次")
        for at, label in enumerate(labels)
        if label and (label not in layout.columns or label in labels[:at])
    ]
    if errors:
        raise ImportRefused(errors)
    return [layout.columns.get(label) for label in labels]


def _csv(content: bytes) -> Iterator[list[str]]:
    text = _decoded(content)
    if "\0" in text:
        raise _refused("不是 CSV 或 XLSX 文件")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            yield cells[:COLUMNS_MAX]
    except csv.Error:
        raise _refused(f"第 {reader.line_num} 行的引号不配对") from None


def _decoded(content: bytes) -> str:
    for charset in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(charset)
        except UnicodeDecodeError:
            continue
    raise _refused("文字编码不是 UTF-8 或 GB18030")


def _xlsx(content: bytes, layout: Layout) -> Iterator[list[str]]:
    # Here and not above: it takes 9 MB of every web worker, and few of them ever read a workbook.
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            members = packed.infolist()
        if len(members) > ZIP_MEMBERS_MAX or sum(one.file_size for one in members) > UNZIPPED_MAX:
            raise _refused("文件解压后太大")
        if any(one.filename.endswith(_MACROS) for one in members):
            raise _refused("不接受带宏的文件")
        book = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
    except ImportRefused:
        raise
    except Exception:  # openpyxl passes on whatever its parts raise over a malformed file
        raise _refused("不是完整的 XLSX 文件") from None
    try:
        yield from _cells(book.worksheets[0].iter_rows(max_col=COLUMNS_MAX), layout.rows_max)
    except ImportRefused:
        raise
    except Exception:
        raise _refused("不是完整的 XLSX 文件") from None
    finally:
        book.close()


def _cells(rows: Iterable[Iterable[object]], rows_max: int) -> Iterator[list[str]]:
    # Blank rows at the end of a sheet may be a million; data further down is not a table of ours.
    for row in islice(rows, 2 * rows_max):
        yield [_text(cell) for cell in row]


def _text(cell: object) -> str:
    value = getattr(cell, "value", None)
    if value is None:
        return ""
    if getattr(cell, "data_type", "") == "f":
        return f"={str(value).lstrip('=')}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _refused(message: str) -> ImportRefused:
    return ImportRefused([RowError(0, "", message)])
