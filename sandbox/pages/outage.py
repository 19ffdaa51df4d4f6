"""When the page that falls down is down: a fixed rhythm from a start, or as somebody has forced it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.config import OutagePlan
from sandbox.world import Clock

FORCES = ("auto", "up", "down")


def is_up_by_plan(plan: OutagePlan, elapsed_seconds: float) -> bool:
    """Say whether the plan has the page up ``elapsed_seconds`` after the start; before it, it is up."""
    since_first = elapsed_seconds - plan.first_up_seconds
    if since_first < 0:
        return True
    return since_first % (plan.down_seconds + plan.up_seconds) >= plan.down_seconds


def seconds_to_change(plan: OutagePlan, elapsed_seconds: float) -> float:
    """Return how long the present state still lasts by the plan."""
    since_first = elapsed_seconds - plan.first_up_seconds
    if since_first < 0:
        return -since_first
    inside = since_first % (plan.down_seconds + plan.up_seconds)
    if inside < plan.down_seconds:
        return plan.down_seconds - inside
    return plan.down_seconds + plan.up_seconds - inside


@dataclass(slots=True)
class Outage:
    """The plan, running; ``forced`` is ``auto`` (by plan), ``up`` or ``down``."""

    plan: OutagePlan
    clock: Clock
    forced: str = "auto"
    started_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.started_at = self.clock()

    def is_up(self) -> bool:
        if self.forced != "auto":
            return self.forced == "up"
        return is_up_by_plan(self.plan, self.clock() - self.started_at)

    def change_in_seconds(self) -> float | None:
        """Return the time to the next change; None while forced."""
        return None if self.forced != "auto" else seconds_to_change(self.plan, self.clock() - self.started_at)
