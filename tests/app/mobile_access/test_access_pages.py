"""Console pages of versions, waivers, people's reviews, timeline and downloads."""

import io
import json
import re
from datetime import timedelta

import pytest

from app.core import clock
from app.core.runner import Worker
from app.mobile_access import service
from app.mobile_access.files import artifact_store
from app.mobile_access.judging import judged
from app.mobile_access.service import CheckKind, State
from tests.app.mobile_access.builders import a_page, a_png, the_run
from tests.app.mobile_access.judged import a_spec, an_online_page, checked, found_failing
from tests.app.mobile_access.test_rulings import GUIDED, NOT_RENDERED
from tests.builders import NOW, a_bearer, a_body, a_principal, sign_in, submit
from tests.mobile_pages.spec.builders import an_artifact

TODAY = clock.day_of(clock.system_clock())


@pytest.fixture
def body(given):
    return given(a_body)


@pytest.fixture
def operator(client, given, body):
    sign_in(client, given, given(a_principal, "department_operator", body=body))


@pytest.fixture
def reviewer(client, given):
    sign_in(client, given, given(a_principal, "province_reviewer"))


def version_form(**changed):
    return {
        "version": "2",
        "effective_on": TODAY.isoformat(),
        "grace_days": "10",
        "pinch_zoom": "forbid",
        "changelog": "放宽缩放",
        **changed,
    }


def test_the_province_publishes_a_version_and_sees_whom_it_touches(app, client, given, reviewer):
    an_online_page(app, given)

    done = submit(client, "/console/spec", **version_form())
    Worker(app, app.extensions["hall_jobs"]).drain()
    listed = client.get("/console/spec").text

    assert "第 2 版影响的网页" in client.get(done.location).text
    assert "放宽缩放" in listed
    assert "测试人员" in listed


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"version": "x"}, "数字"),
        ({"effective_on": "昨天"}, "请选择日期"),
        ({"grace_days": "９"}, "应为 0 至 365 天"),
        ({"grace_days": "99999"}, "应为 0 至 365 天"),
        ({"pinch_zoom": ""}, "请选择"),
        ({"changelog": ""}, "请写明变化"),
    ],
    ids=["no number", "no day", "full-width digit", "many days", "no switch", "no words"],
)
def test_a_wrong_version_comes_back_with_what_was_typed(client, given, reviewer, changed, said):
    answer = submit(client, "/console/spec", **version_form(**changed))

    assert answer.status_code == 422
    assert said in answer.text


def test_a_department_reads_versions_and_publishes_none(client, given, operator):
    page = client.get("/console/spec")

    assert page.status_code == 200
    assert 'name="changelog"' not in page.text
    assert submit(client, "/console/pages/new", "/console/spec", **version_form()).status_code == 403


def test_an_unknown_version_is_not_found(client, reviewer):
    assert client.get("/console/spec/9/affected").status_code == 404
    assert client.get("/console/spec/9/affected.csv").status_code == 404


def test_the_affected_pages_come_as_a_table(app, client, given, reviewer):
    given(service.publish_version, publishable(), actor="system", now=clock.system_clock())

    answer = client.get("/console/spec/2/affected.csv")

    assert answer.mimetype == "text/csv"
    assert "整改期限" in answer.data.decode("utf-8-sig")


def publishable():
    spec = a_spec("2", effective_on=TODAY)
    return service.NewVersion(
        spec.version, spec.effective_on, spec.grace_days, spec.pinch_zoom, spec.changelog
    )


def test_the_grace_time_stands_on_the_page_for_both_sides(app, client, given, body, operator):
    page = an_online_page(app, given, body=body)
    found_failing(app, given, page, CheckKind.WEEKLY, "MAS-TRN-01", now=NOW + timedelta(days=1))

    shown = client.get(f"/console/pages/{page.id}").text

    assert "限期整改" in shown
    assert "MAS-TRN-01" in shown
    assert "1 条新出现不通过" in shown
    assert "每周复检" in shown


