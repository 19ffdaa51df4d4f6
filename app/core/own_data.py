"""What the hall holds of a person: each capability says what it keeps, since when, and where to see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Held:
    """One thing that is held of a person, as the person may see it: numbers of people with stars.

    Attributes:
        name: for programs, e.g. ``phone``; several things may share one.
        label: what it is, in words that pages translate.
        value: what is held; ``""`` where ``count`` says how many instead.
        source: where it came from, in words that pages translate; ``""`` where the label says it.
        endpoint: the page that shows it and lets it be changed; ``""`` for none.
        spoken: ``value`` is words of the hall, which pages translate, and not a person's own.
    """

    name: str
    label: str
    value: str = ""
    count: int | None = None
    source: str = ""
    since: datetime | None = None
    endpoint: str = ""
    spoken: bool = False
