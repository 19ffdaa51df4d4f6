"""What is said to a resident: looked up and put into words, without any effect."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from app.catalogue import service as catalogue
from app.channel_accounts.service import AccountView
from app.conversations import domain, rules, talks, versions
from app.conversations.domain import Match
from app.conversations.rules import WORDLESS, Action, Choice, Rules
from app.core.working_time import calendar
from app.mobile_access import service as mobile_access
from channels.base import Capability, EventKind, InboundEvent, Reply

REMEMBERED_SECONDS = 20.0
"""So soon residents hear of an item that changed; of pages that come, go or fail they hear at once."""
REMEMBERED_WORDS = 1000
_SAID_TO_PEOPLE = WORDLESS | {EventKind.TEXT}


@dataclass(frozen=True, slots=True)
class Answer:
    """What answers an event, and with what.

    Attributes:
        name: what staff know it by; ``""`` where nothing answers.
        reply: None where silence is right.
        asks_person: the resident waits for a person from now on.
    """

    name: str = ""
    reply: Reply | None = None
    asks_person: bool = False


def answer(
    account: AccountView,
    capabilities: frozenset[Capability],
    event: InboundEvent,
    base_url: str,
    now: datetime,
) -> Answer:
    """Return what is said to a resident."""
    held = versions.in_force(account.id)
    if held.talks and event.kind in _SAID_TO_PEOPLE:
        talk = talks.find(account.id, event.sender, now)
        if talk is not None:
            waits = talk.taken_at is None and Capability.HANDOVER in capabilities
            return Answer("人工服务中", Reply(handover=True) if waits else None)
    choice = rules.choose(held.rules, event.kind, event.text, event.action)
    if choice is None:
        return Answer()
    return carry_out(choice, held.rules, account, capabilities, event.kind, event.text, base_url, now)


def carry_out(
    choice: Choice,
    chosen: Rules,
    account: AccountView,
    capabilities: frozenset[Capability],
    kind: EventKind,
    text: str,
    base_url: str,
    now: datetime,
) -> Answer:
    """Return what a choice says."""
    home_url = f"{base_url}/?channel={account.kind}"
    if choice.action is Action.SAY:
        return Answer(choice.name, Reply(text=choice.said))
    if choice.action is Action.PICTURE:
        return Answer(choice.name, Reply(image=choice.said))
    if choice.action is Action.SEARCH:
        asked = (choice.said or text).strip()
        matches = _matches(asked, chosen.matches, account, base_url)
        return Answer(choice.name, domain.found(asked, matches, chosen.default_text, home_url))
    if choice.action is Action.HANDOVER:
        return _handed_over(choice, chosen, capabilities, now)
    if choice.action is Action.HELP:
        words = {EventKind.FOLLOW: domain.welcome, **dict.fromkeys(WORDLESS, domain.wordless)}
        return Answer(choice.name, Reply(text=words.get(kind, domain.how_to)(home_url)))
    return Answer(choice.name)


def _handed_over(choice: Choice, chosen: Rules, capabilities: frozenset[Capability], now: datetime) -> Answer:
    if Capability.HANDOVER not in capabilities:
        return Answer(choice.name, Reply(text=domain.call_instead(chosen)))
    if not domain.on_duty(chosen, now, calendar()):
        return Answer(choice.name, Reply(text=domain.nobody_here(chosen)))
    return Answer(choice.name, Reply(handover=True), asks_person=True)


def _matches(asked: str, most: int, account: AccountView, base_url: str) -> list[Match]:
    """Return what fits the words; looked up once while nothing is published or taken back."""
    words = rules.fold(asked[: domain.QUERY_MAX])
    key = (words, most, account.id, base_url)
    published, now = mobile_access.publication_version(), time.monotonic()
    known = _remembered.get(key)
    if known is not None and known.published == published and now < known.until:
        return known.matches
    if len(_remembered) >= REMEMBERED_WORDS:
        _remembered.clear()
    until = now + REMEMBERED_SECONDS * random.uniform(0.5, 1.0)  # not all words at once
    if known is not None and known.published == published:
        _remembered[key] = replace(known, until=until)  # one looks again, the others need not wait
    matches = list(islice(_found(words, most, account.kind, base_url), most))
    _remembered[key] = _Remembered(published, until, matches)
    return matches


@dataclass(frozen=True, slots=True)
class _Remembered:
    published: int
    until: float
    matches: list[Match]


_remembered: dict[tuple[str, int, int, str], _Remembered] = {}


def _found(words: str, most: int, kind: str, base_url: str) -> Iterator[Match]:
    """Yield the departments' own pages first, then the items that none of these serves."""
    pages = mobile_access.search(words, limit=most)
    down = [page for page in pages if not page.available]
    instead = mobile_access.alternatives(down, limit=1) if down else {}
    for page in pages:
        near = next(iter(instead.get(page.id, ())), None)
        yield Match(
            name=page.name,
            body_name=page.body_name,
            description=page.description,
            url=_go(base_url, page.id, kind),
            available=page.available,
            hotline=page.hotline,
            instead=None if near is None else (near.name, _go(base_url, near.id, kind)),
        )
    shown = {page.id for page in pages}
    for item in catalogue.search(words, limit=most) if len(pages) < most else ():
        if item.page_id not in shown:
            url = f"{base_url}/items/{item.id}?channel={kind}"
            yield Match(item.name, item.body_name, item.summary, url, available=True)


def _go(base_url: str, page_id: int, kind: str) -> str:
    return f"{base_url}/go/{page_id}?channel={kind}"
