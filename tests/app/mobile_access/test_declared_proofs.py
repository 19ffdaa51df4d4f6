"""What departments declare so that a machine can judge: signed-in page, tickets, platform files, leave."""

import io

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st

from app.core import audit
from app.mobile_access import service
from app.mobile_access.domain import verify_files
from app.mobile_access.page_list import ListRefused, read_list
from app.mobile_access.service import State
from tests.app.mobile_access.builders import a_page, the_run
from tests.builders import NOW, a_bearer, a_body, a_principal, sign_in, submit

PAGES = "/api/v1/mobile-pages"
PROOFS = {
    "signed_in_url": "https://hz.example.cn/m/?as=test",
    "ticket_url": "https://sandbox.example.cn/sso?ticket=fresh",
    "expired_ticket_url": "https://sandbox.example.cn/sso?ticket=old",
    "wechat_file": "MP_verify_k3Jx9Qw.txt",
    "wechat_file_text": "",
    "alipay_file": "a41c7d0e.html",
    "may_probe_paths": True,
}
DOCUMENT = {
    "name": "户政服务",
    "url": "https://hz.example.cn/m/",
    "theme": "household",
    "channels": ["wechat"],
}


@pytest.fixture
def body(given):
    return given(a_body)


@pytest.fixture
def operator(given, body):
    return given(a_principal, "department_operator", body=body)


@pytest.fixture
def bearer(given, operator):
    return given(a_bearer, operator)


def test_the_api_keeps_what_was_declared(client, body, bearer):
    document = {**DOCUMENT, **PROOFS, "body_id": str(body.id)}

    made = client.post(PAGES, json=document, headers=bearer)
    read = client.get(f"{PAGES}/{made.json['id']}", headers=bearer).json

    assert made.status_code == 201
    assert {name: read[name] for name in PROOFS} == PROOFS


def test_a_check_is_told_all_of_it(app, given, body):
    page = given(a_page, body=body, state=State.CHECKING, **PROOFS)
    with app.app_context():
        run = the_run(page.id)

    said = given(service.begin_check, run, now=NOW).declaration

    assert (said.signed_in_url, said.ticket_url) == (PROOFS["signed_in_url"], PROOFS["ticket_url"])
    assert said.expired_ticket_url == PROOFS["expired_ticket_url"]
    assert said.may_probe_paths
    assert said.verify_files == {
        "wechat": ("MP_verify_k3Jx9Qw.txt", "k3Jx9Qw"),
        "alipay": ("a41c7d0e.html", "a41c7d0e"),
    }


def test_what_is_not_declared_is_told_as_none_and_no_path_may_be_probed(app, given, body):
    page = given(a_page, body=body, state=State.CHECKING)
    with app.app_context():
        run = the_run(page.id)

    said = given(service.begin_check, run, now=NOW).declaration

    assert (said.signed_in_url, said.ticket_url, said.expired_ticket_url) == (None, None, None)
    assert (said.verify_files, said.may_probe_paths) == ({}, False)


def test_leave_to_probe_stands_in_the_trail(app, given, body):
    page = given(a_page, body=body, may_probe_paths=True)

    with app.app_context():
        (line,) = audit.history("mobile_page", page.id)
    assert line.detail["may_probe_paths"] is True


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("signed_in_url", "http://10.0.0.1/", id="private signed-in page"),
        pytest.param("ticket_url", "file:///etc/passwd", id="ticket in a file"),
        pytest.param("expired_ticket_url", "http://127.0.0.1/", id="ticket on this machine"),
        pytest.param("wechat_file", "../MP_verify_a.txt", id="file in another folder"),
        pytest.param("wechat_file", "MP_verify_a.txt\n", id="line end in a name"),
        pytest.param("alipay_file", "a41c7d0e.txt", id="wrong ending"),
        pytest.param("wechat_file_text", "<script>", id="no text of a platform"),
        pytest.param("may_probe_paths", "perhaps", id="neither yes nor no"),
    ],
)
def test_what_cannot_be_right_is_refused_by_field(client, body, bearer, field, value):
    document = {**DOCUMENT, **PROOFS, "body_id": str(body.id), field: value}

    answer = client.post(PAGES, json=document, headers=bearer)

    assert answer.status_code == 422
    assert field in str(answer.json["errors"])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        pytest.param({"wechat_file": "abc.txt"}, "wechat_file_text", id="a file without its text"),
        pytest.param({"wechat_file": "", "wechat_file_text": "abc"}, "wechat_file", id="a text without file"),
    ],
)
def test_file_and_text_of_wechat_belong_together(client, body, bearer, changed, field):
    answer = client.post(PAGES, json={**DOCUMENT, "body_id": str(body.id), **changed}, headers=bearer)

    assert (answer.status_code, list(answer.json["errors"]["json"])) == (422, [field])


