"""JSON shapes of scenes and of relations as staff write them."""

from __future__ import annotations

import marshmallow as ma

from app.catalogue.domain import (
    RELATION_LABELS,
    SCENE_ANSWERS_MAX,
    VARIANT_MAX,
    RelationKind,
)
from app.catalogue.schemas import REGION_MAX, ServiceItemMatchSchema, ServiceItemMaterialSchema
from app.core.fields import Id, Text

_CODE_MAX = 30


class SceneSchema(ma.Schema):
    key = ma.fields.Str(required=True)
    name = ma.fields.Str(required=True)
    summary = ma.fields.Str(required=True)
    version = ma.fields.Int(required=True)
    sample = ma.fields.Bool(required=True, metadata={"description": "示例数据"})


class SceneListSchema(ma.Schema):
    scenes = ma.fields.List(ma.fields.Nested(SceneSchema()), required=True)


class SceneQuerySchema(ma.Schema):
    answers = Text(
        longest=SCENE_ANSWERS_MAX * (_CODE_MAX + 1),
        may_be_empty=True,
        load_default="",
        metadata={"description": "已选的选项编号，用 . 隔开；不含个人信息"},
    )
    region = Text(longest=REGION_MAX, load_default=None, metadata={"description": "行政区划代码，默认全省"})


class SceneChoiceSchema(ma.Schema):
    code = ma.fields.Str(required=True)
    text = ma.fields.Str(required=True)
    note = ma.fields.Str(required=True)


class SceneQuestionSchema(ma.Schema):
    code = ma.fields.Str(required=True)
    text = ma.fields.Str(required=True)
    help = ma.fields.Str(required=True)
    choices = ma.fields.List(ma.fields.Nested(SceneChoiceSchema()), required=True)


class SceneTakenSchema(ma.Schema):
    question = ma.fields.Str(required=True, attribute="question.text")
    code = ma.fields.Str(required=True, attribute="choice.code")
    text = ma.fields.Str(required=True, attribute="choice.text")


class SceneExitSchema(ma.Schema):
    title = ma.fields.Str(required=True)
    text = ma.fields.Str(required=True)
    where = ma.fields.Str(required=True)
    phone = ma.fields.Str(required=True)
    bring = ma.fields.List(ma.fields.Str(), required=True)


class SceneElsewhereSchema(ma.Schema):
    id = Id(required=True)
    body_name = ma.fields.Str(required=True)
    region_code = ma.fields.Str(required=True)
    region_name = ma.fields.Str(required=True)


class SceneArrivalSchema(ma.Schema):
    item = ma.fields.Nested(
        ServiceItemMatchSchema(),
        required=True,
        allow_none=True,
        metadata={"description": "离得最近的办理单位；空为这个地方还没有单位在网上办"},
    )
    variant = ma.fields.Str(required=True, metadata={"description": "情形编号；空为没有分情形"})
    variant_name = ma.fields.Str(required=True)
    materials = ma.fields.List(ma.fields.Nested(ServiceItemMaterialSchema()), required=True)
    elsewhere = ma.fields.List(ma.fields.Nested(SceneElsewhereSchema()), required=True)


class SceneStandSchema(ma.Schema):
    """Exactly one of ``question``, ``arrival`` and ``exit`` is there."""

    scene = ma.fields.Nested(SceneSchema(), required=True)
    taken = ma.fields.List(ma.fields.Nested(SceneTakenSchema()), required=True, attribute="walk.taken")
    outdated = ma.fields.Bool(
        required=True,
        attribute="walk.outdated",
        metadata={"description": "有的回答已经不是选项，只走到它前面"},
    )
    most_left = ma.fields.Int(
        required=True, attribute="walk.most_left", metadata={"description": "最多还有几个问题"}
    )
    question = ma.fields.Nested(
        SceneQuestionSchema(), required=True, allow_none=True, attribute="walk.question"
    )
    arrival = ma.fields.Nested(SceneArrivalSchema(), required=True, allow_none=True)
    exit = ma.fields.Nested(SceneExitSchema(), required=True, allow_none=True)


class SceneContentSchema(ma.Schema):
    content = ma.fields.Dict(
        keys=ma.fields.Str(),
        required=True,
        metadata={"description": "场景：name、summary、start、questions、exits"},
    )


class SceneWriteSchema(SceneContentSchema):
    version = ma.fields.Int(
        required=True,
        validate=ma.validate.Range(0, 2**31 - 1),
        metadata={"description": "最后看到的版本号；新场景写 0"},
    )


class SceneSeenSchema(ma.Schema):
    version = ma.fields.Int(required=True, validate=ma.validate.Range(0, 2**31 - 1))


class SceneSavedSchema(ma.Schema):
    version = ma.fields.Int(required=True)


class SceneProblemsSchema(ma.Schema):
    problems = ma.fields.List(ma.fields.Str(), required=True)


class SceneVersionSchema(ma.Schema):
    number = ma.fields.Int(required=True)
    live = ma.fields.Bool(required=True, metadata={"description": "居民现在看到的版本"})
    content = ma.fields.Dict(keys=ma.fields.Str(), required=True)
    created_at = ma.fields.AwareDateTime(required=True)
    created_by = ma.fields.Str(required=True)


class ItemRelationSchema(ma.Schema):
    id = Id(required=True)
    kind = ma.fields.Enum(RelationKind, by_value=True, required=True)
    other_directory_id = Id(required=True)
    variant = ma.fields.Str(required=True)
    backwards = ma.fields.Bool(required=True, metadata={"description": "由对方事项写明，方向相反"})


_KINDS = "、".join(f"{kind} {label}" for kind, label in RELATION_LABELS.items())


class NewItemRelationSchema(ma.Schema):
    kind = ma.fields.Enum(RelationKind, by_value=True, required=True, metadata={"description": _KINDS})
    other_directory_id = Id(required=True)
    variant = Text(
        longest=VARIANT_MAX,
        may_be_empty=True,
        load_default="",
        metadata={"description": "只对本事项的这种情形；空为都是"},
    )


class ItemRelationSavedSchema(ma.Schema):
    id = Id(required=True)
