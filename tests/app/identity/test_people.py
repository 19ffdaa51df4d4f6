"""Proving who one is, against the sandbox's register: what is kept, what is refused, what nobody learns."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from app.core import audit, clock, db, vault
from app.core.errors import Invalid, LevelTooLow, TooMany
from app.identity import service
from app.identity.models import Resident
from app.identity.people import detach
from app.identity.people_models import Enterprise, Person, RealNameCheck
from app.identity.residents import lock
from app.identity.service import FACE_LEVEL, NAME_LEVEL, IdKind
from tests.app.identity.builders import a_session, rows
from tests.app.identity.people_builders import (
    ANNA,
    AWAY,
    CHEN,
    COMPANY,
    HE,
    LI,
    NUMBERS,
    OTHER_FACE,
    SLOW,
    UNKNOWN,
    a_person,
    a_register,
    a_uscc,
    an_old_account,
    set_up,
    somebody,
)

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
NOW = clock.system_clock


@pytest.fixture(scope="module")
def register():
    with a_register() as running:
        yield running


@pytest.fixture
def by(register, app, context):
    with set_up(app, register):
        yield register.provider()


def everything_stored():
    tables = db.Model.metadata.sorted_tables
    found = {one.name: [tuple(row) for row in db.session().execute(one.select())] for one in tables}
    return json.dumps(found, default=str, ensure_ascii=False)


@pytest.mark.parametrize("person", [CHEN, HE, ANNA], ids=["citizen", "Hong Kong permit", "foreign card"])
@on_sqlite
def test_name_and_number_that_belong_together_make_an_account_that_persons(by, person):
    resident_id = a_person(by, person)

    real, view = service.real_name(resident_id), service.person_of(resident_id)
    assert (real.kind, real.number, real.name) == person
    assert (view.level, view.name_masked[-1]) == (NAME_LEVEL, person[2][-1])
    assert person[1] not in f"{real}{view}"


@on_sqlite
def test_number_and_name_are_in_the_vault_and_nowhere_else(by):
    with capture_logs() as lines:
        a_person(by)
        service.verify_enterprise(a_person(by, LI), "91445399MA0DEMQ19P", "佛山演示餐饮店", by=by, now=NOW())

    told = f"{everything_stored()}{lines}"
    words = (CHEN[1], CHEN[2], LI[1], LI[2], "91445399MA0DEMQ19P", "佛山演示餐饮店")
    assert [word for word in words if word in told] == []


@pytest.mark.parametrize(
    ("person", "refusal"),
    [
        pytest.param((*CHEN[:2], "李演示"), service.NameRefused, id="under another's name"),
        pytest.param(UNKNOWN, service.PersonUnknown, id="not in the register"),
    ],
)
@on_sqlite
def test_who_is_refused_leaves_nothing_behind(by, person, refusal):
    resident_id = somebody()

    with pytest.raises(refusal) as caught:
        service.verify_name(resident_id, *person, by=by, now=NOW())

    assert type(caught.value) is refusal
    assert service.person_of(resident_id) is None
    assert (rows(Person), rows(RealNameCheck)) == (0, 1)
    assert vault.find("real_name", person[2]) == []


@on_sqlite
def test_a_provider_that_is_away_costs_no_try_and_changes_nothing(by):
    resident_id = somebody()

    for _ in range(6):
        with pytest.raises(service.ProviderAway):
            service.verify_name(resident_id, *AWAY, by=by, now=NOW())

    assert service.person_of(resident_id) is None


@on_sqlite
def test_an_answer_that_the_provider_did_not_sign_counts_for_none(by, register):
    register.fail(api_wrong_signature=1)

    with pytest.raises(service.ProviderAway):
        a_person(by)


@on_sqlite
def test_a_provider_that_keeps_us_waiting_is_away(by):
    hasty = replace(by, env=replace(by.env, timeout_seconds=0.2))

    with pytest.raises(service.ProviderAway):
        a_person(hasty, SLOW)


@on_sqlite
def test_even_tries_that_went_well_are_bounded(by):
    resident_id, now = a_person(by), NOW()
    for _ in range(29):
        service.verify_name(resident_id, *CHEN, by=by, now=now)

    with pytest.raises(TooMany):
        service.verify_name(resident_id, *CHEN, by=by, now=now)


@on_sqlite
def test_tries_are_forgotten_after_their_day(by):
    resident_id, now = a_person(by), NOW()

    assert db.transaction(lambda: service.forget_checks(now + timedelta(hours=23))) == 0
    assert db.transaction(lambda: service.forget_checks(now + timedelta(hours=25))) == 1
    assert service.person_of(resident_id) is not None


@on_sqlite
def test_tries_of_one_account_are_counted_for_a_day(by):
    resident_id, now = somebody(), NOW()
    for _ in range(5):
        with pytest.raises(service.NameRefused):
            service.verify_name(resident_id, *UNKNOWN, by=by, now=now)

    with pytest.raises(TooMany) as caught:
        service.verify_name(resident_id, *CHEN, by=by, now=now + timedelta(hours=23))
    service.verify_name(resident_id, *CHEN, by=by, now=now + timedelta(days=1))

    assert 0 < caught.value.retry_after_seconds <= 3601


@on_sqlite
def test_tries_with_one_number_are_counted_over_all_accounts(by):
    people, now = [somebody() for _ in range(3)], NOW()
    for one in range(10):
        with pytest.raises(service.NameRefused):
            service.verify_name(people[one % 2], CHEN[0], CHEN[1], "张三丰", by=by, now=now)

    with pytest.raises(TooMany):
        service.verify_name(people[2], *CHEN, by=by, now=now)


@on_sqlite
def test_an_account_is_one_persons_for_good(by):
    resident_id = a_person(by)

    with pytest.raises(service.AnotherPerson):
        service.verify_name(resident_id, *LI, by=by, now=NOW())

    assert service.real_name(resident_id).number == CHEN[1]


@on_sqlite
def test_a_number_that_cannot_be_one_is_not_asked_of_the_provider(by):
    with pytest.raises(Invalid) as caught:
        service.verify_name(somebody(), IdKind.CITIZEN, "12345", "陈样例", by=by, now=NOW())

    assert (list(caught.value.fields), rows(RealNameCheck)) == (["number"], 0)


def test_two_accounts_that_verify_one_number_at_once_are_one_person_and_a_proposal(by, app):
    accounts, trouble = [somebody(), somebody()], []

    def verify(resident_id):
        try:
            with app.app_context():
                service.verify_name(resident_id, *CHEN, by=by, now=NOW())
        except Exception as error:
            trouble.append(error)

    threads = [threading.Thread(target=verify, args=(one,)) for one in accounts]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert trouble == []
    assert rows(Person) == 1
    assert [one.state for one in service.links(accounts[0])] == ["proposed"]
    assert service.links(accounts[0])[0].other_id == accounts[1]


@on_sqlite
def test_a_face_counts_in_its_session_and_for_a_while(by, register):
    resident_id, now = a_person(by), NOW()
    here, there = (db.transaction(lambda: a_session(resident_id)) for _ in range(2))
    task = service.start_face(resident_id, here.id, return_to="/x", by_code=False, by=by, now=now)
    register.show_face(task.url)

    back = service.return_from_face(state_of(register), here.id, by=by, now=now)

    assert (back.return_to, level(here, now), level(there, now)) == ("/x", FACE_LEVEL, NAME_LEVEL)
    assert level(here, now + timedelta(minutes=31)) == NAME_LEVEL


def state_of(register):
    """Return what the provider's page brings back: of the check begun last."""
    return list(register.api.faces.values())[-1].return_url.partition("state=")[2]


