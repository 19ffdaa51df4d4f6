"""The demo's own way: accounts on both sides, sample pages through the real services."""

from __future__ import annotations

import stat

from app.alerts import service as alerts
from app.channel_accounts import service as channel_accounts
from app.demo import alipay, service
from app.mobile_access.service import State
from app.organisations import service as organisations
from app.payments import service as payments
from config import notice
from config.settings import Environment
from sandbox import config as sandbox_config
from tests.app.mobile_access.builders import a_page, finish_check
from tests.builders import NOW, settings_for

ROW = {
    "body": "省公安厅",
    "name": "户政办理",
    "url": "http://127.0.0.1:8102/huzheng/",
    "theme": "公安户籍",
    "channels": ["wechat", "alipay"],
    "description": "面向广东户籍居民，办理户口迁移和出生登记。",
    "hotline": "020-12345001",
    "elder_url": None,
    "health_url": None,
    "icp_number": "",
    "breaks": [],
}


HALL, SANDBOX = "http://127.0.0.1:8000", "http://127.0.0.1:8101"


def make(told=None, *, base_url=HALL, sandbox_url=SANDBOX):
    return service.make_accounts(sandbox_url, base_url, told or {}, NOW)


def hall_side(app, key):
    with app.app_context():
        return channel_accounts.by_key(key).settings


def test_the_sandbox_understands_what_it_is_told(given, tmp_path):
    path = tmp_path / "sandbox.json"

    service.write_sandbox_config(path, HALL, given(make))

    told = sandbox_config.load(path)
    assert {account.key for account in told.accounts} == {
        "gd-wechat",
        "gz-wechat",
        "gd-mini",
        "gd-alipay",
        "gd-alipay-mini",
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_start_keeps_accounts_and_what_the_sandbox_knows(app, given, tmp_path):
    path = tmp_path / "sandbox.json"
    service.write_sandbox_config(path, HALL, given(make))
    before = service.read_sandbox_config(path)

    service.write_sandbox_config(path, HALL, given(make, before))

    assert service.read_sandbox_config(path) == before
    with app.app_context():
        assert [account.version for account in channel_accounts.accounts()] == [1] * 5


def test_accounts_the_sandbox_was_never_told_of_get_new_secrets_on_both_sides(app, given):
    given(make)

    told = given(make)

    assert len(told) == 5
    for key, account in told.items():
        assert hall_side(app, key)["app_id"] == account["app_id"]


def test_a_start_on_other_ports_moves_both_sides(app, given):
    told = given(make)

    moved = given(make, told, base_url="http://127.0.0.1:9000", sandbox_url="http://127.0.0.1:9101")

    assert moved["gd-wechat"]["callback_url"] == "http://127.0.0.1:9000/callbacks/gd-wechat"
    assert hall_side(app, "gd-wechat")["api_base"] == "http://127.0.0.1:9101/wechat"
    assert hall_side(app, "gd-alipay")["gateway"] == "http://127.0.0.1:9101/alipay/gateway.do"


def test_the_mini_program_is_known_on_both_sides_with_its_pages(app, given):
    told = given(make)["gd-mini"]

    assert told["pages"][0] == "pages/home/home"
    assert {template["kind"] for template in told["templates"]} == {"subscribe"}
    assert hall_side(app, "gd-mini")["api_base"] == f"{SANDBOX}/wechat"


def test_the_alipay_apps_are_known_on_both_sides_with_who_is_paid(app, given):
    told = given(make)

    assert told["gd-alipay-mini"]["pages"][0] == "pages/home/home"
    assert hall_side(app, "gd-alipay")["seller_id"] == told["gd-alipay"]["seller_id"]


def test_an_order_of_the_demo_is_paid_at_the_sandbox(app, given):
    given(make)
    order = given(alipay.make_order, NOW)

    with app.app_context():
        address = payments.pay_address(order.id, HALL, base_url=HALL, now=NOW)

    assert address.startswith(f"{SANDBOX}/alipay/gateway.do?")


def test_sample_pages_are_registered_once_and_published_when_they_pass(app, given, tmp_path):
    given(organisations.import_notice, notice.load(), lambda _done, _total: None)
    guard = service.mobile_access.outbound_guard(
        settings_for("sqlite:///x", tmp_path, HALL_OUTBOUND_ALLOW="127.0.0.1/32:8102")
    )
    samples = service.sample_registrations([ROW], guard)

    first = given(service.register_samples, samples, NOW)
    second = given(service.register_samples, samples, NOW)
    with app.app_context():
        (page,) = service.sample_pages()
    given(finish_check, page.id)
    still_checked = given(service.publish_passed, {ROW["url"]}, NOW)

    assert (first, second, still_checked) == (1, 0, 0)
    with app.app_context():
        assert service.sample_pages()[0].state is State.ONLINE


def test_a_page_that_a_person_registered_waits_for_a_person(app, given):
    given(a_page, state=State.PASSED)

    given(service.publish_passed, {ROW["url"]}, NOW)

    with app.app_context():
        assert service.sample_pages()[0].state is State.PASSED


def test_the_demo_is_refused_in_production(app, tables):
    held = app.extensions["hall_settings"]
    app.extensions["hall_settings"] = settings_for(
        held.database_url, held.var_dir, HALL_ENV="production", HALL_BASE_URL="https://hall.example"
    )

    refused = app.test_cli_runner().invoke(args=["demo", "seed"])

    app.extensions["hall_settings"] = held
    assert refused.exit_code != 0
    assert "HALL_ENV=demo" in refused.output


def test_the_watch_of_the_demo_is_bound_to_the_phone_once(app, given):
    def bind_as_the_phone_does():
        account = channel_accounts.by_key(service.ALERTS_FROM)
        code = service.code_for_watch(NOW)
        return code and alerts.bind(code, account, "oResident", now=NOW)

    given(organisations.import_notice, notice.load(), lambda *_: None)
    given(make)
    given(organisations.demo_links, environment=Environment.TEST, now=NOW)

    assert given(bind_as_the_phone_does) == "演示省级值守员"
    assert given(bind_as_the_phone_does) is None
