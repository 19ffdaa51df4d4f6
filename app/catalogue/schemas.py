"""JSON shapes of items."""

from __future__ import annotations

from enum import StrEnum

import marshmallow as ma

from app.catalogue.domain import (
    CASE_TYPE_LABELS,
    DELIVERY_LABELS,
    DOMAIN_LABELS,
    HANDING_LABELS,
    ITEM_TYPE_LABELS,
    LIMIT_MAX,
    QUERY_MAX,
    RELATION_LABELS,
    SERVED_LABELS,
    VARIANT_MAX,
    VERSION_LABELS,
    CaseType,
    Delivery,
    Domain,
    Handing,
    ItemType,
    RelationKind,
    ServedKind,
    VersionState,
)
from app.core.fields import Id, Text

REGION_MAX = 20
AFTER_MAX = 200


def _code(codes: type[StrEnum], labels: object, what: str) -> ma.fields.Enum[StrEnum]:
    said = "、".join(f"{code} {label}" for code, label in dict(labels).items())  # type: ignore[call-overload]
    return ma.fields.Enum(codes, by_value=True, required=True, metadata={"description": f"{what}：{said}"})


class ServiceItemQuerySchema(ma.Schema):
    q = Text(longest=QUERY_MAX, may_be_empty=True, load_default="", metadata={"description": "要办的事"})
    region = Text(longest=REGION_MAX, load_default=None, metadata={"description": "行政区划代码，默认全省"})
    after = Text(
        longest=AFTER_MAX, load_default=None, metadata={"description": "不带 q 时的下一页标记 next_after"}
    )
    limit = ma.fields.Int(load_default=10, validate=ma.validate.Range(1, LIMIT_MAX))


class ServiceItemMatchSchema(ma.Schema):
    id = Id(required=True)
    name = ma.fields.Str(required=True)
    body_name = ma.fields.Str(required=True)
    region_code = ma.fields.Str(required=True)
    region_name = ma.fields.Str(required=True)
    summary = ma.fields.Str(required=True)
    online = ma.fields.Bool(required=True, metadata={"description": "现在可以在这里申请"})
    sample = ma.fields.Bool(required=True, metadata={"description": "示例数据"})
    page_id = Id(required=True, allow_none=True, metadata={"description": "该单位自己的移动网页"})


class ServiceItemListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ServiceItemMatchSchema()), required=True)
    next_after = ma.fields.Str(required=True, allow_none=True)


class ServiceItemLegalBasisSchema(ma.Schema):
    name = ma.fields.Str(required=True)
    number = ma.fields.Str(required=True)
    clause = ma.fields.Str(required=True)


class ServiceItemMaterialSchema(ma.Schema):
    code = ma.fields.Str(required=True)
    name = ma.fields.Str(required=True)
    handings = ma.fields.List(_code(Handing, HANDING_LABELS, "提交方式"), required=True)
    source = ma.fields.Str(required=True)
    original_count = ma.fields.Int(required=True)
    copy_count = ma.fields.Int(required=True)
    required = ma.fields.Bool(required=True)
    note = ma.fields.Str(required=True)
    variants = ma.fields.List(
        ma.fields.Str(), required=True, metadata={"description": "哪些情形要交；空为都要"}
    )


class ServiceItemVariantSchema(ma.Schema):
    code = ma.fields.Str(required=True)
    name = ma.fields.Str(required=True)
    when = ma.fields.Dict(
        keys=ma.fields.Str(),
        required=True,
        allow_none=True,
        metadata={"description": "表单答案满足的条件，与 visible_if 相同；空为由申请人选择"},
    )
    note = ma.fields.Str(required=True)


class ServiceItemStepSchema(ma.Schema):
    name = ma.fields.Str(required=True)
    days = ma.fields.Int(required=True, metadata={"description": "工作日"})
    by = ma.fields.Str(required=True)
    result = ma.fields.Str(required=True)


class ServiceItemFeeSchema(ma.Schema):
    name = ma.fields.Str(required=True)
    fen = ma.fields.Int(required=True, allow_none=True, metadata={"description": "金额，分"})
    standard = ma.fields.Str(required=True)
    basis = ma.fields.Str(required=True)


class ServiceItemResultSchema(ma.Schema):
    name = ma.fields.Str(required=True)
    kind = ma.fields.Str(required=True)


class ServiceItemPlaceSchema(ma.Schema):
    name = ma.fields.Str(required=True)
    address = ma.fields.Str(required=True)
    hours = ma.fields.Str(required=True)


class ServiceItemQuestionSchema(ma.Schema):
    question = ma.fields.Str(required=True)
    answer = ma.fields.Str(required=True)


