"""The rules of operation and maintenance as staff use them, and as their systems do."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core import clock, db
from app.core.runner import Worker
from app.monitoring.models import Maintenance, PolicyDraft
from app.organisations.service import RegionLevel
from tests.app.monitoring.builders import seen
from tests.builders import a_bearer, a_body, a_principal, sign_in, submit

CHANGE = "/wall/policies/province/change"


def form(**changed) -> dict[str, object]:
    """Return the province's rules as the form sends them, some of them changed."""
    usual = {
        "interval_seconds": 60,
        "timeout_seconds": 15,
        "slow_ms": 5000,
        "down_after": 3,
        "back_after": 2,
        "degraded_after": 3,
        "grace_seconds": 60,
        "flap_flips": 5,
        "flap_window_looks": 14,
        "flap_calm_looks": 8,
        "escalate_after_minutes_0": 0,
        "escalate_after_minutes_1": 30,
        "escalate_after_minutes_2": 120,
        "official_warn_rate": "3",
        "slo_target_rate": "99.5",
        "slo_window_days": 30,
        "publish_status": "1",
        "hide_kinds": ["page"],
        "city_may": ["slow_ms", "grace_seconds"],
        "base_number": 0,
        "reason": "按季度评估调整",
    }
    return usual | changed


def reckoned(app):
    Worker(app, app.extensions["hall_jobs"]).drain()


def draft_id(app) -> int:
    with app.app_context():
        return db.session().scalars(select(PolicyDraft.id)).one()


def test_a_change_is_shown_before_it_is_confirmed(app, client, given):
    given(seen, "UUDDDUUU", now=clock.system_clock() - timedelta(hours=2))
    sign_in(client, given, given(a_principal, "province_watch"))

    answer = submit(client, CHANGE, **form(down_after=5))
    assert "正在逐次重放" in client.get(answer.location).text
    reckoned(app)
    shown = client.get(answer.location).text

    assert "连续失败几次认定故障：3 次 → <b>5 次</b>" in shown
    assert "已逐次重放，数字精确" in shown
    submit(client, answer.location, f"{answer.location}/confirm")
    page = client.get("/wall/policies/province").text
    assert "第 1 版" in page
    assert "3 次 → 5 次" in page


def test_what_is_wrong_stands_beside_its_field(client, given):
    sign_in(client, given, given(a_principal, "province_watch"))

    answer = submit(client, CHANGE, **form(down_after=99, slo_target_rate="x"))

    assert answer.status_code == 422
    assert "应在 1 到 10 之间" in answer.text
    assert "按季度评估调整" in answer.text


def test_who_comes_second_is_told_that_somebody_was_first(app, client, given):
    sign_in(client, given, given(a_principal, "province_watch"))
    first = submit(client, CHANGE, **form(down_after=5)).location
    reckoned(app)
    submit(client, first, f"{first}/confirm")

    answer = submit(client, CHANGE, **form(down_after=4, base_number=0))

    assert answer.status_code == 409
    assert "已被他人修改" in answer.text


def test_a_city_is_offered_only_what_it_may_state(client, given):
    given(a_body, "广州市", "440100")
    sign_in(client, given, given(a_principal, "city_operator"))

    shown = client.get("/wall/policies/440100/change").text

    assert 'name="grace_seconds"' in shown
    assert 'name="down_after"' not in shown
    assert 'name="city_may"' not in shown


@pytest.mark.parametrize("role", ["auditor", "system_administrator"])
def test_who_does_not_watch_sees_neither(client, given, role):
    sign_in(client, given, given(a_principal, role))

    assert client.get("/wall/policies").status_code == 403
    assert client.get("/wall/maintenance").status_code == 403


def test_a_place_that_is_none_is_not_found(client, given):
    sign_in(client, given, given(a_principal, "province_watch"))

    assert client.get("/wall/policies/999999").status_code == 404
    assert client.get("/wall/policies/drafts/1").status_code == 404


def test_the_list_names_every_city(client, given):
    given(a_body, "广州市", "440100")
    sign_in(client, given, given(a_principal, "province_watch"))

    shown = client.get("/wall/policies").text

    assert "广州市" in shown
    assert RegionLevel.CITY.value not in shown


