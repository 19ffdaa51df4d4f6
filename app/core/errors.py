"""Domain errors know no HTTP. Each has a stable ``code`` and a title in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class DomainError(Exception):
    """A rule of the business said no.

    Attributes:
        code: stable, part of the API.
        title: Chinese; ``title_en``: English. ``str(self)`` is the detail of this one case, Chinese.
        fields: per input field, what is wrong with it.
    """

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "不能办理"
    title_en: ClassVar[str] = "The request was refused"

    def __init__(self, detail: str = "", *, fields: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail or self.title)
        self.fields = dict(fields or {})


class NotFound(DomainError):
    """No such thing, or it is outside the caller's scope: the two are not told apart."""

    code = "not_found"
    title = "没有找到"
    title_en = "Not found"


class Conflict(DomainError):
    """The thing changed meanwhile, or exists already."""

    code = "conflict"
    title = "与现有数据冲突"
    title_en = "Conflict with the current state"


class Stale(Conflict):
    """Another person changed it first."""

    code = "stale"
    title = "已被他人先行处理，请刷新后再试"
    title_en = "Somebody else changed it first"


class Invalid(DomainError):
    """What was sent breaks a rule; ``fields`` says where."""

    code = "invalid"
    title = "填写有误"
    title_en = "The data sent is not valid"


class NotSignedIn(DomainError):
    code = "not_signed_in"
    title = "请先登录"
    title_en = "Sign in first"


class ResidentNotSignedIn(NotSignedIn):
    """A resident must sign in, not a member of staff: pages lead to another door."""


class Forbidden(DomainError):
    code = "forbidden"
    title = "没有权限"
    title_en = "Not allowed"


class LevelTooLow(Forbidden):
    """The resident is known, but not well enough for this (step-up).

    Attributes:
        level_needed: 2 real name, 3 face.
    """

    code = "level_too_low"
    title = "需要更高的实名认证等级"
    title_en = "A higher assurance level is needed"

    def __init__(self, level_needed: int = 2, detail: str = "") -> None:
        super().__init__(detail or ("办这件事要先刷脸核验" if level_needed > 2 else "办这件事要先实名认证"))
        self.level_needed = level_needed


class TooMany(DomainError):
    """Too many tries. ``retry_after_seconds`` says how long to wait."""

    code = "too_many_requests"
    title = "操作太频繁，请稍后再试"
    title_en = "Too many requests"

    def __init__(self, detail: str = "", *, retry_after_seconds: int = 60) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(DomainError):
    """Something the hall needs is away for the moment; nothing was done."""

    code = "unavailable"
    title = "系统繁忙，请稍后再试"
    title_en = "Temporarily unavailable"
    retry_after_seconds = 5
