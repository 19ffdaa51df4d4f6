"""Calls to WeChat's API: wechatpy's endpoints on a transport of our own.

wechatpy's transport repeats a call for ever while the platform says "bad token", keeps expiry per object,
fetches tokens without a timeout and from a fixed address, and shows tokens in its messages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from wechatpy import WeChatClient

from channels.base import ChannelEnv, ChannelError, Outcome, Token
from channels.http import HttpAnswer, call, whole_number
from channels.wechat.settings import TokenMethod

RENEW_BEFORE = timedelta(minutes=5)
_BAD_TOKEN = frozenset({40001, 40014, 42001})
_OUTCOMES = {
    -1: Outcome.RETRYABLE,
    40001: Outcome.AUTH,
    40013: Outcome.AUTH,
    40014: Outcome.AUTH,
    40029: Outcome.AUTH,
    40030: Outcome.AUTH,
    40125: Outcome.AUTH,
    40163: Outcome.AUTH,
    40164: Outcome.AUTH,
    40226: Outcome.AUTH,
    40243: Outcome.AUTH,
    42001: Outcome.AUTH,
    42002: Outcome.AUTH,
    42003: Outcome.AUTH,
    42007: Outcome.AUTH,
    43104: Outcome.AUTH,
    48001: Outcome.AUTH,
    61004: Outcome.AUTH,
    61024: Outcome.AUTH,
    89503: Outcome.AUTH,
    40036: Outcome.BAD_TEMPLATE,
    40037: Outcome.BAD_TEMPLATE,
    40165: Outcome.BAD_TEMPLATE,
    41028: Outcome.BAD_TEMPLATE,
    41030: Outcome.BAD_TEMPLATE,
    45103: Outcome.BAD_TEMPLATE,
    47003: Outcome.BAD_TEMPLATE,
    40003: Outcome.NOT_FOLLOWING,
    43004: Outcome.NOT_FOLLOWING,
    45015: Outcome.NOT_FOLLOWING,
    43101: Outcome.NEEDS_CONSENT,
    43107: Outcome.NEEDS_CONSENT,
    45009: Outcome.QUOTA,
    45011: Outcome.QUOTA,
    45029: Outcome.QUOTA,
    45047: Outcome.QUOTA,
    44990: Outcome.QUOTA,
    44993: Outcome.QUOTA,
}


def classify(code: str) -> Outcome:
    """Return what one of WeChat's return codes means in the common vocabulary."""
    number = whole_number(code)
    if number == 0:
        return Outcome.ACCEPTED
    return _OUTCOMES.get(number, Outcome.UNKNOWN) if number is not None else Outcome.UNKNOWN


