"""The console of notices as staff meet it."""

from __future__ import annotations

import re

import pytest

from app.alerts import service as alerts
from app.core import clock
from app.notices import health
from app.notices.service import Right
from tests.app.notices.builders import a_form, a_template, an_account
from tests.builders import NOW, a_principal, sign_in, submit
from tests.channels import platform_wechat
from tests.channels.server import a_platform

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
FORM = {
    "key": "case.tried",
    "name": "试用通知",
    "topic": "progress",
    "valid_hours": "24",
    "title": "{事项}有进展",
    "body": "请打开查看{事项}。",
    "var_name": ["事项", ""],
    "var_type": ["text", "text"],
    "var_chars": ["20", "20"],
    "var_sample": ["户口迁移", ""],
    "order:wechat.template": "1",
    "order:wechat.service": "2",
}


@pytest.fixture
def admin(client, given):
    person = given(a_principal, "system_administrator")
    sign_in(client, given, person)
    return person


def test_a_template_is_made_changed_compared_and_published(client, given, admin):
    account = given(an_account)
    place = f"{account.id}:template"
    made = submit(client, "/console/notices/new", **FORM)
    page = made.headers["Location"]
    draft = re.search(r"/console/notices/versions/\d+", client.get(page).text)[0]

    fields = {f"form:{place}": "T1", f"fields:{place}": "thing1={事项}\r\n"}
    changed = submit(client, draft, row_version="1", **{**FORM, **fields})
    published = submit(client, page, f"{draft}/publish")

    shown = client.get(page).text
    assert (made.status_code, changed.status_code, published.status_code) == (303, 303, 303)
    assert "已发布" in shown
    assert "thing1" in shown
    assert "微信公众号模板消息" in shown


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("title", "{没有}", "没有声明的变量"),
        ("var_chars", ["x", "20"], "要写数字"),
        ("var_type", ["poem", "text"], "没有这种变量"),
        ("topic", "weather", "没有这种通知"),
        ("key", "Ключ", "用小写字母"),
        ("valid_hours", "9" * 5000, "要写数字"),
        ("fields:1:template", "nonsense", "写成 thing1="),
        ("form:x:template", "T1", "没有这个渠道账号"),
    ],
)
def test_a_wrong_value_is_told_and_nothing_is_saved(client, admin, field, value, said):
    fields = {"form:1:template": "T1", **FORM} if field.startswith("fields") else FORM
    answer = submit(client, "/console/notices/new", **{**fields, field: value})

    assert answer.status_code == 422
    assert said in answer.text
    assert "试用通知" not in client.get("/console/notices").text


def test_what_was_published_is_not_edited_but_followed_by_a_new_version(client, given, admin):
    first = given(a_template)

    answer = submit(
        client, f"/console/notices/{first.template_id}", f"/console/notices/{first.template_id}/versions"
    )
    refused = client.get(f"/console/notices/versions/{first.id}")

    assert "第 2 版" in client.get(answer.headers["Location"]).text
    assert refused.status_code == 302


def test_limits_are_set_and_a_broken_account_is_set_right(app, client, given, admin):
    account = given(an_account)
    page = f"/console/notices/senders/{account.id}"

    limits = {"per_second": "7", "limit:subscribe": "1", "limit:template": "2", "limit:service": "3"}
    saved = submit(client, page, **limits)
    refused = submit(client, page, **{**limits, "per_second": "0"})
    given(let_it_fail, account.id)
    broken = client.get(page).text
    submit(client, page, f"{page}/reset")

    assert (saved.status_code, refused.status_code) == (303, 422)
    assert "已熔断" in broken
    assert "已熔断" not in client.get(page).text
    assert 'value="7"' in client.get(page).text


def let_it_fail(account_id):
    now = clock.system_clock()
    for _ in range(health.CALLS_MIN):
        health.report(account_id, ok=False, trial=False, code="timeout", now=now)


def test_a_test_goes_to_ones_own_account_only(client, given, admin):
    with a_platform(platform_wechat.api()) as platform:
        account = given(an_account, base_url=platform.base_url)
        version = given(a_template, a_form(account, Right.TEMPLATE))
        given(alerts.give_binding, admin.staff_id, account, "oStaff-1", now=NOW)
        page = f"/alerts/notice-tests/{version.id}"
        binding = re.search(r'name="binding_id" value="(\d+)"', client.get(page).text)[1]

        sent = submit(client, page, binding_id=binding)
        foreign = submit(client, page, binding_id="1")

    assert "平台已接收" in sent.text
    assert foreign.status_code == 404
    assert len(platform.targets("/cgi-bin/message/template/send")) == 1


def test_figures_and_templates_are_for_who_manages_channels(client, given):
    sign_in(client, given, given(a_principal, "department_operator"))

    assert client.get("/console/notices").status_code == 403
    assert client.get("/console/notices/figures").status_code == 403
