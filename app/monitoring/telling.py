"""What people are told of incidents, in words: one alert per group and body, never another's pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from app.alerts import service as alerts
from app.alerts.service import Alert, Audience, Severity, Topic
from app.monitoring.causes import told
from app.monitoring.domain import OUTCOME_LABELS, CheckKind
from app.monitoring.models import Incident, IncidentGroup
from app.organisations.service import Place

SHOWN = 8
"""How many pages an alert names; the rest is counted."""


def opened(
    members: Sequence[Incident],
    group: IncidentGroup | None,
    level: int,
    place: Place | None,
    now: datetime,
) -> None:
    """Tell of incidents of one body, or for the province of one group; ``level`` says whom.

    Args:
        members: all of one body unless ``place`` is None.
        group: what they belong to; None for a single one.
        place: where that body stands; None when it is about a group as a whole.
    """
    topic = Topic.INCIDENT_OPENED if level <= Audience.CONTACT else Topic.INCIDENT_ESCALATED
    _raise(topic, _worst(members), _title(members, group, level), members, group, level, place, now)


def resolved(
    members: Sequence[Incident], group: IncidentGroup | None, place: Place | None, now: datetime
) -> None:
    """Tell a body that the last of its incidents of a group, or a single one, is over."""
    outcome = members[0].outcome
    ended = OUTCOME_LABELS[outcome] if outcome is not None and group is None else "已恢复"
    title = f"{ended}：{members[0].page_name}" if group is None else f"{ended}：{group.label}的网页"
    _raise(Topic.INCIDENT_RESOLVED, Severity.INFO, title, members, group, Audience.CONTACT, place, now)


def order_moved(incident: Incident, order_id: int, title: str, *, to_body: bool, now: datetime) -> None:
    """Tell a body of an order, or the province of a body's answer."""
    alerts.raise_alert(
        Alert(
            topic=Topic.INCIDENT_ESCALATED,
            severity=Severity.WARNING,
            title=title,
            text=f"网页：{incident.page_name}",
            body_id=incident.body_id,
            city_code=None,
            group_key=f"reform-order:{order_id}:{now.timestamp():.0f}",
            link=f"/wall/reform-orders/{order_id}",
            at=now,
            audience=Audience.BODY if to_body else Audience.PROVINCE,
        )
    )


def _raise(
    topic: Topic,
    severity: Severity,
    title: str,
    members: Sequence[Incident],
    group: IncidentGroup | None,
    level: int,
    place: Place | None,
    now: datetime,
) -> None:
    alerts.raise_alert(
        Alert(
            topic=topic,
            severity=severity,
            title=title,
            text=_text(members, group, whole=place is None),
            body_id=None if place is None else place.body_id,
            city_code=None if place is None else place.city_code,
            group_key=key_of(members[0], group),
            link=link_of(members[0], group),
            at=now,
            audience=Audience(level),
        )
    )


def key_of(incident: Incident, group: IncidentGroup | None) -> str:
    """Return what alerts about the same thing have in common."""
    return f"incident:{incident.id}" if group is None else f"incident-group:{group.id}"


def link_of(incident: Incident, group: IncidentGroup | None) -> str:
    """Return the path of the page about it."""
    return f"/wall/incidents/{incident.id}" if group is None else f"/wall/incident-groups/{group.id}"


def _worst(members: Iterable[Incident]) -> Severity:
    page_gone = any(one.kind is CheckKind.PAGE and one.phase != "slow" for one in members)
    return Severity.CRITICAL if page_gone else Severity.WARNING


def _title(members: Sequence[Incident], group: IncidentGroup | None, level: int) -> str:
    first = members[0]
    late = "" if level <= Audience.CONTACT else "仍未处理，"
    if group is None:
        return f"{late}网页故障：{first.page_name}（{told(first.phase, first.cause)}）"
    return f"{late}{len(members)} 个网页同时故障（{group.label}）"


def _text(members: Sequence[Incident], group: IncidentGroup | None, *, whole: bool) -> str:
    lines = [f"{one.page_name}：{told(one.phase, one.cause)}" for one in members[:SHOWN]]
    if len(members) > SHOWN:
        lines.append(f"等 {len(members)} 个网页。")
    others = 0 if group is None or whole else group.member_count - len(members)
    if others > 0:
        lines.append(f"同组还有 {others} 个其他故障。")
    return "\n".join(lines)
