"""The contract that every channel adapter meets.

One adapter instance serves one account on one platform. What enters or leaves the adapter is frozen data;
what it needs from outside (clock, nonces, HTTP, tokens) arrives in a :class:`ChannelEnv`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, runtime_checkable
from urllib.parse import unquote_to_bytes

from channels.outward import Article as Article
from channels.outward import Consent as Consent
from channels.outward import DeliveryReceipt as DeliveryReceipt
from channels.outward import Media as Media
from channels.outward import MediaId as MediaId
from channels.outward import MenuEntry as MenuEntry
from channels.outward import MenuRule as MenuRule
from channels.outward import MenuViolation as MenuViolation
from channels.outward import MiniCode as MiniCode
from channels.outward import MiniPage as MiniPage
from channels.outward import Notification as Notification
from channels.outward import Picture as Picture
from channels.outward import PlatformTemplate as PlatformTemplate
from channels.outward import QrCode as QrCode
from channels.outward import Reply as Reply
from channels.outward import SendResult as SendResult
from channels.outward import TemplateField as TemplateField
from channels.people import ChannelIdentity as ChannelIdentity
from channels.people import LoginGrant as LoginGrant
from channels.people import PhoneNumber as PhoneNumber
from channels.people import UserInfo as UserInfo
from channels.surroundings import AccountConfig as AccountConfig
from channels.surroundings import ChannelEnv as ChannelEnv
from channels.surroundings import Token as Token
from channels.surroundings import TokenStore as TokenStore
from channels.vocabulary import Capability as Capability
from channels.vocabulary import ChannelError as ChannelError
from channels.vocabulary import EventKind as EventKind
from channels.vocabulary import LoginScope as LoginScope
from channels.vocabulary import MediaKind as MediaKind
from channels.vocabulary import NotificationKind as NotificationKind
from channels.vocabulary import Outcome as Outcome
from channels.vocabulary import PageMedium as PageMedium
from channels.vocabulary import Rejected as Rejected
from channels.webview import ClientEnv as ClientEnv
from channels.webview import PageConfig as PageConfig
from channels.webview import PageLink as PageLink
from channels.webview import PageRule as PageRule

MAX_BODY_BYTES = 64 * 1024
"""Platforms send a few kilobytes; anything near this is no message of theirs."""

MAX_PARAMETERS = 64
MAX_ID_CHARS = 128


@dataclass(frozen=True, slots=True)
class InboundRequest:
    """An HTTP request as it came off the wire; nothing is decoded yet.

    ``headers`` are looked up with :meth:`header`, whatever their case.
    """

    method: str
    query_string: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str:
        """Return a header's value, or ``""``."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), "")

    def query(self) -> dict[str, str]:
        """Decode the query string as UTF-8.

        Raises:
            Rejected: not UTF-8, too long, too many parameters, or one given twice.
        """
        plain = _plain_parameters(self.query_string)
        if plain is not None:
            return plain
        try:
            found = raw_parameters(self.query_string)
            return {name: value.decode("utf-8") for name, value in found.items()}
        except UnicodeDecodeError:
            raise Rejected("bad_encoding") from None


