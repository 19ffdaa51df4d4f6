"""Limits and errors of channel accounts. Pure."""

from __future__ import annotations

from datetime import timedelta

from app.core.errors import DomainError

KEY_MAX = 40
NAME_MAX = 60
TOKEN_KEY_MAX = 160
SECRET_FIELD = "channel_secret"
TOKEN_FIELD = "channel_token"

# Longer than one bounded call to a platform, so that a live refresher is never overtaken.
REFRESH_LEASE = timedelta(seconds=20)
REFRESH_WAIT_SECONDS = 12.0
# Callbacks come by the hundred; when the last one came is worth one write a minute.
NOTE_EVERY = timedelta(minutes=1)


class UnknownKind(DomainError):
    code = "unknown_channel"
    title = "没有这种渠道"
    title_en = "No such kind of channel"


class TokenBusy(DomainError):
    """Another process is renewing the token and did not finish in time."""

    code = "channel_token_busy"
    title = "渠道凭据正在更新，请稍后再试"
    title_en = "The channel's token is being renewed"
