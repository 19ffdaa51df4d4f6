"""What residents are told about the safety of their accounts."""

from __future__ import annotations

from datetime import datetime

import structlog

from app.core.clock import HALL_TIME
from app.core.errors import Invalid
from app.identity import service as identity
from app.notices.domain import UnknownTemplate
from app.notices.sending import send

SAME_PERSON = "account.same-person"
WHERE = "/me/verify"

log = structlog.get_logger(__name__)


def tell_same_person(resident_id: int, link_id: int, *, now: datetime) -> None:
    """Tell the holder of an account that another one was verified as the same person, once per merger."""
    if not identity.is_open(resident_id):
        return
    local = now.astimezone(HALL_TIME)
    at = f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"
    try:
        send(resident_id, SAME_PERSON, {"时间": at}, link=WHERE, dedup_key=f"account-link:{link_id}", now=now)
    except (UnknownTemplate, Invalid) as error:
        log.error("notice_not_sent", template=SAME_PERSON, because=error.code)
