"""Residents, and a platform on this machine that does what its codes say."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from urllib.parse import parse_qs, urlsplit

from flask import Flask, jsonify, request
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue
from werkzeug.test import TestResponse

from app.channel_accounts import service as channel_accounts
from app.channel_accounts.service import AccountView
from app.core import clock, db
from app.identity import service
from app.identity.service import Client, Session
from channels.base import ChannelIdentity
from sandbox.alipay.signing import bare_public_key
from tests.api.walk import HTML
from tests.builders import NOW, a_wechat_account
from tests.sandbox.builders import hall_key, platform_key, private_pem, raw_alipay
from tests.sandbox.servers import Sandbox, served

OPENID = "oXYZ-resident-openid-0001"
UNION = "uXYZ-resident-unionid-0001"
PHONE = "02012345"
_serial = count()
ATTEMPT, SESSION = "__Host-sign-in", "__Host-resident"


class Platform:
    """Answers as WeChat does. A code says what happens: ``good.<openid>.<unionid>``, ``away``, …"""

    def __init__(self) -> None:
        self.base = ""
        self._used: set[str] = set()
        self._lock = threading.Lock()

    def app(self) -> Flask:
        app = Flask("platform")
        app.add_url_rule("/sns/oauth2/access_token", "web", lambda: self._exchange("code"))
        app.add_url_rule("/sns/jscode2session", "mini", lambda: self._exchange("js_code"))
        app.add_url_rule("/sns/userinfo", "info", self._info)
        app.add_url_rule("/cgi-bin/stable_token", "token", self._token, methods=["POST"])
        app.add_url_rule("/wxa/business/getuserphonenumber", "phone", self._phone, methods=["POST"])
        return app

    def _exchange(self, name: str) -> ResponseReturnValue:
        code = request.args.get(name, "")
        kind, _, rest = code.partition(".")
        openid, union, _ = (*rest.split("."), "", "")[:3]
        if kind == "away":
            return "busy", 502
        if kind == "preview":
            return jsonify(openid="oPreview", access_token="t", expires_in=7200, is_snapshotuser=1)
        with self._lock:
            fresh = kind == "good" and code not in self._used
            self._used.add(code)
        if not fresh:
            return jsonify(errcode=40163 if kind == "good" else 40029, errmsg="code refused")
        known = {"openid": openid, **({"unionid": union} if union else {})}
        more = {"access_token": f"t.{openid}", "expires_in": 7200, "scope": "snsapi_userinfo"}
        return jsonify(**known, **(more if name == "code" else {"session_key": "k"}))

    def _info(self) -> ResponseReturnValue:
        return jsonify(openid=request.args["openid"], nickname="粤小民", unionid=UNION)

    def _token(self) -> ResponseReturnValue:
        return jsonify(access_token="account-token", expires_in=7200)

    def _phone(self) -> ResponseReturnValue:
        if request.json["code"] != "phone":
            return jsonify(errcode=40029, errmsg="invalid code")
        mark = {"timestamp": int(clock.system_clock().timestamp()), "appid": "wx0123456789abcdef"}
        told = {"phoneNumber": PHONE, "purePhoneNumber": PHONE, "countryCode": "86", "watermark": mark}
        return jsonify(errcode=0, errmsg="ok", phone_info=told)


@contextmanager
def a_platform() -> Iterator[Platform]:
    platform = Platform()
    with served(platform.app()) as base:
        platform.base = base
        yield platform


def an_account(platform: Platform | None = None, *, key: str = "test-wechat") -> AccountView:
    """Add an official account, on ``platform`` where a test goes there."""
    place = {"api_base": platform.base} if platform else {}
    return a_wechat_account(key=key, name="测试公众号", **place)


def a_mini_program(platform: Platform | None = None, *, key: str = "test-mini") -> AccountView:
    """Add a WeChat mini program."""
    place = {"api_base": platform.base} if platform else {}
    values = {
        "app_id": "wx0123456789abcdef",
        "app_secret": "test-app-secret",
        "token": "testtoken",
        "aes_key": "A" * 43,
        "original_id": "gh_mini",
        **place,
    }
    return channel_accounts.create_account(
        kind="wechat_mini", key=key, name="测试小程序", values=values, actor="system", now=NOW
    )


def an_alipay_account(sandbox: Sandbox) -> AccountView:
    """Add the Alipay account that the sandbox knows as ``gd-alipay``."""
    values = {
        "app_id": raw_alipay()["app_id"],
        "app_private_key": private_pem(hall_key()),
        "alipay_public_key": bare_public_key(platform_key().public_key()),
        "gateway": f"{sandbox.base}/alipay/gateway.do",
        "login_base": f"{sandbox.base}/alipay",
    }
    return channel_accounts.create_account(
        kind="alipay", key="gd-alipay", name="测试生活号", values=values, actor="system", now=NOW
    )


def an_identity(account: AccountView, subject: str = OPENID, union: str = "") -> ChannelIdentity:
    return ChannelIdentity(account.key, subject, union)


def a_resident(account: AccountView | None = None, *, subject: str = OPENID, union: str = "") -> int:
    """Sign somebody in for the first time; return the new account's key."""
    account = account or an_account()
    return service.known_or_new(account, an_identity(account, subject, union), now=clock.system_clock())


def a_session(
    resident_id: int, *, client: Client = Client.WECHAT, for_cookie: bool = True, now=None
) -> Session:
    """Open a session through the resident's first account."""
    account_id = service.bindings(resident_id)[0].account_id
    at = now or clock.system_clock()
    return service.open_session(resident_id, account_id, client, for_cookie=for_cookie, now=at)


def a_bearer(resident_id: int) -> dict[str, str]:
    """Return the header that carries a new bearer token of the resident."""
    opened = a_session(resident_id, client=Client.WECHAT_MINI, for_cookie=False)
    return {"Authorization": f"Bearer {opened.token}"}


def signed_in(app, given, resident_id: int) -> FlaskClient:
    """Return a browser in which the resident is signed in."""
    browser = app.test_client()
    browser.set_cookie(SESSION, given(a_session, resident_id).token)
    return browser


def begin(browser: FlaskClient, return_to: str = "/me", *, key: str = "test-wechat", **query: str) -> str:
    """Start a sign-in; return the state that went to the platform."""
    answer = browser.get(f"/sign-in/{key}", query_string={"return_to": return_to, **query}, headers=HTML)
    assert answer.status_code == 302, answer.text
    return parse_qs(urlsplit(answer.location).query)["state"][0]


def a_code(subject: str = OPENID, union: str = "") -> str:
    """Return a fresh code of the platform's for somebody."""
    return f"good.{subject}.{union}.{next(_serial)}"


def come_back(browser: FlaskClient, state: str, code: str | None = None, **more: str) -> TestResponse:
    """Return from the platform; without ``code`` with a fresh one, with ``""`` with none."""
    given = a_code() if code is None else code
    query = {"state": state, **({"code": given} if given else {}), **more}
    return browser.get("/sign-in/return", query_string=query, headers=HTML)


def rows(table, **values) -> int:
    """Count the rows of a table with these values."""
    query = db.session().query(table)
    return query.filter_by(**values).count()
