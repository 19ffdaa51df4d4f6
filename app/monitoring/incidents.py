"""Reading incidents: lists, counts, figures; each person sees those of the bodies in his or her scope."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, or_, select

from app.core import clock, db
from app.core.access import Permission
from app.core.errors import Invalid
from app.monitoring.domain import LIST_MAX, CheckKind, IncidentState, Outcome
from app.monitoring.models import Incident
from app.monitoring.shapes import IncidentFigures, IncidentList, IncidentView
from app.organisations import service as organisations
from app.organisations.service import Principal


def in_scope(by: Principal) -> ColumnElement[bool]:
    """Return the filter that leaves the incidents of bodies which ``by`` may watch."""
    return organisations.scope_condition(by, Permission.WATCH, Incident.body_id)


visible = in_scope


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents to list; None and ``""`` leave all.

    Attributes:
        still_open: True for those that last, False for those that ended.
        from_on: the first day, Guangdong time, on which they were confirmed; ``until_on`` the last.
    """

    still_open: bool | None = None
    state: IncidentState | None = None
    city_code: str = ""
    body_id: int | None = None
    page_id: int | None = None
    group_id: int | None = None
    kind: CheckKind | None = None
    phase: str = ""
    from_on: date | None = None
    until_on: date | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the filter as conditions on :class:`Incident`."""
        found: list[ColumnElement[bool]] = []
        if self.still_open is not None:
            lasting = Incident.open_check_id.is_not(None)
            found.append(lasting if self.still_open else ~lasting)
        if self.city_code:
            found.append(Incident.body_id.in_(_bodies_of_city(self.city_code)))
        for column, wanted in (
            (Incident.state, self.state),
            (Incident.body_id, self.body_id),
            (Incident.page_id, self.page_id),
            (Incident.group_id, self.group_id),
            (Incident.kind, self.kind),
            (Incident.phase, self.phase or None),
        ):
            if wanted is not None:
                found.append(column == wanted)
        if self.from_on is not None:
            found.append(Incident.opened_at >= _midnight(self.from_on))
        if self.until_on is not None and self.until_on < date.max:
            found.append(Incident.opened_at < _midnight(self.until_on + timedelta(days=1)))
        return found


def _bodies_of_city(code: str) -> list[int]:
    bodies = organisations.places(body.id for body in organisations.bodies())
    return [body_id for body_id, place in bodies.items() if place.city_code == code]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.HALL_TIME)


def incidents(by: Principal, *, after: int | None = None, limit: int = 50, **wanted: object) -> IncidentList:
    """Return incidents in the scope of ``by``, the last opened first.

    Args:
        after: id of the last incident of the page before.
        wanted: fields of :class:`IncidentFilter`.

    Raises:
        Invalid: ``after`` is no incident that ``by`` may see.
    """
    conditions = [in_scope(by), *IncidentFilter(**wanted).conditions()]  # type: ignore[arg-type]
    if after is not None:
        conditions.append(_older_than(by, after))
    limit = max(1, min(limit, LIST_MAX))
    rows = newest(*conditions, limit=limit + 1)
    more = len(rows) > limit
    return IncidentList(rows[:limit], rows[limit - 1].id if more else None)


def _older_than(by: Principal, incident_id: int) -> ColumnElement[bool]:
    at = db.session().scalar(select(Incident.opened_at).where(Incident.id == incident_id, in_scope(by)))
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


class By(StrEnum):
    """What figures of incidents are told apart by."""

    CITY = "city"
    BODY = "body"
    PHASE = "phase"


def statistics(
    start: datetime, end: datetime, by: By, *conditions: ColumnElement[bool]
) -> dict[str, IncidentFigures]:
    """Return figures of the incidents of [``start``, ``end``), by city code, body id or phase.

    Provincial bodies stand under the city ``""``. What was taken back as the prober's own trouble
    does not count. One that lasted beyond either end counts with the part inside; times to
    acknowledge and to recover are those of incidents confirmed inside.
    """
    query = select(
        Incident.body_id,
        Incident.phase,
        Incident.started_at,
        Incident.opened_at,
        Incident.acknowledged_at,
        Incident.resolved_at,
    ).where(
        Incident.started_at < end,
        or_(Incident.resolved_at.is_(None), Incident.resolved_at > start),
        or_(Incident.outcome.is_(None), Incident.outcome != Outcome.VOIDED),
        *conditions,
    )
    rows = list(db.session().execute(query))
    name = _name_by(by, {row.body_id for row in rows})
    sums: dict[str, _Sum] = defaultdict(_Sum)
    for row in rows:
        found = sums[row.phase if by is By.PHASE else name(row.body_id)]
        found.count += 1
        ended = min(end, row.resolved_at or end)
        found.down += max(timedelta(0), ended - max(start, row.started_at))
        if start <= row.opened_at < end:
            if row.acknowledged_at is not None:
                found.to_acknowledge.append(row.acknowledged_at - row.opened_at)
            if row.resolved_at is not None:
                found.to_recover.append(row.resolved_at - row.started_at)
    return {key: found.figures() for key, found in sorted(sums.items())}


def _name_by(by: By, body_ids: set[int]) -> Callable[[int], str]:
    if by is not By.CITY:
        return str
    places = organisations.places(body_ids)
    return lambda body_id: places[body_id].city_code or ""


class _Sum:
    """What incidents of one row of the figures add up to."""

    def __init__(self) -> None:
        self.count = 0
        self.down = timedelta(0)
        self.to_acknowledge: list[timedelta] = []
        self.to_recover: list[timedelta] = []

    def figures(self) -> IncidentFigures:
        return IncidentFigures(
            self.count, round(self.down / _MINUTE, 1), _mean(self.to_acknowledge), _mean(self.to_recover)
        )


_MINUTE = timedelta(minutes=1)


def _mean(several: list[timedelta]) -> float | None:
    return round(sum(several, timedelta(0)) / len(several) / _MINUTE, 1) if several else None


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
        check_id=row.check_id,
        kind=row.kind,
        state=row.state,
        phase=row.phase,
        group_id=row.group_id,
        assigned_to=row.assigned_to,
        escalation_level=row.escalation_level,
        escalate_at=row.escalate_at,
    )
