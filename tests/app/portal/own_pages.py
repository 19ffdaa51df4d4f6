"""The hall's own pages for residents: a running hall with something on each, and the list of them.

The list comes from the routes: a new page is asked for an example here, or for the reason why it is none.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app
from app.applications.service import State
from app.catalogue import service as catalogue
from app.core import access, clock, db, migrate
from app.identity import service as identity
from app.mobile_access.service import State as PageState
from app.notices import service as notices
from app.third_parties import service as third_parties
from app.third_parties.service import Scope, Stage
from tests.app.applications.builders import a_case, a_draft, an_open_item
from tests.app.catalogue.builders import an_item
from tests.app.catalogue.test_scene_script import SCRIPT
from tests.app.catalogue.test_variants import MATERIALS, VARIANTS
from tests.app.identity.builders import SESSION, a_resident, a_session, an_account, an_alipay_account
from tests.app.identity.people_builders import CHEN, a_register
from tests.app.mobile_access.builders import a_page
from tests.app.themes.builders import a_draft as a_theme_draft
from tests.app.themes.builders import a_theme, an_application, the_items
from tests.app.third_parties.builders import a_caller, an_app
from tests.builders import settings_for
from tests.mobile_pages import hostile

HOST = "hall.gd.gov.cn"
FOR_OTHERS = (
    "/api", "/callbacks", "/console", "/desk", "/staff", "/wall", "/alerts", "/static", "/tv", "/healthz",
    "/readyz", "/metrics",
)  # fmt: skip
NO_PAGES = {
    "/sign-in/<key>": "leads to the platform",
    "/sign-in/return": "leads back into the hall",
    "/me/bindings/add/<key>": "leads to the platform",
    "/me/verify/return": "leads back to where a proof was asked for",
    "/status/feed.xml": "a feed",
    "/.well-known/openid-configuration": "for programs",
    "/oidc/authorize": "leads to signing in and back to a department",
    "/oidc/jwks.json": "for programs",
    "/oidc/userinfo": "for programs",
    "/me/applications/<id:application_id>/files/<id:file_id>": "a file",
    "/me/applications/<id:application_id>/papers/<id:paper_id>": "an official document as it is printed",
    "/me/applications/<id:application_id>/papers/<id:paper_id>.pdf": "the same as a file",
    "/me/applications/<id:application_id>/files/<id:file_id>/thumb": "a picture",
    "/status/badge/<id:page_id>.svg": "a picture",
    "/bridge/<version>/hall-bridge.js": "a script",
    "/sso/<id:page_id>": "leads to a department's page",
    "/view": "leads back to where it was chosen",
    "/sandbox/consent/<token>": "made-up people answer there, no resident",
}
PAPERS = [
    {"code": "m1", "name": "身份证", "handings": ["shared"]},
    {"code": "m2", "name": "住所证明", "handings": ["paper", "promise"]},
    {"code": "m3", "name": "照片", "handings": ["upload"], "required": False},
]


@dataclass(frozen=True)
class Hall:
    """A hall over TLS in which every visitor is one signed-in resident.

    Attributes:
        port: where it listens; its address names none, as behind a gateway.
        ca_file: whom to trust; ``key_pin`` is the digest of the server's key, for browsers.
        pages: an address for every page, by its route.
    """

    app: Flask
    port: int
    ca_file: Path
    key_pin: str
    session: str
    pages: dict[str, str]

    def page(self, path: str, **headers: str) -> str:
        """Return a page as the signed-in resident gets it."""
        browser = self.app.test_client()
        if path != "/me/sign-in":
            browser.set_cookie(SESSION, self.session, domain=HOST)
        return browser.get(path, base_url=f"https://{HOST}", headers=headers).text


class _Handler(WSGIRequestHandler):
    """Says nothing of its make, as the server in production."""

    def version_string(self) -> str:
        return "hall"

    def log_request(self, *_: object) -> None:
        """Say nothing: a test that fails shows its own words."""


def routes(app: Flask) -> set[str]:
    """Return the routes of everything that residents may open with a browser."""
    found = set()
    for rule in app.url_map.iter_rules():
        mark = access.mark_of(app.view_functions[rule.endpoint], "GET")
        if "GET" not in (rule.methods or ()) or mark is None or rule.rule.startswith(FOR_OTHERS):
            continue
        if mark.public or mark.for_residents:
            found.add(rule.rule)
    return found - NO_PAGES.keys()


def _filled() -> tuple[int, dict[str, str]]:
    """Put something on every page; return the resident and the addresses by route."""
    now = clock.system_clock()
    resident = a_resident(an_account())
    an_alipay_account(SimpleNamespace(base="https://alipay.invalid"))
    notices.ensure_standard(now=now)
    item = an_open_item(materials=PAPERS)
    due = a_case(State.SUPPLEMENT_DUE, item_id=item, resident_id=resident, now=now)
    a_case(State.COMPLETED, item_id=item, resident_id=resident, now=now)
    draft = a_draft(item, resident, now=now)
    message = notices.messages(resident).items[0]
    a_page(state=PageState.ONLINE, name="户政服务")
    closed = a_page(state=PageState.SUSPENDED, name="停办的事", hotline="020-12345")
    granted, asked = _consents(resident, now)
    the_items()
    theme = a_theme()
    together, begun = an_application(theme, resident), a_theme_draft(theme, resident)
    an_item("天河区", "440106", variants=VARIANTS, materials=MATERIALS)
    catalogue.save_scene("stay", SCRIPT, seen=0, actor="system", now=now)
    return resident, {
        "/": "/",
        "/items": "/items",
        "/items/<id:item_id>": f"/items/{item}",
        "/place": "/place",
        "/privacy": "/privacy",
        "/scenes": "/scenes",
        "/scenes/<key>": "/scenes/stay",
        "/scenes/<key>/<path:answers>": "/scenes/stay/permit/work",
        "/progress": "/progress",
        "/status": "/status",
        "/bridge": "/bridge",
        "/go/<id:page_id>": f"/go/{closed.id}",
        "/apply/<id:item_id>": f"/apply/{item}",
        "/me/applications": "/me/applications",
        "/me/applications/<id:application_id>": f"/me/applications/{due}",
        "/me/applications/<id:application_id>/form": f"/me/applications/{draft}/form",
        "/me/applications/<id:application_id>/materials/<code>": f"/me/applications/{draft}/materials/m3",
        "/me": "/me",
        "/themes": "/themes",
        "/themes/<id:theme_id>": f"/themes/{theme}",
        "/me/themes": "/me/themes",
        "/me/themes/<id:theme_application_id>": f"/me/themes/{together}",
        "/me/themes/<id:theme_application_id>/form": f"/me/themes/{begun}/form",
        "/me/verify": "/me/verify",
        "/me/delegations": "/me/delegations",
        "/me/delegations/new": "/me/delegations/new",
        "/me/enterprises": "/me/enterprises",
        "/me/data": "/me/data",
        "/me/data/uses": "/me/data/uses",
        "/me/close": "/me/close",
        "/me/settings": "/me/settings",
        "/me/notice-settings": "/me/notice-settings",
        "/me/messages": "/me/messages",
        "/me/messages/<id:message_id>": f"/me/messages/{message.id}",
        "/me/consents": "/me/consents",
        "/me/consents/<id:consent_id>": f"/me/consents/{granted}",
        "/consent/<token>": f"/consent/{asked}",
        "/me/sign-in": "/me/sign-in",
    }


def _consents(resident: int, now: datetime) -> tuple[int, str]:
    """Return the id of a consent that was given, and the secret of a question that is open."""
    one = an_app(approved=True, now=now)
    caller = a_caller(one, Stage.PRODUCTION)
    ticket = identity.issue_ticket(resident, identity.body_audience(one.body_id), now=now)
    subject = third_parties.redeem(caller, ticket, now=now).subject
    given = third_parties.ask_consent(caller, subject, [Scope.MESSAGES_SEND], 30, "s1", now=now)
    third_parties.decide(given, resident, granted=True, now=now)
    asked = third_parties.ask_consent(caller, subject, [Scope.MESSAGES_SEND], 60, "s2", now=now)
    return third_parties.consents_of(resident, now=now)[0].id, asked


@contextmanager
def a_hall(folder: Path, **settings: str) -> Iterator[Hall]:
    """Run a hall of its own with its pages filled."""
    url = f"sqlite:///{folder}/hall.sqlite"
    migrate.upgrade(url)
    named = {"HALL_BASE_URL": f"https://{HOST}", "HALL_SITE_ID_CODE": "4400000001", **settings}
    app = create_app(settings_for(url, folder, HALL_ICP_NUMBER="粤ICP备12345678号", **named))
    app.testing = False
    with app.app_context():
        resident, pages = db.transaction(_filled)
        with a_register() as register:
            identity.verify_name(resident, *CHEN, by=register.provider(), now=clock.system_clock())
        session = db.transaction(lambda: a_session(resident).token)
    authority = hostile.an_authority(folder)
    context = hostile.tls_context(folder, HOST, issuer=authority)
    server = make_server(
        "127.0.0.1", 0, _signed_in(app, session), threaded=True, request_handler=_Handler, ssl_context=context
    )
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Hall(app, server.server_port, authority.ca_file, _pin(folder / "server.pem"), session, pages)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        app.extensions["hall_db"].dispose()


def _signed_in(app: Flask, session: str) -> Callable[..., Any]:
    """Let every visitor be the resident but on the page where one signs in: a checker carries no cookies."""

    def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if environ["PATH_INFO"] != "/me/sign-in":
            carried = environ.get("HTTP_COOKIE", "")
            environ["HTTP_COOKIE"] = "; ".join(filter(None, (carried, f"{SESSION}={session}")))
        return app(environ, start_response)

    return wsgi


def _pin(chain: Path) -> str:
    pem = chain.read_bytes()
    certificate = x509.load_pem_x509_certificate(pem[pem.index(b"-----BEGIN CERTIFICATE") :])
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode("ascii")
