"""What an uploaded file may be, by what is in it; what is kept of it; who scans it."""

import io

import pytest
from PIL import Image

from app.applications import looking, scanning
from app.applications.domain import FILE_BYTES_MAX, FileInfected, FileRefused, FileType
from app.applications.looking import looked_into
from app.applications.scanning import ScannerAway, scanner_at
from tests.app.applications.uploads import EICAR, a_clamd, a_pdf, a_photo, a_png_bomb, an_action

HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_drawn_anew_without_what_the_telephone_wrote(form):
    sent = a_photo(form=form)

    kept = looked_into(sent)

    assert b"Secret-9" in sent
    assert kept.type is FileType.JPEG
    with Image.open(io.BytesIO(kept.content)) as picture:
        assert (picture.format, picture.size, dict(picture.getexif())) == ("JPEG", (320, 200), {})
    assert b"Secret-9" not in kept.content + kept.thumb


def test_a_picture_lying_on_its_side_is_kept_upright():
    kept = looked_into(a_photo(orientation=6))

    with Image.open(io.BytesIO(kept.content)) as picture:
        assert picture.size == (200, 320)
        right_upper, left_upper = picture.getpixel((190, 10)), picture.getpixel((10, 10))
    assert right_upper[2] > 200 > left_upper[2]


def test_a_large_picture_is_made_smaller_and_has_a_small_one():
    kept = looked_into(a_photo(4000, 3000))

    assert (kept.width, kept.height) == (2400, 1800)
    with Image.open(io.BytesIO(kept.thumb)) as thumb:
        assert max(thumb.size) == looking.THUMB_SIDE


def test_what_shines_through_becomes_white():
    out = io.BytesIO()
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(out, "PNG")

    with Image.open(io.BytesIO(looked_into(out.getvalue()).content)) as picture:
        assert picture.getpixel((20, 20)) == (255, 255, 255)


def test_a_document_is_kept_byte_for_byte_so_that_signatures_hold():
    sent = a_pdf(3)

    kept = looked_into(sent)

    assert (kept.type, kept.page_count, kept.content) == (FileType.PDF, 3, sent)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", "file_empty", id="empty"),
        pytest.param(b"\xff\xd8\xff" + bytes(FILE_BYTES_MAX), "file_too_large", id="too large"),
        pytest.param(b"MZ\x90\x00" + bytes(100), "file_type_refused", id="a program"),
        pytest.param(b"<svg onload=alert(1)>", "file_type_refused", id="a picture with a script"),
        pytest.param(b"PK\x03\x04 a spreadsheet", "file_type_refused", id="an archive"),
        pytest.param(b"GIF89a" + bytes(50), "file_type_refused", id="a GIF"),
        pytest.param(HEIC, "file_heic", id="HEIC"),
        pytest.param(b"\xff\xd8\xff" + b"<?php", "file_damaged", id="disguised as a photo"),
        pytest.param(a_photo()[:600], "file_damaged", id="a photo cut off"),
        pytest.param(a_png_bomb(), "file_too_many_pixels", id="a bomb"),
        pytest.param(b"%PDF-1.7\nnothing", "file_damaged", id="disguised as a document"),
        pytest.param(a_pdf(1, password="x"), "file_locked", id="with a password"),
        pytest.param(a_pdf(101), "file_too_many_pages", id="too many pages"),
        pytest.param(
            a_pdf(OpenAction=an_action("JavaScript", JS="app.alert(1)")), "file_active", id="script"
        ),
        pytest.param(a_pdf(OpenAction=an_action("Launch", F="cmd.exe")), "file_active", id="launch"),
        pytest.param(a_pdf(AcroForm={"/XFA": "x"}), "file_active", id="a form that runs"),
    ],
)
def test_what_may_not_be_kept_is_refused_with_a_code_of_its_own(content, code):
    with pytest.raises(FileRefused) as refused:
        looked_into(content)

    assert refused.value.code == code
    assert len(str(refused.value)) > 8


def test_a_scanner_sees_the_whole_file_and_its_word_counts():
    content = bytes(200_000) + b"good"

    with a_clamd() as clamd:
        scanner = scanner_at(clamd.url)
        looked = scanner.scan(content)
        with pytest.raises(FileInfected):
            scanner.scan(bytes(70_000) + EICAR)

    assert looked
    assert clamd.seen[0] == content


@pytest.mark.parametrize("answer", [b"INSTREAM size limit exceeded. ERROR\0", b"\0", b"OK"])
def test_a_scanner_that_answers_otherwise_lets_nothing_in(answer):
    with a_clamd() as clamd:
        clamd.answer = answer
        with pytest.raises(ScannerAway):
            scanner_at(clamd.url).scan(b"x")


def test_a_scanner_that_is_away_lets_nothing_in_and_none_says_so():
    with a_clamd() as clamd:
        gone = clamd.url

    with pytest.raises(ScannerAway):
        scanner_at(gone).scan(b"x")
    assert scanner_at("").scan(b"x") is False
    assert isinstance(scanner_at(""), scanning.NoScanner)