def level(session, now):
    return service.find_session(session.token, now=now).level


@pytest.mark.parametrize(
    ("person", "shown"), [(CHEN, "other"), (OTHER_FACE, "own")], ids=["somebody else", "not recognised"]
)
@on_sqlite
def test_another_face_raises_nothing(by, register, person, shown):
    resident_id, now = a_person(by, person), NOW()
    session = db.transaction(lambda: a_session(resident_id))
    task = service.start_face(resident_id, session.id, return_to="/x", by_code=False, by=by, now=now)
    register.show_face(task.url, shown)

    for refusal in (service.FaceRefused, service.CheckGone):
        with pytest.raises(refusal):
            service.return_from_face(state_of(register), session.id, by=by, now=now)

    assert level(session, now) == NAME_LEVEL


@on_sqlite
def test_a_face_of_whom_the_account_was_does_not_count_for_whom_it_is(by, register):
    resident_id, now = a_person(by), NOW()
    session = db.transaction(lambda: a_session(resident_id))
    task = service.start_face(resident_id, session.id, return_to="/x", by_code=False, by=by, now=now)
    register.show_face(task.url)

    db.transaction(lambda: detach(lock(resident_id)))
    service.verify_name(resident_id, *LI, by=by, now=now)
    with pytest.raises(service.CheckGone):
        service.return_from_face(state_of(register), session.id, by=by, now=now)

    assert level(session, now) == NAME_LEVEL


