"""Shapes of the open API and of a resident's own consents."""

from __future__ import annotations

import marshmallow as ma

from app.core.fields import Id, Text
from app.mobile_access.service import Theme
from app.third_parties.domain import (
    CONSENT_DAYS_MAX,
    PERSONAL,
    SAMPLES,
    STATE_MAX,
    SUBSCRIBABLE,
    URL_MAX,
    DeliveryState,
    EventKind,
    Scope,
    Stage,
    WebhookState,
)

SUBJECT_MAX = 80
TICKET_MAX = 100
TEMPLATE_MAX = 60
REFERENCE_MAX = 60
VARIABLES_MAX = 20
VALUE_MAX = 200
ITEMS_MAX = 50
ITEM_QUERY_MAX = 60
VERSION = ma.validate.Range(0, 2**31 - 1)


def _subject() -> Text:
    return Text(longest=SUBJECT_MAX, required=True, metadata={"description": "单点登录得到的用户标识"})


class OpenRemainingSchema(ma.Schema):
    name = ma.fields.Str(required=True, metadata={"description": "minute 或 day"})
    quota = ma.fields.Int(required=True)
    left = ma.fields.Int(required=True)
    reset_seconds = ma.fields.Int(required=True)


class OpenSelfSchema(ma.Schema):
    id = Id(required=True)
    name = ma.fields.Str(required=True)
    stage = ma.fields.Enum(Stage, by_value=True, required=True)
    scopes = ma.fields.List(ma.fields.Enum(Scope, by_value=True), required=True)
    remaining = ma.fields.List(ma.fields.Nested(OpenRemainingSchema()), required=True)
    now = ma.fields.AwareDateTime(required=True, metadata={"description": "服务器时间"})


class OpenPageQuerySchema(ma.Schema):
    query = Text(longest=60)
    theme = ma.fields.Enum(Theme, by_value=True)
    region_code = ma.fields.Str(validate=ma.validate.Regexp(r"^[0-9]{6}$"))
    cursor = ma.fields.Str(validate=ma.validate.Length(1, 200))
    limit = ma.fields.Int(load_default=20, validate=ma.validate.Range(1, 100))


class OpenPageSchema(ma.Schema):
    id = Id(required=True)
    name = ma.fields.Str(required=True)
    description = ma.fields.Str(required=True)
    theme = ma.fields.Enum(Theme, by_value=True, required=True)
    hotline = ma.fields.Str(required=True)
    body_id = Id(required=True)
    body_name = ma.fields.Str(required=True)
    region_code = ma.fields.Str(required=True)
    region_name = ma.fields.Str(required=True)
    available = ma.fields.Bool(required=True)


class OpenPageListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(OpenPageSchema()), required=True)
    next_cursor = ma.fields.Str(allow_none=True, required=True)


class OpenItemQuerySchema(ma.Schema):
    q = Text(longest=ITEM_QUERY_MAX, required=True)
    region_code = ma.fields.Str(validate=ma.validate.Regexp(r"^[0-9]{6}$"), load_default=None)
    limit = ma.fields.Int(load_default=10, validate=ma.validate.Range(1, ITEMS_MAX))


class OpenItemSchema(ma.Schema):
    id = Id(required=True)
    name = ma.fields.Str(required=True)
    body_name = ma.fields.Str(required=True)
    region_code = ma.fields.Str(required=True)
    region_name = ma.fields.Str(required=True)
    summary = ma.fields.Str(required=True)
    online = ma.fields.Bool(required=True, metadata={"description": "现在可以在网上办事大厅申请"})
    page_id = Id(allow_none=True, required=True)


class OpenItemListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(OpenItemSchema()), required=True)


class OpenMaterialSchema(ma.Schema):
    name = ma.fields.Str(required=True)
    required = ma.fields.Bool(required=True)
    original_count = ma.fields.Int(required=True)
    copy_count = ma.fields.Int(required=True)
    note = ma.fields.Str(required=True)


class OpenStepSchema(ma.Schema):
    name = ma.fields.Str(required=True)
    days = ma.fields.Int(required=True, metadata={"description": "工作日"})


class OpenFeeSchema(ma.Schema):
    name = ma.fields.Str(required=True)
    fen = ma.fields.Int(required=True, allow_none=True, metadata={"description": "金额，单位为分"})
    standard = ma.fields.Str(required=True)


