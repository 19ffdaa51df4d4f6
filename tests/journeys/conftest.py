"""One running hall per database for all steps of a journey; a failed step tells what the processes said."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pymysql  # type: ignore[import-untyped]
import pytest
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import make_url

from tests.journeys.installation import Hall, plan, running
from tests.journeys.people import PHONE, Phone, Story, a_screen
from tests.processes import BROWSER

FAILED: dict[tuple[str, str], str] = {}
DATABASE = "hall_journey"


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def hall(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """A whole hall over an empty database of its own, with its sandbox."""
    var = tmp_path_factory.mktemp("journey")
    with running(plan(_database(request, var), var)) as started:
        yield started


def _database(request: pytest.FixtureRequest, var: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{var}/hall.sqlite"
    server = make_url(request.getfixturevalue("mariadb_url"))
    with pymysql.connect(host=server.host, port=server.port or 0, user=server.username) as connection:
        connection.cursor().execute(
            f"CREATE OR REPLACE DATABASE {DATABASE} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        )
    return server.set(database=DATABASE).render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=shutil.which(BROWSER),
            # Our own pages only; as root the browser refuses to start otherwise.
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def story(hall: Hall, browser: Browser) -> Iterator[Story]:
    told = Story(hall, browser, Phone(hall, a_screen(browser, PHONE)))
    yield told
    for context in browser.contexts:
        context.close()


def _journey(item: pytest.Item) -> tuple[str, str]:
    spec = getattr(item, "callspec", None)
    return item.location[0], spec.params.get("hall", "") if spec else ""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Every step stands on those before it: after a failed one the rest is not reached."""
    if earlier := FAILED.get(_journey(item)):
        pytest.fail(f"not reached: the journey ended at {earlier}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note a failed step and put the end of the processes' logs into its report."""
    report = yield
    if report.failed:
        FAILED.setdefault(_journey(item), item.name)
        started = getattr(item, "funcargs", {}).get("hall")
        if isinstance(started, Hall):
            report.sections.append(("last lines of the processes", started.tails()))
    return report
