"""Registrations as a table: what one hall writes, another reads."""

import csv
import io
from contextlib import contextmanager

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from app import create_app
from app.core import audit, db, migrate
from app.mobile_access import service
from app.mobile_access.imports import import_pages
from app.mobile_access.presenting import exported
from app.mobile_access.service import Filter, State
from app.mobile_access.tables import COLUMNS, harmless, is_formula, read_table, to_csv, to_xlsx
from mobile_pages.guard import Policy
from tests.app.mobile_access.builders import a_page
from tests.builders import NOW, a_bearer, a_body, a_principal, settings_for, sign_in, submit

EXPORT = "/api/v1/mobile-pages/export"
POLICY = Policy.allowing([], test_or_demo=True)
FULL = {
    "name": "=1+1",
    "url": "https://wsbs.example.gov.cn/m/?a=1&b=%26",
    "description": "第一行，“引号”, 逗号\n第二行",
    "hotline": "+86 20-12345",
    "elder_url": "https://wsbs.example.gov.cn/m/?style=elder",
    "health_url": "https://wsbs.example.gov.cn/m/health",
    "domains": ("img.example.gov.cn", "api.example.gov.cn"),
    "icp_number": "'@粤ICP备00000001号",
    "name_reason": "-没有更短的说法",
    "wechat_file": "MP_verify_k3Jx9QwErTyUiOp1.txt",
    "wechat_file_text": "k3Jx9QwErTyUiOp1",
    "alipay_file": "a41c7d0e9b35f286.html",
    "may_probe_paths": True,
    "contact_name": "张联系",
    "contact_phone": "020-12345",
}
SAME = [
    name for name in COLUMNS.values() if name not in ("body", "channels", "contact_name", "contact_phone")
]


@pytest.fixture
def body(given):
    return given(a_body)


@pytest.fixture
def operator(given, body):
    return given(a_principal, "department_operator", body=body)


@contextmanager
def another_hall(folder):
    url = f"sqlite:///{folder}/other.sqlite"
    migrate.upgrade(url)
    made = create_app(settings_for(url, folder))
    try:
        with made.app_context():
            yield
    finally:
        made.extensions["hall_db"].dispose()


def written(app, by, form, **narrowed):
    with app.app_context():
        return exported(by, form, Filter(**narrowed), contacts=True).content


def told(page):
    kinds = sorted(one.kind for one in page.channels)
    return {name: getattr(page, name) for name in SAME} | {"channels": kinds}


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_one_hall_exports_another_imports_as_the_same_pages(app, given, body, operator, tmp_path, form):
    pages = [given(a_page, body=body, **FULL), given(a_page, body=body)]
    content = written(app, operator, form)

    with another_hall(tmp_path):
        there = db.transaction(lambda: a_principal("department_operator", body=a_body()))
        made = import_pages(there, content, POLICY, now=NOW)
        contacts = {
            page.url: db.transaction(lambda page=page: service.contact(there, page.id)) for page in made
        }

    assert sorted(map(told, made), key=str) == sorted(map(told, pages), key=str)
    assert contacts == {pages[0].url: ("张联系", "020-12345"), pages[1].url: ("", "")}


def test_the_columns_are_those_of_the_import_and_no_cell_is_a_formula(app, given, body, operator):
    given(a_page, body=body, **FULL)

    rows = list(csv.reader(io.StringIO(written(app, operator, "csv").decode("utf-8-sig"), newline="")))

    assert rows[0] == list(COLUMNS)
    assert not any(is_formula(cell) for row in rows for cell in row)


def test_contact_persons_are_read_only_on_demand_and_leave_a_trace(client, given, body, operator, app):
    page = given(a_page, body=body, **FULL)
    bearer = given(a_bearer, operator)

    without = client.post(EXPORT, json={"form": "csv"}, headers=bearer).get_data(as_text=True)
    with_them = client.post(EXPORT, json={"form": "csv", "contacts": True}, headers=bearer).get_data(
        as_text=True
    )

    assert ("张联系" in without, "张联系" in with_them) == (False, True)
    with app.app_context():
        actions = [one.action for one in audit.history("mobile_page", page.id)]
    assert actions.count("mobile_page.read_contact") == 1


def test_nobody_exports_pages_of_another_body(client, given, body):
    given(a_page, body=body, name="别人的网页")
    stranger = given(lambda: a_bearer(a_principal("department_operator", body=a_body("民政厅"))))

    assert "别人的网页" not in client.post(EXPORT, json={"form": "csv"}, headers=stranger).get_data(
        as_text=True
    )


def test_retired_pages_are_exported_only_when_asked_for(app, given, body, operator):
    given(a_page, body=body, name="退出的", state=State.RETIRED)

    assert "退出的" not in written(app, operator, "csv").decode()
    assert "退出的" in written(app, operator, "csv", state=State.RETIRED).decode()


def test_more_pages_than_one_listing_holds_are_all_exported(app, given, body, operator):
    given(lambda: [a_page(body=body) for _ in range(103)])

    assert len(read_table(written(app, operator, "csv"))) == 103


@pytest.mark.parametrize(
    "wrong", [{"form": "pdf"}, {"form": None}, {"contacts": "perhaps"}, {"state": "gone"}, {"x": 1}]
)
def test_a_wrong_wish_is_refused(client, given, operator, wrong):
    answer = client.post(EXPORT, json={"form": "csv"} | wrong, headers=given(a_bearer, operator))

    assert answer.status_code == 422


def test_the_console_gives_the_workbook(client, given, body, operator):
    given(a_page, body=body)
    sign_in(client, given, operator)

    answer = submit(client, "/console/pages/export", form="xlsx", state="", body_id="", theme="", text="")

    assert answer.data.startswith(b"PK\x03\x04")
    assert answer.headers["Content-Disposition"] == "attachment; filename=mobile-pages.xlsx"


_cells = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30).map(str.strip)


@for_all(st.lists(_cells.filter(bool), min_size=1, max_size=4), st.sampled_from([to_csv, to_xlsx]))
def test_whatever_stands_in_a_cell_is_read_as_it_was_written(texts, write):
    rows = [{"body": "b", "name": text, "url": "u", "theme": "t", "channels": "c"} for text in texts]

    assert [row.cells["name"] for row in read_table(write(rows))] == texts


@for_all(st.text("'=@+- 1a", max_size=12))
def test_no_written_cell_is_a_formula(text):
    assert not is_formula(harmless(text))
