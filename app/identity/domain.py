"""Rules of sign-in: how long things live, what may go wrong, and in which words."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from app.core.errors import Conflict, DomainError, Forbidden, Unavailable

CHANNEL_LEVEL = 1
"""All that a channel tells is that the same account came back; who that is, it does not prove."""
NAME_LEVEL = 2
"""Name and number belong together, says who keeps the register (实名)."""
FACE_LEVEL = 3
"""And the face before the phone belongs to them; counts for a while and in one session only (实人)."""

STATE_LIFE = timedelta(minutes=10)
TICKET_LIFE = timedelta(seconds=60)
TICKET_KEPT = timedelta(days=1)
"""How long a used or expired ticket stays, so that a second use is still told from an invention."""
USED_EVERY = timedelta(minutes=1)
SESSIONS_MAX = 20
"""Of one resident at a time; the one that was used longest ago makes room."""
CODE_MAX = 2048
"""Alipay gives a phone number as a sealed and signed text of some six hundred characters."""
AUDIENCE_MAX = 80

SUBJECT_FIELD = "channel_subject"
UNION_FIELD = "channel_union"
PHONE_FIELD = "resident_phone"
PSEUDONYM_FIELD = "sso_subject"
NUMBER_FIELD = "id_number"
NAME_FIELD = "real_name"
USCC_FIELD = "uscc"
ENTERPRISE_FIELD = "enterprise_name"

NAME_MAX = 50
ENTERPRISE_NAME_MAX = 100

STARTS_PER_ADDRESS = "600/minute"
"""Wide on purpose: a mobile carrier puts thousands of phones behind one address."""


class Client(StrEnum):
    """What a session was opened in, as far as a person needs it to know it again."""

    WECHAT = "wechat"
    WECHAT_MINI = "wechat_mini"
    ALIPAY = "alipay"
    ALIPAY_MINI = "alipay_mini"
    BROWSER = "browser"


CLIENT_LABELS = {
    Client.WECHAT: "微信",
    Client.WECHAT_MINI: "微信小程序",
    Client.ALIPAY: "支付宝",
    Client.ALIPAY_MINI: "支付宝小程序",
    Client.BROWSER: "手机或电脑浏览器",
}


class SignInExpired(DomainError):
    """No such attempt, or its ten minutes are over: the two are not told apart."""

    code = "sign_in_expired"
    title = "这次登录已经过期"
    title_en = "This sign-in has expired"


class SignInUsed(Conflict):
    code = "sign_in_used"
    title = "这次登录已经用过了"
    title_en = "This sign-in was used already"


class SignInForeign(Forbidden):
    """The attempt began in another browser: somebody may want to sign this person in as himself."""

    code = "sign_in_foreign"
    title = "登录不是从这个浏览器开始的"
    title_en = "The sign-in began in another browser"


class SignInRefused(DomainError):
    """The resident or the platform said no."""

    code = "sign_in_refused"
    title = "没有登录成功"
    title_en = "The platform did not confirm the sign-in"


class SignInCodeRefused(SignInRefused):
    """The platform does not take the code: used before, too old, or made up."""

    code = "sign_in_code_refused"
    title = "登录凭证已失效"
    title_en = "The platform refused the sign-in code"


class SignInImpossible(DomainError):
    """The account has no such way of signing in."""

    code = "sign_in_impossible"
    title = "这个账号不能用来登录"
    title_en = "This account offers no sign-in"


class PlatformAway(Unavailable):
    """The platform does not answer; nothing was done."""

    code = "platform_away"
    title = "微信或支付宝暂时没有应答，请稍后再试"
    title_en = "The platform does not answer at the moment"


class BindingTaken(Conflict):
    code = "binding_taken"
    title = "这个微信或支付宝账号已经用于另一个账户"
    title_en = "This channel account belongs to another resident account"


class LastBinding(Conflict):
    """Without a binding nobody could ever sign in again."""

    code = "last_binding"
    title = "这是最后一种登录方式，不能解除；不再使用请注销账户"
    title_en = "The last way of signing in cannot be removed"


class PhoneRefused(DomainError):
    code = "phone_refused"
    title = "没有取得手机号码"
    title_en = "The platform did not give a phone number"


class TicketRefused(DomainError):
    """Unknown, used, expired, or for somebody else: not told apart."""

    code = "ticket_refused"
    title = "登录凭据无效或已失效"
    title_en = "The ticket is not valid"


def platform_of(kind: str) -> str:
    """Return whose user ids an account of ``kind`` uses: mini programs share their platform's.

    >>> platform_of("wechat_mini")
    'wechat'
    """
    return kind.partition("_")[0]


def body_audience(body_id: int) -> str:
    """Return the audience of tickets for pages of a body, and for its registered applications."""
    return f"body:{body_id}"


def app_audience(app_id: int | str) -> str:
    """Return the audience of tickets for a third-party application that belongs to no body."""
    return f"app:{app_id}"