@on_sqlite
def test_a_face_shown_in_another_browser_serves_nobody(by, register):
    resident_id, now = a_person(by), NOW()
    session = db.transaction(lambda: a_session(resident_id))
    task = service.start_face(resident_id, session.id, return_to="/x", by_code=False, by=by, now=now)
    register.show_face(task.url)

    for stranger in (None, session.id + 1):
        with pytest.raises(service.CheckGone):
            service.return_from_face(state_of(register), stranger, by=by, now=now)

    assert level(session, now) == NAME_LEVEL


@on_sqlite
def test_for_a_mini_program_the_person_carries_six_digits_over(by, register):
    resident_id, now = a_person(by), NOW()
    session = db.transaction(lambda: a_session(resident_id))
    task = service.start_face(resident_id, session.id, return_to="/me", by_code=True, by=by, now=now)
    register.show_face(task.url)
    back = service.return_from_face(state_of(register), None, by=by, now=now)
    wrong = f"{(int(back.code) + 1) % 10**6:06}"

    with pytest.raises(service.FaceRefused):
        service.finish_face(resident_id, session.id, task.check_id, wrong, now=now)
    service.finish_face(resident_id, session.id, task.check_id, back.code, now=now)

    assert level(session, now) == FACE_LEVEL


@on_sqlite
def test_a_last_page_that_is_loaded_again_shows_digits_that_count(by, register):
    resident_id, now = a_person(by), NOW()
    session = db.transaction(lambda: a_session(resident_id))
    task = service.start_face(resident_id, session.id, return_to="/me", by_code=True, by=by, now=now)
    register.show_face(task.url)
    back = [service.return_from_face(state_of(register), None, by=by, now=now) for _ in range(2)]

    service.finish_face(resident_id, session.id, task.check_id, back[1].code, now=now)

    assert level(session, now) == FACE_LEVEL
    with pytest.raises(service.CheckGone):
        service.return_from_face(state_of(register), None, by=by, now=now)


@on_sqlite
def test_the_six_digits_are_guessed_at_five_times_at_most(by, register):
    resident_id, now = a_person(by), NOW()
    session = db.transaction(lambda: a_session(resident_id))
    task = service.start_face(resident_id, session.id, return_to="/me", by_code=True, by=by, now=now)
    register.show_face(task.url)
    code = service.return_from_face(state_of(register), None, by=by, now=now).code
    for _ in range(5):
        with pytest.raises(service.FaceRefused):
            service.finish_face(resident_id, session.id, task.check_id, "x", now=now)

    with pytest.raises(service.CheckGone):
        service.finish_face(resident_id, session.id, task.check_id, code, now=now)


