"""Roles, scopes, names, passwords and terms of sign-in. Pure: no database, no clock."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.core.access import Permission


class RegionLevel(StrEnum):
    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    ZONE = "zone"


class Role(StrEnum):
    """What a member of staff is there for."""

    PROVINCE_REVIEWER = "province_reviewer"
    PROVINCE_WATCH = "province_watch"
    DEPARTMENT_OPERATOR = "department_operator"
    DEPARTMENT_HEAD = "department_head"
    CITY_OPERATOR = "city_operator"
    COUNTY_OPERATOR = "county_operator"
    AUDITOR = "auditor"
    SYSTEM_ADMINISTRATOR = "system_administrator"


class ScopeKind(StrEnum):
    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    BODY = "body"


class StaffState(StrEnum):
    """``invited`` until password and one-time codes are set up."""

    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"


class LinkPurpose(StrEnum):
    SET_UP = "set_up"
    SIGN_IN = "sign_in"
    SECOND_FACTOR = "second_factor"


ROLE_LABELS: Mapping[Role, str] = {
    Role.PROVINCE_REVIEWER: "省级审核员",
    Role.PROVINCE_WATCH: "省级值守员",
    Role.DEPARTMENT_OPERATOR: "部门经办员",
    Role.DEPARTMENT_HEAD: "部门负责人",
    Role.CITY_OPERATOR: "地市经办员",
    Role.COUNTY_OPERATOR: "县（市、区）经办员",
    Role.AUDITOR: "审计员",
    Role.SYSTEM_ADMINISTRATOR: "系统管理员",
}
STATE_LABELS: Mapping[StaffState, str] = {
    StaffState.INVITED: "待设置",
    StaffState.ACTIVE: "正常",
    StaffState.DISABLED: "已停用",
}

_OPERATOR = frozenset(
    {
        Permission.PAGES_REGISTER,
        Permission.PAGES_READ,
        Permission.WATCH,
        Permission.CASES_READ,
        Permission.CASES_HANDLE,
        Permission.ITEMS_READ,
        Permission.ITEMS_EDIT,
        Permission.EXCHANGE_MANAGE,
    }
)
PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.PROVINCE_REVIEWER: frozenset(
        {
            Permission.PAGES_READ,
            Permission.PAGES_REVIEW,
            Permission.SPEC_MANAGE,
            Permission.WATCH,
            Permission.CASES_READ,
            Permission.CASES_SUPERVISE,
            Permission.ITEMS_READ,
            Permission.ITEMS_REVIEW,
            Permission.EXCHANGE_MANAGE,
            Permission.CALENDAR_MANAGE,
        }
    ),
    Role.PROVINCE_WATCH: frozenset({Permission.PAGES_READ, Permission.WATCH}),
    Role.DEPARTMENT_OPERATOR: _OPERATOR,
    Role.DEPARTMENT_HEAD: frozenset({Permission.PAGES_READ, Permission.CASES_READ, Permission.CASES_HEAD}),
    Role.CITY_OPERATOR: _OPERATOR,
    Role.COUNTY_OPERATOR: _OPERATOR,
    Role.AUDITOR: frozenset({Permission.AUDIT_READ}),
    Role.SYSTEM_ADMINISTRATOR: frozenset(
        {Permission.STAFF_MANAGE, Permission.CHANNELS_MANAGE, Permission.JOBS_MANAGE}
    ),
}
SCOPE_OF: Mapping[Role, ScopeKind] = {
    Role.PROVINCE_REVIEWER: ScopeKind.PROVINCE,
    Role.PROVINCE_WATCH: ScopeKind.PROVINCE,
    Role.DEPARTMENT_OPERATOR: ScopeKind.BODY,
    Role.DEPARTMENT_HEAD: ScopeKind.BODY,
    Role.CITY_OPERATOR: ScopeKind.CITY,
    Role.COUNTY_OPERATOR: ScopeKind.COUNTY,
    Role.AUDITOR: ScopeKind.PROVINCE,
    Role.SYSTEM_ADMINISTRATOR: ScopeKind.PROVINCE,
}
# Separated administrators: who runs the system or reads its trail does nothing else in it.
STANDS_ALONE = frozenset({Role.AUDITOR, Role.SYSTEM_ADMINISTRATOR})

IDLE = timedelta(minutes=15)
ABSOLUTE = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
CONFIRMED_FOR = timedelta(minutes=10)
"""How long a one-time code vouches for who sits at the desk."""

FAILURES_MAX = 5
LOCKED_FOR = timedelta(minutes=15)
ATTEMPTS_PER_ADDRESS = "60/15minutes"
LINK_LIVES: Mapping[LinkPurpose, timedelta] = {
    LinkPurpose.SET_UP: timedelta(hours=24),
    LinkPurpose.SIGN_IN: timedelta(hours=12),
    LinkPurpose.SECOND_FACTOR: timedelta(minutes=5),
}

USERNAME = re.compile(r"[a-z][a-z0-9._-]{2,39}")
USERNAME_MAX = 40
NAME_MAX = 40
PASSWORD_MIN, PASSWORD_MAX = 12, 128
PASSWORD_DISTINCT_MIN = 6
TOKEN_NAME_MAX = 60
TOKEN_DAYS_MAX = 365
TOKEN_PREFIX = "hall_"

# Long enough to pass the length rule, and the first that anybody tries.
_TRIVIAL_PARTS = (
    "password",
    "passw0rd",
    "qwerty",
    "asdfgh",
    "zxcvbn",
    "1qaz2wsx",
    "123456",
    "654321",
    "iloveyou",
    "letmein",
    "welcome",
    "administrator",
    "admin123",
    "woaini",
    "guangdong",
    "mima",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a body stands.

    Attributes:
        city_code: the city it belongs to or governs; None for provincial bodies.
    """

    body_id: int
    region_code: str
    city_code: str | None


