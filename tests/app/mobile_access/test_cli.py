"""The command that checks pages anywhere: no database, no secrets, real pages over HTTP."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import defusedxml.ElementTree as ET
import pytest
import requests

from app import create_app
from app.mobile_access import batch
from config.access_spec.versions import load_versions
from config.settings import Settings
from mobile_pages.gather.static import gather_static
from tests.builders import an_environment
from tests.mobile_pages.servers import html, send, serving, silent
from tests.sandbox.servers import sample_pages

ROOT = Path(__file__).resolve().parents[3]
GOOD = html(
    "<!DOCTYPE html><html lang=zh-CN><meta charset=utf-8><title>社保查询</title>"
    "<p>可查询参保状态、缴费记录和养老待遇，也可预约线下窗口办理业务。</html>"
)
BAD = html("<p>没有标题", 500)
NO_ZOOM = html(
    "<!DOCTYPE html><html lang=zh-CN><meta charset=utf-8><title>社保查询</title>"
    '<meta name=viewport content="width=device-width,initial-scale=1,user-scalable=no"><p>参保状态查询</html>'
)
VERSIONS = (("1", date(2016, 1, 1)), ("2", date(2017, 1, 1)), ("3", date(2999, 1, 1)))
KEYS = {"url", "final_url", "spec_version", "profile", "verdict", "rules", "timings", "screenshots"}
RULE_KEYS = {"id", "code", "severity", "verdict", "measured", "threshold", "findings"}
FINDING_KEYS = {"where", "selector", "snippet", "count", "advice"}


def check(output, *arguments, base="", settings=None):
    """Run the command without any setting; return exit code, words and reports by address."""
    app = create_app(settings or Settings.from_env({}))
    allow = ["--allow", f"127.0.0.1/32:{urlsplit(base).port}"] if base else []
    options = [*map(str, arguments), *allow, "--output", str(output)]
    told = app.test_cli_runner().invoke(args=["pages", "check", *options])
    paths = sorted((output / "pages").glob("*.json"))
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    return told.exit_code, told.output, {one["url"]: one for one in documents}


def rule(document, code):
    return next(one for one in document["rules"] if one["code"] == code)


def test_static_rules_alone_pass_a_page_that_breaks_none(tmp_path):
    with sample_pages() as (base, _outage, _clock):
        code, _, found = check(tmp_path, f"{base}/huzheng/", "--static-only", base=base)

    document = found[f"{base}/huzheng/"]
    assert code == 0
    assert document["totals"]["must_failed"] == 0
    assert rule(document, "MAS-LAY-02")["reason"] == "未用浏览器打开：按要求只做静态检查，未用浏览器打开。"


def test_pages_are_judged_by_the_version_of_the_release_that_holds_today(tmp_path, monkeypatch):
    rows = [replace(load_versions()[0], version=version, effective_on=day) for version, day in VERSIONS]
    monkeypatch.setattr("app.mobile_access.cli.load_versions", lambda: rows)  # the release's own file
    with serving({"/": GOOD}) as base:
        _, _, found = check(tmp_path, f"{base}/", "--static-only", base=base)

    assert found[f"{base}/"]["spec_version"] == "2"


@pytest.mark.parametrize(
    ("asked", "verdict"), [pytest.param("allow", "fail", id="allow"), ("forbid", "not_applicable")]
)
def test_the_switch_decides_whether_pinch_zoom_is_asked_for(tmp_path, asked, verdict):
    with serving({"/": NO_ZOOM}) as base:
        _, _, found = check(tmp_path, f"{base}/", "--static-only", "--pinch-zoom", asked, base=base)

    assert rule(found[f"{base}/"], "MAS-LAY-03")["verdict"] == verdict


def test_a_health_address_that_nobody_gave_is_left_to_a_person(tmp_path):
    with serving({"/": GOOD}) as base:
        _, _, found = check(tmp_path, f"{base}/", "--static-only", base=base)

    answer = rule(found[f"{base}/"], "MAS-MON-02")
    assert (answer["verdict"], answer["reason"]) == (
        "needs_review",
        "没有给出健康检查网址，无法对照登记信息。",
    )


def test_a_health_address_that_is_given_waits_for_the_watch_and_stops_nothing(tmp_path):
    listed = tmp_path / "pages.csv"
    with sample_pages() as (base, _outage, _clock):
        listed.write_text(f"url,health_url\n{base}/huzheng/,{base}/huzheng/health\n", encoding="utf-8")
        code, _, found = check(tmp_path, "--list", listed, "--static-only", base=base)

    assert (code, rule(found[f"{base}/huzheng/"], "MAS-MON-02")["verdict"]) == (0, "not_run")


@pytest.mark.parametrize(
    ("flags", "is_found"),
    [pytest.param((), False, id="without leave"), pytest.param(("--probe-paths",), True, id="with leave")],
)
def test_source_code_left_lying_about_is_found_with_leave_only(tmp_path, flags, is_found):
    left = {"/": GOOD, "/.git/HEAD": lambda handler: send(handler, b"ref: refs/heads/master", "text/plain")}
    with serving(left) as base:
        _, _, found = check(tmp_path, f"{base}/", "--static-only", *flags, base=base)

    places = [one["where"] for one in rule(found[f"{base}/"], "MAS-TRN-06")["findings"]]
    assert ("/.git/HEAD" in places) is is_found


def test_a_broken_must_rule_is_exit_1(tmp_path):
    with serving({"/": BAD}) as base:
        code, told, found = check(tmp_path, f"{base}/", "--static-only", base=base)

    assert code == 1
    assert rule(found[f"{base}/"], "MAS-ENT-01")["verdict"] == "fail"
    assert "不通过" in told


def test_the_json_of_a_page_has_the_promised_keys(tmp_path):
    with serving({"/": BAD}) as base:
        _, _, found = check(tmp_path, f"{base}/", "--static-only", base=base)

    document = found[f"{base}/"]
    assert document.keys() >= KEYS
    assert all(one.keys() >= RULE_KEYS for one in document["rules"])
    findings = [finding for one in document["rules"] for finding in one["findings"]]
    assert findings
    assert all(one.keys() >= FINDING_KEYS for one in findings)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "只支持 http 和 https"),
        ("data:text/html,x", "只支持 http 和 https"),
        ("chrome://settings", "只支持 http 和 https"),
        ("http://10.0.0.1/", "内部地址"),
        ("http://2130706433/", "内部地址"),
        ("http://[::1]/", "内部地址"),
        ("http://169.254.169.254/latest/", "内部地址"),
        ("nonsense", "格式不正确"),
    ],
)
def test_a_refused_address_is_a_result_and_the_next_page_is_checked(tmp_path, url, reason):
    with serving({"/": GOOD}) as base:
        code, told, found = check(tmp_path, url, f"{base}/", "--static-only", base=base)

    assert code == 2
    assert reason in found[url]["refusal"]["detail"]
    assert reason in told
    assert rule(found[f"{base}/"], "MAS-ENT-01")["verdict"] == "pass"


def test_no_password_of_an_address_reaches_a_report(tmp_path):
    code, told, found = check(tmp_path, "https://someone:geheim@a.gov.cn/", "--static-only")

    assert code == 2
    assert list(found) == ["https://***@a.gov.cn/"]
    assert "geheim" not in told + json.dumps(found)


def test_loopback_is_closed_unless_it_is_allowed(tmp_path):
    with serving({"/": GOOD}) as base:
        code, _, found = check(tmp_path, f"{base}/", "--static-only")

    assert (code, found[f"{base}/"]["refusal"]["code"]) == (2, "guard_private_address")


def test_what_was_not_declared_is_left_to_a_person(tmp_path):
    with serving({"/": GOOD}) as base:
        _, _, found = check(tmp_path, f"{base}/", "--static-only", base=base)

    result = rule(found[f"{base}/"], "MAS-ENT-03")
    assert (result["verdict"], result["reason"]) == ("needs_review", "没有给出服务名，无法对照登记信息。")


@pytest.mark.parametrize(("name", "verdict"), [("社保查询", "pass"), ("公积金", "fail")])
def test_what_was_declared_is_compared(tmp_path, name, verdict):
    with serving({"/": GOOD}) as base:
        _, _, found = check(tmp_path, f"{base}/", "--name", name, "--static-only", base=base)

    assert rule(found[f"{base}/"], "MAS-ENT-03")["verdict"] == verdict
    assert found[f"{base}/"]["name"] == name


def test_a_list_of_pages_is_checked_in_its_order(tmp_path):
    with serving({"/a": GOOD, "/b": GOOD}) as base:
        listed = tmp_path / "list.csv"
        listed.write_text(f"url,name\n{base}/b,乙\n{base}/a,甲\n", encoding="utf-8-sig")
        _, _, found = check(tmp_path, "--list", listed, "--static-only", base=base)

    assert [(one["url"][-1], one["name"]) for one in found.values()] == [("b", "乙"), ("a", "甲")]


def test_several_forms_are_written_in_one_run(tmp_path):
    with serving({"/": GOOD}) as base:
        check(tmp_path, f"{base}/", "--format", "html,sarif,junit,csv", "--static-only", base=base)

    sarif = json.loads((tmp_path / "report.sarif").read_text(encoding="utf-8"))
    rows = list(csv.reader((tmp_path / "totals.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert sarif["runs"][0]["artifacts"][0]["location"]["uri"] == f"{base}/"
    assert ET.parse(tmp_path / "junit.xml").getroot().find("testsuite").get("tests") == str(len(rows) - 1)
    assert "<!doctype html>" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not (tmp_path / "pages").exists()


def test_an_earlier_run_is_compared_with(tmp_path):
    answers = {"/": BAD}
    with serving(answers) as base:
        check(tmp_path / "1", f"{base}/", "--static-only", base=base)
        answers["/"] = GOOD
        options = ("--static-only", "--previous", tmp_path / "1")
        check(tmp_path / "2", f"{base}/", *options, base=base)

    report = (tmp_path / "2" / "report.html").read_text(encoding="utf-8")
    assert "与上次检测相比" in report
    assert "已改好" in report


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param([], "at least one URL", id="nothing to check"),
        pytest.param(["https://a.gov.cn/", "--format", "html,docx"], "html, json", id="unknown format"),
        pytest.param(["https://a.gov.cn/", "--channels", "sms"], "wechat", id="unknown channel"),
        pytest.param(["https://a.gov.cn/", "--allow", "127.0.0.1"], "127.0.0.1/32:8102", id="no port"),
        pytest.param(["https://a.gov.cn/", "--allow", "x/32:80"], "--allow", id="no network"),
        pytest.param(["--list", "/dev/null"], "没有网址", id="empty list"),
        pytest.param(["https://a.gov.cn/", "--jobs", "0"], "--jobs", id="no worker"),
    ],
)
def test_a_wrong_call_says_what_is_wrong_and_checks_nothing(tmp_path, arguments, words):
    code, told, found = check(tmp_path, *arguments)

    assert (code, found) == (2, {})
    assert words in told


def test_loopback_is_never_allowed_in_production(tmp_path):
    settings = Settings.from_env(an_environment(HALL_ENV="production"))

    code, told, found = check(tmp_path, "http://127.0.0.1:1/", base="http://127.0.0.1:1", settings=settings)

    assert (code, found) == (2, {})
    assert "loopback may be allowed in test and demo only" in told


def test_a_fault_of_ours_over_one_page_costs_no_other_its_report(tmp_path, monkeypatch):
    # No page is known that breaks the gatherer, so it is broken by hand.
    def broken(declaration, guard):
        return gather_static(declaration, guard) if declaration.url.endswith("/b") else 1 / 0

    monkeypatch.setattr(batch, "gather_static", broken)
    with serving({"/b": GOOD}) as base:
        code, _, found = check(tmp_path, f"{base}/a", f"{base}/b", "--static-only", base=base)

    assert (code, found[f"{base}/a"]["refusal"]["code"]) == (2, "internal_error")
    assert rule(found[f"{base}/b"], "MAS-ENT-01")["verdict"] == "pass"


@pytest.mark.browser
def test_a_page_is_opened_in_every_client_and_shown_with_its_faults(tmp_path):
    with sample_pages() as (base, _outage, _clock):
        rows = requests.get(f"{base}/catalogue.json", timeout=5).json()["pages"]
        row = next(one for one in rows if one["slug"] == "guozi")
        names = ("--name", row["name"], "--body", row["body"], "--hotline", row["hotline"])
        code, _, found = check(tmp_path, row["url"], *names, base=base)

    document = found[row["url"]]
    pictures = {
        one["label"]: tmp_path / "screenshots" / f"{one['sha256']}.png" for one in document["screenshots"]
    }
    assert (code, rule(document, "MAS-LAY-02")["verdict"]) == (1, "fail")
    assert {"plain-360", "wechat-360", "alipay-360"} <= pictures.keys()
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures.values())
    assert 'class="spot grave"' in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.browser
def test_only_the_channels_asked_for_are_opened(tmp_path):
    with serving({"/": GOOD}) as base:
        _, _, found = check(tmp_path, f"{base}/", "--channels", "alipay", base=base)

    clients = {one["client"] for one in found[f"{base}/"]["screenshots"]}
    assert clients == {"plain", "alipay"}
    assert rule(found[f"{base}/"], "MAS-CHN-02")["verdict"] == "not_applicable"


@pytest.mark.browser
def test_the_elder_profile_takes_the_address_for_the_elder_edition(tmp_path):
    with serving({"/": GOOD}) as base:
        _, _, found = check(tmp_path, f"{base}/", "--profile", "elder", "--channels", "plain", base=base)

    document = found[f"{base}/"]
    assert document["profile"] == "elder"
    assert "elder-360" in {one["label"] for one in document["screenshots"]}
    assert rule(document, "MAS-A11-06")["verdict"] == "fail"


def test_without_a_browser_a_good_page_cannot_be_judged(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")

    with sample_pages() as (base, _outage, _clock):
        code, told, found = check(tmp_path, f"{base}/huzheng/", base=base)

    assert (code, found[f"{base}/huzheng/"]["verdict"]) == (2, "undecided")
    assert "未检测完" in told
    assert (tmp_path / "report.html").exists()


def test_without_a_browser_there_is_no_pdf_and_the_exit_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")

    options = ("--static-only", "--format", "json,pdf")
    with sample_pages() as (base, _outage, _clock):
        code, told, found = check(tmp_path, f"{base}/huzheng/", *options, base=base)

    assert (code, len(found)) == (2, 1)
    assert "没有安装 chromium-headless-shell" in told


@pytest.mark.browser
def test_ctrl_c_leaves_no_process(tmp_path):
    with serving({"/": silent, "/page": GOOD}) as base:
        port = urlsplit(base).port
        command = [
            sys.executable,
            "-m",
            "flask",
            "--app",
            "wsgi",
            "pages",
            "check",
            f"{base}/page",
            f"{base}/",
        ]
        options = ["--allow", f"127.0.0.1/32:{port}", "--output", str(tmp_path)]
        bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        running = subprocess.Popen(
            [*command, *options], cwd=ROOT, env=bare, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(lambda: browsers_of(running.pid))
        running.send_signal(signal.SIGINT)

        assert running.wait(10) == 130
        until(lambda: not browsers_of(running.pid))


def until(holds, seconds=30):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def browsers_of(pid):
    """Return the processes of the browsers that ``pid`` started, by the name of their profile."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [path] if f"hall-browser-{pid}-" in path.read_text(errors="replace") else []
        except OSError:  # ended in between
            continue
    return found
