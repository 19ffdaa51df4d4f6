"""A form document as staff write it: JSON with errors that say where."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from app.catalogue.forms import form_problems

TEXT_MAX = 200_000


def text_of_form(form: Mapping[str, Any] | None) -> str:
    """Return a form as text to be edited; ``""`` for none."""
    return "" if form is None else json.dumps(form, ensure_ascii=False, indent=1)


def form_of_text(text: str) -> tuple[dict[str, Any] | None, list[str]]:
    """Return the form that ``text`` writes, None for an empty text, and what is wrong with it."""
    if not text.strip():
        return None, []
    if len(text) > TEXT_MAX:
        return None, [f"超过 {TEXT_MAX} 个字"]
    try:
        form = json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        return None, [f"第 {error.lineno} 行第 {error.colno} 个字符处不是有效的 JSON：{_said(error.msg)}"]
    except RecursionError:
        return None, ["嵌套太深"]
    except ValueError as error:
        return None, [str(error)]
    if not isinstance(form, dict):
        return None, ["表单应是一个 JSON 对象，有 schema、sections、fields 三部分"]
    faults = form_problems(form)
    return (form, []) if not faults else (None, faults)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = counts.most_common(1)[0][0]
        raise ValueError(f"“{twice[:40]}”写了两次")
    return made


_WORDS = {
    "Expecting value": "这里缺一个值",
    "Expecting property name enclosed in double quotes": "这里应是带双引号的名字（多半是前面多了一个逗号）",
    "Expecting ',' delimiter": "这里缺逗号，或少了括号",
    "Expecting ':' delimiter": "这里缺冒号",
    "Extra data": "后面还有多余的内容",
    "Unterminated string starting at": "引号没有配对",
    "Invalid control character at": "文字里有换行或控制字符",
    "Illegal trailing comma before end of object": "多了一个逗号",
    "Illegal trailing comma before end of array": "多了一个逗号",
}


def _said(message: str) -> str:
    return _WORDS.get(message, message)
