"""Whose a case is: the applicant's, and that of who acts for them while they may (代办、企业经办)."""

from __future__ import annotations

from datetime import date

from app.applications import moving
from app.applications.models import Application
from app.catalogue import service as catalogue
from app.core import clock, db
from app.core.errors import Forbidden, NotFound
from app.identity import service as identity
from app.identity.service import Principal

ENTERPRISE = "enterprise"


def today() -> date:
    """Return the hall's day, for those that were not told one."""
    return clock.day_of(clock.system_clock())


def check_party(row: Application, resident_id: int, *, on: date | None = None) -> None:
    """Let pass who applies, and who may act for them on that day.

    Raises:
        NotFound: anybody else; the case does not exist for them.
    """
    if row.enterprise_id is None and (
        row.resident_id == resident_id or row.resident_id in identity.accounts_of(resident_id)
    ):
        return
    if row.delegation_id is None or not _may_still_act(row, resident_id, on or today()):
        raise NotFound("没有这个办件")


def _may_still_act(row: Application, resident_id: int, on: date) -> bool:
    directory_id = catalogue.version(row.item_version_id).directory_id
    return any(
        _is_applicant(row, resident_id, one)
        and identity.may_act(resident_id, one.delegation_id, directory_id=directory_id, on=on) is not None
        for one in identity.acting_for(resident_id, on=on)
    )


def _is_applicant(row: Application, resident_id: int, one: Principal) -> bool:
    if row.enterprise_id is not None:
        return one.kind == ENTERPRISE and one.id == row.enterprise_id
    # For a person only who made the case goes on with it; an enterprise's clerks stand in for each other.
    made_it = row.agent_id in identity.accounts_of(resident_id)
    return made_it and one.kind != ENTERPRISE and one.id in identity.accounts_of(row.resident_id)


def party_row(resident_id: int, application_id: int, *, on: date | None = None) -> Application:
    """Return a case to read.

    Raises:
        NotFound: there is none, or it is none of theirs.
    """
    row = db.session().get(Application, application_id)
    if row is None:
        raise NotFound("没有这个办件")
    check_party(row, resident_id, on=on)
    return row


def party_locked(resident_id: int, application_id: int, *, on: date | None = None) -> Application:
    """Return a case for writing; the same errors as :func:`party_row`."""
    row = moving.locked(application_id)
    check_party(row, resident_id, on=on)
    return row


def principal_for(resident_id: int, delegation_id: int, directory_id: int, *, on: date) -> Principal:
    """Return for whom somebody may apply for an item.

    Raises:
        Forbidden: the delegation is not theirs, not in force, or does not cover the item.
    """
    found = identity.may_act(resident_id, delegation_id, directory_id=directory_id, on=on)
    if found is None:
        raise Forbidden("委托不存在、不在有效期内，或不包括这个事项")
    return found
