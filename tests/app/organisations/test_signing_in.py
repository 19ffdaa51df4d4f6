"""Terms of signing in, with the time given."""

from datetime import timedelta

import pyotp
import pytest

from app.core import audit
from app.core.errors import NotFound
from app.organisations import service
from app.organisations.signing_in import matching_step
from config.settings import Environment
from tests.app.organisations.builders import PASSWORD, a_link, an_account
from tests.builders import NOW

MINUTE = timedelta(minutes=1)
KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def step_one(given, now=NOW, *, matches=True, username="zhang.san"):
    return given(service.after_password, username, matches, environment=Environment.TEST, now=now)


def sign_in_at(given, account, now=NOW):
    return given(service.after_code, step_one(given, now), account.code(now), now=now)


def whose(app, secret, now):
    with app.app_context():
        found = service.session_principal(secret, now=now)
    return found.principal.staff_id if found else None


def test_the_right_password_and_code_open_a_session(app, given):
    account = given(an_account, now=NOW)

    secret = sign_in_at(given, account)

    assert whose(app, secret, NOW) == account.staff_id
    with app.app_context():
        assert audit.history("staff", account.staff_id)[0].action == "signed-in"


def test_only_the_right_password_matches(app, given):
    given(an_account, now=NOW)

    with app.app_context():
        assert service.password_matches("zhang.san", PASSWORD)
        assert not service.password_matches("zhang.san", PASSWORD + ".")
        assert not service.password_matches("nobody", PASSWORD)


def test_a_code_works_once_within_its_half_minute(app, given):
    account = given(an_account, now=NOW)
    sign_in_at(given, account)

    again = sign_in_at(given, account, NOW + timedelta(seconds=5))

    assert again is None


def test_the_code_before_the_one_used_is_not_taken_either(app, given):
    account = given(an_account, now=NOW)
    sign_in_at(given, account)

    first = step_one(given)
    older = given(service.after_code, first, account.code(NOW - timedelta(seconds=30)), now=NOW)

    assert older is None


def test_the_first_step_is_good_for_five_minutes(app, given):
    account = given(an_account, now=NOW)
    first = step_one(given)
    later = NOW + 5 * MINUTE

    assert given(service.after_code, first, account.code(later), now=later) is None


def test_five_wrong_passwords_lock_the_account_for_a_quarter_of_an_hour(app, given):
    account = given(an_account, now=NOW)

    for _ in range(5):
        step_one(given, matches=False)

    assert step_one(given, NOW + 14 * MINUTE) is None
    assert sign_in_at(given, account, NOW + 15 * MINUTE) is not None
    with app.app_context():
        assert "staff-locked" in {line.action for line in audit.history("staff", account.staff_id)}


def test_wrong_codes_count_towards_the_lock_even_after_right_passwords(app, given):
    wrong = given(an_account, now=NOW).code(NOW - timedelta(days=1))

    for _ in range(5):
        assert given(service.after_code, step_one(given), wrong, now=NOW) is None

    assert step_one(given) is None


def test_failures_while_locked_do_not_lengthen_the_lock(app, given):
    account = given(an_account, now=NOW)
    for _ in range(5):
        step_one(given, matches=False)

    for _ in range(9):
        step_one(given, NOW + 10 * MINUTE, matches=False)

    assert sign_in_at(given, account, NOW + 16 * MINUTE) is not None


def test_a_failure_for_an_unknown_name_is_answered_like_any_other(app, given):
    assert step_one(given, matches=False, username="nobody") is None


def test_a_session_ends_after_fifteen_idle_minutes(app, given):
    account = given(an_account, now=NOW)
    secret = sign_in_at(given, account)

    assert whose(app, secret, NOW + 14 * MINUTE) == account.staff_id
    assert whose(app, secret, NOW + 15 * MINUTE) is None


def test_a_session_in_use_ends_after_twelve_hours(app, given):
    account = given(an_account, now=NOW)
    secret = sign_in_at(given, account)
    last = NOW + timedelta(hours=12)
    given(service.touch_session, secret, now=last - MINUTE)

    assert whose(app, secret, last - timedelta(seconds=1)) == account.staff_id
    assert whose(app, secret, last) is None


def test_a_use_is_written_down_at_most_once_a_minute(app, given):
    account = given(an_account, now=NOW)
    secret = sign_in_at(given, account)

    with app.app_context():
        assert not service.session_principal(secret, now=NOW + timedelta(seconds=59)).touch_due
        assert service.session_principal(secret, now=NOW + MINUTE).touch_due


def test_a_disabled_person_is_out_at_once(app, given):
    account = given(an_account, now=NOW)
    secret = sign_in_at(given, account)
    token = given(service.issue_api_token, account.staff_id, name="x", days=1, by="system", now=NOW)

    given(service.disable_staff, account.staff_id, by="system")

    assert whose(app, secret, NOW) is None
    assert step_one(given, NOW + MINUTE) is None
    with app.app_context():
        assert service.token_principal(token, now=NOW) is None


@pytest.mark.parametrize("purpose", ["sign_in", "set_up"])
def test_a_new_link_makes_the_one_before_worthless(app, given, purpose):
    account = given(an_account, now=NOW)
    first = given(a_link, account.staff_id, purpose, NOW)
    given(a_link, account.staff_id, purpose, NOW)

    with app.app_context(), pytest.raises(NotFound):
        service.see_link(first, service.LinkPurpose(purpose), now=NOW)


def test_what_is_over_is_forgotten(app, given):
    account = given(an_account, now=NOW)
    link = given(a_link, account.staff_id, "set_up", NOW)
    given(service.begin_set_up, link, now=NOW)

    given(service.forget_expired, NOW + timedelta(hours=25))

    with app.app_context(), pytest.raises(NotFound):
        service.see_link(link, service.LinkPurpose.SET_UP, now=NOW)


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "１２３４５６", "1234567", "-12345", "\x00" * 6])
def test_what_is_no_code_fits_no_step(code):
    assert matching_step(KEY, code, NOW, after=None) is None


def test_a_code_typed_with_a_space_fits():
    code = pyotp.TOTP(KEY).at(NOW)

    assert matching_step(KEY, f"{code[:3]} {code[3:]}", NOW, after=None) is not None
