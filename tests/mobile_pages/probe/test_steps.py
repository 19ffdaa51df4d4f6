"""The step language: what people write is what the prober does; nonsense is told by its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.probe.steps import (
    METHODS,
    WITH_BODY,
    Expectation,
    Extraction,
    Place,
    Source,
    Step,
    StepError,
    Test,
    expectation,
    parse,
    render,
    secrets_of,
)

SIGN_IN = """
# 用测试账号登录
步骤 登录
POST https://sb.example.cn/api/login
请求头 Content-Type: application/json
正文 {"user": "{{密.账号}}", "password": "{{密.口令}}"}
应 JSON /code = 0
取 令牌 JSON /data/token

步骤 查询办件
GET https://sb.example.cn/api/cases?size=1
请求头 Authorization: Bearer {{令牌}}
应 状态码 = 200
应 CSS div.list > h1[title="我的 办件"] 包含 我的办件
"""

names = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
words = st.from_regex(r"[a-z0-9一-龥/{}\[\]\"=<>:;-]{1,12}( [a-z0-9一-龥]{1,5})?", fullmatch=True).filter(
    lambda text: "{{" not in text
)
places = st.one_of(
    st.builds(Place, st.just(Source.JSON), st.from_regex(r"(/[a-z0-9]{1,6}){1,3}", fullmatch=True)),
    st.builds(
        Place, st.just(Source.CSS), st.sampled_from(["h1", "#a > b", "a[href='x = y']", "p:first-child"])
    ),
    st.builds(Place, st.sampled_from([Source.HEADER, Source.COOKIE]), names),
)
wishes = st.one_of(
    st.builds(Expectation, places, st.sampled_from([Test.EQUALS, Test.CONTAINS, Test.LACKS]), words),
    st.builds(Expectation, places, st.just(Test.EXISTS)),
    st.builds(Expectation, st.just(Place(Source.STATUS)), st.just(Test.EQUALS), st.just("302")),
    st.builds(Expectation, st.just(Place(Source.BODY)), st.just(Test.CONTAINS), words),
)


@st.composite
def steps(draw):
    method = draw(st.sampled_from(METHODS))
    return Step(
        name=draw(words),
        method=method,
        url="https://a.example.cn/" + draw(names),
        headers=tuple(draw(st.lists(st.tuples(st.just("X-A"), names), max_size=2))),
        body="\n".join(draw(st.lists(words, max_size=2))) if method in WITH_BODY else "",
        expectations=tuple(draw(st.lists(wishes, max_size=3))),
        extractions=tuple(draw(st.lists(st.builds(Extraction, names, places), max_size=2))),
    )


@given(st.lists(steps(), min_size=1, max_size=3).map(tuple))
def test_what_is_written_out_is_read_back_the_same(made):
    assert parse(render(made)) == made


def read(script):
    """Return the steps, or why there are none."""
    try:
        return parse(script)
    except StepError as error:
        return error


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_its_line(text):
    found = read(text)

    assert isinstance(found, tuple) or 1 <= found.line <= text.count("\n") + 1


@given(st.lists(st.sampled_from(SIGN_IN.splitlines()), max_size=12))
def test_lines_in_any_order_are_read_or_refused(lines):
    found = read("\n".join(lines))

    assert isinstance(found, StepError) or parse(render(found)) == found


def test_a_script_becomes_steps():
    first, second = parse(SIGN_IN)

    assert (first.name, first.method, first.url) == ("登录", "POST", "https://sb.example.cn/api/login")
    assert first.extractions == (Extraction("令牌", Place(Source.JSON, "/data/token")),)
    assert second.headers == (("Authorization", "Bearer {{令牌}}"),)
    assert second.wanted_status == {"200"}
    assert second.expectations[1].place.path == 'div.list > h1[title="我的 办件"]'


def test_the_credentials_a_script_needs_are_known():
    assert secrets_of(parse(SIGN_IN)) == {"账号", "口令"}


def test_an_expectation_reads_as_it_was_written():
    assert str(expectation("JSON /code = 0")) == "JSON /code = 0"


STEP = "步骤 一\n"
GET = STEP + "GET https://a.example.cn/\n"
REFUSED = [
    pytest.param("", 1, "至少要有一步", id="nothing"),
    pytest.param("GET https://a.example.cn/", 1, "先写“步骤", id="a request of no step"),
    pytest.param(STEP + "应 状态码 = 200", 2, "先写请求", id="nothing asked"),
    pytest.param(STEP, 2, "没有请求", id="a step without a request"),
    pytest.param(GET + "GET https://b.example.cn/", 3, "只能有一个请求", id="two requests"),
    pytest.param(GET + "看 一眼", 3, "看不懂", id="an unknown word"),
    pytest.param(GET + "正文 a=1", 3, "不能带正文", id="a body with GET"),
    pytest.param(STEP + "GET ftp://a.example.cn/", 2, "http", id="another scheme"),
    pytest.param(STEP + "GET https://a:b@a.example.cn/", 2, "用户名", id="a password in the address"),
    pytest.param(STEP + "GET https://a.example.cn/?p={{密.口令}}", 2, "日志", id="a secret in the address"),
    pytest.param(STEP + "GET https://{{x}}.example.cn/", 2, "域名", id="a host of variables"),
    pytest.param(GET + "请求头 Host: b.example.cn", 3, "自己填写", id="a header of our own"),
    pytest.param(GET + "请求头 X-A 1", 3, "名称: 值", id="a header without a colon"),
    pytest.param(GET + "请求头 X-A: {{x}}", 1, "没有取过", id="a value never kept"),
    pytest.param(GET + "应 状态码 = 20", 3, "状态码写成", id="no status code"),
    pytest.param(GET + "应 JSON code = 0", 3, "RFC 6901", id="no pointer"),
    pytest.param(GET + "应 CSS > > 存在", 3, "选择器", id="no selector"),
    pytest.param(GET + "应 JSON /a", 3, "怎样才对", id="no test"),
    pytest.param(GET + "应 JSON /a 存在 1", 3, "不写值", id="a value too many"),
    pytest.param(GET + "取 9a JSON /a", 3, "变量名", id="no name"),
    pytest.param(GET + "取 a 正文", 3, "写成", id="the whole body kept"),
    pytest.param(GET + "应 正文 包含 a\x00", 3, "控制字符", id="a control character"),
    pytest.param(GET * 11, 21, "最多 10 步", id="too many steps"),
]


@pytest.mark.parametrize(("script", "line", "said"), REFUSED)
def test_nonsense_is_refused_by_its_line(script, line, said):
    with pytest.raises(StepError) as refused:
        parse(script)

    assert refused.value.line == line
    assert said in refused.value.detail
