import io
import re

import pytest

from app.mobile_access.service import CheckVerdict, State
from tests.app.mobile_access.builders import a_page, a_report_on_disk, finish_check
from tests.builders import a_body, a_principal, sign_in, submit


@pytest.fixture
def body(given):
    return given(a_body)


@pytest.fixture
def operator(client, given, body):
    sign_in(client, given, given(a_principal, "department_operator", body=body))


@pytest.fixture
def reviewer(client, given):
    sign_in(client, given, given(a_principal, "province_reviewer"))


FORM = {
    "name": "户政服务",
    "url": "https://hz.example.cn/m/",
    "theme": "household",
    "channels": ["wechat"],
    "hotline": "020-12345",
}


def test_a_page_is_registered_and_sent_to_its_check(client, body, operator):
    made = submit(client, "/console/pages/new", body_id=str(body.id), **FORM)
    checked = submit(client, made.location, f"{made.location}/check", version="1")
    shown = client.get(checked.location).text

    assert made.status_code == checked.status_code == 302
    assert "检测中" in shown
    assert "提交检测" in shown  # in the history


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"url": "http://10.0.0.1/"}, "内部地址"),
        ({"name": ""}, "不能为空"),
        ({"channels": []}, "接入渠道"),
        ({"body_id": "x"}, "请选择单位"),
    ],
    ids=["private address", "no name", "no channel", "no body"],
)
def test_a_wrong_form_comes_back_with_what_was_typed(client, body, operator, changed, said):
    answer = submit(client, "/console/pages/new", **{"body_id": str(body.id), **FORM, **changed})

    assert answer.status_code == 422
    assert said in answer.text
    assert "020-12345" in answer.text


def test_a_form_without_its_token_is_refused(client, body, operator):
    assert client.post("/console/pages/new", data={"body_id": str(body.id), **FORM}).status_code == 400


def test_an_edited_page_shows_the_new_name(client, given, body, operator):
    page = given(a_page, body=body)
    edit = f"/console/pages/{page.id}/edit"

    saved = submit(client, edit, version=str(page.version), **{**FORM, "name": "居住证"})
    late = submit(client, edit, version=str(page.version), **FORM)

    assert "居住证" in client.get(saved.location).text
    assert late.status_code == 422
    assert "先行处理" in late.text


def test_a_foreign_page_is_not_found(client, given, operator):
    page = given(a_page, body=given(a_body, name="教育厅"))

    assert client.get(f"/console/pages/{page.id}").status_code == 404
    assert page.name not in client.get("/console/pages").text


def test_each_channel_is_decided_in_one_form(client, given, reviewer):
    page = given(a_page, state=State.PASSED)
    detail = f"/console/pages/{page.id}"

    answer = submit(
        client,
        detail,
        f"{detail}/review",
        version=str(page.version),
        **{"decision-wechat": "approve", "decision-alipay": "reject", "reason-alipay": "图标不符"},
    )
    shown = client.get(answer.location).text

    assert "已上线" in shown
    assert "图标不符" in shown


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "至少对一个渠道"),
        ({"decision-wechat": "reject"}, "请填写理由"),
        ({"decision-wechat": "approve", "version": "1"}, "先行处理"),
        ({"decision-wechat": "approve", "version": "x"}, "请刷新"),
    ],
    ids=["nothing decided", "no reason", "an older version", "no version"],
)
def test_a_review_that_cannot_be_says_why(client, given, reviewer, fields, said):
    page = given(a_page, state=State.PASSED)
    detail = f"/console/pages/{page.id}"

    answer = submit(client, detail, f"{detail}/review", **{"version": str(page.version), **fields})

    assert said in client.get(answer.location).text


def test_a_page_is_taken_down_with_its_reason(client, given, reviewer):
    page = given(a_page, state=State.ONLINE)
    detail = f"/console/pages/{page.id}"

    submit(client, detail, f"{detail}/suspend", version=str(page.version), reason="例行维护")

    assert "下线原因：例行维护" in client.get(detail).text


def test_the_contact_person_is_shown_on_demand_and_the_look_is_in_the_trail(client, given, body, operator):
    page = given(a_page, body=body, contact_name="测试员", contact_phone="020-00000000")
    detail = f"/console/pages/{page.id}"

    before = client.get(detail).text
    after = submit(client, detail, f"{detail}/contact").text

    assert "020-00000000" not in before
    assert "020-00000000" in after
    assert "查看联系人" in client.get(detail).text


def test_what_a_department_typed_is_text_not_markup(client, given, body, operator):
    page = given(a_page, body=body, name="<b>粗</b>", description="<script>alert(1)</script>")

    shown = client.get(f"/console/pages/{page.id}").text

    assert "<script>alert" not in shown
    assert "&lt;b&gt;粗" in shown


def test_a_listing_with_a_nonsense_filter_shows_all(client, given, body, operator):
    page = given(a_page, body=body)

    shown = client.get("/console/pages?state=nonsense&cursor=%00")

    assert shown.status_code == 200
    assert page.name in shown.text


def test_a_file_is_imported_from_the_page(client, body, operator):
    text = "单位,服务名,网址,办事领域,渠道\n{},居住证,https://a.example.cn/,公安户籍,微信公众号\n"
    sent = (io.BytesIO(text.format(body.full_name).encode("gb18030")), "pages.csv")

    answer = submit(client, "/console/pages/import", file=sent)

    assert answer.status_code == 302
    assert "居住证" in client.get("/console/pages").text


def test_an_imported_file_with_faults_lists_them(client, operator):
    sent = (io.BytesIO("单位,服务名,网址,办事领域,渠道\n无此单位,a,=1,x,y\n".encode()), "pages.csv")

    answer = submit(client, "/console/pages/import", file=sent)

    assert answer.status_code == 422
    assert "不接受公式" in answer.text


def test_an_import_without_a_file_is_refused(client, operator):
    assert submit(client, "/console/pages/import").status_code == 422


def test_the_report_draws_the_offending_box_on_the_screenshot(app, client, given, body, operator):
    page = given(a_page, body=body, state=State.CHECKING)
    report, screenshot = a_report_on_disk(app)
    given(finish_check, page.id, CheckVerdict.FAIL, report=report)

    shown = client.get(f"/console/pages/{page.id}/checks/1")
    source = re.search(r'<image href="([^"]+)"', shown.text)[1]

    assert '<rect class="offender' in shown.text
    assert "怎么改" in shown.text
    assert "style=" not in shown.text
    assert client.get(source).data == screenshot


def test_only_files_of_the_check_are_given_out(app, client, given, body, operator):
    page = given(a_page, body=body, state=State.CHECKING)
    report, screenshot = a_report_on_disk(app)
    other = app.extensions["hall_settings"].var_dir
    given(finish_check, page.id, CheckVerdict.FAIL, report={**report, "screenshots": []})

    digest = report["screenshots"][0]["sha256"]

    assert (other / "artifacts" / digest[:2] / digest).read_bytes() == screenshot
    assert client.get(f"/console/pages/{page.id}/checks/1/files/{digest}").status_code == 404
    assert client.get(f"/console/pages/{page.id}/checks/1/files/..%2f..%2fx").status_code == 404


def test_a_check_that_never_finished_says_so(client, given, body, operator):
    page = given(a_page, body=body, state=State.CHECKING)
    running = client.get(f"/console/pages/{page.id}/checks/1").text
    given(finish_check, page.id, CheckVerdict.UNDECIDED)

    ended = client.get(f"/console/pages/{page.id}/checks/1").text

    assert "正在检测" in running
    assert "没有完成" in ended
