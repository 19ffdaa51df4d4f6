"""Background work of alerts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.alerts import service
from app.alerts.delivering import deliver as deliver_one
from app.core import clock, db
from app.core.installation import settings
from app.core.outbox import Job


def gather(_payload: Mapping[str, Any]) -> None:
    service.gather(clock.system_clock())


def compose(payload: Mapping[str, Any]) -> None:
    db.transaction(lambda: service.compose(payload["recipient"], clock.system_clock()))


def deliver(payload: Mapping[str, Any]) -> None:
    deliver_one(int(payload["delivery_id"]), settings(), clock.system_clock)


def tell_of_paused_webhook(payload: Mapping[str, Any]) -> None:
    """Tell a department that its application is sent no more events; asked for by name from below."""
    alert = service.Alert(
        topic=service.Topic.WEBHOOK_PAUSED,
        severity=service.Severity.WARNING,
        title=f"“{payload['app_name']}”的事件推送已停止",
        text=f"推送到 {payload['host']} 连续失败，已停止。请修好接收程序，再到应用页恢复推送。",
        body_id=int(payload["body_id"]),
        city_code=None,
        group_key=f"webhook:{payload['app_id']}",
        link=f"/console/third-parties/{payload['app_id']}",
        at=datetime.fromisoformat(payload["at"]),
        audience=service.Audience.BODY,
    )
    db.transaction(lambda: service.raise_alert(alert))


def tell_of_held_messages(payload: Mapping[str, Any]) -> None:
    """Tell a department that messages of its system, or to it, need somebody; asked for from below."""
    outgoing = payload["what"] == "out"
    alert = service.Alert(
        topic=service.Topic.EXCHANGE_HELD,
        severity=service.Severity.WARNING,
        title=f"“{payload['system_name']}”有办件报文{'分发失败' if outgoing else '待处理'}",
        text=(
            "大厅的办件报文多次分发都没有确认。请修好接收程序，再到待处理的报文里重新分发。"
            if outgoing
            else "收到的办件报文缺前序或不能入账，已超过一天。请到待处理的报文里更正、重报或关闭。"
        ),
        body_id=int(payload["body_id"]),
        city_code=None,
        group_key=f"exchange:{payload['system_id']}:{payload['what']}",
        link=f"/console/exchange/messages?system={payload['system_id']}",
        at=datetime.fromisoformat(payload["at"]),
        audience=service.Audience.BODY,
    )
    db.transaction(lambda: service.raise_alert(alert))


def tell_of_due_cases(payload: Mapping[str, Any]) -> None:
    """Tell a body how many of its cases are late or nearly so; asked for from below, once a day."""
    late, near = int(payload["late"]), int(payload["near"])
    at = datetime.fromisoformat(payload["at"])
    alert = service.Alert(
        topic=service.Topic.CASES_DUE,
        severity=service.Severity.WARNING,
        title=f"{late} 件办件已超期，{near} 件即将到期" if late else f"{near} 件办件即将到期",
        text="请到办件列表处理，最急的排在最前。",
        body_id=int(payload["body_id"]),
        city_code=None,
        group_key=f"cases:{payload['body_id']}:{clock.day_of(at)}",
        link="/desk/cases",
        at=at,
        audience=service.Audience.BODY,
    )
    db.transaction(lambda: service.raise_alert(alert))


def find_forgotten(_payload: Mapping[str, Any]) -> None:
    """Take what a job that died left behind."""
    now = clock.system_clock()
    service.gather_late(now)
    service.find_forgotten(now)
    db.transaction(lambda: service.give_up(now))


def forget_old(_payload: Mapping[str, Any]) -> None:
    before = clock.system_clock() - service.KEEP
    while db.transaction(lambda: service.forget_old(before)):
        pass


JOBS = (
    Job(service.GATHER_JOB, gather, urgent=True),
    Job(service.COMPOSE_JOB, compose, urgent=True),
    Job(service.DELIVER_JOB, deliver, urgent=True),
    Job("alerts.tell-of-paused-webhook", tell_of_paused_webhook),
    Job("alerts.tell-of-held-messages", tell_of_held_messages),
    Job("alerts.tell-of-due-cases", tell_of_due_cases),
    Job("alerts.find-forgotten", find_forgotten, every=timedelta(minutes=1)),
    Job("alerts.forget-old", forget_old, every=timedelta(hours=6)),
)