@dataclass(frozen=True, slots=True)
class Grant:
    """A role inside a scope.

    Attributes:
        scope_ref: ``""`` for the province, a region code for city and county, a body's id as text.
    """

    role: Role
    scope_kind: ScopeKind
    scope_ref: str = ""

    def carries(self, permission: Permission) -> bool:
        return permission in PERMISSIONS[self.role]

    def reaches(self, place: Place) -> bool:
        """Tell whether the body at ``place`` lies inside the scope."""
        match self.scope_kind:
            case ScopeKind.PROVINCE:
                return True
            case ScopeKind.CITY:
                return place.city_code == self.scope_ref
            case ScopeKind.COUNTY:
                return place.region_code == self.scope_ref
            case ScopeKind.BODY:
                return str(place.body_id) == self.scope_ref


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in member of staff, or the bearer of one's token.

    Attributes:
        session_id: None for the bearer of a token.
        confirmed_at: when this session's owner last showed a one-time code.
    """

    staff_id: int
    name: str
    grants: tuple[Grant, ...]
    session_id: int | None = None
    confirmed_at: datetime | None = None

    @property
    def actor(self) -> str:
        return f"staff:{self.staff_id}"

    def may(self, permission: Permission) -> bool:
        return any(grant.carries(permission) for grant in self.grants)


def password_problem(password: str, username: str) -> str | None:
    """Return what is wrong with a new password, in Chinese; None when it will do."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        return f"密码要有 {PASSWORD_MIN} 至 {PASSWORD_MAX} 个字符"
    lowered = password.lower()
    if len(set(lowered)) < PASSWORD_DISTINCT_MIN:
        return "密码里重复的字符太多"
    rest = lowered.replace(username.lower(), "")
    for part in _TRIVIAL_PARTS:
        rest = rest.replace(part, "")
    # What is left after the guessable parts must still be worth something.
    if len(rest) < PASSWORD_MIN // 2 or _is_run(lowered):
        return "密码太容易被猜到"
    return None


def _is_run(text: str) -> bool:
    steps = {ord(after) - ord(before) for before, after in zip(text, text[1:], strict=False)}
    return steps in ({1}, {-1})


def grants_problem(grants: Collection[Grant]) -> str | None:
    """Return what is wrong with one person's grants, in Chinese; None when they may stand together."""
    for grant in grants:
        wanted = SCOPE_OF[grant.role]
        if grant.scope_kind is not wanted or bool(grant.scope_ref) is (wanted is ScopeKind.PROVINCE):
            return f"{ROLE_LABELS[grant.role]}的范围不对"
    roles = {grant.role for grant in grants}
    if len(roles) > 1 and roles & STANDS_ALONE:
        return "系统管理员和审计员不能兼任其他角色"
    return None
