"""Files that prove a ruling: known by what is in them, drawn anew, free of what cannot be seen."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.mobile_access import service
from app.mobile_access.evidence import PIXELS_MAX, SIDE_MAX, EvidenceType
from app.mobile_access.service import EvidenceRefused
from tests.app.mobile_access.builders import a_png

PDF = b"%PDF-1.4\n%%EOF\n"
MAKER, ORIENTATION = 0x010F, 0x0112
ON_ITS_SIDE = 6


def a_picture(form="JPEG", size=(40, 20), *, mode="RGB", **options) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "red" if mode == "RGB" else 0).save(out, form, **options)
    return out.getvalue()


def a_photo(orientation=ON_ITS_SIDE) -> bytes:
    exif = Image.Exif()
    exif[MAKER], exif[ORIENTATION] = "secret maker", orientation
    return a_picture(exif=exif)


def opened(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as picture:
        picture.load()
    return picture


@pytest.mark.parametrize(
    ("content", "name", "kind", "ending"),
    [
        pytest.param(a_png(2, 2), "截图.PNG", EvidenceType.PNG, "截图.png", id="png"),
        pytest.param(a_picture(), "../../a.jpeg", EvidenceType.JPEG, "_a.jpg", id="jpeg"),
        pytest.param(PDF, "x.html", EvidenceType.PDF, "x.pdf", id="pdf by another name"),
    ],
)
def test_evidence_is_known_by_its_content(content, name, kind, ending):
    found = service.examined(content, name)

    assert found.type is kind
    assert found.name.endswith(ending)
    assert "/" not in found.name


def test_a_pdf_is_kept_as_it_was_sent():
    assert service.examined(PDF, "a.pdf").content == PDF


def test_nothing_that_a_telephone_wrote_into_a_picture_is_kept():
    kept = service.examined(a_photo(), "a.jpg").content

    assert b"secret maker" not in kept
    assert dict(opened(kept).getexif()) == {}


def test_a_picture_taken_sideways_is_kept_upright():
    assert opened(service.examined(a_photo(), "a.jpg").content).size == (20, 40)


@pytest.mark.parametrize("content", [a_png(2, 2), a_picture()], ids=["png", "jpeg"])
def test_what_hangs_behind_a_picture_is_not_kept(content):
    assert b"<script>" not in service.examined(content + b"<script>", "a").content


def test_words_written_into_a_picture_are_not_kept():
    from PIL.PngImagePlugin import PngInfo

    words = PngInfo()
    words.add_text("Comment", "secret words")

    kept = service.examined(a_picture("PNG", pnginfo=words), "a.png").content

    assert b"secret words" not in kept
    assert opened(kept).getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "1", "I;16"])
def test_pictures_of_every_kind_of_colour_can_be_shown(mode):
    kept = service.examined(a_picture("PNG", mode=mode), "a.png").content

    assert opened(kept).mode in ("RGB", "RGBA")


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_large_picture_is_made_smaller(form):
    kept = service.examined(a_picture(form, (SIDE_MAX + 500, 900)), "a").content

    assert max(opened(kept).size) == SIDE_MAX


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<svg onload=alert(1)>", id="svg"),
        pytest.param(b"<!doctype html><script>", id="html"),
        pytest.param(a_picture("GIF"), id="another kind of picture"),
        pytest.param(a_png(2, 2)[:-30], id="png cut off"),
        pytest.param(a_png(2, 2).replace(b"IDAT", b"IDAX"), id="png with a wrong sum"),
        pytest.param(a_picture()[: len(a_picture()) // 2], id="jpeg cut off"),
        pytest.param(b"\xff\xd8\xff", id="jpeg start only"),
        pytest.param(b"%PDF-1.4", id="pdf cut off"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"\xff" * 40, id="png of noise"),
        pytest.param(b"%PDF-" + b"0" * (5 * 1024 * 1024) + b"%%EOF", id="too large"),
        pytest.param(a_png(1000, PIXELS_MAX // 1000 + 1), id="small file of very many pixels"),
    ],
)
def test_other_files_are_refused_with_a_code(content):
    with pytest.raises(EvidenceRefused) as refused:
        service.examined(content, "a.png")

    assert refused.value.code == "evidence_refused"
    assert str(refused.value)


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"%PDF-"]))
def test_any_bytes_are_evidence_or_refused(content, start):
    try:
        found = service.examined(start + content, "x")
    except EvidenceRefused:
        return

    assert found.content
