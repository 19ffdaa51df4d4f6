"""A check's report in the forms that people and programs take away."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from app.core import db
from app.core.errors import NotFound
from app.mobile_access import service
from app.mobile_access.files import FileStore
from app.mobile_access.shapes import CheckReport
from app.mobile_access.tables import to_csv as table_to_csv
from app.mobile_access.tables import to_xlsx
from app.organisations.service import Principal
from mobile_pages.report.csv import to_csv
from mobile_pages.report.document import StoredReport, document_of, from_json
from mobile_pages.report.html import to_html
from mobile_pages.report.junit import to_junit
from mobile_pages.report.sarif import to_sarif

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Download:
    """A file as it is given out."""

    content: bytes
    content_type: str
    ending: str


def reports_of(found: CheckReport) -> tuple[StoredReport, StoredReport | None]:
    """Return the report of a check and the one before it, None where there is none that can be read.

    Raises:
        NotFound: the check has no report.
    """
    if found.report is None:
        raise NotFound("这次检测没有报告")
    try:
        before = None if found.previous is None else from_json(found.previous)
    except ValueError:  # kept by an earlier release in a form that is read no more
        before = None
    return from_json(found.report), before


def as_html(found: CheckReport, store: FileStore, *, made_at: datetime, for_print: bool = False) -> str:
    """Return the report as one HTML document, pictures inside as far as they are kept."""
    now, before = reports_of(found)

    def picture(digest: str) -> bytes | None:
        try:
            return store.get(digest)
        except NotFound:
            return None

    previous = {} if before is None else {now.report.url: before}
    return to_html([now], read_picture=picture, made_at=made_at, previous=previous, for_print=for_print)


def as_file(found: CheckReport, form: str, store: FileStore, *, made_at: datetime) -> Download:
    """Return the report as ``html``, ``json``, ``sarif``, ``junit`` or ``csv``; PDF takes a browser.

    Raises:
        NotFound: the check has no report, or there is no such form.
    """
    now, _ = reports_of(found)
    match form:
        case "html":
            return _text(as_html(found, store, made_at=made_at), "text/html; charset=utf-8", "html")
        case "json":
            return _text(_dumped(document_of(now)), "application/json", "json")
        case "sarif":
            return _text(_dumped(to_sarif([now])), "application/sarif+json", "sarif")
        case "junit":
            return Download(to_junit([now]), "application/xml", "xml")
        case "csv":
            return Download(to_csv([now]), "text/csv; charset=utf-8", "csv")
        case _:
            raise NotFound("没有这种格式")


def exported(by: Principal, form: str, narrowed: service.Filter, *, contacts: bool) -> Download:
    """Return registrations as ``csv`` or ``xlsx``, in a transaction where that leaves a trace."""

    def rows() -> list[dict[str, str]]:
        return list(service.export_pages(by, narrowed, contacts=contacts))

    found = db.transaction(rows) if contacts else rows()
    if form == "xlsx":
        return Download(to_xlsx(found), _XLSX, "xlsx")
    return Download(table_to_csv(found), "text/csv; charset=utf-8", "csv")


def print_key(found: CheckReport) -> str:
    """Return what tells one state of the report from another: a ruling or a waiver makes a new one."""
    text = json.dumps([found.check.id, found.report, found.previous], sort_keys=True)
    return sha256(text.encode()).hexdigest()


def _text(text: str, content_type: str, ending: str) -> Download:
    # A page may hold half a surrogate pair, which no file can.
    return Download(text.encode("utf-8", errors="replace"), content_type, ending)


def _dumped(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1)
