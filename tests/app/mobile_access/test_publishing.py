import json
from urllib.parse import unquote

from app.channel_accounts import service as channel_accounts
from app.core.runner import Worker
from app.mobile_access import service
from app.mobile_access.service import ChannelState, State
from tests.app.mobile_access.builders import a_page
from tests.builders import NOW, a_principal, a_wechat_account
from tests.channels.server import Answer, a_platform


class WeChat:
    """Answers as the platform does and keeps the menus it was given."""

    def __init__(self, errcode=0):
        self.menus = []
        self.errcode = errcode

    def __call__(self, call):
        path = call.target.split("?")[0]
        if path.endswith("/menu/create"):
            self.menus.append(json.loads(unquote(call.body.decode())))
            return Answer(json.dumps({"errcode": self.errcode, "errmsg": "x"}).encode())
        return Answer(json.dumps({"access_token": "t", "expires_in": 7200}).encode())


def drain(app):
    return Worker(app, app.extensions["hall_jobs"]).drain()


def an_account(given, platform):
    return given(a_wechat_account, api_base=platform.base_url)


def channel_states(app, given, page):
    reviewer = given(a_principal, "province_reviewer")
    with app.app_context():
        return {one.kind: one.state for one in service.get(reviewer, page.id).channels}


def test_an_approved_page_stands_in_the_menu_of_the_account(app, given):
    wechat = WeChat()
    with a_platform(wechat) as platform:
        an_account(given, platform)
        page = given(a_page, name="居住证", channels=("wechat",), state=State.PASSED)
        reviewer = given(a_principal, "province_reviewer")
        given(service.approve, reviewer, page.id, ["wechat"], version=page.version, now=NOW)
        drain(app)

    household, more = wechat.menus[-1]["button"]
    assert household["name"] == "公安户籍"
    assert household["sub_button"][0]["url"].endswith(f"/go/{page.id}?channel=wechat")
    assert more["name"] == "更多服务"
    assert channel_states(app, given, page) == {"wechat": ChannelState.PUBLISHED}


def test_a_suspended_page_leaves_the_menu(app, given):
    wechat = WeChat()
    with a_platform(wechat) as platform:
        an_account(given, platform)
        page = given(a_page, channels=("wechat",), state=State.ONLINE)
        drain(app)
        reviewer = given(a_principal, "province_reviewer")
        with app.app_context():
            page = service.get(reviewer, page.id)
        given(service.suspend, reviewer, page.id, "维护", version=page.version, now=NOW)
        drain(app)

    assert len(wechat.menus) == 2
    assert [top["name"] for top in wechat.menus[-1]["button"]] == ["更多服务"]


def test_a_platform_that_refuses_is_noted_and_the_page_is_not_called_published(app, given):
    wechat = WeChat(errcode=40018)
    with a_platform(wechat) as platform:
        account = an_account(given, platform)
        page = given(a_page, channels=("wechat",), state=State.ONLINE)
        drain(app)

    with app.app_context():
        assert channel_accounts.get(account.id).menu_error
    assert channel_states(app, given, page) == {"wechat": ChannelState.APPROVED}


def test_a_mini_program_has_no_menu_and_lists_the_page_itself(app, given):
    wechat = WeChat()
    with a_platform(wechat) as platform:
        given(a_wechat_account, kind="wechat_mini", api_base=platform.base_url)
        page = given(a_page, channels=("wechat_mini",), state=State.ONLINE)
        drain(app)

        assert platform.calls == []
    assert channel_states(app, given, page) == {"wechat_mini": ChannelState.PUBLISHED}


def test_without_an_account_a_page_stays_approved(app, given):
    page = given(a_page, channels=("alipay",), state=State.ONLINE)

    drain(app)

    assert channel_states(app, given, page) == {"alipay": ChannelState.APPROVED}
