"""Shapes of the exchange over JSON."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.core.fields import Id, Text
from app.exchange.domain import (
    BATCH_MAX,
    CODE_MAX,
    INBOX_MAX,
    NUMBER_MAX,
    SEQ_MAX,
    VERSION_MAX,
    MessageState,
    OutState,
    RunState,
    SystemState,
)

SBLSH = ma.validate.Regexp(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$")
STATUS = ma.validate.Range(100, 599)
REPORT_CODE_MAX = 60
CURSOR_MAX = 2**31 - 1


def _version() -> ma.fields.Int:
    return ma.fields.Int(
        required=True,
        strict=True,
        validate=ma.validate.Range(1, VERSION_MAX),
        metadata={"description": "数据版本号，从 1 起，更正加 1"},
    )


class ExchangeVersionSchema(ma.Schema):
    version = ma.fields.Int(
        required=True,
        validate=ma.validate.Range(1, VERSION_MAX),
        metadata={"description": "数据版本号，从 1 起，更正加 1"},
    )


class ExchangeBodySchema(ma.Schema):
    """A message: field codes of the standard. The standard judges it, not this schema."""

    class Meta:
        unknown = ma.INCLUDE


class ExchangeFindingSchema(ma.Schema):
    field = ma.fields.Str(required=True, metadata={"description": "字段代码；空为整条报文"})
    name = ma.fields.Str(required=True, metadata={"description": "字段中文名"})
    code = ma.fields.Str(required=True, metadata={"description": "稳定的错误代码"})
    text = ma.fields.Str(required=True, metadata={"description": "怎么改"})


class ExchangeReceiptSchema(ma.Schema):
    message_id = Id(required=True, allow_none=True)
    sblsh = ma.fields.Str(required=True, attribute="given.sblsh")
    sptype = ma.fields.Int(required=True, attribute="given.kind")
    seq = ma.fields.Int(required=True, attribute="given.seq")
    version = ma.fields.Int(required=True, attribute="given.data_version")
    state = ma.fields.Enum(MessageState, by_value=True, required=True)
    findings = ma.fields.List(ma.fields.Nested(ExchangeFindingSchema()), required=True)
    received_at = ma.fields.AwareDateTime(required=True)
    digest = ma.fields.Str(required=True, metadata={"description": "报文的 SHA-256，见说明"})
    hash = ma.fields.Str(required=True, metadata={"description": "回执的 SHA-256，见说明"})


class ExchangeMessageSchema(ma.Schema):
    message_id = Id(required=True, attribute="id")
    sptype = ma.fields.Int(required=True, attribute="kind")
    seq = ma.fields.Int(required=True)
    version = ma.fields.Int(required=True, attribute="data_version")
    state = ma.fields.Enum(MessageState, by_value=True, required=True)
    findings = ma.fields.List(ma.fields.Nested(ExchangeFindingSchema()), required=True)
    received_at = ma.fields.AwareDateTime(required=True)
    applied_at = ma.fields.AwareDateTime(required=True, allow_none=True)


class ExchangeFileSchema(ma.Schema):
    id = Id(required=True)
    material = ma.fields.Str(required=True, metadata={"description": "材料编号 STUFF_SEQ"})
    type = ma.fields.Str(required=True)
    byte_count = ma.fields.Int(required=True)


class ExchangeCaseSchema(ma.Schema):
    numbers = ma.fields.List(ma.fields.Str(), required=True, metadata={"description": "办件的各个流水号"})
    state = ma.fields.Str(required=True, allow_none=True, metadata={"description": "办件现在的状态"})
    messages = ma.fields.List(ma.fields.Nested(ExchangeMessageSchema()), required=True)
    files = ma.fields.List(ma.fields.Nested(ExchangeFileSchema()), required=True)


class ExchangeBatchOneSchema(ma.Schema):
    sblsh = ma.fields.Str(required=True, validate=SBLSH)
    sptype = ma.fields.Int(required=True, strict=True, validate=ma.validate.Range(0, 9))
    seq = ma.fields.Int(required=True, strict=True, validate=ma.validate.Range(1, SEQ_MAX))
    version = _version()
    body = ma.fields.Dict(keys=ma.fields.Str(), required=True)


class ExchangeBatchSchema(ma.Schema):
    messages = ma.fields.List(
        ma.fields.Nested(ExchangeBatchOneSchema()),
        required=True,
        validate=ma.validate.Length(1, BATCH_MAX),
    )


class ExchangeResultSchema(ma.Schema):
    status = ma.fields.Int(required=True, metadata={"description": "这一条单独报送时的状态码"})
    receipt = ma.fields.Nested(ExchangeReceiptSchema(), required=True, allow_none=True)
    problem = ma.fields.Dict(required=True, allow_none=True)


class ExchangeResultsSchema(ma.Schema):
    results = ma.fields.List(ma.fields.Nested(ExchangeResultSchema()), required=True)


class ExchangeInboxQuerySchema(ma.Schema):
    system = ma.fields.Str(required=True, validate=ma.validate.Length(1, CODE_MAX))
    after = ma.fields.Int(load_default=0, validate=ma.validate.Range(0, CURSOR_MAX))
    limit = ma.fields.Int(load_default=20, validate=ma.validate.Range(1, INBOX_MAX))


class ExchangeOutSchema(ma.Schema):
    number = ma.fields.Int(required=True, metadata={"description": "收件箱里的序号，连续"})
    sptype = ma.fields.Int(required=True, allow_none=True, attribute="kind")
    code = ma.fields.Str(required=True)
    event = ma.fields.Str(required=True, metadata={"description": "大厅办件的事件"})
    sblsh = ma.fields.Str(required=True)
    numbers = ma.fields.List(ma.fields.Str(), required=True)
    state = ma.fields.Enum(OutState, by_value=True, required=True)
    created_at = ma.fields.AwareDateTime(required=True)
    body = ma.fields.Dict(required=True)


class ExchangeInboxSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ExchangeOutSchema()), required=True)
    next_after = ma.fields.Int(required=True, metadata={"description": "下次从这里取"})


class ExchangeAckOneSchema(ma.Schema):
    number = ma.fields.Int(required=True, strict=True, validate=ma.validate.Range(1, CURSOR_MAX))
    sblsh = ma.fields.Str(
        load_default="",
        validate=SBLSH,
        metadata={"description": "本系统自己的申办流水号", "maxLength": NUMBER_MAX},
    )


class ExchangeAckSchema(ma.Schema):
    system = ma.fields.Str(required=True, validate=ma.validate.Length(1, CODE_MAX))
    taken = ma.fields.List(
        ma.fields.Nested(ExchangeAckOneSchema()), required=True, validate=ma.validate.Length(1, INBOX_MAX)
    )


class ExchangeAckedSchema(ma.Schema):
    number = ma.fields.Int(required=True)
    state = ma.fields.Enum(OutState, by_value=True, required=True, allow_none=True)


class ExchangeAckedListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(ExchangeAckedSchema()), required=True)


class ExchangeSystemSchema(ma.Schema):
    code = ma.fields.Str(required=True)
    name = ma.fields.Str(required=True)
    state = ma.fields.Enum(SystemState, by_value=True, required=True)
    passed_version = ma.fields.Int(required=True)
    standard_version = ma.fields.Int(required=True)
    items = ma.fields.List(ma.fields.Str(), required=True)
    results = ma.fields.Dict(keys=ma.fields.Str(), values=ma.fields.Str(), required=True)


class ExchangeTaskSchema(ma.Schema):
    code = ma.fields.Str(required=True)
    title = ma.fields.Str(required=True)
    say = ma.fields.Str(required=True, metadata={"description": "这一步要做什么"})
    how = ma.fields.Str(
        required=True, metadata={"description": "send、again、batch、read、pull、ack 或 report"}
    )
    fault = ma.fields.Str(required=True, metadata={"description": "report 时请求要带的毛病"})
    path = ma.fields.Str(required=True, metadata={"description": "地址，在 /api/v1/exchange 之下"})
    must = ma.fields.Dict(required=True)
    drop = ma.fields.List(ma.fields.Str(), required=True)
    example = ma.fields.List(ma.fields.Dict(), required=True)


class ExchangeRunSchema(ma.Schema):
    standard_version = ma.fields.Int(required=True)
    state = ma.fields.Enum(RunState, by_value=True, required=True)
    passed = ma.fields.Int(required=True)
    total = ma.fields.Int(required=True)
    task = ma.fields.Nested(ExchangeTaskSchema(), required=True, allow_none=True)
    note = ma.fields.Str(required=True, metadata={"description": "上一步哪里不对；空为没有问题"})
    certificate = ma.fields.Str(required=True, allow_none=True)


class ExchangeReportSchema(ma.Schema):
    status = ma.fields.Int(required=True, strict=True, validate=STATUS)
    code = Text(longest=REPORT_CODE_MAX, may_be_empty=True, load_default="")


def receipt_json(receipt: Any) -> dict[str, Any]:
    """Return a receipt as it is answered."""
    found: dict[str, Any] = ExchangeReceiptSchema().dump(receipt)
    return found
