"""Checks as the worker runs them: real pages over HTTP, a real browser."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import requests

from app.core import clock
from app.core.runner import Worker
from app.mobile_access import gathering, jobs, service
from app.mobile_access.files import artifact_store
from app.mobile_access.service import CheckVerdict, State, Theme
from config.settings import AllowedTarget
from mobile_pages.artifact import Artifact
from tests.app.mobile_access.builders import BOTH, a_page, the_run
from tests.builders import NOW, a_body, a_principal
from tests.mobile_pages.servers import html, serving, silent, to_itself
from tests.sandbox.servers import sample_pages


@pytest.fixture
def reachable(app, monkeypatch):
    """Let the guard pass one port of this machine."""

    def allow(base):
        settings = app.extensions["hall_settings"]
        target = AllowedTarget("127.0.0.1/32", urlsplit(base).port)
        monkeypatch.setitem(app.extensions, "hall_settings", replace(settings, outbound_allow=(target,)))

    return allow


def check(app, given, url, **details):
    """Register ``url``, let the worker check it; return the page and its report as stored."""
    body = given(a_body, name="公安厅")
    page = given(a_page, body=body, url=url, state=State.CHECKING, **details)
    Worker(app, app.extensions["hall_jobs"]).drain()
    reader = given(a_principal, "province_reviewer")
    with app.app_context():
        return service.get(reader, page.id), service.report_of(reader, page.id, 1)


@contextmanager
def a_sample(slug):
    with sample_pages() as (base, _outage, _clock):
        rows = requests.get(f"{base}/catalogue.json", timeout=5).json()["pages"]
        yield base, next(row for row in rows if row["slug"] == slug)


def as_registered(row):
    names = ("name", "url", "hotline", "description", "elder_url", "health_url", "icp_number")
    return {name: row[name] for name in names} | {"theme": Theme.HOUSEHOLD, "channels": BOTH}


def verdicts(found):
    return {rule["code"]: rule["verdict"] for rule in found.report["rules"]}


@pytest.mark.browser
def test_a_good_page_passes_with_screenshots_and_artifact_kept(app, given, reachable):
    with a_sample("huzheng") as (base, row):
        reachable(base)
        page, found = check(app, given, **as_registered(row))

    store = artifact_store(app.extensions["hall_settings"].var_dir)
    failed = [
        rule["code"] for rule in found.report["rules"] if rule["verdict"] == "fail" and not rule["waiver"]
    ]
    assert (page.state, failed) == (State.PASSED, [])
    assert all(store.get(one["sha256"]).startswith(b"\x89PNG") for one in found.report["screenshots"])
    assert Artifact.from_json(store.get(found.check.artifact).decode()).declaration.name == row["name"]


@pytest.mark.browser
def test_a_faulty_page_fails_with_findings_that_have_boxes(app, given, reachable):
    with a_sample("guozi") as (base, row):
        reachable(base)
        page, found = check(app, given, **as_registered(row))

    findings = [finding for rule in found.report["rules"] for finding in rule["findings"]]
    assert page.state is State.FAILED
    assert found.check.verdict is CheckVerdict.FAIL
    assert any(finding["box"] for finding in findings)
    assert all(finding["advice"] for finding in findings)


@pytest.mark.browser
def test_a_page_whose_rendered_rules_could_not_run_is_undecided_and_says_so(
    app, given, reachable, monkeypatch
):
    monkeypatch.setattr(jobs, "browsers", lambda: gathering.BrowserPool(1))
    monkeypatch.setenv("PATH", "")  # no browser is installed
    with a_sample("huzheng") as (base, row):
        reachable(base)
        page, found = check(app, given, **as_registered(row))

    not_run = [rule for rule in found.report["rules"] if rule["verdict"] == "not_run"]
    assert (page.state, found.check.verdict) == (State.FAILED, CheckVerdict.UNDECIDED)
    assert "浏览器" in not_run[0]["reason"]


def test_a_page_that_never_answers_ends_in_findings(app, given, reachable):
    with serving({"/": silent}) as base:
        reachable(base)
        page, found = check(app, given, f"{base}/")

    assert page.state is State.FAILED
    assert verdicts(found)["MAS-ENT-01"] == "fail"


def test_a_page_that_redirects_for_ever_ends_in_findings(app, given, reachable):
    with serving({"/": to_itself}) as base:
        reachable(base)
        page, found = check(app, given, f"{base}/")

    assert page.state is State.FAILED
    assert verdicts(found)["MAS-ENT-01"] == "fail"


def test_a_page_the_guard_refuses_now_is_not_visited(app, given):
    asked = []
    with serving({"/": lambda handler: asked.append(1) or html("x")(handler)}) as base:
        page, found = check(app, given, f"{base}/")

    assert asked == []
    assert page.state is State.FAILED
    assert verdicts(found)["MAS-ENT-01"] == "fail"


def test_a_name_nobody_knows_is_a_finding_not_an_error(app, given):
    page, found = check(app, given, "https://no-such-host.invalid/")

    assert page.state is State.FAILED
    assert verdicts(found)["MAS-ENT-01"] == "fail"


def test_a_job_that_is_run_again_changes_nothing(app, given):
    page, found = check(app, given, "https://no-such-host.invalid/")

    with app.app_context():
        jobs.check_page({"run_id": str(found.check.id)})
        again = service.report_of(given_reader(given), page.id, 1)

    assert again.check.finished_at == found.check.finished_at


def given_reader(given):
    return given(a_principal, "province_reviewer")


def test_a_check_put_aside_lets_its_page_go_on(app, given):
    long_ago = clock.system_clock() - timedelta(hours=2)
    page = given(a_page, state=State.CHECKING, now=long_ago)

    with app.app_context():
        jobs.end_stuck_checks({})
        again = service.get(given_reader(given), page.id)

    assert again.state is State.FAILED


def test_a_fresh_check_is_not_put_aside(app, given):
    now = clock.system_clock()
    page = given(a_page, state=State.CHECKING, now=now)

    with app.app_context():
        assert service.stuck_checks(now=now) == []
        assert the_run(page.id)


def test_the_rules_judge_what_the_department_said(app, given):
    body = given(a_body)
    page = given(a_page, body=body, elder_url="https://e.example.cn/", state=State.CHECKING, now=NOW)

    with app.app_context():
        run = the_run(page.id)
    task = given(service.begin_check, run, now=NOW)

    said = task.declaration
    assert (said.body_name, said.region_code) == (body.full_name, body.region_code)
    assert (said.channels, said.elder_url, said.health_url) == (BOTH, "https://e.example.cn/", None)
