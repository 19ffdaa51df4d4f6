"""Checks of a page: set up by its body, validated, secret where they must be, tried out at once."""

import asyncio

import pytest
from sqlalchemy import func, select

from app.core import audit, db
from app.core.errors import Invalid, NotFound, Stale
from app.core.outbox import JobRow
from app.core.runner import Worker
from app.core.vault import VaultEntry
from app.mobile_access import service as mobile_access
from app.mobile_access.service import State
from app.monitoring import checks
from app.monitoring.check_settings import CheckSettings, Draft, validated
from app.monitoring.checks import TooManyChecks
from app.monitoring.domain import CheckKind
from app.monitoring.policy import terms_of_bodies
from app.monitoring.trying import look
from mobile_pages.guard import Policy
from mobile_pages.probe.base import ProbeTarget
from mobile_pages.probe.targets import RenderedTarget, TaskTarget
from tests.app.mobile_access.builders import a_page
from tests.builders import NOW, a_bearer, a_body, a_principal, sign_in, submit
from tests.mobile_pages.probe.sites import page as answer
from tests.mobile_pages.probe.sites import served

POLICY = Policy()
SCRIPT = """步骤 登录
POST https://sb.example.cn/login
正文 {"p": "{{密.口令}}"}
取 t JSON /t
"""
PASSWORD = "very-secret-9"


def an_api_check(**changed):
    details = {"kind": CheckKind.API, "name": "办件接口", "url": "https://sb.example.cn/api"}
    return Draft(**(details | changed))


def a_task_check(**changed):
    details = {"kind": CheckKind.TASK, "name": "登录", "settings": CheckSettings(script=SCRIPT)}
    return Draft(**(details | {"secrets": {"口令": PASSWORD}} | changed))


def a_page_with(*drafts, **details):
    page = a_page(state=State.ONLINE, **details)
    by = a_principal("department_operator")
    return page, by, [checks.add_check(by, page.id, draft, POLICY, now=NOW) for draft in drafts]


def listed():
    return checks.targets(mobile_access.watched_pages(), terms_of_bodies(NOW))


def test_a_page_has_its_main_check_from_the_start(given, app):
    page, by, _ = given(a_page_with)

    with app.app_context():
        (main,) = checks.checks_of(by, page.id)
        assert (main.id, main.kind, main.version) == (page.id, CheckKind.PAGE, 0)
        assert [one.check_id for one in listed()] == [page.id]


def test_the_prober_is_told_of_every_kind(given, app):
    rendered = Draft(CheckKind.RENDERED, "显示")
    page, _, _ = given(a_page_with, an_api_check(), a_task_check(), rendered)

    with app.app_context():
        found = {one.kind: one for one in listed()}
        assert isinstance(found[CheckKind.RENDERED].target, RenderedTarget)
        assert found[CheckKind.RENDERED].target.interval_seconds == 1800
        task = found[CheckKind.TASK].target
        assert isinstance(task, TaskTarget)
        assert (task.secrets, task.steps[0].name) == ({"口令": PASSWORD}, "登录")
        assert found[CheckKind.API].target.url == "https://sb.example.cn/api"


def test_the_main_check_can_demand_contents(given, app):
    page, by, _ = given(a_page_with)
    wanted = CheckSettings(expected_title=" 户政 ", must_contain=("预约", "预约 "))
    draft = Draft(CheckKind.PAGE, interval_seconds=30, settings=wanted)

    given(checks.change_check, by, page.id, draft, POLICY, version=0, now=NOW)

    with app.app_context():
        (one,) = listed()
        assert (one.target.expected_title, one.target.must_contain) == ("户政", ("预约",))
        assert one.target.interval_seconds == 30
        assert one.check_id == page.id


