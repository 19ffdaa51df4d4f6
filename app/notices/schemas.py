"""Shapes of the API of notices."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.core.fields import Id, Text, TimeOfDay
from app.core.quiet import Quiet
from app.notices.domain import Settings, Topic

KINDS_MAX = 20
KIND_MAX = 32
CURSOR_MAX = 60
PAGE_MAX = 100
READ_MAX = 100
VERSION = ma.validate.Range(0, 2**31 - 1)


class NoticeQuerySchema(ma.Schema):
    cursor = Text(longest=CURSOR_MAX, load_default=None, metadata={"description": "上一页给出的 next_cursor"})
    limit = ma.fields.Int(load_default=20, validate=ma.validate.Range(1, PAGE_MAX))


class NoticeSchema(ma.Schema):
    id = Id(required=True)
    topic = ma.fields.Enum(Topic, by_value=True, required=True)
    topic_label = ma.fields.Str(required=True)
    title = ma.fields.Str(required=True)
    body = ma.fields.Str(required=True)
    link = ma.fields.Str(required=True, metadata={"description": "本站路径；没有时为空"})
    created_at = ma.fields.AwareDateTime(required=True)
    is_read = ma.fields.Bool(required=True)


class NoticePageSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(NoticeSchema()), required=True)
    unread_count = ma.fields.Int(required=True)
    next_cursor = ma.fields.Str(required=True, allow_none=True)


class NoticeReadSchema(ma.Schema):
    ids = ma.fields.List(
        Id(),
        load_default=[],
        validate=ma.validate.Length(max=READ_MAX),
        metadata={"description": "读过的消息"},
    )
    all = ma.fields.Bool(load_default=False, metadata={"description": "true 时全部标为已读，不看 ids"})


class NoticeReadDoneSchema(ma.Schema):
    read_count = ma.fields.Int(required=True, metadata={"description": "这一次才变成已读的条数"})
    unread_count = ma.fields.Int(required=True)


class MutedTopicSchema(ma.Schema):
    topic = ma.fields.Enum(Topic, by_value=True, required=True)
    channels = ma.fields.List(
        Text(longest=KIND_MAX), required=True, validate=ma.validate.Length(max=KINDS_MAX)
    )


class NoticeSettingsSchema(ma.Schema):
    channels = ma.fields.List(
        Text(longest=KIND_MAX),
        load_default=[],
        validate=ma.validate.Length(max=KINDS_MAX),
        metadata={"description": "先用排在前面的渠道；没有列出的排在后面"},
    )
    quiet_from = TimeOfDay(load_default=None, allow_none=True)
    quiet_until = TimeOfDay(
        load_default=None,
        allow_none=True,
    )
    muted = ma.fields.List(
        ma.fields.Nested(MutedTopicSchema()),
        load_default=[],
        validate=ma.validate.Length(max=len(Topic)),
        metadata={"description": "哪些通知不要用哪些渠道；有法律效力的送达不受影响"},
    )
    version = ma.fields.Int(
        required=True, strict=True, validate=VERSION, metadata={"description": "看到的版本；从没设置过时为 0"}
    )

    @ma.pre_dump
    def _lay_out(self, settings: Settings, **_: Any) -> dict[str, Any]:
        quiet = settings.quiet
        return {
            "channels": settings.channels,
            "quiet_from": quiet.starts if quiet else None,
            "quiet_until": quiet.ends if quiet else None,
            "muted": [
                {"topic": Topic(topic), "channels": kinds} for topic, kinds in sorted(settings.muted.items())
            ],
            "version": settings.version,
        }

    @ma.validates_schema
    def _both_or_none(self, data: dict[str, Any], **_: Any) -> None:
        if (data["quiet_from"] is None) != (data["quiet_until"] is None):
            raise ma.ValidationError("开始和结束要一起填写", "quiet_from")
        topics = [one["topic"] for one in data["muted"]]
        if len(set(topics)) != len(topics):
            raise ma.ValidationError("同一种通知只能出现一次", "muted")

    @ma.post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Settings:
        starts, ends = data["quiet_from"], data["quiet_until"]
        muted = {one["topic"].value: tuple(dict.fromkeys(one["channels"])) for one in data["muted"]}
        quiet = None if starts is None else Quiet(starts, ends)
        return Settings(tuple(data["channels"]), quiet, muted, data["version"])


class NoticeSubscriptionQuerySchema(ma.Schema):
    account = Text(required=True, longest=40, metadata={"description": "小程序在大厅登记的渠道账号标识"})


class NoticeSubscriptionSchema(ma.Schema):
    platform_template = ma.fields.Str(
        required=True, metadata={"description": "请居民同意时用的平台模板编号（tmplIds、entityIds）"}
    )
    name = ma.fields.Str(required=True)
    long_term = ma.fields.Bool(required=True)
    remaining = ma.fields.Int(required=True, metadata={"description": "现在还能发几条"})


class NoticeConsentsSchema(ma.Schema):
    account = Text(required=True, longest=40)
    allowed = ma.fields.List(Text(longest=100), load_default=[], validate=ma.validate.Length(max=20))
    forbidden = ma.fields.List(Text(longest=100), load_default=[], validate=ma.validate.Length(max=20))


class NoticeConsentsDoneSchema(ma.Schema):
    noted = ma.fields.Bool(
        required=True, metadata={"description": "false：这个平台会自己告诉大厅，没有重复计数"}
    )
