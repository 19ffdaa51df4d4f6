"""Staff, residents and third parties: each has routes of its own, and none gets into another's."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from flask import Blueprint, Flask, request

from app.core import access, problems, web
from app.core.access import Authenticators, Permission


@dataclass(frozen=True)
class Someone:
    id: int = 17
    level: int = 1
    actor: str = "resident:17"
    staff_id: int = 17
    scopes: tuple[str, ...] = ("items",)

    def may(self, wanted):
        return wanted in self.scopes


class Door:
    """Lets in whoever says the right word."""

    def by_session(self):
        return Someone() if request.cookies.get("staff") == "yes" else None

    def by_cookie(self):
        return Someone() if request.cookies.get("resident") == "yes" else None

    def by_token(self, token):
        return Someone() if token in ("r_resident", "staff") else None

    def by_signature(self):
        return Someone() if request.headers.get("Authorization") == "HALL signed" else None


VIEWS = {
    "resident": access.resident(),
    "resident-2": access.resident(2),
    "partner": access.partner("items"),
    "partner-other": access.partner("other"),
    "staff": access.staff(),
    "staff-other": access.staff(Permission.WATCH),
    "public": access.public("test"),
}
TOKENS = {"resident": "Bearer r_resident", "staff": "Bearer staff", "partner": "HALL signed", "nobody": ""}
COOKIES = {"resident": "resident=yes", "staff": "staff=yes", "partner": "", "nobody": ""}


def asked(view, *, who, kind="api", door=True):
    """Return the status of ``view`` for a caller who shows what is theirs."""
    app = Flask(__name__, template_folder="../../../app/core/templates")
    app.wsgi_app = web.RequestIds(app.wsgi_app)
    for part in ("api", "pages"):
        blueprint = Blueprint(part, __name__, url_prefix=f"/{part}")
        for name, mark in VIEWS.items():
            blueprint.add_url_rule(f"/{name}", name, mark(lambda: str(access.maybe_resident() is not None)))
        app.register_blueprint(blueprint)
    problems.init_app(app)
    by = Authenticators(Door(), Door(), Door()) if door else Authenticators()
    access.init_app(app, by, lambda endpoint: endpoint.startswith("api."))
    headers = {"Authorization": TOKENS[who], "Cookie": COOKIES[who], "Accept": "application/json"}
    return app.test_client(use_cookies=False).get(f"/{kind}/{view}", headers=headers)


@pytest.mark.parametrize("kind", ["api", "pages"])
@pytest.mark.parametrize("who", ["resident", "staff", "nobody"])
@pytest.mark.parametrize("view", ["resident", "staff"])
def test_each_kind_of_person_gets_into_its_own_routes_only(view, who, kind):
    answer = asked(view, who=who, kind=kind)

    assert answer.status_code == (200 if view == who else 401)


def test_a_signature_opens_what_its_scope_allows_and_nothing_else():
    statuses = {view: asked(view, who="partner").status_code for view in VIEWS}

    assert statuses == {
        "partner": 200,
        "partner-other": 403,
        "public": 200,
        "resident": 401,
        "resident-2": 401,
        "staff": 401,
        "staff-other": 401,
    }


@pytest.mark.parametrize("who", ["resident", "staff", "nobody"])
def test_no_token_and_no_cookie_is_a_signature(who):
    answer = asked("partner", who=who)

    assert (answer.status_code, answer.json["code"]) == (401, "not_signed_in")


def test_a_resident_known_too_little_is_told_to_step_up():
    answer = asked("resident-2", who="resident")

    assert (answer.status_code, answer.json["code"]) == (403, "level_too_low")
    assert (answer.json["level_needed"], answer.json["step_up"]) == (2, "/me/verify?level=2")


def test_staff_without_the_permission_are_refused():
    assert asked("staff-other", who="staff").status_code == 403


def test_a_public_route_may_look_who_it_is():
    known = {who: asked("public", who=who).text for who in ("resident", "staff", "nobody")}

    assert known == {"resident": "True", "staff": "False", "nobody": "False"}


@pytest.mark.parametrize("view", ["resident", "partner", "staff"])
def test_without_an_authenticator_nobody_is_let_in(view):
    assert asked(view, who=view, door=False).status_code == 401


def test_a_mark_without_level_or_scope_is_a_mistake():
    with pytest.raises(ValueError, match="level 1"):
        access.resident(0)

    with pytest.raises(ValueError, match="scope"):
        access.partner("")
