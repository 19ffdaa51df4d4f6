"""The access spec's own rules find in the sample pages what the catalogue says, and nothing in good ones."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from mobile_pages.artifact import Artifact, Declaration, Level
from mobile_pages.gather.browser import Browser
from mobile_pages.gather.rendered import gather_rendered
from mobile_pages.gather.static import gather_static
from mobile_pages.guard import Guard, Policy
from mobile_pages.spec import engine
from mobile_pages.spec.base import Profile, Verdict
from mobile_pages.spec.editions import editions_of, joined
from sandbox.pages.catalogue import load_content, load_pages
from tests.sandbox.servers import sample_pages

# What no page on http://127.0.0.1:<port> can meet: https, and a registered name without a port.
OUT_OF_REACH = {"MAS-TRN-01", "MAS-ENT-02"}


def declared(base: str, slug: str) -> Declaration:
    rows: list[dict[str, Any]] = requests.get(base + "/catalogue.json", timeout=5).json()["pages"]
    row = next(row for row in rows if row["slug"] == slug)
    names = ("name", "url", "region_code", "service_region_code", "hotline", "description", "elder_url")
    return Declaration(
        **{name: row[name] for name in names},
        body_name=row["body"],
        level=Level(row["level"]),
        health_url=row["health_url"],
        icp_number=row["icp_number"],
    )


def failed_codes(slug: str, *, rendered: bool) -> set[str]:
    with sample_pages() as (base, _outage, _clock):
        declaration = declared(base, slug)
        port = urlsplit(base).port or 0
        guard = Guard(Policy.allowing([("127.0.0.1/32", port)], test_or_demo=True))
        renderings: tuple[Any, ...] = ()
        if rendered:
            browser = Browser()
            try:
                renderings = gather_rendered(
                    declaration,
                    browser,
                    guard=guard,
                    store_screenshot=lambda png: hashlib.sha256(png).hexdigest(),
                )
            finally:
                browser.close()
        static = gather_static(declaration, guard)
        artifact = Artifact(declaration, datetime.now(UTC).isoformat(), static, renderings)
        editions = editions_of(declaration) if rendered else (Profile.STANDARD,)
        report = joined([engine.judge(artifact, one) for one in editions])
    return {result.code for result in report.results if result.verdict is Verdict.FAIL} - OUT_OF_REACH


@pytest.mark.parametrize("slug", [slug for slug in load_pages() if slug in load_content()])
def test_a_good_page_fails_no_static_rule(slug: str) -> None:
    assert failed_codes(slug, rendered=False) == set()


@pytest.mark.parametrize("slug", ["keji", "tongji", "dongguan-xuewei", "zhuhai-biaoge", "shenji"])
def test_a_faulty_page_fails_static_rules_it_names_and_no_others(slug: str) -> None:
    failed = failed_codes(slug, rendered=False)

    assert failed
    assert failed <= set(load_pages()[slug].breaks)


@pytest.mark.browser
@pytest.mark.parametrize("slug", ["huzheng", "guozi", "sifa", "shuili", "foshan-tingche"])
def test_rendered_rules_find_exactly_what_the_catalogue_names(slug: str) -> None:
    assert failed_codes(slug, rendered=True) == set(load_pages()[slug].breaks)
