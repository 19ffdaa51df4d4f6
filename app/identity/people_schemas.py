"""Shapes of who a resident is. Numbers come in and never go out whole."""

from __future__ import annotations

import marshmallow as ma

from app.core.cursor import CURSOR_MAX
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
USES_MAX = 50
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


class HeldSchema(ma.Schema):
    name = ma.fields.Str(required=True, metadata={"description": "如 name、phone、drafts；同名的可以有几条"})
    label = ma.fields.Str(required=True)
    value = ma.fields.Str(required=True, metadata={"description": "号码只有首尾；按件数计的为空"})
    count = ma.fields.Int(required=True, allow_none=True)
    source = ma.fields.Str(required=True, metadata={"description": "从哪里来，没有另外说明的为空"})
    since = ma.fields.AwareDateTime(required=True, allow_none=True)
    path = ma.fields.Str(required=True, metadata={"description": "查看和更正的网页，没有的为空"})


class MyDataSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(HeldSchema()), required=True)


class UseQuerySchema(ma.Schema):
    cursor = Text(longest=CURSOR_MAX, load_default=None, metadata={"description": "上一页给出的 next_cursor"})
    limit = ma.fields.Int(load_default=20, validate=ma.validate.Range(1, USES_MAX))


class DataUseSchema(ma.Schema):
    id = Id(required=True)
    what = ma.fields.Str(required=True, metadata={"description": "用了哪些信息，不含信息本身"})
    by = ma.fields.Str(required=True)
    purpose = ma.fields.Str(required=True)
    case_number = ma.fields.Str(required=True, metadata={"description": "为哪个办件，没有时为空"})
    path = ma.fields.Str(required=True, metadata={"description": "是本人的办件时，它的网页"})
    at = ma.fields.AwareDateTime(required=True)


class DataUseListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(DataUseSchema()), required=True)
    next_cursor = ma.fields.Str(required=True, allow_none=True)
