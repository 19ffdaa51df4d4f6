"""Putting the joint limit off, once: a supervisor's act, with a reason that the applicant is told."""

from __future__ import annotations

from datetime import datetime

from app.core import audit, db
from app.core.access import Permission
from app.core.errors import Invalid, NotFound
from app.organisations import service as organisations
from app.organisations.service import Principal
from app.themes import moving, running
from app.themes.domain import ENDED, JOINT_EXTENSION_DAYS, MoveNotAllowed, State
from app.themes.made import made_of


def extend(
    by: Principal, theme_application_id: int, days: int, reason: str, *, version: int, now: datetime
) -> None:
    """Put the joint limit off by up to 15 working days.

    Raises:
        NotFound: there is none in the caller's scope.
        MoveNotAllowed: it has no joint limit that runs, or was put off before.
        Stale: it moved on meanwhile.
        Invalid: too many days, or no reason.

    Source: 行政许可法 42.
    """
    row = moving.locked(theme_application_id)
    made = made_of(row)
    covered = all(
        organisations.covers(by, Permission.CASES_SUPERVISE, view.body_id) for view in made.views.values()
    )
    if row.state is State.DRAFT or not covered:
        raise NotFound("没有这个主题办件")
    moving.check_version(row, version)
    if not made.definition.joint or row.state in ENDED or row.joint_due_on is None:
        raise MoveNotAllowed("没有在计算的联合办理期限")
    if row.extension_days:
        raise MoveNotAllowed("联合办理期限只能延长一次")
    if not 0 < days <= JOINT_EXTENSION_DAYS:
        raise Invalid(fields={"days": [f"可以延长 1 至 {JOINT_EXTENSION_DAYS} 个工作日"]})
    if not reason.strip():
        raise Invalid("请说明理由", fields={"reason": ["请说明理由"]})
    row.extension_days, row.extension_reason = days, reason.strip()
    row.version += 1
    audit.record(by.actor, "theme.extend", "theme_application", row.id, {"days": days, "reason": reason})
    db.writing().flush()
    running.follow(row.id, now=now)
