"""Proving who somebody is: name and number, face, enterprise; few tries, and nothing kept of failed ones.

These functions open their own transactions: between them lies a call to the provider, and no
transaction stays open over the network.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, delete, func, select, update

from app.channel_accounts import service as channel_accounts
from app.core import db, vault
from app.core.clock import day_of
from app.core.errors import Invalid, LevelTooLow, TooMany
from app.core.installation import settings
from app.core.own_path import is_own_path
from app.identity import delegations, enterprises, merging, numbers, people, sessions
from app.identity.domain import NAME_LEVEL, USCC_FIELD
from app.identity.people import PersonView
from app.identity.people_domain import (
    CHECKS_AT_ALL,
    CHECKS_PER_ACCOUNT,
    CHECKS_PER_NUMBER,
    CHECKS_WINDOW,
    CODE_TRIES,
    FACE_COUNTS,
    FACE_LIFE,
    AnotherPerson,
    CheckGone,
    CheckKind,
    CheckState,
    EnterpriseRefused,
    EnterpriseUnknown,
    FaceRefused,
    IdKind,
    NameRefused,
    NotVerifiable,
    PersonUnknown,
    ProviderAway,
)
from app.identity.people_models import RealNameCheck
from app.identity.providers.base import FaceFinding, Finding, Provider
from app.identity.providers.over_http import HttpProvider
from app.identity.residents import lock
from app.identity.uses import record_use

T = TypeVar("T")
FACE_RETURN_PATH = "/me/verify/return"
CODE_FIELD = "face_code"
_RANDOM = re.compile(r"[A-Za-z0-9_-]{43}")
_FAILED = (CheckState.PENDING, CheckState.REFUSED, CheckState.NOT_FOUND, CheckState.EXPIRED)
_STATES = {
    Finding.MATCH: CheckState.PASSED,
    Finding.MISMATCH: CheckState.REFUSED,
    Finding.NOT_FOUND: CheckState.NOT_FOUND,
}


@dataclass(frozen=True, slots=True)
class FaceTask:
    """A face check that begins: where the person goes, until when."""

    check_id: int
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class FaceReturn:
    """A person who came back from the camera.

    Attributes:
        return_to: where they were going, a path of ours.
        code: what they type into the mini program they came from; ``""`` when they came from a page.
    """

    return_to: str
    code: str


def provider() -> Provider:
    """Return who checks names and numbers for this installation.

    Raises:
        NotVerifiable: nobody is set up.
    """
    installed = settings()
    if not installed.verify_url:
        raise NotVerifiable
    return HttpProvider(
        channel_accounts.environment(), installed.verify_url, installed.verify_app, installed.verify_secret
    )


def is_verifiable() -> bool:
    """Tell whether this installation has a provider of real-name checks."""
    return bool(settings().verify_url)


def verify_name(
    resident_id: int, kind: IdKind, number: str, name: str, *, by: Provider, now: datetime
) -> PersonView:
    """Prove who an account belongs to by name and number (level 2).

    Raises:
        Invalid: the number or the name cannot be one; ``fields`` says which and why.
        AnotherPerson: the account is another person's.
        TooMany: too many tries, by this account or with this number.
        NameRefused, PersonUnknown: the register says no; nothing of it is kept but the count.
        ProviderAway: no answer; the try does not count.
    """
    plain, said = numbers.check_person(kind, number, name, day_of(now))
    index = people.number_index(kind, plain)

    def begin() -> int:
        account = lock(resident_id)
        known = people.real_name(resident_id)
        if known is not None and (known.kind, known.number) != (kind, plain):
            raise AnotherPerson
        return _begin(account.id, CheckKind.NAME, index, now)

    check_id = db.transaction(begin)
    found = _asked(check_id, lambda: by.check_person(kind, plain, said))

    def settle() -> None:
        _ends(check_id, _STATES[found])
        _note_asked(resident_id, "姓名、证件号码", "核对您的实名", now)
        if found is Finding.MATCH:
            person = people.attach(lock(resident_id), kind, plain, said, now=now)
            merging.join(person, resident_id, now=now)

    db.transaction(settle)
    if found is Finding.NOT_FOUND:
        raise PersonUnknown
    if found is not Finding.MATCH:
        raise NameRefused
    view = people.person_of(resident_id)
    if view is None:
        raise CheckGone  # the account was closed meanwhile
    return view


def _note_asked(resident_id: int, what: str, purpose: str, now: datetime) -> None:
    """Let the person see that the provider was asked with their data, whatever it answered."""
    record_use(resident_id, what=what, by="实名核验机构", purpose=purpose, now=now)


def verify_enterprise(resident_id: int, uscc: str, name: str, *, by: Provider, now: datetime) -> int:
    """Prove that the person of an account represents an enterprise by law; return the enterprise.

    Raises:
        LevelTooLow: the account's own real name is not proved.
        Invalid: the code or the name cannot be one.
        TooMany, ProviderAway: see :func:`verify_name`.
        EnterpriseRefused, EnterpriseUnknown: the register says no.
    """
    code, said = numbers.check_uscc(uscc), numbers.clean_enterprise_name(name)
    me = people.real_name(resident_id)
    if me is None:
        raise LevelTooLow(NAME_LEVEL)
    index = vault.blind_index(USCC_FIELD, code)
    check_id = db.transaction(lambda: _begin(lock(resident_id).id, CheckKind.ENTERPRISE, index, now))
    found = _asked(check_id, lambda: by.check_enterprise(code, said, me.kind, me.number))

    def settle() -> int | None:
        _ends(check_id, _STATES[found])
        _note_asked(resident_id, "证件号码、企业名称和代码", "核对您是企业的法定代表人", now)
        if found is not Finding.MATCH:
            return None
        enterprise_id = enterprises.register(resident_id, code, said, now=now)
        delegations.represent(resident_id, enterprise_id, now=now)
        return enterprise_id

    made = db.transaction(settle)
    if made is None:
        raise EnterpriseUnknown if found is Finding.NOT_FOUND else EnterpriseRefused
    return made


def start_face(
    resident_id: int, session_id: int, *, return_to: str, by_code: bool, by: Provider, now: datetime
) -> FaceTask:
    """Begin a face check of the account's person; where they go shows the provider's page.

    Args:
        by_code: the session is a mini program's: the provider's page leads back to a browser that holds
            no session, and the person carries a few digits over.

    Raises:
        LevelTooLow: the real name is not proved.
        Invalid: ``return_to`` is not a path of ours.
        TooMany, ProviderAway: see :func:`verify_name`.
    """
    if not is_own_path(return_to):
        raise Invalid("只能回到大厅自己的页面", fields={"return_to": ["不是本站地址"]})
    me = people.real_name(resident_id)
    if me is None:
        raise LevelTooLow(NAME_LEVEL)
    state, index = secrets.token_urlsafe(32), people.number_index(me.kind, me.number)

    def begin() -> int:
        check_id = _begin(lock(resident_id).id, CheckKind.FACE, index, now)
        row = db.writing().get_one(RealNameCheck, check_id)
        row.session_id, row.by_code, row.return_to = session_id, by_code, return_to
        row.state_digest = vault.hash_secret(state)
        return check_id

    check_id = db.transaction(begin)
    return_url = f"{settings().base_url}{FACE_RETURN_PATH}?state={state}"
    start = _asked(check_id, lambda: by.start_face(me.kind, me.number, me.name, return_url))
    named = update(RealNameCheck).where(RealNameCheck.id == check_id).values(reference=start.reference)

    def remember() -> None:
        db.writing().execute(named)
        _note_asked(resident_id, "姓名、证件号码", "人脸核验", now)

    db.transaction(remember)
    return FaceTask(check_id, start.url, now + FACE_LIFE)


def return_from_face(state: str, session_id: int | None, *, by: Provider, now: datetime) -> FaceReturn:
    """Take in who comes back from the provider's page; ask the provider how it went.

    Args:
        session_id: of this browser, None when nobody is signed in here.

    Raises:
        CheckGone: unknown, over, or begun in another browser: somebody's face must not serve another.
        FaceRefused: it was not them, or they broke off.
        ProviderAway: no answer; coming back once more helps.
    """
    row = _by_state(state)
    if row is None or (not row.by_code and row.session_id != session_id):
        raise CheckGone
    if row.state is CheckState.PASSED and not row.by_code:
        return FaceReturn(row.return_to, "")  # a page that was loaded twice
    if row.state is not CheckState.PENDING or row.expires_at <= now:
        raise CheckGone
    found = by.face_result(row.reference)
    if found is FaceFinding.PENDING:
        raise FaceRefused("人脸核验没有做完，请重新开始")
    code = f"{secrets.randbelow(10**6):06}" if row.by_code else ""

    def settle() -> None:
        if found is FaceFinding.FAILED:
            _ends(row.id, CheckState.REFUSED)
        elif row.by_code:
            fresh = db.writing().get_one(RealNameCheck, row.id, with_for_update=True)
            fresh.code_index = _code_index(row.id, code)
        else:
            _counts(row, now)

    db.transaction(settle)
    if found is FaceFinding.FAILED:
        raise FaceRefused
    return FaceReturn(row.return_to, code)


def finish_face(resident_id: int, session_id: int, check_id: int, code: str, *, now: datetime) -> None:
    """Take the digits that the person carried over into their mini program.

    Raises:
        CheckGone: no such check of this session, over, or guessed at too often.
        FaceRefused: the digits are wrong.
    """

    def settle() -> bool:
        row = db.writing().get(RealNameCheck, check_id, with_for_update=True)
        if row is None or (row.resident_id, row.session_id) != (resident_id, session_id):
            raise CheckGone
        waiting = row.by_code and row.state is CheckState.PENDING and row.expires_at > now
        if not waiting or row.code_tries >= CODE_TRIES:
            raise CheckGone
        row.code_tries += 1
        given = _code_index(check_id, code)
        right = row.code_index is not None and hmac.compare_digest(given, row.code_index)
        if right:
            _counts(row, now)
        return right

    if not db.transaction(settle):
        raise FaceRefused("数字不对，请看刷脸后页面上的六位数字")


def end_checks_of(resident_id: int) -> None:
    """End what is under way for an account; what was tried stays counted for its day."""
    db.writing().execute(
        update(RealNameCheck)
        .where(RealNameCheck.resident_id == resident_id, RealNameCheck.state == CheckState.PENDING)
        .values(state=CheckState.EXPIRED)
    )


def forget_checks(now: datetime, *, limit: int = 1000) -> int:
    """Delete tries that count no more; return how many."""
    old = select(RealNameCheck.id).where(RealNameCheck.at <= now - CHECKS_WINDOW).limit(limit)
    ids = list(db.writing().scalars(old))
    db.writing().execute(delete(RealNameCheck).where(RealNameCheck.id.in_(ids)))
    return len(ids)


def _begin(resident_id: int, kind: CheckKind, index: str, now: datetime) -> int:
    theirs, failed = RealNameCheck.resident_id == resident_id, RealNameCheck.state.in_(_FAILED)
    _demand_room(theirs & failed, CHECKS_PER_ACCOUNT, now)
    _demand_room((RealNameCheck.number_index == index) & failed, CHECKS_PER_NUMBER, now)
    _demand_room(theirs, CHECKS_AT_ALL, now)
    row = RealNameCheck(
        resident_id=resident_id,
        session_id=None,
        kind=kind,
        number_index=index,
        state=CheckState.PENDING,
        reference="",
        state_digest=None,
        by_code=False,
        code_index=None,
        code_tries=0,
        return_to="/me",
        at=now,
        expires_at=now + FACE_LIFE,
    )
    db.writing().add(row)
    db.writing().flush()
    return row.id


def _demand_room(whose: ColumnElement[bool], most: int, now: datetime) -> None:
    recent = select(func.count(), func.min(RealNameCheck.at)).where(
        whose, RealNameCheck.at > now - CHECKS_WINDOW
    )
    count, oldest = db.writing().execute(recent).one()
    if count >= most:
        wait = int((oldest + CHECKS_WINDOW - now).total_seconds()) + 1
        hours = -(-wait // 3600)
        raise TooMany(f"核验的次数太多，请约 {hours} 小时后再试", retry_after_seconds=max(1, wait))


def _asked(check_id: int, question: Callable[[], T]) -> T:
    try:
        return question()
    except ProviderAway:
        db.transaction(lambda: _ends(check_id, CheckState.AWAY))
        raise


def _ends(check_id: int, state: CheckState) -> None:
    db.writing().execute(update(RealNameCheck).where(RealNameCheck.id == check_id).values(state=state))


def _counts(row: RealNameCheck, now: datetime) -> None:
    me = people.real_name(row.resident_id)
    if me is None or people.number_index(me.kind, me.number) != row.number_index:
        raise CheckGone  # the account is another person's by now, or nobody's
    taken = db.writing().execute(
        update(RealNameCheck)
        .where(RealNameCheck.id == row.id, RealNameCheck.state == CheckState.PENDING)
        .values(state=CheckState.PASSED)
    )
    if taken.rowcount == 1 and row.session_id is not None:  # type: ignore[attr-defined]
        sessions.count_face(row.resident_id, row.session_id, now + FACE_COUNTS)


def _by_state(state: str) -> RealNameCheck | None:
    if not _RANDOM.fullmatch(state):
        return None
    query = select(RealNameCheck).where(RealNameCheck.state_digest == vault.hash_secret(state))
    return db.session().scalar(query)


def _code_index(check_id: int, code: str) -> str:
    return vault.blind_index(CODE_FIELD, f"{check_id}|{code}")
