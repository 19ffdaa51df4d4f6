"""Files of the catalogue: directory entries, and implementations with what their versions say. Pure.

CSV and XLSX hold everything but the forms; JSON holds all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.catalogue.cells import CELL_MAX, HEADINGS, cells_of, raw_of
from app.catalogue.vetting import clean_bases
from app.core import sheets
from app.core.json_api import strict_json
from app.core.sheets import ImportRefused, Layout, RowError

ROWS_MAX = 500
BYTES_MAX = 4 * 1024 * 1024
FORMAT = "hall-catalogue-1"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class What(StrEnum):
    """What a file holds."""

    DIRECTORY = "directory"
    ITEMS = "items"


WHAT_LABELS: Mapping[What, str] = {What.DIRECTORY: "基本目录", What.ITEMS: "实施清单和版本内容"}


class FileForm(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"


PLACE_HEADINGS: Mapping[str, str] = {
    "code": "实施编码",
    "code_scheme": "实施编码体系",
    "directory_code": "基本编码",
    "directory_scheme": "基本编码体系",
    "body": "实施单位",
    "region_code": "行政区划代码",
    "effective_on": "生效日期",
}
DIRECTORY_HEADINGS: Mapping[str, str] = {
    "code": "基本编码",
    "code_scheme": "编码体系",
    "name": "事项名称",
    "item_type": "事项类型",
    "domain": "办事领域",
    "legal_basis": "设定依据（名称|文号|条款）",
    "sample": "示例数据",
}
_HEADINGS: Mapping[What, Mapping[str, str]] = {
    What.DIRECTORY: DIRECTORY_HEADINGS,
    What.ITEMS: {**PLACE_HEADINGS, **HEADINGS},
}
_REQUIRED: Mapping[What, tuple[str, ...]] = {
    What.DIRECTORY: ("基本编码", "编码体系", "事项名称", "事项类型", "办事领域"),
    What.ITEMS: ("实施编码", "实施编码体系"),
}
LAYOUTS: Mapping[What, Layout] = {
    what: Layout(
        {heading: name for name, heading in _HEADINGS[what].items()},
        _REQUIRED[what],
        WHAT_LABELS[what],
        bytes_max=BYTES_MAX,
        rows_max=ROWS_MAX,
        cell_max=CELL_MAX,
    )
    for what in What
}


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row of a file.

    Attributes:
        told: of the directory all fields, of items those that say which implementation; all are text.
        content: fields of the content that the row writes, for ``vetting``.
        form: the form document; only counts where ``has_form``.
    """

    number: int
    told: Mapping[str, str]
    content: Mapping[str, Any] = field(default_factory=dict)
    has_form: bool = False
    form: Any = None


def label_of(what: What, name: str) -> str:
    """Return the heading of a field, as errors name it."""
    return "表单" if name == "form" else _HEADINGS[what].get(name, name)


def read_file(what: What, name: str, content: bytes) -> list[FileRow]:
    """Return the rows of a file.

    Raises:
        ImportRefused: it is not what its name says, too large, or not of our shape.
    """
    ending = name.rpartition(".")[2].lower()
    if len(content) > BYTES_MAX:
        raise _refused(f"文件超过 {BYTES_MAX // 1024 // 1024} MB", "分成几个文件，每个至多 500 行")
    if ending not in set(FileForm):
        raise _refused("只接受 .csv、.xlsx、.json 文件")
    if (ending == FileForm.XLSX) is not content.startswith(b"PK\x03\x04"):
        raise _refused("文件的内容和扩展名不符", "用表格软件另存为 XLSX 或 CSV")
    if ending == FileForm.JSON:
        return _from_json(what, content)
    rows = sheets.read_table(content, LAYOUTS[what])
    headings = _HEADINGS[what]
    places = PLACE_HEADINGS if what is What.ITEMS else headings
    return [
        FileRow(
            row.number,
            {name: cell for name, cell in row.cells.items() if name in places},
            raw_of(row.cells) if what is What.ITEMS else {},
        )
        for row in rows
    ]