@dataclass(frozen=True, slots=True)
class RawResponse:
    """What goes back on the wire, byte for byte."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Freshness:
    """What the core needs to refuse stale and replayed requests.

    Attributes:
        signed_at: time the platform signed or made the message, UTC; ``None`` when it gives none.
        nonce: the platform's nonce; with ``signed_at`` it names the request. ``""`` when there is none.
        digest: SHA-256 of the body; the same nonce with another digest is a forgery.
        binds_body: whether the signature covers the body at all (WeChat's plain mode does not).
    """

    signed_at: datetime | None
    nonce: str
    digest: str
    binds_body: bool


@dataclass(frozen=True, slots=True)
class Envelope:
    """A verified, decrypted, decoded message; made by ``open`` only.

    Attributes:
        fields: the message's elements; those of nested elements are joined with a dot (``Text.Content``).
        wire: how it came (``xml``, ``json``), so that the answer goes back alike.
        key_id: which key opened it (``current``, ``previous``), ``""`` for an unencrypted one.
        charset: what the message was written in; the answer is written in it too.
    """

    channel: str
    account: str
    fields: Mapping[str, str] = field(repr=False)
    freshness: Freshness
    wire: str = "xml"
    key_id: str = ""
    charset: str = "utf-8"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A picture or file that a resident sent; fetched later, if at all."""

    media_id: str = ""
    url: str = ""
    format: str = ""


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """One message or event from a channel, normalised.

    Attributes:
        event_id: the platform's message id, or a digest of the event where the platform gives none.
        sender: the channel's own user id (openid, user_id); opaque.
        occurred_at: when the platform says it happened, UTC.
        text: what the resident wrote or scanned; ``""`` for events without words.
        action: menu key or address, scene of a QR code; ``""`` when there is none.
        raw_type: the platform's own name, e.g. ``event:CLICK``.
        consents: which templates the resident allowed or forbade with it.
        extras: further values that are no personal data.

    Raises:
        ValueError: an id is missing or too long, or the time has no zone.
    """

    channel: str
    account: str
    event_id: str
    kind: EventKind
    sender: str = field(repr=False)
    occurred_at: datetime
    text: str = field(default="", repr=False)
    action: str = ""
    raw_type: str = ""
    attachments: tuple[Attachment, ...] = ()
    consents: tuple[Consent, ...] = ()
    extras: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        ids = (self.channel, self.account, self.event_id, self.sender)
        if not all(ids) or max(map(len, ids)) > MAX_ID_CHARS:
            raise ValueError(f"ids must have 1 to {MAX_ID_CHARS} characters")
        if self.occurred_at.tzinfo is not UTC and self.occurred_at.utcoffset() != timedelta(0):
            raise ValueError("occurred_at must be in UTC")


@dataclass(frozen=True, slots=True)
class Health:
    """Whether an account answers.

    Attributes:
        clock_skew_seconds: our clock minus theirs; ``None`` when they did not say.
        token_expires_at: UTC; ``None`` where the channel needs no token.
        code: error code when ``ok`` is false.
    """

    ok: bool
    checked_at: datetime
    clock_skew_seconds: float | None = None
    token_expires_at: datetime | None = None
    code: str = ""


@runtime_checkable
class Channel(Protocol):
    """One account on one platform. One package under ``channels/`` per kind.

    What an account lacks the :class:`Capability` for is refused with the :class:`ChannelError`
    ``unsupported``; :class:`channels.lacking.Lacking` does that for adapters.
    """

    @property
    def kind(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def capabilities(self) -> frozenset[Capability]: ...

    def handshake(self, req: InboundRequest) -> RawResponse | None:
        """Answer the platform's check of our address; ``None`` when ``req`` is no such check.

        Raises:
            Rejected: it is one, but not signed by the platform.
        """
        ...

    def open(self, req: InboundRequest) -> Envelope:
        """Verify, decrypt and decode a message.

        Raises:
            Rejected: 403 not authentic, 400 malformed, 405 wrong method, 413 too large.
        """
        ...

    def parse(self, env: Envelope) -> InboundEvent:
        """Normalise a message; what we do not know becomes ``UNKNOWN``.

        Raises:
            Rejected: something every message has is missing.
        """
        ...

    def dedup_key(self, ev: InboundEvent) -> str:
        """Return 64 hex digits, the same for repeats of one event and different for all others."""
        ...

    def seal(self, env: Envelope, reply: Reply | None) -> RawResponse:
        """Encode the answer to a message, under the key that opened it; ``None`` is the bare receipt."""
        ...

    def reject(self, req: InboundRequest, rejected: Rejected) -> RawResponse:
        """Encode a refusal as the platform wants it. Never raises."""
        ...

    def authorize_url(self, redirect_url: str, state: str, scope: LoginScope = LoginScope.BASE) -> str:
        """Return where a sign-in begins.

        Raises:
            ChannelError: ``unsupported``.
        """
        ...

    def read_callback(self, args: Mapping[str, str]) -> tuple[str, str]:
        """Return code and state of a sign-in's return.

        Raises:
            Rejected: one is missing or the platform says no.
        """
        ...

    def exchange(self, code: str) -> ChannelIdentity:
        """Trade a code for who it is.

        Raises:
            ChannelError: refused or not reached.
        """
        ...

    def refresh(self, identity: ChannelIdentity) -> ChannelIdentity:
        """Return the identity with a new grant.

        Raises:
            ChannelError: it has none, it ran out, the platform refused, or it was not reached.
        """
        ...

    def user_info(self, identity: ChannelIdentity) -> UserInfo:
        """Ask for what the resident agreed to show, with the identity's grant.

        Raises:
            ChannelError: the grant does not reach that far, ran out, or the platform was not reached.
        """
        ...

    def phone_number(self, code: str) -> PhoneNumber:
        """Trade a code for the number that the resident agreed to give.

        Raises:
            ChannelError: refused or not reached.
        """
        ...

    def render(self, recipient: str, reply: Reply) -> Mapping[str, Any]:
        """Return what ``send`` would send; pure.

        Raises:
            ChannelError: ``unsupported``, the account cannot send such a reply by itself.
        """
        ...

    def send(self, recipient: str, reply: Reply) -> SendResult:
        """Send a message of our own. Failures are outcomes; only ``unsupported`` is an exception."""
        ...

    def render_notification(self, recipient: str, notification: Notification) -> Mapping[str, Any]:
        """Return what ``send_notification`` would send; pure. Words that are too long are shortened.

        Raises:
            ChannelError: ``unsupported``, or ``bad_data`` for a value the platform would refuse.
        """
        ...

    def send_notification(self, recipient: str, notification: Notification) -> SendResult:
        """Send a notification. Failures are outcomes; only ``unsupported`` is an exception."""
        ...

    def list_templates(self) -> tuple[PlatformTemplate, ...]:
        """Return the forms of notification that the platform has approved for the account.

        Raises:
            ChannelError: refused or not reached.
        """
        ...

    def parse_receipt(self, ev: InboundEvent) -> DeliveryReceipt | None: ...

    def classify(self, code: str) -> Outcome: ...

    def check_menu(
        self, tree: Sequence[MenuEntry], rules: Sequence[MenuRule] = ()
    ) -> list[MenuViolation]: ...

    def publish_menu(self, tree: Sequence[MenuEntry], rules: Sequence[MenuRule] = ()) -> None:
        """Put the menu, and the menus of some residents, in place of all there are.

        Of several rules that fit a resident the first holds.

        Raises:
            ChannelError: the menu breaks a limit, the platform refused, or it was not reached.
        """
        ...

    def read_menu(self) -> tuple[MenuEntry, ...]:
        """Return the menu in place; empty when there is none.

        Raises:
            ChannelError: refused or not reached.
        """
        ...

    def read_menu_rules(self) -> tuple[MenuRule, ...]:
        """Return the menus of some residents, first the one that is tried first.

        Raises:
            ChannelError: refused or not reached.
        """
        ...

    def make_qr(self, scene: str, seconds: int | None = None) -> QrCode:
        """Make a code that reports ``scene`` when scanned; ``None`` seconds for one that never ends.

        Raises:
            ChannelError: ``bad_scene``, ``bad_seconds``, refused or not reached.
        """
        ...

    def upload(self, media: Media) -> MediaId:
        """Hand a file over to the platform.

        Raises:
            ChannelError: ``bad_media`` for one the platform would refuse, refused or not reached.
        """
        ...

    def page_config(self, url: str, apis: Sequence[str]) -> PageConfig | None:
        """Sign a page so that it may call the phone's functions; ``None`` where no signature is needed.

        Raises:
            ChannelError: ``bad_url``, refused or not reached.
        """
        ...

    def page_rules(self) -> tuple[PageRule, ...]:
        """Return what pages must heed inside this platform's app; pure."""
        ...

    def page_link(self, url: str, params: Mapping[str, str], medium: PageMedium = PageMedium.H5) -> PageLink:
        """Return how ``url`` with ``params`` is opened.

        A mini program's own page is given by its path in place of ``url``; a web address opens in the
        page that shows web pages.

        Raises:
            ChannelError: ``unsupported`` for a medium the account lacks, ``bad_page``, refused or not
                reached.
        """
        ...

    def mini_code(self, code: MiniCode) -> Picture:
        """Draw a code that opens a page of the mini program.

        Raises:
            ChannelError: ``bad_page``, ``bad_scene``, ``bad_width``, refused or not reached.
        """
        ...

    def detect(self, headers: Mapping[str, str]) -> ClientEnv | None:
        """Tell whether a page request comes from this platform's app."""
        ...

    def probe(self) -> Health:
        """Make one harmless call. Failures are a state, not an exception."""
        ...


def raw_parameters(encoded: bytes) -> dict[str, bytes]:
    """Split ``a=1&b=2`` into undecoded values; names are ASCII.

    Raises:
        Rejected: too long, too many, a name given twice or not ASCII.
    """
    if len(encoded) > MAX_BODY_BYTES:
        raise Rejected("too_large", 413)
    parts = encoded.split(b"&")
    if len(parts) > MAX_PARAMETERS:
        raise Rejected("too_many_parameters")
    # Bytes and not text, which the library's own splitter makes: the charset is not known yet.
    quoted = b"%" in encoded or b"+" in encoded
    values: dict[str, bytes] = {}
    for part in filter(None, parts):
        name, _, value = part.partition(b"=")
        if quoted:
            name, value = _unquoted(name), _unquoted(value)
        if not name.isascii():
            raise Rejected("bad_encoding")
        if (key := name.decode("ascii")) in values:
            raise Rejected("duplicate_parameter")
        values[key] = value
    return values


def _plain_parameters(encoded: bytes) -> dict[str, str] | None:
    """Return the parameters of a query with nothing to decode, ``None`` for one that needs more care."""
    if len(encoded) > MAX_BODY_BYTES or not encoded.isascii() or b"%" in encoded or b"+" in encoded:
        return None
    parts = encoded.decode("ascii").split("&")
    values = {name: value for name, _, value in [part.partition("=") for part in parts]}
    return values if "" not in values and len(values) == len(parts) <= MAX_PARAMETERS else None


def _unquoted(quoted: bytes) -> bytes:
    return unquote_to_bytes(quoted.replace(b"+", b" "))


def stable_digest(*parts: str) -> str:
    """Return a SHA-256 over ``parts`` that no other split of the same letters gives."""
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()


def dedup_digest(ev: InboundEvent) -> str:
    """Return a dedup key over who, when, what and which.

    Two events of one user in one second stay two, and so does one message id under two users.
    """
    moment = ev.occurred_at.astimezone(UTC).isoformat()
    return stable_digest(ev.channel, ev.account, ev.sender, moment, ev.raw_type, ev.action, ev.event_id)
