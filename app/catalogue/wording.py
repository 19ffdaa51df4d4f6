"""Differences and values of versions in the words of staff."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.catalogue.differences import ABSENT, CHANGE_LABELS, Change, ChangeKind, Document, shown_key
from app.catalogue.fields import BY_NAME, FORM_LABEL, LABELS, Column, Field

NOTHING = "（无）"
_FORM_PARTS = {
    "form.fields": "表单项",
    "form.sections": "表单小节",
    "form.rest": "表单规则",
    "form": FORM_LABEL,
}
_ATTRIBUTES = {
    "section": "小节",
    "required": "必填",
    "words.label": "名称",
    "words.help": "填写说明",
    "words.placeholder": "示例",
    "words.autocomplete": "自动填充",
    "words.widget": "控件",
    "words.visible_if": "出现的条件",
    "schema.type": "类型",
    "schema.maxLength": "最多字数",
    "schema.minLength": "最少字数",
    "schema.minimum": "最小值",
    "schema.maximum": "最大值",
    "schema.minItems": "最少选几项",
    "schema.maxItems": "最多选几项",
    "schema.oneOf": "选项",
    "schema.items": "选项",
    "schema.format": "格式",
    "schema.const": "必须同意",
    "schema.x-personal": "个人信息",
    "schema.x-not-before": "不早于",
    "schema.x-not-after": "不晚于",
}


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """A difference as a page shows it; ``what`` names the member and its part, ``""`` for the whole field."""

    label: str
    kind: ChangeKind
    kind_label: str
    what: str
    old: str
    new: str


def told(changes: Iterable[Change], old: Document, new: Document) -> list[ChangeLine]:
    """Return the differences of two versions in words; members with a code are called by their names."""
    names = _names(old) | _names(new)
    return [_line(one, names) for one in changes]


def _names(document: Document) -> dict[tuple[str, str], str]:
    found = {
        (field.name, str(row["code"])): str(row["name"])
        for field in BY_NAME.values()
        if field.key == "code"
        for row in document.content.get(field.name, ())
    }
    fields = document.form["fields"] if document.form is not None else {}
    return found | {("form.fields", name): words["label"] for name, words in fields.items()}


def _line(change: Change, names: Mapping[tuple[str, str], str]) -> ChangeLine:
    field = BY_NAME.get(change.field)
    label = LABELS.get(change.field) or _FORM_PARTS.get(change.field, change.field)
    what = [_member(change, field, names)] if change.key else []
    if change.attribute:
        what.append(_attribute(change, field))
    return ChangeLine(
        label=label,
        kind=change.kind,
        kind_label=CHANGE_LABELS[change.kind],
        what="：".join(what),
        old="" if change.kind in {ChangeKind.ADDED, ChangeKind.MOVED} else _value(change, field, change.old),
        new=f"第 {change.place + 1} 位"
        if change.kind is ChangeKind.MOVED
        else ""
        if change.kind is ChangeKind.REMOVED
        else _value(change, field, change.new),
    )


def _member(change: Change, field: Field | None, names: Mapping[tuple[str, str], str]) -> str:
    shown = shown_key(change.key)
    if field is not None and field.labels:
        return field.labels.get(shown, shown)
    name = names.get((change.field, change.key.rpartition("#")[0]))
    return f"“{name}”（{shown}）" if name else f"“{shown}”"


def _attribute(change: Change, field: Field | None) -> str:
    column = _column(change, field)
    return column.label if column else _ATTRIBUTES.get(change.attribute, change.attribute)


def _column(change: Change, field: Field | None) -> Column | None:
    columns = field.columns if field is not None else ()
    return next((one for one in columns if one.name == change.attribute), None)


def _value(change: Change, field: Field | None, value: Any) -> str:
    if value is ABSENT:
        return NOTHING
    if change.field.startswith("form"):
        return _of_form(change, value)
    if change.attribute:
        return shown(_column(change, field), value)
    if change.key and field is not None and field.columns:
        parts = ((one, value.get(one.name)) for one in field.columns if one.name not in {field.key, "name"})
        return "；".join(
            f"{one.label} {shown(one, part)}" for one, part in parts if part not in (None, "", (), [])
        )
    if change.key:
        return ""
    return shown(field, value)


def shown(told_of: Field | Column | None, value: Any) -> str:
    """Return a value in words; codes by their labels."""
    if value is None or value == "" or value == () or value == []:
        return NOTHING
    labels = told_of.labels if told_of is not None else None
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list | tuple):
        return "、".join(shown(told_of, one) for one in value)
    if labels:
        return labels.get(str(value), str(value))
    if isinstance(value, Mapping):
        return _compact(value)
    return str(value)


def _of_form(change: Change, value: Any) -> str:
    if change.field == "form":
        return "、".join(words["label"] for words in value["fields"].values())
    if change.attribute in {"schema.oneOf", "schema.items"}:
        choices = value["oneOf"] if isinstance(value, Mapping) else value
        return "、".join(f"{one['title']}（{one['const']}）" for one in choices)
    if change.attribute == "section":
        return shown_key(str(value))
    if change.field == "form.fields" and isinstance(value, Mapping) and not change.attribute:
        parts = ("section", "required", "schema.type", "words.help")
        said = ((_ATTRIBUTES[one], value[one]) for one in parts if one in value)
        return "；".join(
            f"{label} {shown_key(part) if label == '小节' else shown(None, part)}" for label, part in said
        )
    return shown(None, value)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
