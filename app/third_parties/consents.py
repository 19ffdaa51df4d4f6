"""Consent: an application asks, a resident decides on a page of the hall, sees each use, ends it at once."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

from sqlalchemy import ColumnElement, delete, func, select, update

from app.core import audit, clock, db, vault
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.identity import service as identity
from app.organisations import service as organisations
from app.third_parties import apps, events, subjects
from app.third_parties.domain import (
    CONSENT_LABELS,
    CONSENT_REQUEST_LIFE,
    KEEP_USES,
    PERSONAL,
    USES_SHOWN,
    AppState,
    Decision,
    EventKind,
    Scope,
    Stage,
    may_call,
    scopes_in_force,
)
from app.third_parties.models import App, Consent, ConsentRequest, Use
from app.third_parties.shapes import Caller, ConsentQuestion, ConsentView, UseView

OBJECT = "partner_consent"
EXPIRY = "system:expiry"
BY_MAX = 80
"""Characters of whoever used something, as the person reads it."""


class ConsentMissing(Forbidden):
    """The resident has not agreed to this, or does so no longer."""

    code = "consent_missing"
    title = "群众没有同意，或已结束授权"
    title_en = "The resident has not agreed to this"


class QuestionOver(NotFound):
    """No such question, decided already, expired, or for another person: not told apart."""

    code = "consent_request_over"
    title = "这个授权请求无效或已过期，请回到原来的页面重新开始"
    title_en = "The request for consent is not valid any more"


class WordsChanged(Conflict):
    """The purpose was changed after the page was shown: the person agrees to nothing they did not read."""

    code = "consent_words_changed"
    title = "对方刚刚改了用途，请再看一遍"
    title_en = "The purpose was changed in the meantime"


class NothingToAsk(Conflict):
    code = "consent_in_force"
    title = "群众已经同意过"
    title_en = "The resident has agreed to this already"


def ask_consent(
    caller: Caller, subject: str, scopes: Sequence[Scope], days: int, state: str, *, now: datetime
) -> str:
    """Put a question to a resident; return the secret part of the consent page's address.

    Args:
        state: comes back with the answer, so that the application knows its visitor again.

    Raises:
        SubjectUnknown: nobody signed in under that name.
        Invalid: a scope that needs no consent, or one the application does not have.
        NothingToAsk: all of it is agreed to for at least as long.
    """
    wanted = list(dict.fromkeys(scopes))
    lacking = [scope.value for scope in wanted if scope not in PERSONAL or scope not in caller.scopes]
    if lacking or not wanted:
        raise Invalid("只能申请本应用已开通、需要群众同意的能力", fields={"scopes": lacking})
    resident_id = subjects.resident_of(caller, subject)
    until = now + timedelta(days=days)
    known = _in_force(caller.id, caller.stage, resident_id, now)
    if any(set(wanted) <= set(one.scopes) and one.expires_at >= until for one in known):
        raise NothingToAsk
    token = secrets.token_urlsafe(32)
    db.writing().add(
        ConsentRequest(
            token_digest=vault.hash_secret(token),
            app_id=caller.id,
            stage=caller.stage,
            resident_id=resident_id,
            scopes=[scope.value for scope in wanted],
            days=days,
            state=state,
            decision=Decision.OPEN,
            created_at=now,
            expires_at=now + CONSENT_REQUEST_LIFE,
        )
    )
    db.writing().flush()
    return token


def question(token: str, resident_id: int | None, *, now: datetime) -> ConsentQuestion:
    """Return what the consent page asks.

    Args:
        resident_id: who is signed in; None opens questions to the sandbox's made-up people only.

    Raises:
        QuestionOver: there is nothing to decide for this person.
    """
    row, app = _open_question(token, resident_id, now)
    return ConsentQuestion(
        app_name=app.name,
        body_name=organisations.get_body(app.body_id).full_name,
        purpose=apps.purpose_of(app.id, app.purpose_version),
        purpose_version=app.purpose_version,
        stage=row.stage,
        scopes=_scopes(row.scopes),
        days=row.days,
        until=clock.day_of(now + timedelta(days=row.days)),
        return_host=urlsplit(app.callback_url).hostname or "",
    )


def question_of(caller: Caller, scopes: Sequence[Scope], days: int, *, now: datetime) -> ConsentQuestion:
    """Return a question that is put and answered within one sign-in, see :func:`agree`."""
    app = db.session().get_one(App, caller.id)
    return ConsentQuestion(
        app_name=app.name,
        body_name=organisations.get_body(app.body_id).full_name,
        purpose=apps.purpose_of(app.id, app.purpose_version),
        purpose_version=app.purpose_version,
        stage=caller.stage,
        scopes=tuple(scopes),
        days=days,
        until=clock.day_of(now + timedelta(days=days)),
        return_host=urlsplit(app.callback_url).hostname or "",
    )


def agree(
    caller: Caller, resident_id: int, scopes: Sequence[Scope], days: int, *, read_version: int, now: datetime
) -> None:
    """Write down that a resident agreed to :func:`question_of`.

    Raises:
        WordsChanged: the purpose is another than the one they read.
    """
    app = db.writing().get_one(App, caller.id)
    if read_version != app.purpose_version:
        raise WordsChanged
    row = ConsentRequest(
        token_digest=vault.hash_secret(secrets.token_urlsafe(32)),
        app_id=caller.id,
        stage=caller.stage,
        resident_id=resident_id,
        scopes=[scope.value for scope in scopes],
        days=days,
        state="",
        decision=Decision.GRANTED,
        created_at=now,
        expires_at=now + CONSENT_REQUEST_LIFE,
    )
    db.writing().add(row)
    db.writing().flush()
    _grant(row, app, now)


def holds(caller: Caller, resident_id: int, scope: Scope, *, now: datetime) -> bool:
    """Tell whether a resident agrees at this moment that the application does ``scope``."""
    known = _living(caller.id, caller.stage, resident_id, now)
    return any(scope.value in one.scopes for one in known)


def decide(
    token: str, resident_id: int | None, *, granted: bool, now: datetime, read_version: int | None = None
) -> str:
    """Take the answer; return where to send the person, ``""`` when the application named no address.

    Args:
        read_version: which version of the purpose the person was shown; None for the present one.

    Raises:
        QuestionOver: as :func:`question`; of two answers at once one counts.
        WordsChanged: they agree to another version than the present one.
    """
    row, app = _open_question(token, resident_id, now)
    if granted and read_version not in (None, app.purpose_version):
        raise WordsChanged
    decision = Decision.GRANTED if granted else Decision.DENIED
    won = db.writing().execute(
        update(ConsentRequest)
        .where(ConsentRequest.id == row.id, ConsentRequest.decision == Decision.OPEN)
        .values(decision=decision)
        .execution_options(synchronize_session=False)
    )
    if won.rowcount != 1:  # type: ignore[attr-defined]
        raise QuestionOver
    if granted:
        _grant(row, app, now)
    else:
        detail = {"scopes": row.scopes}
        audit.record(_actor(row.resident_id), "partner_consent.deny", apps.OBJECT, app.id, detail)
    return _way_back(app.callback_url, decision, row.state)


def consents_of(resident_id: int, *, now: datetime) -> list[ConsentView]:
    """Return all that a resident ever agreed to: what is in force first, then the newest."""
    rows = _consents(Consent.resident_id == resident_id)
    return sorted(_views(rows, now), key=lambda one: not one.in_force)


def state_of(caller: Caller, subject: str, *, now: datetime) -> list[ConsentView]:
    """Return what of a resident is agreed to for this application and in force.

    Raises:
        SubjectUnknown: nobody signed in under that name.
    """
    resident_id = subjects.resident_of(caller, subject)
    return _views(_living(caller.id, caller.stage, resident_id, now), now)


def uses_of(resident_id: int, consent_id: int) -> list[UseView]:
    """Return the last uses of a consent, the newest first.

    Raises:
        NotFound: no such consent of this resident.
    """
    _own(resident_id, consent_id)
    query = select(Use).where(Use.consent_id == consent_id).order_by(Use.at.desc(), Use.id).limit(USES_SHOWN)
    return [UseView(row.scope, row.what, row.at) for row in db.session().scalars(query)]


def end_consent(resident_id: int, consent_id: int, *, now: datetime) -> None:
    """End a consent at once; the next call on it is refused. Safe to repeat.

    Raises:
        NotFound: no such consent of this resident.
    """
    _end(_own(resident_id, consent_id), _actor(resident_id), now)


def end_all(resident_id: int, *, now: datetime) -> int:
    """End every consent of a resident, as closing the account does; return how many."""
    rows = _consents(Consent.resident_id == resident_id, Consent.ended_at.is_(None))
    for row in rows:
        _end(row, _actor(resident_id), now)
    return len(rows)


def use(caller: Caller, subject: str, scope: Scope, what: str, *, now: datetime) -> int:
    """Return who ``subject`` is when they agreed to ``scope``, and note the use for them to see.

    Raises:
        SubjectUnknown: nobody signed in under that name.
        ConsentMissing: they did not agree, or do so no longer.
    """
    resident_id = subjects.resident_of(caller, subject)
    known = _living(caller.id, caller.stage, resident_id, now)
    found = next((one for one in known if scope.value in one.scopes), None)
    if found is None:
        raise ConsentMissing
    _note(found, resident_id, caller.name, caller.body_id, scope, what, "", now)
    return resident_id


def note_told(
    app: App, stage: Stage, subject: str, scope: Scope, what: str, *, case_number: str, now: datetime
) -> None:
    """Note for the resident to see that an application is told something of them by webhook."""
    resident_id = subjects.known_resident(app.id, stage, subject)
    if resident_id is None:
        return
    known = _living(app.id, stage, resident_id, now)
    found = next((one for one in known if scope.value in one.scopes), None)
    if found is not None:
        _note(found, resident_id, app.name, app.body_id, scope, what, case_number, now)


def _note(
    consent: Consent,
    resident_id: int,
    app_name: str,
    body_id: int,
    scope: Scope,
    what: str,
    case_number: str,
    now: datetime,
) -> None:
    """Write a use down twice: under its consent, and among all uses of the person's data."""
    db.writing().add(Use(consent_id=consent.id, scope=scope, what=what, at=now))
    db.writing().flush()
    if consent.stage is Stage.PRODUCTION:
        by = f"{organisations.get_body(body_id).full_name}“{app_name}”"[:BY_MAX]
        purpose = f"您同意过：{CONSENT_LABELS[scope]}"
        identity.record_use(resident_id, what=what, by=by, purpose=purpose, case_number=case_number, now=now)


