"""Writes reports on many pages into a folder, in several forms at once, and reads them back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from mobile_pages.report.csv import to_csv
from mobile_pages.report.document import StoredReport, document_of, from_json
from mobile_pages.report.html import to_html
from mobile_pages.report.junit import to_junit
from mobile_pages.report.pdf import to_pdf
from mobile_pages.report.sarif import to_sarif

_DIGEST = re.compile(r"[0-9a-f]{64}")
_ODD = re.compile(r"[^0-9A-Za-z.-]+")
_PAGES = "pages"
_SLUG_LENGTH = 60
_OURS = re.compile(rb'{\s*"format_version": \d+,\s*"url":')
_OURS_BYTES = 64


class Form(StrEnum):
    """In what form reports are written."""

    HTML = "html"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    PDF = "pdf"
    CSV = "csv"


class ReportFolder:
    """A folder of reports.

    It holds ``screenshots/<sha256>.png``, ``pages/<number>-<address>.json`` and a file per other form.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def put_picture(self, content: bytes) -> str:
        """Keep PNG bytes and return their content address (sha256 hex)."""
        digest = sha256(content).hexdigest()
        place = self._picture(digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            place.write_bytes(content)
        return digest

    def picture(self, digest: str) -> bytes | None:
        """Return the picture kept under ``digest``, None when there is none."""
        place = self._picture(digest)
        return place.read_bytes() if _DIGEST.fullmatch(digest) and place.is_file() else None

    def read(self) -> dict[str, StoredReport]:
        """Return the reports written here in JSON, by address.

        Raises:
            ValueError: a file is no report.
        """
        found = {}
        for path in sorted((self._path / _PAGES).glob("*.json")):
            document = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(document, dict):
                raise ValueError(f"not a report: {path.name}")
            one = from_json(document)
            found[one.report.url] = one
        return found

    def write(
        self,
        pages: Sequence[StoredReport],
        forms: Sequence[Form],
        *,
        made_at: datetime,
        previous: Mapping[str, StoredReport] | None = None,
        previous_picture: Callable[[str], bytes | None] | None = None,
    ) -> list[Path]:
        """Write ``pages`` in all ``forms``, also when everything passed; return the files, one per form.

        JSON is a file per page; its folder is returned. Files of an earlier run are replaced.

        Raises:
            BrowserMissing: PDF is wanted and there is no browser; all other forms were written.
        """
        self._path.mkdir(parents=True, exist_ok=True)

        def picture(digest: str) -> bytes | None:
            found = self.picture(digest)
            return previous_picture(digest) if found is None and previous_picture is not None else found

        def html(*, for_print: bool) -> str:
            return to_html(
                pages, read_picture=picture, made_at=made_at, previous=previous, for_print=for_print
            )

        makers: Mapping[Form, Callable[[], Path]] = {
            Form.JSON: lambda: self._json(pages),
            Form.HTML: lambda: self._file("report.html", _encoded(html(for_print=False))),
            Form.SARIF: lambda: self._file("report.sarif", _encoded(_dumped(to_sarif(pages)))),
            Form.JUNIT: lambda: self._file("junit.xml", to_junit(pages)),
            Form.CSV: lambda: self._file("totals.csv", to_csv(pages)),
            Form.PDF: lambda: self._file("report.pdf", to_pdf(html(for_print=True))),
        }
        return [make() for form, make in makers.items() if form in forms]

    def _picture(self, digest: str) -> Path:
        return self._path / "screenshots" / f"{digest}.png"

    def _file(self, name: str, content: bytes) -> Path:
        path = self._path / name
        path.write_bytes(content)
        return path

    def _json(self, pages: Sequence[StoredReport]) -> Path:
        folder = self._path / _PAGES
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*.json"):
            # The folder was named by a person and may hold files of theirs.
            if _OURS.match(old.read_bytes()[:_OURS_BYTES]):
                old.unlink()
        for number, one in enumerate(pages, start=1):
            content = _encoded(_dumped(document_of(one)))
            (folder / f"{number:03}-{_slug(one.report.url)}.json").write_bytes(content)
        return folder


def _slug(url: str) -> str:
    return _ODD.sub("-", url.partition("://")[2] or url).strip("-.")[:_SLUG_LENGTH] or "page"


def _dumped(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1)


def _encoded(text: str) -> bytes:
    # A page may hold half a surrogate pair, which no file can.
    return text.encode("utf-8", errors="replace")
