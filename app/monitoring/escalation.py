"""Who is told of an incident, and when: contact at once, body and province by the working-time clock.

Only a job comes here: what is due is grouped first, so that pages that fail together are told together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select

from app.alerts.service import Audience
from app.core import audit, db
from app.core.working_time import calendar, working_minutes_later
from app.monitoring import grouping, policy, telling
from app.monitoring.domain import EventKind, IncidentState
from app.monitoring.grouping import KEEPER, WINDOW
from app.monitoring.incidents_intake import (
    GATHER,
    OBJECT,
    add_lines,
    end_groups,
    hides,
    hiding_lines,
    line,
)
from app.monitoring.models import Incident, IncidentGroup
from app.organisations import service as organisations
from app.organisations.service import Place

LASTING_MINUTES = 390
"""An outage that somebody deals with reaches the province after this much working time: a day's."""

PROVINCE_BODIES = 3
"""A group of so many bodies is nobody's own trouble: the province hears of it at once."""

_AT_ONCE = 2000
_FRESH_MAX = 2000
_WHOM = {1: "单位联系人", 2: "单位和所在地市", 3: "省级值守"}


def tend(now: datetime) -> bool:
    """Group new incidents and tell whoever is due; return whether there is more to do.

    Needs a running transaction; safe to repeat.
    """
    due = _locked(Incident.escalate_at <= now, limit=_AT_ONCE)
    if due:
        fresh = _locked(Incident.opened_at >= now - WINDOW, limit=_FRESH_MAX)
        known = {one.id: one for one in [*due, *fresh]}
        grouping.group([one for one in known.values() if _groupable(one, now)], now)
        _tell([one for one in due if one.escalate_at is not None and one.escalate_at <= now], now)
    return len(due) == _AT_ONCE


def keep_house(now: datetime) -> None:
    """Note entries that residents lost sight of; end groups that were left open. Safe to repeat."""
    rules = policy.terms_of_bodies(now)
    lasting = db.writing().scalars(select(Incident).where(Incident.open_check_id.is_not(None)))
    add_lines(hiding_lines([one for one in lasting if hides(one, rules)]))
    groups = select(IncidentGroup.id).where(
        IncidentGroup.open_key.is_not(None),
        ~select(Incident.id)
        .where(Incident.group_id == IncidentGroup.id, Incident.open_check_id.is_not(None))
        .exists(),
    )
    end_groups(list(db.writing().scalars(groups)))


def due_at(incident: Incident, minutes: Sequence[int]) -> datetime | None:
    """Return when the next audience must hear of an incident; None when nobody is left.

    Args:
        minutes: for contact, body, province; the last two in working time.

    Acknowledging spares contact and body; the province hears all the same when it lasts too long.
    """
    level = incident.escalation_level
    if level >= Audience.PROVINCE or incident.state is IncidentState.RESOLVED:
        return None
    if incident.state is IncidentState.ACKNOWLEDGED:
        return working_minutes_later(incident.opened_at, max(minutes[2], LASTING_MINUTES), calendar())
    if level == 0:
        return incident.opened_at + max(GATHER, timedelta(minutes=minutes[0]))
    return working_minutes_later(incident.opened_at, minutes[level], calendar())


def _groupable(one: Incident, now: datetime) -> bool:
    return one.escalation_level == 0 or one.opened_at >= now - WINDOW


def _locked(condition: ColumnElement[bool], *, limit: int) -> list[Incident]:
    query = (
        select(Incident)
        .where(condition, Incident.open_check_id.is_not(None))
        .order_by(Incident.id)
        .limit(limit)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(db.writing().scalars(query))


def _tell(due: Sequence[Incident], now: datetime) -> None:
    places = organisations.places({one.body_id for one in due})
    rules = policy.terms_of_bodies(now)
    minutes = {body_id: rules.rules_of(body_id).escalate_after_minutes for body_id in places}
    lines: list[dict[str, Any]] = []
    together: dict[tuple[int, int | None, int], list[Incident]] = defaultdict(list)
    for one in due:
        # An acknowledgement or another policy may have moved it: asked anew before anybody is told.
        when = due_at(one, minutes[one.body_id])
        if when is None or when > now:
            one.escalate_at = when
            continue
        level = _next_level(one)
        body_id = None if level == Audience.PROVINCE and one.group_id else one.body_id
        together[(one.group_id or one.id, body_id, level)].append(one)
    groups = _groups(together.values())
    new_groups = _not_yet_told(groups)
    for (_, body_id, level), members in together.items():
        group = groups.get(members[0].group_id or 0)
        telling.opened(members, group, level, _place(places, body_id), now)
        for one in members:
            one.escalation_level = level
            one.escalate_at = due_at(one, minutes[one.body_id])
            lines.append(_line(one, level, now))
    for group in new_groups:
        if group.body_count >= PROVINCE_BODIES:
            members = [one for one in due if one.group_id == group.id]
            telling.opened(members, group, Audience.PROVINCE, None, now)
    add_lines(lines)


def _next_level(one: Incident) -> int:
    acknowledged = one.state is IncidentState.ACKNOWLEDGED
    return int(Audience.PROVINCE) if acknowledged else one.escalation_level + 1


def _place(places: dict[int, Place], body_id: int | None) -> Place | None:
    return None if body_id is None else places[body_id]


def _groups(batches: Iterable[Sequence[Incident]]) -> dict[int, IncidentGroup]:
    ids = {members[0].group_id for members in batches if members[0].group_id is not None}
    query = select(IncidentGroup).where(IncidentGroup.id.in_(ids))
    return {one.id: one for one in db.writing().scalars(query)} if ids else {}


def _not_yet_told(groups: dict[int, IncidentGroup]) -> list[IncidentGroup]:
    """Return the groups of which nobody has heard yet."""
    query = select(Incident.group_id).where(Incident.group_id.in_(groups), Incident.escalation_level > 0)
    told = set(db.writing().scalars(query.distinct())) if groups else set()
    return [one for group_id, one in groups.items() if group_id not in told]


def _line(one: Incident, level: int, now: datetime) -> dict[str, Any]:
    if level == Audience.CONTACT:
        return line(one.id, now, EventKind.NOTIFIED, f"已通知{_WHOM[level]}", KEEPER)
    audit.record(KEEPER, "incident.escalate", OBJECT, one.id, {"level": level})
    return line(one.id, now, EventKind.ESCALATED, f"已升级通知{_WHOM[level]}", KEEPER)
