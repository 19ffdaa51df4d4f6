"""From conclusions to incidents: what the intake of looks tells is gathered, then written at once.

A provincial gateway that fails takes thousands of pages with it in one batch of looks, so nothing
here is written check by check: :func:`opened`, :func:`failing` and :func:`closed` only gather, and
:func:`settle` writes all of it in a handful of statements at the end of the transaction's work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import insert, select

from app.core import audit, db, outbox
from app.core.ids import new_id
from app.mobile_access import service as mobile_access
from app.monitoring import policy, telling
from app.monitoring.domain import (
    CAUSE_MAX,
    DETAIL_MAX,
    FLAPPING,
    NOTE_MAX,
    OUTCOME_LABELS,
    EventKind,
    IncidentMove,
    IncidentState,
    Outcome,
    Terms,
    cause_label,
    incident_move,
    phase_of,
)
from app.monitoring.models import Incident, IncidentEvent, IncidentGroup, Watch
from app.monitoring.policy import TermsBook
from app.organisations import service as organisations
from mobile_pages.probe.base import ProbeResult

PROBER = "system:prober"
OBJECT = "incident"
TEND_JOB = "monitoring.tend-incidents"

GATHER = timedelta(seconds=20)
"""How long the first notice of an incident waits for others that fail with it."""

CHANGE_SPACING = timedelta(minutes=5)
"""An outage whose cause flickers (timeout, refused, timeout …) says so this often at most."""

_GATHERED = "incidents"


@dataclass(frozen=True, slots=True)
class _Opened:
    row: Watch
    since: datetime
    confirmed_at: datetime
    cause: str
    detail: str
    terms: Terms
    held: bool

    @property
    def check_id(self) -> int:
        return self.row.check_id


@dataclass(frozen=True, slots=True)
class _Failing:
    check_id: int
    result: ProbeResult


@dataclass(frozen=True, slots=True)
class _Closed:
    check_id: int
    at: datetime
    outcome: Outcome
    held: bool


_Told = _Opened | _Failing | _Closed


def opened(
    row: Watch,
    since: datetime,
    confirmed_at: datetime,
    cause: str,
    detail: str,
    terms: Terms,
    *,
    held: bool = False,
) -> None:
    """Note a confirmed outage of a check; :func:`settle` must follow.

    Args:
        held: the check flaps: an incident that is open serves for this outage too.
    """
    _gather(_Opened(row, since, confirmed_at, cause, detail, terms, held))


def failing(check_id: int, result: ProbeResult) -> None:
    """Note a failing look during a confirmed outage, the one that confirmed it included."""
    _gather(_Failing(check_id, result))


def closed(check_id: int, at: datetime, outcome: Outcome, *, held: bool = False) -> None:
    """Note that the outage of a check, if there is one, ended; :func:`settle` must follow.

    Args:
        held: the check flaps: only residents are told, the incident stays open.
    """
    _gather(_Closed(check_id, at, outcome, held))


def settle() -> None:
    """Write what was gathered in the running transaction, in the order it happened."""
    gathered: list[_Told] = db.writing().info.pop(_GATHERED, [])
    if not gathered:
        return
    lasting = _lasting(_touched(gathered))
    lines: list[dict[str, Any]] = []
    groups: set[int] = set()
    moved: list[tuple[Incident, _Opened | _Closed]] = []
    held: dict[int, tuple[Incident, _Opened | _Closed]] = {}
    for one in gathered:
        if isinstance(one, _Opened | _Closed) and one.held and one.check_id in lasting:
            lines += _serve(lasting[one.check_id], one, held)
            continue
        match one:
            case _Opened():
                incident = lasting[one.check_id] = _open(one)
                if one.cause != FLAPPING:
                    moved.append((incident, one))
                lines.append(line(incident.id, one.confirmed_at, EventKind.OPENED, _why(incident)))
            case _Failing() if one.check_id in lasting:
                lines += _look_again(lasting[one.check_id], one.result)
            case _Closed(held=False) if one.check_id in lasting:
                incident = lasting.pop(one.check_id)
                _close(incident, one)
                moved.append((incident, one))
                lines.append(line(incident.id, one.at, EventKind.RESOLVED, OUTCOME_LABELS[one.outcome]))
                if incident.group_id is not None:
                    groups.add(incident.group_id)
    add_lines(lines)
    end_groups(groups)
    _tell_registry([*moved, *held.values()])
    _tell_of_ends([incident for incident, one in moved if isinstance(one, _Closed)])
    _ask_to_tend(gathered)


def _serve(
    incident: Incident, one: _Opened | _Closed, held: dict[int, tuple[Incident, _Opened | _Closed]]
) -> list[dict[str, Any]]:
    """Let an open incident serve for what a check that flaps does; residents are told its last state."""
    if isinstance(one, _Opened) and one.cause == FLAPPING:
        return [line(incident.id, one.confirmed_at, EventKind.CHANGED, cause_label(FLAPPING))]
    held[one.check_id] = incident, one
    return []


def line(incident_id: int, at: datetime, kind: EventKind, text: str, actor: str = PROBER) -> dict[str, Any]:
    """Return a line of a timeline for :func:`add_lines`."""
    return {"incident_id": incident_id, "at": at, "kind": kind, "actor": actor, "text": text[:NOTE_MAX]}


def add_lines(lines: list[dict[str, Any]]) -> None:
    """Add lines to the timelines of incidents; nothing changes or removes one."""
    db.writing().flush()  # the incidents first: lines refer to them
    if lines:
        db.writing().execute(insert(IncidentEvent), lines)


def end_groups(group_ids: Collection[int]) -> None:
    """End those of the groups that have no lasting incident left."""
    if not group_ids:
        return
    # Locked first: of two transactions that close the last two members the later one sees both gone.
    query = select(IncidentGroup).where(IncidentGroup.id.in_(group_ids), IncidentGroup.open_key.is_not(None))
    query = query.order_by(IncidentGroup.id).with_for_update().execution_options(populate_existing=True)
    groups = list(db.writing().scalars(query))
    alive = set(
        db.writing().scalars(
            select(Incident.group_id)
            .where(Incident.group_id.in_([one.id for one in groups]), Incident.open_check_id.is_not(None))
            .distinct()
        )
    )
    ended = [one for one in groups if one.id not in alive]
    last = _last_end([one.id for one in ended])
    for group in ended:
        group.open_key, group.resolved_at = None, last[group.id]
    db.writing().flush()


def _last_end(group_ids: Collection[int]) -> dict[int, datetime]:
    query = select(Incident.group_id, Incident.resolved_at).where(Incident.group_id.in_(group_ids))
    ends: dict[int, datetime] = {}
    for group_id, at in db.writing().execute(query) if group_ids else ():
        if group_id is not None and at is not None:
            ends[group_id] = max(at, ends.get(group_id, at))
    return ends


def _gather(one: _Told) -> None:
    db.writing().info.setdefault(_GATHERED, []).append(one)


def _touched(gathered: Iterable[_Told]) -> set[int]:
    """Return the checks whose lasting incident must be changed; most failing looks change nothing."""
    closing = {one.check_id for one in gathered if isinstance(one, _Closed | _Opened) and _serves(one)}
    causes = {one.check_id: one.result.cause for one in gathered if isinstance(one, _Failing)}
    known = select(Incident.check_id, Incident.cause).where(Incident.open_check_id.in_(causes))
    rows = db.writing().execute(known) if causes else ()
    return closing | {check_id for check_id, cause in rows if cause != causes[check_id][:CAUSE_MAX]}


def _serves(one: _Opened | _Closed) -> bool:
    return isinstance(one, _Closed) or one.held


def _lasting(check_ids: Collection[int]) -> dict[int, Incident]:
    """Return the incidents of these checks that last, locked in the order of their keys."""
    query = (
        select(Incident)
        .where(Incident.open_check_id.in_(check_ids))
        .order_by(Incident.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.check_id: row for row in db.writing().scalars(query)} if check_ids else {}


def _open(one: _Opened) -> Incident:
    row = one.row
    incident = Incident(
        id=new_id(),
        check_id=row.check_id,
        open_check_id=row.check_id,
        page_id=row.page_id,
        kind=row.kind,
        state=IncidentState.OPEN,
        phase=phase_of(one.cause),
        escalation_level=0,
        escalate_at=one.confirmed_at + GATHER,
        body_id=row.body_id,
        page_name=row.name,
        cause=one.cause[:CAUSE_MAX],
        detail=one.detail[:DETAIL_MAX],
        cause_at=one.confirmed_at,
        evidence=_known(row),
        started_at=one.since,
        opened_at=one.confirmed_at,
    )
    db.writing().add(incident)
    told = {"page_id": str(row.page_id), "started_at": one.since.isoformat(), "cause": one.cause}
    audit.record(PROBER, "incident.open", OBJECT, incident.id, told)
    return incident


def _known(row: Watch) -> dict[str, Any]:
    """Return what was known of a check before it failed: where it stood, with which certificate."""
    facts = row.facts or {}
    known = {
        "addresses": facts.get("addresses"),
        "certificate": (facts.get("certificate") or {}).get("fingerprint"),
    }
    place = {"host": urlsplit(row.url).hostname or "", "url": row.url}
    return place | {name: value for name, value in known.items() if value}


def _look_again(incident: Incident, result: ProbeResult) -> list[dict[str, Any]]:
    """Keep the look that confirmed the outage as evidence; note a cause that is another one now."""
    if "status" not in incident.evidence:
        incident.evidence = incident.evidence | _evidence(result)
    cause = result.cause[:CAUSE_MAX]
    if cause == incident.cause or result.started_at < incident.cause_at + CHANGE_SPACING:
        return []
    incident.cause, incident.detail = cause, result.detail[:DETAIL_MAX]
    incident.phase, incident.cause_at = phase_of(cause), result.started_at
    return [line(incident.id, result.started_at, EventKind.CHANGED, _why(incident))]


def _evidence(result: ProbeResult) -> dict[str, Any]:
    ends = result.cert_not_after
    return {
        "status": result.status,
        "address": result.address,
        "final_url": result.final_url,
        "redirects": result.redirects,
        "body_bytes": result.body_bytes,
        "cert_not_after": ends and ends.isoformat(),
        "looked_at": result.started_at.isoformat(),
    }


def _why(incident: Incident) -> str:
    return incident.detail or f"{cause_label(incident.cause)}。"


def _close(incident: Incident, one: _Closed) -> None:
    incident.open_check_id, incident.resolved_at, incident.outcome = None, one.at, one.outcome
    incident.state = incident_move(incident.state, IncidentMove.RESOLVE)
    incident.escalate_at = None
    told = {
        "page_id": str(incident.page_id),
        "resolved_at": one.at.isoformat(),
        "outcome": one.outcome.value,
    }
    audit.record(PROBER, "incident.close", OBJECT, incident.id, told)


def _tell_registry(moved: Sequence[tuple[Incident, _Opened | _Closed]]) -> None:
    """Let the registry hide and show entries; last, because it writes page by page."""
    if not moved:
        return
    rules = policy.terms_of_bodies(max(incident.opened_at for incident, _ in moved))
    hiding = [(incident, one) for incident, one in moved if hides(incident, rules)]
    back = [
        (incident, one)
        for incident, one in hiding
        if isinstance(one, _Closed) and one.outcome is not Outcome.UNWATCHED
    ]
    still_down = _down_pages([incident for incident, _ in back], rules)
    hidden = mobile_access.hidden(incident.page_id for incident, _ in back)
    lines = hiding_lines(incident for incident, _ in back)
    for incident, one in hiding:
        if isinstance(one, _Opened):
            grace = timedelta(seconds=rules.rules_of(incident.body_id).grace_seconds)
            mobile_access.probe_failed(incident.page_id, one.since, one.cause, grace=grace)
    for incident, ended in back:
        if incident.page_id in still_down:
            continue
        mobile_access.probe_recovered(incident.page_id, ended.at)
        if incident.page_id in hidden:
            lines.append(line(incident.id, ended.at, EventKind.SHOWN, "居民重新看到入口"))
    add_lines(lines)


def hides(incident: Incident, rules: TermsBook) -> bool:
    """Tell whether an incident of its kind hides the page's entry from residents."""
    return incident.kind in rules.rules_of(incident.body_id).hide_kinds


