"""Taking a message further: one way after the other until one takes it. Worker only.

Each step is a short transaction that decides and writes down what is about to happen, the call to the
platform with no transaction open, and a second short transaction that writes down how it ended.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from prometheus_client import Counter
from sqlalchemy import select, update

from app.channel_accounts import service as channel_accounts
from app.core import db, vault
from app.core.errors import NotFound
from app.identity import service as identity
from app.notices import contacts, health, outcomes, preferences, receipts, sending
from app.notices import wording as words
from app.notices.domain import (
    CALL_LEASE,
    CODE_MAX,
    HALL,
    PLATFORM_ID_MAX,
    REPEATABLE_FOR,
    RETRY_AFTER,
    VALUES_FIELD,
    DeliveryState,
    Right,
    Wording,
    has_lost_its_meaning,
)
from app.notices.models import Attempt, Delivery, Message, TemplateVersion
from app.notices.outcomes import Verdict
from app.notices.planning import NEEDED, Candidate, Place, candidates, page_of
from app.notices.versions import notification_of, version_view
from channels.base import ChannelError, Outcome, Reply, SendResult

STEPS_MAX = 20
"""Ways tried in one run of the job; what is left goes on in the next."""

log = structlog.get_logger(__name__)
_tries = Counter("hall_notice_tries_total", "Tries to bring a notice to a resident", ["way", "outcome"])


@dataclass(frozen=True, slots=True)
class Step:
    """One call that was decided on and is about to be made."""

    message_id: int
    delivery_id: int
    number: int
    candidate: Candidate
    trial: bool
    subject: str = field(repr=False)
    values: dict[str, str] = field(repr=False)
    text: str = field(repr=False)
    page: str

    @property
    def account_id(self) -> int:
        return self.candidate.place.account_id

    @property
    def way(self) -> str:
        return str(self.candidate.way)


def spread(seconds: float) -> float:
    """Return a wait that differs by up to a fifth, so that what failed together is not tried together."""
    return seconds * random.uniform(0.8, 1.2)


def deliver(
    message_id: int,
    base_url: str,
    clock: Callable[[], datetime],
    jitter: Callable[[float], float] = spread,
) -> None:
    """Take a message as far as it can go now; nothing happens when it is settled already.

    Args:
        base_url: where links of ours begin.
    """
    for _ in range(STEPS_MAX):
        step = db.transaction(lambda: _next(message_id, base_url, clock()))
        if step is None:
            return
        result = _call(step)
        _tries.labels(step.way, result.outcome.value).inc()
        if not db.transaction(lambda: _note(step, result, clock(), jitter)):  # noqa: B023  run at once
            return
    db.transaction(lambda: sending.ask(message_id, clock()))


def _next(message_id: int, base_url: str, now: datetime) -> Step | None:
    """Decide on the next call and write it down; None when there is nothing to do now."""
    message = receipts.locked(message_id)
    if message is None or message.state not in (
        DeliveryState.CREATED,
        DeliveryState.QUEUED,
        DeliveryState.SENDING,
    ):
        return None
    rows = _deliveries(message_id)
    under_way = next((row for row in rows if row.state is DeliveryState.SENDING), None)
    if under_way is not None and not _take_over(message, under_way, now):
        return None
    if message.state not in (DeliveryState.CREATED, DeliveryState.QUEUED):
        return None  # it was left at an unknown result
    if has_lost_its_meaning(message.valid_until, now):
        _expire(message, rows, now)
        return None
    if not message.urgent:
        quiet = preferences.settings(message.resident_id).quiet
        if quiet is not None and quiet.covers(now):
            _wait(message, quiet.end_after(now), now)
            return None
    return _choose(message, rows, base_url, now)


def _choose(message: Message, rows: list[Delivery], base_url: str, now: datetime) -> Step | None:
    # What may have gone out is repeated where the platform shows it once, or not at all.
    unknown = next((row for row in rows if row.state is DeliveryState.QUEUED and _is_unknown(row)), None)
    if unknown is not None and now >= unknown.created_at + REPEATABLE_FOR:
        if not _settle_unknown(message, unknown, now):
            return None
        unknown = None
    wording = version_view(db.writing().get_one(TemplateVersion, message.version_id)).wording
    waits: list[datetime] = []
    for candidate, row in _left(message, wording, rows, unknown):
        if row is not None and row.next_at is not None and row.next_at > now:
            # A try that failed for the moment: the ladder decides, not the next way.
            _wait(message, row.next_at, now)
            return None
        outcome = _try_to_claim(message, candidate, row, now)
        if isinstance(outcome, datetime):
            waits.append(outcome)
        elif outcome is not None:
            return _step(message, wording.title, wording.body, candidate, outcome, base_url)
    if waits:
        _wait(message, min(waits), now)
    elif unknown is None:
        leave_in_hall(message, now)
    elif _settle_unknown(message, unknown, now):
        sending.ask(message.id, now)
    return None


def _left(
    message: Message, wording: Wording, rows: list[Delivery], unknown: Delivery | None
) -> list[tuple[Candidate, Delivery | None]]:
    """Return the ways still to be tried with their deliveries so far; only that of ``unknown``, if any."""
    wanted = preferences.settings(message.resident_id)
    known = {(row.way, row.account_id): row for row in rows}
    found = [
        (candidate, known.get((str(candidate.way), candidate.place.account_id)))
        for candidate in candidates(
            wording.order,
            wording.forms,
            places_of(message.resident_id),
            wanted=wanted.channels,
            muted=wanted.muted.get(message.topic.value, ()),
            binding=message.binding,
        )
    ]
    if unknown is not None:
        return [(candidate, row) for candidate, row in found if row is unknown]
    return [pair for pair in found if pair[1] is None or pair[1].state is DeliveryState.QUEUED]


def _is_unknown(row: Delivery) -> bool:
    """Tell whether a message may have gone out on a way although nobody saw it."""
    return row.code == Verdict.UNKNOWN


@dataclass(frozen=True, slots=True)
class _Claim:
    delivery_id: int
    number: int
    trial: bool
    subject: str = field(repr=False)


def _try_to_claim(
    message: Message, candidate: Candidate, row: Delivery | None, now: datetime
) -> _Claim | datetime | None:
    """Take everything one call needs; return when to ask again, or None when the way is no way now."""
    account_id, way, form = candidate.place.account_id, candidate.way, candidate.form
    adapter = channel_accounts.adapter(account_id)
    if NEEDED[way.right] not in adapter.capabilities:
        return None
    try:
        subject = vault.unseal(identity.SUBJECT_FIELD, candidate.place.subject_token)
    except NotFound:
        return None  # unbound in this moment
    standing = contacts.standing(account_id, subject, now)
    holds_consent = row is not None and row.consent_id is not None
    if way.right is Right.SERVICE and not standing.may_write:
        return None
    if way.right is Right.TEMPLATE and standing.following is False:
        return None
    if way.right is Right.SUBSCRIBE and not holds_consent:
        assert form is not None
        if not contacts.consents_left(account_id, subject, form.platform_template, now):
            return None
    leave = health.admit(account_id, way.right, now)
    if leave.retry_at is not None:
        return leave.retry_at
    consent_id = row.consent_id if row is not None else None
    if way.right is Right.SUBSCRIBE and not holds_consent:
        assert form is not None
        assert standing.contact_id is not None
        consent_id = contacts.take_consent(
            standing.contact_id, form.platform_template, now, long_term=form.long_term
        )
        if consent_id is None:
            health.give_back(account_id, way.right, now)
            return None
    made = row or Delivery(
        message_id=message.id,
        way=str(way),
        account_id=account_id,
        attempts=0,
        platform_id="",
        code="",
        created_at=now,
    )
    made.state, made.consent_id, made.next_at = DeliveryState.SENDING, consent_id, None
    made.attempts += 1
    made.leased_until = now + CALL_LEASE
    db.writing().add(made)
    db.writing().flush()
    db.writing().add(
        Attempt(delivery_id=made.id, number=made.attempts, started_at=now, outcome="started", code="")
    )
    message.state, message.touched_at = DeliveryState.SENDING, now
    db.writing().flush()
    return _Claim(made.id, made.attempts, leave.trial, subject)


def _step(
    message: Message, title: str, body: str, candidate: Candidate, claim: _Claim, base_url: str
) -> Step:
    values = values_of(message)
    web_page = f"{base_url}/me/messages/{message.id}"
    return Step(
        message_id=message.id,
        delivery_id=claim.delivery_id,
        number=claim.number,
        candidate=candidate,
        trial=claim.trial,
        subject=claim.subject,
        values=values,
        text=f"{words.filled(title, values)}\n{words.filled(body, values)}\n{web_page}",
        page=page_of(candidate.way.kind, web_page, message.id),
    )


def values_of(message: Message) -> dict[str, str]:
    """Return what fills a message's text; empty once it was deleted."""
    if message.values_token is None:
        return {}
    found: dict[str, str] = json.loads(vault.unseal(VALUES_FIELD, message.values_token))
    return found


