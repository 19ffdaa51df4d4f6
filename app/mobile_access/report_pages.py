"""The report of a check as a page, with its screenshots and what is wrong drawn on them."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import NotFound
from app.core.installation import settings
from app.mobile_access import service
from app.mobile_access.files import FileStore, artifact_store
from app.mobile_access.presenting import as_file, print_key, reports_of
from app.organisations import service as organisations
from mobile_pages.report.comparison import compare
from mobile_pages.report.document import Screenshot, StoredReport
from mobile_pages.report.view import ReportView, view

reports = Blueprint(
    "mobile_access_reports", __name__, url_prefix="/console/pages", template_folder="templates"
)
_PNG_START = b"\x89PNG\r\n\x1a\n"
_CHECK = "/<id:page_id>/checks/<int(max=2147483647):number>"
FORMS = {
    "html": "网页（HTML）",
    "json": "数据（JSON）",
    "sarif": "SARIF",
    "junit": "JUnit",
    "csv": "逐条汇总（CSV）",
}
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


@reports.get(_CHECK)
@access.staff(Permission.PAGES_READ)
def report(page_id: int, number: int) -> str:
    by = access.current_staff()
    page = service.get(by, page_id)
    found = service.report_of(by, page_id, number)
    shared = {
        "page": page,
        "body": organisations.get_body(page.body_id),
        "check": found.check,
        "verdict_labels": service.VERDICT_LABELS,
        "check_kind_labels": service.CHECK_KIND_LABELS,
    }
    if found.report is None:
        return render_template("mobile_access/report.html", report=None, **shared)
    now, before = reports_of(found)
    shown = view(now)
    rules = service.open_rules(by, page_id, number)
    printed = service.print_state(print_key(found))
    return render_template(
        "mobile_access/report.html",
        report=shown,
        pictures=_pictures(shown, artifact_store(settings().var_dir)),
        compared=None if before is None else compare(before, now),
        before_picture=_first_picture(before),
        after_picture=_first_picture(now),
        to_review=len(rules),
        ruled=sum(bool(one.rulings) for one in rules),
        forms=FORMS,
        pdf_asked=printed.asked,
        pdf_ready=printed.digest is not None,
        may_waive=organisations.covers(by, Permission.PAGES_REGISTER, page.body_id),
        **shared,
    )


@reports.get(f"{_CHECK}/files/<digest>")
@access.staff(Permission.PAGES_READ)
def file(page_id: int, number: int, digest: str) -> Response:
    """Give out a file of this check or a picture of the one before, of no other."""
    found = service.report_of(access.current_staff(), page_id, number)
    store = artifact_store(settings().var_dir)
    if digest == found.check.artifact:
        headers = {"Content-Disposition": f'attachment; filename="check-{page_id}-{number}.json"'}
        return Response(store.get(digest), content_type="application/json", headers=headers)
    now, before = reports_of(found)
    pictures = (*now.screenshots, *(before.screenshots if before else ()))
    if digest not in {one.sha256 for one in pictures}:
        raise NotFound("没有这个文件")
    return Response(store.get(digest), content_type="image/png")


@reports.get(f"{_CHECK}/report.<any(html,json,sarif,junit,csv):form>")
@access.staff(Permission.PAGES_READ)
def download(page_id: int, number: int, form: str) -> Response:
    found = service.report_of(access.current_staff(), page_id, number)
    store = artifact_store(settings().var_dir)
    made = as_file(found, form, store, made_at=clock.system_clock())
    return _attached(made.content, made.content_type, f"check-{page_id}-{number}.{made.ending}")


@reports.post(f"{_CHECK}/report.pdf")
@access.staff(Permission.PAGES_READ)
def ask_for_pdf(page_id: int, number: int) -> ResponseReturnValue:
    found = service.report_of(access.current_staff(), page_id, number)
    reports_of(found)
    key, now = print_key(found), clock.system_clock()
    db.transaction(lambda: service.ask_for_print(key, page_id, number, found.check.id, now=now))
    flash("PDF 正在生成。", "success")
    return redirect(url_for(".report", page_id=page_id, number=number))


@reports.get(f"{_CHECK}/report.pdf")
@access.staff(Permission.PAGES_READ)
def pdf(page_id: int, number: int) -> Response:
    found = service.report_of(access.current_staff(), page_id, number)
    printed = service.print_state(print_key(found))
    if printed.digest is None:
        raise NotFound("PDF 还没有生成")
    content = artifact_store(settings().var_dir).get(printed.digest)
    return _attached(content, "application/pdf", f"check-{page_id}-{number}.pdf")


def _attached(content: bytes, content_type: str, name: str) -> Response:
    answer = Response(content, content_type=content_type)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


def _first_picture(one: StoredReport | None) -> Screenshot | None:
    return one.screenshots[0] if one is not None and one.screenshots else None


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