def test_the_form_keeps_it_and_shows_it_again(client, given, body, operator):
    sign_in(client, given, operator)
    fields = {**DOCUMENT, **PROOFS, "may_probe_paths": "true", "body_id": str(body.id)}

    made = submit(client, "/console/pages/new", **fields)
    detail, form = client.get(made.location).text, client.get(f"{made.location}/edit").text

    assert made.status_code == 302
    assert "单位已授权探测" in detail
    assert all(f'value="{PROOFS[name]}"' in form for name in PROOFS if isinstance(PROOFS[name], str))
    assert "<details open>" in form


def test_leave_can_be_taken_back_in_the_form(client, given, body, operator):
    page = given(a_page, body=body, may_probe_paths=True)
    sign_in(client, given, operator)

    submit(client, f"/console/pages/{page.id}/edit", version="1", **DOCUMENT)

    assert "未授权探测" in client.get(f"/console/pages/{page.id}").text


@pytest.mark.parametrize(("said", "kept"), [("是", True), ("否", False), ("", False)])
def test_a_file_of_pages_declares_it_too(client, body, bearer, said, kept):
    heading = "单位,服务名,网址,办事领域,渠道,登录后网址,测试票据网址,过期票据网址"
    heading += ",微信校验文件,支付宝校验文件,授权探测固定路径"
    proofs = [PROOFS[name] for name in ("signed_in_url", "ticket_url", "expired_ticket_url")]
    cells = [body.full_name, "居住证", "https://a.example.cn/", "公安户籍", "wechat", *proofs]
    row = ",".join([*cells, PROOFS["wechat_file"], PROOFS["alipay_file"], said])
    sent = {"file": (io.BytesIO(f"{heading}\n{row}\n".encode()), "pages.csv")}

    (page,) = client.post(f"{PAGES}/import", data=sent, headers=bearer).json["pages"]

    assert (page["may_probe_paths"], page["alipay_file"]) == (kept, PROOFS["alipay_file"])
    assert page["expired_ticket_url"] == PROOFS["expired_ticket_url"]


def test_the_list_of_the_command_declares_it_too():
    text = (
        "url,signed_in_url,ticket_url,wechat_file,may_probe_paths\n"
        "https://a.gov.cn/,https://a.gov.cn/?as=t,https://s.gov.cn/?t=1,MP_verify_ab.txt,yes\n"
    )

    (declared,) = read_list(text.encode())

    assert declared["signed_in_url"] == "https://a.gov.cn/?as=t"
    assert declared["ticket_url"] == "https://s.gov.cn/?t=1"
    assert declared["verify_files"] == {"wechat": ("MP_verify_ab.txt", "ab")}
    assert declared["may_probe_paths"] is True


@pytest.mark.parametrize(
    ("row", "words"),
    [
        pytest.param("https://a.gov.cn/,abc.txt,", "第 2 行没有微信校验文件的内容", id="no text"),
        pytest.param("https://a.gov.cn/,,perhaps", "perhaps", id="neither yes nor no"),
    ],
)
def test_a_list_that_declares_nonsense_says_where(row, words):
    with pytest.raises(ListRefused, match=words):
        read_list(f"url,wechat_file,may_probe_paths\n{row}\n".encode())


@generated(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=16))
def test_a_platforms_own_name_of_a_file_says_what_it_holds(word):
    found = verify_files(f"MP_verify_{word}.txt", "", f"{word}.html")

    assert {kind: text for kind, (_, text) in found.items()} == {"wechat": word, "alipay": word}
