"""Writing and reviewing items as staff may: scope, role, optimistic versions, the machine's ``who``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from app.catalogue import standing, versions
from app.catalogue.content import Content, from_json
from app.catalogue.domain import (
    VERSION_MOVES,
    CaseType,
    Domain,
    ItemType,
    VersionEvent,
    VersionMoveNotAllowed,
    VersionState,
    version_move,
)
from app.catalogue.models import ItemDirectory, ItemImplementation, ItemVersion
from app.catalogue.vetting import clean_bases
from app.core import audit, db
from app.core.access import Permission
from app.core.clock import day_of
from app.core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from app.organisations import service as organisations
from app.organisations.service import Principal

OpenCases = Callable[[int], int]
"""Tells how many cases of a version are open."""

_PERMISSIONS: Mapping[str, Permission] = {
    "D": Permission.ITEMS_EDIT,
    "P": Permission.ITEMS_REVIEW,
    "S": Permission.ITEMS_REVIEW,
}
"""Who may make a move of the machine by hand; nobody makes those of the clock."""
_BY_ITSELF = frozenset({VersionEvent.EDIT})
FINISHED = frozenset(
    {VersionState.PUBLISHED, VersionState.SUSPENDED, VersionState.SUPERSEDED, VersionState.RETIRED}
)
WRITABLE = frozenset({VersionState.DRAFT, VersionState.RETURNED})


@dataclass(frozen=True, slots=True)
class NewDirectory:
    """An item of the directory (基本目录) as somebody writes it."""

    code: str
    code_scheme: str
    name: str
    item_type: ItemType
    domain: Domain
    legal_basis: Sequence[Mapping[str, str]]
    sample: bool = False


def create_directory(by: Principal, new: NewDirectory, *, now: datetime) -> int:
    """Add an item to the directory; return its id.

    Raises:
        Conflict: the code is taken.
    """
    if versions.find_directory(new.code_scheme, new.code) is not None:
        raise Conflict("这个基本编码已经有了", fields={"code": ["这个基本编码已经有了"]})
    return versions.add_directory(
        code=new.code,
        code_scheme=new.code_scheme,
        name=new.name,
        item_type=new.item_type,
        domain=new.domain,
        legal_basis=clean_bases(new.legal_basis),
        sample=new.sample,
        actor=by.actor,
        now=now,
    )


def change_directory(by: Principal, directory_id: int, new: NewDirectory, *, version: int) -> None:
    """Change an item of the directory; its code stays.

    Raises:
        NotFound: no such item.
        Stale: somebody changed it meanwhile.
        Invalid: the code is another.
    """
    row = db.writing().get(ItemDirectory, directory_id, with_for_update=True)
    if row is None:
        raise NotFound("没有这个事项")
    if row.version != version:
        raise Stale
    if (new.code, new.code_scheme) != (row.code, row.code_scheme):
        raise Invalid("基本编码不能改", fields={"code": ["基本编码不能改"]})
    row.name, row.item_type, row.domain = new.name, new.item_type, new.domain
    row.legal_basis = clean_bases(new.legal_basis)
    row.version += 1
    audit.record(by.actor, "catalogue.item_changed", "item_directory", row.id, {"code": row.code})
    standing.touch_directory(row.id)
    versions.reindex(row.id)


def create_implementation(
    by: Principal,
    directory_id: int,
    *,
    body_id: int,
    region_code: str,
    code: str,
    code_scheme: str,
    now: datetime,
) -> int:
    """Say that a body of one's own carries an item out; return the implementation's id.

    Raises:
        NotFound: no such item, or no such body in the caller's scope.
        Invalid: the region does not lie within the body's.
        Conflict: the body carries it out there already, or the code is taken.
    """
    if db.writing().get(ItemDirectory, directory_id) is None:
        raise NotFound("没有这个事项")
    _demand(by, Permission.ITEMS_EDIT, body_id, "没有这个单位，或不在您的管理范围")
    if region_code not in regions_within(organisations.get_body(body_id).region_code):
        raise Invalid("地区不在单位的辖区内", fields={"region_code": ["地区不在单位的辖区内"]})
    taken = select(ItemImplementation.id).where(
        ItemImplementation.code_scheme == code_scheme, ItemImplementation.code == code
    )
    if db.writing().scalar(taken) is not None:
        raise Conflict("这个实施编码已经有了", fields={"code": ["这个实施编码已经有了"]})
    there = select(ItemImplementation.id).where(
        ItemImplementation.directory_id == directory_id,
        ItemImplementation.body_id == body_id,
        ItemImplementation.region_code == region_code,
    )
    if db.writing().scalar(there) is not None:
        raise Conflict("这个单位在这个地区已经有这个事项", fields={"body_id": ["已经有这个事项"]})
    return versions.add_implementation(
        directory_id,
        body_id=body_id,
        region_code=region_code,
        code=code,
        code_scheme=code_scheme,
        actor=by.actor,
        now=now,
    )


def regions_within(region_code: str) -> set[str]:
    """Return the codes of a region and of all that lie within it."""
    found = {region_code}
    for region in organisations.regions():  # by code: what lies within comes after
        if region.parent_code in found:
            found.add(region.code)
    return found


def begin_version(by: Principal, implementation_id: int, *, now: datetime) -> int:
    """Draft the next version from the present one; return its id.

    The first one begins with what another place says of the same item, where one does.

    Raises:
        NotFound: no such implementation in the caller's scope.
        Forbidden: the caller does not write its items.
        Conflict: one is being written already.
    """
    implementation = _implementation(by, implementation_id)
    newest = newest_version(implementation_id)
    if newest is not None and newest.state not in FINISHED:
        raise Conflict("已经有一个没有完成的版本")
    base = newest or _example(implementation.directory_id)
    if base is None:
        directory = db.writing().get_one(ItemDirectory, implementation.directory_id)
        content, form = blank(directory.name), None
    else:
        content, form = from_json(base.content), base.form
    return versions.draft_version(
        implementation_id, content, form, effective_on=day_of(now), actor=by.actor, now=now
    )


def newest_version(implementation_id: int) -> ItemVersion | None:
    """Return the newest version of an implementation, locked; None when there is none."""
    query = (
        select(ItemVersion)
        .where(ItemVersion.implementation_id == implementation_id)
        .order_by(ItemVersion.number.desc())
        .limit(1)
        .with_for_update()
    )
    return db.writing().scalar(query)


def _example(directory_id: int) -> ItemVersion | None:
    query = (
        select(ItemVersion)
        .join(ItemImplementation, ItemImplementation.id == ItemVersion.implementation_id)
        .where(ItemImplementation.directory_id == directory_id, ItemVersion.live == 1)
        .order_by(ItemImplementation.region_code, ItemImplementation.id)
        .limit(1)
    )
    return db.writing().scalar(query)


def blank(name: str) -> Content:
    """Return what a version begins with when nobody carries the item out yet."""
    return Content(
        name=name,
        summary="",
        served=(),
        case_type=CaseType.PROMISED,
        promised_days=0,
        lawful_days=None,
        conditions=(),
        materials=(),
        steps=(),
        results=(),
        deliveries=(),
        hotline="",
        complaint_line="",
        places=(),
        online=False,
        full_process=False,
        visits=0,
    )


def save_version(
    by: Principal,
    version_id: int,
    *,
    version: int,
    content: Content | None = None,
    form: Mapping[str, Any] | None = None,
    keep_form: bool = False,
    effective_on: date | None = None,
) -> None:
    """Change a draft, or take up one that was returned; what is not given stays.

    Raises:
        NotFound: no such version in the caller's scope.
        Forbidden: the caller does not write its items.
        Stale: somebody changed it meanwhile.
        Invalid: the form is not sound.
        VersionMoveNotAllowed: the version left the desk.
    """
    row = _version(by, version_id, Permission.ITEMS_EDIT, version)
    if row.state not in WRITABLE:
        raise VersionMoveNotAllowed("这个版本已经送出，不能修改；需要改的话，请先起草新版本")
    versions.edit_version(
        version_id,
        content or from_json(row.content),
        row.form if keep_form else form,
        effective_on=effective_on or row.effective_on,
        actor=by.actor,
    )


def move(
    by: Principal,
    version_id: int,
    event: VersionEvent,
    *,
    version: int,
    reason: str,
    open_cases: OpenCases,
    now: datetime,
) -> None:
    """Move a version on its way as a person may.

    Raises:
        NotFound: no such version in the caller's scope.
        Forbidden: the move is another role's, the clock's, or a second person's.
        Stale: somebody moved it meanwhile.
        Invalid: a reason is missing, or a standard check is not passed.
        Conflict: a version is cancelled that has open cases.
        VersionMoveNotAllowed: the version stands where this cannot be done.
    """
    row = _version(by, version_id, None, version)
    made = version_move(row.state, event)
    permission = _PERMISSIONS.get(made.who)
    if permission is None or event in _BY_ITSELF:
        raise Forbidden("这一步由系统按日期办理")
    if not organisations.covers(by, permission, _body_of(row)):
        raise Forbidden("这一步要由有相应权限的人员办理")
    if event is VersionEvent.FILE and row.submitted_by == by.actor:
        raise Forbidden("送审的人不能自己备案")
    if event is VersionEvent.CANCEL:
        count = open_cases(version_id)
        if count:
            raise Conflict(f"还有 {count} 件没有办结，办结以后才能取消；也可以发布新版本取代它")
    versions.move_version(version_id, event, actor=by.actor, now=now, reason=reason)


def events_for(by: Principal, state: VersionState, body_id: int) -> tuple[VersionEvent, ...]:
    """Return the moves that the caller may make by hand with a version of a body."""
    held = {who for who, permission in _PERMISSIONS.items() if organisations.covers(by, permission, body_id)}
    moves = (one for one in VERSION_MOVES if one.state is state and one.event not in _BY_ITSELF)
    return tuple(one.event for one in moves if one.who in held)


def may_write(by: Principal, state: VersionState, body_id: int) -> bool:
    """Tell whether the caller may change a version of a body in this state."""
    return state in WRITABLE and organisations.covers(by, Permission.ITEMS_EDIT, body_id)


def _version(by: Principal, version_id: int, permission: Permission | None, version: int) -> ItemVersion:
    """Return a version of the caller's scope, locked and as the caller saw it."""
    row = db.writing().get(ItemVersion, version_id, with_for_update=True)
    if row is None:
        raise NotFound("没有这个事项版本")
    body_id = _body_of(row)
    _demand(by, Permission.ITEMS_READ, body_id, "没有这个事项版本")
    if permission is not None and not organisations.covers(by, permission, body_id):
        raise Forbidden("要由编制单位的人员办理")
    if row.version != version:
        raise Stale
    return row


def _implementation(by: Principal, implementation_id: int) -> ItemImplementation:
    row = db.writing().get(ItemImplementation, implementation_id, with_for_update=True)
    if row is None:
        raise NotFound("没有这个事项")
    _demand(by, Permission.ITEMS_READ, row.body_id, "没有这个事项")
    if not organisations.covers(by, Permission.ITEMS_EDIT, row.body_id):
        raise Forbidden("要由编制单位的人员办理")
    return row


def _demand(by: Principal, permission: Permission, body_id: int, words: str) -> None:
    if not organisations.covers(by, permission, body_id):
        raise NotFound(words)


def _body_of(row: ItemVersion) -> int:
    return db.writing().get_one(ItemImplementation, row.implementation_id).body_id
