import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from app.mobile_access.tables import (
    BYTES_MAX,
    COLUMNS,
    REQUIRED,
    ROWS_MAX,
    ImportRefused,
    is_formula,
    read_table,
    template,
)

HEADING = ",".join(REQUIRED)
GOOD = "省公安厅,户政,https://a.cn/,公安户籍,wechat"


def a_csv(*lines, heading=HEADING):
    return "\r\n".join([heading, *lines]).encode()


def an_xlsx(*rows, heading=REQUIRED):
    book = Workbook()
    for row in (heading, *rows):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def refusal(content):
    with pytest.raises(ImportRefused) as refused:
        read_table(content)
    return refused.value.errors


def rows_or_errors(content):
    try:
        return read_table(content), []
    except ImportRefused as refused:
        return [], refused.errors


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_read_in_the_charsets_of_offices(charset):
    rows = read_table(a_csv(GOOD).decode().encode(charset))

    assert [(row.number, row.cells["body"], row.cells["theme"]) for row in rows] == [
        (2, "省公安厅", "公安户籍")
    ]


def test_a_workbook_is_read_with_its_row_numbers():
    rows = read_table(an_xlsx(GOOD.split(","), [], ["省教育厅", 12345, "https://b.cn/", "教育", "alipay"]))

    assert [(row.number, row.cells["name"]) for row in rows] == [(2, "户政"), (4, "12345")]


def test_a_formula_is_named_by_row_and_column():
    errors = refusal(
        an_xlsx(GOOD.split(","), ["省教育厅", "=HYPERLINK(1)", "https://b.cn/", "教育", "wechat"])
    )

    assert [(one.row, one.column) for one in errors] == [(3, "服务名")]


@pytest.mark.parametrize(
    "cell", ["=1+1", " =cmd|'/C calc'!A0", "@SUM(A1)", "+HYPERLINK(1)", "-1+cmd", "＝1+1"]
)
def test_what_a_spreadsheet_would_run_is_a_formula(cell):
    assert is_formula(cell)


@pytest.mark.parametrize("cell", ["+86 20-12345", "-5", "020-12345", "a=b", ""])
def test_telephones_and_words_are_no_formulas(cell):
    assert not is_formula(cell)


def test_a_missing_and_an_unknown_column_are_both_named():
    errors = refusal(a_csv("x", heading="单位,服务名,网址,办事领域,颜色"))

    assert {(one.row, one.column) for one in errors} == {(1, "渠道"), (1, "颜色")}


def test_a_column_given_twice_is_refused():
    assert refusal(a_csv("x", heading=HEADING + ",网址"))[0].column == "网址"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\r\n\r\n", id="blank lines"),
        pytest.param(HEADING.encode(), id="only a heading"),
        pytest.param(b"x" * (BYTES_MAX + 1), id="too large"),
        pytest.param(b"PK\x03\x04 not a zip", id="a broken workbook"),
        pytest.param(b"\xff\xfe\x00\xd8", id="no charset of ours"),
        pytest.param(b"a\0b", id="binary"),
        pytest.param(a_csv('"open'), id="an open quote"),
        pytest.param(a_csv(*[GOOD] * (ROWS_MAX + 1)), id="too many rows"),
        pytest.param(a_csv(GOOD + ",x"), id="more cells than headings"),
        pytest.param(a_csv("省公安厅," + "名" * 1001), id="a cell too long"),
    ],
)
def test_what_is_no_table_of_ours_is_refused(content):
    assert refusal(content)


def test_a_workbook_that_unpacks_to_too_much_is_refused():
    bomb = an_xlsx([0])
    packed = io.BytesIO(bomb)
    with pytest.MonkeyPatch.context() as patch:
        # A real bomb of 20 MB would slow the suite down; the limit is what is tested.
        patch.setattr("app.core.sheets.UNZIPPED_MAX", 100)
        assert "太大" in refusal(packed.getvalue())[0].message


def test_the_empty_file_we_hand_out_has_a_heading_we_accept():
    assert refusal(template())[0].message == "没有数据行"
    assert template().decode("utf-8-sig").strip().split(",") == list(COLUMNS)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=300).map(lambda tail: HEADING.encode() + b"\r\n" + tail),
        st.binary(max_size=300).map(lambda tail: b"PK\x03\x04" + tail),
        st.text(max_size=200).map(lambda text: f"{HEADING}\n{text}".encode("utf-8", "surrogatepass")),
    )
)
def test_whatever_the_bytes_reading_ends_in_rows_or_a_refusal(content):
    rows, errors = rows_or_errors(content)

    assert bool(rows) != bool(errors)
    assert not any(is_formula(cell) for row in rows for cell in row.cells.values())


WORKBOOK = an_xlsx(GOOD.split(","))  # made once: a workbook holds its time, and its length varies with it


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_a_damaged_workbook_is_read_or_refused(data):
    content = bytearray(WORKBOOK)
    for _ in range(5):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))

    rows, errors = rows_or_errors(bytes(content))

    assert bool(rows) != bool(errors)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.lists(
            st.text(
                st.characters(codec="gb18030", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]),
                min_size=1,
                max_size=9,
            ).map(lambda text: f"x{text}"),
            min_size=5,
            max_size=5,
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]),
)
def test_what_is_written_is_read(rows, charset):
    out = io.StringIO(newline="")
    csv.writer(out).writerows([REQUIRED, *rows])
    content = out.getvalue().encode(charset)

    # Some GB18030 texts are also good UTF-8; the heading decides in practice, and here.
    read = read_table(content)

    assert [list(row.cells.values()) for row in read] == rows
