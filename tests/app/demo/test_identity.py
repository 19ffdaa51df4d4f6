"""The person of the demo: one resident, signed in through every account."""

from __future__ import annotations

import pytest

from app.core import clock
from app.demo.identity import sign_in_person
from app.identity import service as identity
from tests.app.identity.builders import an_alipay_account
from tests.builders import a_wechat_account
from tests.sandbox.builders import raw_alipay, raw_wechat
from tests.sandbox.servers import a_sandbox

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def a_wechat_account_of(sandbox):
    """Add the official account that the sandbox knows as ``gd-wechat``."""
    raw = raw_wechat()
    given = {name: raw[name] for name in ("app_id", "app_secret", "token", "aes_key", "original_id")}
    place = f"{sandbox.base}/wechat"
    return a_wechat_account(key=raw["key"], api_base=place, login_base=place, **given)


def test_the_person_with_the_phone_has_all_accounts_and_is_one_resident(app, given):
    with a_sandbox(raw_wechat(), raw_alipay(), hall_base="http://127.0.0.1:8000") as sandbox:
        sandbox.clock.now = clock.system_clock().timestamp()
        accounts = {given(a_wechat_account_of, sandbox).id, given(an_alipay_account, sandbox).id}

        with app.app_context():
            first = sign_in_person(clock.system_clock())
            again = sign_in_person(clock.system_clock())
            bound = {one.account_id for one in identity.bindings(first)}

    assert first == again
    assert bound == accounts
