"""JSON shapes of tables over many pages: totals per rule, export of registrations."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.core.fields import Id, Text
from app.mobile_access.domain import SPEC_VERSION_MAX, State, Theme
from app.mobile_access.registry import Filter
from app.mobile_access.rule_totals import TotalsFilter
from mobile_pages.spec.base import Severity

FORMS = ("csv", "xlsx")
_TEXT_MAX = 60


class TotalsQuerySchema(ma.Schema):
    """Whose pages are counted."""

    body_id = Id()
    city_code = ma.fields.Str(
        validate=ma.validate.Regexp(r"[0-9]{6}\Z"),
        metadata={"description": "地市代码，连同所辖县区；440000 为省直部门", "pattern": "^[0-9]{6}$"},
    )
    spec_version = Text(
        longest=SPEC_VERSION_MAX, metadata={"description": "按这一版判定的最近一次检测；不填为最近一次检测"}
    )
    state = ma.fields.Enum(State, by_value=True, metadata={"description": "不填为未退出的全部网页"})

    @ma.post_load
    def _build(self, data: dict[str, Any], **_: Any) -> TotalsFilter:
        return TotalsFilter(**data)


class RuleTotalsSchema(ma.Schema):
    code = ma.fields.Str()
    title = ma.fields.Str()
    group = ma.fields.Str()
    severity = ma.fields.Enum(Severity, by_value=True)
    pages = ma.fields.Int()
    passed = ma.fields.Int()
    failed = ma.fields.Int()
    waived = ma.fields.Int(metadata={"description": "不通过中暂缓整改的"})
    needs_review = ma.fields.Int()
    not_applicable = ma.fields.Int()
    not_run = ma.fields.Int()
    failing = ma.fields.List(ma.fields.Str(), metadata={"description": "不通过的网页，至多 300 个"})


class TotalsSchema(ma.Schema):
    pages = ma.fields.Int(metadata={"description": "有检测报告的网页"})
    unread = ma.fields.Int(metadata={"description": "其中报告格式过旧、没有计入的"})
    rules = ma.fields.List(ma.fields.Nested(RuleTotalsSchema))


class ExportSchema(ma.Schema):
    """Which registrations are written, and how."""

    form = ma.fields.Str(required=True, validate=ma.validate.OneOf(FORMS))
    contacts = ma.fields.Bool(
        load_default=False, metadata={"description": "填入本单位网页的联系人；每次读取都留痕"}
    )
    state = ma.fields.Enum(State, by_value=True)
    theme = ma.fields.Enum(Theme, by_value=True)
    body_id = Id()
    text = Text(longest=_TEXT_MAX)

    @ma.post_load
    def _build(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        form, contacts = data.pop("form"), data.pop("contacts")
        return {"form": form, "contacts": contacts, "narrowed": Filter(**data)}