class ServiceItemContentSchema(ma.Schema):
    name = ma.fields.Str(required=True)
    summary = ma.fields.Str(required=True)
    served = ma.fields.List(_code(ServedKind, SERVED_LABELS, "服务对象"), required=True)
    case_type = _code(CaseType, CASE_TYPE_LABELS, "办件类型")
    promised_days = ma.fields.Int(required=True, metadata={"description": "承诺办结时限，工作日；0 当日"})
    lawful_days = ma.fields.Int(
        required=True, allow_none=True, metadata={"description": "法定办结时限，工作日；空为法律未规定"}
    )
    conditions = ma.fields.List(ma.fields.Str(), required=True)
    materials = ma.fields.List(ma.fields.Nested(ServiceItemMaterialSchema()), required=True)
    steps = ma.fields.List(ma.fields.Nested(ServiceItemStepSchema()), required=True)
    results = ma.fields.List(ma.fields.Nested(ServiceItemResultSchema()), required=True)
    deliveries = ma.fields.List(_code(Delivery, DELIVERY_LABELS, "送达方式"), required=True)
    hotline = ma.fields.Str(required=True)
    complaint_line = ma.fields.Str(required=True)
    places = ma.fields.List(ma.fields.Nested(ServiceItemPlaceSchema()), required=True)
    online = ma.fields.Bool(required=True)
    full_process = ma.fields.Bool(required=True, metadata={"description": "网上全流程办理"})
    visits = ma.fields.Int(required=True, metadata={"description": "到办事现场次数"})
    visit_reason = ma.fields.Str(required=True)
    supplement_days = ma.fields.Int(required=True, metadata={"description": "补正时限，工作日"})
    pauses = ma.fields.List(
        ma.fields.Str(), required=True, metadata={"description": "可以暂停计时的特别程序"}
    )
    fees = ma.fields.List(
        ma.fields.Nested(ServiceItemFeeSchema()), required=True, metadata={"description": "空为不收费"}
    )
    questions = ma.fields.List(ma.fields.Nested(ServiceItemQuestionSchema()), required=True)
    synonyms = ma.fields.List(ma.fields.Str(), required=True)
    variants = ma.fields.List(
        ma.fields.Nested(ServiceItemVariantSchema()), required=True, metadata={"description": "情形"}
    )
    level = ma.fields.Int(required=True, metadata={"description": "实名等级：1 渠道登录，2 实名，3 人脸核验"})
    second_person = ma.fields.Bool(required=True, metadata={"description": "决定需要第二人意见"})


class ServiceItemSchema(ma.Schema):
    id = Id(required=True)
    version_id = Id(required=True)
    version_number = ma.fields.Int(required=True)
    code = ma.fields.Str(required=True, metadata={"description": "实施编码，按来源原样"})
    code_scheme = ma.fields.Str(required=True)
    directory_id = Id(required=True)
    directory_code = ma.fields.Str(required=True, metadata={"description": "基本编码"})
    item_type = _code(ItemType, ITEM_TYPE_LABELS, "事项类型")
    domain = _code(Domain, DOMAIN_LABELS, "办事领域")
    legal_basis = ma.fields.List(ma.fields.Nested(ServiceItemLegalBasisSchema()), required=True)
    sample = ma.fields.Bool(required=True, metadata={"description": "示例数据"})
    body_id = Id(required=True)
    body_name = ma.fields.Str(required=True)
    region_code = ma.fields.Str(required=True)
    region_name = ma.fields.Str(required=True)
    page_id = Id(required=True, allow_none=True)
    state = _code(VersionState, VERSION_LABELS, "状态")
    effective_on = ma.fields.Date(required=True)
    open = ma.fields.Bool(required=True, metadata={"description": "现在可以在这里申请"})
    content = ma.fields.Nested(ServiceItemContentSchema(), required=True)
    form = ma.fields.Dict(
        keys=ma.fields.Str(),
        required=True,
        allow_none=True,
        metadata={"description": "表单：schema（JSON Schema 2020-12）、sections（顺序）、fields（说明文字）"},
    )


class ServiceItemRelationQuerySchema(ma.Schema):
    region = Text(longest=REGION_MAX, load_default=None, metadata={"description": "行政区划代码，默认全省"})
    variant = Text(longest=VARIANT_MAX, load_default=None, metadata={"description": "只看这种情形的关联"})


class ServiceItemRelatedSchema(ma.Schema):
    kind = _code(RelationKind, RELATION_LABELS, "关联")
    backwards = ma.fields.Bool(required=True, metadata={"description": "由对方事项写明，方向相反"})
    words = ma.fields.Str(required=True, metadata={"description": "给人看的说法"})
    variant = ma.fields.Str(required=True, metadata={"description": "只对本事项的这种情形；空为都是"})
    variant_name = ma.fields.Str(required=True)
    item = ma.fields.Nested(ServiceItemMatchSchema(), required=True)
