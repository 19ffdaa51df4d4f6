"""Reads the list of pages that a command is to check: one address a line, or CSV with what is declared."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from typing import Any

from app.mobile_access.domain import verify_files
from app.mobile_access.tables import COLUMNS as LABELS
from mobile_pages.artifact import Declaration, Level

PAGES_MAX = 10_000
BYTES_MAX = 4 * 1024 * 1024

# Columns under their English names, and under those of the registration table.
_TEXTS = {
    "url": "url",
    "name": "name",
    "body": "body_name",
    "hotline": "hotline",
    "description": "description",
    "icp_number": "icp_number",
    "name_reason": "name_reason",
    "region_code": "region_code",
    "service_region_code": "service_region_code",
    "elder_url": "elder_url",
    "health_url": "health_url",
    "signed_in_url": "signed_in_url",
    "ticket_url": "ticket_url",
    "expired_ticket_url": "expired_ticket_url",
}
_FILES = ("wechat_file", "wechat_file_text", "alipay_file")
_YES_NO = {"是": True, "否": False, "yes": True, "no": False}
_LISTS = ("channels", "domains")
_SHARED = (*_TEXTS, *_LISTS, *_FILES, "may_probe_paths")
_COLUMNS = {
    **{label: name for label, name in LABELS.items() if name in _SHARED},
    **{name: name for name in (*_SHARED, "level")},
}
_WORDS = re.compile(r"[,，、;；\s]+")
_CHANNELS = {"微信": "wechat", "支付宝": "alipay", "wechat": "wechat", "alipay": "alipay"}


class ListRefused(ValueError):
    """The list cannot be read; ``str()`` says where and why."""


def read_list(content: bytes) -> list[dict[str, Any]]:
    """Return what the list declares of each page, as fields of :class:`Declaration`; ``url`` always.

    Blank lines and lines that begin with ``#`` are left out. Addresses are not judged here: one that
    may not be visited is a result of its own.

    Raises:
        ListRefused: neither UTF-8 nor GB18030, too long, empty, an unknown column or value.
    """
    if len(content) > BYTES_MAX:
        raise ListRefused(f"文件超过 {BYTES_MAX // 1024**2} MB")
    lines = [line for line in _decoded(content).splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise ListRefused("没有网址")
    if len(lines) > PAGES_MAX:
        raise ListRefused(f"超过 {PAGES_MAX} 行")
    heading = [cell.strip() for cell in next(csv.reader(lines[:1]))]
    if "url" not in map(_COLUMNS.get, heading):
        return [{"url": line.strip()} for line in lines]
    return _rows(heading, "\n".join(lines[1:]))


def declaration_of(declared: Mapping[str, Any], defaults: Mapping[str, Any]) -> Declaration:
    """Return the declaration of a page; ``defaults`` stand in for what the list leaves out."""
    fields: dict[str, Any] = {"name": "", "body_name": "", **defaults, **declared}
    return Declaration(**fields)


def _rows(heading: list[str], text: str) -> list[dict[str, Any]]:
    unknown = [cell for cell in heading if cell and cell not in _COLUMNS]
    names = [_COLUMNS.get(cell, "") for cell in heading]
    if unknown:
        raise ListRefused(f"不认识这些列：{'、'.join(unknown)}")
    if len(set(names)) < len(names):
        raise ListRefused("有一列出现了不止一次")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    found = []
    try:
        for number, cells in enumerate(reader, start=2):
            if len(cells) > len(names):
                raise ListRefused(f"第 {number} 行的数据比表头多")
            found.append(_declared(number, dict(zip(names, cells, strict=False))))
    except csv.Error:
        raise ListRefused(f"第 {reader.line_num + 1} 行的引号不配对") from None
    if not found:
        raise ListRefused("没有网址")
    return found


def _declared(number: int, cells: Mapping[str, str]) -> dict[str, Any]:
    filled = {name: cell.strip() for name, cell in cells.items() if name and cell.strip()}
    if "url" not in filled:
        raise ListRefused(f"第 {number} 行没有网址")
    declared: dict[str, Any] = {_TEXTS[name]: cell for name, cell in filled.items() if name in _TEXTS}
    for name in _LISTS:
        if name in filled:
            declared[name] = tuple(word for word in _WORDS.split(filled[name]) if word)
    files = verify_files(*(filled.get(name, "") for name in _FILES))
    if not all(text for _, text in files.values()):
        raise ListRefused(f"第 {number} 行没有微信校验文件的内容")
    if files:
        declared["verify_files"] = files
    try:
        if "channels" in declared:
            declared["channels"] = tuple(_CHANNELS[word] for word in declared["channels"])
        if "may_probe_paths" in filled:
            declared["may_probe_paths"] = _YES_NO[filled["may_probe_paths"]]
        if "level" in filled:
            declared["level"] = Level(filled["level"])
    except (KeyError, ValueError) as error:
        raise ListRefused(f"第 {number} 行的值不认识：{error.args[0]}") from None
    return declared


def _decoded(content: bytes) -> str:
    for charset in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(charset)
        except UnicodeDecodeError:
            continue
    raise ListRefused("文字编码不是 UTF-8 或 GB18030")
