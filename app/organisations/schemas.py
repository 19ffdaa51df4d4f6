"""Shapes of the public API."""

from __future__ import annotations

import marshmallow as ma

from app.core.fields import Id
from app.organisations.domain import RegionLevel


class BodyQuerySchema(ma.Schema):
    level = ma.fields.Enum(RegionLevel, by_value=True, metadata={"description": "只列这一级的单位"})


class BodySchema(ma.Schema):
    id = Id()
    name = ma.fields.Str(metadata={"description": "简称", "example": "公安厅"})
    full_name = ma.fields.Str(metadata={"description": "全称，唯一", "example": "省公安厅"})
    level = ma.fields.Enum(RegionLevel, by_value=True)
    region_code = ma.fields.Str(metadata={"description": "GB/T 2260 代码；没有代码的片区用内部编号"})
    region_name = ma.fields.Str()


class RegionSchema(ma.Schema):
    code = ma.fields.Str(metadata={"description": "GB/T 2260 代码；没有代码的片区用内部编号"})
    name = ma.fields.Str()
    level = ma.fields.Enum(RegionLevel, by_value=True)
    parent_code = ma.fields.Str(allow_none=True)
    reports_directly = ma.fields.Bool(metadata={"description": "通知中单独列出的区或片区"})


class ScheduleQuerySchema(ma.Schema):
    annex = ma.fields.Int(validate=ma.validate.Range(2, 6), metadata={"description": "只列这个附件"})


class BatchSchema(ma.Schema):
    annex = ma.fields.Int()
    part = ma.fields.Str(metadata={"description": "cities、national、provincial，或空"})
    batch = ma.fields.Int()
    label = ma.fields.Str()
    stated_count = ma.fields.Int(allow_none=True, metadata={"description": "标题所说的家数"})
    listed_count = ma.fields.Int(metadata={"description": "实际列出的家数，可能与标题不符"})
    stated_items = ma.fields.Int(allow_none=True)
    deadline = ma.fields.Date(allow_none=True)
    open_ended = ma.fields.Bool(metadata={"description": "名单以“等”结尾"})
    members = ma.fields.List(Id(), metadata={"description": "单位编号，按通知的顺序"})
    source = ma.fields.Str()
