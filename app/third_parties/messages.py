"""Notices that applications send to residents who agreed, with templates that staff approved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.core import audit, clock, db
from app.core.errors import NotFound
from app.mobile_access import service as mobile_access
from app.notices import service as notices
from app.third_parties import apps, consents
from app.third_parties.domain import Scope, Stage
from app.third_parties.shapes import Caller

TEMPLATE_PREFIX = "partner."
"""How the keys of the templates begin that third parties may use."""


FIRST_TEMPLATE = notices.NewTemplate(
    f"{TEMPLATE_PREFIX}progress", "第三方应用：办理进度", notices.Topic.PROGRESS
)
FIRST_WORDING = notices.Wording(
    title="{事项}有新进度",
    body="{单位}：您办理的{事项}，{进度}。",
    variables=(
        notices.Variable("单位", notices.VariableType.TEXT, 30, "省公安厅"),
        notices.Variable("事项", notices.VariableType.TEXT, 30, "居住证办理"),
        notices.Variable("进度", notices.VariableType.TEXT, 40, "已经受理"),
    ),
)


class TemplateUnknown(NotFound):
    code = "template_unknown"
    title = "没有这个通知模板，或没有开放给第三方应用"
    title_en = "No such template for third parties"


@dataclass(frozen=True, slots=True)
class SentMessage:
    """What became of a message; in the sandbox nobody is sent one."""

    message_id: int | None
    sent: bool


def send_message(
    caller: Caller,
    subject: str,
    template_key: str,
    data: Mapping[str, str],
    *,
    page_id: int | None,
    reference: str,
    now: datetime,
) -> SentMessage:
    """Tell a resident something; repeats with the same ``reference`` tell it once.

    Args:
        page_id: the page it leads to, one of the application's own body.

    Raises:
        SubjectUnknown, ConsentMissing: see ``consents.use``.
        TemplateUnknown: no template of that name is for third parties.
        NotFound: no such page of this body.
        Invalid: the values do not fit the template.
    """
    resident_id = consents.use(caller, subject, Scope.MESSAGES_SEND, f"通知：{template_key}", now=now)
    link = _link(caller, page_id)
    if not template_key.startswith(TEMPLATE_PREFIX) or not _is_published(template_key):
        raise TemplateUnknown
    if caller.stage is Stage.SANDBOX:
        return SentMessage(None, sent=False)
    try:
        sent = notices.send(
            resident_id,
            template_key,
            data,
            link=link,
            dedup_key=f"partner:{caller.id}:{reference}",
            now=now,
        )
    except notices.UnknownTemplate:
        raise TemplateUnknown from None
    detail = {"template": template_key, "message": str(sent)}
    audit.record(caller.actor, "partner_app.send_message", apps.OBJECT, caller.id, detail)
    return SentMessage(sent, sent=True)


def prepare(report: Callable[[int, int], None]) -> None:
    """Make the template that every application may begin with, where it is not there yet."""
    now = clock.system_clock()

    def work() -> None:
        if any(one.key == FIRST_TEMPLATE.key for one in notices.templates()):
            return
        draft = notices.create_template(FIRST_TEMPLATE, FIRST_WORDING, by="system", now=now)
        notices.publish(draft.id, by="system", now=now)

    db.transaction(work)
    report(1, 1)


def _is_published(template_key: str) -> bool:
    return any(one.key == template_key and one.published is not None for one in notices.templates())


def _link(caller: Caller, page_id: int | None) -> str:
    if page_id is None:
        return ""
    if mobile_access.entry(page_id).page.body_id != caller.body_id:
        raise NotFound("没有这个服务")
    return f"/go/{page_id}"
