"""Uploaded files as they may be kept: pictures drawn anew, documents looked into. No database.

A picture from a telephone says where and by whom it was taken, and any file may carry more than it
shows or be another thing than its name says. What counts is what is in it.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from app.applications.domain import (
    FILE_BYTES_MAX,
    PDF_PAGES_MAX,
    FileActive,
    FileDamaged,
    FileEmpty,
    FileEndless,
    FileHeic,
    FileLocked,
    FileTooLarge,
    FileType,
    FileTypeRefused,
    TooManyPages,
    TooManyPixels,
)

JPEG_PIXELS_MAX = 64_000_000
"""What telephones take at most; a JPEG is decoded at the size that is wanted, in a fraction of the room."""
PIXELS_MAX = 24_000_000
"""Of other pictures: decoded whole, 96 MB."""
SIDE_MAX = 2400
"""A sheet of A4 at 200 dots per inch: small print can be read."""
THUMB_SIDE = 160
"""Enough to tell pictures apart, too little to read a number from an identity card."""
_QUALITY = 85
_WHITE = (255, 255, 255)
_CHECK_SECONDS = 15
_CHECK = Path(__file__).with_name("pdf_check.py")
_BRANDS_OF_HEIF = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})
_FAULTS = {"locked": FileLocked, "active": FileActive, "endless": FileEndless}


@dataclass(frozen=True, slots=True)
class Looked:
    """A file as it may be kept.

    Attributes:
        thumb: a small JPEG of a picture; empty for a document.
        width, height: pixels of a picture; ``page_count``: pages of a document. Else 0.
    """

    type: FileType
    content: bytes
    thumb: bytes = b""
    width: int = 0
    height: int = 0
    page_count: int = 0


def looked_into(content: bytes) -> Looked:
    """Return a file as it may be kept, judged by what is in it.

    Raises:
        FileRefused: one of its kinds says why, and what to do.
    """
    if not content:
        raise FileEmpty
    if len(content) > FILE_BYTES_MAX:
        raise FileTooLarge
    form = _form_of(content)
    if form == "PDF":
        return _document(content)
    return _picture(content, form)


def _form_of(content: bytes) -> str:
    """Return the name of the format by its first bytes."""
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "WEBP"
    if content.startswith(b"%PDF-"):
        return "PDF"
    if content[4:8] == b"ftyp" and content[8:12] in _BRANDS_OF_HEIF:
        raise FileHeic
    raise FileTypeRefused


def _picture(content: bytes, form: str) -> Looked:
    # Here and not above: few web workers ever see a picture.
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(content), formats=(form,)) as picture:
            most = JPEG_PIXELS_MAX if form == "JPEG" else PIXELS_MAX
            if picture.width * picture.height > most:
                raise TooManyPixels
            picture.draft("RGB", (SIDE_MAX, SIDE_MAX))
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((SIDE_MAX, SIDE_MAX))
            shown = upright.convert("RGBA")
    except (TooManyPixels, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise TooManyPixels from None
    except Exception:  # Pillow passes on whatever its decoders raise over a malformed file
        raise FileDamaged from None
    # A new picture takes over what is seen and nothing else: no EXIF, no place, no profile, no text.
    drawn = Image.new("RGB", shown.size, _WHITE)
    drawn.paste(shown, mask=shown.getchannel("A"))
    kept = _as_jpeg(drawn)
    width, height = drawn.size
    drawn.thumbnail((THUMB_SIDE, THUMB_SIDE))
    return Looked(FileType.JPEG, kept, thumb=_as_jpeg(drawn), width=width, height=height)


def _as_jpeg(picture: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY, optimize=True)  # type: ignore[attr-defined]
    return out.getvalue()


def _document(content: bytes) -> Looked:
    """Look into a PDF in another process; it is kept byte for byte, so that signatures on it hold."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_CHECK)],
            input=content,
            capture_output=True,
            timeout=_CHECK_SECONDS,
            check=False,
        )
        told = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        raise FileEndless from None
    if "fault" in told:
        _refuse(told["fault"])
    if told["pages"] > PDF_PAGES_MAX:
        raise TooManyPages
    return Looked(FileType.PDF, content, page_count=told["pages"])


def _refuse(fault: str) -> NoReturn:
    raise _FAULTS.get(fault, FileDamaged)
