import io

import pytest

from tests.app.mobile_access.builders import a_page
from tests.builders import a_bearer, a_body, a_principal

IMPORT = "/api/v1/mobile-pages/import"
HEADING = "单位,服务名,网址,办事领域,渠道,联系电话"


@pytest.fixture
def body(given):
    return given(a_body)


@pytest.fixture
def operator(given, body):
    return given(lambda: a_bearer(a_principal("department_operator", body=body)))


def send(client, headers, *lines, name="pages.csv"):
    content = "\n".join([HEADING, *lines]).encode("utf-8-sig")
    return client.post(IMPORT, data={"file": (io.BytesIO(content), name)}, headers=headers)


def test_every_row_becomes_a_page(client, body, operator):
    answer = send(
        client,
        operator,
        f"{body.full_name},居住证,https://a.example.cn/,公安户籍,微信公众号、alipay,020-00000000",
        f"{body.name},出入境,https://b.example.cn/,household,wechat,",
    )

    assert (answer.status_code, answer.json["imported"]) == (201, 2)
    assert [len(page["channels"]) for page in answer.json["pages"]] == [2, 1]


def test_every_fault_is_told_and_nothing_is_imported(client, body, operator):
    good = f"{body.full_name},好,https://good.example.cn/,税务,wechat,"
    answer = send(
        client,
        operator,
        good,
        "无此单位,名,https://c.example.cn/,税务,wechat,",
        f"{body.full_name},,http://10.0.0.1/,无此领域,wechat,",
        f"{body.full_name},内网,http://192.168.1.1/,税务,wechat,",
        f"{body.full_name},公式,=1,税务,,",
    )
    formula = answer.json["errors"]["rows"]
    without = send(
        client, operator, good, f"{body.full_name},,x,无此领域,wechat,", "无,名,https://c.cn/,税务,wechat,"
    )

    assert (answer.status_code, answer.json["code"]) == (422, "import_refused")
    assert [(one["row"], one["column"]) for one in formula] == [(6, "网址")]
    found = {(one["row"], one["column"]) for one in without.json["errors"]["rows"]}
    assert found >= {(3, "服务名"), (3, "办事领域"), (4, "单位")}
    assert client.get("/api/v1/mobile-pages", headers=operator).json["items"] == []


def test_a_private_address_in_a_file_is_refused_by_row(client, body, operator):
    answer = send(client, operator, f"{body.full_name},内网,http://192.168.1.1/,税务,wechat,")

    assert answer.json["errors"]["rows"][0]["column"] == "网址"
    assert "内部地址" in answer.json["errors"]["rows"][0]["message"]


def test_an_address_registered_before_or_twice_in_the_file_stops_it_all(client, given, body, operator):
    known = given(a_page, body=body)
    row = f"{body.full_name},名,https://twice.example.cn/,税务,wechat,"

    answer = send(client, operator, row, row, f"{body.full_name},名,{known.url},税务,wechat,")

    assert [one["row"] for one in answer.json["errors"]["rows"]] == [3, 4]
    assert len(client.get("/api/v1/mobile-pages", headers=operator).json["items"]) == 1


def test_nobody_imports_for_another_body(client, given, operator):
    other = given(a_body, name="教育厅")

    answer = send(client, operator, f"{other.full_name},名,https://a.example.cn/,教育,wechat,")

    assert answer.json["errors"]["rows"][0]["column"] == "单位"


def test_the_empty_file_can_be_fetched(client, operator):
    answer = client.get(IMPORT, headers=operator)

    assert answer.status_code == 200
    assert answer.data.startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("data", [{}, {"file": "text, not a file"}], ids=["no file", "a text field"])
def test_a_request_without_a_file_is_refused(client, operator, data):
    assert client.post(IMPORT, data=data, headers=operator).status_code in {415, 422}
