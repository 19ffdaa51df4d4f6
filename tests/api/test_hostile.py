"""What no browser and no honest client sends, to every route: a clear refusal, never a 500."""

from __future__ import annotations

import base64

import pytest

from tests.api.walk import FIELDS, HTML, callers, post_form, routes, token_of, wrong_with
from tests.builders import a_bearer, a_principal

ROLES = ("department_operator", "province_reviewer", "system_administrator", "auditor")
DIGITS = "9" * 5000

QUERIES = [
    pytest.param("{}=%00", id="NUL"),
    pytest.param("{}=%ff%fe%c3%28", id="not UTF-8"),
    pytest.param("{}=%ed%a0%80", id="lone surrogate"),
    pytest.param("{}=" + DIGITS, id="5,000 digits"),
    pytest.param("{}=-1", id="negative"),
    pytest.param("{}=9223372036854775808", id="above 63 bits"),
    pytest.param("{}=1e999999", id="enormous exponent"),
    pytest.param("{}=%D9%A3%C2%B2", id="digits of other scripts"),
    pytest.param("{0}=a&{0}=b", id="twice"),
    pytest.param("{}[a][b]=c&{}.x=1", id="nested names"),
    pytest.param("{}=%25%27%22%3Cscript%3E_%5C", id="quotes and wildcards"),
    pytest.param("&&&=&=%&%zz", id="no pairs at all"),
]
VALUES = [
    pytest.param("\x00", id="NUL"),
    pytest.param("\ud800", id="lone surrogate"),
    pytest.param(DIGITS, id="5,000 digits"),
    pytest.param("9" * 19, id="above 63 bits"),
    pytest.param("1e999999", id="enormous exponent"),
    pytest.param("²٣", id="digits of other scripts"),
    pytest.param("-1", id="negative"),
    pytest.param("户" * 2000, id="2,000 letters"),
    pytest.param("' OR 1=1 -- %_\\", id="SQL"),
    pytest.param("http://[::1", id="half an address"),
]
PATHS = [
    pytest.param("%00", id="NUL"),
    pytest.param("%ff%fe", id="not UTF-8"),
    pytest.param("%ed%a0%80", id="lone surrogate"),
    pytest.param("0", id="zero"),
    pytest.param("9223372036854775808", id="above 63 bits"),
    pytest.param(DIGITS, id="5,000 digits"),
    pytest.param("-1", id="negative"),
    pytest.param("%D9%A3", id="digit of another script"),
    pytest.param("1e5", id="exponent"),
    pytest.param("..%2f..%2fetc%2fpasswd", id="way up"),
    pytest.param("a" * 6000, id="6,000 letters"),
]
BODIES = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"{", id="cut off"),
    pytest.param(b"null", id="null"),
    pytest.param(b"[]", id="a list"),
    pytest.param(b'"text"', id="a text"),
    pytest.param(b"\xff\xfe{\x00}\x00", id="UTF-16"),
    pytest.param(b"[" * 100_000, id="100,000 levels open"),
    pytest.param(b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="100,000 levels"),
    pytest.param(b'{"version":' + DIGITS.encode() + b"}", id="5,000 digits"),
    pytest.param(b'{"version": 1e999999}', id="enormous exponent"),
    pytest.param(b'{"version": 1.0000000000000000001}', id="long fraction"),
    pytest.param(b'{"version": 9223372036854775808}', id="above 63 bits"),
    pytest.param(b'{"version": 1, "version": 2}', id="a name twice"),
    pytest.param(b'{"version": true, "channels": {}}', id="wrong types"),
    pytest.param(rb'{"\ud800": 1}', id="lone surrogate in a name"),
    pytest.param(rb'{"name": "\ud800", "reason": "\udc00"}', id="lone surrogate"),
    pytest.param(rb'{"name": "\u0000", "reason": "\u0000"}', id="NUL"),
    pytest.param(b'{"__proto__": {}, "constructor": 1}', id="foreign names"),
    pytest.param(b'{"channels": [' + b'"wechat",' * 5000 + b'"wechat"]}', id="a long list"),
]


@pytest.fixture
def everybody(app, given):
    return callers(app, given, *ROLES)


def open_to(everybody, app, kind, *methods):
    """Yield every route of a kind with each caller who reaches its view."""
    for route in routes(app):
        # Signing out ends the session that the other routes need.
        if getattr(route, kind) and route.method in methods and route.rule != "/staff/sign-out":
            yield from ((caller, route) for caller in everybody if caller.may_call(route))


