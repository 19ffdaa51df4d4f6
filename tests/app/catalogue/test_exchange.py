"""Files of the catalogue: what is taken out comes in again unchanged; what is wrong is named and refused."""

import io
import json
import re

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select, update

from app.catalogue import importing
from app.catalogue import service as catalogue
from app.catalogue import versions as versions_of
from app.catalogue.cells import HEADINGS
from app.catalogue.content import from_json, to_json
from app.catalogue.desk_reading import Filter
from app.catalogue.exchange_files import (
    BYTES_MAX,
    FORMAT,
    LAYOUTS,
    ROWS_MAX,
    FileForm,
    FileRow,
    What,
    read_file,
    template,
    written,
)
from app.catalogue.exporting import exported
from app.catalogue.fields import FIELDS
from app.catalogue.importing import Act
from app.catalogue.models import ItemDirectory, ItemStanding, ItemVersion
from app.catalogue.service import VersionEvent
from app.catalogue.vetting import vetted
from app.core import db
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.sheets import ImportRefused, is_formula
from tests.app.catalogue.builders import FORM, a_content, a_directory, a_version, an_implementation, an_item
from tests.app.catalogue.strategies import CONTENTS, FORMS
from tests.builders import NOW, a_body, a_principal, sign_in, submit

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
FORMS_OF_FILES = pytest.mark.parametrize("form", list(FileForm))
PLACE = {
    "code": "x-1",
    "code_scheme": "test",
    "directory_code": "T001",
    "directory_scheme": "test",
    "body": "省公安厅",
    "region_code": "440000",
    "effective_on": "2026-03-02",
}


def a_row(content=None, form=FORM, **told):
    return FileRow(1, {**PLACE, **told}, to_json(content or a_content()), True, form)


def a_table(*rows, columns=("实施编码", "实施编码体系", "基本编码", "基本编码体系", "实施单位")):
    lines = [",".join(columns), *(",".join(row) for row in rows)]
    return "\r\n".join(lines).encode()


def a_workbook(*rows):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def errors_of(work):
    with pytest.raises(ImportRefused) as refused:
        work()
    return [(one.row, one.column, one.message) for one in refused.value.errors]


@FORMS_OF_FILES
@settings(max_examples=30, deadline=None)
@for_all(content=CONTENTS, document=FORMS)
def test_what_is_written_reads_back_as_it_was(form, content, document):
    stored, _ = vetted(to_json(content))
    content = from_json(stored)

    row = read_file(What.ITEMS, f"a.{form}", written(What.ITEMS, form, [a_row(content, document)]))[0]

    clean, problems = vetted(row.content)
    assert problems == {}
    assert from_json(clean) == content
    assert row.told == PLACE
    assert not row.has_form or row.form == document


@settings(max_examples=30, deadline=None)
@for_all(content=CONTENTS)
def test_no_cell_that_goes_out_is_a_formula(content):
    stored, _ = vetted(to_json(content))
    book = load_workbook(io.BytesIO(written(What.ITEMS, FileForm.XLSX, [a_row(from_json(stored))])))

    cells = [cell for row in book.active.iter_rows() for cell in row if cell.value is not None]
    assert not any(cell.data_type == "f" or is_formula(str(cell.value)) for cell in cells)


