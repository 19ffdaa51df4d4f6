"""What the capability tells others: frozen, no rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.mobile_access.domain import (
    Answer,
    ChannelState,
    CheckKind,
    CheckVerdict,
    GraceOutcome,
    State,
    Theme,
    WaiverState,
)
from config.access_spec.versions import PinchZoom
from mobile_pages.artifact import Declaration


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
    signed_in_url: str
    ticket_url: str
    expired_ticket_url: str
    wechat_file: str
    wechat_file_text: str
    alipay_file: str
    may_probe_paths: bool
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
        down: it cannot be reached for the moment and comes back by itself.
        alternatives: what may be used meanwhile, the nearest first.
    """

    page: PublishedPage
    url: str
    elder_url: str
    available: bool
    notice: str
    down: bool = False
    alternatives: tuple[PublishedPage, ...] = ()


@dataclass(frozen=True, slots=True)
class WatchedPage:
    """A page that must be probed.

    Attributes:
        health_url: declared address that answers 200 while the back end works; None when there is none.
        state: ``online`` or ``degraded``.
        down_since: start of the outage under way, None when there is none.
    """

    id: int
    body_id: int
    name: str
    url: str
    health_url: str | None
    state: State
    down_since: datetime | None


@dataclass(frozen=True, slots=True)
class CheckTask:
    """What the job has to look at."""

    run_id: int
    page_id: int
    declaration: Declaration


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of a check.

    Attributes:
        report: the report as JSON, None when the check never came that far; ``counts`` its totals.
        artifact: content address of what was collected, None when nothing was.
    """

    verdict: CheckVerdict
    spec_version: str
    profile: str
    counts: Mapping[str, int]
    report: Mapping[str, Any] | None
    artifact: str | None


@dataclass(frozen=True, slots=True)
class Differences:
    """Codes of rules that moved since the check before; ``must_broken`` are those that block."""

    broken: tuple[str, ...] = ()
    must_broken: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckView:
    """One check without its report; ``verdict`` is None until it has finished.

    Attributes:
        because: what it was for, in words; ``""`` when somebody simply asked.
        differences: None when there is nothing to compare with.
        has_files: artifact and screenshots are still kept.
    """

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
    kind: CheckKind
    because: str
    differences: Differences | None
    has_files: bool


@dataclass(frozen=True, slots=True)
class CheckReport:
    """A check with its report as stored (JSON); None until there is one.

    Attributes:
        previous: the report of the check before; None when there is none to compare with.
    """

    check: CheckView
    report: Mapping[str, Any] | None
    previous: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class SpecView:
    """A version of the access spec (手机版接入规范).

    Attributes:
        grace_days: how long a page that newly fails stays with residents.
        digest: SHA-256 over the rules as they stood when it was published.
        applied_at: since when pages are judged by it; None while it is still to come.
    """

    version: str
    effective_on: date
    grace_days: int
    pinch_zoom: PinchZoom
    changelog: str
    published_by: str = ""
    published_at: datetime | None = None
    digest: str = ""
    applied_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GraceView:
    """A grace time (限期整改): the page stays with residents until ``until_at``."""

    id: int
    page_id: int
    cause: CheckKind
    check_number: int
    spec_version: str
    codes: tuple[str, ...]
    opened_at: datetime
    until_at: datetime
    ended_at: datetime | None
    outcome: GraceOutcome | None


@dataclass(frozen=True, slots=True)
class AffectedPage:
    """A page on which a version of the spec changed the verdict of rules."""

    page_id: int
    page_name: str
    body_name: str
    state: State
    check_number: int
    differences: Differences
    grace: GraceView | None


@dataclass(frozen=True, slots=True)
class WaiverView:
    """Leave to fail a rule until a day (暂缓整改), asked for, given or refused."""

    id: int
    page_id: int
    page_name: str
    code: str
    title: str
    state: WaiverState
    reason: str
    until_on: date
    requested_by: str
    requested_at: datetime
    approver: str
    approved_at: datetime | None
    opinion: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class RulingView:
    """What a person decided on a rule; ``evidence`` is the content address of a file, None without one."""

    code: str
    passed: bool
    self_declared: bool
    answers: tuple[Answer, ...]
    note: str
    evidence: str | None
    evidence_name: str
    evidence_type: str
    actor: str
    at: datetime


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
