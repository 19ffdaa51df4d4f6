"""Finds the channels: every package under ``channels/`` that has ``DESCRIPTION`` and ``build``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Protocol, cast

import channels
from channels.base import AccountConfig, Channel, ChannelEnv, ClientEnv
from channels.fields import ChannelDescription, FieldProblem, is_account_name


class ChannelPackage(Protocol):
    """What a channel package exposes."""

    DESCRIPTION: ChannelDescription

    def build(self, config: AccountConfig, env: ChannelEnv) -> Channel: ...


class BadSettings(ValueError):
    """An account's settings are refused.

    Attributes:
        problems: all of them.
    """

    def __init__(self, problems: list[FieldProblem]) -> None:
        super().__init__("; ".join(f"{problem.name}: {problem.message}" for problem in problems))
        self.problems = problems


@cache
def packages() -> Mapping[str, ChannelPackage]:
    """Return the channel packages by kind, in name order.

    Raises:
        TypeError: a package lacks ``DESCRIPTION`` or ``build``, or describes itself under another name.
    """
    found: dict[str, ChannelPackage] = {}
    for info in sorted(pkgutil.iter_modules(channels.__path__), key=lambda module: module.name):
        if not info.ispkg:
            continue
        package = importlib.import_module(f"channels.{info.name}")
        description = getattr(package, "DESCRIPTION", None)
        if not isinstance(description, ChannelDescription) or description.kind != info.name:
            raise TypeError(f"channels.{info.name} has no DESCRIPTION of itself")
        if not callable(getattr(package, "build", None)):
            raise TypeError(f"channels.{info.name} has no build")
        found[info.name] = cast(ChannelPackage, package)
    return MappingProxyType(found)


def kinds() -> Mapping[str, ChannelDescription]:
    """Return what each channel says about itself, by kind, in name order."""
    return {name: package.DESCRIPTION for name, package in packages().items()}


def check_settings(kind: str, account: str, values: Mapping[str, str]) -> list[FieldProblem]:
    """Return everything wrong with an account, all at once.

    Raises:
        KeyError: there is no such kind.
    """
    found = packages()[kind].DESCRIPTION.problems(values)
    if not is_account_name(account):
        found.insert(0, FieldProblem("account", "只能用小写字母、数字和中间的短横线，最多 40 个字符"))
    return found


def build(config: AccountConfig, env: ChannelEnv) -> Channel:
    """Return the adapter of one account.

    Raises:
        KeyError: there is no such kind.
        BadSettings: the settings are refused.
    """
    problems = check_settings(config.kind, config.account, {**config.settings, **config.secrets})
    if problems:
        raise BadSettings(problems)
    return packages()[config.kind].build(config, env)


def detect(headers: Mapping[str, str]) -> ClientEnv | None:
    """Tell which platform's app asks for a page; ``None`` for a plain browser."""
    clients = (package.DESCRIPTION.detect(headers) for package in packages().values())
    return next((client for client in clients if client is not None), None)
