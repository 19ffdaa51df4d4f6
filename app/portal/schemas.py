"""JSON shapes of what pages of departments ask for."""

from __future__ import annotations

import marshmallow as ma

from app.core.fields import Id, Text
from app.mobile_access.service import VISITED_MAX
from app.portal.bridge import PLATFORM_OF

CLIENTS = (*PLATFORM_OF, "browser")


class BridgeQuerySchema(ma.Schema):
    url = Text(
        required=True,
        longest=VISITED_MAX,
        metadata={
            "description": "当前页面的完整网址，不含 # 及其后部分",
            "example": "https://hz.example.cn/m/",
        },
    )
    client = ma.fields.Str(
        load_default="browser",
        validate=ma.validate.OneOf(CLIENTS),
        metadata={"description": "页面在哪里打开"},
    )


class PageSignatureSchema(ma.Schema):
    app_id = ma.fields.Str(required=True)
    timestamp = ma.fields.Int(required=True, attribute="signed_at", metadata={"description": "Unix 秒"})
    nonce = ma.fields.Str(required=True)
    signature = ma.fields.Str(required=True)


class BridgeConfigSchema(ma.Schema):
    page_id = Id(required=True)
    page_name = ma.fields.Str(required=True)
    sso_url = ma.fields.Str(required=True, metadata={"description": "单点登录从这里开始"})
    signature = ma.fields.Nested(
        PageSignatureSchema, required=True, allow_none=True, metadata={"description": "微信 JS-SDK 的签名"}
    )


class PageToOpenSchema(ma.Schema):
    page_id = Id(required=True)


class OpenedPageSchema(ma.Schema):
    url = ma.fields.Str(required=True, metadata={"description": "带票据的网页地址，60 秒内打开一次"})
    expires_in = ma.fields.Int(required=True, metadata={"description": "秒"})
