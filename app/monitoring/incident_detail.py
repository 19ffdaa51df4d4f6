"""One incident, or one group, with all that helps to understand it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from app.core import db
from app.core.errors import NotFound
from app.monitoring.causes import diagnose
from app.monitoring.domain import LIST_MAX
from app.monitoring.incident_moves import assignable
from app.monitoring.incidents import in_scope, incidents, view
from app.monitoring.models import Incident, IncidentEvent, IncidentGroup, ProbeSample
from app.monitoring.reform_orders import orders_about
from app.monitoring.shapes import EventView, GroupDetail, GroupView, IncidentDetail, SampleView
from app.monitoring.wall import sample_view
from app.organisations import service as organisations
from app.organisations.service import Principal

LOOKS_SHOWN = 20
AFTER_END = timedelta(minutes=5)
"""Looks are shown until this long after the end, so that the recovery is among them."""


def incident_detail(by: Principal, incident_id: int, *, now: datetime) -> IncidentDetail:
    """Return an incident with its timeline and evidence.

    Raises:
        NotFound: no such incident in the scope of ``by``.
    """
    row = db.session().scalar(select(Incident).where(Incident.id == incident_id, in_scope(by)))
    if row is None:
        raise NotFound("没有这个事件")
    people = assignable(row.body_id)
    actors = {row.acknowledged_by or "", f"staff:{row.assigned_to}" if row.assigned_to else ""}
    names = organisations.names_of(actors - {""})
    return IncidentDetail(
        at=now,
        incident=view(row),
        body=organisations.get_body(row.body_id),
        diagnosis=diagnose(row.phase, row.cause, row.evidence),
        evidence=row.evidence,
        timeline=timeline(incident_id),
        looks=_looks(row),
        group=None if row.group_id is None else _group(by, row.group_id),
        acknowledged_by=names.get(row.acknowledged_by or "", ""),
        assigned_to=names.get(f"staff:{row.assigned_to}", ""),
        people=people,
        orders=orders_about(incident_id),
    )


def timeline(incident_id: int) -> list[EventView]:
    """Return the lines of an incident's timeline, oldest first."""
    query = select(IncidentEvent).where(IncidentEvent.incident_id == incident_id)
    rows = list(db.session().scalars(query.order_by(IncidentEvent.at, IncidentEvent.id)))
    staff = {row.actor for row in rows if row.actor.startswith("staff:")}
    names = organisations.names_of(staff)
    return [EventView(row.at, row.kind, names.get(row.actor, ""), row.text) for row in rows]


def _looks(incident: Incident) -> list[SampleView]:
    query = select(ProbeSample).where(ProbeSample.check_id == incident.check_id)
    if incident.resolved_at is not None:
        query = query.where(ProbeSample.at <= incident.resolved_at + AFTER_END)
    rows = db.session().scalars(query.order_by(ProbeSample.at.desc()).limit(LOOKS_SHOWN))
    return [sample_view(row) for row in reversed(list(rows))]


def group_detail(by: Principal, group_id: int, *, after: int | None = None) -> GroupDetail:
    """Return a group and those of its incidents that ``by`` may see; the others are only counted.

    Raises:
        NotFound: ``by`` may see none of it.
    """
    group = _group(by, group_id)
    found = incidents(by, group_id=group_id, after=after, limit=LIST_MAX)
    return GroupDetail(group, found.items, found.next_after)


def _group(by: Principal, group_id: int) -> GroupView:
    row = db.session().get(IncidentGroup, group_id)
    ids = select(Incident.id).where(Incident.group_id == group_id, in_scope(by))
    seen = len(db.session().scalars(ids).all())
    if row is None or not seen:
        raise NotFound("没有这一组事件")
    return GroupView(
        id=row.id,
        label=row.label,
        cause=row.cause,
        opened_at=row.opened_at,
        resolved_at=row.resolved_at,
        member_count=row.member_count,
        body_count=row.body_count,
        seen=seen,
    )
