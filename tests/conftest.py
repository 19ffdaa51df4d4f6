"""Fixtures that every test may use. Keep under 100 lines; builders live in tests/builders.py.

A test that takes ``app``, ``client``, ``given`` or ``context`` runs twice: on SQLite and on MariaDB.
"""

from __future__ import annotations

import os
import shutil

import pytest

from app import create_app
from app.core import db, migrate
from tests import mariadb
from tests.builders import settings_for
from tests.processes import BROWSER


@pytest.fixture(scope="session")
def mariadb_url():
    reason = mariadb.missing()
    if reason:
        pytest.skip(f"MariaDB half: {reason}")
    with mariadb.server() as url:
        yield url


@pytest.fixture(scope="session", params=["sqlite", "mariadb"])
def app(request, tmp_path_factory):
    """The application over an empty, migrated database."""
    folder = tmp_path_factory.mktemp("var")
    if request.param == "mariadb":
        url = request.getfixturevalue("mariadb_url")
    else:
        url = f"sqlite:///{folder}/hall.sqlite"
    migrate.upgrade(url)
    made = create_app(settings_for(url, folder))
    made.testing = False  # errors are answered as in production
    yield made
    made.extensions["hall_db"].dispose()


@pytest.fixture
def tables(app):
    """Every table empty again after the test."""
    yield
    app.extensions["hall_keyring"].unwrapped.clear()
    app.extensions["hall_limits"].forget()
    with app.extensions["hall_db"].write_engine.begin() as connection:
        for table in reversed(db.Model.metadata.sorted_tables):
            connection.execute(table.delete())


@pytest.fixture
def context(app, tables):
    """An application context, for tests of services. Never combine with ``client``."""
    with app.app_context():
        yield


@pytest.fixture
def client(app, tables):
    """A client with no context around it, so that a view which forgets to commit is caught."""
    return app.test_client()


@pytest.fixture
def given(app, tables):
    """Run a builder in a context and transaction of its own, as an earlier request would."""

    def run(builder, *args, **details):
        with app.app_context():
            return db.transaction(lambda: builder(*args, **details))

    return run


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
