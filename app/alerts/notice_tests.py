"""Trying a notice to residents on a member of staff's own bound accounts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from app.alerts.models import StaffBinding
from app.alerts.sealing import OPENID_FIELD, openid_in
from app.core import db, vault
from app.core.errors import NotFound
from app.notices import service as notices
from app.notices.service import Tried
from app.organisations.service import Principal


def try_notice(
    by: Principal, version_id: int, binding_id: int, *, base_url: str, now: datetime
) -> list[Tried]:
    """Send a version of a notice, filled with its samples, to one of ``by``'s own accounts.

    No transaction may be open.

    Raises:
        NotFound: no such version, or no such binding of theirs.
    """
    query = select(StaffBinding).where(StaffBinding.id == binding_id, StaffBinding.staff_id == by.staff_id)
    binding = db.session().scalar(query)
    if binding is None:
        raise NotFound("没有这个绑定")
    subject = openid_in(vault.unseal(OPENID_FIELD, binding.openid_token))
    return notices.send_test(version_id, binding.account_id, subject, base_url=base_url, by=by.actor, now=now)