def _down_pages(back: Collection[Incident], rules: TermsBook) -> set[int]:
    """Return those of the pages of incidents that are over that another lasting one keeps hidden."""
    query = select(Incident).where(
        Incident.page_id.in_({one.page_id for one in back}),
        Incident.id.not_in([one.id for one in back]),
        Incident.open_check_id.is_not(None),
    )
    lasting = db.writing().scalars(query) if back else ()
    return {one.page_id for one in lasting if hides(one, rules)}


def hiding_lines(hiding: Iterable[Incident]) -> list[dict[str, Any]]:
    """Return the lines that say since when residents do not see the entries, where none says so yet."""
    of_page = {one.page_id: one for one in hiding}
    hidden = mobile_access.hidden(of_page)
    ids = [of_page[page_id].id for page_id in hidden]
    query = select(IncidentEvent.incident_id).where(
        IncidentEvent.incident_id.in_(ids), IncidentEvent.kind == EventKind.HIDDEN
    )
    noted = set(db.writing().scalars(query)) if ids else set()
    return [
        line(one.id, since, EventKind.HIDDEN, "超过宽限时间，居民不再看到入口")
        for page_id, since in hidden.items()
        if (one := of_page[page_id]).id not in noted
    ]


def _tell_of_ends(ended: Sequence[Incident]) -> None:
    """Tell bodies that heard of an outage that it is over, of a group once their last one is."""
    heard = [one for one in ended if one.escalation_level > 0 and one.resolved_at is not None]
    grouped = {one.group_id for one in heard if one.group_id is not None}
    query = select(Incident.group_id, Incident.body_id).where(
        Incident.group_id.in_(grouped), Incident.open_check_id.is_not(None)
    )
    waiting = {tuple(row) for row in db.writing().execute(query.distinct())} if grouped else set()
    groups = {
        one.id: one
        for one in db.writing().scalars(select(IncidentGroup).where(IncidentGroup.id.in_(grouped)))
    }
    places = organisations.places({one.body_id for one in heard})
    together: dict[tuple[int, int], list[Incident]] = defaultdict(list)
    for one in heard:
        if (one.group_id, one.body_id) not in waiting:
            together[one.group_id or one.id, one.body_id].append(one)
    for (_, body_id), members in together.items():
        at = max(one.resolved_at or one.opened_at for one in members)
        telling.resolved(members, groups.get(members[0].group_id or 0), places.get(body_id), at)


def _ask_to_tend(gathered: Iterable[_Told]) -> None:
    """Have new incidents grouped and told once those that fail with them had time to show."""
    begun = [one.confirmed_at for one in gathered if isinstance(one, _Opened)]
    if begun:
        due = max(begun) + GATHER
        key = f"{TEND_JOB}:{due.timestamp() // GATHER.total_seconds():.0f}"
        outbox.enqueue(TEND_JOB, {}, dedup_key=key, run_at=due)
