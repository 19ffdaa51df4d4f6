"""The desk of the catalogue as staff use it: write, hand in, compare, return, file, stop."""

import html
import json
import re

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from app.catalogue import desk_reading
from app.catalogue import service as catalogue
from app.catalogue.fields import BY_NAME, GROUP_LABELS, in_group
from app.catalogue.models import ItemDirectory, ItemImplementation, ItemVersion
from app.catalogue.service import VersionEvent, VersionState
from app.core import audit, db
from tests.app.catalogue.builders import FORM, a_directory, a_version, an_implementation, an_item
from tests.builders import a_body, a_principal, sign_in, submit

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
LIST = "/console/items"


@pytest.fixture
def item(given):
    return given(an_item)


@pytest.fixture
def operator(app, given, item):
    return browser_of(app, given, "department_operator")


@pytest.fixture
def reviewer(app, given):
    return browser_of(app, given, "province_reviewer")


def browser_of(app, given, role, **details):
    browser = app.test_client()
    sign_in(browser, given, given(a_principal, role, **details))
    return browser


def newest(app, item_id):
    query = select(ItemVersion).where(ItemVersion.implementation_id == item_id)
    with app.app_context():
        return db.session().scalars(query.order_by(ItemVersion.number.desc())).first()


def begin(app, browser, item_id):
    submit(browser, f"{LIST}/{item_id}", f"{LIST}/{item_id}/versions")
    return newest(app, item_id)


def page_of(version):
    return f"{LIST}/versions/{version.id}"


def act(browser, version, event, **sent):
    page = page_of(version)
    return submit(browser, page, f"{page}/moves", event=event, version=str(version.version), **sent)


def save(browser, version, group, **sent):
    return submit(browser, f"{page_of(version)}/edit/{group}", version=str(version.version), **sent)


def as_sent(browser, address):
    """Return the fields of a page's form as a browser would send them."""
    text = browser.get(address).text
    fields = dict(
        re.findall(r'<(?:input type="(?:text|hidden|date)"[^>]*?) name="([^"]+)"[^>]*? value="([^"]*)"', text)
    )
    fields.pop("csrf_token", None)
    return fields


def test_a_change_goes_from_the_draft_to_the_residents(app, operator, reviewer, item):
    version = begin(app, operator, item)
    sent = {"promised_days": "5", "lawful_days": "15", "supplement_days": "15", "pauses": "实地核查\n听证"}
    assert save(operator, version, "limits", **sent).status_code == 303
    act(operator, newest(app, item), "submit")

    seen = reviewer.get(page_of(version)).text
    assert act(reviewer, newest(app, item), "file").status_code == 303

    with app.app_context():
        app.extensions["hall_jobs"]["catalogue.publish-due"].run({})
        now = catalogue.item(item)
    assert "承诺办结时限" in seen
    assert "共 2 处不同" in seen
    assert (now.content.promised_days, now.content.pauses, now.version_number) == (5, ("实地核查", "听证"), 2)


@on_sqlite
@pytest.mark.parametrize("group", list(GROUP_LABELS))
def test_saving_a_page_unchanged_changes_nothing(app, operator, item, group):
    version = begin(app, operator, item)
    address = f"{page_of(version)}/edit/{group}"
    before = newest(app, item)
    page = operator.get(address).text

    answer = operator.post(address, data=form_of(page))

    after = newest(app, item)
    assert answer.status_code == 303
    assert (after.content, after.form, after.effective_on) == (
        before.content,
        before.form,
        before.effective_on,
    )


