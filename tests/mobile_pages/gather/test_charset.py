import pytest
import webencodings
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.gather.charset import content_type_of, decode

WORDS = "广东省网上办事大厅"
META = '<!doctype html><meta charset="{}"><title>' + WORDS


@pytest.mark.parametrize(
    ("data", "header", "charset", "source"),
    [
        pytest.param(WORDS.encode(), "text/html; charset=utf-8", "utf-8", "header", id="header"),
        pytest.param(WORDS.encode("gbk"), 'text/html; Charset="GBK"', "gbk", "header", id="quoted header"),
        pytest.param(WORDS.encode("gbk"), "text/html;charset=gb2312", "gbk", "header", id="gb2312 means gbk"),
        pytest.param(META.format("gbk").encode("gbk"), "text/html", "gbk", "meta", id="meta"),
        pytest.param(META.format("gb18030").encode("gb18030"), None, "gb18030", "meta", id="meta gb18030"),
        pytest.param(META.format("utf-16").encode(), None, "utf-8", "meta", id="meta cannot say UTF-16"),
        pytest.param(
            f'<meta http-equiv="Content-Type" content="text/html; charset=GB2312">{WORDS}'.encode("gbk"),
            "text/html",
            "gbk",
            "meta",
            id="http-equiv",
        ),
        pytest.param(
            META.format("gbk").encode(), "text/html; charset=utf-8", "utf-8", "header", id="header wins"
        ),
        pytest.param(
            b"\xef\xbb\xbf" + WORDS.encode(), "text/html; charset=gbk", "utf-8", "bom", id="mark wins"
        ),
        pytest.param(b"\xff\xfe" + WORDS.encode("utf-16-le"), None, "utf-16le", "bom", id="UTF-16 mark"),
        pytest.param(WORDS.encode(), None, "utf-8", "default", id="undeclared UTF-8"),
        pytest.param(WORDS.encode("gbk"), None, "gb18030", "default", id="undeclared GBK"),
        pytest.param(WORDS.encode(), "text/html; charset=nonsense", "utf-8", "default", id="unknown label"),
    ],
)
def test_the_charset_is_found_as_browsers_do(
    data: bytes, header: str | None, charset: str, source: str
) -> None:
    decoded = decode(data, header)

    assert (decoded.charset, decoded.source) == (charset, source)
    assert decoded.text.endswith(WORDS)


def test_a_wrong_declaration_is_obeyed_and_shows_as_garbled_text() -> None:
    decoded = decode(WORDS.encode("gbk"), "text/html; charset=utf-8")

    assert (decoded.charset, WORDS in decoded.text, "\ufffd" in decoded.text) == ("utf-8", False, True)


@pytest.mark.parametrize(("filler", "source"), [(900, "meta"), (1024, "default")])
def test_a_meta_counts_only_in_the_first_1024_bytes(filler: int, source: str) -> None:
    assert decode(b" " * filler + META.format("gbk").encode("gbk"), None).source == source


def test_a_meta_in_a_comment_does_not_count() -> None:
    assert decode(b'<!-- <meta charset="gbk"> --><p>ok', None).source == "default"


def test_text_cut_inside_a_character_is_still_utf_8() -> None:
    assert decode(WORDS.encode()[:-1], None).charset == "utf-8"


def test_characters_beyond_gbk_are_read_under_its_label() -> None:
    assert decode("𠀀€㐀".encode("gb18030"), "text/html; charset=gbk").text == "𠀀€㐀"


@given(st.binary(), st.text(st.characters(codec="latin-1")))
def test_any_bytes_under_any_header_become_text(data: bytes, header: str) -> None:
    decoded = decode(data, header)

    assert webencodings.lookup(decoded.charset) is not None
    assert decoded.text.encode("utf-8", "surrogatepass").decode("utf-8") == decoded.text


@given(st.text(), st.sampled_from(["utf-8", "gb18030", "utf-16le"]))
def test_what_was_encoded_under_a_declared_label_comes_back(text: str, label: str) -> None:
    data = text.lstrip("\ufeff").encode(label, "replace")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or data[:3] == b"\xef\xbb\xbf":
        data = b""  # looks like a mark, which wins over the label

    assert decode(data, f"text/html; charset={label}").text == data.decode(label, "replace")


@given(st.text())
def test_any_content_type_is_read(header: str) -> None:
    kind, label = content_type_of(header)

    assert kind == kind.lower()
    assert label == label.strip().lower()