def agreed(resident_id: int, body_id: int, scope: Scope, *, now: datetime) -> list[tuple[int, str]]:
    """Return the applications of a body that a resident agreed to, and what each calls the resident.

    Only those that still have the scope themselves.
    """
    if not identity.is_open(resident_id):
        return []
    query = (
        select(Consent)
        .join(App, App.id == Consent.app_id)
        .where(
            App.body_id == body_id,
            App.state == AppState.APPROVED,
            Consent.resident_id == resident_id,
            Consent.stage == Stage.PRODUCTION,
            Consent.ended_at.is_(None),
            Consent.expires_at > now,
        )
    )
    agreed_to = {row.app_id for row in db.session().scalars(query) if scope.value in row.scopes}
    scopes = apps.scopes_of(agreed_to)
    found = {one for one in agreed_to if scope in scopes_in_force(Stage.PRODUCTION, scopes[one])}
    return [(app_id, subjects.subject_of(app_id, Stage.PRODUCTION, resident_id)) for app_id in sorted(found)]


def may_hear(app_id: int, stage: Stage, subject: str, scope: Scope, *, now: datetime) -> bool:
    """Tell whether whom an application calls ``subject`` agrees to ``scope`` at this moment."""
    resident_id = subjects.known_resident(app_id, stage, subject)
    if resident_id is None:
        return False
    return any(scope.value in one.scopes for one in _living(app_id, stage, resident_id, now))


