"""Pages as registered: adding, changing, finding. Every change of ``served`` shows in the publication."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.exc import IntegrityError

from app.channel_accounts import service as channel_accounts
from app.core import audit, db, hearing, vault
from app.core import cursor as cursors
from app.core.access import Permission
from app.core.errors import Conflict, Invalid, NotFound, Stale
from app.mobile_access.domain import (
    EDITABLE,
    STATE_LABELS,
    ChannelState,
    Event,
    MoveNotAllowed,
    Registration,
    State,
    Theme,
    move,
)
from app.mobile_access.models import MobilePage, PageChannel
from app.mobile_access.shapes import ChannelEntry, PageList, PageView
from app.organisations import service as organisations
from app.organisations.service import Principal

OBJECT = "mobile_page"
CONTACT_NAME = "page_contact_name"
CONTACT_PHONE = "page_contact_phone"
TOLD = {
    Event.APPROVE: "page.published",
    Event.SUSPEND: "page.suspended",
    Event.TIMEOUT: "page.suspended",
    Event.RETIRE: "page.retired",
}
"""What capabilities above may hear of, once residents have seen the page."""
LIST_MAX = 100


class AddressTaken(Conflict):
    """Another page has this address."""

    code = "address_taken"
    title = "该网址已经登记"
    title_en = "The address is registered already"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a listing is narrowed to; None is everything.

    Attributes:
        text: part of the name or of the address.
    """

    state: State | None = None
    theme: Theme | None = None
    body_id: int | None = None
    text: str | None = None


def register(by: Principal, body_id: int, new: Registration, *, now: datetime) -> PageView:
    """Add a page of ``body_id``; ``new`` has been through ``vetted``.

    Raises:
        NotFound: no such body, or none that ``by`` may register for.
        AddressTaken: another page that is not retired has the address.
        Invalid: no channel, or one twice.
    """
    if not organisations.covers(by, Permission.PAGES_REGISTER, body_id):
        raise NotFound("没有这个单位")
    _check_channels(new.channels)
    page = MobilePage(
        body_id=body_id,
        state=State.REGISTERED,
        version=1,
        served=False,
        checks=0,
        suspension_reason="",
        created_by=by.actor,
        created_at=now,
        changed_at=now,
        **_columns(new),
        **_sealed(new),
    )
    add_unique(page)
    for kind in new.channels:
        db.writing().add(_wanted(page.id, kind, now))
    detail = {"name": new.name, "url": new.url, "may_probe_paths": new.may_probe_paths}
    audit.record(by.actor, "mobile_page.register", OBJECT, page.id, detail)
    db.writing().flush()
    return view_of(page)


def update_page(by: Principal, page_id: int, new: Registration, *, version: int, now: datetime) -> PageView:
    """Replace what was registered; a page that failed its check becomes ``registered`` again.

    An empty contact keeps the one that is sealed, unless it is to be forgotten.

    Raises:
        NotFound: no such page in the scope of ``by``.
        Stale: it has another version by now.
        MoveNotAllowed: it is being checked, reviewed or shown to residents.
        AddressTaken: see :func:`register`.
    """
    page = load(by, Permission.PAGES_REGISTER, page_id, version=version)
    if page.state not in EDITABLE:
        raise MoveNotAllowed(f"网页处于“{STATE_LABELS[page.state]}”状态，不能修改登记内容")
    _check_channels(new.channels)
    columns = _columns(new)
    changed = sorted(name for name, value in columns.items() if getattr(page, name) != value)
    old_contact = _contact_tokens(page)
    sealed = {name: token for name, token in _sealed(new).items() if token is not None or new.forget_contact}
    values = {**columns, **sealed}
    detail = {"changed": [name for name in changed if name != "url_digest"]}
    try:
        if page.state is State.FAILED:
            apply(page, Event.FIX, by.actor, now=now, detail=detail, **values)
        else:
            touch(page, now=now, **values)
            audit.record(by.actor, "mobile_page.update", OBJECT, page.id, detail)
    except IntegrityError as error:
        raise AddressTaken from error
    for name in sealed:
        old = old_contact[name]
        if old is not None:
            vault.forget(old)
    _replace_channels(page.id, new.channels, now)
    db.writing().flush()
    return view_of(page)


def get(by: Principal, page_id: int) -> PageView:
    """Return a page.

    Raises:
        NotFound: no such page in the scope of ``by``.
    """
    return view_of(load(by, Permission.PAGES_READ, page_id))


def contact(by: Principal, page_id: int) -> tuple[str, str]:
    """Return name and phone of the contact person, ``""`` where none is sealed; the reading is audited.

    Raises:
        NotFound: no such page in the scope of ``by``.
    """
    page = load(by, Permission.PAGES_READ, page_id)
    audit.record(by.actor, "mobile_page.read_contact", OBJECT, page.id)
    name = vault.unseal(CONTACT_NAME, page.contact_name) if page.contact_name else ""
    phone = vault.unseal(CONTACT_PHONE, page.contact_phone) if page.contact_phone else ""
    return name, phone


def listing(
    by: Principal, narrowed: Filter | None = None, *, cursor: str | None = None, limit: int = 50
) -> PageList:
    """Return the pages in the scope of ``by``, the last changed first.

    Raises:
        Invalid: the cursor is none of ours.
    """
    wanted = narrowed or Filter()
    limit = max(1, min(limit, LIST_MAX))
    query = (
        select(MobilePage)
        .where(organisations.scope_condition(by, Permission.PAGES_READ, MobilePage.body_id))
        .order_by(MobilePage.changed_at.desc(), MobilePage.id.desc())
        .limit(limit + 1)
    )
    if wanted.state is not None:
        query = query.where(MobilePage.state == wanted.state)
    if wanted.theme is not None:
        query = query.where(MobilePage.theme == wanted.theme)
    if wanted.body_id is not None:
        query = query.where(MobilePage.body_id == wanted.body_id)
    if wanted.text:
        contained = wanted.text.strip()
        query = query.where(
            or_(
                MobilePage.name.contains(contained, autoescape=True),
                MobilePage.url.contains(contained, autoescape=True),
            )
        )
    if cursor:
        at, last_id = cursors.decode(cursor)
        query = query.where(
            or_(
                MobilePage.changed_at < at,
                and_(MobilePage.changed_at == at, MobilePage.id < last_id),
            )
        )
    rows = list(db.session().scalars(query))
    more = len(rows) > limit
    rows = rows[:limit]
    next_cursor = cursors.encode(rows[-1].changed_at, rows[-1].id) if more else None
    return PageList(views_of(rows), next_cursor)


def load(by: Principal, permission: Permission, page_id: int, *, version: int | None = None) -> MobilePage:
    """Return the row of a page in the scope of ``by``.

    Raises:
        NotFound: no such page there.
        Stale: ``version`` is given and no longer the page's.
    """
    page = load_any(page_id)
    if not organisations.covers(by, permission, page.body_id):
        raise NotFound("没有这个网页")
    if version is not None and page.version != version:
        raise Stale
    return page


def load_any(page_id: int) -> MobilePage:
    """Return the row of a page whosever it is, for the system itself.

    Raises:
        NotFound: no such page.
    """
    page = db.session().get(MobilePage, page_id)
    if page is None:
        raise NotFound("没有这个网页")
    return page


def apply(
    page: MobilePage,
    event: Event,
    actor: str,
    *,
    now: datetime,
    detail: dict[str, Any] | None = None,
    **values: Any,
) -> None:
    """Make the one allowed move that ``event`` names and write its audit line.

    Raises:
        MoveNotAllowed: the table has no such move from where the page stands.
        Stale: somebody moved the page since it was read.
    """
    step = move(page.state, event)
    touch(page, now=now, state=step.to, **values)
    told = {"from": step.state.value, "to": step.to.value, **(detail or {})}
    audit.record(actor, f"mobile_page.{event}", OBJECT, page.id, told)
    if event in TOLD and page.first_online_at is not None:
        happened = {"page_id": str(page.id), "at": now.isoformat()}
        hearing.tell(TOLD[event], happened, dedup_key=f"{page.id}:{page.version}")


