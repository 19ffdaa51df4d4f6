"""What a process loads when it uses it, and not before: a web worker runs no jobs and no commands.

Checking and probing pages bring libcurl, event loops and a browser's protocol with them, which would
cost every web worker some ten megabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from importlib import import_module
from typing import Any

import click
from flask.cli import AppGroup

from app.core.outbox import Job


def load(reference: str) -> Any:
    """Return what ``module:name`` stands for."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)


class JobTable(Mapping[str, Job]):
    """Jobs by name; their modules are imported at the first look."""

    def __init__(self, collect: Callable[[], dict[str, Job]]) -> None:
        self._collect = collect

    @cached_property
    def _jobs(self) -> dict[str, Job]:
        return self._collect()

    def __getitem__(self, name: str) -> Job:
        return self._jobs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._jobs)

    def __len__(self) -> int:
        return len(self._jobs)


class LaterGroup(AppGroup):
    """A group of commands whose module is imported when one of them is asked for."""

    def __init__(self, name: str, reference: str, *, help: str) -> None:
        super().__init__(name, help=help)
        self._reference = reference

    @cached_property
    def _group(self) -> click.Group:
        found: click.Group = load(self._reference)
        return found

    def list_commands(self, context: click.Context) -> list[str]:
        return self._group.list_commands(context)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        return self._group.get_command(context, name)