def test_a_declared_health_address_is_checked_by_itself(given, app):
    page = given(a_page, state=State.ONLINE, health_url="https://sb.example.cn/health")

    with app.app_context():
        assert checks.health_differs(mobile_access.watched_pages())
    given(lambda: checks.keep_health_checks(mobile_access.watched_pages(), now=NOW))

    with app.app_context():
        assert not checks.health_differs(mobile_access.watched_pages())
        (health,) = [one for one in listed() if one.kind is CheckKind.HEALTH]
        assert (health.page_id, health.url) == (page.id, "https://sb.example.cn/health")


def test_a_health_address_that_is_gone_is_checked_no_more_but_keeps_its_number(given, app):
    given(a_page, state=State.ONLINE, health_url="https://sb.example.cn/health")
    given(lambda: checks.keep_health_checks(mobile_access.watched_pages(), now=NOW))
    with app.app_context():
        number = listed()[1].check_id

    given(lambda: checks.keep_health_checks([], now=NOW))
    with app.app_context():
        assert len(listed()) == 1
    given(lambda: checks.keep_health_checks(mobile_access.watched_pages(), now=NOW))

    with app.app_context():
        assert listed()[1].check_id == number


def test_whoever_changes_last_is_told_when_another_was_first(given, app):
    page, by, (made,) = given(a_page_with, an_api_check())

    given(checks.change_check, by, made.id, an_api_check(name="新"), POLICY, version=1, now=NOW)

    with pytest.raises(Stale):
        given(checks.change_check, by, made.id, an_api_check(), POLICY, version=1, now=NOW)


def test_another_department_finds_no_check(given, app):
    page, _, (made,) = given(a_page_with, an_api_check())
    stranger = given(lambda: a_principal("department_operator", body=a_body("教育厅")))

    with pytest.raises(NotFound):
        given(checks.change_check, stranger, made.id, an_api_check(), POLICY, version=1, now=NOW)


def test_the_watch_may_read_but_not_change(given, app):
    page, _, (made,) = given(a_page_with, an_api_check())
    watch = given(a_principal, "province_watch")

    with app.app_context():
        assert checks.get_check(watch, made.id).name == "办件接口"
    with pytest.raises(NotFound):
        given(checks.remove_check, watch, made.id, version=1)


def test_credentials_lie_in_the_vault_and_nowhere_else(given, app):
    page, by, (made,) = given(a_page_with, a_task_check())

    with app.app_context():
        view = checks.get_check(by, made.id)
        told = [str(line) for line in audit.history(checks.OBJECT, made.id)]
        jobs = [str(row.payload) for row in db.session().scalars(select(JobRow))]
        assert view.secret_names == ("口令",)
        assert PASSWORD not in f"{view}{told}{jobs}"


def test_saving_without_credentials_keeps_them_and_removing_forgets_them(given, app):
    page, by, (made,) = given(a_page_with, a_task_check())
    kept = given(checks.change_check, by, made.id, a_task_check(secrets=None), POLICY, version=1, now=NOW)
    assert kept.secret_names == ("口令",)

    given(checks.remove_check, by, made.id, version=2)

    with app.app_context():
        count = select(func.count()).select_from(VaultEntry)
        assert db.session().scalar(count.where(VaultEntry.field == checks.SECRETS_FIELD)) == 0


def test_a_page_has_no_more_checks_than_it_may(given):
    page, by, _ = given(a_page_with, *[an_api_check(name=f"接口{n}") for n in range(10)])

    with pytest.raises(TooManyChecks):
        given(checks.add_check, by, page.id, an_api_check(), POLICY, now=NOW)


