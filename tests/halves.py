"""Halves of the suite that need an engine: skipped without it and said so; with CI=true a failure."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.processes import BROWSER


def pytest_runtest_setup(item):
    """Without a browser its half of the suite does not run, and the last lines say so."""
    if item.get_closest_marker("browser") and not shutil.which(BROWSER):
        pytest.skip(f"Browser half: not installed: {BROWSER}")


def pytest_terminal_summary(terminalreporter):
    """Say in the last lines which half of the suite did not run."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = {str(report.longrepr[2]) for report in skipped if "half" in str(report.longrepr)}
    for reason in sorted(reasons):
        terminalreporter.write_line(f"NOT RUN - {reason.removeprefix('Skipped: ')}", red=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """With CI=true a missing half is a failure, not a skip."""
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and "half" in str(report.longrepr):
        report.outcome = "failed"
    return report
