"""What a platform calls a person is in the vault and nowhere else: no table, log, page, address, cookie."""

from __future__ import annotations

import json

import pytest
from structlog.testing import capture_logs

from app.core import db
from app.core.vault import VaultEntry
from tests.api.walk import HTML
from tests.app.identity.builders import (
    PHONE,
    a_code,
    a_mini_program,
    a_platform,
    an_account,
    begin,
    come_back,
)

SUBJECTS = ("oSecret-on-page-4711", "oSecret-in-mini-4712")
SECRETS = (*SUBJECTS, "uSecret-shared-4713", PHONE)


@pytest.fixture(scope="module")
def platform():
    with a_platform() as running:
        yield running


def a_whole_life(client):
    """Use everything a resident can use; return the bearer token and all that was answered."""
    codes = [a_code(subject, "uSecret-shared-4713") for subject in SUBJECTS]
    answers = [come_back(client, begin(client), codes[0]), come_back(client, begin(client), codes[0])]
    entered = client.post("/api/v1/sign-in/mini", json={"account": "test-mini", "code": codes[1]})
    bearer = {"Authorization": f"Bearer {entered.json['token']}"}
    answers += [client.post("/api/v1/my/phone", json={"code": "phone"}, headers=bearer)]
    answers += [client.get(f"/api/v1/my{part}", headers=bearer) for part in ("", "/sessions", "/bindings")]
    answers += [client.get(path, headers=HTML) for path in ("/me", "/me/close")]
    said = [f"{one.status} {one.headers} {one.text}" for one in answers]
    cookies = [str(client.get_cookie(name)) for name in ("session", "__Host-resident", "__Host-sign-in")]
    return entered.json["token"], "\n".join((*said, *cookies))


@pytest.fixture
def accounts(given, platform):
    given(an_account, platform)
    given(a_mini_program, platform)


def everything_stored():
    """Return every row of every table, and in place of bytes their length."""
    tables = db.Model.metadata.sorted_tables
    rows = {one.name: [tuple(row) for row in db.session().execute(one.select())] for one in tables}
    return json.dumps(rows, default=str, ensure_ascii=False)


def test_what_identifies_a_person_is_sealed_and_shown_to_nobody(app, client, accounts):
    with capture_logs() as lines:
        token, answered = a_whole_life(client)
    with app.app_context():
        stored, sealed = everything_stored(), db.session().query(VaultEntry.field).all()

    assert [name for name in SECRETS if name in f"{answered}{lines}{stored}"] == []
    assert {"channel_subject", "resident_phone"} <= {one.field for one in sealed}
    assert token not in f"{lines}{stored}"
    assert len(lines) > 8


def test_a_log_line_of_a_sign_in_names_no_code_and_no_state(client, accounts):
    state, code = begin(client), a_code("oSecret-4714")

    with capture_logs() as lines:
        come_back(client, state, code)
        come_back(client, begin(client), "bad-code-4715")

    assert [one["code"] for one in lines if one["event"] == "sign_in_failed"] == ["40029"]
    assert [part for part in (state, code, "oSecret", "bad-code-4715") if part in str(lines)] == []
