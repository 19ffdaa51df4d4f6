"""The versions of an account's rules: kept whole, the newest in force, none ever changed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError

from app.channel_accounts import service as channel_accounts
from app.conversations import rules as pure
from app.conversations.models import PersonTalk, RulesVersion
from app.conversations.rules import BUILT_IN, Rules
from app.core import audit, db
from app.core.errors import Invalid, NotFound, Stale
from channels.base import Capability

REMEMBERED_SECONDS = 2.0
"""So soon after it was saved a version is in force in all processes."""


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version of an account's rules; number 0 is what the hall brings along."""

    number: int
    rules: Rules
    saved_by: str
    saved_at: datetime | None


@dataclass(frozen=True, slots=True)
class InForce:
    """What holds for an account now.

    Attributes:
        talks: whether any resident may be with a person at all, so that nobody else is asked about.
    """

    rules: Rules
    talks: bool


_in_force: dict[int, tuple[float, InForce]] = {}


def in_force(account_id: int) -> InForce:
    """Return what holds for an account; up to two seconds old."""
    known = _in_force.get(account_id)
    if known is None or known[0] < time.monotonic():
        talks = bool(db.session().scalar(select(exists().where(PersonTalk.account_id == account_id))))
        found = InForce(current(account_id).rules, talks)
        known = _in_force[account_id] = (time.monotonic() + REMEMBERED_SECONDS, found)
    return known[1]


def look_again(account_id: int) -> None:
    """Let this process ask for what holds the next time."""
    _in_force.pop(account_id, None)


def current(account_id: int) -> VersionView:
    """Return the version in force."""
    newest = select(RulesVersion).where(RulesVersion.account_id == account_id)
    row = db.session().scalar(newest.order_by(RulesVersion.number.desc()).limit(1))
    return VersionView(0, BUILT_IN, "", None) if row is None else _view(row)


def history(account_id: int, limit: int = 20) -> list[VersionView]:
    """Return the versions of an account, the newest first."""
    rows = select(RulesVersion).where(RulesVersion.account_id == account_id)
    return [
        _view(row) for row in db.session().scalars(rows.order_by(RulesVersion.number.desc()).limit(limit))
    ]


def version(account_id: int, number: int) -> VersionView:
    """Return one version.

    Raises:
        NotFound: no such version.
    """
    row = db.session().scalar(
        select(RulesVersion).where(RulesVersion.account_id == account_id, RulesVersion.number == number)
    )
    if row is None:
        raise NotFound("没有这个版本")
    return _view(row)


def save(account_id: int, seen: int, rules: Rules, *, actor: str, now: datetime) -> int:
    """Put ``rules`` in force; return the number of the new version.

    Args:
        seen: number of the version that was edited.

    Raises:
        NotFound: no such account.
        Invalid: ``fields`` says what is wrong, routes as ``route-0`` and so on.
        Stale: somebody else saved meanwhile.
    """
    capabilities = channel_accounts.adapter(account_id).capabilities
    wrong = pure.problems(rules, pictures=Capability.IMAGE_REPLY in capabilities)
    if wrong:
        raise Invalid("对话设置有误", fields=wrong)
    if current(account_id).number != seen:
        raise Stale
    number = seen + 1
    row = RulesVersion(
        account_id=account_id, number=number, rules=pure.to_json(rules), saved_by=actor, saved_at=now
    )
    try:
        with db.writing().begin_nested():
            db.writing().add(row)
    except IntegrityError:
        raise Stale from None
    detail = {"number": number, "routes": len(rules.routes)}
    audit.record(actor, "conversation_rules.save", "channel_account", account_id, detail)
    look_again(account_id)
    return number


def _view(row: RulesVersion) -> VersionView:
    return VersionView(row.number, pure.from_json(row.rules), row.saved_by, row.saved_at)
