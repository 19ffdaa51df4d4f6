"""What a channel package says about itself: its name and the settings one account needs.

The console makes its form from it and the vault learns what to seal; neither knows any channel by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from channels.base import ClientEnv

MAX_SETTING_CHARS = 8192
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")

Check = Callable[[str], str | None]
"""Returns what is wrong with a value, in Chinese, or ``None``."""


@dataclass(frozen=True, slots=True)
class SettingField:
    """One field of an account's settings.

    Attributes:
        label: name of the field for staff, in Chinese.
        secret: sealed in the vault, never shown again.
        choices: the allowed values with their labels; empty for free text.
    """

    name: str
    label: str
    secret: bool = False
    required: bool = True
    default: str = ""
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    multiline: bool = False
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """Why a value is refused; ``message`` is for staff, in Chinese."""

    name: str
    message: str


def _no_more(values: Mapping[str, str]) -> list[FieldProblem]:
    return []


def _no_client(headers: Mapping[str, str]) -> ClientEnv | None:
    return None


@dataclass(frozen=True, slots=True)
class ChannelDescription:
    """What a channel package exposes as ``DESCRIPTION``.

    Attributes:
        kind: the package's name.
        label: for people, in Chinese.
        check: what single fields cannot say, such as "secure mode needs a key".
        detect: tells the platform's app from a page request's headers; needs no account.
    """

    kind: str
    label: str
    fields: tuple[SettingField, ...]
    check: Callable[[Mapping[str, str]], list[FieldProblem]] = _no_more
    detect: Callable[[Mapping[str, str]], ClientEnv | None] = _no_client

    @property
    def secret_names(self) -> frozenset[str]:
        """Names of the fields the vault keeps."""
        return frozenset(field.name for field in self.fields if field.secret)

    def problems(self, values: Mapping[str, str]) -> list[FieldProblem]:
        """Return everything wrong with an account's settings, all at once."""
        known = {field.name for field in self.fields}
        found = [FieldProblem(name, "没有这个设置项") for name in values if name not in known]
        for field in self.fields:
            message = _problem(field, values.get(field.name, "") or field.default)
            if message:
                found.append(FieldProblem(field.name, message))
        return found or self.check(values)


def _problem(field: SettingField, value: str) -> str | None:
    if not value:
        return "必须填写" if field.required else None
    if len(value) > MAX_SETTING_CHARS:
        return "太长"
    if field.choices and value not in dict(field.choices):
        return "不在可选范围内"
    return field.check(value) if field.check else None


def is_account_name(value: str) -> bool:
    """Tell whether ``value`` can be an account's short name in a callback address."""
    return _SLUG.fullmatch(value) is not None


def matching(pattern: str, message: str) -> Check:
    """Return a check that the whole value matches ``pattern``."""
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> str | None:
        return None if compiled.fullmatch(value) else message

    return check


def base_url(value: str) -> str | None:
    """Check that ``value`` is an http(s) address without user, query and fragment."""
    message = "必须是以 http:// 或 https:// 开头的地址，不含用户名、参数和锚点"
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return message
    fits = parts.scheme in ("http", "https") and parts.hostname and not parts.username
    return None if fits and not parts.query and not parts.fragment else message
