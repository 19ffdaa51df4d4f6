"""Shapes of the API of rules, maintenance and error budgets."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.core.fields import Id, Moment, Text
from app.monitoring.domain import NAME_MAX, NOTE_MAX, SCOPE_REF_MAX, CheckKind, MaintenanceScope
from app.monitoring.rules import BY_NAME
from mobile_pages.probe.base import Condition
from mobile_pages.probe.recurrence import LENGTH_MAX

_SMALL: dict[str, Any] = {"strict": True, "validate": ma.validate.Range(0, 1_000_000)}


class RulesSchema(ma.Schema):
    """Any of the rules; their bounds are told by ``bounds`` of a policy."""

    interval_seconds = ma.fields.Int(**_SMALL)
    timeout_seconds = ma.fields.Int(**_SMALL)
    slow_ms = ma.fields.Int(**_SMALL)
    down_after = ma.fields.Int(**_SMALL)
    back_after = ma.fields.Int(**_SMALL)
    degraded_after = ma.fields.Int(**_SMALL)
    grace_seconds = ma.fields.Int(**_SMALL)
    second_prober = ma.fields.Bool(truthy={True}, falsy={False})
    flap_flips = ma.fields.Int(**_SMALL)
    flap_window_looks = ma.fields.Int(**_SMALL)
    flap_calm_looks = ma.fields.Int(**_SMALL)
    escalate_after_minutes = ma.fields.List(ma.fields.Int(**_SMALL), validate=ma.validate.Length(3, 3))
    official_warn_rate = ma.fields.Float(validate=ma.validate.Range(0, 1))
    slo_target_rate = ma.fields.Float(validate=ma.validate.Range(0, 1))
    slo_window_days = ma.fields.Int(**_SMALL)
    publish_status = ma.fields.Bool(truthy={True}, falsy={False})
    hide_kinds = ma.fields.List(
        ma.fields.Enum(CheckKind, by_value=True), validate=ma.validate.Length(0, len(CheckKind))
    )

    @ma.post_load
    def _plain(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if "hide_kinds" in data:
            data["hide_kinds"] = [kind.value for kind in data["hide_kinds"]]
        return data


class PolicySchema(ma.Schema):
    city_code = ma.fields.Str(metadata={"description": "空为全省"})
    number = ma.fields.Int(metadata={"description": "0 表示未制定，按安装设置"})
    rules = ma.fields.Nested(RulesSchema())
    stated = ma.fields.Dict(metadata={"description": "本版自己规定的各项"})
    city_may = ma.fields.List(ma.fields.Str(), metadata={"description": "允许地市另定的各项"})
    reason = ma.fields.Str()
    effective_at = ma.fields.AwareDateTime(allow_none=True)
    created_at = ma.fields.AwareDateTime(allow_none=True)
    created_by = ma.fields.Str()
    standing = ma.fields.Str(metadata={"description": "current、coming、past、overtaken"})


class PolicyPlaceSchema(ma.Schema):
    code = ma.fields.Str()
    name = ma.fields.Str()
    may_change = ma.fields.Bool()
    current = ma.fields.Nested(PolicySchema())


class DraftArgsSchema(ma.Schema):
    rules = ma.fields.Nested(RulesSchema(), required=True)
    city_may = ma.fields.List(
        ma.fields.Str(validate=ma.validate.OneOf(list(BY_NAME))),
        load_default=None,
        validate=ma.validate.Length(0, len(BY_NAME)),
        metadata={"description": "只在省级规则里写"},
    )
    reason = Text(longest=NOTE_MAX, required=True)
    base_number = ma.fields.Int(required=True, **_SMALL)
    effective_at = Moment(load_default=None)


class CountsOfEffectSchema(ma.Schema):
    incidents = ma.fields.Int()
    flapping = ma.fields.Int()
    down_minutes = ma.fields.Int()
    slow_minutes = ma.fields.Int()
    hidden_entries = ma.fields.Int(attribute="hidden")
    told_contact = ma.fields.Int()
    told_body = ma.fields.Int()
    told_province = ma.fields.Int()


class EffectPartSchema(ma.Schema):
    start = ma.fields.AwareDateTime()
    end = ma.fields.AwareDateTime()
    before = ma.fields.Nested(CountsOfEffectSchema())
    after = ma.fields.Nested(CountsOfEffectSchema())
    checks = ma.fields.Int()
    of_checks = ma.fields.Int()
    sampled = ma.fields.Bool()


class EffectExampleSchema(ma.Schema):
    page_name = ma.fields.Str()
    since = ma.fields.AwareDateTime()
    minutes = ma.fields.Int()
    appears = ma.fields.Bool()


class EffectSchema(ma.Schema):
    replayed = ma.fields.Nested(EffectPartSchema())
    estimated = ma.fields.Nested(EffectPartSchema())
    examples = ma.fields.List(ma.fields.Nested(EffectExampleSchema()))
    bodies = ma.fields.Int()
    missed_before = ma.fields.Int(allow_none=True)
    missed_after = ma.fields.Int(allow_none=True)
    warned_before = ma.fields.Int(allow_none=True)
    warned_after = ma.fields.Int(allow_none=True)
    notes = ma.fields.List(ma.fields.Str())


class RuleChangeSchema(ma.Schema):
    label = ma.fields.Str()
    before = ma.fields.Str()
    after = ma.fields.Str()


class DraftSchema(ma.Schema):
    id = Id()
    city_code = ma.fields.Str()
    base_number = ma.fields.Int()
    rules = ma.fields.Nested(RulesSchema())
    city_may = ma.fields.List(ma.fields.Str())
    reason = ma.fields.Str()
    effective_at = ma.fields.AwareDateTime(allow_none=True)
    created_at = ma.fields.AwareDateTime()
    created_by = ma.fields.Str()
    changes = ma.fields.List(ma.fields.Nested(RuleChangeSchema()))
    effect = ma.fields.Nested(
        EffectSchema(), allow_none=True, metadata={"description": "null：还在计算对上个月的影响"}
    )
    confirmed_as = ma.fields.Int(allow_none=True)


class AnnounceSchema(ma.Schema):
    scope = ma.fields.Enum(
        MaintenanceScope, by_value=True, required=True, validate=ma.validate.NoneOf([MaintenanceScope.CHECK])
    )
    scope_ref = Text(longest=SCOPE_REF_MAX, may_be_empty=True, required=True)
    title = Text(longest=NAME_MAX, required=True)
    text = Text(longest=NOTE_MAX, required=True)
    starts_at = Moment(required=True)
    minutes = ma.fields.Int(required=True, **_SMALL)
    recurrence = Text(
        longest=LENGTH_MAX,
        may_be_empty=True,
        load_default="",
        metadata={"description": "RFC 5545 RRULE，如 FREQ=WEEKLY;BYDAY=SU；空为一次"},
    )
    until_at = Moment(load_default=None)


class PauseSchema(ma.Schema):
    check_id = Id(required=True)
    reason = Text(longest=NOTE_MAX, required=True)
    until = Moment(required=True)


class EndSchema(ma.Schema):
    at = Moment(load_default=None, metadata={"description": "从何时起不再算；空为现在"})
    this_time_only = ma.fields.Bool(
        load_default=False, metadata={"description": "只结束正在进行的这一次，以后照常"}
    )


class WindowListQuerySchema(ma.Schema):
    over = ma.fields.Bool(load_default=False, metadata={"description": "true 只列已结束的"})


class MaintenanceWindowSchema(ma.Schema):
    id = Id()
    condition = ma.fields.Enum(Condition, by_value=True)
    scope = ma.fields.Enum(MaintenanceScope, by_value=True)
    scope_ref = ma.fields.Str()
    place = ma.fields.Str()
    title = ma.fields.Str()
    text = ma.fields.Str()
    starts_at = ma.fields.AwareDateTime()
    minutes = ma.fields.Int()
    recurrence = ma.fields.Str()
    until_at = ma.fields.AwareDateTime(allow_none=True)
    created_at = ma.fields.AwareDateTime()
    created_by = ma.fields.Str()
    cancelled_at = ma.fields.AwareDateTime(allow_none=True)
    standing = ma.fields.Str(metadata={"description": "under_way、coming、over"})
    now_until = ma.fields.AwareDateTime(allow_none=True)
    next_at = ma.fields.AwareDateTime(allow_none=True)
    may_end = ma.fields.Bool()
