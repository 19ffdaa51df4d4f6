"""Who signed in through a channel, and what that lets us ask; data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from channels.vocabulary import LoginScope


@dataclass(frozen=True, slots=True)
class LoginGrant:
    """What a sign-in lets us ask the platform about the resident; keep it no longer than needed.

    Attributes:
        refresh_token: buys a new grant after ``expires_at``; ``""`` where there is none.
        expires_at: UTC.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    scope: LoginScope


@dataclass(frozen=True, slots=True)
class ChannelIdentity:
    """Who signed in.

    Attributes:
        verified: the platform vouches for the person's real name.
        id_kind: the platform's name for what ``subject`` is, where it has several (``user_id``, ``open_id``).
    """

    account: str
    subject: str = field(repr=False)
    union_id: str = field(default="", repr=False)
    verified: bool = False
    grant: LoginGrant | None = field(default=None, repr=False)
    id_kind: str = ""


@dataclass(frozen=True, slots=True)
class UserInfo:
    """What a resident shows of themselves on the platform; chosen by them, so no proof of anything."""

    subject: str = field(repr=False)
    name: str = field(default="", repr=False)
    picture: str = field(default="", repr=False)
    union_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number the platform vouches for.

    Attributes:
        country_code: digits, ``86`` for the mainland.
        number: digits, without the country's.
    """

    country_code: str
    number: str = field(repr=False)
