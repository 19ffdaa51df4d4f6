import pytest
from sqlalchemy import select

from app.channel_accounts import service
from app.channel_accounts.models import ChannelAccount
from app.core import db
from app.core.errors import Conflict, Invalid, NotFound, Stale
from tests.builders import a_wechat_account


def test_an_account_is_found_by_its_key_and_gives_a_ready_adapter(app, given):
    made = given(a_wechat_account, key="gd-wechat")

    with app.app_context():
        assert service.by_key("gd-wechat") == made
        assert service.adapter(made.id).kind == "wechat"


def test_no_secret_stands_in_the_row(app, given):
    given(a_wechat_account, app_secret="very-secret-value")

    with app.app_context():
        row = db.session().scalar(select(ChannelAccount))
        assert "very-secret-value" not in str(row.settings)
        assert "app_secret" not in row.settings


def test_every_wrong_setting_is_named_at_once(app, given):
    with pytest.raises(Invalid) as refused:
        given(a_wechat_account, key="Bad Key", token="!", aes_key="short")

    assert {"account", "token", "aes_key"} <= set(refused.value.fields)


def test_a_key_is_used_once(given):
    given(a_wechat_account, key="same")

    with pytest.raises(Conflict):
        given(a_wechat_account, key="same")


def test_a_secret_left_empty_stays_and_a_new_one_takes_effect(app, given):
    made = given(a_wechat_account, token="firsttoken")

    given(service.update_account, made.id, **a_change(made, token=""))
    with app.app_context():
        assert service.adapter(made.id)._push_token == "firsttoken"
        renewed = service.get(made.id)
    given(service.update_account, made.id, **a_change(renewed, token="secondtoken"))

    with app.app_context():
        assert service.adapter(made.id)._push_token == "secondtoken"


def test_a_change_made_on_an_old_view_is_refused(given):
    made = given(a_wechat_account)
    given(service.update_account, made.id, **a_change(made))

    with pytest.raises(Stale):
        given(service.update_account, made.id, **a_change(made))


def test_an_account_switched_off_has_no_callback(app, given):
    made = given(a_wechat_account, key="off")
    given(service.update_account, made.id, **a_change(made, active=False))

    with app.app_context(), pytest.raises(NotFound):
        service.by_key("off")


def a_change(account, *, active=True, **values):
    return {
        "version": account.version,
        "name": account.name,
        "values": {**account.settings, **values},
        "active": active,
        "actor": "system",
    }


@pytest.mark.parametrize("name", ["", "名" * 61, "a\x00b"], ids=["empty", "too long", "control character"])
def test_an_account_without_a_sensible_name_is_refused(context, name):
    with pytest.raises(Invalid) as refused:
        db.transaction(lambda: a_wechat_account(name=name))

    assert set(refused.value.fields) == {"name"}