def test_rules_are_changed_by_the_api_too(app, client, given):
    bearer = given(a_bearer, given(a_principal, "province_watch"))
    sent = {"rules": {"down_after": 5}, "reason": "测试", "base_number": 0}

    made = client.post("/api/v1/watch-policies/province/drafts", json=sent, headers=bearer)
    path = f"/api/v1/watch-policy-drafts/{made.json['id']}"
    too_soon = client.post(f"{path}/confirmation", headers=bearer)
    reckoned(app)

    assert (made.status_code, too_soon.status_code) == (202, 409)
    assert client.get(path, headers=bearer).json["effect"]["replayed"]["sampled"] is False
    assert client.post(f"{path}/confirmation", headers=bearer).status_code == 201
    assert client.post(f"{path}/confirmation", headers=bearer).status_code == 409
    (version,) = client.get("/api/v1/watch-policies/province", headers=bearer).json
    assert (version["number"], version["rules"]["down_after"]) == (1, 5)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param({"rules": {"down_after": 0}}, id="out of bounds"),
        pytest.param({"rules": {"colour": 1}}, id="unknown"),
        pytest.param({"rules": {"hide_kinds": ["wall"]}}, id="no kind"),
        pytest.param({"rules": {"down_after": 4}, "city_may": ["colour"]}, id="no rule for cities"),
        pytest.param({}, id="nothing"),
    ],
)
def test_bad_rules_are_refused_by_the_api(client, given, sent):
    bearer = given(a_bearer, given(a_principal, "province_watch"))

    answer = client.post(
        "/api/v1/watch-policies/province/drafts",
        json={"reason": "测试", "base_number": 0, **sent},
        headers=bearer,
    )

    assert answer.status_code == 422


def next_minute() -> str:
    later = clock.system_clock() + timedelta(minutes=5)
    return later.astimezone(clock.HALL_TIME).strftime("%Y-%m-%dT%H:%M")


def test_maintenance_is_announced_and_ended(app, client, given):
    sign_in(client, given, given(a_principal, "province_watch"))
    told = {"scope": "province:", "title": "系统升级", "text": "期间不能办理", "starts_at": next_minute()}

    answer = submit(client, "/wall/maintenance/new", **told, minutes=60, recurrence="FREQ=WEEKLY")

    assert answer.status_code == 303
    assert "每周这一天" in client.get("/wall/maintenance").text
    with app.app_context():
        window = db.session().scalars(select(Maintenance)).one()
    submit(client, "/wall/maintenance", f"/wall/maintenance/{window.id}/end")
    assert "系统升级" not in client.get("/wall/maintenance").text
    assert "系统升级" in client.get("/wall/maintenance?over=1").text


def test_an_announcement_that_says_nothing_is_not_taken(client, given):
    sign_in(client, given, given(a_principal, "province_watch"))

    answer = submit(client, "/wall/maintenance/new", scope="moon:", starts_at="soon")

    assert answer.status_code == 422
    assert "请选择范围" in answer.text


def test_a_check_is_paused_with_a_reason(client, given):
    page = given(seen, "U")
    sign_in(client, given, given(a_principal, "province_watch"))
    path = f"/wall/maintenance/pause/{page.id}"

    assert submit(client, path, until="", reason="").status_code == 422
    assert submit(client, path, until=next_minute(), reason="换服务器").status_code == 303
    assert "换服务器" in client.get("/wall/maintenance").text


def test_maintenance_is_announced_and_ended_by_the_api(client, given):
    bearer = given(a_bearer, given(a_principal, "province_watch"))
    starts_at = (clock.system_clock() + timedelta(minutes=5)).replace(second=0, microsecond=0)
    sent = {"scope": "province", "scope_ref": "", "title": "升级", "text": "不能办理", "minutes": 30}

    made = client.post(
        "/api/v1/maintenance-windows", json=sent | {"starts_at": starts_at.isoformat()}, headers=bearer
    )
    path = f"/api/v1/maintenance-windows/{made.json['id']}"

    assert (made.status_code, made.json["standing"]) == (201, "coming")
    assert len(client.get("/api/v1/maintenance-windows", headers=bearer).json) == 1
    assert client.post(f"{path}/end", json={"this_time_only": True}, headers=bearer).status_code == 409
    assert client.post(f"{path}/end", json={}, headers=bearer).json["standing"] == "over"
    assert client.post(f"{path}/end", json={}, headers=bearer).status_code == 409