def decode(answer: HttpAnswer) -> dict[str, Any]:
    """Return the JSON object of an answer.

    Raises:
        ChannelError: it is none, or it says that the call failed.
    """
    try:
        result = json.loads(answer.body.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        result = None
    if not isinstance(result, dict):
        raise ChannelError("the answer is no JSON object", retryable=True, code="garbage")
    if "errcode" in result:
        _check(result["errcode"])
    return result


def _check(errcode: Any) -> None:
    number = whole_number(errcode)
    if number == 0:
        return
    if number is None:
        raise ChannelError("the answer's errcode is no number", retryable=True, code="garbage")
    outcome = _OUTCOMES.get(number, Outcome.UNKNOWN)
    raise ChannelError(
        f"WeChat refused with {number}",
        retryable=outcome is Outcome.RETRYABLE,
        code=str(number),
        outcome=outcome,
    )


class AccessTokens:
    """The access token of one account, shared with all processes through the token store."""

    def __init__(self, env: ChannelEnv, api_base: str, app_id: str, secret: str, method: TokenMethod) -> None:
        self._env = env
        self._api_base = api_base
        self._app_id = app_id
        self._secret = secret
        self._method = method
        # The two methods' tokens do not touch each other, so they must not share a row.
        self._key = f"wechat:{app_id}:{method}"

    def current(self) -> Token:
        """Return a token that is good for five minutes, or for less while no other can be had.

        Raises:
            ChannelError: none could be had.
        """
        token = self._env.tokens.get(self._key)
        if token is not None and token.expires_at - self._env.clock() > RENEW_BEFORE:
            return token
        try:
            return self.after(token)
        except ChannelError:
            if token is None or token.expires_at <= self._env.clock():
                raise
            return token

    def after(self, seen: Token | None) -> Token:
        """Return the token that follows ``seen``, which the platform no longer takes.

        Raises:
            ChannelError: none could be had.
        """
        return self._env.tokens.compare_and_refresh(self._key, seen.version if seen else 0, self._fetch)

    def _fetch(self) -> Token:
        result = decode(self._ask())
        value, seconds = result.get("access_token"), whole_number(result.get("expires_in"))
        if not isinstance(value, str) or not value or seconds is None or not 0 < seconds <= 86_400:
            raise ChannelError("the answer holds no token", retryable=True, code="garbage")
        return Token(value, self._env.clock() + timedelta(seconds=seconds))

    def _ask(self) -> HttpAnswer:
        account = {"appid": self._app_id, "secret": self._secret}
        if self._method is TokenMethod.STABLE:
            body = {"grant_type": "client_credential", **account, "force_refresh": False}
            return call(
                self._env, "POST", f"{self._api_base}/cgi-bin/stable_token", data=json.dumps(body).encode()
            )
        params = {"grant_type": "client_credential", **account}
        return call(self._env, "GET", f"{self._api_base}/cgi-bin/token", params=params)


class Client(WeChatClient):  # type: ignore[misc]  # wechatpy has no types
    """wechatpy's client on our transport: bounded in time, one retry after a token was refused."""

    def __init__(self, env: ChannelEnv, api_base: str, app_id: str, tokens: AccessTokens) -> None:
        super().__init__(app_id, secret="", auto_retry=False)
        self._http.close()
        self._env = env
        self._api_base = api_base
        self._tokens = tokens

    @property
    def access_token(self) -> str:
        """Return the account's access token."""
        return self._tokens.current().value

    def fetch_access_token(self) -> None:
        """Do nothing: tokens come from the store."""

    def answer_of(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        check: Callable[[HttpAnswer], object] = decode,
    ) -> HttpAnswer:
        """Call ``path`` and return the answer undecoded, once its errcode is 0; a mapping goes as JSON.

        Args:
            check: raises for an answer that is none; only pictures need another than the default.

        Raises:
            ChannelError: refused or not reached.
        """
        token = self._tokens.current()
        data = json.dumps(body, ensure_ascii=False).encode() if isinstance(body, Mapping) else body
        try:
            return self._once(method, path, data, params, content_type, token, check)
        except ChannelError as error:
            if whole_number(error.code) not in _BAD_TOKEN:
                raise
        return self._once(method, path, data, params, content_type, self._tokens.after(token), check)

    def _request(self, method: str, url_or_endpoint: str, **kwargs: Any) -> dict[str, Any]:
        # Each of wechatpy's APIs brings an address of its own; only its path is kept, so that one setting
        # moves them all behind an egress proxy or onto a simulator.
        base = urlsplit(str(kwargs.get("api_base_url", self.API_BASE_URL))).path
        path = f"{base.rstrip('/')}/{url_or_endpoint.lstrip('/')}"
        return decode(self.answer_of(method.upper(), path, kwargs.get("data"), kwargs.get("params")))

    def _once(
        self,
        method: str,
        path: str,
        data: bytes | None,
        params: Mapping[str, str] | None,
        content_type: str,
        token: Token,
        check: Callable[[HttpAnswer], object],
    ) -> HttpAnswer:
        answer = call(
            self._env,
            method,
            f"{self._api_base}{path}",
            params={**(params or {}), "access_token": token.value},
            data=data,
            content_type=content_type,
        )
        check(answer)
        return answer
