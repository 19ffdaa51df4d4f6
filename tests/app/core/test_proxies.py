"""Who asks, how and under which name, when the hall stands behind a reverse proxy."""

from __future__ import annotations

import pytest
from flask import request

from app import create_app
from app.core import access
from config.settings import Settings, SettingsError
from tests.builders import an_environment, settings_for

# What a client at 198.51.100.7 claims about itself, and what nginx at 203.0.113.9 adds to it.
FORWARDED = {
    "X-Forwarded-For": "10.9.9.9, 198.51.100.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "localhost:8443",
}


@pytest.fixture
def seen(tmp_path):
    """Tell what a hall with so many proxies sees of a request."""
    made = []

    def look(proxies, headers):
        url = f"sqlite:///{tmp_path}/hall.sqlite"
        app = create_app(settings_for(url, tmp_path, HALL_TRUSTED_PROXIES=proxies))
        made.append(app)

        @access.public("test")
        def whoami():
            return {"from": request.remote_addr, "secure": request.is_secure, "host": request.host}

        app.add_url_rule("/whoami", view_func=whoami)
        answer = app.test_client().get(
            "/whoami", headers=headers, environ_base={"REMOTE_ADDR": "203.0.113.9"}
        )
        return {**(answer.json or {}), "hsts": "Strict-Transport-Security" in answer.headers}

    yield look
    for app in made:
        app.extensions["hall_db"].dispose()


def test_without_a_proxy_nothing_that_a_client_claims_is_believed(seen):
    assert seen("0", FORWARDED) == {
        "from": "203.0.113.9",
        "secure": False,
        "host": "localhost",
        "hsts": False,
    }


def test_behind_one_proxy_the_last_entry_is_believed_and_no_other(seen):
    assert seen("1", FORWARDED) == {
        "from": "198.51.100.7",
        "secure": True,
        "host": "localhost:8443",
        "hsts": True,
    }


def test_a_forwarded_host_that_is_not_ours_is_refused(seen):
    answer = seen("1", {**FORWARDED, "X-Forwarded-Host": "evil.example"})

    assert answer["status"] == 400
    assert answer["code"] == "bad_request"


@pytest.mark.parametrize("value", ["-1", "9", "many", "1.5", "²"])
def test_a_malformed_number_of_proxies_is_refused(value):
    with pytest.raises(SettingsError, match="HALL_TRUSTED_PROXIES"):
        Settings.from_env(an_environment(HALL_TRUSTED_PROXIES=value))
