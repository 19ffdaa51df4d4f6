"""What the capability tells others: frozen, no rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.mobile_access.domain import ChannelState, CheckVerdict, State, Theme


@dataclass(frozen=True, slots=True)
class ChannelEntry:
    """How far a page has come on one channel.

    Attributes:
        reviewer: actor of the last decision, ``""`` before the first; ``reason`` what was said.
    """

    kind: str
    state: ChannelState
    reviewer: str
    reason: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class PageView:
    """A registered page as staff may see it.

    Attributes:
        served: residents find it now.
        down_since: start of the outage under way, None when there is none.
        has_contact: a contact person is sealed; ask :func:`service.contact` for it.
    """

    id: int
    body_id: int
    name: str
    url: str
    theme: Theme
    description: str
    hotline: str
    elder_url: str
    health_url: str
    domains: tuple[str, ...]
    icp_number: str
    name_reason: str
    state: State
    version: int
    served: bool
    down_since: datetime | None
    suspension_reason: str
    first_online_at: datetime | None
    has_contact: bool
    created_at: datetime
    changed_at: datetime
    channels: tuple[ChannelEntry, ...]


@dataclass(frozen=True, slots=True)
class PageList:
    """One page of a listing; ``next_cursor`` is None at the end."""

    items: list[PageView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class PublishedPage:
    """A page as residents find it; ``available`` is False while it is down and its entry hidden."""

    id: int
    name: str
    description: str
    theme: Theme
    hotline: str
    body_id: int
    body_name: str
    region_code: str
    region_name: str
    available: bool = True


@dataclass(frozen=True, slots=True)
class PublishedList:
    """One page of what is published; ``next_cursor`` is None at the end."""

    items: list[PublishedPage]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a menu entry or search hit leads.

    Attributes:
        url: address of the department's page; open it only when ``available``.
        notice: why it is not, for residents, Chinese; ``""`` when it is available.
    """

    page: PublishedPage
    url: str
    elder_url: str
    available: bool
    notice: str


@dataclass(frozen=True, slots=True)
class WatchedPage:
    """A page that must be probed.

    Attributes:
        state: ``online`` or ``degraded``.
        down_since: start of the outage under way, None when there is none.
    """

    id: int
    body_id: int
    name: str
    url: str
    health_url: str
    state: State
    down_since: datetime | None


@dataclass(frozen=True, slots=True)
class CheckView:
    """One check without its report; ``verdict`` is None until it has finished."""

    id: int
    page_id: int
    number: int
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    spec_version: str
    profile: str
    verdict: CheckVerdict | None
    counts: Mapping[str, int]
    artifact: str | None


@dataclass(frozen=True, slots=True)
class CheckReport:
    """A check with its report as stored (JSON); None until there is one."""

    check: CheckView
    report: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """One body or city of annex 3 and how it stands.

    Attributes:
        met: a page of the body (of a city: of any body there) is served to residents now.
        first_online_on: Guangdong day when one first was, None when never.
        late: not met and the deadline is past, or first met after it.
    """

    batch: int
    label: str
    deadline: date | None
    body_id: int
    body_name: str
    region_code: str
    met: bool
    first_online_on: date | None
    late: bool
