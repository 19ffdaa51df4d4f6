from __future__ import annotations

import pytest

from app.channel_accounts import service as channel_accounts
from app.conversations import service as conversations
from app.core import clock
from app.demo.conversations import ACCOUNT, RULES, set_rules
from tests.builders import a_wechat_account

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def test_the_demos_account_gets_its_routes_once_and_keeps_what_staff_change(app, given):
    account = given(a_wechat_account, key=ACCOUNT)
    given(set_rules, clock.system_clock())
    mine = conversations.BUILT_IN

    given(conversations.save_rules, account.id, 1, mine, actor="staff:1", now=clock.system_clock())
    given(set_rules, clock.system_clock())

    with app.app_context():
        assert channel_accounts.by_key(ACCOUNT).id == account.id
        assert conversations.rules_version(account.id, 1).rules == RULES
        assert conversations.current_rules(account.id).rules == mine
