"""Shapes of the API of checks."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.core.fields import Id, Text
from app.monitoring.check_settings import (
    INTERVAL_LEAST,
    INTERVAL_MOST,
    SECRET_MAX,
    SECRETS_MOST,
    TEXT_MAX,
    TEXTS_MOST,
    CheckSettings,
    Draft,
)
from app.monitoring.domain import NAME_MAX, URL_MAX, CheckKind
from mobile_pages.probe.steps import METHODS, SCRIPT_MAX

_LAST = {"description": "最近一次试探的结果；进行中只有 asked_at"}


class PageCheckSettingsSchema(ma.Schema):
    expected_title = Text(longest=TEXT_MAX, may_be_empty=True)
    must_contain = ma.fields.List(Text(longest=TEXT_MAX), validate=ma.validate.Length(0, TEXTS_MOST))
    must_not_contain = ma.fields.List(Text(longest=TEXT_MAX), validate=ma.validate.Length(0, TEXTS_MOST))
    method = ma.fields.Str(validate=ma.validate.OneOf(METHODS))
    headers = Text(longest=SCRIPT_MAX, may_be_empty=True, metadata={"description": "每行一个：名称: 值"})
    body = Text(longest=SCRIPT_MAX, may_be_empty=True)
    expectations = Text(
        longest=SCRIPT_MAX, may_be_empty=True, metadata={"description": "每行一条，如 JSON /code = 0"}
    )
    script = Text(longest=SCRIPT_MAX, may_be_empty=True, metadata={"description": "步骤语言，见说明"})


class PageCheckFieldsSchema(ma.Schema):
    kind = ma.fields.Enum(CheckKind, by_value=True, required=True)
    name = Text(longest=NAME_MAX, may_be_empty=True, load_default="")
    url = Text(longest=URL_MAX, may_be_empty=True, load_default="")
    interval_seconds = ma.fields.Int(
        allow_none=True, load_default=None, validate=ma.validate.Range(INTERVAL_LEAST, INTERVAL_MOST)
    )
    enabled = ma.fields.Bool(load_default=True)
    settings = ma.fields.Nested(PageCheckSettingsSchema(), load_default=dict)
    secrets = ma.fields.Dict(
        keys=Text(longest=30),
        values=Text(longest=SECRET_MAX),
        load_only=True,
        allow_none=True,
        load_default=None,
        validate=ma.validate.Length(0, SECRETS_MOST),
        metadata={"description": "测试账号等，加密保存，不再给出；不填表示不改"},
    )


class NewPageCheckSchema(PageCheckFieldsSchema):
    page_id = Id(required=True)


class PageCheckChangeSchema(PageCheckFieldsSchema):
    version = ma.fields.Int(required=True, validate=ma.validate.Range(0, 2**31 - 1))


class PageCheckQuerySchema(ma.Schema):
    page_id = Id(required=True)


class PageCheckVersionSchema(ma.Schema):
    version = ma.fields.Int(required=True, validate=ma.validate.Range(0, 2**31 - 1))


class PageCheckSchema(ma.Schema):
    id = Id()
    page_id = Id()
    kind = ma.fields.Enum(CheckKind, by_value=True)
    name = ma.fields.Str()
    url = ma.fields.Str()
    interval_seconds = ma.fields.Int(allow_none=True)
    enabled = ma.fields.Bool()
    version = ma.fields.Int()
    settings = ma.fields.Nested(PageCheckSettingsSchema())
    secret_names = ma.fields.List(ma.fields.Str())
    tried = ma.fields.Dict(allow_none=True, metadata=_LAST)


class PageCheckListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(PageCheckSchema()))


def draft_of(sent: dict[str, Any]) -> Draft:
    """Return what a caller sent as a draft."""
    settings = CheckSettings.from_dict(sent["settings"])
    fields = {name: sent[name] for name in ("kind", "name", "url", "interval_seconds", "enabled", "secrets")}
    return Draft(**fields, settings=settings)
