"""JSON shapes of applications."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import marshmallow as ma

from app.applications.desk_domain import MARK_LABELS, Mark
from app.applications.domain import (
    CHANNEL_LABELS,
    EVENT_LABELS,
    EXTENSION_DAYS_MAX,
    FILE_BYTES_MAX,
    NUMBER_LENGTH,
    PLAIN_LABELS,
    QUERY_CODE_DIGITS,
    STATE_LABELS,
    SUPPLEMENT_ITEMS_MAX,
    TEXT_MAX,
    Channel,
    Event,
    FileType,
    State,
    Who,
)
from app.applications.steps import STEPS
from app.catalogue.service import ANSWERS_MAX, DELIVERY_LABELS, HANDING_LABELS, Delivery, Handing
from app.core.cursor import CURSOR_MAX
from app.core.fields import Answer, Id, Text

PAGE_MAX = 50
FIELD_MAX = 40
VARIANT_MAX = 40
WHO_LABELS = {Who.RESIDENT: "申请人", Who.DEPARTMENT: "办理单位", Who.SUPERVISOR: "监督", Who.CLOCK: "系统"}


def _code(codes: type[StrEnum], labels: Mapping[Any, str], what: str, **options: Any) -> Any:
    said = "、".join(f"{code} {label}" for code, label in labels.items())
    return ma.fields.Enum(codes, by_value=True, metadata={"description": f"{what}：{said}"}, **options)


def _answers(**options: Any) -> ma.fields.Dict:
    return ma.fields.Dict(
        keys=ma.fields.Str(validate=ma.validate.Length(1, FIELD_MAX)),
        values=Answer(),
        validate=ma.validate.Length(0, ANSWERS_MAX),
        metadata={"description": "按字段名；没有提到的不变，null 表示清除"},
        **options,
    )


def _materials(**options: Any) -> ma.fields.Dict:
    return ma.fields.Dict(
        keys=ma.fields.Str(validate=ma.validate.Length(1, FIELD_MAX)),
        values=_code(Handing, HANDING_LABELS, "提交方式", allow_none=True),
        validate=ma.validate.Length(0, ANSWERS_MAX),
        metadata={"description": "按材料编号：怎样提交"},
        **options,
    )


def _version() -> ma.fields.Int:
    return ma.fields.Int(
        required=True,
        validate=ma.validate.Range(1, 2**31 - 1),
        metadata={"description": "所见的版本号；已变的答 409 stale"},
    )


class ApplicationStartSchema(ma.Schema):
    item_id = Id(required=True)
    fresh = ma.fields.Bool(load_default=False, metadata={"description": "放弃旧草稿，重新填写"})
    channel = _code(Channel, CHANNEL_LABELS, "申办渠道", load_default=Channel.WAP)
    on_behalf_of = Id(
        load_default=None, allow_none=True, metadata={"description": "代办：按哪一份授权为别人或企业申请"}
    )
    variant = Text(
        longest=VARIANT_MAX, may_be_empty=True, load_default="", metadata={"description": "已知的情形"}
    )


class ApplicationStartedSchema(ma.Schema):
    id = Id(required=True)
    continued = ma.fields.Bool(required=True, metadata={"description": "继续填写以前的草稿"})
    open_number = ma.fields.Str(required=True, metadata={"description": "同一事项正在办的办件编号，没有为空"})


class ApplicationSaveSchema(ma.Schema):
    version = _version()
    answers = _answers(load_default=dict)
    materials = _materials(load_default=dict)
    variant = Text(
        longest=VARIANT_MAX,
        may_be_empty=True,
        load_default=None,
        allow_none=True,
        metadata={"description": "申请人选的情形；不写不变。答案已经说明情形的，以答案为准"},
    )


class ApplicationSavedSchema(ma.Schema):
    version = ma.fields.Int(required=True)
    cleared = ma.fields.List(ma.fields.Str(), required=True, metadata={"description": "不再需要而清除的字段"})
    problems = ma.fields.Dict(
        keys=ma.fields.Str(),
        values=ma.fields.List(ma.fields.Str()),
        required=True,
        metadata={"description": "还不能提交的原因，逐个字段；空的可以提交"},
    )
    item_changed = ma.fields.Bool(required=True, metadata={"description": "事项有了新版本，草稿已跟上"})


class ApplicationVersionSchema(ma.Schema):
    version = _version()


class ApplicationSupplySchema(ma.Schema):
    version = _version()
    answers = _answers(load_default=dict)
    materials = _materials(load_default=dict)
    statement = Text(longest=TEXT_MAX, may_be_empty=True, load_default="")


class ApplicationQuerySchema(ma.Schema):
    cursor = Text(longest=CURSOR_MAX, load_default=None)
    limit = ma.fields.Int(load_default=20, validate=ma.validate.Range(1, PAGE_MAX))
    acting = ma.fields.Bool(load_default=False, metadata={"description": "只看为别人或企业办的"})


class ApplicationLineSchema(ma.Schema):
    id = Id(required=True)
    number = ma.fields.Str(required=True, allow_none=True)
    item_id = Id(required=True)
    item_name = ma.fields.Str(required=True)
    body_name = ma.fields.Str(required=True)
    state = _code(State, PLAIN_LABELS, "状态", required=True)
    state_label = ma.fields.Str(required=True)
    created_at = ma.fields.AwareDateTime(required=True)
    saved_at = ma.fields.AwareDateTime(required=True)
    submitted_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    due_on = ma.fields.Date(required=True, allow_none=True)
    expires_on = ma.fields.Date(
        required=True, allow_none=True, metadata={"description": "草稿到这一天没有再保存就删除"}
    )
    by_agent = ma.fields.Bool(required=True, metadata={"description": "有人代办"})


class ApplicationListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ApplicationLineSchema()), required=True)
    next_cursor = ma.fields.Str(required=True, allow_none=True)


class ApplicationEventSchema(ma.Schema):
    number = ma.fields.Int(required=True)
    event = _code(Event, EVENT_LABELS, "步骤", required=True)
    label = ma.fields.Str(required=True)
    to_state = _code(State, STATE_LABELS, "到达的状态", required=True)
    who = _code(Who, WHO_LABELS, "谁", required=True)
    at = ma.fields.AwareDateTime(required=True)
    text = ma.fields.Str(required=True)


class SupplementItemSchema(ma.Schema):
    text = Text(longest=TEXT_MAX, required=True, metadata={"description": "要补正什么"})
    field = Text(longest=FIELD_MAX, metadata={"description": "表单字段，是某一项回答时"})
    material = Text(longest=FIELD_MAX, metadata={"description": "材料编号，是某一份材料时"})


class SupplementSchema(ma.Schema):
    number = ma.fields.Int(required=True)
    items = ma.fields.List(ma.fields.Nested(SupplementItemSchema()), required=True)
    asked_at = ma.fields.AwareDateTime(required=True)
    due_on = ma.fields.Date(required=True)
    supplied_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    statement = ma.fields.Str(required=True)


class ApplicationResultSchema(ma.Schema):
    name = Text(longest=100, required=True)
    number = Text(longest=100, may_be_empty=True, load_default="")


class ApplicationFileSchema(ma.Schema):
    """一个上传的文件；内容在 …/files/<id> 读取。"""

    id = Id(required=True)
    material = ma.fields.Str(required=True, metadata={"description": "材料编号"})
    type = _code(FileType, {one: one.name for one in FileType}, "类型", required=True)
    byte_count = ma.fields.Int(required=True)
    width = ma.fields.Int(required=True, metadata={"description": "照片的像素，文件为 0"})
    height = ma.fields.Int(required=True)
    page_count = ma.fields.Int(required=True, metadata={"description": "PDF 的页数，照片为 0"})
    scanned = ma.fields.Bool(required=True, metadata={"description": "查过病毒"})
    sent = ma.fields.Bool(required=True, metadata={"description": "办理单位已收到，不能再删除"})
    created_at = ma.fields.AwareDateTime(required=True)


class FileQuerySchema(ma.Schema):
    material = ma.fields.Str(
        required=True,
        validate=ma.validate.Length(1, FIELD_MAX),
        metadata={"description": "材料编号"},
    )
    key = ma.fields.Str(
        required=True,
        validate=ma.validate.Regexp(r"^[A-Za-z0-9_-]{8,80}$"),
        metadata={"description": "这次上传的名字，由调用方取；断了重传用同一个，只收一份"},
    )


class FileSentSchema(ma.Schema):
    file = ma.fields.Raw(
        required=True,
        metadata={
            "type": "string",
            "format": "binary",
            "description": f"JPEG、PNG、WebP 照片或 PDF，最大 {FILE_BYTES_MAX // 1024 // 1024} MB",
        },
    )


class PrefilledSchema(ma.Schema):
    version = ma.fields.Int(required=True)
    filled = ma.fields.List(ma.fields.Str(), required=True, metadata={"description": "填上的字段"})


class QueryCodeSchema(ma.Schema):
    version = ma.fields.Int(required=True)
    query_code = ma.fields.Str(required=True, metadata={"description": "新的查询码，旧的从此无效"})


class NeededMaterialSchema(ma.Schema):
    code = ma.fields.Str(required=True)
    name = ma.fields.Str(required=True)
    handings = ma.fields.List(_code(Handing, HANDING_LABELS, "提交方式"), required=True)
    required = ma.fields.Bool(required=True)
    source = ma.fields.Str(required=True)
    note = ma.fields.Str(required=True)


class AnswerSourceSchema(ma.Schema):
    kind = ma.fields.Str(
        required=True,
        attribute="from",
        data_key="from",
        metadata={"description": "person 实名、phone 手机、former 以前的申请、enterprise 企业登记"},
    )
    text = ma.fields.Str(required=True, metadata={"description": "给人看的说明，含日期"})
    on = ma.fields.Str(required=True, metadata={"description": "资料的日期，不知道为空"})


class ApplicationSchema(ma.Schema):
    id = Id(required=True)
    version = ma.fields.Int(required=True)
    number = ma.fields.Str(required=True, allow_none=True, metadata={"description": "办件编号，提交后才有"})
    query_code = ma.fields.Str(required=True, metadata={"description": "查询码；办理单位看到的为空"})
    state = _code(State, PLAIN_LABELS, "状态", required=True)
    state_label = ma.fields.Str(required=True)
    channel = _code(Channel, CHANNEL_LABELS, "申办渠道", required=True)
    item_id = Id(required=True, attribute="item.id")
    item_name = ma.fields.Str(required=True, attribute="item.content.name")
    body_name = ma.fields.Str(required=True, attribute="item.body_name")
    form = ma.fields.Dict(keys=ma.fields.Str(), required=True, metadata={"description": "填写时的表单"})
    answers = ma.fields.Dict(
        keys=ma.fields.Str(), required=True, metadata={"description": "证件号码、手机号码带星号"}
    )
    visible = ma.fields.List(ma.fields.Str(), required=True, metadata={"description": "要填的字段，按顺序"})
    materials = ma.fields.Dict(keys=ma.fields.Str(), values=ma.fields.Str(), required=True)
    created_at = ma.fields.AwareDateTime(required=True)
    saved_at = ma.fields.AwareDateTime(required=True)
    submitted_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    accepted_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    decided_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    completed_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    ended_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    intake_due_on = ma.fields.Date(required=True, allow_none=True)
    supplement_due_on = ma.fields.Date(required=True, allow_none=True)
    promise_due_on = ma.fields.Date(required=True, allow_none=True)
    lawful_due_on = ma.fields.Date(required=True, allow_none=True)
    delivery_due_on = ma.fields.Date(required=True, allow_none=True)
    due_on = ma.fields.Date(required=True, allow_none=True)
    granted = ma.fields.Bool(required=True, allow_none=True)
    reason = ma.fields.Str(required=True)
    remedy = ma.fields.Str(required=True)
    result = ma.fields.Nested(ApplicationResultSchema(), required=True, allow_none=True)
    events = ma.fields.List(ma.fields.Nested(ApplicationEventSchema()), required=True)
    supplements = ma.fields.List(ma.fields.Nested(SupplementSchema()), required=True)
    may = ma.fields.List(_code(Event, EVENT_LABELS, "现在可以做的"), required=True)
    variant = ma.fields.Str(required=True, metadata={"description": "情形编号，没有为空"})
    needed = ma.fields.List(
        ma.fields.Nested(NeededMaterialSchema()), required=True, metadata={"description": "这种情形要的材料"}
    )
    files = ma.fields.List(ma.fields.Nested(ApplicationFileSchema()), required=True)
    sources = ma.fields.Dict(
        keys=ma.fields.Str(),
        values=ma.fields.Nested(AnswerSourceSchema()),
        required=True,
        metadata={"description": "预填的回答从哪里来，按字段名；申请人改过的没有"},
    )
    acting = ma.fields.Str(required=True, metadata={"description": "谁代谁办，自己办的为空"})
    expires_on = ma.fields.Date(required=True, allow_none=True)
    forgotten_at = ma.fields.AwareDateTime(
        required=True, allow_none=True, metadata={"description": "办结后个人信息和文件删除的时间"}
    )


class ApplicationReceiptSchema(ma.Schema):
    """回执. The query code is read with the application."""

    id = Id(required=True)
    version = ma.fields.Int(required=True)
    number = ma.fields.Str(required=True, metadata={"description": "办件编号"})
    state = _code(State, PLAIN_LABELS, "状态", required=True)
    state_label = ma.fields.Str(required=True)
    submitted_at = ma.fields.AwareDateTime(required=True)
    intake_due_on = ma.fields.Date(required=True, metadata={"description": "最迟哪天答复是否受理"})


class ProgressQuerySchema(ma.Schema):
    number = ma.fields.Str(required=True, validate=ma.validate.Length(1, NUMBER_LENGTH + 5))
    query_code = ma.fields.Str(required=True, validate=ma.validate.Length(1, QUERY_CODE_DIGITS))


class ProgressStepSchema(ma.Schema):
    number = ma.fields.Int(required=True)
    label = ma.fields.Str(required=True)
    at = ma.fields.AwareDateTime(required=True)


class ProgressPartSchema(ma.Schema):
    number = ma.fields.Str(required=True, allow_none=True)
    item_name = ma.fields.Str(required=True)
    body_name = ma.fields.Str(required=True)
    state_label = ma.fields.Str(required=True)
    due_on = ma.fields.Date(required=True, allow_none=True)
    done = ma.fields.Bool(required=True, metadata={"description": "已有结果"})


class ProgressSchema(ma.Schema):
    number = ma.fields.Str(required=True)
    item_name = ma.fields.Str(required=True)
    body_name = ma.fields.Str(required=True)
    state = _code(State, PLAIN_LABELS, "状态", required=True)
    state_label = ma.fields.Str(required=True)
    submitted_at = ma.fields.AwareDateTime(required=True)
    due_on = ma.fields.Date(required=True, allow_none=True)
    steps = ma.fields.List(ma.fields.Nested(ProgressStepSchema()), required=True)
    parts = ma.fields.List(
        ma.fields.Nested(ProgressPartSchema()),
        required=True,
        metadata={"description": "主题编号下的各个子办件；单个办件为空"},
    )


class CaseQuerySchema(ma.Schema):
    state = _code(State, STATE_LABELS, "状态", load_default=None)
    item_id = Id(load_default=None, metadata={"description": "只看这个事项（实施清单）的"})
    whose = ma.fields.Str(
        load_default="",
        validate=ma.validate.OneOf(["", "mine", "unassigned"]),
        metadata={"description": "mine 我领取的，unassigned 没人领取的，空为全部"},
    )
    overdue = ma.fields.Bool(load_default=False, metadata={"description": "只看已超期的"})
    proposed = ma.fields.Bool(load_default=False, metadata={"description": "只看等待复核的"})
    cursor = Text(longest=CURSOR_MAX, load_default=None)
    limit = ma.fields.Int(load_default=20, validate=ma.validate.Range(1, PAGE_MAX))


class CaseRiskSchema(ma.Schema):
    mark = _code(Mark, MARK_LABELS, "督办标识", required=True)
    promise_left = ma.fields.Int(
        required=True, allow_none=True, metadata={"description": "离现在的期限还有几个工作日，超期为负"}
    )
    lawful_left = ma.fields.Int(
        required=True, allow_none=True, metadata={"description": "离法定期限还有几个工作日"}
    )
    provisional = ma.fields.Bool(required=True, metadata={"description": "期限所在年份的节假日还没有公布"})


class CaseLineSchema(ma.Schema):
    case = ma.fields.Nested(ApplicationLineSchema(), required=True)
    handler_id = Id(required=True, allow_none=True)
    risk = ma.fields.Nested(CaseRiskSchema(), required=True)
    proposed = ma.fields.Bool(required=True, metadata={"description": "有决定等待复核"})


class CaseListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(CaseLineSchema()), required=True)
    next_cursor = ma.fields.Str(required=True, allow_none=True)


class CaseStepSchema(ma.Schema):
    """A step of the desk; which of the fields it needs hangs on the event."""

    event = _code(
        Event,
        {event: EVENT_LABELS[event] for event in STEPS},
        "步骤",
        required=True,
        validate=ma.validate.OneOf(list(STEPS)),
    )
    version = _version()
    opinion = Text(longest=TEXT_MAX, may_be_empty=True, load_default="", metadata={"description": "内部意见"})
    reason = Text(longest=TEXT_MAX, may_be_empty=True, load_default="", metadata={"description": "告知理由"})
    remedy = Text(longest=TEXT_MAX, may_be_empty=True, load_default="", metadata={"description": "救济途径"})
    granted = ma.fields.Bool(load_default=None, allow_none=True, metadata={"description": "准予"})
    items = ma.fields.List(
        ma.fields.Nested(SupplementItemSchema()),
        load_default=list,
        validate=ma.validate.Length(0, SUPPLEMENT_ITEMS_MAX),
        metadata={"description": "要补正的全部内容，一次告知"},
    )
    days = ma.fields.Int(load_default=0, validate=ma.validate.Range(0, EXTENSION_DAYS_MAX))
    kind = Text(longest=100, may_be_empty=True, load_default="", metadata={"description": "特别程序种类"})
    expected_on = ma.fields.Date(
        load_default=None,
        allow_none=True,
        metadata={"description": "特别程序预计哪天结束", "maxLength": 10},
    )
    result = ma.fields.Nested(ApplicationResultSchema(), load_default=dict)
    delivery = ma.fields.Enum(
        Delivery,
        by_value=True,
        load_default=None,
        allow_none=True,
        metadata={
            "description": "送达方式：" + "、".join(f"{one} {text}" for one, text in DELIVERY_LABELS.items())
        },
    )


class CasePutBackSchema(ma.Schema):
    reason = Text(longest=TEXT_MAX, required=True, metadata={"description": "为什么退回"})


class CaseHandOverSchema(ma.Schema):
    version = _version()
    staff_id = Id(required=True, metadata={"description": "转交给谁"})
    reason = Text(longest=TEXT_MAX, required=True, metadata={"description": "为什么转交"})


class CaseOpinionSchema(ma.Schema):
    text = Text(longest=TEXT_MAX, required=True, metadata={"description": "给同事的意见，申请人看不到"})


class CaseSecondSchema(ma.Schema):
    """第二人复核."""

    version = _version()
    confirmed = ma.fields.Bool(required=True, metadata={"description": "同意决定；不同意则退回"})
    opinion = Text(
        longest=TEXT_MAX, may_be_empty=True, load_default="", metadata={"description": "意见，退回时必填"}
    )


class CaseProposalSchema(ma.Schema):
    event = _code(Event, EVENT_LABELS, "步骤", required=True)
    granted = ma.fields.Bool(required=True)
    reason = ma.fields.Str(required=True)
    remedy = ma.fields.Str(required=True)
    opinion = ma.fields.Str(required=True)
    proposed_by_id = Id(required=True)
    proposed_at = ma.fields.AwareDateTime(required=True)


class CaseHistoryLineSchema(ma.Schema):
    at = ma.fields.AwareDateTime(required=True)
    label = ma.fields.Str(required=True)
    actor = ma.fields.Str(required=True)
    text = ma.fields.Str(required=True)
    opinion = ma.fields.Str(required=True, metadata={"description": "内部意见"})


class CaseSchema(ApplicationSchema):
    """A case as its desk sees it."""

    handler_id = Id(required=True, allow_none=True)
    risk = ma.fields.Nested(CaseRiskSchema(), required=True)
    proposal = ma.fields.Nested(
        CaseProposalSchema(), required=True, allow_none=True, metadata={"description": "等待复核的决定"}
    )
    may_confirm = ma.fields.Bool(required=True, metadata={"description": "您可以复核"})
    history = ma.fields.List(ma.fields.Nested(CaseHistoryLineSchema()), required=True)


class CaseReasonSchema(ma.Schema):
    reason = Text(longest=200, required=True, metadata={"description": "查看完整信息的理由，记入留痕"})
    code = ma.fields.Str(
        load_default="",
        validate=ma.validate.Length(0, 10),
        metadata={"description": "动态验证码；没有在几分钟内验证过的必填"},
    )


class CaseAnswersSchema(ma.Schema):
    answers = ma.fields.Dict(keys=ma.fields.Str(), required=True)
