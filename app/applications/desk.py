"""The work desk of departments: the queue by what is due, and every step that staff may take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, or_, select

from app.applications import moving, sealing, steps
from app.applications.domain import (
    EVENT_LABELS,
    STATE_LABELS,
    Event,
    MoveNotAllowed,
    State,
    Who,
    events_from,
)
from app.applications.models import Application
from app.applications.own import line_of
from app.applications.steps import Told
from app.applications.views import CaseLine, CaseView, case_view, form_of
from app.catalogue import service as catalogue
from app.core import audit, db
from app.core.access import Permission
from app.core.errors import Forbidden, Invalid, NotFound
from app.organisations import service as organisations
from app.organisations.service import Principal


@dataclass(frozen=True, slots=True)
class DeskLine:
    """A case as the queue shows it; ``handler_id`` is who took it, None nobody."""

    case: CaseLine
    handler_id: int | None


@dataclass(frozen=True, slots=True)
class DeskList:
    items: list[DeskLine]
    next_cursor: str | None


def queue(
    by: Principal,
    *,
    state: State | None = None,
    only_mine: bool = False,
    cursor: str | None = None,
    limit: int = 20,
) -> DeskList:
    """Return the open cases of the caller's bodies, what is due first first.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    query = select(Application).where(
        Application.desk_on.is_not(None),
        organisations.scope_condition(by, Permission.CASES_READ, Application.body_id),
    )
    if state is not None:
        query = query.where(Application.state == state)
    if only_mine:
        query = query.where(Application.handler_id == by.staff_id)
    if cursor:
        on, last = _decoded(cursor)
        query = query.where(
            or_(Application.desk_on > on, and_(Application.desk_on == on, Application.id > last))
        )
    rows = list(db.session().scalars(query.order_by(Application.desk_on, Application.id).limit(limit + 1)))
    shown = rows[:limit]
    items = catalogue.versions({row.item_version_id for row in shown})
    lines = [DeskLine(line_of(row, items[row.item_version_id]), row.handler_id) for row in shown]
    last_row = shown[-1] if len(rows) > limit else None
    return DeskList(lines, f"{last_row.desk_on}.{last_row.id}" if last_row else None)


def _decoded(cursor: str) -> tuple[date, int]:
    on, _, last = cursor.partition(".")
    try:
        return date.fromisoformat(on), int(last)
    except ValueError:
        raise Invalid("分页标记无效", fields={"cursor": ["分页标记无效"]}) from None


def case_for(by: Principal, application_id: int) -> CaseView:
    """Return a case of the caller's bodies with every personal answer starred.

    Raises:
        NotFound: there is none in the caller's scope.
    """
    row = db.session().get(Application, application_id)
    if row is None or row.state is State.DRAFT or row.submitted_at is None:
        raise NotFound("没有这个办件")
    return case_view(row, "", who=_roles(by, row), masked=True)


def _roles(by: Principal, row: Application) -> tuple[Who, ...]:
    """Return as whom the caller may act on a case.

    Raises:
        NotFound: the case lies outside the caller's scope.
    """
    if not organisations.covers(by, Permission.CASES_READ, row.body_id):
        raise NotFound("没有这个办件")
    found = []
    if organisations.covers(by, Permission.CASES_HANDLE, row.body_id):
        found.append(Who.DEPARTMENT)
    if organisations.covers(by, Permission.CASES_SUPERVISE, row.body_id):
        found.append(Who.SUPERVISOR)
    return tuple(found)


def personal_answers(by: Principal, application_id: int, reason: str) -> dict[str, Any]:
    """Return the answers in clear text; that they were read is written down, with the reason.

    Raises:
        NotFound: there is no such case in the caller's scope.
        Forbidden: the caller does not handle cases of this body.
        Invalid: no reason is given.
    """
    row = _locked(by, application_id)
    if Who.DEPARTMENT not in _roles(by, row):
        raise Forbidden("只有办理单位的经办人员可以查看完整信息")
    if not reason.strip():
        raise Invalid("请说明查看的理由", fields={"reason": ["请说明查看的理由"]})
    audit.record(by.actor, "application.personal_read", "application", row.id, {"reason": reason})
    return sealing.opened(row, form_of(row))


def take(by: Principal, application_id: int, *, version: int) -> None:
    """Take a case on, so that colleagues see who works on it.

    Raises:
        NotFound: there is no such case in the caller's scope.
        Forbidden: the caller does not handle cases of this body.
        MoveNotAllowed: it has ended, or somebody took it already.
        Stale: it moved on meanwhile.
    """
    row = _handled(by, application_id)
    moving.check_version(row, version)
    if row.handler_id not in {None, by.staff_id}:
        raise MoveNotAllowed("已由同事领取")
    _hand(row, by.staff_id, by.actor, "application.take")


def put_back(by: Principal, application_id: int) -> None:
    """Put a case back for colleagues; the same errors as :func:`take`, but for ``Stale``."""
    row = _handled(by, application_id)
    if row.handler_id != by.staff_id:
        raise MoveNotAllowed("不是您领取的办件")
    _hand(row, None, by.actor, "application.put_back")


def _hand(row: Application, handler_id: int | None, actor: str, action: str) -> None:
    row.handler_id = handler_id
    row.version += 1
    audit.record(actor, action, "application", row.id)
    db.writing().flush()


def _handled(by: Principal, application_id: int) -> Application:
    row = _locked(by, application_id)
    if Who.DEPARTMENT not in _roles(by, row):
        raise Forbidden("只有办理单位的经办人员可以办理")
    if row.desk_on is None:
        raise MoveNotAllowed(f"办件处于“{STATE_LABELS[row.state]}”，不用办理")
    return row


def _locked(by: Principal, application_id: int) -> Application:
    row = moving.locked(application_id)
    _roles(by, row)
    if row.submitted_at is None:
        raise NotFound("没有这个办件")
    return row


def step(by: Principal, application_id: int, event: Event, told: Told, *, now: datetime) -> None:
    """Take a step with a case.

    Raises:
        NotFound: there is no such case in the caller's scope.
        Forbidden: the step is another role's.
        MoveNotAllowed: not from this state, or not for this item.
        Stale: somebody moved it meanwhile.
        Invalid: something the step needs was not said; ``fields`` says what.
    """
    row = _locked(by, application_id)
    roles = _roles(by, row)
    moving.check_version(row, told.version)
    who = _acting(row, event, roles)
    item = catalogue.version(row.item_version_id)
    act = steps.Act(row, item, event, who, by.actor, by.staff_id, Who.SUPERVISOR in roles, now)
    steps.STEPS[event](act, told)


def _acting(row: Application, event: Event, roles: tuple[Who, ...]) -> Who:
    may = [one for one in (Who.DEPARTMENT, Who.SUPERVISOR) if event in events_from(row.state, one)]
    if not may:
        raise MoveNotAllowed(f"办件处于“{STATE_LABELS[row.state]}”，不能“{EVENT_LABELS[event]}”")
    if may[0] not in roles:
        raise Forbidden("这一步要由有相应权限的人员办理")
    return may[0]
