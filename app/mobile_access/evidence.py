"""Files that prove what a person found: pictures, drawn anew before they are kept, and PDF. Pure.

A picture from a telephone says where and by whom it was taken, and any file may carry more than it
shows. What is kept is only what can be seen.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import StrEnum

from app.core.errors import Invalid
from app.mobile_access.domain import EVIDENCE_BYTES_MAX, EVIDENCE_NAME_MAX

PIXELS_MAX = 16_000_000
"""A screenshot of a very long page, or half of what telephones take; decoded it is 64 MB."""

SIDE_MAX = 4000
"""Larger pictures are made smaller: text on a screenshot of a page can still be read."""

_JPEG_QUALITY = 85
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_PDF = b"%PDF-"
_PDF_END_WITHIN = 2048
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

    Pictures are drawn anew: upright, at most ``SIDE_MAX`` px a side, without EXIF or anything else.

    Raises:
        EvidenceRefused: too large, neither PNG nor JPEG nor PDF, cut off, or too many pixels.
    """
    if len(content) > EVIDENCE_BYTES_MAX:
        raise EvidenceRefused(f"文件超过 {EVIDENCE_BYTES_MAX // 1024 // 1024} MB")
    kind = _type_of(content)
    if kind is None:
        raise EvidenceRefused("只接受完整的 PNG、JPEG 图片或 PDF 文件")
    kept = content if kind is EvidenceType.PDF else _drawn_anew(content, kind)
    stem = name.translate(_UNSAFE_IN_NAMES).rpartition(".")[0].strip(" .") or "证明材料"
    return EvidenceFile(kept, stem[: EVIDENCE_NAME_MAX - 5] + _ENDINGS[kind], kind)


def _type_of(content: bytes) -> EvidenceType | None:
    if content.startswith(_PNG):
        return EvidenceType.PNG
    if content.startswith(_JPEG):
        return EvidenceType.JPEG
    if content.startswith(_PDF) and b"%%EOF" in content[-_PDF_END_WITHIN:]:
        return EvidenceType.PDF
    return None


def _drawn_anew(content: bytes, kind: EvidenceType) -> bytes:
    # Here and not above: few web workers ever see a picture.
    from PIL import Image, ImageOps

    form = kind.name
    try:
        with Image.open(io.BytesIO(content), formats=(form,)) as picture:
            picture.draft("RGB", (SIDE_MAX, SIDE_MAX))  # a JPEG is read at the size that is wanted
            if picture.width * picture.height > PIXELS_MAX:
                raise EvidenceRefused("图片太大，请缩小后再上传")
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((SIDE_MAX, SIDE_MAX))
            clear = kind is EvidenceType.PNG and upright.has_transparency_data
            plain = upright.convert("RGBA" if clear else "RGB")
    except EvidenceRefused:
        raise
    except Exception:  # Pillow passes on whatever its decoders raise over a malformed file
        raise EvidenceRefused("图片不完整，或者不是 PNG、JPEG 图片") from None
    made = Image.new(plain.mode, plain.size)
    made.paste(plain)  # takes over what is seen and nothing else
    out = io.BytesIO()
    made.save(out, form, quality=_JPEG_QUALITY)
    return out.getvalue()
