"""Shapes of the API of alerts."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.alerts.domain import (
    CODE_MINUTES_MAX,
    EMAIL_MAX,
    LIST_MAX,
    NAME_MAX,
    SECRET_MAX,
    STAFF_WAYS,
    URL_MAX,
    DeliveryState,
    Digest,
    EndpointFormat,
    MessageKind,
    NewEndpoint,
    NewSettings,
    Severity,
    Topic,
    Way,
)
from app.core.fields import Id, Text, TimeOfDay

VERSION = ma.validate.Range(0, 2**31 - 1)


class WantedSchema(ma.Schema):
    ways = ma.fields.List(
        ma.fields.Enum(Way, by_value=True),
        load_default=list(STAFF_WAYS),
        validate=ma.validate.Length(max=len(STAFF_WAYS)),
        metadata={"description": "先用排在前面的方式；没有列出的不用"},
    )
    quiet_from = TimeOfDay(load_default=None, allow_none=True)
    quiet_until = TimeOfDay(load_default=None, allow_none=True)
    digest = ma.fields.Enum(Digest, by_value=True, load_default=Digest.AT_ONCE)
    min_severity = ma.fields.Enum(Severity, by_value=True, load_default=Severity.WARNING)
    muted = ma.fields.List(
        ma.fields.Enum(Topic, by_value=True), load_default=[], validate=ma.validate.Length(max=len(Topic))
    )
    email = Text(longest=EMAIL_MAX, may_be_empty=True, load_default="")

    @ma.post_load
    def _make(self, data: dict[str, Any], **_: Any) -> NewSettings:
        data["ways"], data["muted"] = tuple(data["ways"]), tuple(one.value for one in data["muted"])
        return NewSettings(**data)


class SettingsSchema(ma.Schema):
    wanted = ma.fields.Nested(WantedSchema(), required=True)
    version = ma.fields.Int(
        required=True,
        strict=True,
        validate=VERSION,
        metadata={"description": "看到的版本；还没有设置过时为 0"},
    )


class BindingSchema(ma.Schema):
    id = Id()
    kind = ma.fields.Str()
    account_name = ma.fields.Str()
    bound_at = ma.fields.AwareDateTime()


class NewCodeSchema(ma.Schema):
    valid_minutes = ma.fields.Int(required=True, strict=True, validate=ma.validate.Range(1, CODE_MINUTES_MAX))


class CodeSchema(ma.Schema):
    code = ma.fields.Str(
        metadata={"description": "六位数字，只能用一次；从要绑定的微信或支付宝发送“绑定 六位数字”"}
    )


class ItemSchema(ma.Schema):
    topic = ma.fields.Str()
    severity = ma.fields.Str()
    title = ma.fields.Str()
    text = ma.fields.Str()
    link = ma.fields.Str(metadata={"description": "本系统内的路径"})
    at = ma.fields.Str(metadata={"description": "ISO 8601"})
    body = ma.fields.Str(metadata={"description": "单位名称"})
    count = ma.fields.Int()
    recovered_at = ma.fields.Str(allow_none=True, metadata={"description": "同一条消息里已恢复的时间"})


class ContentSchema(ma.Schema):
    summary = ma.fields.Str()
    items = ma.fields.List(ma.fields.Nested(ItemSchema()), metadata={"description": "最严重的十条"})
    more = ma.fields.Int(metadata={"description": "没有列出的条数"})


class DeliverySchema(ma.Schema):
    """送达凭证."""

    id = Id()
    message_id = Id()
    recipient_name = ma.fields.Str()
    title = ma.fields.Str()
    severity = ma.fields.Enum(Severity, by_value=True)
    way = ma.fields.Enum(Way, by_value=True, allow_none=True)
    state = ma.fields.Enum(DeliveryState, by_value=True)
    attempts = ma.fields.Int()
    platform_id = ma.fields.Str(metadata={"description": "对方平台给出的消息编号"})
    error = ma.fields.Str()
    created_at = ma.fields.AwareDateTime()
    tried_at = ma.fields.AwareDateTime(allow_none=True)
    settled_at = ma.fields.AwareDateTime(allow_none=True)


class MessageSchema(ma.Schema):
    id = Id()
    kind = ma.fields.Enum(MessageKind, by_value=True)
    severity = ma.fields.Enum(Severity, by_value=True)
    title = ma.fields.Str()
    content = ma.fields.Nested(ContentSchema())
    alert_count = ma.fields.Int()
    created_at = ma.fields.AwareDateTime()
    deliveries = ma.fields.List(ma.fields.Nested(DeliverySchema()))


class NewTestSchema(ma.Schema):
    endpoint_id = Id(required=True, allow_none=True)


class TestSentSchema(ma.Schema):
    message_id = Id()


class DeliveryQuerySchema(ma.Schema):
    state = ma.fields.Enum(DeliveryState, by_value=True)
    after = Id()
    limit = ma.fields.Int(load_default=50, validate=ma.validate.Range(1, LIST_MAX))


class DeliveryListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(DeliverySchema()))
    next_after = Id(allow_none=True)


class NewEndpointSchema(ma.Schema):
    name = Text(longest=NAME_MAX, required=True)
    format = ma.fields.Enum(EndpointFormat, by_value=True, required=True)
    url = Text(longest=URL_MAX, required=True)
    secret = Text(
        longest=SECRET_MAX,
        may_be_empty=True,
        load_default="",
        metadata={"description": "钉钉机器人的加签密钥；通用格式的密钥由本系统生成"},
    )
    min_severity = ma.fields.Enum(Severity, by_value=True, load_default=Severity.WARNING)
    body_id = Id(load_default=None, allow_none=True)
    city_code = Text(longest=20, load_default=None, allow_none=True)

    @ma.post_load
    def _make(self, data: dict[str, Any], **_: Any) -> NewEndpoint:
        return NewEndpoint(**data)


class EndpointSchema(ma.Schema):
    id = Id()
    name = ma.fields.Str()
    format = ma.fields.Enum(EndpointFormat, by_value=True)
    host = ma.fields.Str()
    min_severity = ma.fields.Enum(Severity, by_value=True)
    body_id = Id(allow_none=True)
    city_code = ma.fields.Str(allow_none=True)
    scope_name = ma.fields.Str()
    active = ma.fields.Bool()
    failure_count = ma.fields.Int()
    resting_until = ma.fields.AwareDateTime(
        allow_none=True, metadata={"description": "连续失败后暂停发送到什么时候"}
    )
    last_error = ma.fields.Str()
    last_sent_at = ma.fields.AwareDateTime(allow_none=True)
    version = ma.fields.Int()


class EndpointMadeSchema(ma.Schema):
    endpoint = ma.fields.Nested(EndpointSchema())
    secret = ma.fields.Str(metadata={"description": "签名密钥，只在这里出现一次；其他格式为空"})


class EndpointChangeSchema(ma.Schema):
    version = ma.fields.Int(required=True, strict=True, validate=VERSION)
    name = Text(longest=NAME_MAX, required=True)
    min_severity = ma.fields.Enum(Severity, by_value=True, required=True)
    active = ma.fields.Bool(required=True)