def test_an_online_page_is_looked_at_again_from_its_page(app, client, given, body, operator):
    page = an_online_page(app, given, body=body)
    detail = f"/console/pages/{page.id}"

    answer = submit(client, detail, f"{detail}/look-again", version=str(page.version))

    assert "检测期间居民照常使用" in client.get(answer.location).text


def test_a_department_asks_for_a_waiver_and_the_province_grants_it(app, client, given, body, operator):
    page = given(a_page, body=body)
    detail = f"/console/pages/{page.id}"
    until = (TODAY + timedelta(days=30)).isoformat()
    asked = submit(client, f"{detail}/waivers/new", code="MAS-LAY-07", reason="正在改版", until_on=until)
    waiting = client.get(asked.location).text
    sign_in(client, given, given(a_principal, "province_reviewer"))
    decide = re.search(r'action="(/console/pages/\d+/waivers/\d+/decide)"', client.get(detail).text)[1]

    granted = submit(client, detail, decide, decision="approve")

    assert "待省级审批" in waiting
    assert "暂缓中" in client.get(granted.location).text
    assert "正在改版" in client.get("/console/waivers?state=approved").text
    assert "没有符合条件" in client.get("/console/waivers?state=requested").text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"until_on": "x"}, "请选择日期"),
        ({"until_on": "2020-01-01"}, "一年以内"),
        ({"reason": ""}, "请写明理由"),
    ],
    ids=["no day", "past", "no reason"],
)
def test_a_wrong_request_says_why(client, given, body, operator, changed, said):
    page = given(a_page, body=body)
    fields = {"code": "MAS-LAY-07", "reason": "改版", "until_on": (TODAY + timedelta(days=3)).isoformat()}

    answer = submit(client, f"/console/pages/{page.id}/waivers/new", **{**fields, **changed})

    assert answer.status_code == 422
    assert said in answer.text


def test_a_foreign_page_has_no_forms(client, given, operator):
    page = given(a_page, body=given(a_body, name="教育厅"))

    paths = ("/waivers/new", "/checks/1/review", "/checks/1/report.json", "/checks/1/report.pdf")
    assert {client.get(f"/console/pages/{page.id}{path}").status_code for path in paths} == {404}


@pytest.fixture
def checked_page(app, given, body):
    """Return the id of a page with a check whose manual rule is open, and whose files are kept."""
    page = given(a_page, state=State.CHECKING, body=body)
    artifact = an_artifact()
    store = artifact_store(app.extensions["hall_settings"].var_dir)
    digest = store.put(artifact.to_json().encode())
    result = judged(artifact, digest, a_spec(), NOT_RENDERED)
    given(lambda: service.record_check(the_run(page.id), result, now=NOW))
    return page.id


def answers(said="yes"):
    return {f"answer-{at}": said for at in range(len(GUIDED.questions))}


def test_the_form_is_answered_with_a_picture_as_proof(client, reviewer, checked_page):
    form = f"/console/pages/{checked_page}/checks/1/review"
    proof = (io.BytesIO(a_png(4, 4)), "截图.png")

    done = submit(client, form, f"{form}/{GUIDED.code}", evidence=proof, note="看过", **answers())
    shown = client.get(done.location).text
    link = re.search(r'href="([^"]+/review/files/[0-9a-f]{64})"', shown)[1]
    file = client.get(link)

    assert "省级审核 测试人员" in shown
    assert (file.mimetype, file.data) == ("image/png", service.examined(a_png(4, 4), "截图.png").content)
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({"evidence": b"<svg>"}, "只接受完整的", id="svg"),
        pytest.param({"answer-0": "maybe"}, "请回答每一个问题", id="another answer"),
        pytest.param({"verdict": "maybe"}, "请选择通过或不通过", id="another verdict"),
        pytest.param({"answer-1": "no"}, "请写明看到了什么", id="a no without a word"),
    ],
)
def test_a_form_that_cannot_be_says_why(client, reviewer, checked_page, fields, said):
    form = f"/console/pages/{checked_page}/checks/1/review"
    files = {name: (io.BytesIO(data), "a.png") for name, data in fields.items() if isinstance(data, bytes)}

    done = submit(client, form, f"{form}/{GUIDED.code}", **{**answers(), **fields, **files})

    assert said in client.get(done.location).text


