"""Files at the edge: taken from a request, answered to one. For API and pages alike."""

from __future__ import annotations

from flask import Response
from werkzeug.datastructures import FileStorage

from app.applications import service
from app.applications.blobs import BlobStore, FolderStore
from app.applications.domain import FILE_BYTES_MAX, UPLOADS_PER_HOUR
from app.applications.scanning import scanner_at
from app.applications.service import FileType, FileView
from app.core import access, clock, limits
from app.core.installation import settings

ONE_UPLOAD_BYTES = FILE_BYTES_MAX + 64 * 1024
"""A file and what stands around it in the request."""
ENDINGS = {FileType.JPEG: "jpg", FileType.PDF: "pdf"}


def store() -> BlobStore:
    """Return where the files of this installation lie."""
    return FolderStore(settings().files_dir)


def take(application_id: int, material: str, key: str, sent: FileStorage) -> FileView:
    """Take a file of the current request in; the errors of ``service.upload``.

    Raises:
        TooMany: that many files an hour are enough.
    """
    me = access.current_resident()
    limits.hit(UPLOADS_PER_HOUR, "application-file", str(me.id))
    return service.upload(
        me.id,
        application_id,
        material,
        key,
        # One byte more than may be, so that a longer one is told from one that just fits.
        lambda: sent.stream.read(FILE_BYTES_MAX + 1),
        store=store(),
        scanner=scanner_at(settings().clamd_url),
        now=clock.system_clock(),
    )


def answered(file: FileView, content: bytes, *, thumb: bool) -> Response:
    """Answer with a file: shown as what it is and nothing else, kept by nobody on the way."""
    if thumb:
        answer = Response(content, content_type=FileType.JPEG.value)
    else:
        answer = Response(content, content_type=file.type.value)
        # Documents are not shown inside the hall's origin.
        way = "inline" if file.type is FileType.JPEG else "attachment"
        name = f"{file.material}-{file.id}.{ENDINGS[file.type]}"
        answer.headers.set("Content-Disposition", way, filename=name)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'self'; sandbox"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