class OpenContentSchema(ma.Schema):
    name = ma.fields.Str(required=True)
    summary = ma.fields.Str(required=True)
    promised_days = ma.fields.Int(required=True, metadata={"description": "承诺办结时限，工作日"})
    lawful_days = ma.fields.Int(
        required=True, allow_none=True, metadata={"description": "法定办结时限，工作日"}
    )
    visits = ma.fields.Int(required=True, metadata={"description": "到现场次数"})
    conditions = ma.fields.List(ma.fields.Str(), required=True)
    materials = ma.fields.List(ma.fields.Nested(OpenMaterialSchema()), required=True)
    steps = ma.fields.List(ma.fields.Nested(OpenStepSchema()), required=True)
    fees = ma.fields.List(ma.fields.Nested(OpenFeeSchema()), required=True)
    hotline = ma.fields.Str(required=True)


class OpenGuideSchema(ma.Schema):
    """办事指南."""

    id = Id(required=True)
    code = ma.fields.Str(required=True)
    body_name = ma.fields.Str(required=True)
    region_code = ma.fields.Str(required=True)
    region_name = ma.fields.Str(required=True)
    page_id = Id(allow_none=True, required=True)
    open = ma.fields.Bool(required=True, metadata={"description": "现在可以在网上办事大厅申请"})
    effective_on = ma.fields.Date(required=True)
    content = ma.fields.Nested(OpenContentSchema(), required=True)


class OpenTicketSchema(ma.Schema):
    ticket = Text(longest=TICKET_MAX, required=True, metadata={"description": "60 秒内有效，只能用一次"})


class OpenSignedInSchema(ma.Schema):
    subject = ma.fields.Str(
        required=True, metadata={"description": "同一个人每次都一样，各单位之间不一样；不是身份证号"}
    )
    level = ma.fields.Int(required=True, metadata={"description": "实名等级；1 只说明是同一个渠道账号"})


class OpenSampleSchema(ma.Schema):
    sample = ma.fields.Int(required=True, strict=True, validate=ma.validate.Range(1, SAMPLES))


class OpenAskSchema(ma.Schema):
    subject = _subject()
    scopes = ma.fields.List(
        ma.fields.Enum(Scope, by_value=True),
        required=True,
        validate=ma.validate.Length(1, len(PERSONAL)),
        metadata={"description": "需要群众同意的能力：messages.send、applications.read"},
    )
    days = ma.fields.Int(load_default=90, strict=True, validate=ma.validate.Range(1, CONSENT_DAYS_MAX))
    state = Text(
        longest=STATE_MAX,
        may_be_empty=True,
        load_default="",
        metadata={"description": "原样带回回调地址，用来认出是哪一次请求"},
    )


class OpenQuestionSchema(ma.Schema):
    url = ma.fields.Str(required=True, metadata={"description": "在群众的手机上打开，10 分钟内有效"})
    expires_at = ma.fields.AwareDateTime(required=True)


class OpenSubjectQuerySchema(ma.Schema):
    subject = _subject()


class OpenConsentSchema(ma.Schema):
    id = Id(required=True)
    scopes = ma.fields.List(ma.fields.Enum(Scope, by_value=True), required=True)
    granted_at = ma.fields.AwareDateTime(required=True)
    expires_at = ma.fields.AwareDateTime(required=True)


class OpenConsentListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(OpenConsentSchema()), required=True)


class OpenCaseQuerySchema(OpenSubjectQuerySchema):
    cursor = ma.fields.Str(validate=ma.validate.Length(1, 200), load_default=None)
    limit = ma.fields.Int(load_default=20, validate=ma.validate.Range(1, 50))


class OpenCaseSchema(ma.Schema):
    number = ma.fields.Str(required=True)
    item_id = Id(required=True)
    item_name = ma.fields.Str(required=True)
    state = ma.fields.Str(required=True)
    state_label = ma.fields.Str(required=True)
    submitted_at = ma.fields.AwareDateTime(required=True)
    due_on = ma.fields.Date(required=True, allow_none=True)


class OpenCaseListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(OpenCaseSchema()), required=True)
    next_cursor = ma.fields.Str(required=True, allow_none=True)


