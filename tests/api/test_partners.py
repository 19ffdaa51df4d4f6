"""Every route for third parties: closed to everybody else, and to a signature without the scope."""

from __future__ import annotations

import pytest

from app.third_parties.service import Scope, Stage
from tests.api.walk import routes, wrong_with
from tests.app.third_parties.builders import a_key, a_subject, an_app
from tests.builders import a_bearer, a_principal

LITE = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
TOGETHER = ("/api/v1/open/", "/api/v1/exchange/")
HOSTILE = [
    b"{",
    b"null",
    b"[]",
    b'{"a": 1, "a": 2}',
    rb'{"subject": "\ud800"}',
    b'{"x": ' + b"9" * 5000 + b"}",
]


def partner_routes(app):
    return [one for one in routes(app) if one.mark.for_partners]


def send(client, key, route, body=b"", **places):
    """Sign and send one request as ``route`` wants it, with ``body``."""
    address = route.address(**places)
    headers = key.headers(route.method, address, body)
    return client.open(address, method=route.method, data=body, headers=headers)


@LITE
def test_there_are_routes_for_third_parties_and_all_stand_together(app):
    assert len(partner_routes(app)) > 12
    assert [one.rule for one in partner_routes(app) if not one.rule.startswith(TOGETHER)] == []


@LITE
def test_nobody_calls_them_without_a_signature(app, client, given):
    staff = given(lambda: a_bearer(a_principal("system_administrator")))

    wrong = []
    for route in partner_routes(app):
        for headers in ({}, staff, {"Authorization": "Bearer r_x"}):
            answer = client.open(route.address(), method=route.method, headers=headers)
            wrong += wrong_with(answer, route)
            if answer.status_code != 401:
                wrong.append(f"{route}: {answer.status_code}")

    assert wrong == []


@LITE
def test_a_scope_opens_its_own_routes_and_no_other(app, client, given):
    made = given(an_app, approved=True, scopes=(Scope.SSO,))
    key = given(a_key, made, Stage.PRODUCTION)

    refused = {one.mark.scope for one in partner_routes(app) if send(client, key, one).status_code == 403}

    assert refused == {one.mark.scope for one in partner_routes(app)} - {Scope.SSO, Scope.SELF_READ}


@LITE
def test_a_refusal_names_the_scope_that_is_lacking(client, given):
    made = given(an_app, approved=True, scopes=(Scope.SSO,))

    answer = given(a_key, made, Stage.PRODUCTION).call(client, "GET", "/pages")

    assert (answer.status_code, answer.json["detail"]) == (403, "没有开通 pages.read")


@LITE
@pytest.mark.parametrize("body", HOSTILE)
def test_no_signed_body_breaks_a_route(app, client, given, body):
    key = given(a_key)
    given(a_subject, key.app)

    wrong = []
    for route in partner_routes(app):
        if route.method in ("POST", "PUT"):
            answer = send(client, key, route, body)
            wrong += wrong_with(answer, route)
            if answer.status_code < 400 and "ping" not in route.rule:
                wrong.append(f"{route}: {answer.status_code}")

    assert wrong == []


@LITE
def test_no_signed_query_breaks_a_route(app, client, given):
    key = given(a_key)

    wrong = []
    for route in (one for one in partner_routes(app) if one.method == "GET"):
        for query in ("q=%00", "subject=%ed%a0%80", "limit=1e9", "cursor=%25zz", "query=" + "9" * 5000):
            url = f"{route.address()}?{query}"
            wrong += wrong_with(client.get(url, headers=key.headers("GET", url)), route)

    assert wrong == []


@LITE
def test_answers_to_third_parties_are_never_kept_by_others(app, client, given):
    key = given(a_key)

    answers = [send(client, key, one) for one in partner_routes(app) if one.method == "GET"]

    assert {one.headers["Cache-Control"] for one in answers} == {"no-store"}