WRONG = [
    pytest.param(an_api_check(name=""), "name", "名称要填", id="no name"),
    pytest.param(an_api_check(url="ftp://x"), "url", "http", id="another scheme"),
    pytest.param(an_api_check(url="http://10.0.0.1/"), "url", "内部地址", id="a private address"),
    pytest.param(an_api_check(interval_seconds=19), "interval_seconds", "20 秒", id="too often"),
    pytest.param(an_api_check(interval_seconds=86_401), "interval_seconds", "1 天", id="too seldom"),
    pytest.param(
        Draft(CheckKind.RENDERED, "显示", interval_seconds=60), "interval_seconds", "600", id="pace"
    ),
    pytest.param(an_api_check(settings=CheckSettings(method="TRACE")), "method", "GET", id="method"),
    pytest.param(an_api_check(settings=CheckSettings(body="x")), "body", "不能带正文", id="body with GET"),
    pytest.param(
        an_api_check(settings=CheckSettings(expectations="看")), "expectations", "看哪里", id="line"
    ),
    pytest.param(a_task_check(secrets=None), "secrets", "口令", id="a credential nobody gave"),
    pytest.param(a_task_check(secrets={"口令": "a\nb"}), "secrets", "控制字符", id="control character"),
    pytest.param(
        a_task_check(settings=CheckSettings(script="步骤 一\nGET http://127.0.0.1/")),
        "script",
        "第 1 步",
        id="a step to this machine",
    ),
    pytest.param(
        Draft(CheckKind.PAGE, settings=CheckSettings(must_contain=tuple("abcdefghijk"))),
        "must_contain",
        "最多 10 行",
        id="too many texts",
    ),
]


@pytest.mark.parametrize(("draft", "name", "said"), WRONG)
def test_what_is_wrong_is_told_at_its_field(draft, name, said):
    with pytest.raises(Invalid) as refused:
        validated(draft, POLICY)

    assert said in "".join(refused.value.fields[name])


def test_the_api_adds_changes_tries_and_removes(client, given):
    page, by, _ = given(a_page_with)
    bearer = given(a_bearer, by)
    body = {"kind": "task", "name": "登录", "settings": {"script": SCRIPT}, "secrets": {"口令": PASSWORD}}

    made = client.post("/api/v1/checks", json=body | {"page_id": str(page.id)}, headers=bearer)
    path = f"/api/v1/checks/{made.json['id']}"
    changed = client.put(path, json=body | {"version": 1, "name": "登录二"}, headers=bearer)
    tried = client.post(f"{path}/tries", headers=bearer)
    gone = client.post(f"{path}/removal", json={"version": 2}, headers=bearer)

    assert [made.status_code, changed.status_code, tried.status_code, gone.status_code] == [
        201,
        200,
        202,
        204,
    ]
    assert PASSWORD not in made.text + changed.text + tried.text
    assert changed.json["secret_names"] == ["口令"]


def test_the_pages_add_and_show_a_check(client, given):
    page, by, _ = given(a_page_with)
    sign_in(client, given, by)
    path = f"/console/checks/pages/{page.id}"

    refused = submit(client, f"{path}/new/api", name="接口", url="https://sb.example.cn/", expectations="看")
    made = submit(client, f"{path}/new/task", name="登录", script=SCRIPT, secrets=f"口令={PASSWORD}")

    assert (refused.status_code, "写明看哪里" in refused.text) == (422, True)
    assert made.status_code == 303
    shown = client.get(made.location).text
    assert "已加密保存：口令" in shown
    assert PASSWORD not in shown + client.get(path).text


def test_a_try_out_looks_once_and_tells_what_was_answered(app, client, given):
    page, by, _ = given(a_page_with)
    sign_in(client, given, by)

    submit(client, f"/console/checks/{page.id}", f"/console/checks/{page.id}/try")
    Worker(app, app.extensions["hall_jobs"]).drain()

    shown = client.get(f"/console/checks/{page.id}").text
    assert "域名解析失败" in shown
    assert "打开网页" in shown


def test_what_a_server_answers_cannot_break_out_of_the_page():
    found = asyncio.run(
        tried(answer("<script>alert(1)</script>\x00\u202e", headers="Content-Type: text/html\r\n"))
    )

    assert found[1][0].excerpt == "<script>alert(1)</script>  "


async def tried(reply):
    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)

    async with served(handle) as port:
        from_here = Policy.allowing([("127.0.0.1/32", port)], test_or_demo=True)
        return await look(ProbeTarget("1", f"http://127.0.0.1:{port}/"), from_here)
