"""Pages and API of alerts as people and programs meet them."""

from __future__ import annotations

import re

import pytest

from app.alerts import service
from app.core import clock
from tests.app.alerts.builders import deliveries, settings_of, work
from tests.app.conversations.test_callbacks import accounts, deliver  # noqa: F401
from tests.app.conversations.test_callbacks import now as this_second
from tests.builders import a_bearer, a_principal, sign_in, submit
from tests.channels import platform_wechat

API = "/api/v1/alerts"


@pytest.fixture
def operator(client, given):
    person = given(a_principal, "department_operator")
    sign_in(client, given, person)
    return person


@pytest.fixture
def watch(client, given):
    person = given(a_principal, "province_watch")
    sign_in(client, given, person)
    return person


def settings_form(**changed):
    form = {
        "version": "0",
        "email": "zhang@city.example.cn",
        "ways": ["wechat", "email"],
        "first": "email",
        "digest": "hourly",
        "min_severity": "critical",
        "topics": ["incident.opened"],
        "quiet": "on",
        "quiet_from": "22:00",
        "quiet_until": "07:30",
    }
    return {**form, **changed}


def test_settings_are_kept_and_shown_again(client, operator):
    answer = submit(client, "/alerts/settings", **settings_form())

    page = client.get("/alerts/settings").text
    assert answer.status_code == 303
    assert 'value="zhang@city.example.cn"' in page
    assert '<option value="email" selected>' in page
    assert 'value="22:00"' in page
    assert 'name="topics" value="slo.burn">' in page


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("email", "x", "不是有效的邮箱地址"),
        ("quiet_from", "25:00", "要写成 22:00 这样的时间"),
        ("digest", "never", "没有这个选项"),
    ],
)
def test_a_wrong_value_is_told_at_its_field(client, operator, field, value, said):
    answer = submit(client, "/alerts/settings", **settings_form(**{field: value}))

    assert answer.status_code == 422
    assert said in answer.text


def test_a_code_sent_from_wechat_binds_who_sees_it(client, operator, accounts):  # noqa: F811
    shown = submit(client, "/alerts/settings", "/alerts/settings/code").text
    code = re.search(r"绑定 ([0-9]{6})", shown)[1]

    answer = deliver(client, "wechat", platform_wechat.text(f"绑定 {code}", at=this_second()))

    assert answer.status == 200
    assert "已绑定" in client.get("/alerts/settings").text


def test_a_wrong_code_is_answered_with_what_to_do(client, accounts):  # noqa: F811
    answer = deliver(client, "wechat", platform_wechat.text("绑定 000000", at=this_second()))

    assert "绑定码不对或已过期" in platform_wechat.read_reply(answer)


def test_the_test_button_leads_to_the_proof(app, client, operator, given):
    given(settings_of, operator, email="zhang@city.example.cn")

    sent = submit(client, "/alerts/settings", "/alerts/test")
    work(app)

    page = client.get(sent.location).text
    assert "未送达" in page
    assert "没有设置邮件服务器" in page


def test_who_cannot_be_reached_is_told_so(client, operator):
    assert "还没有可用的接收方式" in client.get("/alerts").text


def test_an_endpoints_secret_is_shown_once(client, watch):
    made = submit(
        client,
        "/alerts/endpoints",
        name="值班系统",
        format="generic",
        url="https://hooks.example.cn/x",
        endpoint_scope="province:",
    )

    secret = re.search(r"<code>([\w-]{40,})</code>", made.text)[1]
    listed = client.get("/alerts/endpoints").text
    assert "值班系统" in listed
    assert secret not in listed
    assert made.headers["Cache-Control"] == "no-store"


def test_an_endpoint_inside_the_hall_is_refused_on_the_page(client, watch):
    answer = submit(
        client, "/alerts/endpoints", name="x", url="http://127.0.0.1:8000/", endpoint_scope="province:"
    )

    assert answer.status_code == 422
    assert "不允许访问" in answer.text


def test_the_log_shows_what_failed_and_why(app, client, watch, given):
    given(settings_of, watch, email="zhang@city.example.cn")
    submit(client, "/alerts/settings", "/alerts/test")
    work(app)

    assert "没有设置邮件服务器" in client.get("/alerts/log?state=failed").text
    assert "没有记录" in client.get("/alerts/log?state=delivered").text


def test_a_message_to_somebody_else_does_not_exist(client, operator, given):
    other = given(a_principal, "department_operator")
    message_id = given(service.send_test, other, now=clock.system_clock())

    assert client.get(f"/alerts/messages/{message_id}").status_code == 404


def test_a_program_changes_settings_with_the_version_it_saw(client, given):
    bearer = given(lambda: a_bearer(a_principal("department_operator")))
    seen = client.get(f"{API}/settings", headers=bearer).json

    wanted = {**seen["wanted"], "email": "li@city.example.cn", "quiet_from": "22:00", "quiet_until": "07:00"}
    first = client.put(f"{API}/settings", headers=bearer, json={"wanted": wanted, "version": seen["version"]})
    second = client.put(
        f"{API}/settings", headers=bearer, json={"wanted": wanted, "version": seen["version"]}
    )

    assert (first.status_code, first.json["wanted"]["quiet_from"]) == (200, "22:00")
    assert (second.status_code, second.json["code"]) == (409, "stale")


def test_a_program_sets_up_tests_and_removes_an_endpoint(app, client, given):
    bearer = given(lambda: a_bearer(a_principal("province_watch")))
    new = {
        "name": "值班系统",
        "format": "dingtalk",
        "url": "https://oapi.example.cn/robot?t=1",
        "secret": "SECx",
    }

    made = client.post(f"{API}/endpoints", headers=bearer, json=new).json
    address = f"{API}/endpoints/{made['endpoint']['id']}"
    tested = client.post(f"{API}/test-messages", headers=bearer, json={"endpoint_id": made["endpoint"]["id"]})
    gone = client.delete(address, headers=bearer)

    assert (made["secret"], made["endpoint"]["host"]) == ("", "oapi.example.cn")
    assert (tested.status_code, gone.status_code) == (202, 204)
    assert client.get(address, headers=bearer).status_code == 404


def test_proofs_of_delivery_are_listed_page_by_page(app, client, given):
    person = given(a_principal, "province_watch")
    given(settings_of, person, email="zhang@city.example.cn")
    for _ in range(3):
        given(service.send_test, person, now=clock.system_clock())
    bearer = given(a_bearer, person)

    first = client.get(f"{API}/deliveries?limit=2", headers=bearer).json
    rest = client.get(f"{API}/deliveries?limit=2&after={first['next_after']}", headers=bearer).json

    with app.app_context():
        assert {one["id"] for one in first["items"] + rest["items"]} == {str(one.id) for one in deliveries()}
    assert rest["next_after"] is None


@pytest.mark.parametrize("role", ["auditor", "system_administrator"])
def test_who_does_not_watch_sees_neither_log_nor_endpoints(client, given, role):
    bearer = given(lambda: a_bearer(a_principal(role)))

    for path in ("deliveries", "endpoints"):
        assert client.get(f"{API}/{path}", headers=bearer).status_code == 403


def test_tests_are_not_for_flooding(client, given):
    bearer = given(lambda: a_bearer(a_principal("province_watch")))

    own = {"endpoint_id": None}

    codes = [client.post(f"{API}/test-messages", headers=bearer, json=own).status_code for _ in range(7)]

    assert codes == [202] * 6 + [429]