def test_a_file_of_another_check_is_not_given_out(client, reviewer, checked_page):
    assert client.get(f"/console/pages/{checked_page}/checks/1/review/files/{'0' * 64}").status_code == 404


@pytest.mark.parametrize(
    ("form", "mimetype", "start"),
    [
        ("html", "text/html", b"<!doctype html>"),
        ("json", "application/json", b"{"),
        ("sarif", "application/sarif+json", b"{"),
        ("junit", "application/xml", b"<?xml"),
        ("csv", "text/csv", "\ufeff条款".encode()),
    ],
)
def test_the_report_is_taken_away_in_many_forms(client, reviewer, checked_page, form, mimetype, start):
    answer = client.get(f"/console/pages/{checked_page}/checks/1/report.{form}")

    assert answer.mimetype == mimetype
    assert answer.data.lower().startswith(start)
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_the_report_page_offers_forms_review_and_what_changed(app, client, given, reviewer):
    page = an_online_page(app, given)
    checked(app, given, page, CheckKind.DRIFT, "MAS-TRN-01", now=NOW)

    shown = client.get(f"/console/pages/{page.id}/checks/2").text

    assert "新出现不通过 1 条" in shown
    assert "SARIF" in shown


@pytest.mark.parametrize("role", ["department_operator", "province_reviewer"])
def test_the_list_shows_which_pages_have_to_be_mended_and_until_when(app, client, given, body, role):
    page = an_online_page(app, given, body=body)
    found_failing(app, given, page, CheckKind.WEEKLY, "MAS-TRN-01", "MAS-ENT-01", now=NOW)
    sign_in(client, given, given(a_principal, role, body=body))

    shown = client.get("/console/pages").text

    assert "2 项限期整改" in shown
    assert "2026-03-05 09:00 前" in shown


@pytest.mark.browser
def test_a_pdf_is_printed_in_the_background(app, client, reviewer, checked_page):
    report = f"/console/pages/{checked_page}/checks/1"
    early = client.get(f"{report}.pdf").status_code, client.get(f"{report}/report.pdf").status_code

    asked = submit(client, report, f"{report}/report.pdf")
    waiting = client.get(asked.location).text
    Worker(app, app.extensions["hall_jobs"]).drain()
    answer = client.get(f"{report}/report.pdf")

    assert early == (404, 404)
    assert "正在生成" in waiting
    assert (answer.mimetype, answer.data[:5]) == ("application/pdf", b"%PDF-")


def test_the_contact_can_be_emptied(app, client, given, body, operator):
    page = given(a_page, body=body, contact_name="测试人", contact_phone="020-12345")
    edit = f"/console/pages/{page.id}/edit"
    fields = {"name": page.name, "url": page.url, "theme": "household", "channels": ["wechat"]}

    submit(client, edit, version=str(page.version), **fields)
    kept = client.get(f"/console/pages/{page.id}").text
    submit(client, edit, version=str(page.version + 1), forget_contact="true", **fields)

    assert "查看（留痕）" in kept
    assert "查看（留痕）" not in client.get(f"/console/pages/{page.id}").text


def test_the_trail_names_people(client, given, body, operator):
    page = given(a_page, body=body)

    shown = client.get(f"/console/pages/{page.id}").text

    assert "测试人员" in shown
    assert "staff:" not in shown


def test_the_api_tells_kind_and_differences(app, client, given):
    page = an_online_page(app, given)
    checked(app, given, page, CheckKind.WEEKLY, "MAS-TRN-01", now=NOW)
    token = given(lambda: a_bearer(a_principal("province_reviewer")))
    newest = json.loads(client.get(f"/api/v1/mobile-pages/{page.id}/checks", headers=token).data)[1]

    assert newest["kind"] == "weekly"
    assert newest["differences"]["must_broken"] == ["MAS-TRN-01"]
