"""Pushing one message once, for capabilities above that keep a ladder of their own. Worker only."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from app.core import db, hearing
from app.core.errors import NotFound
from app.third_parties import apps, events, webhooks
from app.third_parties.delivering import USER_AGENT, signed_message
from app.third_parties.domain import EventKind, Scope, Stage, WebhookState, may_call, scopes_in_force
from app.third_parties.models import App, Webhook
from mobile_pages.gather import posting
from mobile_pages.gather.posting import NotPosted
from mobile_pages.guard import Guard

TAKEN, REFUSED, FAILED, NOWHERE = "taken", "refused", "failed", "nowhere"
BUSY = frozenset({408, 425, 429})
"""Of the 4xx those that a later try may mend."""


def push(
    payload: Mapping[str, Any],
    guard: Guard,
    clock: Callable[[], datetime],
    *,
    ca_file: Path | None = None,
) -> None:
    """Post a message to the webhooks that want it, and let hear how it went.

    A process that dies in between posts again, under the same ``webhook-id``.

    Args:
        payload: as ``service.push`` wrote it.
    """
    app_id, stage, kind = int(payload["app_id"]), Stage(payload["stage"]), EventKind(payload["kind"])
    said = {"type": kind.value, "timestamp": payload["at"], "data": payload["data"]}
    body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    outcome, error = NOWHERE, ""
    for webhook in _wanting(app_id, stage, kind):
        one, error = _post(webhook, payload["reference"], body, guard, clock(), ca_file)
        if one == TAKEN:
            outcome, error = TAKEN, ""
            break
        outcome = FAILED if FAILED in (outcome, one) else one

    def tell() -> None:
        told = {"reference": payload["reference"], "attempt": payload["attempt"]}
        hearing.tell(
            events.PUSHED,
            {**told, "outcome": outcome, "error": error, "at": clock().isoformat()},
            dedup_key=f"{payload['reference']}:{payload['attempt']}",
        )

    db.transaction(tell)


def _wanting(app_id: int, stage: Stage, kind: EventKind) -> list[Webhook]:
    app = db.session().get(App, app_id)
    if app is None or not may_call(app.state, stage):
        return []
    if Scope.WEBHOOKS not in scopes_in_force(stage, apps.scopes_of([app_id])[app_id]):
        return []
    query = select(Webhook).where(
        Webhook.app_id == app_id, Webhook.stage == stage, Webhook.state == WebhookState.ACTIVE
    )
    return [one for one in db.session().scalars(query.order_by(Webhook.id)) if kind.value in one.events]


def _post(
    webhook: Webhook, reference: str, body: bytes, guard: Guard, now: datetime, ca_file: Path | None
) -> tuple[str, str]:
    try:
        url = webhooks.url_of(webhook)
        headers = signed_message(reference, body, webhooks.secrets_of(webhook, now), now)
    except NotFound:
        return NOWHERE, ""  # removed in this moment
    try:
        answer = posting.post(url, headers, body, guard, user_agent=USER_AGENT, ca_file=ca_file)
    except NotPosted as failure:
        outcome, error = FAILED, failure.code
    else:
        error = "" if 200 <= answer.status < 300 else f"http_{answer.status}"
        refused = 400 <= answer.status < 500 and answer.status not in BUSY
        outcome = (REFUSED if refused else FAILED) if error else TAKEN
    db.transaction(lambda: _note(webhook.id, error, now))
    return outcome, error


def _note(webhook_id: int, error: str, now: datetime) -> None:
    values: dict[str, object] = {"last_error": error}
    if not error:
        values["last_sent_at"] = now
    mine = update(Webhook).where(Webhook.id == webhook_id, Webhook.state == WebhookState.ACTIVE)
    db.writing().execute(mine.values(**values).execution_options(synchronize_session=False))
