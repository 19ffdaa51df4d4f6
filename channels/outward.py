"""What goes out to residents: replies, notifications, menus, codes and files; data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from channels.vocabulary import MediaKind, NotificationKind, Outcome


@dataclass(frozen=True, slots=True)
class Article:
    """One entry of a picture-and-text message (图文消息)."""

    title: str
    description: str = ""
    url: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What we say to a resident: a text, articles, a picture, or a person to talk to; exactly one of them.

    Attributes:
        image: id of a picture that was uploaded before.
        handover: from now on a person answers (转人工客服), not we.

    Raises:
        ValueError: none or several are given.
    """

    text: str = ""
    articles: tuple[Article, ...] = ()
    image: str = ""
    handover: bool = False

    def __post_init__(self) -> None:
        if (not self.text) + (not self.articles) + (not self.image) + (not self.handover) != 3:
            raise ValueError("a reply has exactly one of text, articles, image and handover")


@dataclass(frozen=True, slots=True)
class MiniPage:
    """A page of a mini program (小程序页面); ``path`` may carry a query."""

    app_id: str
    path: str


@dataclass(frozen=True, slots=True)
class MiniCode:
    """A picture to be drawn (小程序码) that opens a page of a mini program when it is scanned.

    Attributes:
        page: path of the page; it may carry a query when there is no scene.
        scene: reported to the page; such codes are without number, those without one are few.
        square: drawn as a QR code (小程序二维码), for readers that know no other.
    """

    page: str
    scene: str = ""
    width_px: int = 430
    square: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to be shown; ``content_type`` such as ``image/png``."""

    content: bytes = field(repr=False)
    content_type: str


@dataclass(frozen=True, slots=True)
class TemplateField:
    """A value that a form of notification asks for.

    Attributes:
        key: the platform's own name, such as ``thing1``.
        label: what stands before the value, in Chinese.
        choices: the only values allowed; empty for free ones.
    """

    key: str
    label: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlatformTemplate:
    """A form of notification that the platform has approved for an account.

    Attributes:
        long_term: one consent of a resident is good for ever, not for one notification.
    """

    id: str
    title: str
    fields: tuple[TemplateField, ...]
    kind: NotificationKind = NotificationKind.TEMPLATE
    long_term: bool = False


@dataclass(frozen=True, slots=True)
class Notification:
    """A message in a form the platform has approved before (模板消息、订阅通知).

    Attributes:
        template_key: the platform's own id of the template, as the account has it.
        data: values by the template's own names, such as ``thing1``.
        page: web address that opens at a tap; ``""`` for none.
        mini_page: opens instead of ``page`` where the phone can.
        dedup_id: the same for repeats of one notification; platforms that take one show it once.
        permit: what allows this one where the platform asks for proof: the number of a form or payment.

    Raises:
        ValueError: the template or all data are missing.
    """

    template_key: str
    data: Mapping[str, str] = field(repr=False)
    page: str = field(default="", repr=False)
    kind: NotificationKind = NotificationKind.TEMPLATE
    mini_page: MiniPage | None = field(default=None, repr=False)
    dedup_id: str = ""
    permit: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not self.template_key or not self.data:
            raise ValueError("a notification has a template and data")


@dataclass(frozen=True, slots=True)
class SendResult:
    """How one send ended. ``code`` is the platform's, ``platform_id`` its message id."""

    outcome: Outcome
    platform_id: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryReceipt:
    """What the platform says later about a message it had accepted."""

    platform_id: str
    outcome: Outcome
    code: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """A resident allowed or forbade notifications of one template."""

    template_key: str
    granted: bool


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A menu button: opens ``url``, reports ``key``, or holds ``children``.

    Raises:
        ValueError: not exactly one of the three is given.
    """

    name: str
    url: str = ""
    key: str = ""
    children: tuple[MenuEntry, ...] = ()

    def __post_init__(self) -> None:
        if sum(map(bool, (self.url, self.key, self.children))) != 1:
            raise ValueError("a menu entry has exactly one of url, key and children")


@dataclass(frozen=True, slots=True)
class MenuRule:
    """A menu that only some residents see (个性化菜单); all given conditions must hold.

    Attributes:
        tag: the platform's id of a group of residents; ``""`` for everybody.
        system: ``android``, ``ios`` or ``other``; ``""`` for all.

    Raises:
        ValueError: there is no condition.
    """

    tree: tuple[MenuEntry, ...]
    tag: str = ""
    system: str = ""

    def __post_init__(self) -> None:
        if not self.tag and not self.system:
            raise ValueError("a menu rule has a condition")


@dataclass(frozen=True, slots=True)
class MenuViolation:
    """Why the platform would refuse a menu.

    Attributes:
        path: positions from the top, e.g. ``(0, 2)``; empty for the menu as a whole.
        message: for staff, in Chinese.
        rule: position of the rule whose menu it is; ``None`` for the menu of everybody else.
    """

    path: tuple[int, ...]
    code: str
    message: str
    rule: int | None = None


@dataclass(frozen=True, slots=True)
class QrCode:
    """A code (带参数的二维码) that tells us its scene when it is scanned.

    Attributes:
        content: what the code says; draw it as a QR code. ``""`` where the platform does not tell.
        expires_at: UTC; ``None`` for one that never ends.
        picture: address of the code as the platform has drawn it; ``""`` where it does not.
    """

    content: str
    expires_at: datetime | None = None
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    """A file to be uploaded (素材).

    Attributes:
        name: file name with its ending, which tells the platform the format.
        lasting: keep it until it is deleted (永久素材); else the platform drops it after some days.
    """

    kind: MediaKind
    name: str
    content: bytes = field(repr=False)
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class MediaId:
    """An uploaded file. ``expires_at`` is UTC, ``None`` for one that never ends; ``url`` may be empty."""

    value: str
    expires_at: datetime | None = None
    url: str = ""
