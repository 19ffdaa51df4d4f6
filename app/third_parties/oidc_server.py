"""The protocol of OpenID Connect, as Authlib speaks it, over what ``oidc`` keeps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, InvalidRequestError, grants
from authlib.oauth2.rfc6749.authenticate_client import authenticate_client_secret_basic
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from joserfc.jwk import RSAKey

from app.core import clock
from app.core.installation import settings
from app.third_parties import oidc
from app.third_parties.oidc import Client, Person
from app.third_parties.oidc_models import OidcCode

TOKEN_AUTH = ("client_secret_basic", "client_secret_post")


class _Client(ClientMixin):  # type: ignore[misc]
    """An application as Authlib asks for one."""

    def __init__(self, client: Client) -> None:
        self.ours = client
        self._signing_key: RSAKey | None = None

    def signing_key(self) -> RSAKey:
        """Return what signs the answer to this request: header and signature name the same key."""
        if self._signing_key is None:
            self._signing_key = oidc.signing_key(now=clock.system_clock())
        return self._signing_key

    def get_client_id(self) -> str:
        return self.ours.client_id

    def get_default_redirect_uri(self) -> str:
        return self.ours.callback_url

    def get_allowed_scope(self, scope: str) -> str:
        asked = (scope or "").split()
        return " ".join(one for one in oidc.SCOPES if one in asked)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.ours.callback_url

    def check_client_secret(self, client_secret: str) -> bool:
        return oidc.same(client_secret, self.ours.secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in TOKEN_AUTH

    def check_response_type(self, response_type: str) -> bool:
        return bool(response_type == "code")

    def check_grant_type(self, grant_type: str) -> bool:
        return bool(grant_type == "authorization_code")


class _Code:
    """A code on its way back, as Authlib asks for one."""

    def __init__(self, row: OidcCode) -> None:
        self.row = row
        self.code_challenge = row.challenge
        self.code_challenge_method = "S256"

    def get_redirect_uri(self) -> str:
        return self.row.redirect_uri

    def get_scope(self) -> str:
        return self.row.scope

    def get_nonce(self) -> str:
        return self.row.nonce

    def get_auth_time(self) -> int:
        return int(self.row.signed_in_at.timestamp())

    def get_acr(self) -> str:
        return f"{oidc.ACR}{self.row.level}"

    def get_amr(self) -> None:
        return None


class _CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = list(TOKEN_AUTH)

    def save_authorization_code(self, code: str, request: Any) -> None:
        told = request.payload.data
        oidc.keep_code(
            request.client.ours,
            request.user,
            code,
            scope=request.client.get_allowed_scope(request.payload.scope),
            nonce=told.get("nonce", ""),
            challenge=told["code_challenge"],
            redirect_uri=request.payload.redirect_uri or request.client.ours.callback_url,
            now=clock.system_clock(),
        )

    def query_authorization_code(self, code: str, client: _Client) -> _Code | None:
        row = oidc.take_code(client.ours, code, now=clock.system_clock())
        return None if row is None else _Code(row)

    def delete_authorization_code(self, authorization_code: _Code) -> None:
        """Nothing to do: it was used up when it was asked for."""

    def authenticate_user(self, authorization_code: _Code) -> Person:
        row = authorization_code.row
        return Person(row.resident_id, row.subject, row.level, row.signed_in_at)


class _Challenge(CodeChallenge):  # type: ignore[misc]
    """PKCE for everybody, and by digest only."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        told = grant.request.payload.data
        if not told.get("code_challenge") or told.get("code_challenge_method") != "S256":
            raise InvalidRequestError(
                "code_challenge with method S256 is required", redirect_uri=redirect_uri
            )
        super().validate_code_challenge(grant, redirect_uri)


class _IdToken(OpenIDCode):  # type: ignore[misc]
    """What stands in the ID token: who, how surely, for whom. Name and number are read elsewhere."""

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        found = oidc.client(request.payload.client_id, now=clock.system_clock())
        return found is not None and oidc.nonce_known(found, nonce)

    def resolve_client_private_key(self, client: _Client) -> RSAKey:
        return client.signing_key()

    def get_client_claims(self, client: _Client) -> dict[str, Any]:
        ends: datetime = clock.system_clock() + oidc.ID_TOKEN_LIFE
        return {"iss": issuer(), "aud": [client.get_client_id()], "exp": int(ends.timestamp())}

    def get_encode_header(self, client: _Client) -> dict[str, str]:
        return {"alg": "RS256", "kid": str(client.signing_key().kid)}

    def generate_user_info(self, user: Person, scope: str) -> UserInfo:
        return UserInfo(sub=user.subject)


def issuer() -> str:
    """Return the hall's own address, as ID tokens and the discovery document name it."""
    return settings().base_url.rstrip("/")


def _find(client_id: str) -> _Client | None:
    found = oidc.client(client_id, now=clock.system_clock())
    return None if found is None else _Client(found)


def _by_basic(query_client: Any, request: Any) -> _Client | None:
    try:
        found: _Client | None = authenticate_client_secret_basic(query_client, request)
    except UnicodeDecodeError:
        return None  # bytes that are no text name nobody
    return found


def _keep(token: dict[str, Any], request: Any) -> None:
    oidc.keep_token(request.authorization_code.row, token["access_token"], now=clock.system_clock())


def _lifetime(_client: _Client, _grant_type: str) -> int:
    return int(oidc.TOKEN_LIFE.total_seconds())


def _server() -> AuthorizationServer:
    made = AuthorizationServer(query_client=_find, save_token=_keep)
    made.scopes_supported = list(oidc.SCOPES)
    made.register_client_auth_method("client_secret_basic", _by_basic)
    made.register_token_generator(
        "default", BearerTokenGenerator(oidc.new_token, expires_generator=_lifetime)
    )
    made.register_grant(_CodeGrant, [_Challenge(required=True), _IdToken(require_nonce=True)])
    return made


server = _server()