def _call(step: Step) -> SendResult:
    """Make the call. No transaction is open."""
    adapter, form = channel_accounts.adapter(step.account_id), step.candidate.form
    try:
        if form is None:
            return adapter.send(step.subject, Reply(text=step.text))
        dedup_id = f"notice:{step.delivery_id}"
        notification = notification_of(form, step.values, page=step.page, dedup_id=dedup_id)
        return adapter.send_notification(step.subject, notification)
    except ChannelError as error:
        return SendResult(error.outcome, code=error.code)


def _note(step: Step, result: SendResult, now: datetime, jitter: Callable[[float], float]) -> bool:
    """Write down how a call ended; return whether another way may be tried now."""
    message = receipts.locked(step.message_id)
    row = db.writing().get(Delivery, step.delivery_id, populate_existing=True)
    if message is None or row is None:
        return False
    ok = outcomes.is_healthy(result)
    health.report(step.account_id, ok=ok, trial=step.trial, code=result.code, now=now)
    if row.state is not DeliveryState.SENDING or row.attempts != step.number:
        # The lease ended and the end was put down as unknown meanwhile.
        log.warning("notice_answered_late", way=step.way, outcome=result.outcome.value)
        return False
    verdict = outcomes.verdict_on(result)
    said = Verdict.UNKNOWN.value if verdict is Verdict.UNKNOWN else result.outcome.value
    _end_attempt(row, said, result.code, now)
    row.leased_until = None
    message.touched_at = now
    if verdict is Verdict.ACCEPTED:
        _accept(message, row, result, now)
        return False
    if result.code == "not_reached":
        health.give_back(step.account_id, step.candidate.way.right, now)
    if row.code != Verdict.UNKNOWN:
        row.code = result.code[:CODE_MAX]
    return _go_on(step, message, row, result, verdict, now, jitter)


