"""Reading and acknowledging incidents."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update

from app.core import audit, db
from app.core.access import Permission
from app.core.errors import Invalid, NotFound
from app.monitoring.domain import LIST_MAX, IncidentState
from app.monitoring.incidents_intake import OBJECT
from app.monitoring.models import Incident
from app.monitoring.shapes import IncidentList, IncidentView
from app.organisations import service as organisations
from app.organisations.service import Principal


def visible(by: Principal) -> ColumnElement[bool]:
    """Return the filter that leaves the incidents of bodies which ``by`` may watch."""
    return organisations.scope_condition(by, Permission.WATCH, Incident.body_id)


def incidents(
    by: Principal,
    *,
    still_open: bool | None = None,
    body_id: int | None = None,
    page_id: int | None = None,
    after: int | None = None,
    limit: int = 50,
) -> IncidentList:
    """Return incidents in the scope of ``by``, the last opened first.

    Args:
        still_open: True for those that last, False for those that ended, None for both.
        after: id of the last incident of the page before.

    Raises:
        Invalid: ``after`` is no incident that ``by`` may see.
    """
    conditions = [visible(by)]
    if still_open is not None:
        lasting = Incident.open_check_id.is_not(None)
        conditions.append(lasting if still_open else ~lasting)
    if body_id is not None:
        conditions.append(Incident.body_id == body_id)
    if page_id is not None:
        conditions.append(Incident.page_id == page_id)
    if after is not None:
        conditions.append(_older_than(by, after))
    limit = max(1, min(limit, LIST_MAX))
    rows = newest(*conditions, limit=limit + 1)
    more = len(rows) > limit
    return IncidentList(rows[:limit], rows[limit - 1].id if more else None)


def _older_than(by: Principal, incident_id: int) -> ColumnElement[bool]:
    at = db.session().scalar(select(Incident.opened_at).where(Incident.id == incident_id, visible(by)))
    if at is None:
        raise Invalid("分页标记无效", fields={"after": ["分页标记无效"]})
    return or_(Incident.opened_at < at, and_(Incident.opened_at == at, Incident.id < incident_id))


def newest(*conditions: ColumnElement[bool], limit: int) -> list[IncidentView]:
    """Return the last opened incidents that fit ``conditions`` on :class:`Incident`."""
    query = select(Incident).where(*conditions).order_by(Incident.opened_at.desc(), Incident.id.desc())
    return [view(row) for row in db.session().scalars(query.limit(limit))]


def open_count(*conditions: ColumnElement[bool]) -> int:
    """Return how many incidents last now."""
    query = select(func.count()).select_from(Incident).where(Incident.open_check_id.is_not(None), *conditions)
    return db.session().scalar(query) or 0


def acknowledge(by: Principal, incident_id: int, *, now: datetime) -> IncidentView:
    """Note that somebody is dealing with an incident; the first to say so is kept. Safe to repeat.

    Raises:
        NotFound: no such incident in the scope of ``by``.
    """
    mine = (Incident.id == incident_id, visible(by))
    won = db.writing().execute(
        update(Incident)
        .where(*mine, Incident.acknowledged_at.is_(None))
        .values(
            state=case(
                (Incident.state == IncidentState.OPEN, IncidentState.ACKNOWLEDGED), else_=Incident.state
            ),
            acknowledged_at=now,
            acknowledged_by=by.actor,
        )
        .execution_options(synchronize_session=False)
    )
    if won.rowcount == 1:  # type: ignore[attr-defined]
        audit.record(by.actor, "incident.acknowledge", OBJECT, incident_id)
    row = db.writing().scalar(select(Incident).where(*mine).execution_options(populate_existing=True))
    if row is None:
        raise NotFound("没有这个事件")
    return view(row)


def view(row: Incident) -> IncidentView:
    return IncidentView(
        id=row.id,
        page_id=row.page_id,
        body_id=row.body_id,
        page_name=row.page_name,
        cause=row.cause,
        detail=row.detail,
        started_at=row.started_at,
        opened_at=row.opened_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        resolved_at=row.resolved_at,
        outcome=row.outcome,
    )
