"""The templates every hall begins with; staff change their words in new versions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.core import clock, db
from app.notices import versions
from app.notices.domain import NewTemplate, Topic, Variable, VariableType, Wording
from app.notices.models import Template

BY = "system"
_MATTER = Variable("事项", VariableType.TEXT, 20, "户口迁移")
_NUMBER = Variable("编号", VariableType.CODE, 32, "440100-20260302-000001")
_TIME = Variable("时间", VariableType.DATE, 20, "2026年3月2日 09:00")
_BODY = Variable("单位", VariableType.TEXT, 20, "广州市公安局")


@dataclass(frozen=True, slots=True)
class Standard:
    """A template and its first words."""

    template: NewTemplate
    wording: Wording


STANDARD = (
    Standard(
        NewTemplate("application.submitted", "申请已提交", Topic.PROGRESS),
        Wording(
            "{事项}已提交",
            "您申请的“{事项}”（{编号}）已于{时间}提交，{单位}会尽快审查。",
            (_MATTER, _NUMBER, _TIME, _BODY),
        ),
    ),
    Standard(
        NewTemplate("application.accepted", "申请已受理", Topic.PROGRESS),
        Wording(
            "{事项}已受理",
            "您申请的“{事项}”（{编号}）已于{时间}由{单位}受理。",
            (_MATTER, _NUMBER, _TIME, _BODY),
        ),
    ),
    Standard(
        NewTemplate("application.correction", "需要补正材料", Topic.CORRECTION, valid_hours=24 * 5),
        Wording(
            "{事项}需要补正",
            "您申请的“{事项}”（{编号}）需要补正材料，请在{时间}前补齐。",
            (_MATTER, _NUMBER, _TIME),
        ),
    ),
    Standard(
        NewTemplate("application.correction-reminder", "补正期限提醒", Topic.CORRECTION, valid_hours=24 * 3),
        Wording(
            "请尽快补正：{事项}",
            "您申请的“{事项}”（{编号}）还没有补正，最迟{时间}，逾期将退件。",
            (_MATTER, _NUMBER, _TIME),
        ),
    ),
    Standard(
        NewTemplate("application.limit-moved", "期限调整", Topic.PROGRESS),
        Wording(
            "{事项}的期限有调整",
            "因国家放假安排变化，您申请的“{事项}”（{编号}）的{期限}由{原定}改为{时间}。",
            (
                _MATTER,
                _NUMBER,
                Variable("期限", VariableType.TEXT, 10, "承诺办结期限"),
                Variable("原定", VariableType.DATE, 20, "2027年10月8日"),
                _TIME,
            ),
        ),
    ),
    Standard(
        NewTemplate("application.result-reminder", "结果待领取提醒", Topic.DECISION, valid_hours=24 * 5),
        Wording(
            "结果待领取：{事项}",
            "您申请的“{事项}”（{编号}）已办结，请在{时间}前向{单位}领取结果。",
            (_MATTER, _NUMBER, _TIME, _BODY),
        ),
    ),
    Standard(
        NewTemplate("application.decided", "申请已办结", Topic.DECISION, valid_hours=24 * 5),
        Wording(
            "{事项}已办结",
            "您申请的“{事项}”（{编号}）已于{时间}由{单位}办结，结果请打开查看。",
            (_MATTER, _NUMBER, _TIME, _BODY),
        ),
    ),
    Standard(
        NewTemplate("application.draft-ending", "草稿快要到期", Topic.PROGRESS, valid_hours=24 * 7),
        Wording(
            "{事项}的草稿快要到期",
            "您填了一半的“{事项}”还没有提交，{时间}以后会自动删除。要办请打开接着填。",
            (_MATTER, _TIME),
        ),
    ),
    Standard(
        NewTemplate("theme.part-waits", "一件事等您补充", Topic.CORRECTION, valid_hours=24 * 15),
        Wording(
            "{事项}等您补充",
            "您办的“{主题}”（{编号}）轮到“{事项}”了，它需要您补充一些内容再提交，请打开接着填。",
            (_MATTER, Variable("主题", VariableType.TEXT, 20, "开餐饮店一件事"), _NUMBER),
        ),
    ),
    Standard(
        NewTemplate("document.served", "文书送达", Topic.SERVED, binding=True, valid_hours=24 * 15),
        Wording(
            "{文书}送达",
            "{单位}就“{事项}”（{编号}）作出的{文书}，于{时间}向您送达，请打开查看。",
            (Variable("文书", VariableType.TEXT, 15, "准予许可决定书"), _BODY, _MATTER, _NUMBER, _TIME),
        ),
    ),
    Standard(
        NewTemplate("appointment.reminder", "预约提醒", Topic.APPOINTMENT, valid_hours=24),
        Wording(
            "预约提醒：{事项}",
            "您预约{时间}到{地点}办理“{事项}”，请带齐材料按时前往。",
            (_MATTER, _TIME, Variable("地点", VariableType.TEXT, 20, "广州市政务服务中心")),
        ),
    ),
    Standard(
        NewTemplate("consultation.answered", "咨询已答复", Topic.CONSULTATION),
        Wording("咨询已答复", "{单位}已于{时间}答复您的咨询，请打开查看。", (_BODY, _TIME)),
    ),
    Standard(
        NewTemplate("account.sign-in", "新的登录", Topic.ACCOUNT, urgent=True, valid_hours=24),
        Wording(
            "新的登录",
            "您的账户于{时间}在{渠道}登录。不是本人操作的，请打开“我的”退出并检查。",
            (_TIME, Variable("渠道", VariableType.TEXT, 10, "微信小程序")),
        ),
    ),
    Standard(
        NewTemplate("account.same-person", "另一个账户以您的身份实名", Topic.ACCOUNT, urgent=True),
        Wording(
            "另一个账户以您的身份实名",
            "{时间}有另一个账户用您的姓名和证件号码实名。是您本人的，可以归并；不是的，请拨打 12345。",
            (_TIME,),
        ),
    ),
)


def ensure_standard(*, now: datetime) -> int:
    """Add and publish the standard templates that are not there yet; return how many."""
    known = set(db.writing().scalars(select(Template.key)))
    fresh = [one for one in STANDARD if one.template.key not in known]
    for one in fresh:
        draft = versions.create_template(one.template, one.wording, by=BY, now=now)
        versions.publish(draft.id, by=BY, now=now)
    return len(fresh)


def prepare(report: Callable[[int, int], None]) -> None:
    """Add the standard templates when the hall is prepared."""
    db.transaction(lambda: ensure_standard(now=clock.system_clock()))
    report(len(STANDARD), len(STANDARD))
