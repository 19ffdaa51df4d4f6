"""Accounts of residents: one person behind several platform accounts, and nothing of them in the open."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.channel_accounts import service as channel_accounts
from app.core import audit, clock, db, vault
from app.core.errors import NotFound
from app.core.outbox import JobRow
from app.identity import service
from app.identity.models import Resident, ResidentBinding, ResidentSession, ResidentUnion
from channels.base import PhoneNumber
from tests.app.identity.builders import (
    OPENID,
    PHONE,
    UNION,
    a_mini_program,
    a_resident,
    a_session,
    an_account,
    an_identity,
    rows,
)

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
NUMBER = PhoneNumber("86", PHONE)


@pytest.fixture
def account(context):
    return db.transaction(an_account)


@pytest.fixture
def mini(context):
    return db.transaction(a_mini_program)


def known(account, subject=OPENID, union=""):
    return db.transaction(lambda: a_resident(account, subject=subject, union=union))


def test_the_same_user_id_is_the_same_resident(account):
    first, again, other = known(account), known(account), known(account, subject="oSomebodyElse")

    assert first == again != other
    assert service.resident_for(account.id, OPENID) == first
    assert service.resident_for(account.id, "oNobody") is None


def test_the_same_user_id_on_another_account_is_somebody_else(account):
    other = db.transaction(lambda: an_account(key="other-wechat"))

    assert known(account) != known(other)


def test_accounts_of_one_open_platform_lead_to_one_resident(account, mini):
    by_page, by_mini = known(account, "oOnPage", UNION), known(mini, "oInMini", UNION)

    assert by_page == by_mini
    assert {one.kind for one in service.bindings(by_page)} == {"wechat", "wechat_mini"}
    assert rows(ResidentUnion) == 1


@on_sqlite
def test_a_shared_id_that_is_told_later_links_from_then_on(account, mini):
    first = known(account, "oOnPage")
    known(account, "oOnPage", UNION)

    assert known(mini, "oInMini", UNION) == first


@on_sqlite
def test_two_accounts_in_use_are_never_merged_unasked(account, mini):
    by_page, by_mini = known(account, "oOnPage"), known(mini, "oInMini")

    later = known(account, "oOnPage", UNION), known(mini, "oInMini", UNION)

    assert later == (by_page, by_mini)
    assert by_page != by_mini


@on_sqlite
def test_a_resident_is_reached_at_every_account_that_is_switched_on(account, mini):
    resident = known(account, "oOnPage", UNION)
    known(mini, "oInMini", UNION)
    db.transaction(
        lambda: channel_accounts.update_account(
            mini.id, version=1, name=mini.name, values=dict(mini.settings), active=False, actor="system"
        )
    )

    (address,) = service.addresses(resident)

    assert (address.account_id, address.kind, service.subject_of(address)) == (
        account.id,
        "wechat",
        "oOnPage",
    )
    assert vault.unseal(service.SUBJECT_FIELD, address.subject_token) == "oOnPage"


@on_sqlite
def test_a_binding_is_added_once(account, mini):
    resident = known(account)
    for _ in range(2):
        db.transaction(
            lambda: service.bind(resident, mini, an_identity(mini, "oInMini"), now=clock.system_clock())
        )

    assert [one.account_name for one in service.bindings(resident)] == ["测试公众号", "测试小程序"]


def test_a_binding_is_taken_away_with_all_that_was_opened_through_it(account, mini):
    resident = known(account, "oOnPage", UNION)
    known(mini, "oInMini", UNION)
    session = db.transaction(lambda: a_session(resident))
    first = service.bindings(resident)[0]

    db.transaction(lambda: service.unbind(resident, first.id))

    assert service.find_session(session.token, now=clock.system_clock()) is None
    assert service.resident_for(account.id, "oOnPage") is None
    assert known(account, "oOnPage", UNION) == resident


@on_sqlite
def test_the_last_binding_stays_and_a_strangers_is_not_there(account):
    resident, stranger = known(account), known(account, "oStranger")
    theirs, mine = service.bindings(stranger)[0], service.bindings(resident)[0]

    with pytest.raises(service.LastBinding):
        db.transaction(lambda: service.unbind(resident, mine.id))
    with pytest.raises(NotFound):
        db.transaction(lambda: service.unbind(resident, theirs.id))


@on_sqlite
def test_a_taken_binding_leaves_everything_as_it_was(account, mini):
    resident, other = known(account, "oOnPage"), known(mini, "oInMini", UNION)

    with pytest.raises(service.BindingTaken):
        db.transaction(
            lambda: service.bind(resident, mini, an_identity(mini, "oNew", UNION), now=clock.system_clock())
        )

    assert (len(service.bindings(resident)), len(service.bindings(other))) == (1, 1)


@on_sqlite
def test_a_phone_number_is_shown_masked_and_replaced_whole(account):
    resident = known(account)
    db.transaction(lambda: service.keep_phone(resident, PhoneNumber("86", "020999999")))

    db.transaction(lambda: service.keep_phone(resident, NUMBER))

    assert service.view_of(resident).phone == "0******5"
    assert vault.unseal(service.PHONE_FIELD, service.phone_token(resident)) == f"86-{PHONE}"
    assert len(sealed("resident_phone")) == 1


@on_sqlite
def test_a_phone_number_is_forgotten_when_asked(account):
    resident = known(account)
    db.transaction(lambda: service.keep_phone(resident, NUMBER))

    db.transaction(lambda: service.forget_phone(resident))

    assert (service.view_of(resident).phone, sealed("resident_phone")) == ("", [])


def test_closing_an_account_leaves_a_bare_number(account, mini):
    resident = known(account, "oOnPage", UNION)
    known(mini, "oInMini", UNION)
    session = db.transaction(lambda: a_session(resident))
    db.transaction(lambda: service.keep_phone(resident, NUMBER))

    db.transaction(lambda: service.close(resident, now=clock.system_clock()))

    assert [rows(one) for one in (ResidentBinding, ResidentUnion, ResidentSession)] == [0, 0, 0]
    assert (sealed("channel_subject"), sealed("resident_phone")) == ([], [])
    assert service.find_session(session.token, now=clock.system_clock()) is None
    left = db.session().scalars(select(Resident)).one()
    assert (left.id, left.phone_token, left.closed_at is not None) == (resident, None, True)


@on_sqlite
def test_after_closing_the_same_person_is_a_new_resident(account):
    resident = known(account, union=UNION)
    db.transaction(lambda: service.close(resident, now=clock.system_clock()))

    assert known(account, union=UNION) != resident
    with pytest.raises(NotFound):
        service.view_of(resident)
    assert audit.history("resident", resident)[0].action == "resident.close"


def sealed(field):
    query = select(vault.VaultEntry.token).where(vault.VaultEntry.field == field)
    return list(db.session().scalars(query))


@on_sqlite
def test_other_parts_of_the_hall_hear_that_an_account_was_closed(app, account, monkeypatch):
    monkeypatch.setitem(app.extensions, "hall_hearing", {"resident.closed": ["notices.forget-resident"]})
    resident = known(account)

    db.transaction(lambda: service.close(resident, now=clock.system_clock()))

    job = db.session().scalars(select(JobRow).where(JobRow.name == "notices.forget-resident")).one()
    assert job.payload == {"resident_id": resident}


@on_sqlite
def test_nothing_is_bound_to_an_account_that_was_closed_meanwhile(account, mini):
    resident = known(account)
    db.transaction(lambda: service.close(resident, now=clock.system_clock()))

    with pytest.raises(NotFound):
        db.transaction(
            lambda: service.bind(resident, mini, an_identity(mini, "oInMini"), now=clock.system_clock())
        )

    assert rows(ResidentBinding) == 0
