"""One rotten field in a form that is good otherwise: the view itself must hold, not only its gate."""

from __future__ import annotations

import pytest

from app.mobile_access.service import State
from tests.api.test_hostile import ROLES, VALUES
from tests.api.walk import callers, post_form, token_of, wrong_with
from tests.app.mobile_access.builders import a_page
from tests.builders import a_body, a_wechat_account

PAGE = {
    "name": "户政服务",
    "url": "https://hz.example.cn/m/",
    "theme": "household",
    "channels": "wechat",
    "description": "户口登记",
    "hotline": "020-12345",
    "domains": "a.example.cn",
    "contact_name": "值班室",
    "contact_phone": "020-12345",
}
ACCOUNT = {
    "name": "测试公众号",
    "app_id": "wx0123456789abcdef",
    "app_secret": "test-app-secret",
    "token": "testtoken",
    "mode": "secure",
    "aes_key": "A" * 43,
    "original_id": "gh_test",
}


def forms(given):
    """Yield role, address and fields of every form with something to type."""
    body = given(a_body)
    registered, passed = given(lambda: [a_page(state=one).id for one in (State.REGISTERED, State.PASSED)])
    account, pages = given(a_wechat_account, key="first").id, "/console/pages"
    version = {"version": "1", "reason": "测试"}
    yield "department_operator", f"{pages}/new", {**PAGE, "body_id": str(body.id)}
    yield "department_operator", f"{pages}/{registered}/edit", {**PAGE, "version": "1"}
    yield "department_operator", f"{pages}/{registered}/check", version
    yield "department_operator", f"{pages}/{registered}/retire", version
    yield (
        "province_reviewer",
        f"{pages}/{passed}/review",
        {**version, "decision-wechat": "reject", "reason-wechat": "x"},
    )
    yield "province_reviewer", f"{pages}/{passed}/suspend", version
    yield (
        "system_administrator",
        "/console/staff",
        {"username": "li.si", "name": "李四", "role": "auditor", "scope": ""},
    )
    yield "system_administrator", "/console/accounts/new/wechat", {**ACCOUNT, "key": "second"}
    yield "system_administrator", f"/console/accounts/{account}", {**ACCOUNT, "version": "1"}
    yield "auditor", "/staff/tokens", {"name": "接口", "days": "30"}
    yield "auditor", "/staff/sign-in", {"username": "li.si", "password": "a good password 1", "next": "/wall"}
    yield "auditor", "/staff/setup/x/finish", {"password": "a", "password_again": "a", "code": "123456"}


@pytest.mark.parametrize("value", VALUES[:6])
def test_no_single_field_breaks_a_form(app, given, value):
    browsers = {role: caller.browser for role, caller in zip(ROLES, callers(app, given, *ROLES), strict=True)}

    faults = []
    for role, address, good in forms(given):
        token = token_of(browsers[role])
        for field in good:
            app.extensions["hall_limits"].forget()
            answer = post_form(browsers[role], address, {**good, field: value, "csrf_token": token})
            faults += wrong_with(answer, f"{address} {field}")

    assert faults == []
