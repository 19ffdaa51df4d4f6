"""Every rendered rule against its labelled pages in a real browser: the file's name says the verdict."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest

from mobile_pages.artifact import Artifact, Client, Rendering, Trouble
from mobile_pages.gather.browser import Browser
from mobile_pages.gather.page import PageLimits
from mobile_pages.gather.rendered import Opening, gather_rendered, openings_for
from mobile_pages.guard import Guard, Policy
from mobile_pages.spec.base import Profile, Severity, Verdict
from mobile_pages.spec.engine import RuleResult, judge, load_rules
from tests.mobile_pages import servers
from tests.mobile_pages.spec.builders import (
    BROWSER_RULES,
    ORIGIN,
    PAGES,
    a_declaration,
    a_fetch,
    an_artifact,
    evidence_in,
    sidecar_of,
)
from tests.mobile_pages.spec.coincidences import rules_failed_by

pytestmark = pytest.mark.browser

RENDERED = {rule_id: one for rule_id, one in load_rules().items() if rule_id in BROWSER_RULES}
CASES = [
    (rule_id, page)
    for rule_id in RENDERED
    for page in sorted((PAGES / rule_id).glob("*.html"))
    if not page.stem.startswith("_")
]
VERDICTS = {
    "pass": Verdict.PASS,
    "fail": Verdict.FAIL,
    "review": Verdict.NEEDS_REVIEW,
    "absent": Verdict.NOT_APPLICABLE,
}
PLAIN = Opening("plain-360")
SLOW = replace(PLAIN, watched=True)
WECHAT = Opening("wechat-360", client=Client.WECHAT)
ALIPAY = Opening("alipay-360", client=Client.ALIPAY)
ELDER = Opening("elder-360", variant="elder")
ELDER_PAGES = Opening("elder-page", variant="elder-pages")
SIGNED_IN = Opening("signed-360", variant="signed")
OPENINGS = {
    "horizontal-overflow": (PLAIN, Opening("plain-320", width=320), Opening("plain-414", width=414)),
    "text-zoom": (PLAIN, Opening("zoom-360", text_zoom=1.5)),
    "elder-edition": (PLAIN, ELDER),
    "elder-target-size": (PLAIN, ELDER),
    "elder-advertising": (PLAIN, ELDER),
    "elder-coverage": (PLAIN, ELDER, ELDER_PAGES),
    "known-identity": (PLAIN, SIGNED_IN),
    "reading-structure": (replace(PLAIN, second_opinion=True),),
    "blank-page": (PLAIN, WECHAT, ALIPAY),
    "channel-parity": (PLAIN, WECHAT, ALIPAY),
    "extra-parameters": (PLAIN, Opening("extra-360", variant="extra")),
    "automatic-navigation": (SLOW,),
    "visible-time": (SLOW,),
    "largest-paint": (SLOW,),
    "layout-stability": (SLOW,),
}
SECOND_LEVEL = PAGES / "elder-coverage" / "_second.html"
OTHER_ORIGIN = "https://tupian.example.gov.cn"
LIMITS = PageLimits(
    deadline_seconds=8, load_seconds=2, settle_seconds=0.6, quiet_seconds=0.1, watch_seconds=0.5
)
# The times these pages wait for are those of the clause itself.
PATIENT_RULES = {"visible-time", "largest-paint"}
PATIENT = replace(LIMITS, load_seconds=7, settle_seconds=5, watch_seconds=0)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001"
    "f61738550000000049454e44ae426082"
)


def answer_page(handler: BaseHTTPRequestHandler) -> None:
    """Answer with a labelled page, or with something of the asked size or slowness."""
    parts = urlsplit(handler.path)
    query = {key: int(value) for key, (value,) in parse_qs(parts.query).items() if value.isdigit()}
    name = parts.path.rpartition("/")[2]
    file = PAGES / parts.path.lstrip("/")
    if name == "_image.png":
        servers.send(handler, PNG, "image/png")
    elif name == "_bytes":
        servers.send(handler, bytes(query["count"]), "image/png")
    elif name == "_slow.js":
        time.sleep(query["ms"] / 1000)
        servers.send(handler, b"", "text/javascript")
    elif name == "_frame.html":
        servers.send(handler, b"<!doctype html><html lang=zh-CN><title>map</title>", "text/html")
    elif parts.path.startswith("/m/sbcx/"):  # where the good page leads to
        servers.send(handler, SECOND_LEVEL.read_bytes(), "text/html; charset=utf-8")
    elif file.is_file():
        servers.send(handler, file.read_bytes(), "text/html; charset=utf-8")
    else:
        servers.send(handler, b"not found", "text/plain", status=404)


class Visitor:
    """Renders labelled pages, each text once per set of openings."""

    def __init__(self, base: str, browser: Browser) -> None:
        self._base = base
        self._browser = browser
        port = urlsplit(base).port or 80
        hosts = [("127.0.0.0/8", port), ("::1/128", port)]
        self._guard = Guard(Policy.allowing(hosts, test_or_demo=True))
        self._known: dict[tuple[object, ...], Artifact] = {}

    def artifact(self, rule_id: str, page: Path) -> Artifact:
        side = page.with_suffix(".yaml")
        text = [one.read_bytes() for one in (page, side) if one.exists()]
        key = (*text, OPENINGS.get(rule_id, (PLAIN,)), rule_id in PATIENT_RULES)
        if key not in self._known:
            self._known[key] = self._artifact(rule_id, page)
        return self._known[key]

    def _artifact(self, rule_id: str, page: Path) -> Artifact:
        url = f"{self._base}/{page.relative_to(PAGES)}"
        sidecar = sidecar_of(page)
        changes = sidecar.get("declaration", {})
        changes |= {
            key: urljoin(url, changes[key]) for key in ("elder_url", "signed_in_url") if key in changes
        }
        declaration = a_declaration(**{"url": url, "domains": (), **changes})
        wanted = OPENINGS.get(rule_id, (PLAIN,))
        renderings = gather_rendered(
            declaration,
            self._browser,
            guard=self._guard,
            openings=[one for one in wanted if one.variant == "entry" or one in openings_for(declaration)],
            store_screenshot=lambda png: "",
            limits=PATIENT if rule_id in PATIENT_RULES else LIMITS,
        )
        artifact = an_artifact(declaration=declaration, renderings=renderings, evidence=evidence_in(sidecar))
        return self._as_published(page, artifact)

    def _as_published(self, page: Path, artifact: Artifact) -> Artifact:
        """Return the artifact as if the page had its address in public, its own source in the static part."""
        moved = Artifact.from_json(self._published(artifact.to_json()))
        html = self._published(page.read_text(encoding="utf-8"))
        url = moved.declaration.url
        entry = replace(a_fetch(html), requested_url=url, final_url=url)
        return replace(moved, static=replace(moved.static, entry=entry))

    def _published(self, text: str) -> str:
        """Replace this machine's two names by names of public hosts."""
        port = urlsplit(self._base).port
        for own in (f"localhost:{port}", "localhost:${location.port}"):
            text = text.replace(f"http://{own}", OTHER_ORIGIN)
        own_host = json.dumps(urlsplit(OTHER_ORIGIN).hostname)
        return text.replace(self._base, ORIGIN).replace('"localhost"', own_host)

    def every_way(self, page: Path) -> Artifact:
        url = f"{self._base}/{page.relative_to(PAGES)}"
        declaration = a_declaration(url=url, elder_url=f"{url}?elder=1", domains=())
        renderings = gather_rendered(
            declaration,
            self._browser,
            guard=self._guard,
            openings=openings_for(declaration),
            store_screenshot=lambda png: "",
            limits=LIMITS,
        )
        return an_artifact(declaration=declaration, renderings=renderings)


