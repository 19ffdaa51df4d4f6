"""Gates that no noise moves: SQL statements per request, bytes, and schemas built while answering."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import marshmallow as ma
import pytest
from sqlalchemy import event

from app.channel_accounts import service as channel_accounts
from app.mobile_access.service import State
from tests.api.walk import HTML, a_caller, routes
from tests.app.mobile_access.builders import a_page
from tests.builders import NOW, a_bearer, a_body, a_principal
from tests.channels import platform_wechat

LIST = "/api/v1/published-pages"
OWN = "/api/v1/mobile-pages"


@contextmanager
def statements(app):
    """Gather what goes to the database; BEGIN and COMMIT do not count."""
    sent, engines = [], [app.extensions["hall_db"].read_engine, app.extensions["hall_db"].write_engine]

    def note(_connection, _cursor, statement, *_):
        if not statement.startswith("BEGIN"):
            sent.append(" ".join(statement.split())[:200])

    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def pages(given):
    """Thirty pages online of one body, so that a query per row would show."""

    def build():
        body = a_body()
        by = a_principal("department_operator", body=body)
        for minute in range(30):
            a_page(by=by, body=body, state=State.ONLINE, now=NOW + timedelta(minutes=minute))
        return body, a_bearer(by)

    return given(build)


def test_the_published_list_takes_two_statements_and_none_when_hot(app, client, pages):
    app.extensions["hall_hot"].clear()
    client.get(LIST)
    app.extensions["hall_hot"].clear()

    with statements(app) as cold:
        listed = client.get(LIST)
    with statements(app) as hot:
        again = client.get(LIST)

    assert len(listed.json["items"]) == 30
    assert len(cold) <= 2, cold
    assert (hot, again.data) == ([], listed.data)


def test_ones_own_list_takes_at_most_four_statements_signing_in_included(app, client, pages):
    _, bearer = pages
    client.get(OWN, headers=bearer)

    with statements(app) as sent:
        listed = client.get(OWN, headers=bearer)

    assert len(listed.json["items"]) == 30
    assert len(sent) <= 4, sent


def test_a_message_takes_what_its_promises_cost(app, client, given):
    """One for the account, two for pages, one for items by words, one by slips, one to keep the answer."""
    config, at = platform_wechat.config(), datetime.now(UTC).replace(microsecond=0)
    given(
        channel_accounts.create_account,
        kind="wechat",
        key="wechat",
        name="x",
        actor="system",
        now=at,
        values={**config.settings, **config.secrets},
    )
    send(client, platform_wechat.event("click", "help", at=at))

    with statements(app) as sent:
        send(client, platform_wechat.text("居住证", at=at))

    assert len(sent) <= 6, "\n".join(sent)


def send(client, request):
    answer = client.open(
        "/callbacks/wechat",
        method=request.method,
        query_string=request.query_string.decode("latin-1"),
        headers=dict(request.headers),
        data=request.body,
    )
    assert answer.status_code == 200


def test_no_answer_builds_a_schema(app, given, pages, monkeypatch):
    caller = a_caller(app, given, "department_operator", body=pages[0])
    built = []
    original = ma.Schema.__init__

    def counting(self, *args, **kwargs):
        built.append(type(self).__name__)
        original(self, *args, **kwargs)

    monkeypatch.setattr(ma.Schema, "__init__", counting)
    for route in (one for one in routes(app) if one.is_api or one.rule.startswith("/console")):
        headers = caller.bearer if route.is_api else HTML
        caller.browser.open(route.address(), method=route.method, headers=headers, json={})

    assert built == []


def test_a_published_page_costs_no_more_than_half_a_kilobyte_on_the_wire(client, pages):
    assert len(client.get(f"{LIST}?limit=30").data) <= 30 * 512
