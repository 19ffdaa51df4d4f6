"""The strict reader of JSON bodies."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.json_api import strict_json

NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(VALUES, st.booleans())
def test_what_json_can_say_is_read_as_it_is(value, escaped):
    text = json.dumps(value, ensure_ascii=escaped)

    assert strict_json(text.encode()) == value


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"{", "不是有效的 JSON", id="cut off"),
        pytest.param(b"[1] 2", "不是有效的 JSON", id="more behind the end"),
        pytest.param(b'"\xff"', "不是 UTF-8", id="not UTF-8"),
        pytest.param('{"a": "户"}'.encode("gbk"), "不是 UTF-8", id="GBK"),
        pytest.param(b"\xff\xfe[\x001\x00]\x00", "不是 UTF-8", id="UTF-16"),
        pytest.param(b"[" * 100_000, "嵌套太深", id="100,000 levels open"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "嵌套太深", id="100,000 levels"),
        pytest.param(b"9" * 5000, "数字太大", id="5,000 digits"),
        pytest.param(b"1e999999", "数字太大", id="beyond every double"),
        pytest.param(b"-1e999999", "数字太大", id="below every double"),
        pytest.param(b"[NaN]", "NaN 和 Infinity 不是 JSON", id="NaN"),
        pytest.param(b"-Infinity", "NaN 和 Infinity 不是 JSON", id="Infinity"),
        pytest.param(b'{"a": 1, "a": 2}', "重复的字段名", id="a name twice"),
        pytest.param(rb'["\ud800"]', "代理对", id="lone surrogate in text"),
        pytest.param(rb'{"\udfff": 1}', "代理对", id="lone surrogate in a name"),
    ],
)
def test_what_is_not_good_json_is_refused_in_words(body, said):
    with pytest.raises(ValueError, match=said):
        strict_json(body)


def test_a_whole_pair_of_escapes_is_one_letter():
    assert strict_json(rb'"\ud842\udfb7"') == "\U00020bb7"