def _from_json(what: What, content: bytes) -> list[FileRow]:
    try:
        document = strict_json(content.removeprefix(b"\xef\xbb\xbf"))
    except ValueError as error:
        raise _refused(f"不是有效的 JSON：{error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise _refused(f"不是目录文件：要有 format，值为 {FORMAT}")
    rows = document.get(what.value)
    if not isinstance(rows, list) or not rows:
        raise _refused(f"文件里没有 {what.value}，或是空的")
    if len(rows) > ROWS_MAX:
        raise _refused(f"超过 {ROWS_MAX} 行，请分几次导入")
    found, errors = [], []
    for number, row in enumerate(rows, start=1):
        made, wrong = _json_row(what, number, row)
        errors += wrong
        found.append(made)
    if errors:
        raise ImportRefused(errors)
    return found


def _json_row(what: What, number: int, row: Any) -> tuple[FileRow, list[RowError]]:
    if not isinstance(row, dict):
        return FileRow(number, {}), [RowError(number, "", "应是 JSON 对象")]
    known = PLACE_HEADINGS if what is What.ITEMS else DIRECTORY_HEADINGS
    more = {"content", "form"} if what is What.ITEMS else set()
    errors = [RowError(number, str(name)[:40], "没有这个字段") for name in row if name not in {*known, *more}]
    told = {}
    for name in known:
        value = row.get(name, "")
        if name == "legal_basis" and isinstance(value, list):
            value = legal_basis_cell(value)
        if isinstance(value, bool):
            value = "是" if value else "否"
        if not isinstance(value, str):
            errors.append(RowError(number, known[name], "应是文字"))
        else:
            told[name] = value.strip()
    content = row.get("content", {})
    if not isinstance(content, dict):
        errors.append(RowError(number, "content", "应是 JSON 对象"))
        content = {}
    return FileRow(number, told, content, "form" in row, row.get("form")), errors


def legal_basis_cell(rows: Iterable[Any]) -> str:
    """Return legal bases as a cell of a table writes them."""
    told = ({name: str(part) for name, part in row.items()} for row in rows if isinstance(row, Mapping))
    return "\n".join("|".join(one.values()) for one in clean_bases(told))


def legal_basis_of(cell: str) -> list[dict[str, str]]:
    """Return the legal bases that a cell writes."""
    found = []
    for line in cell.splitlines():
        parts = [part.strip() for part in line.split("|")] + ["", ""]
        if parts[0]:
            found.append({"name": parts[0], "number": parts[1], "clause": parts[2]})
    return found


def written(what: What, form: FileForm, rows: Iterable[FileRow]) -> bytes:
    """Return a file that :func:`read_file` reads back as ``rows``; contents are given as they are stored.

    Raises:
        ImportRefused: something is too long for a table.
    """
    if form is FileForm.JSON:
        return _json_file(what, rows)
    cells = [{**row.told, **(cells_of(row.content) if row.content else {})} for row in rows]
    for number, row in enumerate(cells, start=2):
        long = next((name for name, cell in row.items() if len(cell) > CELL_MAX), None)
        if long:
            raise ImportRefused([RowError(number, label_of(what, long), "太长，表格放不下", "请导出为 JSON")])
    to_file = sheets.to_xlsx if form is FileForm.XLSX else sheets.to_csv
    return to_file(cells, LAYOUTS[what])


def _json_file(what: What, rows: Iterable[FileRow]) -> bytes:
    made = []
    for row in rows:
        told: dict[str, Any] = dict(row.told)
        if what is What.DIRECTORY:
            told["legal_basis"] = legal_basis_of(told["legal_basis"])
            told["sample"] = told["sample"] == "是"
        else:
            told |= {"content": row.content, "form": row.form}
        made.append(told)
    return json.dumps({"format": FORMAT, what.value: made}, ensure_ascii=False, indent=1).encode()


def template(what: What) -> bytes:
    """Return an empty CSV to fill in."""
    return sheets.template(LAYOUTS[what])


def _refused(message: str, advice: str = "") -> ImportRefused:
    return ImportRefused([RowError(0, "", message, advice)])
