"""Shapes of incidents, groups, reform orders and their figures in the public API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import marshmallow as ma

from app.core.fields import Id, Moment, Text
from app.monitoring.domain import (
    DEMANDS_MAX,
    LIST_MAX,
    NOTE_MAX,
    EventKind,
    OrderState,
)
from app.monitoring.incidents import By
from app.monitoring.schemas import IncidentSchema

LONGEST = timedelta(days=400)


class EventSchema(ma.Schema):
    at = ma.fields.AwareDateTime()
    kind = ma.fields.Enum(EventKind, by_value=True)
    who = ma.fields.Str(metadata={"description": "姓名；系统自动记录的为空"})
    text = ma.fields.Str()


class GroupSchema(ma.Schema):
    id = Id()
    label = ma.fields.Str()
    cause = ma.fields.Str()
    opened_at = ma.fields.AwareDateTime()
    resolved_at = ma.fields.AwareDateTime(allow_none=True)
    member_count = ma.fields.Int()
    body_count = ma.fields.Int()
    seen = ma.fields.Int(metadata={"description": "其中自己可以看到的事件数"})
    others = ma.fields.Int(metadata={"description": "其他单位的事件数，只计数"})


class GroupQuerySchema(ma.Schema):
    after = Id()


class GroupDetailSchema(ma.Schema):
    group = ma.fields.Nested(GroupSchema())
    incidents = ma.fields.List(ma.fields.Nested(IncidentSchema()))
    next_after = Id(allow_none=True)


class DiagnosisSchema(ma.Schema):
    phase = ma.fields.Str()
    phase_label = ma.fields.Str()
    sentence = ma.fields.Str(metadata={"description": "可能的原因，一句话"})
    advice = ma.fields.List(ma.fields.Str(), metadata={"description": "先查什么"})


class LookSchema(ma.Schema):
    at = ma.fields.AwareDateTime()
    verdict = ma.fields.Str()
    cause = ma.fields.Str()
    http_status = ma.fields.Int(allow_none=True)
    dns_ms = ma.fields.Int()
    connect_ms = ma.fields.Int()
    tls_ms = ma.fields.Int()
    first_byte_ms = ma.fields.Int()
    total_ms = ma.fields.Int()


class OrderSchema(ma.Schema):
    """整改通知."""

    id = Id()
    label = ma.fields.Str(metadata={"description": "编号，如 〔2026〕3号"})
    incident_id = Id()
    body_id = Id()
    state = ma.fields.Enum(OrderState, by_value=True)
    facts = ma.fields.Dict(keys=ma.fields.Str(), metadata={"description": "下达时认定的事实"})
    demands = ma.fields.Str()
    due_on = ma.fields.Date()
    ordered_at = ma.fields.AwareDateTime()
    remedy = ma.fields.Str()
    evidence_note = ma.fields.Str()
    answered_at = ma.fields.AwareDateTime(allow_none=True)
    decision_reason = ma.fields.Str()
    decided_at = ma.fields.AwareDateTime(allow_none=True)
    printed = ma.fields.Bool(metadata={"description": "PDF 是否已生成"})
    version = ma.fields.Int()


class IncidentDetailSchema(ma.Schema):
    incident = ma.fields.Nested(IncidentSchema())
    diagnosis = ma.fields.Nested(DiagnosisSchema())
    evidence = ma.fields.Dict(keys=ma.fields.Str(), metadata={"description": "确认故障的那次探测所见"})
    timeline = ma.fields.List(ma.fields.Nested(EventSchema()))
    looks = ma.fields.List(ma.fields.Nested(LookSchema()))
    group = ma.fields.Nested(GroupSchema(), allow_none=True)
    people = ma.fields.Function(
        lambda detail: [{"id": str(one), "name": name} for one, name in detail.people.items()],
        metadata={
            "type": "array",
            "items": {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}}},
            "description": "可以指派的人",
        },
    )
    orders = ma.fields.List(ma.fields.Nested(OrderSchema()))


class AcknowledgeSchema(ma.Schema):
    note = Text(longest=NOTE_MAX, may_be_empty=True, load_default="")


class NoteSchema(ma.Schema):
    text = Text(longest=NOTE_MAX, required=True)


class AssigneeSchema(ma.Schema):
    staff_id = Id(required=True, allow_none=True)  # null leaves it to the body as a whole


class NewOrderSchema(ma.Schema):
    demands = Text(longest=DEMANDS_MAX, required=True)
    due_on = ma.fields.Date(
        required=True, metadata={"description": "期限，明天以后、一年以内", "maxLength": 10}
    )


class AnswerSchema(ma.Schema):
    remedy = Text(longest=DEMANDS_MAX, required=True)
    evidence_note = Text(longest=DEMANDS_MAX, may_be_empty=True, load_default="")
    version = ma.fields.Int(required=True, strict=True, validate=ma.validate.Range(1, 2**31 - 1))


class DecisionSchema(ma.Schema):
    accept = ma.fields.Bool(required=True)
    reason = Text(longest=NOTE_MAX, may_be_empty=True, load_default="")
    version = ma.fields.Int(required=True, strict=True, validate=ma.validate.Range(1, 2**31 - 1))


class WithdrawalSchema(ma.Schema):
    reason = Text(longest=NOTE_MAX, required=True)
    version = ma.fields.Int(required=True, strict=True, validate=ma.validate.Range(1, 2**31 - 1))


class OrderQuerySchema(ma.Schema):
    state = ma.fields.Enum(OrderState, by_value=True)
    body_id = Id()
    after = Id()
    limit = ma.fields.Int(load_default=50, validate=ma.validate.Range(1, LIST_MAX))


class OrderListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(OrderSchema()))
    next_after = Id(allow_none=True)


class StatisticsQuerySchema(ma.Schema):
    start = Moment(required=True)
    end = Moment(required=True)
    by = ma.fields.Enum(By, by_value=True, load_default=By.BODY)

    @ma.validates_schema
    def _in_order(self, data: dict[str, Any], **_: Any) -> None:
        if not data["start"] < data["end"] <= data["start"] + LONGEST:
            raise ma.ValidationError("结束要晚于开始，相差不超过 400 天", "end")


class FiguresSchema(ma.Schema):
    key = ma.fields.Str(metadata={"description": "地市代码（省级部门为空）、单位编号或环节"})
    count = ma.fields.Int()
    down_minutes = ma.fields.Float()
    mtta_minutes = ma.fields.Float(allow_none=True, metadata={"description": "平均签收用时"})
    mttr_minutes = ma.fields.Float(allow_none=True, metadata={"description": "平均恢复用时"})


class StatisticsSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(FiguresSchema()))
