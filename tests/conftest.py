"""Fixtures that every test may use. Keep under 100 lines; builders live in tests/builders.py.

A test that takes ``app``, ``client``, ``given`` or ``context`` runs twice: on SQLite and on MariaDB.
"""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app import create_app
from app.core import db, migrate
from tests import mariadb
from tests.builders import settings_for
from tests.emptying import empty_tables
from tests.halves import (  # noqa: F401  pytest finds its hooks by their names
    pytest_runtest_makereport,
    pytest_runtest_setup,
    pytest_terminal_summary,
)
from tests.ordering import pytest_collection_modifyitems  # noqa: F401  the same


@pytest.fixture(scope="session")
def mariadb_url():
    reason = mariadb.missing()
    if reason:
        pytest.skip(f"MariaDB half: {reason}")
    with mariadb.server() as url:
        yield url


@pytest.fixture(scope="session")
def apps():
    """The applications made so far, by database; they last, since migrating takes seconds."""
    made = {}
    yield made
    for one in made.values():
        one.extensions["hall_db"].dispose()


@pytest.fixture(params=["sqlite", "mariadb"])
def app(request, apps, tmp_path_factory):
    """The application over an empty, migrated database."""
    if request.param not in apps:
        folder = tmp_path_factory.mktemp("var")
        url = f"sqlite:///{folder}/hall.sqlite"
        if request.param == "mariadb":
            url = request.getfixturevalue("mariadb_url")
        migrate.upgrade(url)
        made = apps[request.param] = create_app(settings_for(url, folder))
        made.testing = False  # errors are answered as in production
        if request.param == "sqlite":
            sa.event.listen(made.extensions["hall_db"].write_engine, "connect", _without_waiting_for_the_disk)
    return apps[request.param]


def _without_waiting_for_the_disk(connection, _record):
    # No test pulls the plug; commits would take a tenth of the suite's time.
    connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture
def tables(app):
    """Every table empty again after the test."""
    yield
    app.extensions["hall_keyring"].unwrapped.clear()
    app.extensions["hall_limits"].forget()
    app.extensions.pop("hall_calendar", None)
    app.extensions["hall_lately"].clear()
    empty_tables(app.extensions["hall_db"].write_engine)


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