@pytest.fixture(scope="module")
def visitor() -> Iterator[Visitor]:
    with servers.answering(answer_page) as base, Browser() as browser:
        yield Visitor(base, browser)


def named(cases: list[tuple[str, Path]]) -> list[Any]:
    return [pytest.param(rule_id, page, id=f"{rule_id}/{page.stem}") for rule_id, page in cases]


def said(artifact: Artifact, rule_id: str, profile: Profile = Profile.STANDARD) -> RuleResult:
    report = judge(artifact, profile, spec_rules={rule_id: RENDERED[rule_id]})
    return report.results[0]


@pytest.mark.parametrize(("rule_id", "page"), named(CASES))
def test_the_verdict_is_the_one_in_the_file_name(visitor: Visitor, rule_id: str, page: Path) -> None:
    expected = VERDICTS[page.stem.split("-")[0]]

    result = said(visitor.artifact(rule_id, page), rule_id)

    assert result.verdict is expected, (result.measured, result.reason, result.findings)
    if expected is Verdict.FAIL:
        assert result.findings
        assert all(one.where and one.advice and one.count >= 1 for one in result.findings)


@pytest.mark.parametrize(
    ("rule_id", "page"), named([one for one in CASES if one[1].stem.startswith(("pass", "fail"))])
)
def test_a_page_fails_its_own_rule_or_none(visitor: Visitor, rule_id: str, page: Path) -> None:
    report = judge(visitor.artifact(rule_id, page), Profile.STANDARD)

    failed = {one.id: one.findings for one in report.results if one.verdict is Verdict.FAIL}

    assert set(failed) == rules_failed_by(rule_id, page.stem), failed


