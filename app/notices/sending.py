"""Telling a resident something: one row in the hall, and a job that takes it further."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select, update

from app.core import audit, db, outbox, vault
from app.core.errors import Invalid
from app.core.ids import new_id
from app.core.own_path import is_own_path
from app.identity import service as identity
from app.notices import preferences
from app.notices import wording as words
from app.notices.domain import (
    DEDUP_KEY_MAX,
    LANGUAGE,
    LINK_MAX,
    VALUES_FIELD,
    DeliveryState,
    UnknownTemplate,
    VersionState,
)
from app.notices.models import Message, Template, TemplateVersion
from app.notices.versions import version_view

DELIVER_JOB = "notices.deliver"


def send(
    resident_id: int,
    template_key: str,
    data: Mapping[str, str],
    *,
    link: str,
    dedup_key: str,
    now: datetime,
    valid_until: datetime | None = None,
) -> int:
    """Tell a resident something, in the running transaction; return the message's id.

    It stands in the hall at once. Whatever else it takes happens later, by a job: outside quiet hours
    unless the template is urgent, on one way after the other until one takes it.

    Who cannot sign in to this account is told through one that was merged with it.

    Args:
        data: a value for each variable of the template; what is too long is cut.
        link: path of ours to what it is about, e.g. ``"/me/applications/17"``; ``""`` for none.
        dedup_key: the same for repeats; the resident is told once, and the first message's id returned.
        valid_until: nobody is told after it; None for the template's own time.

    Raises:
        UnknownTemplate: no version of the template is published.
        Invalid: the values do not fit the template, or the link leads elsewhere.
    """
    template, row = _published(template_key)
    if link and not (len(link) <= LINK_MAX and is_own_path(link)):
        raise Invalid(fields={"link": "须是本站的路径"})
    if not 1 <= len(dedup_key) <= DEDUP_KEY_MAX:
        raise Invalid(fields={"dedup_key": f"1 至 {DEDUP_KEY_MAX} 个字"})
    resident_id = identity.reached_at(resident_id)
    values = words.checked_values(version_view(row).wording.variables, data)
    quiet = None if template.urgent else preferences.settings(resident_id).quiet
    due_at = quiet.end_after(now) if quiet is not None and quiet.covers(now) else now
    message = {
        "id": new_id(),
        "resident_id": resident_id,
        "version_id": row.id,
        "dedup_key": dedup_key,
        "topic": template.topic,
        "urgent": template.urgent,
        "binding": template.binding,
        "values_token": vault.seal(VALUES_FIELD, json.dumps(values, ensure_ascii=False)),
        "link": link,
        "state": DeliveryState.CREATED,
        "created_at": now,
        "due_at": due_at,
        "valid_until": valid_until or now + timedelta(hours=template.valid_hours),
        "touched_at": now,
        "is_read": False,
    }
    db.insert_once(Message, message)
    made_id = _message_id(resident_id, dedup_key)
    assert made_id is not None
    if made_id != message["id"]:
        # It was told before, perhaps in this very moment by another process.
        vault.forget(str(message["values_token"]))
        return made_id
    _mark_used(row, now)
    ask(made_id, due_at)
    if template.binding:
        detail = {"template": template_key, "number": row.number}
        audit.record("system", "notice.create", "notice_message", made_id, detail)
    return made_id


def ask(message_id: int, run_at: datetime, *, key: str = "") -> None:
    """Ask for the next step of a message at ``run_at``.

    Args:
        key: at most one such request is ever made under it; ``""`` asks in any case.
    """
    dedup_key = f"{DELIVER_JOB}:{key}" if key else None
    outbox.enqueue(DELIVER_JOB, {"message_id": str(message_id)}, run_at=run_at, dedup_key=dedup_key)


def _published(template_key: str) -> tuple[Template, TemplateVersion]:
    query = (
        select(Template, TemplateVersion)
        .join(TemplateVersion, TemplateVersion.template_id == Template.id)
        .where(
            Template.key == template_key,
            TemplateVersion.language == LANGUAGE,
            TemplateVersion.state == VersionState.PUBLISHED,
        )
    )
    found = db.session().execute(query).first()
    if found is None:
        raise UnknownTemplate
    return found[0], found[1]


def _message_id(resident_id: int, dedup_key: str) -> int | None:
    query = select(Message.id).where(Message.resident_id == resident_id, Message.dedup_key == dedup_key)
    return db.writing().scalar(query)


def _mark_used(row: TemplateVersion, now: datetime) -> None:
    if row.used_at is None:
        db.writing().execute(
            update(TemplateVersion)
            .where(TemplateVersion.id == row.id, TemplateVersion.used_at.is_(None))
            .values(used_at=now)
            .execution_options(synchronize_session=False)
        )
