"""JSON shapes of waivers, versions of the access spec, and what people decide."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.core.fields import Id, Text
from app.mobile_access.domain import (
    CHANGELOG_MAX,
    CODE_MAX,
    GRACE_DAYS_MAX,
    NOTE_MAX,
    REASON_MAX,
    SPEC_VERSION_MAX,
    Answer,
    GraceOutcome,
    State,
    WaiverState,
)
from app.mobile_access.schemas import DifferencesSchema
from app.mobile_access.service import NewVersion
from config.access_spec.versions import PinchZoom

QUESTIONS_MAX = 20


def _day(description: str) -> ma.fields.Date:
    said = {"description": description, "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
    return ma.fields.Date(required=True, metadata=said)


class WaiverQuerySchema(ma.Schema):
    state = ma.fields.Enum(WaiverState, by_value=True)


class NewWaiverSchema(ma.Schema):
    """What a department asks for."""

    code = Text(longest=CODE_MAX, required=True, metadata={"description": "条款，如 MAS-LAY-03"})
    reason = Text(longest=REASON_MAX, required=True)
    until_on = _day("最后一天，明天以后、一年以内")


class OpinionSchema(ma.Schema):
    opinion = Text(longest=REASON_MAX, may_be_empty=True, load_default="")


class RefusalSchema(ma.Schema):
    opinion = Text(longest=REASON_MAX, required=True)


class WaiverSchema(ma.Schema):
    id = Id()
    page_id = Id()
    page_name = ma.fields.Str()
    code = ma.fields.Str()
    title = ma.fields.Str()
    state = ma.fields.Enum(WaiverState, by_value=True)
    reason = ma.fields.Str()
    until_on = ma.fields.Date()
    requested_at = ma.fields.AwareDateTime()
    approved_at = ma.fields.AwareDateTime(allow_none=True, metadata={"description": "审批时间；不同意时也有"})
    opinion = ma.fields.Str()
    ended_at = ma.fields.AwareDateTime(allow_none=True)


class NewSpecVersionSchema(ma.Schema):
    """A version of the access spec to publish."""

    version = ma.fields.Str(
        required=True,
        validate=(
            ma.validate.Length(max=SPEC_VERSION_MAX),
            ma.validate.Regexp(r"^[0-9]{1,4}(\.[0-9]{1,4}){0,2}$"),
            ma.validate.ContainsNoneOf("\n"),
        ),
        metadata={"description": "如 2 或 2.1，大于已发布的版本"},
    )
    effective_on = _day("生效日期，不早于今天")
    grace_days = ma.fields.Int(required=True, strict=True, validate=ma.validate.Range(0, GRACE_DAYS_MAX))
    pinch_zoom = ma.fields.Enum(
        PinchZoom,
        by_value=True,
        required=True,
        metadata={"description": "allow 网页不得禁止两指缩放、forbid 允许网页禁止"},
    )
    changelog = Text(longest=CHANGELOG_MAX, required=True)

    @ma.post_load
    def _build(self, data: dict[str, Any], **_: Any) -> NewVersion:
        return NewVersion(**data)


class SpecVersionSchema(ma.Schema):
    version = ma.fields.Str()
    effective_on = ma.fields.Date()
    grace_days = ma.fields.Int()
    pinch_zoom = ma.fields.Enum(PinchZoom, by_value=True)
    changelog = ma.fields.Str()
    published_at = ma.fields.AwareDateTime(allow_none=True)
    digest = ma.fields.Str(metadata={"description": "规则全文的 SHA-256"})
    applied_at = ma.fields.AwareDateTime(allow_none=True, metadata={"description": "从何时起按它判定"})


class SpecVersionsSchema(ma.Schema):
    in_force = ma.fields.Str(metadata={"description": "现在按哪一版判定"})
    versions = ma.fields.List(ma.fields.Nested(SpecVersionSchema))


class GraceSchema(ma.Schema):
    until_at = ma.fields.AwareDateTime()
    codes = ma.fields.List(ma.fields.Str())
    outcome = ma.fields.Enum(GraceOutcome, by_value=True, allow_none=True)


class AffectedPageSchema(ma.Schema):
    page_id = Id()
    page_name = ma.fields.Str()
    body_name = ma.fields.Str()
    state = ma.fields.Enum(State, by_value=True)
    check_number = ma.fields.Int()
    differences = ma.fields.Nested(DifferencesSchema)
    grace = ma.fields.Nested(GraceSchema, allow_none=True)


class RulingSchema(ma.Schema):
    code = ma.fields.Str()
    passed = ma.fields.Bool()
    self_declared = ma.fields.Bool(metadata={"description": "单位自报；省级结论优先"})
    answers = ma.fields.List(ma.fields.Enum(Answer, by_value=True))
    note = ma.fields.Str()
    evidence = ma.fields.Str(allow_none=True, metadata={"description": "证明材料的 SHA-256"})
    evidence_name = ma.fields.Str()
    evidence_type = ma.fields.Str()
    at = ma.fields.AwareDateTime()


class OpenRuleSchema(ma.Schema):
    code = ma.fields.Str()
    title = ma.fields.Str()
    is_must = ma.fields.Bool()
    reason = ma.fields.Str(metadata={"description": "机器为什么不能断定"})
    questions = ma.fields.List(ma.fields.Str())
    rulings = ma.fields.List(ma.fields.Nested(RulingSchema), metadata={"description": "新的在前"})


class NewRulingSchema(ma.Schema):
    """What a person decides: one answer per question, or ``passed`` where there are no questions."""

    code = Text(longest=CODE_MAX, required=True, metadata={"description": "条款，如 MAS-A11-13"})
    answers = ma.fields.List(
        ma.fields.Enum(Answer, by_value=True),
        load_default=list,
        validate=ma.validate.Length(max=QUESTIONS_MAX),
    )
    passed = ma.fields.Bool(load_default=None, allow_none=True, truthy={True}, falsy={False})
    note = Text(longest=NOTE_MAX, may_be_empty=True, load_default="")


class EvidenceFileSchema(ma.Schema):
    file = ma.fields.Raw(
        required=True, metadata={"type": "string", "format": "binary", "description": "PNG、JPEG 或 PDF"}
    )