def test_every_field_has_a_heading_of_its_own():
    assert len(set(HEADINGS.values())) == len(FIELDS)
    assert template(What.ITEMS).startswith(b"\xef\xbb\xbf")
    assert len(LAYOUTS[What.ITEMS].columns) == len(FIELDS) + len(PLACE)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        pytest.param("a.csv", a_workbook(["实施编码"]), "扩展名不符", id="a workbook called csv"),
        pytest.param("a.xlsx", b"code,name\r\n1,2", "扩展名不符", id="a text called xlsx"),
        pytest.param("a.xlsx", b"PK\x03\x04zip", "XLSX", id="a broken workbook"),
        pytest.param("a.exe", b"MZ", "只接受", id="a program"),
        pytest.param("", b"", "只接受", id="no file"),
        pytest.param("a.csv", b"", "空的", id="an empty file"),
        pytest.param("a.csv", b"x" * (BYTES_MAX + 1), "超过", id="too large"),
        pytest.param("a.csv", a_table(*[["c"] * 5] * (ROWS_MAX + 1)), "超过", id="too many rows"),
        pytest.param("a.json", b"{", "JSON", id="no JSON"),
        pytest.param("a.json", b'{"format": "x"}', "format", id="JSON of others"),
        pytest.param("a.json", json.dumps({"format": FORMAT, "items": []}).encode(), "空的", id="no rows"),
        pytest.param("a.json", b"[" * 5000, "JSON", id="nested too deep"),
        pytest.param("a.json", json.dumps({"format": FORMAT, "items": [1]}).encode(), "对象", id="a number"),
        pytest.param("a.csv", a_table(["=1+1", "t", "c", "t", "b"]), "公式", id="a formula in text"),
        pytest.param(
            "a.xlsx", a_workbook(["实施编码", "实施编码体系"], ["=1+1", "t"]), "公式", id="a formula"
        ),
        pytest.param("a.csv", a_table(["c"], columns=["颜色"]), "不认识", id="unknown column"),
    ],
)
def test_files_that_are_none_of_ours_are_refused(name, content, said):
    assert any(said in message for _, _, message in errors_of(lambda: read_file(What.ITEMS, name, content)))


@pytest.fixture
def operator(given):
    return given(a_principal, "department_operator", body=given(a_body))


def try_file(given, by, content, what=What.ITEMS, name="a.csv"):
    return given(importing.try_file, by, what, name, content, now=NOW)


def bring_in(given, by, content, what=What.ITEMS, name="a.csv"):
    tried = try_file(given, by, content, what, name)
    return given(importing.commit, by, tried.id, now=NOW)


def versions(app):
    with app.app_context():
        return db.session().scalar(select(func.count(ItemVersion.id)))


@FORMS_OF_FILES
def test_what_was_taken_out_makes_no_change_when_brought_in(given, app, operator, form):
    live, drafted = given(an_item), given(an_implementation, directory_id=given(a_directory, "T002", "乙"))
    given(a_version, drafted, until=None, conditions=["=甲", "- 乙|丙\\"], lawful_days=None)
    given(a_version, live, until=VersionEvent.SUBMIT, promised_days=3)
    with app.app_context():
        made = exported(operator, What.ITEMS, form, Filter())
    before = versions(app)

    done = bring_in(given, operator, made.content, name=f"a.{form}")

    assert [one.act for one in done.planned] == [Act.SAME, Act.SAME]
    assert versions(app) == before


@on_sqlite
@FORMS_OF_FILES
def test_the_directory_taken_out_makes_no_change_either(given, app, form):
    given(a_directory)
    reviewer = given(a_principal, "province_reviewer")
    with app.app_context():
        made = exported(reviewer, What.DIRECTORY, form, Filter())

    done = bring_in(given, reviewer, made.content, What.DIRECTORY, f"a.{form}")

    assert [one.act for one in done.planned] == [Act.SAME]


@on_sqlite
def test_the_directory_is_brought_in_by_reviewers_only(given, app, operator):
    columns = ("基本编码", "编码体系", "事项名称", "事项类型", "办事领域", "设定依据（名称|文号|条款）")
    table = a_table(["D1", "test", "新事项", "行政许可", "教育", "某法|1 号|第一条"], columns=columns)
    with pytest.raises(Forbidden):
        try_file(given, operator, table, What.DIRECTORY)

    bring_in(given, given(a_principal, "province_reviewer"), table, What.DIRECTORY)

    with app.app_context():
        row = db.session().scalars(select(ItemDirectory)).one()
    assert (row.name, row.item_type, row.legal_basis[0]["clause"]) == ("新事项", "01", "第一条")


def test_a_new_row_makes_an_implementation_with_a_draft(given, app, operator):
    given(a_directory)
    content = written(What.ITEMS, FileForm.JSON, [a_row(effective_on="")])

    done = bring_in(given, operator, content, name="a.json")

    assert [one.act for one in done.planned] == [Act.NEW]
    with app.app_context():
        row = db.session().scalars(select(ItemVersion)).one()
        assert (row.state, from_json(row.content), row.form) == ("draft", a_content(), FORM)


