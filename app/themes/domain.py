"""The life of a theme's version and of a theme application (主题主办件). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Set
from enum import StrEnum
from graphlib import TopologicalSorter
from typing import NamedTuple

from app.core.errors import Conflict

CODE_MAX = 40
NAME_MAX = 60
REASON_MAX = 1000
JOINT_DAYS = 45
"""Working days for authorities that act jointly (统一办理、联合办理、集中办理). Source: 行政许可法 42, 26."""

JOINT_EXTENSION_DAYS = 15
"""Working days by which a joint decision may be put off, once. Source: 行政许可法 42."""


class VersionState(StrEnum):
    """States of a theme's version; what was published is never changed."""

    DRAFT = "draft"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    RETIRED = "retired"


VERSION_LABELS: Mapping[VersionState, str] = {
    VersionState.DRAFT: "编制中",
    VersionState.PUBLISHED: "已发布",
    VersionState.SUPERSEDED: "被新版本取代",
    VersionState.RETIRED: "已停用",
}


class RelationKind(StrEnum):
    """事项关联 inside a theme: ``item`` first, then ``other``; parallel has no order."""

    PREREQUISITE = "prerequisite"
    PARALLEL = "parallel"
    RESULT_FEEDS = "result_feeds"


RELATION_LABELS: Mapping[RelationKind, str] = {
    RelationKind.PREREQUISITE: "前置",
    RelationKind.PARALLEL: "并联",
    RelationKind.RESULT_FEEDS: "结果共享",
}


class State(StrEnum):
    """States of a theme application, values as in ``config/notice/state_machines.yaml``."""

    DRAFT = "draft"
    SPLIT = "split"
    RUNNING = "running"
    WAITING_PREREQUISITE = "waiting_prerequisite"
    COMPLETED = "completed"
    PARTLY_COMPLETED = "partly_completed"
    WITHDRAWN = "withdrawn"


STATE_LABELS: Mapping[State, str] = {
    State.DRAFT: "草稿",
    State.SPLIT: "已拆分分发",
    State.RUNNING: "并联办理中",
    State.WAITING_PREREQUISITE: "等待前置事项",
    State.COMPLETED: "全部办结",
    State.PARTLY_COMPLETED: "部分办结",
    State.WITHDRAWN: "撤回",
}
ENDED = frozenset({State.COMPLETED, State.PARTLY_COMPLETED, State.WITHDRAWN})


class Event(StrEnum):
    """What moves a theme application from one state to another."""

    SUBMIT = "submit"
    DISCARD = "discard"
    DISTRIBUTE = "distribute"
    ONLY_BLOCKED_LEFT = "only_blocked_left"
    PREREQUISITE_DONE = "prerequisite_done"
    ALL_GRANTED = "all_granted"
    ALL_ENDED_SOME_REFUSED = "all_ended_some_refused"
    PREREQUISITE_REFUSED = "prerequisite_refused"
    WITHDRAW = "withdraw"


EVENT_LABELS: Mapping[Event, str] = {
    Event.SUBMIT: "提交申请",
    Event.DISCARD: "放弃草稿",
    Event.DISTRIBUTE: "分送各办理单位",
    Event.ONLY_BLOCKED_LEFT: "等待前置事项办完",
    Event.PREREQUISITE_DONE: "前置事项办完，后续事项开始办理",
    Event.ALL_GRANTED: "全部办结",
    Event.ALL_ENDED_SOME_REFUSED: "全部结束，其中有的没有办成",
    Event.PREREQUISITE_REFUSED: "前置事项没有办成，后续事项退回",
    Event.WITHDRAW: "撤回申请",
}


class Who(StrEnum):
    """Who may cause a move: the applicant, or the system by what the sub-cases come to."""

    RESIDENT = "R"
    CLOCK = "T"


class Move(NamedTuple):
    """One allowed move."""

    state: State
    event: Event
    to: State
    who: Who


_R, _T = Who.RESIDENT, Who.CLOCK
MOVES = (
    Move(State.DRAFT, Event.SUBMIT, State.SPLIT, _R),
    Move(State.DRAFT, Event.DISCARD, State.WITHDRAWN, _R),
    Move(State.SPLIT, Event.DISTRIBUTE, State.RUNNING, _T),
    Move(State.RUNNING, Event.ONLY_BLOCKED_LEFT, State.WAITING_PREREQUISITE, _T),
    Move(State.WAITING_PREREQUISITE, Event.PREREQUISITE_DONE, State.RUNNING, _T),
    Move(State.RUNNING, Event.ALL_GRANTED, State.COMPLETED, _T),
    Move(State.RUNNING, Event.ALL_ENDED_SOME_REFUSED, State.PARTLY_COMPLETED, _T),
    Move(State.WAITING_PREREQUISITE, Event.PREREQUISITE_REFUSED, State.PARTLY_COMPLETED, _T),
    Move(State.RUNNING, Event.WITHDRAW, State.WITHDRAWN, _R),
    Move(State.WAITING_PREREQUISITE, Event.WITHDRAW, State.WITHDRAWN, _R),
)
"""The whole machine. Source: config/notice/state_machines.yaml, ``theme_application``."""

