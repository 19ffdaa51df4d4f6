"""OpenID Connect at its addresses: the resident's part in the browser, the application's part behind it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Error
from authlib.oidc.core.errors import ConsentRequiredError, LoginRequiredError
from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db, limits
from app.core.errors import Invalid
from app.core.ids import read_id
from app.core.own_path import OWN_PATH_MAX, is_own_path
from app.identity.service import SignedIn
from app.third_parties import oidc, service
from app.third_parties.domain import CONSENT_LABELS, SAMPLES, Scope, Stage
from app.third_parties.oidc import Client, Person
from app.third_parties.oidc_server import TOKEN_AUTH, issuer, server

TOKENS_PER_ADDRESS = "300/minute"
JUST_NOW = timedelta(minutes=5)
"""How lately one signed in to have done so for the application that asks for it."""

ASKED = (Scope.IDENTITY_READ,)
SAMPLE = "hall_sample"

oidc_pages = Blueprint("oidc_pages", __name__, template_folder="templates")
oidc_endpoints = Blueprint("oidc_endpoints", __name__)


@oidc_pages.after_request
@oidc_endpoints.after_request
def _never_stored(answer: Response) -> Response:
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer


@oidc_pages.get("/oidc/authorize")
@access.public("who is not signed in is asked to, and comes back here")
def authorize() -> ResponseReturnValue:
    """Send a resident back to an application with a code, after asking what has to be asked."""
    return _authorize(agreed=False)


@oidc_pages.post("/oidc/authorize")
@access.public("the answer of a resident who was asked; who is not signed in is asked to")
def decide() -> ResponseReturnValue:
    """Take the resident's answer; the request itself stands in the address."""
    answer = _authorize(agreed=True)
    if isinstance(answer, Response) and answer.status_code == 302 and not is_own_path(answer.location or ""):
        # No redirect: browsers hold "form-action" against where a form's answer leads.
        granted = request.form.get("answer") == "yes"
        return render_template("third_parties/consent_done.html", granted=granted, back=answer.location)
    return answer


def _authorize(*, agreed: bool) -> ResponseReturnValue:
    now = clock.system_clock()
    client = oidc.client(request.args.get("client_id", ""), now=now)
    if client is None:
        raise Invalid("没有这个应用，或它现在不能登录")
    _here()  # too long is too long for who is signed in as well: whoever tries it out shall notice
    if client.caller.stage is Stage.SANDBOX:
        return _sandbox(client)
    me = cast(SignedIn | None, access.maybe_resident())
    try:
        grant = _read(me)
    except OAuth2Error as error:
        return _refused(error)
    if me is None:
        return _to_sign_in()
    if not agreed and _is_long_ago(me):
        if "none" in request.args.get("prompt", "").split():
            return _refused(LoginRequiredError(redirect_uri=client.callback_url), grant)
        return _to_sign_in(again="yes")
    return _asked_first(client, me, grant, agreed=agreed) or _with_code(client, me, grant, agreed=agreed)


def _read(whose: Any) -> Any:
    """Return the request as Authlib reads it, for :func:`_with_code`."""
    try:
        return server.get_consent_grant(end_user=whose)
    except ValueError:
        # Authlib repeats what was sent in its errors, and stumbles over characters that none may hold.
        raise Invalid("应用发来的登录请求有误：参数里有不能用的字符") from None


def _is_long_ago(me: SignedIn) -> bool:
    """Tell whether the application wants a resident who signed in more lately than this one."""
    told = request.args.get("max_age", "")
    wanted = [int(told)] if re.fullmatch(r"[0-9]{1,9}", told) else []
    if "login" in request.args.get("prompt", "").split():
        wanted.append(0)
    # Who is sent to sign in comes back here some time later, and must not be sent again.
    return bool(wanted) and clock.system_clock() - me.opened_at > max(
        timedelta(seconds=min(wanted)), JUST_NOW
    )


def _asked_first(client: Client, me: SignedIn, grant: Any, *, agreed: bool) -> ResponseReturnValue | None:
    """Return what has to happen before a code is given; None when nothing has to."""
    silent = "none" in request.args.get("prompt", "").split()
    now, scope = clock.system_clock(), grant.request.client.get_allowed_scope(grant.request.payload.scope)
    level = _level_needed(scope)
    if me.level < level:
        if silent:
            return _refused(LoginRequiredError(redirect_uri=client.callback_url), grant)
        return redirect(url_for("identity_pages.verify", level=level, return_to=_here()), 302)
    if not oidc.needs_consent(client, me.id, scope, now=now):
        return None
    if silent:
        return _refused(ConsentRequiredError(redirect_uri=client.callback_url), grant)
    if not agreed:
        question = service.question_of(client.caller, ASKED, oidc.CONSENT_DAYS, now=now)
        return render_template(
            "third_parties/consent.html", question=question, changed="", consent_labels=CONSENT_LABELS
        )
    if request.form.get("answer") != "yes":
        answer: ResponseReturnValue = server.create_authorization_response(grant_user=None, grant=grant)
        return answer
    return None