def touch(page: MobilePage, *, now: datetime, **values: Any) -> None:
    """Change columns of a page if nobody did since it was read.

    Raises:
        Stale: somebody did.
    """
    won = db.writing().execute(
        update(MobilePage)
        .where(MobilePage.id == page.id, MobilePage.version == page.version, MobilePage.state == page.state)
        .values(version=page.version + 1, changed_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    if won.rowcount != 1:  # type: ignore[attr-defined]
        raise Stale
    db.writing().refresh(page)


def channels_of(page_ids: Sequence[int]) -> dict[int, tuple[ChannelEntry, ...]]:
    """Return the channel entries of each page, by kind."""
    found: dict[int, list[ChannelEntry]] = {page_id: [] for page_id in page_ids}
    if not page_ids:
        return {}
    query = select(PageChannel).where(PageChannel.page_id.in_(page_ids)).order_by(PageChannel.kind)
    for row in db.session().scalars(query):
        found[row.page_id].append(ChannelEntry(row.kind, row.state, row.reviewer, row.reason, row.changed_at))
    return {page_id: tuple(entries) for page_id, entries in found.items()}


def views_of(pages: Iterable[MobilePage]) -> list[PageView]:
    rows = list(pages)
    channels = channels_of([page.id for page in rows])
    return [_view(page, channels[page.id]) for page in rows]


def view_of(page: MobilePage) -> PageView:
    return views_of([page])[0]


def digest_of(url: str) -> str:
    return sha256(url.encode()).hexdigest()


def _view(page: MobilePage, channels: tuple[ChannelEntry, ...]) -> PageView:
    return PageView(
        id=page.id,
        body_id=page.body_id,
        name=page.name,
        url=page.url,
        theme=page.theme,
        description=page.description,
        hotline=page.hotline,
        elder_url=page.elder_url,
        health_url=page.health_url,
        domains=tuple(page.domains),
        icp_number=page.icp_number,
        name_reason=page.name_reason,
        signed_in_url=page.signed_in_url,
        ticket_url=page.ticket_url,
        expired_ticket_url=page.expired_ticket_url,
        wechat_file=page.wechat_file,
        wechat_file_text=page.wechat_file_text,
        alipay_file=page.alipay_file,
        may_probe_paths=page.may_probe_paths,
        state=page.state,
        version=page.version,
        served=page.served,
        down_since=page.down_since,
        suspension_reason=page.suspension_reason,
        first_online_at=page.first_online_at,
        has_contact=page.contact_name is not None or page.contact_phone is not None,
        created_at=page.created_at,
        changed_at=page.changed_at,
        channels=channels,
    )


def _columns(new: Registration) -> dict[str, Any]:
    return {
        "name": new.name,
        "url": new.url,
        "url_digest": digest_of(new.url),
        "theme": new.theme,
        "description": new.description,
        "hotline": new.hotline,
        "elder_url": new.elder_url,
        "health_url": new.health_url,
        "domains": list(new.domains),
        "icp_number": new.icp_number,
        "name_reason": new.name_reason,
        "signed_in_url": new.signed_in_url,
        "ticket_url": new.ticket_url,
        "expired_ticket_url": new.expired_ticket_url,
        "wechat_file": new.wechat_file,
        "wechat_file_text": new.wechat_file_text,
        "alipay_file": new.alipay_file,
        "may_probe_paths": new.may_probe_paths,
    }


def _sealed(new: Registration) -> dict[str, str | None]:
    return {
        "contact_name": vault.seal(CONTACT_NAME, new.contact_name) if new.contact_name else None,
        "contact_phone": vault.seal(CONTACT_PHONE, new.contact_phone) if new.contact_phone else None,
    }


def _contact_tokens(page: MobilePage) -> dict[str, str | None]:
    return {"contact_name": page.contact_name, "contact_phone": page.contact_phone}


def _check_channels(kinds: Sequence[str]) -> None:
    known = channel_accounts.kinds()
    if not kinds or len(set(kinds)) != len(kinds) or not set(kinds) <= set(known):
        said = f"请选择接入渠道（{'、'.join(sorted(known))}），每个一次"
        raise Invalid(said, fields={"channels": [said]})


def add_unique(page: MobilePage) -> None:
    """Insert a page.

    Raises:
        AddressTaken: another page has its address.
    """
    try:
        with db.writing().begin_nested():
            db.writing().add(page)
    except IntegrityError as error:
        raise AddressTaken from error


def _wanted(page_id: int, kind: str, now: datetime) -> PageChannel:
    return PageChannel(
        page_id=page_id, kind=kind, state=ChannelState.WANTED, reviewer="", reason="", changed_at=now
    )


def _replace_channels(page_id: int, kinds: Sequence[str], now: datetime) -> None:
    rows = {
        row.kind: row
        for row in db.writing().scalars(select(PageChannel).where(PageChannel.page_id == page_id))
    }
    for kind, row in rows.items():
        if kind not in kinds:
            db.writing().delete(row)
    for kind in kinds:
        if kind not in rows:
            db.writing().add(_wanted(page_id, kind, now))
