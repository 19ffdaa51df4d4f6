"""What residents see: the version of it, the list, the entries."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from app.core import cursor as cursors
from app.core import db, outbox
from app.core.errors import NotFound
from app.mobile_access.domain import THEME_LABELS, State, Theme
from app.mobile_access.models import MobilePage, Publication
from app.mobile_access.registry import load_any
from app.mobile_access.shapes import Entry, PublishedList, PublishedPage, WatchedPage
from app.organisations import service as organisations
from app.organisations.service import BodyView

PUBLISH_JOB = "mobile_access.publish-channel"
LIST_MAX = 100
ALTERNATIVES_MAX = 3
PROVINCE = "440000"
_ONLY_ROW = 1
_CANDIDATES = 200
_PAIRS_MAX = 12
_WORDS = re.compile(r"[a-z0-9]+|[\u4e00-\u9fff]+")

_NOTICES = {
    State.DEGRADED: "该服务暂时无法访问，有关部门正在处理，请稍后再试。",
    State.RETIRED: "该服务已停止提供。",
}
_NOT_ONLINE = "该服务暂未开放或正在维护，请稍后再试。"


def publication_version() -> int:
    """Return the number that rises with every change to what residents see."""
    return db.session().scalar(select(Publication.version)) or 0


def changed(kinds: Iterable[str] = ()) -> None:
    """Note in the running transaction that residents see something else now.

    Args:
        kinds: channels whose menus must be composed and published again.
    """
    version = _raise_version()
    for kind in sorted(set(kinds)):
        outbox.enqueue(PUBLISH_JOB, {"kind": kind}, dedup_key=f"{PUBLISH_JOB}:{kind}:{version}")


def _raise_version() -> int:
    raised = db.writing().execute(
        update(Publication)
        .where(Publication.id == _ONLY_ROW)
        .values(version=Publication.version + 1)
        .execution_options(synchronize_session=False)
    )
    if raised.rowcount == 0:  # type: ignore[attr-defined]
        try:
            with db.writing().begin_nested():
                db.writing().add(Publication(id=_ONLY_ROW, version=1))
        except IntegrityError:
            return _raise_version()  # another transaction made the row in this moment
    return db.writing().scalars(select(Publication.version).with_for_update()).one()


def published(
    theme: Theme | None = None,
    query: str | None = None,
    *,
    region_code: str | None = None,
    near: Collection[str] = (),
    cursor: str | None = None,
    limit: int = 50,
) -> PublishedList:
    """Return what residents find, the longest online first.

    Args:
        query: words, each of which must stand in the name, the description or the body's name.
        region_code: six digits; pages of bodies of this region only.
        near: pages of bodies of any of these regions; empty is everywhere.

    Raises:
        Invalid: the cursor is none of ours.
    """
    limit = max(1, min(limit, LIST_MAX))
    statement = (
        _pages()
        .where(MobilePage.served.is_(True))
        .order_by(MobilePage.first_online_at, MobilePage.id)
        .limit(limit + 1)
    )
    if theme is not None:
        statement = statement.where(MobilePage.theme == theme)
    if region_code is not None:
        statement = statement.where(organisations.body_stands_in(region_code))
    if near:
        statement = statement.where(or_(*map(organisations.body_stands_in, near)))
    for word in (query or "").split():
        statement = statement.where(
            or_(
                MobilePage.name.contains(word, autoescape=True),
                MobilePage.description.contains(word, autoescape=True),
                organisations.body_named(word),
            )
        )
    if cursor:
        at, last_id = cursors.decode(cursor)
        statement = statement.where(
            or_(
                MobilePage.first_online_at > at,
                and_(MobilePage.first_online_at == at, MobilePage.id > last_id),
            )
        )
    rows = list(db.session().execute(statement))
    more = len(rows) > limit
    rows = rows[:limit]
    last = rows[-1].first_online_at if more else None
    items = [_shown(row, organisations.joined_body(row)) for row in rows]
    return PublishedList(items, cursors.encode(last, rows[-1].id) if last else None)


def entry(page_id: int) -> Entry:
    """Return where a menu entry or search hit leads, or why it leads nowhere now.

    Raises:
        NotFound: no such page, or it has never been online.
    """
    page = load_any(page_id)
    if page.first_online_at is None:
        raise NotFound("没有这个服务")
    shown = _shown(page, organisations.get_body(page.body_id))
    if page.served:
        return Entry(shown, page.url, page.elder_url, available=True, notice="")
    return Entry(
        shown,
        page.url,
        page.elder_url,
        available=False,
        notice=_NOTICES.get(page.state, _NOT_ONLINE),
        down=page.state is State.DEGRADED,
        alternatives=tuple(alternatives([shown]).get(page.id, ())),
    )


def alternatives(
    pages: Iterable[PublishedPage], limit: int = ALTERNATIVES_MAX
) -> dict[int, list[PublishedPage]]:
    """Return what residents may use instead of pages that cannot be opened, the nearest first.

    For the same matter: pages of the same theme of the body itself, of its region, of the province;
    then others of the body. Among equals the name more alike comes first. Another city's are none.
    """
    wanted = list(pages)
    if not wanted:
        return {}
    statement = (
        _pages()
        .where(
            MobilePage.served.is_(True),
            MobilePage.state == State.ONLINE,  # not one that may itself be hidden in a minute
            or_(
                MobilePage.theme.in_({page.theme for page in wanted}),
                MobilePage.body_id.in_({page.body_id for page in wanted}),
            ),
            or_(*map(organisations.body_stands_in, {PROVINCE, *(page.region_code for page in wanted)})),
        )
        .order_by(MobilePage.first_online_at, MobilePage.id)
        .limit(_CANDIDATES)
    )
    served = [_shown(row, organisations.joined_body(row)) for row in db.session().execute(statement)]
    return {page.id: _nearest(page, served)[:limit] for page in wanted}


def _nearest(page: PublishedPage, served: Iterable[PublishedPage]) -> list[PublishedPage]:
    names = _pairs(page.name)
    ranked = [
        (rank, -_fit(one, names), one.id, one)
        for one in served
        if one.id != page.id and (rank := _distance(page, one)) is not None
    ]
    return [one for *_, one in sorted(ranked, key=lambda row: row[:3])]


def _distance(page: PublishedPage, other: PublishedPage) -> int | None:
    """Return how far ``other`` is from serving instead of ``page``; None when it is none."""
    if other.theme is page.theme:
        if other.body_id == page.body_id:
            return 0
        if other.region_code == page.region_code:
            return 1
        return 2 if other.region_code == PROVINCE else None
    return 3 if other.body_id == page.body_id else None


def paused(theme: Theme | None = None, query: str | None = None) -> list[PublishedPage]:
    """Return the pages whose entries are hidden while they are down, by name.

    Args:
        query: words, each of which must stand in the name or the description.
    """
    statement = (
        _pages()
        .where(MobilePage.state == State.DEGRADED, MobilePage.served.is_(False))
        .order_by(MobilePage.name, MobilePage.id)
        .limit(LIST_MAX)
    )
    if theme is not None:
        statement = statement.where(MobilePage.theme == theme)
    for word in (query or "").split():
        statement = statement.where(
            or_(
                MobilePage.name.contains(word, autoescape=True),
                MobilePage.description.contains(word, autoescape=True),
            )
        )
    return [_shown(row, organisations.joined_body(row)) for row in db.session().execute(statement)]


def hidden(page_ids: Iterable[int]) -> dict[int, datetime]:
    """Return those of the pages whose entries are hidden while they are down, with the moment of hiding."""
    wanted = set(page_ids)
    query = select(MobilePage.id, MobilePage.changed_at).where(
        MobilePage.id.in_(wanted), MobilePage.state == State.DEGRADED, MobilePage.served.is_(False)
    )
    return {row.id: row.changed_at for row in db.session().execute(query)} if wanted else {}


def search(text: str, limit: int = 5) -> list[PublishedPage]:
    """Return what fits the words of a resident best, best first; nothing when nothing fits.

    Chinese sets no spaces, so pairs of neighbouring letters are looked for: more pairs found, and
    found in the name rather than elsewhere, is a better fit. Pages that are down for the moment are
    found too: a resident who asks for one must hear that it will be back, not that there is none.
    """
    pairs = _pairs(text)
    if not pairs:
        return []
    by_name = [MobilePage.name.contains(pair, autoescape=True) for pair in pairs]
    by_description = [MobilePage.description.contains(pair, autoescape=True) for pair in pairs]
    themes = [theme for theme, label in THEME_LABELS.items() if any(pair in label for pair in pairs)]
    of_body = [organisations.body_named(pair) for pair in pairs]
    statement = (
        _pages()
        .where(
            or_(MobilePage.served.is_(True), MobilePage.state == State.DEGRADED),
            or_(*by_name, *by_description, *of_body, MobilePage.theme.in_(themes)),
        )
        .order_by(MobilePage.first_online_at, MobilePage.id)
        .limit(_CANDIDATES)
    )
    found = [_shown(row, organisations.joined_body(row)) for row in db.session().execute(statement)]
    return sorted(found, key=lambda page: -_fit(page, pairs))[:limit]


def _pairs(text: str) -> list[str]:
    words = _WORDS.findall(text.lower())
    pairs = [word[at : at + 2] for word in words for at in range(max(1, len(word) - 1))]
    return list(dict.fromkeys(pairs))[:_PAIRS_MAX]


def _fit(page: PublishedPage, pairs: list[str]) -> int:
    weighed = ((page.name, 4), (THEME_LABELS[page.theme], 3), (page.body_name, 2), (page.description, 1))
    return sum(weight for text, weight in weighed for pair in pairs if pair in text.lower())


_WATCHED = MobilePage.state.in_([State.ONLINE, State.DEGRADED])


def watched_pages() -> list[WatchedPage]:
    """Return every page that must be probed, by id."""
    # Columns and no entities: a province has ten thousand of them.
    statement = (
        select(
            MobilePage.id,
            MobilePage.body_id,
            MobilePage.name,
            MobilePage.url,
            MobilePage.health_url,
            MobilePage.state,
            MobilePage.down_since,
        )
        .where(_WATCHED)
        .order_by(MobilePage.id)
    )
    return [
        WatchedPage(
            id=page.id,
            body_id=page.body_id,
            name=page.name,
            url=page.url,
            health_url=page.health_url or None,
            state=page.state,
            down_since=page.down_since,
        )
        for page in db.session().execute(statement)
    ]


def watched_stamp() -> tuple[int, int, datetime | None]:
    """Return what changes whenever :func:`watched_pages` does; cheap."""
    statement = select(
        func.count(), func.coalesce(func.sum(MobilePage.version), 0), func.max(MobilePage.changed_at)
    ).where(_WATCHED)
    count, versions, changed_at = db.session().execute(statement).one()
    return int(count), int(versions), changed_at


def _pages() -> Select[*tuple[Any, ...]]:
    """Begin a query of what :func:`_shown` needs of pages and their bodies, and no more."""
    columns = (
        MobilePage.id,
        MobilePage.name,
        MobilePage.description,
        MobilePage.theme,
        MobilePage.hotline,
        MobilePage.served,
        MobilePage.first_online_at,
    )
    return organisations.join_body(select(*columns), MobilePage.body_id)


def _shown(page: MobilePage | Row[*tuple[Any, ...]], body: BodyView) -> PublishedPage:
    return PublishedPage(
        id=page.id,
        name=page.name,
        description=page.description,
        theme=page.theme,
        hotline=page.hotline,
        body_id=body.id,
        body_name=body.full_name,
        region_code=body.region_code,
        region_name=body.region_name,
        available=page.served,
    )
