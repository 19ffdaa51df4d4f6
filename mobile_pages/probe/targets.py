"""What else than a page opened by one GET can be looked at. Light: no client, no browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mobile_pages.probe.base import ProbeTarget
from mobile_pages.probe.steps import Step


@dataclass(frozen=True, slots=True)
class TaskTarget(ProbeTarget):
    """A task to go through; ``url`` is that of its first step.

    Attributes:
        secrets: test credentials by name, in clear; never shown.
    """

    steps: tuple[Step, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        ProbeTarget.__post_init__(self)
        if not self.steps:
            raise ValueError("a task needs a step")


@dataclass(frozen=True, slots=True)
class RenderedTarget(ProbeTarget):
    """A page to open in a browser as a phone would; ``must_contain`` is looked for in its visible text."""
