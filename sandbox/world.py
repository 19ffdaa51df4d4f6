"""What the simulated world remembers while it runs: chats, menus, switches and a log of deliveries."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from sandbox.config import SandboxConfig

Clock = Callable[[], float]  # seconds since 1970, as time.time

RESIDENT = "guangdong-resident"
LOG_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Article:
    """A news card (图文)."""

    title: str
    description: str
    url: str
    picture_url: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing shown in a chat; ``author`` is ``resident``, ``account`` or ``notice`` (a grey line)."""

    number: int
    at: float
    author: str
    text: str = ""
    articles: tuple[Article, ...] = ()


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One published menu entry; ``action`` is ``group``, ``event``, ``link`` or ``other``."""

    name: str
    action: str
    value: str = ""
    children: tuple[MenuItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Chat:
    """One resident's conversation with one account, as it stands.

    Attributes:
        spoke_at: when the resident last wrote or tapped; None = never. Outbound messages depend on it.
    """

    following: bool = False
    spoke_at: float | None = None
    unread_count: int = 0
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to bring something to the hall, and how the platform judged the answer."""

    account: str
    at: float
    what: str
    attempt: int
    status: int | None
    outcome: str
    detail: str = ""


@dataclass(slots=True)
class World:
    """All mutable state; every method may be called from any thread."""

    config: SandboxConfig
    clock: Clock
    switches: Switches = field(default_factory=lambda: Switches())
    menus: dict[str, tuple[MenuItem, ...]] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    _chats: dict[tuple[str, str], Chat] = field(default_factory=dict)
    _log: deque[Delivery] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _last_number: int = 0

    def chat(self, account: str, user: str = RESIDENT) -> Chat:
        with self._lock:
            return self._chats.get((account, user), Chat())

    def say(
        self,
        account: str,
        author: str,
        text: str = "",
        articles: tuple[Article, ...] = (),
        user: str = RESIDENT,
    ) -> None:
        """Add an entry to a chat; what the account says counts as unread until the chat is looked at."""
        with self._lock:
            chat = self.chat(account, user)
            unread = chat.unread_count + (author == "account")
            entry = Entry(self.next_number(), self.clock(), author, text, articles)
            changed = replace(chat, entries=(*chat.entries, entry)[-200:], unread_count=unread)
            self._chats[account, user] = changed

    def look(self, account: str, user: str = RESIDENT) -> Chat:
        """Return the chat and mark it read."""
        with self._lock:
            chat = replace(self.chat(account, user), unread_count=0)
            self._chats[account, user] = chat
            return chat

    def follow(self, account: str, user: str, following: bool) -> None:
        with self._lock:
            self._chats[account, user] = replace(self.chat(account, user), following=following)

    def touch(self, account: str, user: str) -> None:
        """Note that the resident has just turned to the account."""
        with self._lock:
            self._chats[account, user] = replace(self.chat(account, user), spoke_at=self.clock())

    def next_number(self) -> int:
        """Return a number that grows by one with every call, starting at 1."""
        with self._lock:
            self._last_number += 1
            return self._last_number

    def record(self, delivery: Delivery) -> None:
        with self._lock:
            self._log.append(delivery)

    def deliveries(self, account: str | None = None) -> list[Delivery]:
        with self._lock:
            return [entry for entry in self._log if account in (None, entry.account)]


@dataclass(slots=True)
class Switches:
    """The misbehaviours asked for, per account: times still to come, or milliseconds for delays."""

    _set: dict[str, dict[str, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def change(self, account: str, values: Mapping[str, int]) -> None:
        with self._lock:
            self._set.setdefault(account, {}).update(values)

    def read(self, account: str) -> dict[str, int]:
        with self._lock:
            return dict(self._set.get(account, {}))

    def value(self, account: str, name: str) -> int:
        """Return the value without using it up; 0 when never set."""
        with self._lock:
            return self._set.get(account, {}).get(name, 0)

    def use(self, account: str, name: str) -> bool:
        """Take one of the remaining times; False when none is left."""
        with self._lock:
            mine = self._set.setdefault(account, {})
            left = mine.get(name, 0)
            if left > 0:
                mine[name] = left - 1
            return left > 0


def open_id(app_id: str, user: str) -> str:
    """Return the resident's id with one WeChat account: stable, 28 characters, another per account."""
    return "o" + hashlib.sha256(f"openid {app_id} {user}".encode()).hexdigest()[:27]


def union_id(user: str) -> str:
    """Return the resident's id with all accounts of one owner: stable, 28 characters."""
    return "oU" + hashlib.sha256(f"unionid {user}".encode()).hexdigest()[:26]


def alipay_user_id(user: str) -> str:
    """Return the resident's Alipay id: 16 digits beginning with 2088."""
    return "2088" + str(int(hashlib.sha256(f"alipay {user}".encode()).hexdigest(), 16))[:12]


def alipay_open_id(app_id: str, user: str) -> str:
    """Return the resident's id with one app at Alipay: 48 letters and digits, another per app."""
    return hashlib.sha256(f"alipay {app_id} {user}".encode()).hexdigest()[:48]
