"""Giving cases to a colleague: one of them, or all of somebody who is away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.applications import desk_queue, moving, notes
from app.applications.desk import check_seen, locked, rights
from app.applications.desk_domain import NoteKind
from app.applications.domain import STATE_LABELS, MoveNotAllowed
from app.applications.models import Application
from app.core import db
from app.core.access import Permission
from app.core.errors import Forbidden, Invalid
from app.organisations import service as organisations
from app.organisations.service import Principal, Role

AT_ONCE = 200
"""Cases of one hand-over; who has more is asked again."""

_DECIDERS = frozenset({Permission.CASES_HEAD, Permission.CASES_SUPERVISE})


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who handles cases of a body."""

    staff_id: int
    name: str


def colleagues(body_id: int) -> list[Colleague]:
    """Return who may handle the cases of a body, by name."""
    place = organisations.places([body_id]).get(body_id)
    if place is None:
        return []
    ids = {
        staff_id
        for staff_id, grant in organisations.on_duty(list(Role))
        if grant.carries(Permission.CASES_HANDLE) and grant.reaches(place)
    }
    names = organisations.names_of({f"staff:{one}" for one in ids})
    found = [Colleague(one, names[f"staff:{one}"]) for one in ids]
    return sorted(found, key=lambda one: (one.name, one.staff_id))


def pass_on(
    by: Principal, application_id: int, to_id: int, reason: str, *, version: int, now: datetime
) -> None:
    """Give a case to a colleague.

    Raises:
        NotFound: there is no such case in the caller's scope.
        Forbidden: it is neither the caller's own case nor do they head the body.
        Invalid: no reason is given, or the other does not handle cases of the body.
        MoveNotAllowed: the case has ended.
        Stale: it moved on meanwhile.
    """
    row = locked(by, application_id)
    check_seen(row, version)
    if row.handler_id != by.staff_id and not rights(by, row) & _DECIDERS:
        raise Forbidden("只有领取办件的人员或单位负责人可以转交")
    if row.desk_on is None:
        raise MoveNotAllowed(f"办件处于“{STATE_LABELS[row.state]}”，不用办理")
    said = notes.demand(reason, "hand_over_reason", "请说明为什么转交")
    _give(by, row, to_id, said, now)


def pass_on_all(by: Principal, from_id: int, to_id: int, reason: str, *, now: datetime) -> int:
    """Give the open cases of somebody who is away to a colleague; return how many, 200 at most.

    Raises:
        Forbidden: they are not the caller's own, and the caller heads no body.
        Invalid: no reason is given, or the other does not handle cases of one of the bodies.
    """
    said = notes.demand(reason, "hand_over_reason", "请说明为什么转交")
    own = from_id == by.staff_id
    permission = Permission.CASES_HANDLE if own else Permission.CASES_HEAD
    if not by.may(permission):
        raise Forbidden("只有本人或单位负责人可以转交")
    query = (
        select(Application.id)
        .where(
            Application.handler_id == from_id,
            Application.desk_on.is_not(None),
            desk_queue.in_scope(by, permission),
        )
        .order_by(Application.desk_on, Application.id)
        .limit(AT_ONCE)
    )
    count = 0
    for application_id in list(db.writing().scalars(query)):
        row = moving.locked(application_id)
        if row.handler_id == from_id and row.desk_on is not None:
            _give(by, row, to_id, said, now)
            count += 1
    return count


def _give(by: Principal, row: Application, to_id: int, reason: str, now: datetime) -> None:
    other = next((one for one in colleagues(row.body_id) if one.staff_id == to_id), None)
    if other is None or to_id == row.handler_id:
        raise Invalid(fields={"staff_id": ["请选择这个单位的另一名经办人员"]})
    desk_queue.hand(row, to_id)
    notes.add(row, NoteKind.HAND_OVER, f"转交{other.name}：{reason}", actor=by.actor, now=now)
