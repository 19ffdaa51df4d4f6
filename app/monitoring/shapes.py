"""What the watch tells others: frozen, no rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from app.monitoring.causes import Diagnosis
from app.monitoring.domain import CheckKind, EventKind, IncidentState, OrderState, Outcome
from app.organisations.service import BodyView
from mobile_pages.probe.base import Condition, Verdict
from mobile_pages.probe.uptime import Tally


@dataclass(frozen=True, slots=True)
class PageWatch:
    """One watched page as it stands now.

    Attributes:
        condition: ``unknown`` also when no look has come for too long.
        since: when the condition began; an outage is dated back to the first failing look.
        sampled_at: when the newest look began, ``total_ms`` how long it took; None before the first.
        watched: False once the page is no longer online.
        certificate_days: whole days until its certificate ends; None when none was seen.
        p95_ms: yesterday's 95th percentile; None when it was not asked for or nothing was open.
    """

    page_id: int
    body_id: int
    name: str
    url: str
    watched: bool
    condition: Condition
    since: datetime
    cause: str
    sampled_at: datetime | None
    total_ms: int | None
    certificate_days: int | None = None
    p95_ms: float | None = None


@dataclass(frozen=True, slots=True)
class IncidentView:
    """A confirmed outage; ``resolved_at`` and ``outcome`` are None while it lasts."""

    id: int
    page_id: int
    body_id: int
    page_name: str
    cause: str
    detail: str
    started_at: datetime
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    outcome: Outcome | None
    check_id: int
    kind: CheckKind
    state: IncidentState
    phase: str
    group_id: int | None
    assigned_to: int | None
    escalation_level: int
    escalate_at: datetime | None

    def lasted_seconds(self, now: datetime) -> int:
        """Return how long the page was down, until ``now`` when it still is."""
        return max(0, int(((self.resolved_at or now) - self.started_at).total_seconds()))


@dataclass(frozen=True, slots=True)
class IncidentList:
    """One page of a listing, newest first; ``next_after`` is None at the end."""

    items: list[IncidentView]
    next_after: int | None


@dataclass(frozen=True, slots=True)
class IncidentFigures:
    """Figures of incidents over a stretch of time.

    Attributes:
        down_minutes: summed over incidents, each clipped to the stretch.
        mtta_minutes: mean time from confirmation to acknowledgement; None when none was acknowledged.
        mttr_minutes: mean time from the first failing look to recovery; None when none recovered.
    """

    count: int
    down_minutes: float
    mtta_minutes: float | None
    mttr_minutes: float | None


@dataclass(frozen=True, slots=True)
class EventView:
    """One line of an incident's timeline; ``who`` is a name, ``""`` for the hall itself."""

    at: datetime
    kind: EventKind
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group of incidents as one person may see it.

    Attributes:
        seen: how many of ``member_count`` lie in that person's scope; the others are only counted.
    """

    id: int
    label: str
    cause: str
    opened_at: datetime
    resolved_at: datetime | None
    member_count: int
    body_count: int
    seen: int

    @property
    def others(self) -> int:
        return max(0, self.member_count - self.seen)


@dataclass(frozen=True, slots=True)
class GroupDetail:
    """A group with those of its incidents that one may see, the last opened first."""

    group: GroupView
    incidents: list[IncidentView]
    next_after: int | None


@dataclass(frozen=True, slots=True)
class OrderView:
    """A reform order (整改通知).

    Attributes:
        facts: what the paper states.
        printed: the PDF is there.
    """

    id: int
    year: int
    number: int
    incident_id: int
    body_id: int
    state: OrderState
    facts: Mapping[str, Any]
    demands: str
    due_on: date
    ordered_at: datetime
    ordered_by: str
    remedy: str
    evidence_note: str
    answered_at: datetime | None
    answered_by: str | None
    decision_reason: str
    decided_at: datetime | None
    decided_by: str | None
    printed: bool
    version: int

    @property
    def label(self) -> str:
        return f"〔{self.year}〕{self.number}号"


@dataclass(frozen=True, slots=True)
class OrderList:
    """One page of reform orders, newest first; ``next_after`` is None at the end."""

    items: list[OrderView]
    next_after: int | None


@dataclass(frozen=True, slots=True)
class IncidentDetail:
    """An incident with all that helps to understand it.

    Attributes:
        evidence: what the confirming look found, plain JSON values.
        looks: the last looks at the check up to its end, oldest first.
        people: who may be asked to deal with it, by id.
        orders: reform orders about it, newest first.
    """

    at: datetime
    incident: IncidentView
    body: BodyView
    diagnosis: Diagnosis
    evidence: Mapping[str, Any]
    timeline: list[EventView]
    looks: list[SampleView]
    group: GroupView | None
    acknowledged_by: str
    assigned_to: str
    people: Mapping[int, str]
    orders: list[OrderView]


@dataclass(frozen=True, slots=True)
class SampleView:
    """One look; phases in milliseconds."""

    at: datetime
    verdict: Verdict
    cause: str
    http_status: int | None
    dns_ms: int
    connect_ms: int
    tls_ms: int
    first_byte_ms: int
    total_ms: int

    @property
    def transfer_ms(self) -> int:
        """What is left of the total after the other phases."""
        known = self.dns_ms + self.connect_ms + self.tls_ms + self.first_byte_ms
        return max(0, self.total_ms - known)


@dataclass(frozen=True, slots=True)
class WindowFigure:
    """Availability over one stretch of days that ends now.

    Attributes:
        name: ``today``, ``7d`` or ``30d``.
        start: beginning of the first day, Guangdong time.
        tally: pooled seconds of all pages asked about, each from the day it was first watched.
    """

    name: str
    label: str
    start: datetime
    end: datetime
    page_count: int
    tally: Tally

    @property
    def availability_rate(self) -> float | None:
        return self.tally.availability_rate

    @property
    def coverage_rate(self) -> float | None:
        return self.tally.coverage_rate

    @property
    def down_seconds(self) -> int:
        return int(self.tally.down.total_seconds())


@dataclass(frozen=True, slots=True)
class Counts:
    """How many watched pages stand how."""

    up: int = 0
    degraded: int = 0
    down: int = 0
    unknown: int = 0

    @property
    def pages(self) -> int:
        return self.up + self.degraded + self.down + self.unknown


@dataclass(frozen=True, slots=True)
class Status:
    """What everybody may know: counts only."""

    counts: Counts
    open_incidents: int
    watching: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class GroupStanding:
    """How the pages of a city, or of all provincial bodies (``""``), stand."""

    city_code: str
    name: str
    counts: Counts
    open_incidents: int


@dataclass(frozen=True, slots=True)
class PublicIncident:
    """An outage as residents may read of it."""

    incident: IncidentView
    body_name: str


@dataclass(frozen=True, slots=True)
class PublicNotice:
    """Announced maintenance as residents may read of it; ``id`` and ``starts_at`` tell it from others."""

    id: int
    place: str
    title: str
    text: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Badge:
    """How one page stands, in two words."""

    name: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class ProberView:
    """A prober's own health as it last told it; ``alive`` when that was a moment ago."""

    name: str
    alive: bool
    seen_at: datetime
    own_network_ok: bool
    lag_p99_ms: int
    targets: int
    looks: int
    missed: int
    waiting: int
    lost: int
    running: int
    spooled: int


