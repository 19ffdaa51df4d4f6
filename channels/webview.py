"""What a web page shown inside a platform's app needs and must heed; data only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from channels.vocabulary import PageMedium


@dataclass(frozen=True, slots=True)
class ClientEnv:
    """The app a page is shown in.

    Attributes:
        system: ``android``, ``ios`` or ``other``.
        mini_program: the page is inside a mini program's web view.
        mini_app_id: which one, where the platform tells.
    """

    channel: str
    version: str
    system: str
    mini_program: bool = False
    mini_app_id: str = ""


@dataclass(frozen=True, slots=True)
class PageLink:
    """How a page is opened. ``expires_at`` is UTC, ``None`` for a link that never ends."""

    medium: PageMedium
    value: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PageConfig:
    """What a page hands to the platform's script before it may call the phone's functions.

    Attributes:
        signed_at: Unix seconds, part of what is signed.
        apis: the functions the page asks for, in the platform's names.
    """

    app_id: str
    signed_at: int
    nonce: str
    signature: str
    apis: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageRule:
    """Something a page must heed to work inside the platform's app.

    Attributes:
        code: stable, e.g. ``wechat-script-domain``.
        text: for departments, in Chinese.
        required: without it the page fails; else it is advice.
        source: the platform's document.
    """

    code: str
    text: str
    required: bool
    source: str
