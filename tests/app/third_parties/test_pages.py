"""Pages: a department asks and gets its keys, staff decide, residents see and end what they agreed to."""

from __future__ import annotations

import re

import pytest

from app.channel_accounts import service as channel_accounts
from app.core import clock
from app.core.errors import Stale
from app.identity import service as identity
from app.third_parties import service
from app.third_parties.service import AppEvent, Scope, Stage
from tests.app.third_parties.builders import a_caller, a_resident, an_app
from tests.builders import a_body, a_principal, a_wechat_account, sign_in, submit

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
LIST = "/console/third-parties"
FIELDS = {
    "name": "居住证助手",
    "purpose": "给您发送居住证办理进度的通知，不作其他用途。",
    "contact": "测试联系人 020-12345",
    "sso_hosts": "app.example.gov.cn",
    "callback_url": "https://app.example.gov.cn/back",
    "scopes": ["sso", "messages.send"],
}


@pytest.fixture
def operator(app, given):
    return signed_in(app, given, "department_operator")


@pytest.fixture
def boss(app, given):
    return signed_in(app, given, "system_administrator")


def signed_in(app, given, role, **scope):
    client = app.test_client()
    sign_in(client, given, given(a_principal, role, **scope))
    return client


def register(client, given, **changed):
    fields = {"body_id": given(a_body).id, **FIELDS, **changed}
    return submit(client, f"{LIST}/new", **fields)


def move(client, page, event, reason=""):
    version = re.search(r'name="version" value="(\d+)"', client.get(page).text)[1]
    return submit(client, page, f"{page}/moves", event=event, version=version, reason=reason)


def test_a_department_asks_and_an_administrator_approves(operator, boss, given):
    page = register(operator, given).headers["Location"]
    early = submit(operator, page, f"{page}/keys", stage="production")
    move(operator, page, "submit")
    listed = boss.get(LIST).text
    move(boss, page, "approve")
    made = submit(operator, page, f"{page}/keys", stage="production")

    assert early.status_code == 422
    assert "待审核" in listed
    key_id, secret = re.findall(r"<code>([^<]+)</code>", made.text)
    assert key_id.startswith("gdp_")
    shown = operator.get(page)
    assert key_id in shown.text
    assert secret not in shown.text
    assert shown.headers["Cache-Control"] == "no-store"


def test_a_department_does_not_approve_itself(operator, given):
    page = register(operator, given).headers["Location"]
    move(operator, page, "submit")

    assert move(operator, page, "approve").status_code == 422
    assert "已开通" not in operator.get(page).text
    assert submit(operator, page, f"{page}/quota", stage="sandbox", per_minute=1).status_code == 403


def test_what_is_returned_says_why_and_may_be_mended(operator, boss, given):
    page = register(operator, given).headers["Location"]
    move(operator, page, "submit")
    no_reason = move(boss, page, "return")
    move(boss, page, "return", "用途写得不清楚")
    version = re.search(r'name="version" value="(\d+)"', operator.get(f"{page}/edit").text)[1]
    fields = {**FIELDS, "purpose": "办理居住证的每一步都给您发一条通知。", "version": version}
    mended = submit(operator, f"{page}/edit", **fields)

    assert no_reason.status_code == 422
    assert mended.status_code == 303
    assert "第 2 版" in operator.get(page).text