@dataclass(frozen=True, slots=True)
class Tile:
    """A city or body on the wall; ``worst`` is None when no page of it is watched."""

    key: str
    name: str
    counts: Counts
    worst: Condition | None


@dataclass(frozen=True, slots=True)
class Wall:
    """Everything that the wall shows.

    Attributes:
        province_wide: the viewer sees the whole province; otherwise tiles of others are left out.
        bare_bodies: provincial bodies without a watched page, for which there is no tile.
    """

    at: datetime
    status: Status
    today: WindowFigure
    cities: list[Tile]
    departments: list[Tile]
    bare_bodies: int
    province_wide: bool
    incidents: list[IncidentView]
    bodies: Mapping[int, BodyView] = field(repr=False)
    probers: list[ProberView]


@dataclass(frozen=True, slots=True)
class CityWatch:
    """One city: its bodies as tiles, its pages worst first."""

    at: datetime
    code: str
    name: str
    counts: Counts
    windows: list[WindowFigure]
    tiles: list[Tile]
    pages: list[PageWatch]
    incidents: list[IncidentView]
    bodies: Mapping[int, BodyView] = field(repr=False)


@dataclass(frozen=True, slots=True)
class BodyWatch:
    """One body: its pages worst first."""

    at: datetime
    body: BodyView
    city_code: str | None
    city_name: str
    counts: Counts
    windows: list[WindowFigure]
    pages: list[PageWatch]
    incidents: list[IncidentView]
