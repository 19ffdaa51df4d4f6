"""The check and axe-core over W3C's labelled ACT cases: `python -m bench.act FOLDER`.

FOLDER is a copy of ``content-assets/wcag-act-rules`` of the repository w3c/wcag-act-rules, or a checkout
of the whole. Every case is opened as a phone opens it. A failed example is caught when the rule says
«fail»; any other example for which it says so is a false alarm. What the rule leaves to a person
(«needs_review», axe's «incomplete») is counted apart and is neither.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import mimetypes
import re
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from bench.servers import ROOT
from mobile_pages.artifact import Artifact, Declaration, Fetch, StaticPart
from mobile_pages.gather.browser import Browser
from mobile_pages.gather.page import Device, Page, PageLimits, PageTrouble
from mobile_pages.gather.rendered import Opening, gather_rendered
from mobile_pages.guard import Guard, Policy
from mobile_pages.proxy import FilteringProxy
from mobile_pages.spec.base import Profile, Verdict
from mobile_pages.spec.engine import judge

PHONE_RULES = {
    "2779a5": "MAS-ENT-03",
    "b4f0c3": "MAS-LAY-03",
    "59br37": "MAS-LAY-04",
    "b33eff": "MAS-LAY-06",
    "b5c3f8": "MAS-A11-01",
    "bf051a": "MAS-A11-01",
    "de46e4": "MAS-A11-01",
    "afw4f7": "MAS-A11-02",
    "23a2a8": "MAS-A11-03",
    "59796f": "MAS-A11-03",
    "7d6734": "MAS-A11-03",
    "8fc3b6": "MAS-A11-03",
    "97a4e1": "MAS-A11-04",
    "c487ae": "MAS-A11-04",
    "cae760": "MAS-A11-04",
    "e086e5": "MAS-A11-04",
    "4c31df": "MAS-A11-05",
    "80f0bf": "MAS-A11-05",
    "aaa1bf": "MAS-A11-05",
    "bc659a": "MAS-A11-05",
    "0ssw9k": "MAS-A11-12",
    "6cfa84": "MAS-A11-12",
    "ffd0e9": "MAS-A11-12",
    "73f2c2": "MAS-FRM-02",
}
"""ACT rules that concern phones, by the clause of the access spec that takes them up."""

_ABOUT = {"73f2c2": "autocomplete"}
"""Of clauses that ask for more than the ACT rule: the word by which its own findings are known."""

_AXE = ROOT / "mobile_pages/gather/vendor/axe.min.js"
_SITE = "/WAI/content-assets/wcag-act-rules/"
_LIMITS = PageLimits(
    deadline_seconds=12, load_seconds=6, settle_seconds=0.3, quiet_seconds=0.1, watch_seconds=0
)
_PLAIN = Opening("plain-360", second_opinion=True)
# The ACT rule speaks of text at 200 %; the clause asks for 150 %.
_ZOOMED = Opening("zoom-360", text_zoom=2.0)
_TITLE = re.compile(r"<title[^>]*>\s*([^<]*?)\s*</title>", re.I)


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled page; ``path`` is relative to the folder of ``testcases.json``."""

    rule: str
    title: str
    path: str
    fails: bool


@dataclass(slots=True)
class Score:
    """What one tool said of the cases of one rule.

    Attributes:
        knows: False when the tool has no rule for it.
        missed: failed examples it did not fail; ``false`` the others it failed.
    """

    knows: bool = True
    caught: int = 0
    asked: int = 0
    right: int = 0
    missed: list[Case] = field(default_factory=list)
    false: list[Case] = field(default_factory=list)

    def add(self, case: Case, verdict: Verdict) -> None:
        failed = verdict is Verdict.FAIL
        self.asked += verdict is Verdict.NEEDS_REVIEW
        self.right += failed == case.fails
        self.caught += failed and case.fails
        if case.fails and not failed:
            self.missed.append(case)
        if failed and not case.fails:
            self.false.append(case)


def run(folder: Path, *, only: set[str], details: bool) -> None:
    """Print caught examples and false alarms per ACT rule, ours beside axe-core's."""
    base = folder if (folder / "testcases.json").exists() else folder / "content-assets/wcag-act-rules"
    cases = load_cases(base, only or set(PHONE_RULES))
    with _serving(base) as address, Browser() as browser:
        checker = _Checker(address, base, browser)
        print(
            f"ACT cases: {len(cases)} of {len({one.rule for one in cases})} rules\n"
            f"{'rule':7} {'clause':11}{'failing':>8} | {'ours':>6}{'false':>6}{'asked':>6}{'right':>9} | "
            f"{'axe':>6}{'false':>6}{'asked':>6}{'right':>9}"
        )
        pairs = [
            checker.scores(rule, [one for one in cases if one.rule == rule])
            for rule in PHONE_RULES
            if any(one.rule == rule for one in cases)
        ]
        _print_totals(pairs)
        if details:
            for ours, _ in pairs:
                _print_faults(ours, address)


def load_cases(base: Path, rules: set[str]) -> list[Case]:
    """Return the cases of ``rules`` whose files are there, in the order of the list."""
    known = json.loads((base / "testcases.json").read_text(encoding="utf-8"))["testcases"]
    return [
        Case(one["ruleId"], one["testcaseTitle"], one["relativePath"], one["expected"] == "failed")
        for one in known
        if one["ruleId"] in rules and (base / one["relativePath"]).is_file()
    ]