@pytest.mark.parametrize("rule_id", RENDERED)
def test_every_rule_has_a_page_that_passes_and_one_that_fails(rule_id: str) -> None:
    kinds = {page.stem.split("-")[0] for case, page in CASES if case == rule_id}

    assert {"pass", "fail"} <= kinds


def test_a_good_page_fails_no_rendered_rule_in_either_edition(visitor: Visitor) -> None:
    artifact = visitor.every_way(PAGES / "elder-edition" / "pass-switched.html")

    for profile in Profile:
        report = judge(artifact, profile, spec_rules=RENDERED)
        wrong = [(one.id, one.verdict, one.reason, one.findings) for one in report.results]
        assert [one for one in wrong if one[1] not in {Verdict.PASS, Verdict.NOT_APPLICABLE}] == []


def test_what_was_rendered_survives_as_json_and_is_judged_the_same(visitor: Visitor) -> None:
    page = PAGES / "text-contrast" / "fail-half-transparent.html"
    artifact = visitor.artifact("text-contrast", page)

    again = Artifact.from_json(artifact.to_json())

    assert judge(again, Profile.STANDARD) == judge(artifact, Profile.STANDARD)


def test_only_main_controls_under_forty_four_make_the_fault_mild(visitor: Visitor) -> None:
    mild = PAGES / "target-size" / "fail-button-forty-three.html"
    grave = PAGES / "target-size" / "fail-crowded-twenty.html"

    severities = [
        said(visitor.artifact("target-size", page), "target-size").severity for page in (mild, grave)
    ]

    assert severities == [Severity.SHOULD, Severity.MUST]


def test_a_missing_elder_edition_fails_where_the_elder_edition_is_asked_for(visitor: Visitor) -> None:
    page = PAGES / "elder-edition" / "absent-not-registered.html"

    result = said(visitor.artifact("elder-edition", page), "elder-edition", Profile.ELDER)

    assert result.verdict is Verdict.FAIL


@pytest.mark.parametrize("rule_id", RENDERED)
def test_without_a_browser_no_rule_passes(rule_id: str) -> None:
    trouble = Trouble("browser_missing", "本机没有安装 chromium-headless-shell。")

    result = said(an_artifact(rendered_trouble=trouble), rule_id)

    assert result.verdict is Verdict.NOT_RUN
    assert trouble.detail in result.reason


@pytest.mark.parametrize("rule_id", [one for one in RENDERED if one != "blank-page"])
def test_a_page_that_could_not_be_measured_is_not_judged_by_what_it_shows(rule_id: str) -> None:
    declaration = a_declaration(elder_url="https://wsbs.example.gov.cn/elder")
    trouble = Trouble("timeout", "页面在 20 秒内没有检查完。")
    renderings = tuple(
        Rendering(one.label, one.client, one.width, 740, trouble=trouble) for one in openings_for(declaration)
    )

    result = said(an_artifact(declaration=declaration, renderings=renderings), rule_id)

    assert result.verdict is Verdict.NOT_RUN
    assert result.reason == trouble.detail


def test_a_page_that_could_not_be_measured_counts_as_blank() -> None:
    trouble = Trouble("timeout", "页面在 20 秒内没有检查完。")
    rendering = Rendering("plain-360", Client.PLAIN, 360, 740, trouble=trouble)

    result = said(an_artifact(renderings=(rendering,)), "blank-page")

    assert result.verdict is Verdict.FAIL
    assert result.findings[0].measured == trouble.detail


@pytest.mark.parametrize("code", ["redirect_loop", "too_many_redirects"])
def test_redirects_without_end_are_a_fault_though_no_browser_opened_the_page(code: str) -> None:
    trouble = Trouble(code, "页面循环跳转，无法打开。")

    result = said(an_artifact(entry=a_fetch(status=0, trouble=trouble)), "automatic-navigation")

    assert result.verdict is Verdict.FAIL
    assert result.findings[0].snippet == trouble.detail


def test_dialogs_without_end_are_a_fault_though_the_page_could_not_be_measured() -> None:
    trouble = Trouble("dialog_loop", "页面不停地弹出对话框。")
    rendering = Rendering("plain-360", Client.PLAIN, 360, 740, dialogs=("alert: 请下载",), trouble=trouble)

    result = said(an_artifact(renderings=(rendering,)), "dialog-closing")

    assert result.verdict is Verdict.FAIL


def test_repeats_of_one_fault_are_one_finding_with_a_count(visitor: Visitor) -> None:
    page = PAGES / "text-contrast" / "fail-many-rows.html"

    result = said(visitor.artifact("text-contrast", page), "text-contrast")

    assert [one.count for one in result.findings] == [30]
