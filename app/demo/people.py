"""Two made-up people with a real name, an enterprise and a delegation, by way of the sandbox's register."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from app.core import db
from app.core.clock import day_of
from app.core.errors import DomainError
from app.identity import service as identity
from app.identity.service import DelegationKind, IdKind, Offer
from config.settings import Settings

# As in sandbox/register.py; the numbers lie in ranges that were never assigned.
HOLDER = (IdKind.CITIZEN, "44539919620315001X", "陈样例")
RELATIVE = (IdKind.CITIZEN, "445399198806010023", "李演示")
COMPANY = ("91445399MA05AMPL7U", "广东样例科技有限公司")
DELEGATION_DAYS = 180

log = structlog.get_logger(__name__)


def verification_of(installed: Settings) -> Mapping[str, str] | None:
    """Return what the sandbox must know to play the provider of real-name checks; None when another does."""
    if not installed.sandbox_url or not installed.verify_url.startswith(installed.sandbox_url):
        return None
    return {"app": installed.verify_app, "secret": installed.verify_secret}


def make_people(resident_id: int, now: datetime) -> bool:
    """Verify the person of the sandbox's phone and another one, who may act for the first.

    The other one has an account without any way of signing in: whoever verifies as that person in
    the demo finds it among theirs.

    Returns:
        False when it was done before, or somebody has made something else of the account.
    """
    if identity.person_of(resident_id) is not None:
        return False
    try:
        by = identity.provider()
        identity.verify_name(resident_id, *HOLDER, by=by, now=now)
        identity.verify_enterprise(resident_id, *COMPANY, by=by, now=now)
        other = db.transaction(lambda: identity.applicant_for(*RELATIVE, now=now))
        identity.verify_name(other, *RELATIVE, by=by, now=now)
    except DomainError as error:
        log.warning("demo_people_not_made", code=error.code)
        return False
    given = db.transaction(lambda: _delegate(other, now))
    db.transaction(lambda: identity.accept_delegation(resident_id, given, now=now))
    return True


def _delegate(principal: int, now: datetime) -> int:
    kind, number, name = HOLDER
    today = day_of(now)
    offer = Offer(
        kind=DelegationKind.FAMILY,
        agent_kind=kind,
        agent_number=number,
        agent_name=name,
        starts_on=today,
        ends_on=today + timedelta(days=DELEGATION_DAYS),
    )
    return identity.give_delegation(principal, offer, now=now)