_BY_START = {(move.state, move.event): move for move in MOVES}


class MoveNotAllowed(Conflict):
    """The theme application stands where this cannot be done."""

    code = "theme_move_not_allowed"
    title = "主题办件当前状态不能这样操作"
    title_en = "Not possible in the theme application's current state"


class VersionMoveNotAllowed(Conflict):
    """The theme's version stands where this cannot be done."""

    code = "theme_version_move_not_allowed"
    title = "主题版本当前状态不能这样操作"
    title_en = "Not possible in the theme version's current state"


class ThemeChanged(Conflict):
    """The theme, or an item in it, has a newer version than the draft was written for."""

    code = "theme_changed"
    title = "这个主题的办理要求有更新，请核对后再提交"
    title_en = "The theme has changed; check the draft and submit again"


class ThemeClosed(Conflict):
    """The theme cannot be applied for in this place now."""

    code = "theme_closed"
    title = "这个主题现在不能在这个地区网上申请"
    title_en = "The theme is not open for applications in this place"


def move(state: State, event: Event, who: Who) -> Move:
    """Return the move that ``event`` by ``who`` makes from ``state``.

    Raises:
        MoveNotAllowed: the table has no such move, or it is not theirs to make.
    """
    found = _BY_START.get((state, event))
    if found is None or found.who is not who:
        raise MoveNotAllowed(f"主题办件处于“{STATE_LABELS[state]}”，不能“{EVENT_LABELS[event]}”")
    return found


def may_move(state: State, event: Event) -> bool:
    """Tell whether the table lets ``event`` happen in ``state``."""
    return (state, event) in _BY_START


class PartStatus(StrEnum):
    """Where one item of a theme application stands.

    ``needs_applicant``: the sub-case is a draft, since the item has changed and asks for more.
    ``returned``: never opened, because what had to come first was not granted.
    """

    WAITING = "waiting"
    OPEN = "open"
    NEEDS_APPLICANT = "needs_applicant"
    GRANTED = "granted"
    REFUSED = "refused"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


PART_LABELS: Mapping[PartStatus, str] = {
    PartStatus.WAITING: "等前置事项办完后自动提交",
    PartStatus.OPEN: "办理中",
    PartStatus.NEEDS_APPLICANT: "需要您补充后提交",
    PartStatus.GRANTED: "已办成",
    PartStatus.REFUSED: "没有办成",
    PartStatus.RETURNED: "退回，没有办理",
    PartStatus.WITHDRAWN: "已撤回",
}
ACTIVE = frozenset({PartStatus.OPEN, PartStatus.NEEDS_APPLICANT})
LEFT = ACTIVE | {PartStatus.WAITING}

Needs = Mapping[str, Set[str]]
"""Per item, which items of the same application must be granted before it."""
Statuses = Mapping[str, PartStatus]


def ready(statuses: Statuses, needs: Needs) -> list[str]:
    """Return the waiting items whose prerequisites are all granted."""
    return [
        item
        for item, status in statuses.items()
        if status is PartStatus.WAITING
        and all(statuses[one] is PartStatus.GRANTED for one in needs.get(item, ()))
    ]


def lost(statuses: Statuses, needs: Needs) -> dict[str, str]:
    """Return the waiting items that can never be opened, with the item that was not granted; in order."""
    found: dict[str, str] = {}
    for item in TopologicalSorter({one: needs.get(one, frozenset()) for one in statuses}).static_order():
        if statuses[item] is not PartStatus.WAITING:
            continue
        for one in sorted(needs.get(item, ())):
            if one in found or statuses[one] not in LEFT | {PartStatus.GRANTED}:
                found[item] = one
                break
    return found


def next_event(state: State, statuses: Statuses, needs: Needs, *, opened: bool) -> Event | None:
    """Return what the sub-cases make happen next; None when the theme application stands right.

    Args:
        opened: a sub-case was opened since the state was last looked at.
    """
    left = {item for item, status in statuses.items() if status in LEFT}
    if state is State.SPLIT:
        return Event.DISTRIBUTE
    if state is State.RUNNING and left:
        return Event.ONLY_BLOCKED_LEFT if _only_blocked(statuses, needs) else None
    if state is State.RUNNING:
        granted = all(status is PartStatus.GRANTED for status in statuses.values())
        return Event.ALL_GRANTED if granted else Event.ALL_ENDED_SOME_REFUSED
    if state is State.WAITING_PREREQUISITE:
        if opened or (left and not _only_blocked(statuses, needs)):
            return Event.PREREQUISITE_DONE
        return None if left else Event.PREREQUISITE_REFUSED
    return None


def _only_blocked(statuses: Statuses, needs: Needs) -> bool:
    """Tell whether everything left is blocked, or is what the blocked ones wait for."""
    blocked = {item for item, status in statuses.items() if status is PartStatus.WAITING}
    awaited = set(blocked)
    while more := {one for item in awaited for one in needs.get(item, ())} - awaited:
        awaited |= more
    return bool(blocked) and all(item in awaited for item, status in statuses.items() if status in LEFT)
