"""Shapes of who a resident is. Numbers come in and never go out whole."""

from __future__ import annotations

import marshmallow as ma

from app.core.fields import Id, Text
from app.identity.domain import ENTERPRISE_NAME_MAX, NAME_MAX
from app.identity.people_domain import (
    SCOPE_MAX,
    DelegationKind,
    DelegationState,
    IdKind,
    LinkState,
)

NUMBER_MAX = 40
CODE_DIGITS = 6
GIVEN = (DelegationKind.AGENT, DelegationKind.FAMILY, DelegationKind.CLERK)


class RealNameSchema(ma.Schema):
    kind = ma.fields.Enum(
        IdKind,
        by_value=True,
        required=True,
        metadata={"description": "1 居民身份证或港澳台居民居住证；2 外国人永久居留身份证"},
    )
    number = Text(required=True, longest=NUMBER_MAX)
    name = Text(required=True, longest=NAME_MAX)


class PersonSchema(ma.Schema):
    kind = ma.fields.Enum(IdKind, by_value=True, required=True)
    name_masked = ma.fields.Str(required=True)
    number_masked = ma.fields.Str(required=True)
    verified_at = ma.fields.AwareDateTime(required=True)


class VerificationSchema(ma.Schema):
    level = ma.fields.Int(required=True, metadata={"description": "1 渠道账号，2 实名，3 刷脸（限时）"})
    offered = ma.fields.Bool(required=True, metadata={"description": "本大厅是否开通了实名认证"})
    person = ma.fields.Nested(PersonSchema(), required=True, allow_none=True)


class FaceTaskSchema(ma.Schema):
    id = Id(required=True, attribute="check_id")
    url = ma.fields.Str(required=True, metadata={"description": "在 web-view 里打开"})
    expires_at = ma.fields.AwareDateTime(required=True)


class FaceCodeSchema(ma.Schema):
    code = ma.fields.Str(
        required=True,
        validate=ma.validate.Regexp(r"^[0-9]{6}\Z"),
        metadata={"description": "刷脸后页面上的六位数字", "pattern": "^[0-9]{6}$"},
    )


class AccountWaySchema(ma.Schema):
    account_name = ma.fields.Str(required=True)
    kind = ma.fields.Str(required=True)
    label = ma.fields.Str(required=True)


class AccountLinkSchema(ma.Schema):
    id = Id(required=True)
    state = ma.fields.Enum(LinkState, by_value=True, required=True)
    other_created_at = ma.fields.AwareDateTime(required=True)
    other_bindings = ma.fields.List(ma.fields.Nested(AccountWaySchema()), required=True)
    proved_here = ma.fields.Bool(required=True)
    proved_there = ma.fields.Bool(required=True)
    proposed_at = ma.fields.AwareDateTime(required=True)
    expires_at = ma.fields.AwareDateTime(required=True)
    merged_at = ma.fields.AwareDateTime(required=True, allow_none=True)


class NewEnterpriseSchema(ma.Schema):
    uscc = Text(required=True, longest=NUMBER_MAX)
    name = Text(required=True, longest=ENTERPRISE_NAME_MAX)


class EnterpriseSchema(ma.Schema):
    id = Id(required=True)
    name = ma.fields.Str(required=True)
    uscc_masked = ma.fields.Str(required=True)


class PrincipalSchema(ma.Schema):
    delegation_id = Id(required=True)
    kind = ma.fields.Str(required=True, validate=ma.validate.OneOf(["resident", "enterprise"]))
    id = Id(required=True)
    name = ma.fields.Str(required=True)


class NewDelegationSchema(ma.Schema):
    kind = ma.fields.Enum(DelegationKind, by_value=True, required=True, validate=ma.validate.OneOf(GIVEN))
    agent_kind = ma.fields.Enum(IdKind, by_value=True, required=True)
    agent_number = Text(required=True, longest=NUMBER_MAX)
    agent_name = Text(required=True, longest=NAME_MAX)
    starts_on = ma.fields.Date(required=True, metadata={"maxLength": 10})
    ends_on = ma.fields.Date(required=True, metadata={"maxLength": 10})
    scope = ma.fields.List(
        Id(),
        load_default=list,
        validate=ma.validate.Length(max=SCOPE_MAX),
        metadata={"description": "事项目录的编号；空的表示全部事项"},
    )
    enterprise_id = Id(load_default=None, allow_none=True)


class DelegationSchema(ma.Schema):
    id = Id(required=True)
    kind = ma.fields.Enum(DelegationKind, by_value=True, required=True)
    state = ma.fields.Enum(DelegationState, by_value=True, required=True)
    principal_kind = ma.fields.Str(required=True)
    principal_name = ma.fields.Str(required=True)
    agent_name = ma.fields.Str(required=True)
    scope = ma.fields.List(Id(), required=True)
    starts_on = ma.fields.Date(required=True)
    ends_on = ma.fields.Date(required=True, allow_none=True)
    given_at = ma.fields.AwareDateTime(required=True)
    answered_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    ended_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    mine_to_give = ma.fields.Bool(required=True)