def _with_code(client: Client, me: SignedIn, grant: Any, *, agreed: bool) -> ResponseReturnValue:
    now = clock.system_clock()

    def work() -> ResponseReturnValue:
        scope = grant.request.client.get_allowed_scope(grant.request.payload.scope)
        if agreed and oidc.needs_consent(client, me.id, scope, now=now):
            shown = request.form.get("purpose_version", "")
            read = int(shown) if re.fullmatch(r"[0-9]{1,9}", shown) else 0
            service.agree(client.caller, me.id, ASKED, oidc.CONSENT_DAYS, read_version=read, now=now)
        person = oidc.person(client, me.id, me.level, me.opened_at, now=now)
        answer: ResponseReturnValue = server.create_authorization_response(grant_user=person, grant=grant)
        return answer

    return db.transaction(work)


def _sandbox(client: Client) -> ResponseReturnValue:
    """Let the programmer choose which made-up person signs in; nobody real has a part in it."""
    number = read_id(request.args.get(SAMPLE, ""))
    if number is None or number > SAMPLES:
        kept = [(name, value) for name, value in request.args.items(multi=True) if name != SAMPLE]
        ways = [(one, f"?{urlencode([*kept, (SAMPLE, one)])}") for one in range(1, SAMPLES + 1)]
        return render_template("third_parties/sample_people.html", ways=ways, app_name=client.caller.name)
    now = clock.system_clock()

    def work() -> ResponseReturnValue:
        resident_id, known = service.sample_arrived(client.caller, number, now=now)
        person = Person(resident_id, known.subject, known.level, now)
        try:
            grant = _read(person)
        except OAuth2Error as error:
            return _refused(error)
        answer: ResponseReturnValue = server.create_authorization_response(grant_user=person, grant=grant)
        return answer

    return db.transaction(work)


def _refused(error: OAuth2Error, grant: Any = None) -> ResponseReturnValue:
    """Tell the application what it did wrong where it may be told, else whoever stands before the page."""
    if grant is not None:
        error.state = grant.request.payload.state
    if getattr(error, "redirect_uri", None):
        answer: ResponseReturnValue = server.handle_error_response(None, error)
        return answer
    raise Invalid(f"应用发来的登录请求有误：{error.error}")


def _to_sign_in(again: str | None = None) -> ResponseReturnValue:
    return redirect(url_for("identity_pages.sign_in", return_to=_here(), again=again), 302)


def _here() -> str:
    here = request.full_path.rstrip("?")
    if not is_own_path(here):
        raise Invalid(f"应用发来的登录请求太长，连同参数最多 {OWN_PATH_MAX} 个字符。请告诉应用的开发者")
    return here


def _level_needed(scope: str) -> int:
    """Return how sure the application wants to be; a name can only be read of who proved it."""
    wanted = [one.removeprefix(oidc.ACR) for one in request.args.get("acr_values", "").split()]
    levels = [int(one) for one in wanted if one in {"1", "2", "3"}]
    return max([*levels[:1], 2 if oidc.PROFILE in scope.split() else 1])


@oidc_endpoints.post("/oidc/token")
@access.public("applications name their key and its secret")
def token() -> ResponseReturnValue:
    """Give an application the ID token for a code."""
    limits.hit(TOKENS_PER_ADDRESS, "oidc-token", request.remote_addr or "")
    answer: ResponseReturnValue = db.transaction(lambda: server.create_token_response())
    return answer


@oidc_endpoints.route("/oidc/userinfo", methods=["GET", "POST"])
@access.public("asks for an access token")
def userinfo() -> ResponseReturnValue:
    """Tell an application who signed in, as far as the resident agrees."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    now = clock.system_clock()
    known = db.transaction(lambda: oidc.claims_of(secret, now=now)) if scheme.lower() == "bearer" else None
    if known is None:
        refusal = Response(status=401)
        refusal.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        return refusal
    return jsonify(known)


@oidc_endpoints.get("/oidc/jwks.json")
@access.public("the keys by which anybody verifies ID tokens")
def keys() -> ResponseReturnValue:
    now = clock.system_clock()
    found = oidc.public_keys(now=now)
    if not found:
        db.transaction(lambda: oidc.signing_key(now=now))
        found = oidc.public_keys(now=now)
    answer = jsonify({"keys": found})
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


@oidc_endpoints.get("/.well-known/openid-configuration")
@access.public("how to sign in with the hall, for programs")
def configuration() -> ResponseReturnValue:
    base = issuer()
    answer = jsonify(
        {
            "issuer": base,
            "authorization_endpoint": f"{base}/oidc/authorize",
            "token_endpoint": f"{base}/oidc/token",
            "userinfo_endpoint": f"{base}/oidc/userinfo",
            "jwks_uri": f"{base}/oidc/jwks.json",
            "scopes_supported": list(oidc.SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": list(TOKEN_AUTH),
            "code_challenge_methods_supported": ["S256"],
            "acr_values_supported": [f"{oidc.ACR}{level}" for level in (1, 2, 3)],
            "claims_supported": ["sub", "acr", "auth_time", "name", "id_kind", "id_number"],
            "ui_locales_supported": ["zh-Hans", "zh-Hant", "en"],
            "service_documentation": f"{base}/docs/third-parties",
        }
    )
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer
