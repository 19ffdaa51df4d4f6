"""Processes that share one token, which the platform drops while they send."""

from __future__ import annotations

import pytest

from bench import token_storm
from tests.builders import an_environment

PROCESSES, SENDS = 3, 12


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_a_dropped_token_is_fetched_once_and_no_send_fails(app, tables, tmp_path):
    url = app.extensions["hall_db"].write_engine.url.render_as_string(hide_password=False)

    seen = token_storm.run(
        an_environment(DATABASE_URL=url, HALL_VAR_DIR=str(tmp_path)), processes=PROCESSES, sends=SENDS
    )

    assert seen.fetches == 2  # the first, and one more for all
    assert set(seen.outcomes) == {"accepted"}
    assert seen.arrived == len(seen.outcomes) == PROCESSES * SENDS
