"""Background work of third-party access."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.core import clock, db
from app.core.installation import settings
from app.core.outbox import Job
from app.mobile_access import service as mobile_access
from app.third_parties import admitting, consents, events, oidc, service, webhooks
from app.third_parties.delivering import deliver as deliver_one
from app.third_parties.domain import EventKind, Scope, Stage
from app.third_parties.pushing import push as push_one


def fan_out(payload: Mapping[str, Any]) -> None:
    event_id = int(payload["event_id"])
    db.transaction(lambda: service.fan_out(event_id, now=clock.system_clock()))


def deliver(payload: Mapping[str, Any]) -> None:
    guard = mobile_access.outbound_guard(settings())
    deliver_one(int(payload["delivery_id"]), payload["attempts"], guard, clock.system_clock)


def push(payload: Mapping[str, Any]) -> None:
    push_one(payload, mobile_access.outbound_guard(settings()), clock.system_clock)


def tell_published(payload: Mapping[str, Any]) -> None:
    _tell_of_page(EventKind.PAGE_PUBLISHED, payload)


def tell_suspended(payload: Mapping[str, Any]) -> None:
    _tell_of_page(EventKind.PAGE_SUSPENDED, payload)


def tell_retired(payload: Mapping[str, Any]) -> None:
    _tell_of_page(EventKind.PAGE_RETIRED, payload)


def end_consents(payload: Mapping[str, Any]) -> None:
    db.transaction(lambda: service.end_all(int(payload["resident_id"]), now=clock.system_clock()))


def tell_application(payload: Mapping[str, Any]) -> None:
    """Tell the applications of its body that a case moved, those the applicant agreed to."""
    at, now = datetime.fromisoformat(payload["at"]), clock.system_clock()
    resident_id, body_id = int(payload["resident_id"]), int(payload["body_id"])

    def work() -> None:
        for app_id, subject in service.agreed(resident_id, body_id, Scope.APPLICATIONS_READ, now=now):
            service.emit(
                EventKind.APPLICATION_CHANGED,
                {"subject": subject, "number": payload["number"], "state": payload["state"]},
                now=at,
                app_id=app_id,
                stage=Stage.PRODUCTION,
                happening=f"case:{payload['number']}:{payload['step']}:{app_id}",
            )

    db.transaction(work)


def end_expired(_payload: Mapping[str, Any]) -> None:
    while db.transaction(lambda: service.end_expired(now=clock.system_clock())):
        pass


def forget_old(_payload: Mapping[str, Any]) -> None:
    now = clock.system_clock()
    db.transaction(lambda: admitting.forget_old(now=now))
    db.transaction(lambda: consents.forget_old(now=now))
    db.transaction(lambda: oidc.forget_over(now=now))
    while db.transaction(lambda: webhooks.forget_old(now=now)):
        pass


def _tell_of_page(kind: EventKind, payload: Mapping[str, Any]) -> None:
    page = mobile_access.entry(int(payload["page_id"])).page
    data = {
        "page_id": str(page.id),
        "name": page.name,
        "theme": page.theme.value,
        "body_id": str(page.body_id),
        "body_name": page.body_name,
        "region_code": page.region_code,
    }
    at = datetime.fromisoformat(payload["at"])
    happening = f"{kind}:{page.id}:{at.isoformat()}"
    db.transaction(lambda: service.emit(kind, data, now=at, happening=happening))


JOBS = (
    Job(events.FAN_OUT_JOB, fan_out),
    Job(events.DELIVER_JOB, deliver),
    Job(events.PUSH_JOB, push),
    Job("third_parties.tell-published", tell_published),
    Job("third_parties.tell-suspended", tell_suspended),
    Job("third_parties.tell-retired", tell_retired),
    Job("third_parties.end-consents", end_consents),
    Job("third_parties.tell-application", tell_application),
    Job("third_parties.end-expired", end_expired, every=timedelta(minutes=5)),
    Job("third_parties.forget-old", forget_old, every=timedelta(minutes=10)),
)
