"""What people do with an incident: acknowledge, assign, note. Each is a line of its timeline."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, select, update

from app.core import audit, db
from app.core.access import Permission
from app.core.errors import Invalid, NotFound
from app.monitoring.domain import EventKind, IncidentMove, IncidentState, incident_move
from app.monitoring.incidents import in_scope, view
from app.monitoring.incidents_intake import OBJECT, add_lines, line
from app.monitoring.models import Incident
from app.monitoring.shapes import IncidentView
from app.organisations import service as organisations
from app.organisations.service import Principal, Role

_ASSIGNABLE = (
    Role.DEPARTMENT_OPERATOR,
    Role.COUNTY_OPERATOR,
    Role.CITY_OPERATOR,
    Role.PROVINCE_REVIEWER,
    Role.PROVINCE_WATCH,
)


def acknowledge(by: Principal, incident_id: int, *, now: datetime, note: str = "") -> IncidentView:
    """Note that somebody is dealing with an incident; the first to say so is kept. Safe to repeat.

    Raises:
        NotFound: no such incident in the scope of ``by``.
        MoveNotAllowed: it is over.
    """
    if _acknowledged(by, Incident.id == incident_id, note, now):
        return view(_load(by, incident_id))
    row = _load(by, incident_id)
    if row.state is not IncidentState.ACKNOWLEDGED:
        incident_move(row.state, IncidentMove.ACKNOWLEDGE)
    return view(row)


def acknowledge_group(by: Principal, group_id: int, *, now: datetime, note: str = "") -> int:
    """Acknowledge all incidents of a group that ``by`` may see; return how many nobody had before.

    Raises:
        NotFound: ``by`` may see none of it.
    """
    known = select(Incident.id).where(Incident.group_id == group_id, in_scope(by)).limit(1)
    if db.writing().scalar(known) is None:
        raise NotFound("没有这一组事件")
    return len(_acknowledged(by, Incident.group_id == group_id, note, now))


def _acknowledged(by: Principal, which: ColumnElement[bool], note: str, now: datetime) -> list[int]:
    """Acknowledge those that nobody has; return their ids."""
    query = select(Incident.id).where(which, in_scope(by), Incident.state == IncidentState.OPEN)
    ids = list(db.writing().scalars(query.order_by(Incident.id).with_for_update()))
    if not ids:
        return []
    # The moment of the next step is worked out by the job; being due now makes it look.
    db.writing().execute(
        update(Incident)
        .where(Incident.id.in_(ids))
        .values(
            state=incident_move(IncidentState.OPEN, IncidentMove.ACKNOWLEDGE),
            acknowledged_at=now,
            acknowledged_by=by.actor,
            escalate_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    text = note.strip() or "已签收，正在处理"
    add_lines([line(one, now, EventKind.ACKNOWLEDGED, text, by.actor) for one in ids])
    for one in ids:
        audit.record(by.actor, "incident.acknowledge", OBJECT, one)
    return ids


def add_note(by: Principal, incident_id: int, text: str, *, now: datetime) -> IncidentView:
    """Add a line to the timeline, of an ended incident too.

    Raises:
        NotFound: no such incident in the scope of ``by``.
        Invalid: nothing is said.
    """
    row = _load(by, incident_id)
    if not text.strip():
        raise Invalid("请填写备注", fields={"text": ["请填写备注"]})
    add_lines([line(row.id, now, EventKind.NOTE, text.strip(), by.actor)])
    audit.record(by.actor, "incident.note", OBJECT, row.id)
    return view(row)


def assign(by: Principal, incident_id: int, staff_id: int | None, *, now: datetime) -> IncidentView:
    """Name the person who is to deal with an incident; None leaves it to the page's body as a whole.

    Raises:
        NotFound: no such incident in the scope of ``by``.
        MoveNotAllowed: it is over.
        Invalid: the person is not responsible for the body.
    """
    row = _load(by, incident_id)
    if row.state is IncidentState.RESOLVED:
        incident_move(row.state, IncidentMove.ACKNOWLEDGE)
    people = assignable(row.body_id)
    if staff_id is not None and staff_id not in people:
        raise Invalid("这个人不负责该单位", fields={"staff_id": ["这个人不负责该单位"]})
    if row.assigned_to == staff_id:
        return view(row)
    row.assigned_to = staff_id
    whom = "指派给本单位处理" if staff_id is None else f"指派给{people[staff_id]}"
    add_lines([line(row.id, now, EventKind.ASSIGNED, whom, by.actor)])
    audit.record(by.actor, "incident.assign", OBJECT, row.id, {"staff_id": staff_id and str(staff_id)})
    return view(row)


def assignable(body_id: int) -> dict[int, str]:
    """Return the people who answer for a body, by id: name."""
    place = organisations.places([body_id]).get(body_id)
    if place is None:
        return {}
    ids = {
        staff_id
        for staff_id, grant in organisations.on_duty(_ASSIGNABLE)
        if grant.carries(Permission.WATCH) and grant.reaches(place)
    }
    names = organisations.names_of(f"staff:{staff_id}" for staff_id in ids)
    return {staff_id: names[f"staff:{staff_id}"] for staff_id in sorted(ids)}


def _load(by: Principal, incident_id: int) -> Incident:
    query = (
        select(Incident)
        .where(Incident.id == incident_id, in_scope(by))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    row = db.writing().scalar(query)
    if row is None:
        raise NotFound("没有这个事件")
    return row
