"""JSON shapes of themes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import marshmallow as ma

from app.applications.service import CHANNEL_LABELS, Channel
from app.catalogue.service import ANSWERS_MAX, HANDING_LABELS, Handing
from app.core.cursor import CURSOR_MAX
from app.core.fields import Answer, Id, Text
from app.themes.domain import (
    EVENT_LABELS,
    JOINT_EXTENSION_DAYS,
    PART_LABELS,
    REASON_MAX,
    STATE_LABELS,
    VERSION_LABELS,
    Event,
    PartStatus,
    State,
    VersionState,
)

PAGE_MAX = 50
FIELD_MAX = 40
ITEMS_MAX = 12
REGION_MAX = 20


def _code(codes: type[StrEnum], labels: Mapping[Any, str], what: str, **options: Any) -> Any:
    said = "、".join(f"{code} {label}" for code, label in labels.items())
    return ma.fields.Enum(codes, by_value=True, metadata={"description": f"{what}：{said}"}, **options)


def _version() -> ma.fields.Int:
    return ma.fields.Int(
        required=True,
        validate=ma.validate.Range(1, 2**31 - 1),
        metadata={"description": "所见的版本号；已变的答 409 stale"},
    )


def _region() -> Text:
    return Text(longest=REGION_MAX, load_default=None, metadata={"description": "行政区划代码，默认全省"})


def _left_out() -> Any:
    return ma.fields.List(
        Text(longest=60),
        load_default=list,
        validate=ma.validate.Length(0, ITEMS_MAX),
        metadata={"description": "不办的事项（只限可选的）"},
    )


class ThemeLineSchema(ma.Schema):
    id = Id(required=True)
    code = ma.fields.Str(required=True)
    name = ma.fields.Str(required=True)
    summary = ma.fields.Str(required=True)
    item_count = ma.fields.Int(required=True)
    joint = ma.fields.Bool(required=True, metadata={"description": "统一办理、联合办理"})
    sample = ma.fields.Bool(required=True, metadata={"description": "示例数据"})


class ThemeListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ThemeLineSchema()), required=True)


class ThemeQuerySchema(ma.Schema):
    region = _region()


class ThemePlaceSchema(ma.Schema):
    id = Id(required=True)
    body_name = ma.fields.Str(required=True)
    region_code = ma.fields.Str(required=True)
    region_name = ma.fields.Str(required=True)


class ThemeItemSchema(ma.Schema):
    code = ma.fields.Str(required=True)
    name = ma.fields.Str(required=True)
    note = ma.fields.Str(required=True, attribute="item.note")
    optional = ma.fields.Bool(required=True, attribute="item.optional")
    item_id = Id(required=True, allow_none=True, attribute="view.id", dump_default=None)
    body_name = ma.fields.Str(required=True, allow_none=True, attribute="view.body_name", dump_default=None)
    why_not = ma.fields.Str(required=True, metadata={"description": "这里不能办的原因，能办的为空"})
    nearest = ma.fields.Nested(ThemePlaceSchema(), required=True, allow_none=True)


class ThemeLimitSchema(ma.Schema):
    promised_days = ma.fields.Int(required=True, metadata={"description": "承诺最长，工作日"})
    lawful_days = ma.fields.Int(required=True, allow_none=True, metadata={"description": "法定最长，工作日"})
    extension_days = ma.fields.Int(required=True)
    law = ma.fields.Str(required=True)


class ThemeSlotSchema(ma.Schema):
    code = ma.fields.Str(required=True)
    name = ma.fields.Str(required=True)
    handings = ma.fields.List(
        ma.fields.Str(),
        required=True,
        metadata={"description": "、".join(f"{one} {text}" for one, text in HANDING_LABELS.items())},
    )
    source = ma.fields.Str(required=True)
    original_count = ma.fields.Int(required=True)
    copy_count = ma.fields.Int(required=True)
    required = ma.fields.Bool(required=True)
    note = ma.fields.Str(required=True)
    uses = ma.fields.Dict(keys=ma.fields.Str(), values=ma.fields.Str(), required=True)


class ThemeSchema(ma.Schema):
    theme = ma.fields.Nested(ThemeLineSchema(), required=True)
    region_code = ma.fields.Str(required=True, attribute="placed.region.code")
    open = ma.fields.Bool(required=True, metadata={"description": "现在可以在这里申请"})
    whole = ma.fields.Bool(required=True, attribute="placed.whole", metadata={"description": "全部能办"})
    level = ma.fields.Int(required=True, metadata={"description": "需要的实名等级"})
    items = ma.fields.List(ma.fields.Nested(ThemeItemSchema()), required=True, attribute="placed.items")
    steps = ma.fields.List(
        ma.fields.List(ma.fields.Pluck(ThemeItemSchema, "code")),
        required=True,
        metadata={"description": "办理顺序：一批办成了才办下一批"},
    )
    limit = ma.fields.Nested(ThemeLimitSchema(), required=True)
    form = ma.fields.Dict(
        keys=ma.fields.Str(), required=True, allow_none=True, attribute="merged.form", dump_default=None
    )
    uses = ma.fields.Dict(
        keys=ma.fields.Str(),
        required=True,
        attribute="merged.uses",
        dump_default=dict,
        metadata={"description": "每个字段给哪些事项用，是那里的哪个字段"},
    )
    materials = ma.fields.List(
        ma.fields.Nested(ThemeSlotSchema()), required=True, attribute="merged.slots", dump_default=list
    )


class ThemeStartSchema(ma.Schema):
    theme_id = Id(required=True)
    region = _region()
    left_out = _left_out()
    fresh = ma.fields.Bool(load_default=False, metadata={"description": "放弃旧草稿，重新填写"})
    channel = _code(Channel, CHANNEL_LABELS, "申办渠道", load_default=Channel.WAP)


class ThemeStartedSchema(ma.Schema):
    id = Id(required=True)
    continued = ma.fields.Bool(required=True)
    open_number = ma.fields.Str(required=True, metadata={"description": "同一主题正在办的编号，没有为空"})


class ThemeSaveSchema(ma.Schema):
    version = _version()
    answers = ma.fields.Dict(
        keys=ma.fields.Str(validate=ma.validate.Length(1, FIELD_MAX)),
        values=Answer(),
        validate=ma.validate.Length(0, ANSWERS_MAX),
        load_default=dict,
        metadata={"description": "按字段名；没有提到的不变，null 表示清除"},
    )
    materials = ma.fields.Dict(
        keys=ma.fields.Str(validate=ma.validate.Length(1, FIELD_MAX)),
        values=_code(Handing, HANDING_LABELS, "提交方式", allow_none=True),
        validate=ma.validate.Length(0, ANSWERS_MAX),
        load_default=dict,
        metadata={"description": "按材料编号：怎样提交"},
    )


class ThemeSavedSchema(ma.Schema):
    version = ma.fields.Int(required=True)
    cleared = ma.fields.List(ma.fields.Str(), required=True, metadata={"description": "不再需要而清除的字段"})
    problems = ma.fields.Dict(
        keys=ma.fields.Str(),
        values=ma.fields.List(ma.fields.Str()),
        required=True,
        metadata={"description": "还不能提交的原因，逐个字段；空的可以提交"},
    )
    theme_changed = ma.fields.Bool(
        required=True, metadata={"description": "主题或事项有了新版本，草稿已跟上"}
    )


class ThemeVersionNumberSchema(ma.Schema):
    version = _version()


class ThemeCaseQuerySchema(ma.Schema):
    cursor = Text(longest=CURSOR_MAX, load_default=None)
    limit = ma.fields.Int(load_default=20, validate=ma.validate.Range(1, PAGE_MAX))


class ThemeCaseLineSchema(ma.Schema):
    id = Id(required=True)
    number = ma.fields.Str(required=True, allow_none=True)
    theme_id = Id(required=True)
    name = ma.fields.Str(required=True)
    state = _code(State, STATE_LABELS, "状态", required=True)
    state_label = ma.fields.Str(required=True)
    created_at = ma.fields.AwareDateTime(required=True)
    saved_at = ma.fields.AwareDateTime(required=True)
    submitted_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    done_count = ma.fields.Int(required=True, metadata={"description": "已有结果的事项数"})
    part_count = ma.fields.Int(required=True)


class ThemeCaseListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ThemeCaseLineSchema()), required=True)
    next_cursor = ma.fields.Str(required=True, allow_none=True)


class ThemePartSchema(ma.Schema):
    item = ma.fields.Str(required=True)
    name = ma.fields.Str(required=True)
    body_name = ma.fields.Str(required=True)
    status = _code(PartStatus, PART_LABELS, "情况", required=True)
    label = ma.fields.Str(required=True)
    reason = ma.fields.Str(required=True)
    waits_for = ma.fields.List(ma.fields.Str(), required=True)
    application_id = Id(required=True, allow_none=True, metadata={"description": "子办件"})
    number = ma.fields.Str(required=True, allow_none=True)
    state_label = ma.fields.Str(required=True, allow_none=True)
    due_on = ma.fields.Date(required=True, allow_none=True)


class ThemeEventSchema(ma.Schema):
    number = ma.fields.Int(required=True)
    event = _code(Event, EVENT_LABELS, "步骤", required=True)
    label = ma.fields.Str(required=True)
    to_state = _code(State, STATE_LABELS, "到达的状态", required=True)
    at = ma.fields.AwareDateTime(required=True)
    text = ma.fields.Str(required=True)


class ThemeCaseSchema(ma.Schema):
    id = Id(required=True)
    version = ma.fields.Int(required=True)
    number = ma.fields.Str(required=True, allow_none=True, metadata={"description": "一个编号管全部事项"})
    query_code = ma.fields.Str(required=True)
    theme_id = Id(required=True)
    name = ma.fields.Str(required=True)
    sample = ma.fields.Bool(required=True)
    region_code = ma.fields.Str(required=True)
    state = _code(State, STATE_LABELS, "状态", required=True)
    state_label = ma.fields.Str(required=True)
    channel = _code(Channel, CHANNEL_LABELS, "申办渠道", required=True)
    form = ma.fields.Dict(keys=ma.fields.Str(), required=True)
    answers = ma.fields.Dict(
        keys=ma.fields.Str(), required=True, metadata={"description": "证件号码、手机号码带星号"}
    )
    visible = ma.fields.List(ma.fields.Str(), required=True)
    slots = ma.fields.List(ma.fields.Nested(ThemeSlotSchema()), required=True)
    materials = ma.fields.Dict(keys=ma.fields.Str(), values=ma.fields.Str(), required=True)
    uses = ma.fields.Dict(
        keys=ma.fields.Str(), required=True, metadata={"description": "每个字段给哪些事项用"}
    )
    created_at = ma.fields.AwareDateTime(required=True)
    saved_at = ma.fields.AwareDateTime(required=True)
    submitted_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    ended_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    due_on = ma.fields.Date(required=True, allow_none=True)
    law = ma.fields.Str(required=True)
    extension_days = ma.fields.Int(required=True)
    extension_reason = ma.fields.Str(required=True)
    done_count = ma.fields.Int(required=True)
    parts = ma.fields.List(ma.fields.Nested(ThemePartSchema()), required=True)
    events = ma.fields.List(ma.fields.Nested(ThemeEventSchema()), required=True)
    may = ma.fields.List(_code(Event, EVENT_LABELS, "现在可以做的"), required=True)


class ThemeReceiptSchema(ma.Schema):
    """回执. The query code is read with the application."""

    id = Id(required=True)
    version = ma.fields.Int(required=True)
    number = ma.fields.Str(required=True)
    state = _code(State, STATE_LABELS, "状态", required=True)
    state_label = ma.fields.Str(required=True)
    submitted_at = ma.fields.AwareDateTime(required=True)


class ThemeDefinitionSchema(ma.Schema):
    """A definition as in ``config/themes/theme.schema.json``."""

    definition = ma.fields.Dict(
        keys=ma.fields.Str(validate=ma.validate.Length(1, FIELD_MAX)),
        required=True,
        metadata={"description": "主题定义，格式见 docs/themes.md"},
    )


class ThemeEditSchema(ThemeDefinitionSchema):
    version = _version()


class ThemeRetireSchema(ma.Schema):
    version = _version()
    reason = Text(longest=REASON_MAX, required=True)


class ThemeExtendSchema(ma.Schema):
    version = _version()
    days = ma.fields.Int(required=True, validate=ma.validate.Range(1, JOINT_EXTENSION_DAYS))
    reason = Text(longest=REASON_MAX, required=True)


class ThemeFindingSchema(ma.Schema):
    code = ma.fields.Str(required=True)
    text = ma.fields.Str(required=True)
    error = ma.fields.Bool(required=True, metadata={"description": "不改不能发布"})


class ThemeVersionSchema(ma.Schema):
    id = Id(required=True)
    theme_id = Id(required=True)
    number = ma.fields.Int(required=True)
    name = ma.fields.Str(required=True)
    state = _code(VersionState, VERSION_LABELS, "状态", required=True)
    version = ma.fields.Int(required=True)
    definition = ma.fields.Dict(keys=ma.fields.Str(), required=True, attribute="written")
    created_at = ma.fields.AwareDateTime(required=True)
    created_by = ma.fields.Str(required=True)
    published_at = ma.fields.AwareDateTime(required=True, allow_none=True)


class ThemeVersionListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ThemeVersionSchema()), required=True)


class ThemeCheckSchema(ma.Schema):
    findings = ma.fields.List(ma.fields.Nested(ThemeFindingSchema()), required=True)
    stale = ma.fields.Bool(required=True, metadata={"description": "发布后事项有变动"})
    changes = ma.fields.List(ma.fields.Str(), required=True)
