"""Rules of people: kinds of numbers, states of checks, links and delegations, what may go wrong."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from app.core.errors import Conflict, DomainError, Unavailable

WHAT_MAX = 120
BY_MAX = 80
PURPOSE_MAX = 200
CASE_NUMBER_MAX = 40
REASON_MAX = 500
REFERENCE_MAX = 80

CHECKS_PER_ACCOUNT = 5
CHECKS_PER_NUMBER = 10
CHECKS_AT_ALL = 30
"""Of one account in a day, those that went well too: each costs the hall money."""
CHECKS_WINDOW = timedelta(days=1)
FACE_LIFE = timedelta(minutes=10)
"""How long a person may take before the camera."""
FACE_COUNTS = timedelta(minutes=30)
"""How long a face check counts in the session that it was made in."""
CODE_TRIES = 5
LINK_LIFE = timedelta(days=7)
OFFER_LIFE = timedelta(days=30)
DELEGATION_DAYS_MAX = 3 * 366
SCOPE_MAX = 100
OFFERS_MAX = 50
"""Live delegations that one principal may have given."""


class IdKind(StrEnum):
    """What kind of number names a person. Passports are none: they change and name no one for good."""

    CITIZEN = "1"
    FOREIGN_PERMANENT = "2"


ID_KIND_LABELS = {
    IdKind.CITIZEN: "居民身份证或港澳台居民居住证",
    IdKind.FOREIGN_PERMANENT: "外国人永久居留身份证",
}


class CheckKind(StrEnum):
    """What is to be proved."""

    NAME = "name"
    FACE = "face"
    ENTERPRISE = "enterprise"


class CheckState(StrEnum):
    """How a check ended; ``pending`` while a person is before the camera."""

    PENDING = "pending"
    PASSED = "passed"
    REFUSED = "refused"
    NOT_FOUND = "not_found"
    AWAY = "away"
    EXPIRED = "expired"


class LinkState(StrEnum):
    """States of a merger of two accounts. Source: state machine ``account_link``."""

    PROPOSED = "proposed"
    PROVED = "proved"
    MERGED = "merged"
    UNDONE = "undone"
    EXPIRED = "expired"


class LinkEvent(StrEnum):
    PROVE_BOTH = "prove_both"
    TIMEOUT = "timeout"
    MERGE = "merge"
    UNDO = "undo"


LINK_MOVES = {
    (LinkState.PROPOSED, LinkEvent.PROVE_BOTH): LinkState.PROVED,
    (LinkState.PROPOSED, LinkEvent.TIMEOUT): LinkState.EXPIRED,
    (LinkState.PROVED, LinkEvent.MERGE): LinkState.MERGED,
    (LinkState.PROVED, LinkEvent.TIMEOUT): LinkState.EXPIRED,
    (LinkState.MERGED, LinkEvent.UNDO): LinkState.UNDONE,
}
LINK_LABELS = {
    LinkState.PROPOSED: "等待两个账户确认",
    LinkState.PROVED: "已确认，正在归并",
    LinkState.MERGED: "已归并",
    LinkState.UNDONE: "已撤销",
    LinkState.EXPIRED: "已失效",
}


class DelegationKind(StrEnum):
    """Who acts for whom. ``legal`` comes with an enterprise's verification, nobody gives it."""

    AGENT = "agent"
    FAMILY = "family"
    CLERK = "clerk"
    LEGAL = "legal"


DELEGATION_LABELS = {
    DelegationKind.AGENT: "代办人",
    DelegationKind.FAMILY: "家人",
    DelegationKind.CLERK: "企业经办人",
    DelegationKind.LEGAL: "法定代表人",
}


class DelegationState(StrEnum):
    OFFERED = "offered"
    ACTIVE = "active"
    DECLINED = "declined"
    ENDED = "ended"
    EXPIRED = "expired"


class DelegationEvent(StrEnum):
    ACCEPT = "accept"
    DECLINE = "decline"
    END = "end"
    TIMEOUT = "timeout"


DELEGATION_MOVES = {
    (DelegationState.OFFERED, DelegationEvent.ACCEPT): DelegationState.ACTIVE,
    (DelegationState.OFFERED, DelegationEvent.DECLINE): DelegationState.DECLINED,
    (DelegationState.OFFERED, DelegationEvent.END): DelegationState.ENDED,
    (DelegationState.OFFERED, DelegationEvent.TIMEOUT): DelegationState.EXPIRED,
    (DelegationState.ACTIVE, DelegationEvent.END): DelegationState.ENDED,
    (DelegationState.ACTIVE, DelegationEvent.TIMEOUT): DelegationState.EXPIRED,
}
DELEGATION_STATE_LABELS = {
    DelegationState.OFFERED: "等待对方接受",
    DelegationState.ACTIVE: "有效",
    DelegationState.DECLINED: "对方已拒绝",
    DelegationState.ENDED: "已终止",
    DelegationState.EXPIRED: "已过期",
}


class NotVerifiable(Unavailable):
    """This installation has no provider of real-name checks."""

    code = "verification_off"
    title = "本大厅还没有开通实名认证"
    title_en = "Real-name verification is not set up here"


class ProviderAway(Unavailable):
    """The provider does not answer; nothing was done, and the try does not count."""

    code = "verification_away"
    title = "实名认证服务暂时没有应答，请稍后再试"
    title_en = "The verification provider does not answer at the moment"


class NameRefused(DomainError):
    """Name and number do not belong together, or no register knows them: told apart by ``code``."""

    code = "name_refused"
    title = "姓名与证件号码不一致，请核对后再试"
    title_en = "Name and number do not belong together"


class PersonUnknown(NameRefused):
    code = "person_unknown"
    title = "没有查到这个证件号码，请核对；新领证件可能要过几天才能查到"
    title_en = "The register does not know this number"


class FaceRefused(DomainError):
    code = "face_refused"
    title = "人脸核验没有通过"
    title_en = "The face check did not succeed"


class CheckGone(DomainError):
    """Unknown, used, too old, or begun in another place: not told apart."""

    code = "check_gone"
    title = "这次核验已经失效，请重新开始"
    title_en = "This check is no longer valid"


class AnotherPerson(Conflict):
    """An account is one person's for good."""

    code = "another_person"
    title = "这个账户已经实名为另一个人，不能改成别人"
    title_en = "The account belongs to another person"


class NameDiffers(Conflict):
    """Somebody tells another name than the one that was verified with this number."""

    code = "name_differs"
    title = "姓名与已实名的信息不一致"
    title_en = "The name differs from the verified one"


class LinkExpired(Conflict):
    code = "link_expired"
    title = "这次归并已经失效，请重新做一次实名认证"
    title_en = "The proposal to merge has expired"


class NotAllowedNow(Conflict):
    """The state does not allow it."""

    code = "not_allowed_now"
    title = "现在不能这样做，请刷新后再看"
    title_en = "Not possible in this state"


class EnterpriseRefused(DomainError):
    code = "enterprise_refused"
    title = "企业名称、统一社会信用代码和法定代表人不一致"
    title_en = "Name, code and legal representative do not belong together"


class EnterpriseUnknown(EnterpriseRefused):
    code = "enterprise_unknown"
    title = "没有查到这个统一社会信用代码"
    title_en = "The register does not know this code"
