"""Which ways a message may take, in which order. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from app.notices.domain import PlatformForm, Right, Way, way_of
from channels.base import Capability

NEEDED = {
    Right.SUBSCRIBE: Capability.SUBSCRIBE_NOTICE,
    Right.TEMPLATE: Capability.TEMPLATE_NOTICE,
    Right.SERVICE: Capability.SEND,
}


MINI_PAGE = "pages/messages/messages"
"""Of both mini programs in ``clients/``."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resident can be reached: a user id on a platform account.

    Attributes:
        subject_token: the user id in the vault.
    """

    account_id: int
    kind: str
    subject_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to one place.

    Attributes:
        form: the platform's form; None for words of our own.
    """

    way: Way
    place: Place
    form: PlatformForm | None


def page_of(kind: str, web_page: str, message_id: int) -> str:
    """Return what opens at a tap: our page, in a mini program its own page of messages."""
    if kind.endswith("_mini"):
        return f"{MINI_PAGE}?id={message_id}"
    return web_page


def candidates(
    order: Sequence[str],
    forms: Sequence[PlatformForm],
    places: Sequence[Place],
    *,
    wanted: Sequence[str],
    muted: Collection[str],
    binding: bool,
) -> list[Candidate]:
    """Return the ways of a message, the first to be tried first.

    The resident's wish decides between kinds of channels, the template's order within one. What the
    resident turned off is left out, unless the notice has legal effect. Forms need a form of theirs on
    the account; words of our own do not.

    Args:
        wanted: kinds of channels, the preferred first; others follow in the template's order.
        muted: kinds of channels on which the topic is not wanted.
    """
    ways = [way for way in map(way_of, order) if way is not None and (binding or way.kind not in muted)]
    kinds = list(dict.fromkeys(way.kind for way in ways))
    kinds.sort(key=lambda kind: wanted.index(kind) if kind in wanted else len(wanted))
    ways.sort(key=lambda way: kinds.index(way.kind))
    return [
        Candidate(way, place, form)
        for way in ways
        for place in places
        if place.kind == way.kind
        for form in _forms(way, place, forms)
    ]


def _forms(way: Way, place: Place, forms: Sequence[PlatformForm]) -> Sequence[PlatformForm | None]:
    if way.right is Right.SERVICE:
        return [None]
    return [form for form in forms if form.account_id == place.account_id and form.right is way.right][:1]
