"""The long modules begin first, so that at the end no worker waits for one of them."""

from __future__ import annotations

LONG = (
    "tests/journeys/",
    "tests/api/test_hostile.py",
    "tests/app/mobile_access/test_bad_input.py",
    "tests/app/monitoring/test_provers.py",
    "tests/deploy/test_run.py",
    "tests/app/monitoring/test_views_in_browser.py",
    "tests/app/monitoring/test_recompute.py",
    "tests/app/monitoring/test_wall_in_browser.py",
    "tests/test_farm.py",
    "tests/api/",
    "tests/app/mobile_access/test_checks.py",
    "tests/mobile_pages/gather/",
)
"""Longest first, as ``pytest --durations=0`` tells."""


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: _rank(item.nodeid))


def _rank(name):
    return next((rank for rank, start in enumerate(LONG) if name.startswith(start)), len(LONG))
