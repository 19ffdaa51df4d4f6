"""Shapes of the API of residents. A platform's user id is in none of them."""

from __future__ import annotations

import marshmallow as ma

from app.core.fields import Id, Text
from app.identity.domain import CODE_MAX, Client

KEY_MAX = 40


class MiniSignInSchema(ma.Schema):
    account = Text(required=True, longest=KEY_MAX, metadata={"description": "小程序在大厅登记的渠道账号标识"})
    code = Text(
        required=True,
        longest=CODE_MAX,
        metadata={"description": "wx.login 或 my.getAuthCode 得到的 code，只能用一次"},
    )


class OpenedSessionSchema(ma.Schema):
    token = ma.fields.Str(required=True, metadata={"description": "以 r_ 开头，放进 Authorization: Bearer"})
    expires_at = ma.fields.AwareDateTime(required=True)
    id = Id(required=True)


class PhoneCodeSchema(ma.Schema):
    code = Text(
        required=True, longest=CODE_MAX, metadata={"description": "本人点“授权手机号”后小程序得到的 code"}
    )


class ResidentBindingSchema(ma.Schema):
    id = Id(required=True)
    account_name = ma.fields.Str(required=True)
    kind = ma.fields.Str(required=True)
    label = ma.fields.Str(required=True)
    bound_at = ma.fields.AwareDateTime(required=True)


class ResidentSchema(ma.Schema):
    level = ma.fields.Int(
        required=True, metadata={"description": "1 只知道渠道账号，不知道是谁；2 以上为实名"}
    )
    phone = ma.fields.Str(required=True, metadata={"description": "只显示首尾，没有时为空"})
    created_at = ma.fields.AwareDateTime(required=True)
    bindings = ma.fields.List(ma.fields.Nested(ResidentBindingSchema()), required=True)


class ResidentSessionSchema(ma.Schema):
    id = Id(required=True)
    client = ma.fields.Enum(Client, by_value=True, required=True)
    opened_at = ma.fields.AwareDateTime(required=True)
    used_at = ma.fields.AwareDateTime(required=True, metadata={"description": "精确到分钟左右"})
    expires_at = ma.fields.AwareDateTime(required=True)
    current = ma.fields.Bool(required=True, metadata={"description": "是不是正在用的这一个"})
