"""JSON shapes of the registry of pages."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.core.cursor import CURSOR_MAX
from app.core.fields import Id, Text
from app.mobile_access.domain import (
    CHANNELS_MAX,
    CONTACT_MAX,
    DESCRIPTION_MAX,
    DOMAIN_MAX,
    DOMAINS_MAX,
    HOTLINE_MAX,
    ICP_MAX,
    NAME_MAX,
    NAME_REASON_MAX,
    REASON_MAX,
    STATE_LABELS,
    THEME_LABELS,
    URL_MAX,
    VERIFY_FILE_MAX,
    ChannelState,
    CheckKind,
    CheckVerdict,
    Registration,
    State,
    Theme,
    wechat_text,
)
from app.mobile_access.registry import LIST_MAX

KIND_MAX = 20
QUERY_MAX = 60
_THEMES = "、".join(f"{theme.value} {label}" for theme, label in THEME_LABELS.items())
_STATES = "、".join(f"{state.value} {label}" for state, label in STATE_LABELS.items())


def _theme(**options: Any) -> ma.fields.Enum[Theme]:
    return ma.fields.Enum(Theme, by_value=True, metadata={"description": f"办事领域：{_THEMES}"}, **options)


def _state(**options: Any) -> ma.fields.Enum[State]:
    return ma.fields.Enum(State, by_value=True, metadata={"description": f"状态：{_STATES}"}, **options)


def _address(description: str) -> Text:
    return Text(longest=URL_MAX, may_be_empty=True, load_default="", metadata={"description": description})


def _file(pattern: str, description: str) -> ma.fields.Str:
    said = "只能是平台给的文件名或内容"
    return ma.fields.Str(
        load_default="",
        validate=(
            ma.validate.Length(max=VERIFY_FILE_MAX),
            ma.validate.Regexp(f"^({pattern})?$", error=said),
            ma.validate.ContainsNoneOf("\n", error=said),
        ),
        metadata={"description": description},
    )


class RegistrationSchema(ma.Schema):
    """What a department registers."""

    name = Text(longest=NAME_MAX, required=True, metadata={"description": "服务名，一般不超过 6 个字"})
    url = Text(longest=URL_MAX, required=True, metadata={"description": "入口网址，http 或 https"})
    theme = _theme(required=True)
    channels = ma.fields.List(
        Text(longest=KIND_MAX),
        required=True,
        validate=ma.validate.Length(1, CHANNELS_MAX),
        metadata={"description": "接入渠道：wechat、alipay"},
    )
    description = Text(longest=DESCRIPTION_MAX, may_be_empty=True, load_default="")
    hotline = Text(longest=HOTLINE_MAX, may_be_empty=True, load_default="")
    elder_url = Text(longest=URL_MAX, may_be_empty=True, load_default="", metadata={"description": "长辈版"})
    health_url = Text(longest=URL_MAX, may_be_empty=True, load_default="")
    domains = ma.fields.List(
        Text(longest=DOMAIN_MAX),
        load_default=list,
        validate=ma.validate.Length(max=DOMAINS_MAX),
        metadata={"description": "页面还要用到的其他域名"},
    )
    icp_number = Text(longest=ICP_MAX, may_be_empty=True, load_default="")
    name_reason = Text(longest=NAME_REASON_MAX, may_be_empty=True, load_default="")
    signed_in_url = _address("测试账号登录后的网址")
    ticket_url = _address("沙箱里带未用过的单点登录票据的网址，每次检测用掉一张")
    expired_ticket_url = _address("沙箱里带签发超过 60 秒的票据的网址")
    wechat_file = _file(r"[A-Za-z0-9_-]{1,90}\.txt", "微信域名校验文件名，.txt")
    wechat_file_text = _file(r"[A-Za-z0-9_-]+", "微信校验文件内容；MP_verify_ 开头的文件可不填")
    alipay_file = _file(r"[A-Za-z0-9_-]{1,90}\.html", "支付宝域名校验文件名，.html")
    may_probe_paths = ma.fields.Bool(
        load_default=False, metadata={"description": "单位授权检测时探测 6 个固定路径（MAS-TRN-06）"}
    )
    contact_name = Text(longest=CONTACT_MAX, may_be_empty=True, load_default="", load_only=True)
    contact_phone = Text(longest=CONTACT_MAX, may_be_empty=True, load_default="", load_only=True)
    forget_contact = ma.fields.Bool(
        load_default=False, load_only=True, metadata={"description": "留空的联系人和电话也清除，而不是保留"}
    )

    @ma.validates_schema
    def _say_what_the_file_holds(self, data: dict[str, Any], **_: Any) -> None:
        name, text = data.get("wechat_file", ""), data.get("wechat_file_text", "")
        if name and not wechat_text(name, text):
            raise ma.ValidationError("请填写校验文件的内容", "wechat_file_text")
        if text and not name:
            raise ma.ValidationError("请填写校验文件名", "wechat_file")

    @ma.post_load
    def _build(self, data: dict[str, Any], **_: Any) -> Registration | dict[str, Any]:
        return registration_from(data) if type(self) is RegistrationSchema else data


class NewPageSchema(RegistrationSchema):
    """A registration with the body it is for."""

    body_id = Id(required=True)


class ChannelEntrySchema(ma.Schema):
    kind = ma.fields.Str()
    state = ma.fields.Enum(ChannelState, by_value=True)
    reason = ma.fields.Str()
    changed_at = ma.fields.AwareDateTime()


class PageSchema(ma.Schema):
    id = Id()
    body_id = Id()
    name = ma.fields.Str()
    url = ma.fields.Str()
    theme = _theme()
    description = ma.fields.Str()
    hotline = ma.fields.Str()
    elder_url = ma.fields.Str()
    health_url = ma.fields.Str()
    domains = ma.fields.List(ma.fields.Str())
    icp_number = ma.fields.Str()
    name_reason = ma.fields.Str()
    signed_in_url = ma.fields.Str()
    ticket_url = ma.fields.Str()
    expired_ticket_url = ma.fields.Str()
    wechat_file = ma.fields.Str()
    wechat_file_text = ma.fields.Str()
    alipay_file = ma.fields.Str()
    may_probe_paths = ma.fields.Bool()
    state = _state()
    version = ma.fields.Int(metadata={"description": "每次变化加一；修改和审核时须带上看到的版本"})
    served = ma.fields.Bool(metadata={"description": "居民现在能否看到"})
    suspension_reason = ma.fields.Str()
    first_online_at = ma.fields.AwareDateTime(allow_none=True)
    has_contact = ma.fields.Bool()
    created_at = ma.fields.AwareDateTime()
    changed_at = ma.fields.AwareDateTime()
    channels = ma.fields.List(ma.fields.Nested(ChannelEntrySchema))


class PageListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(PageSchema))
    next_cursor = ma.fields.Str(allow_none=True)


class CursorQuerySchema(ma.Schema):
    cursor = Text(longest=CURSOR_MAX)
    limit = ma.fields.Int(load_default=50, validate=ma.validate.Range(1, LIST_MAX))


class PageQuerySchema(CursorQuerySchema):
    state = _state()
    theme = _theme()
    body_id = Id()
    text = Text(longest=QUERY_MAX)


class VersionSchema(ma.Schema):
    """An act upon the version of a page that was seen."""

    version = ma.fields.Int(required=True, strict=True, validate=ma.validate.Range(1, 2**31 - 1))


class ReasonSchema(VersionSchema):
    reason = Text(longest=REASON_MAX, required=True)


class RetirementSchema(VersionSchema):
    reason = Text(longest=REASON_MAX, may_be_empty=True, load_default="")


class ApprovalSchema(RetirementSchema):
    channels = ma.fields.List(
        Text(longest=KIND_MAX), required=True, validate=ma.validate.Length(1, CHANNELS_MAX)
    )


class RejectionSchema(ReasonSchema):
    channels = ma.fields.List(
        Text(longest=KIND_MAX), required=True, validate=ma.validate.Length(1, CHANNELS_MAX)
    )


class DifferencesSchema(ma.Schema):
    broken = ma.fields.List(ma.fields.Str(), metadata={"description": "新出现的不通过条款"})
    must_broken = ma.fields.List(ma.fields.Str(), metadata={"description": "其中必须整改的"})
    mended = ma.fields.List(ma.fields.Str(), metadata={"description": "已改好的条款"})


class CheckSchema(ma.Schema):
    number = ma.fields.Int(metadata={"description": "第几次检测"})
    kind = ma.fields.Enum(
        CheckKind,
        by_value=True,
        metadata={
            "description": "asked 提交、weekly 每周、drift 变化、spec 重新判定、grace 整改期满、"
            "confirm 复核、renew 补充采集"
        },
    )
    because = ma.fields.Str(metadata={"description": "为什么检测"})
    differences = ma.fields.Nested(
        DifferencesSchema, allow_none=True, metadata={"description": "与上一次检测相比"}
    )
    asked_at = ma.fields.AwareDateTime()
    started_at = ma.fields.AwareDateTime(allow_none=True)
    finished_at = ma.fields.AwareDateTime(allow_none=True)
    spec_version = ma.fields.Str()
    profile = ma.fields.Str()
    verdict = ma.fields.Enum(CheckVerdict, by_value=True, allow_none=True)
    counts = ma.fields.Dict(keys=ma.fields.Str(), values=ma.fields.Int())


class CheckReportSchema(ma.Schema):
    check = ma.fields.Nested(CheckSchema)
    report = ma.fields.Raw(
        allow_none=True, metadata={"description": "检测报告，格式见 mobile_pages/report/schema.json"}
    )


class PublishedQuerySchema(CursorQuerySchema):
    theme = _theme()
    query = Text(longest=QUERY_MAX)
    region_code = ma.fields.Str(validate=ma.validate.Regexp(r"^[0-9]{6}$"))


class PublishedPageSchema(ma.Schema):
    id = Id()
    name = ma.fields.Str()
    description = ma.fields.Str()
    theme = _theme()
    hotline = ma.fields.Str()
    body_id = Id()
    body_name = ma.fields.Str()
    region_code = ma.fields.Str()
    region_name = ma.fields.Str()


class PublishedListSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(PublishedPageSchema))
    next_cursor = ma.fields.Str(allow_none=True)


class ScheduleRowSchema(ma.Schema):
    batch = ma.fields.Int()
    label = ma.fields.Str()
    deadline = ma.fields.Date(allow_none=True)
    body_id = Id()
    body_name = ma.fields.Str()
    region_code = ma.fields.Str()
    met = ma.fields.Bool(metadata={"description": "现在有网页在线"})
    first_online_on = ma.fields.Date(allow_none=True)
    late = ma.fields.Bool()


class ImportErrorSchema(ma.Schema):
    row = ma.fields.Int(metadata={"description": "行号，表头为第 1 行"})
    column = ma.fields.Str()
    message = ma.fields.Str()


class ImportResultSchema(ma.Schema):
    imported = ma.fields.Int()
    pages = ma.fields.List(ma.fields.Nested(PageSchema))


class ImportFileSchema(ma.Schema):
    file = ma.fields.Raw(
        required=True, metadata={"type": "string", "format": "binary", "description": "CSV 或 XLSX"}
    )


def registration_from(data: dict[str, Any]) -> Registration:
    """Build a registration from loaded fields."""
    known = {name: value for name, value in data.items() if name != "body_id"}
    return Registration(
        **{**known, "channels": tuple(data["channels"]), "domains": tuple(data.get("domains", ()))}
    )
