"""The words all channels share: what arrives, what is possible, how it ends, how it fails."""

from __future__ import annotations

from enum import StrEnum


class EventKind(StrEnum):
    """What a channel told us, in one vocabulary for all channels."""

    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    LINK = "link"
    LOCATION = "location"
    """A place the resident sent."""
    POSITION = "position"
    """Where the phone is, told by the app unasked; nothing to answer."""
    MENU = "menu"
    SCAN = "scan"
    FOLLOW = "follow"
    UNFOLLOW = "unfollow"
    ENTER = "enter"
    RECEIPT = "receipt"
    CONSENT = "consent"
    """The resident allowed or forbade something: notifications, or what we may know."""
    SERVICE = "service"
    """A person of ours took over a conversation, passed it on or ended it."""
    ACCOUNT = "account"
    """About the account itself, for staff: its verification runs out, an article went out."""
    UNKNOWN = "unknown"


class Capability(StrEnum):
    """What an account can do; the core asks before it uses it."""

    PASSIVE_REPLY = "passive_reply"
    """The answer to a callback may carry the reply. Without it, send the reply with ``send``."""
    SEND = "send"
    MENU = "menu"
    MENU_RULES = "menu_rules"
    """Some residents can be shown another menu."""
    WEB_LOGIN = "web_login"
    LOGIN_REFRESH = "login_refresh"
    USER_INFO = "user_info"
    RECEIPTS = "receipts"
    IMAGE_REPLY = "image_reply"
    HANDOVER = "handover"
    """The answer to a callback may hand the resident over to a person."""
    TEMPLATE_NOTICE = "template_notice"
    SUBSCRIBE_NOTICE = "subscribe_notice"
    PAGE_CONFIG = "page_config"
    """Pages need a signature before they may call the phone's functions."""
    QR = "qr"
    UPLOAD = "upload"
    LASTING_UPLOAD = "lasting_upload"
    """An uploaded file can be kept until it is deleted."""
    MINI_LOGIN = "mini_login"
    """A code from inside the platform's own app, without any page, tells who it is."""
    PHONE_NUMBER = "phone_number"
    TEMPLATE_LIST = "template_list"
    URL_LINK = "url_link"
    """Pages of the account's mini program can be opened from outside the platform's app."""
    MINI_CODE = "mini_code"
    """Pages of the account's mini program can be opened by a picture that is scanned."""
    PAY = "pay"
    """Residents can pay to the account; see :mod:`channels.payments`."""


class NotificationKind(StrEnum):
    """By what right a notification is sent."""

    TEMPLATE = "template"
    """To whoever follows the account (模板消息)."""
    SUBSCRIBE = "subscribe"
    """To whoever asked for it (订阅通知)."""


class MediaKind(StrEnum):
    """What an uploaded file is."""

    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    THUMB = "thumb"


class Outcome(StrEnum):
    """How a send ended, in one vocabulary for all channels."""

    ACCEPTED = "accepted"
    NEEDS_CONSENT = "needs_consent"
    NOT_FOLLOWING = "not_following"
    QUOTA = "quota"
    BAD_TEMPLATE = "bad_template"
    AUTH = "auth"
    RETRYABLE = "retryable"
    UNKNOWN = "unknown"


class LoginScope(StrEnum):
    """How much a sign-in asks of the resident."""

    BASE = "base"
    PROFILE = "profile"


class PageMedium(StrEnum):
    """How a page is opened from a channel."""

    H5 = "h5"
    MINI_PATH = "mini_path"
    URL_LINK = "url_link"
    SCHEME = "scheme"
    SHORT_LINK = "short_link"
    """Opened from inside the platform's app only."""
    QR = "qr"


class Rejected(Exception):
    """An inbound request is refused.

    Attributes:
        reason: stable code such as ``bad_signature``; never holds what the sender wrote.
        status: HTTP status, always 4xx.
    """

    def __init__(self, reason: str, status: int = 400) -> None:
        if not 400 <= status <= 499:
            raise ValueError(f"a rejection is a 4xx, not {status}")
        super().__init__(reason)
        self.reason = reason
        self.status = status


class ChannelError(Exception):
    """A platform refused or failed a call of ours.

    Attributes:
        retryable: the same call may succeed later.
        code: the platform's own error code, or a word of ours such as ``timeout``.
        outcome: the same in the common vocabulary.
    """

    def __init__(
        self, message: str, *, retryable: bool, code: str = "", outcome: Outcome | None = None
    ) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.code = code
        self.outcome = outcome or (Outcome.RETRYABLE if retryable else Outcome.UNKNOWN)
