"""Lists of pages for the command."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mobile_access.page_list import PAGES_MAX, ListRefused, declaration_of, read_list
from mobile_pages.artifact import Level

FULL = (
    "url,name,body,hotline,channels,domains,level,elder_url\n"
    "https://a.gov.cn/,社保查询,省人社厅,12345,wechat 支付宝,s.a.gov.cn;t.a.gov.cn,city,https://a.gov.cn/?e=1\n"
)


def test_a_list_is_one_address_a_line():
    text = "# 本月\nhttps://a.gov.cn/\n\n  https://b.gov.cn/?a=1,2 \r\n"

    assert read_list(text.encode()) == [{"url": "https://a.gov.cn/"}, {"url": "https://b.gov.cn/?a=1,2"}]


def test_a_csv_declares_what_it_has_columns_for():
    (declared,) = read_list(FULL.encode("utf-8-sig"))

    assert declared == {
        "url": "https://a.gov.cn/",
        "name": "社保查询",
        "body_name": "省人社厅",
        "hotline": "12345",
        "channels": ("wechat", "alipay"),
        "domains": ("s.a.gov.cn", "t.a.gov.cn"),
        "level": Level.CITY,
        "elder_url": "https://a.gov.cn/?e=1",
    }


def test_the_columns_of_the_registration_table_are_known_in_gb18030_too():
    text = "网址,服务名,单位,咨询热线\nhttps://a.gov.cn/,社保查询,省人社厅,12345\n"

    (declared,) = read_list(text.encode("gb18030"))

    assert (declared["name"], declared["body_name"]) == ("社保查询", "省人社厅")


def test_what_the_list_leaves_out_comes_from_the_options():
    declared = read_list(b"url,name\nhttps://a.gov.cn/,\nhttps://b.gov.cn/,B\n")

    names = [declaration_of(one, {"name": "A", "hotline": "12345"}).name for one in declared]

    assert names == ["A", "B"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "没有网址", id="empty"),
        pytest.param(b"# nothing\n\n", "没有网址", id="comments only"),
        pytest.param(b"url,name\n", "没有网址", id="heading only"),
        pytest.param(b"url,colour\nhttps://a/,red\n", "colour", id="unknown column"),
        pytest.param(b"url,url\nhttps://a/,https://b/\n", "不止一次", id="column twice"),
        pytest.param(b"url,name\n,A\n", "第 2 行没有网址", id="no address"),
        pytest.param(b"url\nhttps://a/,A\n", "第 2 行的数据比表头多", id="more cells than columns"),
        pytest.param(b"url,level\nhttps://a/,town\n", "第 2 行的值不认识", id="unknown level"),
        pytest.param(b"url,channels\nhttps://a/,sms\n", "sms", id="unknown channel"),
        pytest.param(b'url,name\nhttps://a/,"A\n', "引号不配对", id="open quote"),
        pytest.param(b"\xff\xfe\x00", "编码", id="no text"),
        pytest.param(b"x\n" * (PAGES_MAX + 1), "超过", id="too long"),
    ],
)
def test_a_list_that_cannot_be_read_says_where_and_why(content, words):
    with pytest.raises(ListRefused, match=words):
        read_list(content)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_list_or_refused(content):
    try:
        found = read_list(content)
    except ListRefused:
        return

    assert all(declaration_of(one, {}).url for one in found)