@pytest.mark.parametrize("query", QUERIES)
def test_no_query_breaks_a_page(app, everybody, query):
    names = ("q", "theme", "after", "cursor", "limit", "next", "text", "state", "body_id", "style", "channel")

    faults = []
    for caller, route in open_to(everybody, app, "is_page", "GET"):
        asked = "&".join(query.format(name, name) for name in names)
        with caller.browser.get(f"{route.address()}?{asked}", headers=HTML) as answer:
            faults += wrong_with(answer, route)

    assert faults == []


@pytest.mark.parametrize("query", QUERIES)
def test_no_query_breaks_the_api(app, client, everybody, query):
    names = ("cursor", "limit", "theme", "query", "state", "body_id", "page_id", "annex", "after", "open")

    faults = []
    for caller, route in open_to(everybody[:1], app, "is_api", "GET"):
        for name in names:
            answer = client.get(f"{route.address()}?{query.format(name, name)}", headers=caller.bearer)
            faults += wrong_with(answer, route)

    assert faults == []


@pytest.mark.parametrize("value", VALUES)
def test_no_form_breaks_a_page(app, everybody, value):
    tokens = {caller: token_of(caller.browser) for caller in everybody}

    faults = []
    for caller, route in open_to(everybody, app, "is_page", "POST"):
        app.extensions["hall_limits"].forget()
        sent = {**dict.fromkeys(FIELDS, value), "csrf_token": tokens[caller]}
        answer = post_form(caller.browser, route.address(), sent)
        faults += wrong_with(answer, route)
        assert answer.status_code != 400, route  # it would not have come past the gate

    assert faults == []


@pytest.mark.parametrize("value", PATHS)
def test_no_path_breaks_a_route(app, everybody, value):
    tokens = {caller: token_of(caller.browser) for caller in everybody}

    faults = []
    for caller, route in ((who, one) for one in routes(app) for who in everybody if who.may_call(one)):
        if not route.places:
            continue
        app.extensions["hall_limits"].forget()
        address = route.address(**{name: value for _, name in route.places})
        headers, sent = (caller.bearer, {}) if route.is_api else (HTML, {"csrf_token": tokens[caller]})
        answer = caller.browser.open(address, method=route.method, headers=headers, data=sent or None)
        faults += wrong_with(answer, route)
        assert answer.status_code >= 400, route

    assert faults == []


@pytest.mark.parametrize("body", BODIES)
def test_no_json_breaks_the_api(app, client, everybody, body):
    faults = []
    for caller, route in open_to(everybody, app, "is_api", "POST", "PUT", "PATCH", "DELETE"):
        answer = client.open(
            route.address(),
            method=route.method,
            data=body,
            content_type="application/json",
            headers={**caller.bearer, "If-Match": '"x"'},
        )
        faults += wrong_with(answer, route)
        assert 400 <= answer.status_code < 500, route

    assert faults == []


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("0001-01-01T00:00:00+14:00|1", id="before the first day in UTC"),
        pytest.param("9999-12-31T23:59:59-14:00|1", id="after the last day in UTC"),
        pytest.param("2026-01-01T00:00:00|1", id="without a zone"),
        pytest.param("2026-01-01T00:00:00+00:00|9223372036854775808", id="above 63 bits"),
        pytest.param("2026-01-01T00:00:00+00:00|" + DIGITS[:40], id="40 digits"),
        pytest.param("2026-01-01T00:00:00+00:00|-1", id="negative"),
        pytest.param("|", id="empty"),
    ],
)
def test_a_cursor_that_was_tampered_with_is_refused(client, given, row):
    operator = given(lambda: a_bearer(a_principal("department_operator")))
    cursor = base64.urlsafe_b64encode(row.encode()).decode().rstrip("=")

    own = client.get(f"/api/v1/mobile-pages?cursor={cursor}", headers=operator)
    public = client.get(f"/api/v1/published-pages?cursor={cursor}")

    assert wrong_with(own) + wrong_with(public) == []
    assert (own.status_code, public.status_code) == (422, 422)


OTHER_KINDS = ("text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data")


@pytest.mark.parametrize("kind", [*OTHER_KINDS, "x", "a/b;;=", ""])
def test_no_content_type_but_json_is_taken_for_json(app, client, given, kind):
    operator = given(lambda: a_bearer(a_principal("department_operator")))

    answer = client.post("/api/v1/mobile-pages", data=b'{"name": "x"}', content_type=kind, headers=operator)

    assert wrong_with(answer) == []
    assert answer.status_code == 415
    assert answer.json["code"] == "unsupported_media_type"
