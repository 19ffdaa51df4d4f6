"""Incidents that share a cause become one group: same certificate, host, network or body.

Greedy: what most of the new incidents share is the first group, what most of the rest share the
second. An open group takes later ones in; a small young group inside a larger new one is absorbed.
"""

from __future__ import annotations

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.core import audit, db
from app.core.ids import new_id
from app.monitoring.domain import DETAIL_MAX, EventKind, IncidentState, phase_of
from app.monitoring.incidents_intake import add_lines, line
from app.monitoring.models import Incident, IncidentGroup

WINDOW = timedelta(minutes=5)
"""Outages confirmed within this belong together when they share something."""

GROUP_OBJECT = "incident_group"
KEEPER = "system:incidents"
_FEWEST = {"certificate": 2, "host": 2, "network": 3, "body": 3}
_LABELS = {"certificate": "同一张证书", "host": "同一台服务器", "network": "同一网段", "body": "同一单位"}
_KEY_MAX = 255
_CHUNK = 500


@dataclass(frozen=True, slots=True, order=True)
class Shared:
    """Something that incidents may have in common; ``rank`` is smaller the more it explains."""

    rank: int
    kind: str
    value: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.value}"[:_KEY_MAX]

    @property
    def label(self) -> str:
        named = f"{_LABELS[self.kind]} {self.value}" if self.kind in ("host", "network") else ""
        return (named or _LABELS[self.kind])[:DETAIL_MAX]

    @property
    def fewest(self) -> int:
        """How many must share it to make a group."""
        return _FEWEST[self.kind]


def shared_by(incident: Incident) -> tuple[Shared, ...]:
    """Return what an incident may have in common with others, the most telling first."""
    evidence = incident.evidence
    found = {
        "certificate": evidence.get("certificate", "") if incident.phase == "tls" else "",
        "host": evidence.get("host", ""),
        "network": network_of(_address(evidence)),
        "body": str(incident.body_id),
    }
    return tuple(Shared(rank, kind, value) for rank, (kind, value) in enumerate(found.items()) if value)


def _address(evidence: dict[str, Any]) -> str:
    known = evidence.get("addresses") or [""]
    return str(evidence.get("address") or known[0])


