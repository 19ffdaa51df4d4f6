"""Who gets in where: CSRF, cookies, tokens, foreign objects, hosts, methods, redirects, caches, sizes."""

from __future__ import annotations

import pytest

from app.core.web import MAX_BODY_BYTES, MAX_UPLOAD_BYTES
from tests.api.walk import HTML, a_caller, post_form, routes, token_of, wrong_with
from tests.builders import a_bearer, a_principal

ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/",
    "https:evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "evil.example",
    "/x\r\nLocation: https://evil.example",
    "",
]


def pages_of(app, method):
    return [one for one in routes(app) if one.is_page and one.method == method]


def door_of(route):
    """Return where somebody who is not signed in is led from a page."""
    return "/me/sign-in?return_to=" if route.mark.for_residents else "/staff/sign-in?next="


def test_no_form_is_taken_without_its_csrf_token(app, given):
    browser = a_caller(app, given, "system_administrator").browser

    taken = [
        route
        for route in pages_of(app, "POST")
        if browser.post(route.address(), data={"name": "x"}, headers=HTML).status_code not in (400, 403)
    ]

    assert taken == []


def test_the_csrf_token_of_another_session_is_worth_nothing(app, given):
    first, second = (a_caller(app, given, "system_administrator").browser for _ in range(2))
    stolen = token_of(first)

    answer = post_form(second, "/staff/tokens", {"name": "x", "days": "1", "csrf_token": stolen})
    own = post_form(second, "/staff/tokens", {"name": "x", "days": "1", "csrf_token": token_of(second)})

    assert (answer.status_code, own.status_code) == (400, 200)


def test_a_cookie_never_drives_the_api(app, given):
    browser = a_caller(app, given, "department_operator").browser

    faults, let_in = [], []
    for route in (one for one in routes(app) if one.is_api and not one.mark.public):
        answer = browser.open(route.address(), method=route.method, json={})
        faults += wrong_with(answer, route)
        if answer.status_code != 401:
            let_in.append(route)

    assert faults + let_in == []


def test_a_token_never_opens_a_page(app, given, client):
    bearer = a_caller(app, given, "department_operator").bearer

    opened = []
    for route in (one for one in pages_of(app, "GET") if not one.mark.public):
        page = client.get(route.address(), headers={**bearer, **HTML})
        data = client.get(route.address(), headers={**bearer, "Accept": "application/json"})
        if not page.headers.get("Location", "").startswith(door_of(route)) or data.status_code != 401:
            opened.append(route)

    assert opened == []


@pytest.mark.parametrize(
    "cookie",
    [
        pytest.param("", id="empty"),
        pytest.param("x", id="rubbish"),
        pytest.param("." * 50, id="dots"),
        pytest.param(".eJwrzs0FAAQkAaI.aaaaaa.bbbbbb", id="compressed"),
        pytest.param("é\x80ÿ", id="not ASCII"),
        pytest.param('"\\377\\000"', id="octal escapes"),
        pytest.param("a" * 8000, id="8,000 letters"),
    ],
)
def test_a_rotten_cookie_is_no_session(app, tables, cookie):
    browser = app.test_client(use_cookies=False)
    headers = {**HTML, "Cookie": f"session={cookie}; session={cookie}; =;;;"}

    faults = []
    for route in (one for one in pages_of(app, "GET") if not one.mark.public):
        answer = browser.get(route.address(), headers=headers)
        faults += wrong_with(answer, route)
        assert answer.headers["Location"].startswith(door_of(route)), route

    assert faults == []


@pytest.mark.parametrize("content", [None, "", "unknown" * 9, 1, ["a"], {"a": 1}, "\x00", "户" * 99])
def test_a_signed_cookie_of_any_content_is_no_session_unless_it_is_one(client, content):
    with client.session_transaction() as cookie:
        cookie["staff_session"] = content

    answer = client.get("/staff/", headers=HTML)

    assert wrong_with(answer) == []
    assert answer.headers["Location"].startswith("/staff/sign-in")


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer ",
        "Bearer \x80\xff",
        "Basic eDp4",
        "Bearer " + "a" * 8000,
        "bearer null",
        "Bearer a b c",
    ],
)
def test_a_rotten_token_is_nobody(client, authorization):
    answer = client.get("/api/v1/mobile-pages", headers={"Authorization": authorization})

    assert wrong_with(answer) == []
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_host_that_is_not_ours_is_refused_everywhere(app, tables):
    browser = app.test_client()

    faults = []
    for host in ("evil.example", "localhost.evil.example", "[::1", "local host", "", "localhost:x"):
        for route in (one for one in routes(app) if one.method == "GET"):
            answer = browser.get(route.address(), headers={"Host": host})
            faults += wrong_with(answer, route)
            assert answer.status_code == 400, (host, route)

    assert faults == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "X"])
