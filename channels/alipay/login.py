"""Who a code from Alipay stands for (用户授权): in the web view and in mini programs alike.

Source: opendocs.alipay.com, alipay.system.oauth.token and alipay.user.info.share. Apps made since 2023 are
given ``open_id``, which differs from app to app, in place of ``user_id``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from channels.alipay.client import GatewayClient
from channels.base import (
    ChannelEnv,
    ChannelError,
    ChannelIdentity,
    LoginGrant,
    LoginScope,
    Outcome,
    UserInfo,
)
from channels.http import whole_number

SCOPES = {LoginScope.BASE: "auth_base", LoginScope.PROFILE: "auth_user"}
_METHOD = "alipay.system.oauth.token"
_MAX_SECONDS = 400 * 86_400
_USER_ID = re.compile(r"2088[0-9]{12}")


def id_kind(subject: str) -> str:
    """Return what the platform calls such an id: ``user_id`` or ``open_id``."""
    return "user_id" if _USER_ID.fullmatch(subject) else "open_id"


def addressee(recipient: str) -> dict[str, str]:
    """Return the parameter that names who a message is for."""
    return {f"to_{id_kind(recipient)}": recipient}


@dataclass(frozen=True, slots=True)
class Login:
    """The sign-in of one app."""

    env: ChannelEnv = field(repr=False)
    account: str
    client: GatewayClient = field(repr=False)

    def exchange(self, code: str) -> ChannelIdentity:
        """Trade a code for who it is.

        Raises:
            ChannelError: refused or not reached.
        """
        return self._identity(self.client.execute(_METHOD, grant_type="authorization_code", code=code))

    def refresh(self, identity: ChannelIdentity) -> ChannelIdentity:
        """Renew the grant.

        Raises:
            ChannelError: ``no_grant``, refused or not reached.
        """
        if identity.grant is None or not identity.grant.refresh_token:
            raise _refused("there is no grant to renew", "no_grant")
        token = identity.grant.refresh_token
        renewed = self._identity(
            self.client.execute(_METHOD, grant_type="refresh_token", refresh_token=token)
        )
        if renewed.subject != identity.subject:
            raise ChannelError("the answer is about somebody else", retryable=False, code="garbage")
        return renewed

    def user_info(self, identity: ChannelIdentity) -> UserInfo:
        """Ask for name and picture.

        Raises:
            ChannelError: ``no_grant``, the resident agreed to less, refused or not reached.
        """
        if identity.grant is None:
            raise _refused("there is no grant to ask with", "no_grant")
        told = self.client.execute("alipay.user.info.share", auth_token=identity.grant.access_token)
        if _subject(told) != identity.subject:
            raise ChannelError("the answer is about somebody else", retryable=False, code="garbage")
        return UserInfo(identity.subject, _word(told, "nick_name"), _word(told, "avatar"))

    def _identity(self, told: Mapping[str, Any]) -> ChannelIdentity:
        subject = _subject(told)
        if not subject:
            raise ChannelError("the answer holds no user", retryable=True, code="garbage")
        grant = _grant(told, self.env.clock())
        return ChannelIdentity(
            self.account, subject, _word(told, "union_id"), grant=grant, id_kind=id_kind(subject)
        )


def _subject(told: Mapping[str, Any]) -> str:
    return _word(told, "user_id") or _word(told, "open_id")


def _grant(told: Mapping[str, Any], now: datetime) -> LoginGrant | None:
    token, seconds = _word(told, "access_token"), whole_number(told.get("expires_in"))
    if not token or seconds is None or not 0 < seconds <= _MAX_SECONDS:
        return None
    # The answer does not say how far the grant reaches; the platform does when it is used.
    ends = now + timedelta(seconds=seconds)
    return LoginGrant(token, _word(told, "refresh_token"), ends, LoginScope.PROFILE)


def _word(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) else ""


def _refused(message: str, code: str) -> ChannelError:
    return ChannelError(message, retryable=False, code=code, outcome=Outcome.AUTH)