def test_two_people_do_not_decide_over_each_other(operator, boss, given):
    page = register(operator, given).headers["Location"]
    move(operator, page, "submit")
    version = re.search(r'name="version" value="(\d+)"', boss.get(page).text)[1]
    move(operator, page, "withdraw")

    late = submit(boss, page, f"{page}/moves", event="approve", version=version)

    assert late.status_code == 422


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": " "}, "1 至 40 个字"),
        ({"purpose": "短"}, "10 至 300 个字"),
        ({"contact": ""}, "1 至 60 个字"),
        ({"scopes": []}, "至少选一项"),
        ({"sso_hosts": "https://x/"}, "不是域名"),
        ({"callback_url": "https://elsewhere.example.cn/"}, "域名在单点登录域名之内"),
        ({"callback_url": "http://app.example.gov.cn/"}, "应是 https 网址"),
        ({"callback_url": "javascript:alert(1)"}, "应是 https 网址"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(operator, given, changed, words):
    answer = register(operator, given, **changed)

    assert answer.status_code == 422
    assert words in answer.text


def test_nobody_registers_for_another_body(operator, given):
    other = given(a_body, "教育厅")

    assert register(operator, given, body_id=other.id).status_code == 404
    assert register(operator, given, body_id="x").status_code == 404


def test_other_departments_see_nothing_of_it(app, operator, given):
    page = register(operator, given).headers["Location"]
    stranger = signed_in(app, given, "department_operator", body=given(a_body, "教育厅"))

    assert FIELDS["name"] not in stranger.get(LIST).text
    for path in ("", "/edit"):
        assert stranger.get(page + path).status_code == 404
    for path in ("/moves", "/scopes", "/keys", "/webhooks", "/keys/1/revocation", "/deliveries/1/redelivery"):
        token = re.search(r'name="csrf_token" value="([^"]+)"', stranger.get(f"{LIST}/new").text)[1]
        form = {"csrf_token": token, "event": "submit", "version": "1", "stage": "sandbox"}
        assert stranger.post(page + path, data=form).status_code == 404


def test_an_auditor_has_no_part_in_it(app, given):
    assert signed_in(app, given, "auditor").get(LIST).status_code == 403


def test_more_scopes_are_asked_for_and_decided_one_by_one(operator, boss, given):
    page = register(operator, given).headers["Location"]
    move(operator, page, "submit")
    move(boss, page, "approve")
    submit(operator, page, f"{page}/scopes", scopes=["webhooks", "pages.read"])
    submit(boss, page, f"{page}/scopes/decision", scope="webhooks", decision="grant")
    submit(boss, page, f"{page}/scopes/decision", scope="pages.read", decision="refuse")

    shown = operator.get(page).text
    assert (shown.count('badge-good">已开通'), shown.count("未通过")) == (4, 1)


def test_what_was_asked_for_after_the_reviewer_looked_is_not_approved(given):
    body = given(a_body)
    clerk, chief = (
        given(a_principal, "department_operator", body=body),
        given(a_principal, "system_administrator"),
    )
    app, now = given(an_app, body=body, scopes=(Scope.PAGES_READ,)), clock.system_clock()
    seen = given(service.advance, clerk, app.id, AppEvent.SUBMIT, version=app.version, now=now)
    given(service.ask_scopes, clerk, app.id, [Scope.APPLICATIONS_READ], now=now)

    with pytest.raises(Stale):
        given(service.advance, chief, app.id, AppEvent.APPROVE, version=seen.version, now=now)


def test_a_webhook_is_added_tested_stopped_started_and_removed(operator, given):
    page = register(operator, given, scopes=["webhooks"]).headers["Location"]
    new = {"stage": "sandbox", "url": "https://hooks.invalid/x", "events": ["page.published"]}
    added = submit(operator, page, f"{page}/webhooks", **new)
    hook = re.search(rf"{page}/webhooks/\d+", operator.get(page).text)[0]

    said = [submit(operator, page, f"{hook}/{act}").status_code for act in ("ping", "stop", "ping", "start")]

    assert "whsec_" in added.text
    assert said == [303, 303, 422, 303]
    assert "whsec_" in submit(operator, page, f"{hook}/secret").text
    submit(operator, page, f"{hook}/removal")
    assert "hooks.invalid" not in operator.get(page).text


@pytest.fixture
def resident(app, given):
    """A resident who agreed, in a browser of their own."""

    def build():
        now, resident_id = clock.system_clock(), a_resident()
        made = an_app(approved=True, name="居住证助手")
        caller = a_caller(made, Stage.PRODUCTION)
        ticket = identity.issue_ticket(resident_id, identity.body_audience(made.body_id), now=now)
        subject = service.redeem(caller, ticket, now=now).subject
        token = service.ask_consent(caller, subject, [Scope.MESSAGES_SEND], 30, "", now=now)
        account = a_wechat_account()
        session = identity.open_session(
            resident_id, account.id, identity.Client.BROWSER, for_cookie=True, now=now
        )
        return resident_id, token, session.token

    resident_id, token, secret = given(build)
    client = app.test_client()
    client.resident_id = resident_id
    client.set_cookie("__Host-resident", secret, secure=True, httponly=True)
    return client, token


def test_a_resident_answers_sees_and_ends_a_consent(resident):
    client, token = resident
    html = {"Accept": "text/html"}

    done = submit(client, f"/consent/{token}", answer="yes")
    listed = client.get("/me/consents", headers=html).text
    path = re.search(r"/me/consents/\d+", listed)[0]
    uses = client.get(path, headers=html).text
    ended = submit(client, "/me/consents", f"{path}/end")

    assert "已同意" in done.text
    assert "居住证助手" in listed
    assert "还没有用过" in uses
    assert ended.status_code == 303
    assert "已结束" in client.get("/me/consents", headers=html).text


def test_who_is_not_signed_in_is_led_to_sign_in_and_back(app, resident):
    _, token = resident

    answer = app.test_client().get(f"/consent/{token}", headers={"Accept": "text/html"})

    assert answer.status_code == 302
    assert f"return_to=/consent/{token}" in answer.headers["Location"].replace("%2F", "/")


def test_a_resident_reads_and_ends_consents_over_the_api(app, given, resident):
    client, token = resident
    submit(client, f"/consent/{token}", answer="yes")
    headers, api = (
        {"Authorization": f"Bearer {given(another_session, client.resident_id)}"},
        app.test_client(),
    )
    mine = "/api/v1/my/consents"

    (one,) = api.get(mine, headers=headers).json["items"]
    uses = api.get(f"{mine}/{one['id']}/uses", headers=headers).json
    found = [api.delete(f"{mine}/{key}", headers=headers).status_code for key in (one["id"], 1)]

    assert (uses, found) == ({"items": []}, [204, 404])
    assert not api.get(mine, headers=headers).json["items"][0]["in_force"]


def another_session(resident_id):
    """Sign the resident in by a program; return the bearer token."""
    account = channel_accounts.accounts()[0]
    kind, now = identity.Client.WECHAT_MINI, clock.system_clock()
    return identity.open_session(resident_id, account.id, kind, for_cookie=False, now=now).token
