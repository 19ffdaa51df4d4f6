"""The checker of the access spec, set upon the hall's own pages: the same visit, the same rules, no waiver.

A test has no port 443, so the port that it had to take is taken out of what was seen before it is
judged; whoever runs the hall has a gateway there.
"""

from __future__ import annotations

import html
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.mobile_access.judging import rules_under
from config.access_spec.versions import load_versions, version_on
from mobile_pages.artifact import Artifact, Declaration, Level
from mobile_pages.gather.browser import Browser
from mobile_pages.gather.page import PageLimits
from mobile_pages.gather.rendered import gather_rendered, openings_for
from mobile_pages.gather.static import gather_static
from mobile_pages.guard import Guard, Policy
from mobile_pages.spec.base import Profile, Severity, Verdict
from mobile_pages.spec.engine import Report, judge
from tests.app.portal.own_pages import HOST, Hall
from tests.processes import BROWSER

WATCHED = frozenset({"MAS-MON-01", "MAS-MON-02", "MAS-MON-03", "MAS-MON-04"})
"""What only the watch can tell, of a page that has been online for a while."""
QUICK = frozenset({"plain-360", "wechat-360", "alipay-360", "extra-360", "elder-360", "elder-zoom-360"})
NOT_JUDGED = {"/go/<id:page_id>": "the notice that a page is closed answers 503, as MAS-MON-03 wants"}
PATIENT = PageLimits(deadline_seconds=60, watch_seconds=1.0)


@dataclass(frozen=True)
class Checker:
    """Visits pages of one hall. ``browser`` trusts its certificate and no other that it cannot verify."""

    hall: Hall
    guard: Guard
    browser: Browser

    def check(self, path: str, profile: Profile = Profile.STANDARD, *, quick: bool = False) -> Report:
        """Judge a page; ``quick`` leaves out the widths, zooms and states that every page shares."""
        seen, now = self.visit(path, profile, quick=quick), datetime.now(UTC)
        spec = version_on(now.date(), load_versions())
        rules = rules_under(spec.pinch_zoom)
        return judge(seen, profile, spec_version=spec.version, spec_rules=rules)

    def visit(self, path: str, profile: Profile, *, quick: bool) -> Artifact:
        """Gather what the rules read."""
        port = f":{self.hall.port}"
        asked = _declaration(f"https://{HOST}{port}{path}", _title_of(self.hall, path))
        elder = profile is Profile.ELDER
        openings = openings_for(asked, elder=elder)
        made = gather_rendered(
            asked,
            self.browser,
            guard=self.guard,
            openings=[one for one in openings if not quick or one.label in QUICK],
            store_screenshot=lambda _: "",
            limits=PATIENT,
        )
        static = gather_static(asked, self.guard, ca_file=self.hall.ca_file)
        seen = Artifact(asked, datetime.now(UTC).isoformat(), static, made, None)
        return Artifact.from_json(seen.to_json().replace(f"{HOST}{port}", HOST))


def _title_of(hall: Hall, path: str) -> str:
    """Return what the page calls itself: each of our pages is registered under its own name."""
    found = re.search("<title>(.*?)</title>", hall.page(path))
    assert found, path
    return html.unescape(found[1])


@contextmanager
def a_checker(hall: Hall) -> Iterator[Checker]:
    """Give a checker that finds the hall by its name."""

    def look_up(host: str) -> list[str]:
        if host != HOST:
            raise OSError("no such name")
        return ["127.0.0.1"]

    async def alook_up(host: str) -> list[str]:
        return look_up(host)

    policy = Policy.allowing((("127.0.0.1/32", hall.port),), test_or_demo=True)
    with tempfile.TemporaryDirectory() as folder:
        starter = _trusting_browser(hall, Path(folder))
        with Browser(str(starter)) as browser:
            yield Checker(hall, Guard(policy, look_up, alook_up), browser)


def _trusting_browser(hall: Hall, folder: Path) -> Path:
    """Write a starter of the browser that trusts the hall's key: it has no other place for test roots."""
    folder.chmod(0o755)  # root's browser runs as nobody
    starter = folder / "browser"
    pin = f"--ignore-certificate-errors-spki-list={hall.key_pin}"
    starter.write_text(f'#!/bin/sh\nexec {shlex.quote(str(shutil.which(BROWSER)))} {shlex.quote(pin)} "$@"\n')
    starter.chmod(0o755)
    return starter


def _declaration(url: str, name: str) -> Declaration:
    return Declaration(
        name=name,
        name_reason="网页自己的名称",
        health_url=f"https://{HOST}/readyz",
        url=url,
        body_name="广东省人民政府办公厅",
        level=Level.PROVINCE,
        hotline="12345",
        description="为广东居民和企业提供事项查询、在线申请和办件进度查询等服务。",
        elder_url=f"{url}{'&' if '?' in url else '?'}style=elder",
        icp_number="粤ICP备12345678号",
    )


def faults(report: Report) -> list[str]:
    """Return what keeps a page from being faultless: every failed rule, and must-rules without a verdict."""
    return [
        f"{one.code} {one.severity} {one.verdict}: {one.title}: {one.reason or one.measured} "
        + "; ".join(f"{each.where} {each.measured} {each.snippet[:120]}" for each in one.findings[:3])
        for one in report.results
        if one.verdict is Verdict.FAIL
        or (one.verdict is Verdict.NOT_RUN and one.severity is Severity.MUST and one.code not in WATCHED)
    ]