def network_of(address: str) -> str:
    """Return the network that an address stands in, /24 or /48; ``""`` for what is no address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    return str(ipaddress.ip_network(f"{mapped}/{24 if mapped.version == 4 else 48}", strict=False))


def group(incidents: Sequence[Incident], now: datetime) -> None:
    """Give lasting incidents that have no group theirs, if they have one. Needs their rows locked.

    Groups of which all lasting members are among ``incidents`` may be absorbed by a larger one.
    """
    alone = [one for one in incidents if one.group_id is None]
    if not alone:
        return
    held = _open_groups({shared.key for one in alone for shared in shared_by(one)})
    joining: dict[int, list[Incident]] = defaultdict(list)
    left: list[Incident] = []
    for one in alone:
        fitting = _fitting(one, held)
        (left if fitting is None else joining[fitting.id]).append(one)
    groups = {one.id: one for one in held.values()}
    for group_id, members in joining.items():
        _join(groups[group_id], members, now)
    young = _young(incidents, now)
    for run in runs(left):
        for shared, members in plan(run):
            _found(shared, members, young, now)
    db.writing().flush()
    _count([*groups, *young, *{one.group_id for one in alone if one.group_id is not None}])


def runs(incidents: Iterable[Incident]) -> list[list[Incident]]:
    """Return incidents in order of their beginning, cut wherever none began for :data:`WINDOW`."""
    found: list[list[Incident]] = []
    for one in sorted(incidents, key=lambda incident: (incident.opened_at, incident.id)):
        if not found or one.opened_at - found[-1][-1].opened_at > WINDOW:
            found.append([])
        found[-1].append(one)
    return found


def plan(incidents: Iterable[Incident]) -> list[tuple[Shared, list[Incident]]]:
    """Return the groups that incidents form, the largest first; each incident is in one at most."""
    sharing: dict[Shared, dict[int, Incident]] = defaultdict(dict)
    for one in incidents:
        for shared in shared_by(one):
            sharing[shared][one.id] = one
    found: list[tuple[Shared, list[Incident]]] = []
    while sharing:
        best = min(sharing, key=lambda shared: (-len(sharing[shared]), shared))
        members = sharing.pop(best)
        if len(members) < min(_FEWEST.values()):
            break
        if len(members) >= best.fewest:
            found.append((best, list(members.values())))
            for rest in sharing.values():
                for taken in members:
                    rest.pop(taken, None)
    return found


def _open_groups(keys: Iterable[str]) -> dict[str, IncidentGroup]:
    """Return the groups that last under these keys, locked: none of them ends meanwhile."""
    wanted = sorted(keys)
    found: dict[str, IncidentGroup] = {}
    for at in range(0, len(wanted), _CHUNK):
        query = (
            select(IncidentGroup)
            .where(IncidentGroup.open_key.in_(wanted[at : at + _CHUNK]))
            .order_by(IncidentGroup.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        found |= {one.group_key: one for one in db.writing().scalars(query)}
    return found


def _fitting(one: Incident, held: dict[str, IncidentGroup]) -> IncidentGroup | None:
    """Return the open group that an incident belongs to.

    Long after a group began, sharing a network or a body tells little unless the cause is alike.
    """
    for shared in shared_by(one):
        found = held.get(shared.key)
        if found is None:
            continue
        close = one.opened_at - found.opened_at <= WINDOW
        if close or shared.kind in ("certificate", "host") or phase_of(found.cause) == one.phase:
            return found
    return None


def _young(incidents: Iterable[Incident], now: datetime) -> dict[int, list[Incident]]:
    """Return the members of groups that began within :data:`WINDOW`, where all of them are known here."""
    members: dict[int, list[Incident]] = defaultdict(list)
    for one in incidents:
        if one.group_id is not None:
            members[one.group_id].append(one)
    query = (
        select(IncidentGroup.id, func.count())
        .join(Incident, Incident.group_id == IncidentGroup.id)
        .where(
            IncidentGroup.id.in_(members),
            IncidentGroup.open_key.is_not(None),
            IncidentGroup.opened_at >= now - WINDOW,
        )
        .group_by(IncidentGroup.id)
    )
    rows = db.writing().execute(query) if members else ()
    return {group_id: members[group_id] for group_id, count in rows if count == len(members[group_id])}


def _found(shared: Shared, members: list[Incident], young: dict[int, list[Incident]], now: datetime) -> None:
    for group_id, others in list(young.items()):
        if len(others) < len(members) and all(shared in shared_by(one) for one in others):
            absorbed = db.writing().get_one(IncidentGroup, group_id)
            absorbed.open_key, absorbed.resolved_at = None, now
            audit.record(KEEPER, "incident_group.absorb", GROUP_OBJECT, group_id)
            members = members + others
            del young[group_id]
    made = _opened(shared, members)
    _join(made, members, now)


def _opened(shared: Shared, members: Sequence[Incident]) -> IncidentGroup:
    """Return the open group under the key: a new one, or the one that another transaction just made."""
    made = IncidentGroup(
        id=new_id(),
        group_key=shared.key,
        open_key=shared.key,
        label=shared.label,
        cause=Counter(one.cause for one in members).most_common(1)[0][0],
        opened_at=min(one.opened_at for one in members),
        member_count=0,
        body_count=0,
    )
    try:
        with db.writing().begin_nested():
            db.writing().add(made)
    except IntegrityError:
        held = _open_groups([shared.key])
        return held[shared.key] if held else _opened(shared, members)  # it may have ended by now
    told = {"key": shared.key, "members": len(members)}
    audit.record(KEEPER, "incident_group.open", GROUP_OBJECT, made.id, told)
    return made


def _join(made: IncidentGroup, members: Sequence[Incident], now: datetime) -> None:
    for one in members:
        one.group_id = made.id
        if one.state is IncidentState.OPEN and one.escalation_level:
            # Whoever heard of it alone hears of the group: recovery is told under the group's key.
            one.escalation_level, one.escalate_at = 0, now
    told = f"{made.label}的多个网页同时出现故障，并入同一组处理"
    add_lines([line(one.id, now, EventKind.GROUPED, told, KEEPER) for one in members])


def _count(group_ids: Iterable[int]) -> None:
    """Write how many incidents and bodies groups have."""
    wanted = set(group_ids)
    query = (
        select(Incident.group_id, func.count(), func.count(Incident.body_id.distinct()))
        .where(Incident.group_id.in_(wanted))
        .group_by(Incident.group_id)
    )
    counts = {row[0]: (row[1], row[2]) for row in db.writing().execute(query)} if wanted else {}
    for group_id in sorted(wanted):
        made = db.writing().get_one(IncidentGroup, group_id)
        made.member_count, made.body_count = counts.get(group_id, (0, 0))
    db.writing().flush()
