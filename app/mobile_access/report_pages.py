"""The report of a check as a page, with its screenshots and what is wrong drawn on them."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from flask import Blueprint, Response, render_template

from app.core import access
from app.core.access import Permission
from app.core.errors import NotFound
from app.core.installation import settings
from app.mobile_access import service
from app.mobile_access.files import FileStore, artifact_store
from app.organisations import service as organisations
from mobile_pages.report.document import Screenshot, StoredReport, from_json
from mobile_pages.report.view import ReportView, view

reports = Blueprint(
    "mobile_access_reports", __name__, url_prefix="/console/pages", template_folder="templates"
)
_PNG_START = b"\x89PNG\r\n\x1a\n"
_NUMBER = "<int(max=2147483647):number>"
# The first part of an opening's label says how the page was opened.
_OPENINGS = {
    "plain": "手机浏览器",
    "zoom": "文字放大到 1.5 倍",
    "wechat": "微信",
    "alipay": "支付宝",
    "extra": "网址带多余参数",
    "elder": "长辈版",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A box on a picture, CSS px, and the rule it breaks; ``grave`` when that alone stops publication."""

    x: float
    y: float
    width: float
    height: float
    title: str
    grave: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A screenshot with its size in CSS px and the marks on it."""

    sha256: str
    caption: str
    width: int
    height: int
    marks: tuple[Mark, ...]


@reports.get(f"/<id:page_id>/checks/{_NUMBER}")
@access.staff(Permission.PAGES_READ)
def report(page_id: int, number: int) -> str:
    by = access.current_staff()
    page = service.get(by, page_id)
    found = service.report_of(by, page_id, number)
    shown = view(from_json(found.report)) if found.report is not None else None
    return render_template(
        "mobile_access/report.html",
        page=page,
        body=organisations.get_body(page.body_id),
        check=found.check,
        report=shown,
        pictures=_pictures(shown, artifact_store(settings().var_dir)) if shown else (),
        verdict_labels=service.VERDICT_LABELS,
    )


@reports.get(f"/<id:page_id>/checks/{_NUMBER}/files/<digest>")
@access.staff(Permission.PAGES_READ)
def file(page_id: int, number: int, digest: str) -> Response:
    """Give out a file of this check, of no other."""
    found = service.report_of(access.current_staff(), page_id, number)
    store = artifact_store(settings().var_dir)
    if digest == found.check.artifact:
        headers = {"Content-Disposition": f'attachment; filename="check-{page_id}-{number}.json"'}
        return Response(store.get(digest), content_type="application/json", headers=headers)
    if found.report is None or digest not in {one.sha256 for one in _stored(found).screenshots}:
        raise NotFound("没有这个文件")
    return Response(store.get(digest), content_type="image/png")


def _stored(found: service.CheckReport) -> StoredReport:
    return from_json(found.report or {})


def _pictures(shown: ReportView, store: FileStore) -> tuple[Picture, ...]:
    return tuple(_picture(one, shown, store) for one in shown.screenshots)


def _picture(screenshot: Screenshot, shown: ReportView, store: FileStore) -> Picture:
    width, height = _size(store, screenshot)
    rules = [rule for section in shown.sections for rule in section.rules]
    marks = [
        Mark(*finding.box, title=f"{rule.code} {rule.title}", grave=rule.blocks)
        for rule in rules
        for finding in rule.findings
        if finding.box is not None and finding.screenshot == screenshot and finding.box[1] < height
    ]
    opening = screenshot.label.partition("-")[0]
    caption = f"{_OPENINGS.get(opening, opening)}，宽 {screenshot.width}"
    return Picture(screenshot.sha256, caption, width, height, tuple(marks))


def _size(store: FileStore, screenshot: Screenshot) -> tuple[int, int]:
    """Return width and height of the picture in CSS px; those of the screen when the file is gone."""
    try:
        head = store.get(screenshot.sha256)[:24]
    except NotFound:
        head = b""
    if len(head) < 24 or not head.startswith(_PNG_START):
        return screenshot.width, screenshot.height
    width, height = struct.unpack(">II", head[16:24])
    return screenshot.width, round(height * screenshot.width / max(width, 1))
