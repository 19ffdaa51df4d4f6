"""Accounts with a password and one-time codes, as their owners would have set them up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp

from app.core import clock, db, vault
from app.organisations import service
from app.organisations.models import Staff
from app.organisations.service import LinkPurpose
from config.settings import Environment
from tests.builders import a_principal

PASSWORD = "紫荆花开 in the 3rd month"
# Hashing is slow on purpose; the tests need the same hash again and again.
PASSWORD_HASH = service.new_password_hash(PASSWORD, "zhang.san")


@dataclass(frozen=True)
class Account:
    staff_id: int
    username: str
    totp: pyotp.TOTP

    def code(self, at: datetime | None = None) -> str:
        return self.totp.at(at or clock.system_clock())


def a_link(staff_id: int, purpose: str = "set_up", now: datetime | None = None) -> str:
    """Issue a one-time link."""
    return service.one_time_link(
        staff_id,
        LinkPurpose(purpose),
        by="system",
        environment=Environment.TEST,
        now=now or clock.system_clock(),
    )


def with_codes(who: service.Principal) -> pyotp.TOTP:
    """Give somebody one-time codes, as setting them up long ago would have."""
    totp = pyotp.TOTP(pyotp.random_base32())
    db.writing().get_one(Staff, who.staff_id).totp_token = vault.seal("totp_secret", totp.secret)
    db.writing().flush()
    return totp


def an_account(username: str = "zhang.san", now: datetime | None = None) -> Account:
    """Insert a person who set password and codes up an hour before ``now`` (default: the present)."""
    before = (now or clock.system_clock()) - timedelta(hours=1)
    who = a_principal("province_reviewer", username=username)
    link = a_link(who.staff_id, now=before)
    totp = pyotp.TOTP(service.begin_set_up(link, now=before).totp_secret)
    secret = service.finish_set_up(link, password_hash=PASSWORD_HASH, code=totp.at(before), now=before)
    service.close_session(secret)
    return Account(who.staff_id, username, totp)