@on_sqlite
def test_no_face_without_a_name(by):
    with pytest.raises(LevelTooLow):
        service.start_face(somebody(), 1, return_to="/me", by_code=False, by=by, now=NOW())


@on_sqlite
def test_an_enterprise_is_its_legal_representatives(by):
    resident_id = a_person(by)

    enterprise_id = service.verify_enterprise(resident_id, *COMPANY, by=by, now=NOW())

    found = service.enterprise(enterprise_id)
    assert (found.name, found.uscc_masked) == (COMPANY[1], "914*************7U")
    assert [one.id for one in service.enterprises_of(resident_id)] == [enterprise_id]


@pytest.mark.parametrize(
    ("company", "refusal"),
    [
        pytest.param(("91445399MA0DEMQ19P", "佛山演示餐饮店"), service.EnterpriseRefused, id="another's"),
        pytest.param((a_uscc(), "无此公司"), service.EnterpriseUnknown, id="not in the register"),
    ],
)
@on_sqlite
def test_an_enterprise_of_others_is_refused_and_not_kept(by, company, refusal):
    with pytest.raises(refusal):
        service.verify_enterprise(a_person(by), *company, by=by, now=NOW())

    assert rows(Enterprise) == 0


@on_sqlite
def test_an_enterprise_needs_a_person_first(by):
    with pytest.raises(LevelTooLow):
        service.verify_enterprise(somebody(), *COMPANY, by=by, now=NOW())


@on_sqlite
def test_a_case_from_elsewhere_finds_the_person_or_makes_an_account_to_claim(by):
    old = db.transaction(an_old_account)
    mine = a_person(by, LI)

    assert db.transaction(an_old_account) == old
    assert db.transaction(lambda: an_old_account(LI)) == mine
    assert service.real_name(old) is None


@on_sqlite
def test_whoever_verifies_has_the_accounts_that_waited_for_them(by):
    old = db.transaction(an_old_account)

    mine = a_person(by)

    assert service.accounts_of(mine) == (mine, old)
    assert db.transaction(an_old_account) == mine


@on_sqlite
def test_a_case_under_another_name_than_the_verified_one_is_refused(by):
    a_person(by)

    with pytest.raises(service.NameDiffers):
        db.transaction(lambda: an_old_account((*CHEN[:2], "李演示")))


@on_sqlite
def test_uses_are_told_to_the_person_of_all_their_accounts(by):
    old = db.transaction(an_old_account)
    mine, now = a_person(by), NOW()
    use = {"what": "姓名、证件号码", "by": "省公安厅", "purpose": "办理居住证"}
    db.transaction(lambda: service.record_use(old, **use, now=now))
    db.transaction(lambda: service.record_use(mine, **use, case_number="4400001", now=now + timedelta(1)))

    assert [one.case_number for one in service.uses(mine, limit=2)] == ["4400001", ""]
    assert [one.by for one in service.uses(mine, before=now + timedelta(hours=1))][:1] == ["省公安厅"]
    assert service.uses(somebody()) == []


@on_sqlite
def test_the_last_account_that_is_closed_takes_the_person_with_it(by):
    old = db.transaction(an_old_account)
    mine = a_person(by)

    db.transaction(lambda: service.close(mine, now=NOW()))

    person = db.session().query(Person).one()
    assert (person.number_index, person.number_token, person.name_token) == (None, None, None)
    assert not service.is_open(old)
    assert vault.find("id_number", CHEN[1]) == []
    assert service.accounts_of(mine) == (mine, old)
    assert db.session().query(Resident.person_id).filter(Resident.person_id.is_not(None)).all() == []


@on_sqlite
def test_every_step_is_in_the_audit_trail_without_a_number(by):
    a_person(by)

    lines = [one for one in audit.recent() if one.object_kind in {"person", "resident"}]
    actions = {one.action for one in lines}
    assert {"person.create", "resident.verify"} <= actions
    assert [one for one in NUMBERS if one in str(lines)] == []
