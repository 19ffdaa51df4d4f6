"""Puts the menus of every account of a channel kind in place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import select

from app.channel_accounts import service as channel_accounts
from app.core import db
from app.mobile_access.domain import ChannelState
from app.mobile_access.life import mark_published
from app.mobile_access.menus import MenuPage, compose
from app.mobile_access.models import MobilePage, PageChannel
from app.mobile_access.publication import publication_version
from app.organisations import service as organisations
from channels.base import Capability, ChannelError, MenuEntry

log = structlog.get_logger(__name__)
_LEVEL_WEIGHT = {"province": 0, "city": 1}
_ROUNDS = 5
_LET_ON = (ChannelState.APPROVED, ChannelState.PUBLISHED)


class MenuNotPublished(Exception):
    """An account's menu could not be put in place; trying again may help."""


def publish_menus(kind: str, *, base_url: str, now: datetime) -> int:
    """Publish the menu of every active account of ``kind``; call it outside transactions.

    Returns:
        how many pages are newly marked as published.

    Raises:
        MenuNotPublished: a platform did not take it but may later.
    """
    for _ in range(_ROUNDS):
        version = publication_version()
        taken = _publish(kind, compose(kind, menu_pages(kind), base_url), now)
        # A run that was slower than one which knew more has put an older menu in place: once more.
        if publication_version() == version:
            return db.transaction(lambda: mark_published(kind, now=now)) if taken else 0
    raise MenuNotPublished("what is published keeps changing")


def _publish(kind: str, menu: Sequence[MenuEntry], now: datetime) -> bool:
    """Give ``menu`` to every account; tell whether any took it."""
    taken, again = False, []
    for account in channel_accounts.accounts(kind):
        said = None
        try:
            adapter = channel_accounts.adapter(account.id)
            # Without a menu there is nothing to put in place: such a client lists what is published itself.
            if Capability.MENU in adapter.capabilities:
                adapter.publish_menu(menu, channel_accounts.menu_rules(account.id).rules)
            taken = True
        except ChannelError as error:
            log.warning("menu_not_published", account=account.key, code=error.code)
            said = f"{error.code or 'error'}: {error}"
            if error.retryable:
                again.append(account.key)
        note = partial(channel_accounts.note_menu, account.id, now, said)
        db.transaction(note)
    if again:
        raise MenuNotPublished(", ".join(again))
    return taken


def menu_of(kind: str, base_url: str) -> tuple[MenuEntry, ...]:
    """Return the menu that accounts of ``kind`` should have now."""
    return compose(kind, menu_pages(kind), base_url)


def menu_pages(kind: str) -> list[MenuPage]:
    """Return the served pages that a reviewer let onto ``kind``, with their weight in its menu.

    Provincial bodies come before cities and counties, then who was online first.
    """
    levels = {body.id: body.level for body in organisations.bodies()}
    rows = db.session().scalars(
        select(MobilePage)
        .join(PageChannel, PageChannel.page_id == MobilePage.id)
        .where(PageChannel.kind == kind, PageChannel.state.in_(_LET_ON), MobilePage.served.is_(True))
    )
    return [
        MenuPage(page.id, page.name, page.theme, (_LEVEL_WEIGHT.get(levels[page.body_id], 2), since, page.id))
        for page in rows
        if (since := page.first_online_at.isoformat() if page.first_online_at else "")
    ]
