"""One builder per thing, with working defaults: name only what the test is about."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.channel_accounts import service as channel_accounts
from app.channel_accounts.service import AccountView
from app.core import clock, db
from app.organisations import service as organisations
from app.organisations.importing import city_code
from app.organisations.models import Body, BodyAlias, Region, Staff
from config import notice
from config.settings import Settings

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""A Monday, 9 o'clock in Guangdong."""


def a_key(name: str = "key") -> str:
    """Return 32 bytes in base64, the same for the same name."""
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


def an_environment(**changed: str) -> dict[str, str]:
    """Return the environment of a complete test installation."""
    return {
        "HALL_ENV": "test",
        "HALL_SECRET_KEY": "test" * 8,
        "HALL_VAULT_KEYS": f"1:{a_key('vault')}",
        "HALL_AUDIT_KEY": a_key("audit"),
        "HALL_TRUSTED_HOSTS": "localhost",
        **changed,
    }


def settings_for(url: str, var_dir: Path, **changed: str) -> Settings:
    """Return the settings of a test installation over the database at ``url``."""
    return Settings.from_env(an_environment(DATABASE_URL=url, HALL_VAR_DIR=str(var_dir), **changed))


def a_wechat_account(
    *, kind: str = "wechat", key: str = "test-wechat", name: str = "测试公众号", **values: str
) -> AccountView:
    """Add a WeChat account in secure mode."""
    return channel_accounts.create_account(
        kind=kind,
        key=key,
        name=name,
        values={
            "app_id": "wx0123456789abcdef",
            "app_secret": "test-app-secret",
            "token": "testtoken",
            "mode": "secure",
            "aes_key": "A" * 43,
            "original_id": "gh_test",
            **values,
        },
        actor="system",
        now=NOW,
    )


def a_region(code: str) -> Region:
    """Insert the region of the notice with ``code``, its parents before it; once."""
    found = db.writing().get(Region, code)
    if found is not None:
        return found
    row = _regions_of_the_notice()[code]
    if row.parent_code:
        a_region(row.parent_code)
    made = Region(
        code=code,
        name=row.name,
        level=organisations.RegionLevel(row.level),
        parent_code=row.parent_code,
        group=row.group,
        reports_directly=row.reports_directly,
        source=row.source,
    )
    db.writing().add(made)
    db.writing().flush()
    organisations.forget_regions()
    return made


@cache
def _regions_of_the_notice() -> Mapping[str, notice.RegionRow]:
    # Read once: to read the notice takes longer than most tests.
    return {row.code: row for row in notice.load().regions}


def a_body(name: str = "公安厅", region_code: str = "440000") -> organisations.BodyView:
    """Insert a body of a region, or of the province; ``a_body("广州市", "440100")`` is a city. Once."""
    full_name = f"省{name}" if region_code == "440000" else f"{name}人民政府"
    region = a_region(region_code)
    if db.writing().scalar(select(Body.id).where(Body.full_name == full_name)) is None:
        body = Body(
            full_name=full_name,
            name=name,
            level=region.level,
            region_code=region_code,
            city_code=city_code(region.level, region_code, region.parent_code),
            source="test",
        )
        db.writing().add(body)
        db.writing().flush()
        for alias in (name, full_name):
            db.writing().add(BodyAlias(name=alias, body_id=body.id, source="test"))
    return organisations.find_body(full_name)


def a_principal(
    role: str = "department_operator",
    *,
    body: organisations.BodyView | None = None,
    region_code: str = "",
    username: str = "",
) -> organisations.Principal:
    """Insert an active member of staff; the scope is ``body`` or ``region_code`` where the role has one."""
    chosen = organisations.Role(role)
    kind = organisations.SCOPE_OF[chosen]
    if kind is organisations.ScopeKind.BODY:
        scope = str((body or a_body()).id)
    elif kind is organisations.ScopeKind.PROVINCE:
        scope = ""
    else:
        scope = region_code or {"city": "440100", "county": "440106"}[kind]
        a_region(scope)
    view = organisations.create_staff(
        username=username or f"{role.replace('_', '-')}-{secrets.token_hex(4)}",
        name="测试人员",
        grants=[organisations.grant_for(chosen, scope)],
        by="system",
        now=clock.system_clock(),
    )
    db.writing().get_one(Staff, view.id).state = organisations.StaffState.ACTIVE
    db.writing().flush()
    return organisations.principal_of(view.id)


def a_bearer(principal: organisations.Principal) -> dict[str, str]:
    """Issue an API token; return the header that carries it."""
    token = organisations.issue_api_token(
        principal.staff_id, name="test", days=1, by=principal.actor, now=clock.system_clock()
    )
    return {"Authorization": f"Bearer {token}"}


def sign_in(client: FlaskClient, given: Any, principal: organisations.Principal) -> None:
    """Give the client the session cookie of ``principal``: ``sign_in(client, given, who)``."""
    secret = given(organisations.open_session, principal.staff_id, by="test", now=clock.system_clock())
    with client.session_transaction() as cookie:
        cookie["staff_session"] = secret


def submit(client: FlaskClient, page: str, path: str = "", **fields: Any) -> TestResponse:
    """Open ``page`` for its form's CSRF token and post ``fields`` to ``path`` (default: the page)."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).text)
    assert found, f"no form on {page}"
    return client.post(path or page, data={"csrf_token": found[1], **fields})