def end_expired(*, now: datetime, limit: int = 200) -> int:
    """Close consents whose time is over and tell their applications; return how many."""
    query = select(Consent).where(Consent.expires_at <= now, Consent.ended_at.is_(None)).limit(limit)
    rows = list(db.writing().scalars(query))
    for row in rows:
        _end(row, EXPIRY, now)
    return len(rows)


def forget_old(*, now: datetime) -> None:
    """Delete questions that are over, and uses of long ago."""
    over = delete(ConsentRequest).where(ConsentRequest.expires_at < now - timedelta(days=1))
    db.writing().execute(over)
    db.writing().execute(delete(Use).where(Use.at < now - KEEP_USES))


def _grant(row: ConsentRequest, app: App, now: datetime) -> None:
    made = Consent(
        app_id=app.id,
        stage=row.stage,
        resident_id=row.resident_id,
        scopes=row.scopes,
        purpose_version=app.purpose_version,
        granted_at=now,
        expires_at=now + timedelta(days=row.days),
        ended_at=None,
        ended_by="",
    )
    # What the new one covers is said again by it; two of a kind would have to be ended one by one.
    for old in _in_force(app.id, row.stage, row.resident_id, now):
        if set(old.scopes) <= set(row.scopes):
            old.ended_at, old.ended_by = now, "replaced"
    db.writing().add(made)
    db.writing().flush()
    audit.record(_actor(row.resident_id), "partner_consent.grant", OBJECT, made.id, {"scopes": row.scopes})
    _tell(EventKind.CONSENT_GRANTED, made, now)