class OpenNewMessageSchema(ma.Schema):
    subject = _subject()
    template = Text(longest=TEMPLATE_MAX, required=True, metadata={"description": "已审核的通知模板"})
    data = ma.fields.Dict(
        keys=Text(longest=40),
        values=Text(longest=VALUE_MAX, may_be_empty=True),
        load_default=dict,
        validate=ma.validate.Length(max=VARIABLES_MAX),
        metadata={"description": "模板的变量", "maxProperties": VARIABLES_MAX},
    )
    page_id = Id(load_default=None, allow_none=True, metadata={"description": "点开通知去往的本单位网页"})
    reference = Text(
        longest=REFERENCE_MAX,
        required=True,
        metadata={"description": "您的流水号；相同流水号重复调用只发一次，内容不同则拒绝（409）"},
    )


class OpenSentSchema(ma.Schema):
    message_id = Id(required=True, allow_none=True)
    sent = ma.fields.Bool(required=True, metadata={"description": "测试环境不真发，为 false"})


def _events() -> ma.fields.List[EventKind]:
    return ma.fields.List(
        ma.fields.Enum(EventKind, by_value=True),
        required=True,
        validate=ma.validate.Length(1, len(SUBSCRIBABLE)),
    )


class OpenNewWebhookSchema(ma.Schema):
    url = Text(longest=URL_MAX, required=True)
    events = _events()


class OpenWebhookChangeSchema(ma.Schema):
    events = _events()
    active = ma.fields.Bool(required=True)
    version = ma.fields.Int(required=True, strict=True, validate=VERSION)


class OpenWebhookSchema(ma.Schema):
    id = Id(required=True)
    url = ma.fields.Str(required=True)
    events = ma.fields.List(ma.fields.Enum(EventKind, by_value=True), required=True)
    state = ma.fields.Enum(WebhookState, by_value=True, required=True)
    last_error = ma.fields.Str(required=True)
    last_sent_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    version = ma.fields.Int(required=True)
    created_at = ma.fields.AwareDateTime(required=True)


class OpenWebhookListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(OpenWebhookSchema()), required=True)


class OpenWebhookMadeSchema(ma.Schema):
    webhook = ma.fields.Nested(OpenWebhookSchema(), required=True)
    secret = ma.fields.Str(required=True, metadata={"description": "whsec_…，只显示这一次"})


class OpenSecretSchema(ma.Schema):
    secret = ma.fields.Str(required=True, metadata={"description": "新密钥；24 小时内新旧两个密钥都签名"})


class OpenEventRefSchema(ma.Schema):
    event_id = Id(required=True)


class OpenAttemptSchema(ma.Schema):
    number = ma.fields.Int(required=True)
    at = ma.fields.AwareDateTime(required=True)
    status = ma.fields.Int(required=True, metadata={"description": "HTTP 状态码；0 是没有回答"})
    duration_ms = ma.fields.Int(required=True)
    error = ma.fields.Str(required=True)


class OpenDeliverySchema(ma.Schema):
    id = Id(required=True)
    event_id = Id(required=True)
    kind = ma.fields.Enum(EventKind, by_value=True, required=True)
    state = ma.fields.Enum(DeliveryState, by_value=True, required=True)
    attempts = ma.fields.Int(required=True)
    next_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    created_at = ma.fields.AwareDateTime(required=True)
    tries = ma.fields.List(ma.fields.Nested(OpenAttemptSchema()), required=True)


class OpenDeliveryListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(OpenDeliverySchema()), required=True)


class MyConsentSchema(ma.Schema):
    """A consent as the resident sees it."""

    id = Id(required=True)
    app_name = ma.fields.Str(required=True)
    body_name = ma.fields.Str(required=True)
    purpose = ma.fields.Str(required=True)
    scopes = ma.fields.List(ma.fields.Enum(Scope, by_value=True), required=True)
    granted_at = ma.fields.AwareDateTime(required=True)
    expires_at = ma.fields.AwareDateTime(required=True)
    ended_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    in_force = ma.fields.Bool(required=True)
    last_used_at = ma.fields.AwareDateTime(required=True, allow_none=True)


class MyConsentListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(MyConsentSchema()), required=True)


class MyUseSchema(ma.Schema):
    scope = ma.fields.Enum(Scope, by_value=True, required=True)
    what = ma.fields.Str(required=True)
    at = ma.fields.AwareDateTime(required=True)


class MyUseListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(MyUseSchema()), required=True)