def test_a_method_that_a_route_does_not_know_is_named_405_with_the_right_ones(app, client, method):
    known = {route.address(): route for route in routes(app)}
    addresses = app.url_map.bind("localhost")

    faults = []
    for address, route in known.items():
        if method in addresses.allowed_methods(address):
            continue
        answer = client.open(address, method=method)
        faults += wrong_with(answer, route)
        assert answer.status_code in (405, 404), route

    assert faults == []


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_method_cannot_be_smuggled_in(client, given, name):
    operator = given(lambda: a_bearer(a_principal("department_operator")))

    answer = client.get("/api/v1/mobile-pages?_method=POST", headers={**operator, name: "POST"})

    assert (answer.status_code, answer.json["items"]) == (200, [])


@pytest.mark.parametrize("target", ELSEWHERE)
def test_signing_in_leads_to_pages_of_ours_only(app, given, target):
    browser = a_caller(app, given, "auditor").browser

    answer = browser.get("/staff/sign-in", query_string={"next": target})

    assert wrong_with(answer) == []
    assert answer.location == "/staff/"


LARGE = [
    pytest.param("application/json", b'{"name": "' + b"x" * MAX_BODY_BYTES + b'"}', id="JSON"),
    pytest.param("application/x-www-form-urlencoded", b"a&" * (MAX_BODY_BYTES // 2 + 1), id="form"),
    pytest.param("text/plain", b"x" * (MAX_BODY_BYTES + 1), id="text"),
    pytest.param("multipart/form-data; boundary=b", b"x" * (MAX_UPLOAD_BYTES + 1), id="upload"),
]


@pytest.mark.parametrize(("kind", "body"), LARGE)
def test_a_large_body_is_refused_with_413(app, given, kind, body):
    caller = a_caller(app, given, "department_operator")

    page = caller.browser.post("/staff/tokens", data=body, content_type=kind, headers=HTML)
    api = caller.browser.post(
        "/api/v1/mobile-pages/import" if "multipart" in kind else "/api/v1/mobile-pages",
        data=body,
        content_type=kind if "multipart" in kind else "application/json",
        headers=caller.bearer,
    )

    assert wrong_with(page) + wrong_with(api) == []
    assert (page.status_code, api.status_code, api.json["code"]) == (413, 413, "too_large")


def test_no_route_reads_a_body_that_says_it_is_too_large(app, given, client):
    caller = a_caller(app, given, "department_operator")
    claim = {"Content-Length": str(MAX_UPLOAD_BYTES + 1), "If-Match": '"x"'}

    faults = []
    for route in (one for one in routes(app) if one.method in ("POST", "PUT")):
        headers = {**claim, **(caller.bearer if route.is_api else HTML)}
        answer = client.open(route.address(), method=route.method, headers=headers)
        faults += wrong_with(answer, route)
        assert 400 <= answer.status_code < 500, route

    assert faults == []


def test_a_form_of_too_many_fields_is_refused(app, given):
    browser = a_caller(app, given, "auditor").browser
    body = multipart(f"field{number}" for number in range(1000))

    answer = browser.post("/staff/tokens", data=body, content_type="multipart/form-data; boundary=b")

    assert wrong_with(answer) == []
    assert answer.status_code == 413


def multipart(names):
    return (
        "".join(
            f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\nx\r\n' for name in names
        ).encode()
        + b"--b--\r\n"
    )


@pytest.mark.parametrize(
    "path",
    [
        "../__init__.py",
        "..%2f__init__.py",
        "%2e%2e/%2e%2e/config/settings.py",
        "core/../../__init__.py",
        "..%5c__init__.py",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "core/hall.css%00.txt",
        "core",
        "core/",
        "%ff",
    ],
)
def test_nothing_beside_the_static_files_is_given_out(client, path):
    answer = client.get(f"/static/{path}")

    assert wrong_with(answer) == []
    assert answer.status_code in (308, 404)


def test_what_staff_see_is_stored_by_no_cache(app, given):
    caller = a_caller(app, given, "department_operator")

    stored = []
    for route in (one for one in routes(app) if one.method == "GET" and one.mark.for_staff):
        asked = caller.browser.get(route.address(), headers=caller.bearer if route.is_api else HTML)
        if asked.headers.get("Cache-Control") != "no-store":
            stored.append((route, asked.headers.get("Cache-Control")))

    assert stored == []


def test_a_public_answer_is_the_same_for_staff_and_sets_no_cookie(app, given, client):
    caller = a_caller(app, given, "department_operator")
    same = {"X-Request-Id": "same-request"}

    for route in (one for one in routes(app) if one.is_api and one.mark.public and one.method == "GET"):
        plain = client.get(route.address(), headers=same)
        staff = client.get(route.address(), headers={**same, **caller.bearer})
        if "at" not in plain.json:
            assert plain.json == staff.json, route
        assert "Set-Cookie" not in plain.headers, route


def test_a_long_or_broken_header_is_no_server_error(client):
    for name in ("Accept", "Accept-Language", "Range", "If-None-Match", "If-Modified-Since", "X-Request-Id"):
        for value in ("a" * 8000, "\x80\xff", ";q=;,,;", "bytes=9-1,-,", "0" * 5000):
            for path in (
                "/",
                "/api/v1/bodies",
                "/api/v1/published-pages",
                "/static/core/hall.css",
                "/nothing",
            ):
                with client.get(path, headers={name: value}) as answer:
                    assert wrong_with(answer, f"{name} {value[:9]}") == []
