"""Shapes of the public API."""

from __future__ import annotations

from datetime import date
from typing import Any

import marshmallow as ma

from app.core.fields import Id, Text
from app.monitoring.causes import PHASE_LABELS
from app.monitoring.domain import LIST_MAX, CheckKind, IncidentState, Outcome
from mobile_pages.probe.uptime import OfficialVerdict

_SANE = ma.validate.Range(date(2000, 1, 1), date(2100, 1, 1))


class UptimeQuerySchema(ma.Schema):
    page_id = Id()
    body_id = Id()
    city_code = Text(longest=20, metadata={"description": "地市代码，如 440100"})

    @ma.validates_schema
    def _one_of_them(self, data: dict[str, Any], **_: Any) -> None:
        if len(data) > 1:
            raise ma.ValidationError("page_id、body_id、city_code 只能填一个")


class WindowSchema(ma.Schema):
    name = ma.fields.Str(metadata={"description": "today、7d、30d（北京时间的日历日）"})
    start = ma.fields.AwareDateTime()
    end = ma.fields.AwareDateTime()
    page_count = ma.fields.Int()
    availability_rate = ma.fields.Float(
        allow_none=True, metadata={"description": "可用时间 ÷ 已知时间，0–1；没有数据时为 null"}
    )
    coverage_rate = ma.fields.Float(allow_none=True, metadata={"description": "已知时间 ÷ 全部时间，0–1"})
    down_seconds = ma.fields.Int()


class OfficialSchema(ma.Schema):
    """国办网站检查指标：15 秒打不开的次数占比达到 5% 单项否决."""

    verdict = ma.fields.Enum(OfficialVerdict, by_value=True)
    visit_count = ma.fields.Int()
    failure_count = ma.fields.Int()
    rate = ma.fields.Float(allow_none=True)
    thin_days = ma.fields.List(ma.fields.Date(), metadata={"description": "探测不足 20 次的日子"})
    failures_left = ma.fields.Int()
    minutes_left = ma.fields.Float()


class UptimeSchema(ma.Schema):
    windows = ma.fields.List(ma.fields.Nested(WindowSchema()))
    official = ma.fields.Nested(
        OfficialSchema(), allow_none=True, metadata={"description": "只在查询单个网页时给出"}
    )


class IncidentQuerySchema(ma.Schema):
    open = ma.fields.Bool(
        attribute="still_open", metadata={"description": "true 只列未恢复的，false 只列已结束的"}
    )
    state = ma.fields.Enum(IncidentState, by_value=True)
    city_code = Text(longest=20, metadata={"description": "地市代码，如 440100"})
    page_id = Id()
    body_id = Id()
    group_id = Id()
    kind = ma.fields.Enum(CheckKind, by_value=True)
    phase = ma.fields.Str(validate=ma.validate.OneOf(PHASE_LABELS))
    from_on = ma.fields.Date(
        validate=_SANE, metadata={"description": "确认日期不早于（北京时间）", "maxLength": 10}
    )
    until_on = ma.fields.Date(
        validate=_SANE, metadata={"description": "确认日期不晚于（北京时间）", "maxLength": 10}
    )
    after = Id()
    limit = ma.fields.Int(load_default=50, validate=ma.validate.Range(1, LIST_MAX))


class IncidentSchema(ma.Schema):
    id = Id()
    kind = ma.fields.Enum(CheckKind, by_value=True)
    state = ma.fields.Enum(IncidentState, by_value=True)
    phase = ma.fields.Str(metadata={"description": "出错的环节：dns、connect、tls、status、content、slow"})
    group_id = Id(allow_none=True)
    assigned_to = Id(allow_none=True)
    escalation_level = ma.fields.Int(metadata={"description": "已通知到：1 联系人，2 单位和地市，3 省"})
    escalate_at = ma.fields.AwareDateTime(allow_none=True)
    page_id = Id()
    body_id = Id()
    page_name = ma.fields.Str()
    cause = ma.fields.Str()
    detail = ma.fields.Str()
    started_at = ma.fields.AwareDateTime(metadata={"description": "第一次探测失败的时间"})
    opened_at = ma.fields.AwareDateTime(metadata={"description": "确认的时间"})
    acknowledged_at = ma.fields.AwareDateTime(allow_none=True)
    resolved_at = ma.fields.AwareDateTime(allow_none=True)
    outcome = ma.fields.Enum(Outcome, by_value=True, allow_none=True)


class IncidentListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(IncidentSchema()))
    next_after = Id(allow_none=True)


class CountsSchema(ma.Schema):
    pages = ma.fields.Int()
    up = ma.fields.Int()
    degraded = ma.fields.Int()
    down = ma.fields.Int()
    unknown_count = ma.fields.Int(data_key="unknown", attribute="unknown")


class StatusSchema(ma.Schema):
    counts = ma.fields.Nested(CountsSchema())
    open_incidents = ma.fields.Int()
    watching = ma.fields.Bool(metadata={"description": "探测程序是否在运行"})
    at = ma.fields.AwareDateTime()