class _Checker:
    """Opens cases in one browser, judges them and lets axe-core judge them."""

    def __init__(self, address: str, base: Path, browser: Browser) -> None:
        self._address = address
        self._base = base
        self._browser = browser
        port = urlsplit(address).port or 80
        self._guard = Guard(Policy.allowing([("127.0.0.1/32", port)], test_or_demo=True))

    def scores(self, rule: str, cases: list[Case]) -> tuple[Score, Score]:
        ours, axe = Score(), Score()
        for case in cases:
            verdict = self._our_verdict(case)
            ours.knows = verdict is not None
            ours.add(case, verdict or Verdict.NOT_RUN)
            said = self._axe_verdict(case)
            axe.knows = said is not None
            axe.add(case, said or Verdict.NOT_RUN)
        failing = sum(one.fails for one in cases)
        worse = axe.knows and (ours.caught < axe.caught or len(ours.false) > len(axe.false))
        columns = " | ".join(_columns(one, len(cases)) for one in (ours, axe))
        print(
            f"{rule:7} {PHONE_RULES[rule]:11}{failing:8} | {columns}{'  < axe' if worse else ''}", flush=True
        )
        return ours, axe

    def _url(self, case: Case) -> str:
        return f"{self._address}{_SITE}{case.path}"

    def _our_verdict(self, case: Case) -> Verdict | None:
        """Return what the clause says, None when no rule judges it."""
        source = (self._base / case.path).read_text(encoding="utf-8", errors="replace")
        title = _TITLE.search(source)
        url = self._url(case)
        # The case's own title is taken for the registered name: only a missing one is a fault here.
        name = (title.group(1) if title else "") or "样例"
        declaration = Declaration(name=name, url=url, body_name="某市政务服务管理局")
        renderings = gather_rendered(
            declaration,
            self._browser,
            guard=self._guard,
            openings=(_PLAIN, _ZOOMED) if case.rule == "59br37" else (_PLAIN,),
            store_screenshot=lambda _png: "0" * 64,
            limits=_LIMITS,
        )
        head = source.encode()[:1024].decode("latin-1")
        kind = mimetypes.guess_type(case.path)[0] or "application/octet-stream"
        entry = Fetch(url, url, 200, headers=(("content-type", kind),), body=source, head_bytes=head)
        static = StaticPart(entry=entry)
        artifact = Artifact(declaration, datetime.now(UTC).isoformat(), static, renderings)
        result = judge(artifact, Profile.STANDARD).result(PHONE_RULES[case.rule])
        if result is None:
            return None
        about = _ABOUT.get(case.rule)
        if about and result.findings and all(about not in one.advice for one in result.findings):
            return Verdict.PASS
        return result.verdict

    def _axe_verdict(self, case: Case) -> Verdict | None:
        """Return what axe-core's rules for this ACT rule say, None when it has none."""
        with FilteringProxy(self._guard) as proxy:
            opened = self._browser.open_page(Device(), proxy=proxy.address, limits=_LIMITS)
            with contextlib.suppress(PageTrouble), opened as page:
                page.go(self._url(case))
                return _axe_said(page, case.rule)
        return Verdict.NOT_RUN


def _axe_said(page: Page, rule: str) -> Verdict | None:
    page.evaluate(f"{_axe_source()}; true")
    said: dict[str, Any] = page.evaluate(
        "(async () => { const values = axe.getRules()"
        f".filter((one) => (one.actIds || []).includes({json.dumps(rule)})).map((one) => one.ruleId);"
        "if (!values.length) return { known: false };"
        "const said = await axe.run(document, { runOnly: { type: 'rule', values } });"
        "return { known: true, failed: said.violations.length, asked: said.incomplete.length }; })()"
    )
    if not said["known"]:
        return None
    if said["failed"]:
        return Verdict.FAIL
    return Verdict.NEEDS_REVIEW if said["asked"] else Verdict.PASS


@cache
def _axe_source() -> str:
    return _AXE.read_text(encoding="utf-8")


def _columns(score: Score, cases: int) -> str:
    if not score.knows:
        return f"{'no rule':>27}"
    right = f"{score.right}/{cases}"
    return f"{score.caught:6}{len(score.false):6}{score.asked:6}{right:>9}"


def _print_totals(pairs: list[tuple[Score, Score]]) -> None:
    both = [(ours, axe) for ours, axe in pairs if axe.knows]
    for name, scores in (("ours", [ours for ours, _ in both]), ("axe-core", [axe for _, axe in both])):
        caught, missed = sum(one.caught for one in scores), sum(len(one.missed) for one in scores)
        false = sum(len(one.false) for one in scores)
        print(
            f"rules that axe-core has, {name:8}: caught {caught} of {caught + missed}, {false} false alarms"
        )


def _print_faults(score: Score, address: str) -> None:
    for word, cases in (("missed", score.missed), ("false alarm", score.false)):
        for case in cases:
            print(f"  {case.rule} {word:11} {case.title:24} {case.path}")


def _as_phone_page(body: bytes, path: str) -> bytes:
    """Give cases about narrow screens the viewport without which a phone lays them out 980 px wide."""
    if "/testcases/59br37/" not in path:
        return body
    return body.replace(b"<head>", b'<head><meta name="viewport" content="width=device-width">', 1)


@contextlib.contextmanager
def _serving(base: Path) -> Iterator[str]:
    """Serve the folder under the address that its pages expect; yield the base address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            file = (base / path.removeprefix(_SITE)).resolve()
            if not file.is_relative_to(base.resolve()) or not file.is_file():
                self.send_error(404)
                return
            body = _as_phone_page(file.read_bytes(), path)
            self.send_response(200)
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.act", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="copy of content-assets/wcag-act-rules")
    parser.add_argument("--rule", action="append", default=[], choices=sorted(PHONE_RULES))
    parser.add_argument("--details", action="store_true", help="name every miss and false alarm of ours")
    chosen = parser.parse_args(arguments)
    run(chosen.folder, only=set(chosen.rule), details=chosen.details)


if __name__ == "__main__":
    main(sys.argv[1:])
