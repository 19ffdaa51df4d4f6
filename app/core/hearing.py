"""What a capability tells those above it without knowing them: each that hears gets a job of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Flask, current_app

from app.core import outbox


def init_app(app: Flask, hears: Iterable[Mapping[str, str]]) -> None:
    """Remember who hears what.

    Args:
        hears: per capability, the names of its jobs by the events they want.
    """
    jobs: dict[str, list[str]] = {}
    for one in hears:
        for event, job in one.items():
            jobs.setdefault(event, []).append(job)
    app.extensions["hall_hearing"] = jobs


def tell(event: str, payload: Mapping[str, Any], *, dedup_key: str) -> None:
    """Ask in the running transaction for one job per capability that wants to hear of ``event``.

    Args:
        event: ``thing.what-happened``.
        dedup_key: what makes this happening unlike others of its kind, e.g. id and version.
    """
    for job in current_app.extensions["hall_hearing"].get(event, ()):
        outbox.enqueue(job, payload, dedup_key=f"{job}:{dedup_key}")