def form_of(page):
    """Return what a browser sends for the page's last form, untouched."""
    form = page[page.rindex('<form class="stack') :]
    sent = []
    for tag in re.findall(r"<input[^>]*>", form):
        told = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if told.get("type") in {"checkbox", "radio"} and " checked" not in tag:
            continue
        if "name" in told and " disabled" not in tag:
            sent.append((told["name"], html.unescape(told.get("value", ""))))
    for name, text in re.findall(r'<textarea name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        sent.append((name, html.unescape(text)))
    for name, inner in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', inner)
        sent.append((name, chosen[1] if chosen else ""))
    many = {}
    for name, value in sent:
        many.setdefault(name, []).append(value)
    return many


@on_sqlite
def test_rows_are_added_moved_and_removed(app, operator, item):
    version = begin(app, operator, item)
    sent = form_of(operator.get(f"{page_of(version)}/edit/materials").text)
    sent |= {"materials-0-remove": ["1"], "materials-2-name": ["合同"], "materials-2-handings": ["paper"]}
    sent |= {"materials-2-at": ["0"], "materials-3-name": ["照片"], "materials-3-handings": ["paper"]}

    operator.post(f"{page_of(version)}/edit/materials", data=sent)

    kept = [(one["code"], one["name"]) for one in newest(app, item).content["materials"]]
    assert kept == [("m3", "合同"), ("m2", "住所证明"), ("m4", "照片")]


@on_sqlite
@pytest.mark.parametrize(
    ("group", "sent", "said"),
    [
        pytest.param("basic", {"name": "名" * 101}, "不能超过 100 个字", id="name too long"),
        pytest.param("limits", {"promised_days": "十天"}, "应是整数", id="days in words"),
        pytest.param("basic", {"effective_on": "2026-02-30"}, "请填写日期", id="no such day"),
        pytest.param(
            "variants", {"variants-0-name": "甲", "variants-0-when": "{x"}, "应是 JSON 对象", id="when"
        ),
        pytest.param("served", {"served": "9"}, "这个选项", id="unknown code"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(app, operator, item, group, sent, said):
    version = begin(app, operator, item)
    filled = form_of(operator.get(f"{page_of(version)}/edit/{group}").text) | sent

    answer = operator.post(f"{page_of(version)}/edit/{group}", data=filled)

    assert answer.status_code == 422
    assert said in answer.text
    assert newest(app, item).version == version.version


@on_sqlite
@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{\n1", "第 2 行", id="no JSON"),
        pytest.param('{"a": 1, "a": 2}', "写了两次", id="a name twice"),
        pytest.param("[]", "应是一个 JSON 对象", id="no object"),
        pytest.param(json.dumps({**FORM, "sections": []}), "sections", id="no sections"),
        pytest.param("[" * 9000, "嵌套太深", id="too deep"),
    ],
)
def test_a_form_that_is_not_sound_is_told_where(app, operator, item, text, said):
    version = begin(app, operator, item)

    answer = save(operator, version, "form", document=text)

    assert answer.status_code == 422
    assert said in answer.text


@on_sqlite
def test_a_form_is_previewed_without_being_saved(app, operator, item):
    version = begin(app, operator, item)
    words = {**FORM["fields"], "name": {"label": "申请人的姓名"}}

    page = save(operator, version, "form", document=json.dumps({**FORM, "fields": words}), then="preview")

    assert page.status_code == 200
    assert "申请人的姓名</span>" in page.text
    assert newest(app, item).form == FORM


@on_sqlite
def test_a_version_that_breaks_the_standard_is_not_handed_in(app, operator, item):
    version = begin(app, operator, item)
    save(operator, version, "limits", promised_days="16", lawful_days="15", supplement_days="15")

    answer = act(operator, newest(app, item), "submit")

    assert answer.status_code == 422
    assert "承诺时限不能长于法定时限" in answer.text
    assert newest(app, item).state is VersionState.DRAFT


@on_sqlite
def test_what_comes_back_says_why_and_can_be_mended(app, operator, reviewer, item):
    version = begin(app, operator, item)
    act(operator, newest(app, item), "submit")
    assert act(reviewer, newest(app, item), "return").status_code == 422
    act(reviewer, newest(app, item), "return", reason="材料名称不规范")

    seen = operator.get(page_of(version)).text
    save(operator, newest(app, item), "limits", promised_days="7", supplement_days="15")

    assert "材料名称不规范" in seen
    assert newest(app, item).state is VersionState.DRAFT


@on_sqlite
def test_what_was_seen_in_review_is_seen_anew_when_it_came_back(app, operator, reviewer, item):
    act(operator, begin(app, operator, item), "submit")
    reviewer.get(page_of(newest(app, item)))
    act(reviewer, newest(app, item), "return", reason="时限要再短")
    save(operator, newest(app, item), "limits", promised_days="3", supplement_days="15")

    page = operator.get(f"{page_of(newest(app, item))}/edit/limits").text

    assert 'name="promised_days" value="3"' in page


def test_of_two_who_change_a_version_the_second_is_told(app, operator, item):
    version = begin(app, operator, item)
    save(operator, version, "limits", promised_days="7", supplement_days="15")

    save(operator, version, "limits", promised_days="6", supplement_days="15")

    assert "已被他人先行处理" in operator.get(LIST).text
    assert newest(app, item).content["promised_days"] == 7


@on_sqlite
def test_everybody_moves_only_what_is_theirs(app, operator, reviewer, item):
    version = begin(app, operator, item)
    act(reviewer, version, "submit")
    assert newest(app, item).state is VersionState.DRAFT
    act(operator, newest(app, item), "submit")
    act(operator, newest(app, item), "file")

    assert newest(app, item).state is VersionState.IN_REVIEW


@on_sqlite
def test_nobody_publishes_by_hand(app, given, reviewer, item):
    version_id = given(a_version, given(an_implementation, "广州市", "440100"), until=VersionEvent.FILE)
    with app.app_context():
        filed = db.session().get(ItemVersion, version_id)

    act(reviewer, filed, "effective_date")

    with app.app_context():
        assert db.session().get(ItemVersion, version_id).state is VersionState.FILED


@on_sqlite
def test_stop_go_on_and_cancel_are_the_reviewers(app, operator, reviewer, item):
    live = newest(app, item)
    act(operator, live, "suspend", reason="系统升级")
    assert newest(app, item).state is VersionState.PUBLISHED

    for event in ("suspend", "resume", "cancel"):
        act(reviewer, newest(app, item), event, reason="系统升级")

    assert newest(app, item).state is VersionState.RETIRED
    with app.app_context():
        actions = [one.action for one in audit.history("item_version", live.id)]
    assert {"catalogue.version_suspend", "catalogue.version_resume", "catalogue.version_cancel"} <= set(
        actions
    )


@on_sqlite
@pytest.mark.parametrize(
    ("role", "details"),
    [("department_operator", {"body": ("教育厅", "440000")}), ("county_operator", {"region_code": "440106"})],
)
def test_foreign_items_do_not_exist(app, given, item, role, details):
    if "body" in details:
        details = {"body": given(a_body, *details["body"])}
    stranger, version = browser_of(app, given, role, **details), newest(app, item)

    pages = [
        f"{LIST}/{item}",
        page_of(version),
        f"{page_of(version)}/differences",
        f"{page_of(version)}/edit/basic",
    ]

    assert [stranger.get(page).status_code for page in pages] == [404] * 4
    assert "居住证申领" not in stranger.get(LIST).text


@on_sqlite
def test_an_item_is_listed_and_taken_up_by_a_body(app, given, reviewer):
    directory = {
        "code": "T9",
        "code_scheme": "test",
        "name": "新事项",
        "item_type": "20",
        "domain": "housing",
    }
    submit(reviewer, f"{LIST}/directory/new", **directory)
    with app.app_context():
        entry = db.session().scalars(select(ItemDirectory)).one()
    body = given(a_body)
    operator = browser_of(app, given, "department_operator", body=body)

    sent = {"body_id": str(body.id), "code": "T9-1", "code_scheme": "test"}
    submit(operator, f"{LIST}/directory/{entry.id}/implementations/new", **sent)

    with app.app_context():
        made = db.session().scalars(select(ItemImplementation)).one()
    assert begin(app, operator, made.id).content["name"] == "新事项"


@on_sqlite
def test_a_body_takes_up_no_item_outside_its_own_places(app, given):
    directory_id, body = given(a_directory), given(a_body, "广州市", "440100")
    operator = browser_of(app, given, "city_operator", region_code="440100")
    given(a_body, "深圳市", "440300")
    sent = {"body_id": str(body.id), "code": "T9-1", "code_scheme": "test", "region_code": "440300"}

    answer = submit(operator, f"{LIST}/directory/{directory_id}/implementations/new", **sent)

    assert answer.status_code == 422
    assert "不在单位的辖区内" in answer.text


@on_sqlite
def test_the_directory_is_changed_by_reviewers_only(app, given, operator, reviewer):
    directory_id = given(a_directory)
    page = f"{LIST}/directory/{directory_id}/edit"
    assert operator.get(page).status_code == 403
    sent = as_sent(reviewer, page) | {"name": "居住证办理", "item_type": "10", "domain": "household"}

    submit(reviewer, page, **sent)

    with app.app_context():
        row = db.session().get(ItemDirectory, directory_id)
        assert (row.name, row.legal_basis[0]["number"]) == ("居住证办理", "国务院令第663号")
        assert catalogue.search("居住证办理")


@on_sqlite
def test_the_scores_of_bodies_are_ranked_and_explained(given, reviewer, item):
    given(an_item, "广州市", "440100", questions=[{"question": "甲", "answer": "乙"}])

    page = reviewer.get(f"{LIST}/quality").text

    assert page.index("广州市人民政府") < page.index("省公安厅")
    assert "没有做到" in page
    assert "省公安厅" in reviewer.get(f"{LIST}?rule=questions_missing").text
    assert "广州市人民政府</td>" not in reviewer.get(f"{LIST}?rule=questions_missing").text


@on_sqlite
def test_the_list_goes_on_where_it_ended(given, reviewer):
    def many():
        for number in range(23):
            an_item(code=f"T{number:03}", name=f"事项{number:03}")

    given(many)
    first = reviewer.get(LIST).text
    onward = re.search(r'href="([^"]*after=[^"]*)"', first)[1].replace("&amp;", "&")

    second = reviewer.get(onward).text

    names = re.findall(r">(事项\d{3})<", first) + re.findall(r">(事项\d{3})<", second)
    assert names == [f"事项{number:03}" for number in range(23)]


@on_sqlite
def test_a_longer_list_takes_no_more_statements(app, given):
    def listed():
        statements = []
        engine = app.extensions["hall_db"].read_engine
        sa.event.listen(engine, "before_cursor_execute", note := lambda *told: statements.append(told[2]))
        with app.app_context():
            found = desk_reading.implementations(reviewer, desk_reading.Filter(), limit=50)
        sa.event.remove(engine, "before_cursor_execute", note)
        return len(found.items), len(statements)

    reviewer = given(a_principal, "province_reviewer")
    given(an_item)
    one = listed()
    given(lambda: [an_item(code=f"T9{number}", name=f"事项{number}") for number in range(9)])

    assert (one[0], listed()[0]) == (1, 10)
    assert listed()[1] == one[1] <= 4


def test_every_field_stands_on_a_page_of_the_editor():
    assert {one.name for group in GROUP_LABELS for one in in_group(group)} == set(BY_NAME)
