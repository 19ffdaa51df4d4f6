"""Own settings, bindings and endpoints: each only in its own scope, secrets in the vault, all on record."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.alerts import service
from app.alerts.models import Endpoint, Preference, StaffBinding
from app.alerts.service import EndpointFormat, NewEndpoint, NewSettings, Severity, Way
from app.core import db
from app.core.audit import AuditLine
from app.core.errors import Invalid, NotFound, Stale, TooMany
from app.mobile_access import service as mobile_access
from app.organisations import service as organisations
from tests.app.alerts.builders import settings_of
from tests.builders import NOW, a_body, a_principal, a_wechat_account

MINUTE = timedelta(minutes=1)


def inside(work):
    return db.transaction(work)


@pytest.fixture
def operator(context):
    return inside(lambda: a_principal("department_operator"))


@pytest.fixture
def account(context):
    return inside(a_wechat_account)


def bind(code, account, openid="oSender-1", now=NOW):
    return inside(lambda: service.bind(code, account, openid, now=now))


def code_of(person, now=NOW):
    return inside(lambda: service.new_code(person.staff_id, now=now))


def audited(action):
    return list(db.session().scalars(select(AuditLine).where(AuditLine.action == action)))


def test_an_address_lies_in_the_vault_and_in_no_other_table(operator):
    inside(lambda: settings_of(operator, email="zhang@city.example.cn"))

    (row,) = db.session().scalars(select(Preference))
    assert "zhang" not in repr(vars(row))
    assert "zhang" not in repr([line.detail for line in audited("alert_settings.change")])
    assert service.settings_of(operator.staff_id).wanted.email == "zhang@city.example.cn"


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "no-address"},
        {"email": "a@b\r\nBcc: c@example.cn"},
        {"email": "a b@example.cn"},
        {"email": "<a@example.cn>"},
        {"email": f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.cn"},
        {"quiet_from": 60},
        {"quiet_from": 60, "quiet_until": 60},
        {"quiet_from": -1, "quiet_until": 60},
        {"quiet_from": 0, "quiet_until": 1440},
        {"muted": ("no.topic",)},
        {"ways": (Way.WECHAT, Way.WECHAT)},
        {"ways": (Way.WEBHOOK,)},
    ],
)
def test_settings_that_make_no_sense_are_refused(operator, wrong):
    with pytest.raises(Invalid):
        inside(lambda: settings_of(operator, **wrong))


def test_settings_changed_elsewhere_meanwhile_are_not_overwritten(operator):
    inside(lambda: settings_of(operator))

    with pytest.raises(Stale):
        inside(lambda: service.change_settings(operator.staff_id, NewSettings(), now=NOW, version=0))


def test_a_code_from_the_screen_binds_its_sender_once(operator, account):
    code = code_of(operator)

    assert bind(code, account) == "测试人员"
    with pytest.raises(service.BadCode):
        bind(code, account, "oOther")
    assert [one.account_name for one in service.bindings_of(operator.staff_id)] == ["测试公众号"]
    assert len(audited("alert_binding.bind")) == 1


def test_the_senders_id_stands_in_no_table_but_the_vault(operator, account):
    bind(code_of(operator), account, "oVerySecretId")

    (row,) = db.session().scalars(select(StaffBinding))
    assert "oVerySecretId" not in repr(vars(row))
    assert "oVerySecretId" not in repr([line.detail for line in audited("alert_binding.bind")])


def test_a_code_lives_ten_minutes_and_only_the_newest_counts(operator, account):
    first = code_of(operator)
    second = code_of(operator, NOW + MINUTE)

    for code, now in ((first, NOW + MINUTE), (second, NOW + 11 * MINUTE)):
        with pytest.raises(service.BadCode):
            bind(code, account, f"o{code}", now)
    assert bind(second, account, now=NOW + 10 * MINUTE) == "测试人员"


def test_guesses_are_counted_per_sender(operator, account):
    code = code_of(operator)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(5):
        with pytest.raises(service.BadCode):
            bind(wrong, account)

    with pytest.raises(TooMany):
        bind(code, account)


def test_an_id_that_is_somebody_elses_is_not_taken_over(operator, account):
    other = inside(lambda: a_principal("province_watch"))
    bind(code_of(operator), account)

    with pytest.raises(service.AlreadyBound):
        bind(code_of(other), account)


def test_binding_anew_replaces_the_earlier_id(operator, account):
    bind(code_of(operator), account, "oOld")
    bind(code_of(operator), account, "oNew")

    assert len(service.bindings_of(operator.staff_id)) == 1
    assert not inside(lambda: service.unbind_sender(account, "oOld"))
    assert inside(lambda: service.unbind_sender(account, "oNew"))
    assert service.bindings_of(operator.staff_id) == []


def test_a_code_of_a_closed_account_binds_nobody(operator, account):
    code = code_of(operator)
    inside(lambda: organisations.disable_staff(operator.staff_id, by="staff:1"))

    with pytest.raises(service.BadCode):
        bind(code, account)


def test_nobody_unbinds_somebody_else(operator, account):
    bind(code_of(operator), account)
    (binding,) = service.bindings_of(operator.staff_id)
    other = inside(lambda: a_principal("province_watch"))

    with pytest.raises(NotFound):
        inside(lambda: service.unbind(other.staff_id, binding.id))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("绑定 123456", "123456"),
        (" 绑定123456 ", "123456"),
        ("绑定 12345", None),
        ("我要绑定 123456", None),
        ("户口", None),
    ],
)
def test_only_the_exact_words_ask_to_bind(text, code):
    assert service.code_in(text) == code


def wanted(**changed):
    given = {
        "name": "值班系统",
        "format": EndpointFormat.GENERIC,
        "url": "https://hooks.example.cn/x?key=SECRETKEY",
    }
    return NewEndpoint(**{**given, **changed})


def add(by, **changed):
    return inside(lambda: service.add_endpoint(by, wanted(**changed), now=NOW))


def test_an_endpoints_address_and_secret_are_shown_once_and_kept_in_the_vault(context):
    watch = inside(lambda: a_principal("province_watch"))

    made, secret = add(watch)

    (row,) = db.session().scalars(select(Endpoint))
    assert len(secret) > 40
    assert (made.host, made.scope_name) == ("hooks.example.cn", "全省")
    assert "SECRETKEY" not in repr(vars(row)) + repr([one.detail for one in audited("alert_endpoint.add")])


def test_each_sets_up_endpoints_in_its_own_scope_only(context):
    city = inside(lambda: a_principal("city_operator", region_code="440100"))
    inside(lambda: a_body("深圳市", "440300"))

    made, _ = add(city, city_code="440100")

    assert made.scope_name == "广州市"
    for outside in ({}, {"city_code": "440300"}, {"body_id": inside(a_body).id}):
        with pytest.raises(NotFound):
            add(city, **outside)


def test_an_endpoint_of_another_city_does_not_exist_for_a_city(context):
    watch = inside(lambda: a_principal("province_watch"))
    city = inside(lambda: a_principal("city_operator", region_code="440100"))
    made, _ = add(watch)

    assert service.endpoints(city) == []
    with pytest.raises(NotFound):
        service.get_endpoint(city, made.id)
    with pytest.raises(NotFound):
        inside(lambda: service.remove_endpoint(city, made.id, now=NOW))


def test_a_removed_endpoint_leaves_neither_address_nor_secret(context):
    watch = inside(lambda: a_principal("province_watch"))
    made, _ = add(watch)

    inside(lambda: service.remove_endpoint(watch, made.id, now=NOW))

    assert service.endpoints(watch) == []
    assert len(audited("alert_endpoint.remove")) == 1


def test_an_endpoint_changed_meanwhile_is_not_overwritten(context):
    watch = inside(lambda: a_principal("province_watch"))
    made, _ = add(watch)
    change = {"name": "新名称", "min_severity": Severity.CRITICAL, "active": False}

    changed = inside(lambda: service.change_endpoint(watch, made.id, version=1, **change))

    assert (changed.name, changed.active, changed.version) == ("新名称", False, 2)
    with pytest.raises(Stale):
        inside(lambda: service.change_endpoint(watch, made.id, version=1, **change))


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/x", "ftp://example.cn/", "http://127.0.0.1/", "x", "http://a:b@c.cn/"]
)
def test_an_address_that_leads_inside_or_nowhere_is_refused(app, url):
    guard = mobile_access.outbound_guard(app.extensions["hall_settings"])

    with pytest.raises(Invalid):
        service.vetted_endpoint(wanted(url=url), guard)