@on_sqlite
def test_a_changed_row_drafts_one_version_however_often_it_comes(given, app, operator):
    item_id = given(an_item)
    with app.app_context():
        code = catalogue.item(item_id).code
    table = a_table([code, "test", "6"], columns=("实施编码", "实施编码体系", "承诺办结时限"))

    first, second = bring_in(given, operator, table), bring_in(given, operator, table)

    assert [one.act for one in (*first.planned, *second.planned)] == [Act.VERSION, Act.SAME]
    assert versions(app) == 2


@on_sqlite
def test_a_trial_changes_nothing_and_is_brought_in_once(given, app, operator):
    given(a_directory)
    content = written(What.ITEMS, FileForm.JSON, [a_row(effective_on="")])
    tried = try_file(given, operator, content, name="a.json")
    assert versions(app) == 0

    given(importing.commit, operator, tried.id, now=NOW)

    with pytest.raises(Conflict):
        given(importing.commit, operator, tried.id, now=NOW)
    with pytest.raises(NotFound):
        given(importing.commit, given(a_principal, "department_operator"), tried.id, now=NOW)


@on_sqlite
@pytest.mark.parametrize(
    ("changed", "column", "said"),
    [
        pytest.param({"body": "省教育厅"}, "实施单位", "不在您的管理范围", id="another body"),
        pytest.param({"body": "无此厅"}, "实施单位", "没有这个单位", id="unknown body"),
        pytest.param({"region_code": "999999"}, "行政区划代码", "没有这个地区", id="unknown region"),
        pytest.param({"directory_code": "无"}, "基本编码", "没有这个编码", id="unknown item"),
        pytest.param({"effective_on": "明天"}, "生效日期", "不是日期", id="no day"),
        pytest.param({"effective_on": "2026-03-01"}, "生效日期", "已经过去", id="a day gone by"),
        pytest.param({"code": ""}, "实施编码", "应有", id="no code"),
    ],
)
def test_errors_are_named_by_row_and_column(given, operator, changed, column, said):
    given(a_directory)
    given(a_body, "教育厅")
    content = written(What.ITEMS, FileForm.CSV, [a_row(**changed)])

    found = errors_of(lambda: try_file(given, operator, content))

    assert [(row, name) for row, name, _ in found] == [(2, column)]
    assert said in found[0][2]


@on_sqlite
@pytest.mark.parametrize(
    ("cells", "column", "said"),
    [
        pytest.param(["c1", "test", "四天"], "承诺办结时限", "应是整数", id="days in words"),
        pytest.param(["c1", "test", "-1"], "承诺办结时限", "应是整数", id="less than nothing"),
    ],
)
def test_values_that_cannot_be_are_named(given, operator, cells, column, said):
    given(a_directory)
    columns = ("实施编码", "实施编码体系", column, "基本编码", "基本编码体系", "实施单位")
    table = a_table([*cells, "T001", "test", "省公安厅"], columns=columns)

    found = errors_of(lambda: try_file(given, operator, table))

    assert found == [(2, column, said)]


@on_sqlite
@pytest.mark.parametrize(
    ("column", "cell", "advice"),
    [
        ("承诺办结时限", "四天", "写阿拉伯数字"),
        ("办件类型", "快办", "写成：即办件、承诺件、其他"),
        ("可以网上申请", "行", "写“是”或“否”"),
    ],
)
def test_every_error_says_how_to_mend_it(given, operator, column, cell, advice):
    given(a_directory)
    columns = ("实施编码", "实施编码体系", column, "基本编码", "基本编码体系", "实施单位")
    table = a_table(["c1", "test", cell, "T001", "test", "省公安厅"], columns=columns)

    with pytest.raises(ImportRefused) as refused:
        try_file(given, operator, table)

    assert refused.value.errors[0].advice.startswith(advice)


@on_sqlite
def test_one_wrong_row_keeps_all_others_out(given, app, operator):
    given(a_directory)
    rows = [a_row(effective_on=""), a_row(effective_on="", code="x-2", body="无此厅")]

    errors_of(lambda: try_file(given, operator, written(What.ITEMS, FileForm.CSV, rows)))

    assert versions(app) == 0


