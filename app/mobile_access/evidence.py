"""Files that prove what a person found: pictures and PDF, looked into before they are kept. Pure."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import StrEnum

from app.core.errors import Invalid
from app.mobile_access.domain import EVIDENCE_BYTES_MAX, EVIDENCE_NAME_MAX

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_PDF = b"%PDF-"
_PDF_END_WITHIN = 2048
_SIDE_MAX = 20_000
_UNSAFE_IN_NAMES = str.maketrans(dict.fromkeys('\\/:*?"<>|\r\n\t\0', "_"))


class EvidenceType(StrEnum):
    PNG = "image/png"
    JPEG = "image/jpeg"
    PDF = "application/pdf"


_ENDINGS = {EvidenceType.PNG: ".png", EvidenceType.JPEG: ".jpg", EvidenceType.PDF: ".pdf"}


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file that was looked into. ``name`` is fit for a download, its ending says what it is."""

    content: bytes
    name: str
    type: EvidenceType


class EvidenceRefused(Invalid):
    """The file is none that may be kept."""

    code = "evidence_refused"
    title = "证明材料不符合要求"
    title_en = "The evidence file is not accepted"


def examined(content: bytes, name: str) -> EvidenceFile:
    """Return a file as it may be kept, judged by what is in it and not by what it is called.

    Raises:
        EvidenceRefused: too large, neither PNG nor JPEG nor PDF, or cut off.
    """
    if len(content) > EVIDENCE_BYTES_MAX:
        raise EvidenceRefused(f"文件超过 {EVIDENCE_BYTES_MAX // 1024 // 1024} MB")
    kind = _type_of(content)
    if kind is None:
        raise EvidenceRefused("只接受完整的 PNG、JPEG 图片或 PDF 文件")
    stem = name.translate(_UNSAFE_IN_NAMES).rpartition(".")[0].strip(" .") or "证明材料"
    return EvidenceFile(content, stem[: EVIDENCE_NAME_MAX - 5] + _ENDINGS[kind], kind)


def _type_of(content: bytes) -> EvidenceType | None:
    if content.startswith(_PNG):
        return EvidenceType.PNG if _is_png(content) else None
    if content.startswith(_JPEG):
        return EvidenceType.JPEG if _is_jpeg(content) else None
    if content.startswith(_PDF) and b"%%EOF" in content[-_PDF_END_WITHIN:]:
        return EvidenceType.PDF
    return None


def _is_png(content: bytes) -> bool:
    """Tell whether the chunks are whole from the header to the end, with nothing behind it."""
    at, first = len(_PNG), True
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4])
        kind, end = content[at + 4 : at + 8], at + 12 + length
        if end > len(content):
            return False
        if int.from_bytes(content[end - 4 : end]) != zlib.crc32(content[at + 4 : end - 4]):
            return False
        if first and (kind != b"IHDR" or not _has_size(content, at + 8)):
            return False
        if kind == b"IEND":
            return end == len(content)
        at, first = end, False
    return False


def _has_size(content: bytes, at: int) -> bool:
    width, height = int.from_bytes(content[at : at + 4]), int.from_bytes(content[at + 4 : at + 8])
    return 0 < width <= _SIDE_MAX and 0 < height <= _SIDE_MAX


def _is_jpeg(content: bytes) -> bool:
    """Tell whether the segments are whole up to the scan and the picture has its end."""
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        kind = content[at + 1]
        if kind == 0xFF:  # fill byte
            at += 1
            continue
        length = int.from_bytes(content[at + 2 : at + 4])
        if kind == 0xDA:  # the scan: coded data follow up to the end
            return content.rstrip(b"\0").endswith(b"\xff\xd9")
        if length < 2:
            return False
        at += 2 + length
    return False
