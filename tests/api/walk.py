"""Goes through every route of the hall, so that no new one is forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core import access, clock
from app.core.access import Mark
from app.organisations import service as organisations
from app.organisations.service import Principal
from tests.builders import a_bearer, a_principal

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
API = "/api/v1/"
MACHINES = ("/callbacks/", "/oidc/token", "/oidc/userinfo")
"""What other systems' servers call, each with its own proof of who they are: no cookie, no form."""
_PLACE = re.compile(r"<(?:(?P<kind>[a-z]+)(?:\((?P<details>[^)]*)\))?:)?(?P<name>[a-z_]+)>")
_ORDINARY = {"id": "1", "int": "1", "path": "core/hall.css", None: "x"}
_LEAST = re.compile(r"min=(\d+)")
_FIELD = re.compile(r'name="([a-z_-]+)"')

FIELDS = sorted(
    {
        name
        for template in Path("app").rglob("templates/**/*.html")
        for name in _FIELD.findall(template.read_text(encoding="utf-8"))
    }
    - {"csrf_token", "viewport"}
)
"""Every field of every form."""


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one rule."""

    method: str
    rule: str
    mark: Mark

    @property
    def is_api(self) -> bool:
        return self.rule.startswith(API)

    @property
    def is_callback(self) -> bool:
        return self.rule.startswith(MACHINES)

    @property
    def is_page(self) -> bool:
        """Whether a person sends it: with a cookie, and with a CSRF token when it writes."""
        return not (self.is_api or self.is_callback)

    @property
    def places(self) -> list[tuple[str | None, str]]:
        """Kind and name of every variable part."""
        return [(found["kind"], found["name"]) for found in _PLACE.finditer(self.rule)]

    def address(self, **values: object) -> str:
        """Return an address with ``values`` percent-encoded in place, something ordinary elsewhere."""

        def fill(found: re.Match[str]) -> str:
            if found["name"] in values:
                return quote(str(values[found["name"]]), safe="%")
            if found["kind"] == "any":
                return found["details"].split(",")[0].strip(" '\"")
            least = _LEAST.search(found["details"] or "")
            return least[1] if least else _ORDINARY[found["kind"]]

        return _PLACE.sub(fill, self.rule)


def routes(app: Flask) -> Iterator[Route]:
    """Yield every route but OPTIONS and HEAD, which follow from the others."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            mark = access.mark_of(app.view_functions[rule.endpoint], method)
            assert mark is not None
            yield Route(method, rule.rule, mark)


def token_of(client: FlaskClient) -> str:
    """Return the CSRF token of the client's session."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/staff/tokens").text)
    assert found
    return found[1]


@dataclass(frozen=True, slots=True, eq=False)
class Caller:
    """One member of staff, with a browser of its own and a bearer token."""

    person: Principal
    browser: FlaskClient
    bearer: dict[str, str]

    def may_call(self, route: Route) -> bool:
        """Tell whether the guard lets this caller through to the view."""
        mark = route.mark
        if not mark.for_staff:
            return mark.public
        return mark.permission is None or self.person.may(mark.permission)


def callers(app: Flask, given: Any, *roles: str, **details: Any) -> list[Caller]:
    """Return a new member of staff for each of ``roles``, signed in."""

    def build() -> list[tuple[Principal, dict[str, str], str]]:
        people = [a_principal(role, **details) for role in roles]
        now = clock.system_clock()
        return [
            (one, a_bearer(one), organisations.open_session(one.staff_id, by="test", now=now))
            for one in people
        ]

    made = []
    for person, bearer, secret in given(build):
        browser = app.test_client()
        with browser.session_transaction() as cookie:
            cookie["staff_session"] = secret
        made.append(Caller(person, browser, bearer))
    return made


def a_caller(app: Flask, given: Any, role: str, **details: Any) -> Caller:
    """Return a new member of staff with ``role``, signed in."""
    return callers(app, given, role, **details)[0]


def wrong_with(answer: TestResponse, route: object = "") -> list[str]:
    """Return what an answer lacks that every answer must have, one line each; empty is good."""
    headers, status = answer.headers, answer.status_code
    path = answer.request.path
    faults = []
    if status >= 500 and "Retry-After" not in headers:
        faults.append(f"status {status}")
    for name in ("Content-Security-Policy", "X-Request-Id", "Referrer-Policy"):
        if name not in headers:
            faults.append(f"no {name}")
    if headers.get("X-Content-Type-Options") != "nosniff":
        faults.append("no nosniff")
    if status >= 400 and path.startswith("/api/") and answer.mimetype != "application/problem+json":
        faults.append(f"{answer.mimetype} instead of a problem")
    if status == 401 and "WWW-Authenticate" not in headers:
        faults.append("401 without WWW-Authenticate")
    if status == 405 and not headers.get("Allow"):
        faults.append("405 without Allow")
    return [f"{route or path}: {fault}" for fault in faults]


def post_form(browser: FlaskClient, address: str, fields: Mapping[str, str]) -> TestResponse:
    """Post a form byte for byte, lone surrogates included, as a hand-made client can."""
    body = "&".join(f"{name}={_escaped(value)}" for name, value in fields.items())
    kind = "application/x-www-form-urlencoded"
    return browser.post(address, data=body.encode(), content_type=kind, headers=HTML)


@cache
def _escaped(value: str) -> str:
    return "".join(f"%{byte:02x}" for byte in value.encode("utf-8", "surrogatepass"))
