"""Sign-in in WeChat's web view (网页授权): what a code, and the grant it buys, tells about a resident.

Source: developers.weixin.qq.com, Wechat_webpage_authorization. The user's token is not the account's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from channels.base import (
    ChannelEnv,
    ChannelError,
    ChannelIdentity,
    LoginGrant,
    LoginScope,
    Outcome,
    UserInfo,
)
from channels.http import call, whole_number
from channels.wechat.client import decode

SCOPES = {LoginScope.BASE: "snsapi_base", LoginScope.PROFILE: "snsapi_userinfo"}


@dataclass(frozen=True, slots=True)
class WebLogin:
    """The sign-in of one account."""

    env: ChannelEnv = field(repr=False)
    account: str
    api_base: str
    app_id: str
    secret: str = field(repr=False)

    def exchange(self, code: str) -> ChannelIdentity:
        """Trade a code for who it is.

        Raises:
            ChannelError: refused, not reached, or ``snapshot_user``: the page was opened in a preview, whose
                made-up ids belong to nobody.
        """
        given = {"appid": self.app_id, "secret": self.secret, "code": code}
        result = self._ask("oauth2/access_token", {**given, "grant_type": "authorization_code"})
        if whole_number(result.get("is_snapshotuser")) == 1:
            raise _refused("a preview has no user", "snapshot_user")
        return self._identity(result)

    def refresh(self, identity: ChannelIdentity) -> ChannelIdentity:
        """Renew the grant; the platform allows it for 30 days.

        Raises:
            ChannelError: ``no_grant``, refused or not reached.
        """
        if identity.grant is None or not identity.grant.refresh_token:
            raise _refused("there is no grant to renew", "no_grant")
        given = {"appid": self.app_id, "refresh_token": identity.grant.refresh_token}
        result = self._ask("oauth2/refresh_token", {**given, "grant_type": "refresh_token"})
        renewed = self._identity(result)
        if renewed.subject != identity.subject:
            raise ChannelError("the answer is about somebody else", retryable=False, code="garbage")
        return ChannelIdentity(
            self.account, identity.subject, renewed.union_id or identity.union_id, grant=renewed.grant
        )

    def user_info(self, identity: ChannelIdentity) -> UserInfo:
        """Ask for name and picture.

        Raises:
            ChannelError: ``no_grant``, refused or not reached.
        """
        grant = identity.grant
        if grant is None or grant.scope is not LoginScope.PROFILE:
            raise _refused("the resident agreed to no more than a number", "no_grant")
        params = {"access_token": grant.access_token, "openid": identity.subject, "lang": "zh_CN"}
        result = self._ask("userinfo", params)
        if result.get("openid") != identity.subject:
            raise ChannelError("the answer is about somebody else", retryable=False, code="garbage")
        return UserInfo(
            identity.subject,
            _word(result, "nickname"),
            _word(result, "headimgurl"),
            _word(result, "unionid") or identity.union_id,
        )

    def _ask(self, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        return decode(call(self.env, "GET", f"{self.api_base}/sns/{path}", params=params))

    def _identity(self, result: Mapping[str, Any]) -> ChannelIdentity:
        openid, union_id = result.get("openid"), result.get("unionid", "")
        if not isinstance(openid, str) or not openid or not isinstance(union_id, str):
            raise ChannelError("the answer holds no openid", retryable=True, code="garbage")
        return ChannelIdentity(self.account, openid, union_id, grant=_grant(result, self.env.clock()))


def _grant(result: Mapping[str, Any], now: datetime) -> LoginGrant | None:
    token, seconds = _word(result, "access_token"), whole_number(result.get("expires_in"))
    if not token or seconds is None or not 0 < seconds <= 86_400:
        return None
    full = SCOPES[LoginScope.PROFILE] in _word(result, "scope").split(",")
    scope = LoginScope.PROFILE if full else LoginScope.BASE
    return LoginGrant(token, _word(result, "refresh_token"), now + timedelta(seconds=seconds), scope)


def _word(result: Mapping[str, Any], name: str) -> str:
    value = result.get(name)
    return value if isinstance(value, str) else ""


def _refused(message: str, code: str) -> ChannelError:
    return ChannelError(message, retryable=False, code=code, outcome=Outcome.AUTH)