def _end(row: Consent, actor: str, now: datetime) -> None:
    won = db.writing().execute(
        update(Consent)
        .where(Consent.id == row.id, Consent.ended_at.is_(None))
        .values(ended_at=now, ended_by=actor)
        .execution_options(synchronize_session=False)
    )
    if won.rowcount == 1:  # type: ignore[attr-defined]
        audit.record(actor, "partner_consent.end", OBJECT, row.id)
        _tell(EventKind.CONSENT_ENDED, row, now)


def _tell(kind: EventKind, row: Consent, now: datetime) -> None:
    subject = subjects.subject_of(row.app_id, row.stage, row.resident_id)
    data = {"subject": subject, "scopes": list(row.scopes), "expires_at": row.expires_at.isoformat()}
    events.emit(kind, data, now=now, app_id=row.app_id, stage=row.stage)


def _open_question(token: str, resident_id: int | None, now: datetime) -> tuple[ConsentRequest, App]:
    query = (
        select(ConsentRequest, App)
        .join(App, App.id == ConsentRequest.app_id)
        .where(
            ConsentRequest.token_digest == vault.hash_secret(token),
            ConsentRequest.decision == Decision.OPEN,
            ConsentRequest.expires_at > now,
        )
    )
    found = db.session().execute(query).first()
    if found is None or not may_call(found[1].state, found[0].stage):
        raise QuestionOver
    row: ConsentRequest = found[0]
    if resident_id is None:
        if row.stage is not Stage.SANDBOX:
            raise QuestionOver
    elif row.stage is not Stage.PRODUCTION or row.resident_id != resident_id:
        raise QuestionOver
    return row, found[1]


def _in_force(app_id: int, stage: Stage, resident_id: int, now: datetime) -> list[Consent]:
    return _consents(
        Consent.app_id == app_id,
        Consent.stage == stage,
        Consent.resident_id == resident_id,
        Consent.ended_at.is_(None),
        Consent.expires_at > now,
    )


def _living(app_id: int, stage: Stage, resident_id: int, now: datetime) -> list[Consent]:
    """Return what is in force; nothing of an account that was closed, whoever has heard of that yet."""
    if stage is Stage.PRODUCTION and not identity.is_open(resident_id):
        return []
    return _in_force(app_id, stage, resident_id, now)


def _consents(*conditions: ColumnElement[bool]) -> list[Consent]:
    query = select(Consent).where(*conditions).order_by(Consent.granted_at.desc(), Consent.id)
    return list(db.session().scalars(query))


def _own(resident_id: int, consent_id: int) -> Consent:
    row = db.session().get(Consent, consent_id)
    if row is None or row.resident_id != resident_id or row.stage is not Stage.PRODUCTION:
        raise NotFound("没有这项授权")
    return row


def _views(rows: Sequence[Consent], now: datetime) -> list[ConsentView]:
    found = db.session().scalars(select(App).where(App.id.in_({one.app_id for one in rows})))
    apps_by_id = {app.id: app for app in found}
    last_uses = _last_uses([one.id for one in rows])
    return [
        ConsentView(
            id=row.id,
            app_name=apps_by_id[row.app_id].name,
            body_name=organisations.get_body(apps_by_id[row.app_id].body_id).full_name,
            purpose=apps.purpose_of(row.app_id, row.purpose_version),
            stage=row.stage,
            scopes=_scopes(row.scopes),
            granted_at=row.granted_at,
            expires_at=row.expires_at,
            ended_at=row.ended_at,
            in_force=row.ended_at is None
            and row.expires_at > now
            and apps_by_id[row.app_id].state is not AppState.CLOSED,
            last_used_at=last_uses.get(row.id),
        )
        for row in rows
    ]


def _last_uses(consent_ids: Iterable[int]) -> dict[int, datetime]:
    query = select(Use.consent_id, func.max(Use.at)).where(Use.consent_id.in_(list(consent_ids)))
    return {row[0]: row[1] for row in db.session().execute(query.group_by(Use.consent_id))}


def _scopes(values: Iterable[str]) -> tuple[Scope, ...]:
    return tuple(Scope(value) for value in values)


def _actor(resident_id: int) -> str:
    return f"resident:{resident_id}"


def _way_back(callback_url: str, decision: Decision, state: str) -> str:
    if not callback_url:
        return ""
    joint = "&" if urlsplit(callback_url).query else "?"
    return f"{callback_url}{joint}{urlencode({'consent': decision.value, 'state': state})}"
