"""Webhooks of applications: where events go, their secrets, and the log of deliveries."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from app.core import audit, db, vault
from app.core.errors import Conflict, Invalid, NotFound, Stale
from app.third_parties import apps, events
from app.third_parties.domain import (
    DELIVERIES_SHOWN,
    KEEP_DELIVERIES,
    SECRET_OVERLAP,
    SUBSCRIBABLE,
    URL_MAX,
    WEBHOOKS_MAX,
    DeliveryState,
    EventKind,
    Stage,
    WebhookState,
)
from app.third_parties.models import Attempt, Delivery, EventRow, Webhook
from app.third_parties.shapes import AttemptView, DeliveryView, WebhookView
from mobile_pages.guard import Guard, Refused, parse_target

URL_FIELD = "partner_webhook_url"
SECRET_FIELD = "partner_webhook_secret"
SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32


class TooManyWebhooks(Conflict):
    code = "too_many_webhooks"
    title = "推送地址太多，请先删除不用的"
    title_en = "Too many webhooks"


class WebhookPaused(Conflict):
    code = "webhook_paused"
    title = "推送已停止，请先恢复"
    title_en = "The webhook is paused"


def vetted_url(url: str, guard: Guard) -> str:
    """Return ``url`` in normal form when the outbound guard lets it pass.

    Asks the name server, so call it outside transactions. A name that does not resolve passes: the log
    of deliveries will say so.

    Raises:
        Invalid: malformed, private, or not https where it must be.
    """
    try:
        target = parse_target(url)
        guard.check(target.url)
    except Refused as refused:
        if refused.code not in {"dns_failure", "dns_empty"}:
            raise Invalid(fields={"url": [refused.detail_zh]}) from None
        target = parse_target(url)
    at_home = target.literal is not None and target.literal.is_loopback
    if target.scheme != "https" and not at_home:
        raise Invalid(fields={"url": ["推送地址要用 https"]})
    if len(target.url) > URL_MAX:
        raise Invalid(fields={"url": [f"最多 {URL_MAX} 个字符"]})
    return target.url


def add_webhook(
    app_id: int, stage: Stage, url: str, kinds: Sequence[EventKind], *, actor: str, now: datetime
) -> tuple[WebhookView, str]:
    """Set up a webhook; return it with its secret, shown only now.

    Args:
        url: as :func:`vetted_url` returned it.

    Raises:
        TooManyWebhooks: there are as many as there may be.
        Invalid: no event, or one nobody may subscribe to.
    """
    _check_kinds(kinds)
    if len(webhooks_of(app_id, stage)) >= WEBHOOKS_MAX:
        raise TooManyWebhooks
    secret = _new_secret()
    row = Webhook(
        app_id=app_id,
        stage=stage,
        host=parse_target(url).host,
        url_token=vault.seal(URL_FIELD, url),
        secret_token=vault.seal(SECRET_FIELD, secret),
        events=[kind.value for kind in dict.fromkeys(kinds)],
        state=WebhookState.ACTIVE,
        last_error="",
        version=1,
        created_at=now,
    )
    db.writing().add(row)
    db.writing().flush()
    detail = {"webhook": str(row.id), "host": row.host}
    audit.record(actor, "partner_webhook.add", apps.OBJECT, app_id, detail)
    return _view(row), secret


def change_webhook(
    app_id: int,
    stage: Stage,
    webhook_id: int,
    *,
    version: int,
    kinds: Sequence[EventKind],
    active: bool,
    actor: str,
) -> WebhookView:
    """Change what a webhook gets, or stop it; starting it again ends a pause.

    Raises:
        NotFound: no such webhook of the application in this environment.
        Invalid: no event, or one nobody may subscribe to.
        Stale: somebody changed it first.
    """
    _check_kinds(kinds)
    row = _row(app_id, stage, webhook_id)
    values: dict[str, Any] = {"events": [kind.value for kind in dict.fromkeys(kinds)]}
    if active:
        values |= {"state": WebhookState.ACTIVE, "paused_at": None, "last_error": ""}
    else:
        values |= {"state": WebhookState.PAUSED}
    moved = db.writing().execute(
        update(Webhook)
        .where(Webhook.id == row.id, Webhook.version == version)
        .values(version=version + 1, **values)
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        raise Stale
    db.writing().refresh(row)
    detail = {"webhook": str(row.id), "active": active}
    audit.record(actor, "partner_webhook.change", apps.OBJECT, app_id, detail)
    return _view(row)


def rotate_secret(app_id: int, stage: Stage, webhook_id: int, *, actor: str, now: datetime) -> str:
    """Return a new secret; for ``SECRET_OVERLAP`` events are signed with the one before as well.

    Raises:
        NotFound: no such webhook of the application in this environment.
    """
    row = _row(app_id, stage, webhook_id)
    if row.previous_token is not None:
        vault.forget(row.previous_token)
    secret = _new_secret()
    row.previous_token, row.previous_until = row.secret_token, now + SECRET_OVERLAP
    row.secret_token = vault.seal(SECRET_FIELD, secret)
    row.version += 1
    db.writing().flush()
    audit.record(actor, "partner_webhook.rotate", apps.OBJECT, app_id, {"webhook": str(row.id)})
    return secret


def remove_webhook(app_id: int, stage: Stage, webhook_id: int, *, actor: str) -> None:
    """Take a webhook away for good; its address and secrets are forgotten.

    Raises:
        NotFound: no such webhook of the application in this environment.
    """
    row = _row(app_id, stage, webhook_id)
    for token in (row.url_token, row.secret_token, row.previous_token):
        if token is not None:
            vault.forget(token)
    row.state, row.previous_token = WebhookState.REMOVED, None
    db.writing().flush()
    audit.record(actor, "partner_webhook.remove", apps.OBJECT, app_id, {"webhook": str(row.id)})


def ping(app_id: int, stage: Stage, webhook_id: int, *, now: datetime) -> int:
    """Send a test to one webhook; return the event's key.

    Raises:
        NotFound: no such webhook of the application in this environment.
        WebhookPaused: nothing is sent to it.
    """
    row = _row(app_id, stage, webhook_id)
    if row.state is WebhookState.PAUSED:
        raise WebhookPaused
    return events.emit(EventKind.PING, {}, now=now, app_id=app_id, stage=stage, webhook_id=row.id)


def redeliver(app_id: int, stage: Stage, delivery_id: int, *, now: datetime) -> None:
    """Deliver once more at once, from the foot of the ladder.

    Raises:
        NotFound: no such delivery of the application in this environment.
        WebhookPaused: nothing is sent there.
    """
    query = (
        select(Delivery, Webhook)
        .join(Webhook, Webhook.id == Delivery.webhook_id)
        .where(Delivery.id == delivery_id, *_mine(app_id, stage))
    )
    found = db.writing().execute(query).first()
    if found is None:
        raise NotFound("没有这条推送记录")
    row, webhook = found
    if webhook.state is WebhookState.PAUSED:
        raise WebhookPaused
    row.state, row.rung, row.next_at = DeliveryState.QUEUED, 0, now
    db.writing().flush()
    events.ask_again(row.id, row.attempts, run_at=now)


def webhooks_of(app_id: int, stage: Stage | None = None) -> list[WebhookView]:
    """Return the webhooks of an application, the oldest first."""
    query = select(Webhook).where(*_mine(app_id, stage)).order_by(Webhook.created_at, Webhook.id)
    return [_view(row) for row in db.session().scalars(query)]


def get_webhook(app_id: int, stage: Stage, webhook_id: int) -> WebhookView:
    """Return one webhook.

    Raises:
        NotFound: no such webhook of the application in this environment.
    """
    return _view(_row(app_id, stage, webhook_id))


def stage_of(app_id: int, *, webhook_id: int | None = None, delivery_id: int | None = None) -> Stage:
    """Return the environment of a webhook, or of a delivery, of an application.

    Raises:
        NotFound: no such one.
    """
    query = select(Webhook.stage).where(*_mine(app_id, None))
    if webhook_id is not None:
        query = query.where(Webhook.id == webhook_id)
    if delivery_id is not None:
        query = query.join(Delivery, Delivery.webhook_id == Webhook.id).where(Delivery.id == delivery_id)
    found = db.session().scalar(query)
    if found is None:
        raise NotFound("没有这个推送地址")
    return found


def deliveries(webhook_ids: Iterable[int], *, limit: int = DELIVERIES_SHOWN) -> list[DeliveryView]:
    """Return the last deliveries with their tries, the newest first."""
    query = (
        select(Delivery, EventRow.kind)
        .join(EventRow, EventRow.id == Delivery.event_id)
        .where(Delivery.webhook_id.in_(list(webhook_ids)))
        .order_by(Delivery.created_at.desc(), Delivery.id)
        .limit(limit)
    )
    rows = list(db.session().execute(query))
    tries = _tries([row.id for row, _ in rows])
    return [
        DeliveryView(
            id=row.id,
            webhook_id=row.webhook_id,
            event_id=row.event_id,
            kind=kind,
            state=row.state,
            attempts=row.attempts,
            next_at=row.next_at,
            created_at=row.created_at,
            tries=tuple(tries.get(row.id, ())),
        )
        for row, kind in rows
    ]


def forget_old(*, now: datetime, limit: int = 500) -> int:
    """Delete events of long ago with their deliveries; return how many."""
    old = select(EventRow.id).where(EventRow.at < now - KEEP_DELIVERIES).limit(limit)
    keys = list(db.writing().scalars(old))
    if keys:
        gone = select(Delivery.id).where(Delivery.event_id.in_(keys))
        db.writing().execute(delete(Attempt).where(Attempt.delivery_id.in_(gone)))
        db.writing().execute(delete(Delivery).where(Delivery.event_id.in_(keys)))
        db.writing().execute(delete(EventRow).where(EventRow.id.in_(keys)))
    return len(keys)


def failing_count(app_id: int) -> int:
    """Return how many webhooks of an application are paused."""
    query = select(func.count()).where(*_mine(app_id, None), Webhook.state == WebhookState.PAUSED)
    return db.session().scalar(query) or 0


def url_of(row: Webhook) -> str:
    return vault.unseal(URL_FIELD, row.url_token)


def secrets_of(row: Webhook, now: datetime) -> list[str]:
    """Return the secrets to sign with: the present one, and the one before while it still counts."""
    found = [vault.unseal(SECRET_FIELD, row.secret_token)]
    if row.previous_token is not None and row.previous_until is not None and now < row.previous_until:
        found.append(vault.unseal(SECRET_FIELD, row.previous_token))
    return found


def _mine(app_id: int, stage: Stage | None) -> tuple[Any, ...]:
    mine = (Webhook.app_id == app_id, Webhook.state != WebhookState.REMOVED)
    return mine if stage is None else (*mine, Webhook.stage == stage)


def _row(app_id: int, stage: Stage, webhook_id: int) -> Webhook:
    row = db.session().scalar(select(Webhook).where(Webhook.id == webhook_id, *_mine(app_id, stage)))
    if row is None:
        raise NotFound("没有这个推送地址")
    return row


def _tries(delivery_ids: Sequence[int]) -> dict[int, list[AttemptView]]:
    found: dict[int, list[AttemptView]] = {}
    query = select(Attempt).where(Attempt.delivery_id.in_(list(delivery_ids))).order_by(Attempt.number)
    for row in db.session().scalars(query):
        view = AttemptView(row.number, row.at, row.status, row.duration_ms, row.error)
        found.setdefault(row.delivery_id, []).append(view)
    return found


def _check_kinds(kinds: Sequence[EventKind]) -> None:
    if not kinds or any(kind not in SUBSCRIBABLE for kind in kinds):
        raise Invalid("请选择要接收的事件", fields={"events": ["请选择要接收的事件"]})


def _new_secret() -> str:
    return SECRET_PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _view(row: Webhook) -> WebhookView:
    return WebhookView(
        id=row.id,
        app_id=row.app_id,
        stage=row.stage,
        host=row.host,
        url=url_of(row),
        events=tuple(EventKind(value) for value in row.events),
        state=row.state,
        last_error=row.last_error,
        last_sent_at=row.last_sent_at,
        paused_at=row.paused_at,
        version=row.version,
        created_at=row.created_at,
    )
