"""Applications, their keys and signed calls, with working defaults."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core import clock, db
from app.identity.models import Resident
from app.third_parties import service
from app.third_parties.service import AppEvent, AppView, Caller, Registration, Scope, SignedRequest, Stage
from tests.builders import a_body, a_principal

HOST = "app.example.gov.cn"
CALLBACK = f"https://{HOST}/back"
OPEN = "/api/v1/open"


def a_registration(**changed: Any) -> Registration:
    given = {
        "name": "居住证助手",
        "purpose": "给您发送居住证办理进度的通知，不作其他用途。",
        "contact": "测试联系人 020-12345",
        "callback_url": CALLBACK,
        "sso_hosts": (HOST,),
        "scopes": service.CHOOSABLE,
    }
    return Registration(**{**given, **changed})


def an_app(
    *, approved: bool = False, body: Any = None, now: datetime | None = None, **changed: Any
) -> AppView:
    """Register an application; ``approved`` hands it in and lets an administrator approve it."""
    body, now = body or a_body(), now or clock.system_clock()
    operator = a_principal("department_operator", body=body)
    made = service.register(operator, body.id, a_registration(**changed), now=now)
    if approved:
        made = service.advance(operator, made.id, AppEvent.SUBMIT, version=made.version, now=now)
        boss = a_principal("system_administrator")
        made = service.advance(boss, made.id, AppEvent.APPROVE, version=made.version, now=now)
    return made


def a_resident(*, now: datetime | None = None) -> int:
    """Insert a resident without any way of signing in."""
    row = Resident(level=1, phone_token=None, created_at=now or clock.system_clock(), closed_at=None)
    db.writing().add(row)
    db.writing().flush()
    return row.id


@dataclass(frozen=True)
class Key:
    """A key as a program holds it."""

    app: AppView
    key: int
    key_id: str
    secret: str

    def headers(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        *,
        nonce: str = "",
        at: datetime | None = None,
        secret: str = "",
    ) -> dict[str, str]:
        """Return the headers that sign one request."""
        kind = {"Content-Type": "application/json"} if body else {}
        return service.sign(
            SignedRequest(method, f"http://localhost{url}", kind, body),
            key_id=self.key_id,
            secret=secret or self.secret,
            created=at or clock.system_clock(),
            nonce=nonce or secrets.token_hex(12),
        )

    def call(
        self, client: FlaskClient, method: str, path: str, given: Any = None, *, query: Any = None, **how: Any
    ) -> TestResponse:
        """Sign and send one request below ``/api/v1/open``."""
        url = OPEN + path + (f"?{urlencode(query)}" if query else "")
        body = json.dumps(given).encode() if given is not None else b""
        return client.open(url, method=method, data=body, headers=self.headers(method, url, body, **how))


def a_key(app: AppView | None = None, stage: Stage = Stage.SANDBOX, **changed: Any) -> Key:
    """Issue a key of an application, a new one by default."""
    found = app or an_app(approved=stage is Stage.PRODUCTION, **changed)
    boss = a_principal("system_administrator")
    made = service.issue_key(boss, found.id, stage, now=clock.system_clock())
    return Key(found, made.view.id, made.view.key_id, made.secret)


def a_caller(app: AppView, stage: Stage = Stage.SANDBOX) -> Caller:
    """Return who calls with a key of ``app`` after the signature was verified."""
    return Caller(app.id, app.name, app.body_id, stage, 1, frozenset(Scope), ())


def a_subject(app: AppView, *, sample: int = 1, now: datetime | None = None) -> str:
    """Sign a made-up person of the sandbox in; return under which name the application knows them."""
    at, caller = now or clock.system_clock(), a_caller(app)
    return service.redeem(caller, service.sample_ticket(caller, sample, now=at), now=at).subject


def a_boss() -> Any:
    """Return a member of staff who manages channels."""
    return a_principal("system_administrator")