def _go_on(
    step: Step,
    message: Message,
    row: Delivery,
    result: SendResult,
    verdict: Verdict,
    now: datetime,
    jitter: Callable[[float], float],
) -> bool:
    """Decide what follows a call that brought nothing; return whether another way may be tried now."""
    if verdict is Verdict.UNKNOWN:
        return _leave_unknown(message, row, now, jitter)
    if verdict is Verdict.TOMORROW:
        health.stop_for_today(step.account_id, step.candidate.way.right, now)
    if verdict is Verdict.RETRY and _retry(message, row, now, jitter):
        return False
    _learn(step, result, now)
    if row.code == Verdict.UNKNOWN:
        return _settle_unknown(message, row, now)  # this try failed for sure, the one before perhaps not
    if verdict is Verdict.TOMORROW:
        row.state = message.state = DeliveryState.QUEUED
        return True
    row.state = DeliveryState.REFUSED if verdict is Verdict.REFUSED else DeliveryState.FAILED
    row.settled_at = now
    message.state = DeliveryState.QUEUED
    if result.outcome is not Outcome.NEEDS_CONSENT:
        _return_consent(message, row, now)
    receipts.note_binding(message, row, now)
    return True


def _accept(message: Message, row: Delivery, result: SendResult, now: datetime) -> None:
    row.state = message.state = DeliveryState.ACCEPTED
    row.settled_at = now
    row.platform_id = result.platform_id[:PLATFORM_ID_MAX]
    _close_others(message, row.id, now)
    receipts.note_binding(message, row, now)
    db.writing().flush()
    if row.platform_id:
        receipts.apply_early(row, now)


def _learn(step: Step, result: SendResult, now: datetime) -> None:
    """Believe the platform where it knows better than we do."""
    form = step.candidate.form
    if result.outcome is Outcome.NEEDS_CONSENT and form is not None:
        contacts.clear_consent(step.account_id, step.subject, form.platform_template, now)
    elif result.outcome is Outcome.NOT_FOLLOWING:
        contacts.doubt(step.account_id, step.subject, now, following=result.code != outcomes.NOT_WRITABLE)


def _retry(message: Message, row: Delivery, now: datetime, jitter: Callable[[float], float]) -> bool:
    """Queue another try on the same way; False when the ladder is at its end, or there is no time."""
    if message.urgent or row.attempts > len(RETRY_AFTER):
        return False
    wait = RETRY_AFTER[row.attempts - 1]
    row.state = message.state = DeliveryState.QUEUED
    row.next_at = now + wait * (jitter(1000.0) / 1000.0)
    sending.ask(message.id, row.next_at)
    return True