@on_sqlite
def test_a_code_that_stands_twice_is_named(given, operator):
    given(a_directory)
    rows = [a_row(effective_on=""), a_row(effective_on="")]

    found = errors_of(lambda: try_file(given, operator, written(What.ITEMS, FileForm.CSV, rows)))

    assert found[0][0] == 3
    assert "第 2 行已有" in found[0][2]


@on_sqlite
def test_what_others_changed_since_the_trial_is_not_overwritten(given, app, operator):
    item_id = given(an_item)
    version_id = given(a_version, item_id, until=None)
    with app.app_context():
        code = catalogue.item(item_id).code
    table = a_table([code, "test", "6"], columns=("实施编码", "实施编码体系", "承诺办结时限"))
    tried = try_file(given, operator, table)
    given(rename, version_id, "别人刚改的名称")

    found = errors_of(lambda: given(importing.commit, operator, tried.id, now=NOW))

    assert "试导入以后有人改过" in found[0][2]
    with app.app_context():
        assert db.session().get_one(ItemVersion, version_id).content["name"] == "别人刚改的名称"


@on_sqlite
def test_a_file_begins_no_second_version_beside_one_begun_in_the_same_moment(given, app, operator):
    item_id = given(an_item)
    with app.app_context():
        there = catalogue.item(item_id)
    table = a_table([there.code, "test", "6"], columns=("实施编码", "实施编码体系", "承诺办结时限"))
    tried = try_file(given, operator, table)
    given(a_version, item_id, until=None)
    given(look_back, there.version_id)

    errors_of(lambda: given(importing.commit, operator, tried.id, now=NOW))

    assert versions(app) == 2


def look_back(version_id):
    """Have the standings show what a statement saw that had to wait for the other's commit."""
    db.writing().flush()
    db.writing().execute(update(ItemStanding).values(newest_id=version_id))


def rename(version_id, name):
    row = db.writing().get_one(ItemVersion, version_id)
    content = from_json({**row.content, "name": name})
    versions_of.edit_version(version_id, content, row.form, effective_on=row.effective_on, actor="test")


@on_sqlite
def test_what_is_in_review_is_not_changed_by_a_file(given, app, operator):
    item_id = given(an_item)
    given(a_version, item_id, until=VersionEvent.SUBMIT)
    with app.app_context():
        code = catalogue.item(item_id).code
    table = a_table([code, "test", "6"], columns=("实施编码", "实施编码体系", "承诺办结时限"))

    assert "备案审查中" in errors_of(lambda: try_file(given, operator, table))[0][2]


@on_sqlite
def test_people_try_a_file_see_what_it_does_and_confirm(app, given, operator):
    given(a_directory)
    browser = app.test_client()
    sign_in(browser, given, operator)
    bad = (io.BytesIO(a_table(["x", "test", "无", "test", "省公安厅"])), "a.csv")
    refused = submit(browser, "/console/items/import", what="items", file=bad)
    good = (io.BytesIO(written(What.ITEMS, FileForm.XLSX, [a_row(effective_on="")])), "a.xlsx")
    tried = submit(browser, "/console/items/import", what="items", file=good)

    seen = browser.get(tried.location).text
    submit(browser, tried.location, re.search(r'action="([^"]+/commit)"', seen)[1])

    assert refused.status_code == 422
    assert "基本目录里没有这个编码" in refused.text
    assert "还没有改动任何内容" in seen
    assert versions(app) == 1
    assert browser.get("/console/items/export/file?form=csv").mimetype == "text/csv"


@on_sqlite
def test_what_does_not_fit_into_one_file_goes_on_in_the_next(app, given, operator, monkeypatch):
    monkeypatch.setattr("app.catalogue.exporting.ROWS_MAX", 2)  # 500 items would take the suite too long

    def three():
        for number in range(3):
            an_item(code=f"T{number}", name=f"事项{number}")

    given(three)
    with app.app_context():
        first = exported(operator, What.ITEMS, FileForm.JSON, Filter())
        second = exported(operator, What.ITEMS, FileForm.JSON, Filter(), after=first.next_after)

    assert (first.rows, second.rows, second.next_after) == (2, 1, None)
