"""A page that does not change gets the same verdicts and findings every time it is looked at."""

from __future__ import annotations

import pytest

from mobile_pages.gather.browser import Browser
from tests.mobile_pages import servers
from tests.mobile_pages.spec.builders import PAGES
from tests.mobile_pages.spec.repeats import judged, static_pages
from tests.mobile_pages.spec.test_rendered_rules import Visitor, answer_page

# One page for each way of measuring; all pages, five times, are the business of `make soak`.
FEW = (
    "horizontal-overflow/fail-long-number",
    "text-zoom/fail-overlap",
    "text-contrast/fail-many-rows",
    "target-size/fail-crowded-twenty",
    "elder-edition/pass-switched",
    "layout-stability/fail-late-banner",
    "channel-parity/fail-field-missing",
)


def test_pages_that_need_no_browser_are_judged_the_same_twice() -> None:
    pages = static_pages()

    first, second = (judged(artifact for _, artifact in pages) for _ in range(2))

    assert len(pages) > 100
    assert first == second


@pytest.mark.browser
def test_a_page_is_judged_the_same_in_another_browser() -> None:
    def look() -> list[dict[str, object]]:
        with servers.answering(answer_page) as base, Browser() as browser:
            visitor = Visitor(base, browser)
            return judged(visitor.artifact(name.partition("/")[0], PAGES / f"{name}.html") for name in FEW)

    first, second = look(), look()

    assert first == second