def _leave_unknown(message: Message, row: Delivery, now: datetime, jitter: Callable[[float], float]) -> bool:
    """Settle a try whose end nobody saw.

    Where the platform shows repeats once it is tried again. Elsewhere a second try could be a second
    message: an ordinary notice stays in the hall, only what is urgent or has legal effect takes another
    way, where twice is better than not at all.
    """
    row.code = Verdict.UNKNOWN.value
    wait = RETRY_AFTER[min(row.attempts, len(RETRY_AFTER)) - 1]
    shown_once = outcomes.may_repeat(row.way) and now + wait < row.created_at + REPEATABLE_FOR
    if shown_once and _retry(message, row, now, jitter):
        return False
    return _settle_unknown(message, row, now)


def _settle_unknown(message: Message, row: Delivery, now: datetime) -> bool:
    """Give up a way on which the message may have gone out; return whether another may be tried now."""
    row.state, row.settled_at, row.next_at = DeliveryState.FAILED, now, None
    receipts.note_binding(message, row, now)
    if message.urgent or message.binding:
        message.state = DeliveryState.QUEUED
        return True
    leave_in_hall(message, now)
    return False


def _take_over(message: Message, row: Delivery, now: datetime) -> bool:
    """Settle a call whose process died; False while another process may still be at it."""
    if row.leased_until is not None and row.leased_until > now:
        sending.ask(message.id, row.leased_until, key=f"{row.id}.{row.attempts}")
        return False
    _end_attempt(row, Verdict.UNKNOWN.value, "", now)
    row.leased_until = None
    return _leave_unknown(message, row, now, spread)


def leave_in_hall(message: Message, now: datetime) -> None:
    """Let the message in the hall be the last way; it is delivered when it is read."""
    state = DeliveryState.DELIVERED if message.is_read else DeliveryState.ACCEPTED
    row = Delivery(
        message_id=message.id,
        way=HALL,
        account_id=None,
        state=state,
        attempts=0,
        platform_id="",
        code="",
        created_at=now,
        settled_at=now,
    )
    db.writing().add(row)
    message.state, message.touched_at = state, now
    _close_others(message, row.id, now)
    receipts.note_binding(message, row, now)


def _close_others(message: Message, delivery_id: int, now: datetime) -> None:
    """End what still waits on other ways: the resident was told."""
    db.writing().flush()
    for row in _deliveries(message.id):
        if row.id != delivery_id and row.state is DeliveryState.QUEUED:
            _return_consent(message, row, now)
            row.state, row.code, row.settled_at, row.next_at = DeliveryState.FAILED, "another_way", now, None


def _return_consent(message: Message, row: Delivery, now: datetime) -> None:
    """Return the consent that a delivery held, unless the message may have gone out under it."""
    if row.consent_id is None or _is_unknown(row):
        return
    forms = version_view(db.writing().get_one(TemplateVersion, message.version_id)).wording.forms
    mine = (one for one in forms if one.account_id == row.account_id and one.right is Right.SUBSCRIBE)
    if not any(one.long_term for one in mine):
        contacts.give_back(row.consent_id, now)


def _expire(message: Message, rows: list[Delivery], now: datetime) -> None:
    for row in rows:
        if row.state is DeliveryState.QUEUED:
            _return_consent(message, row, now)
            row.state, row.settled_at, row.next_at = DeliveryState.EXPIRED, now, None
            receipts.note_binding(message, row, now)
    message.state, message.touched_at = DeliveryState.EXPIRED, now


def _wait(message: Message, until: datetime, now: datetime) -> None:
    message.state, message.touched_at = DeliveryState.QUEUED, now
    at = min(until, message.valid_until)
    sending.ask(message.id, at, key=f"{message.id}@{int(at.timestamp() * 1000)}")


def _end_attempt(row: Delivery, outcome: str, code: str, now: datetime) -> None:
    db.writing().execute(
        update(Attempt)
        .where(Attempt.delivery_id == row.id, Attempt.number == row.attempts)
        .values(ended_at=now, outcome=outcome, code=code[:CODE_MAX])
    )


def _deliveries(message_id: int) -> list[Delivery]:
    query = select(Delivery).where(Delivery.message_id == message_id).order_by(Delivery.created_at)
    return list(db.writing().scalars(query.execution_options(populate_existing=True)))


def places_of(resident_id: int) -> list[Place]:
    """Return where a resident can be reached, the latest binding first."""
    return [Place(one.account_id, one.kind, one.subject_token) for one in identity.addresses(resident_id)]
