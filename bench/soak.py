"""`make soak`: what takes too long for the suite, every labelled page five times and 1,000 pages in a row."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice, product
from pathlib import Path

from bench.load import family, rss_mb
from mobile_pages.artifact import Artifact
from mobile_pages.gather.browser import Browser
from mobile_pages.spec.base import Profile
from tests.app.portal.own_check import NOT_JUDGED, a_checker, faults
from tests.app.portal.own_pages import a_hall
from tests.mobile_pages import servers
from tests.mobile_pages.spec.repeats import differences, static_pages
from tests.mobile_pages.spec.test_rendered_rules import CASES, Visitor, answer_page

RUNS = 5
PAGES = 1000
MOST_MB = 200


def main(arguments: list[str]) -> int:
    """Return 0 when every proof held."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help="looks at every labelled page")
    parser.add_argument("--pages", type=int, default=PAGES, help="pages opened in a row")
    chosen = parser.parse_args(arguments)
    kept = [_own_pages_pass(), _is_repeatable(chosen.runs), _leaves_nothing(chosen.pages)]
    return int(not all(kept))


def _own_pages_pass() -> bool:
    """Judge every page for residents in both editions by the whole access spec, without a waiver."""
    began, found = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder, a_hall(Path(folder)) as hall, a_checker(hall) as checker:
        judged = sorted(hall.pages.keys() - NOT_JUDGED.keys())
        for route, profile in product(judged, Profile):
            for fault in faults(checker.check(hall.pages[route], profile)):
                print(f"  {route} {profile}: {fault}")
                found += 1
    minutes = (time.monotonic() - began) / 60
    print(
        f"{len(judged)} pages for residents in both editions in {minutes:.1f} min: {found} faults", flush=True
    )
    return not found


def _is_repeatable(runs: int) -> bool:
    """Judge all labelled pages ``runs`` times, each time in a new browser, and print what differs."""
    began = time.monotonic()
    looks = [dict(_look()) for _ in range(runs)]
    varying = differences(looks)
    for name, rules in varying.items():
        print(f"  {name} differs in {', '.join(rules)}")
    minutes = (time.monotonic() - began) / 60
    print(
        f"{len(looks[0])} labelled pages {runs} times in {minutes:.1f} min: {len(varying)} differ", flush=True
    )
    return not varying


def _look() -> Iterator[tuple[str, Artifact]]:
    for page, artifact in static_pages():
        yield f"{page.parent.name}/{page.stem}", artifact
    with servers.answering(answer_page) as base, Browser() as browser:
        visitor = Visitor(base, browser)
        for rule_id, page in CASES:
            yield f"{rule_id}/{page.stem}", visitor.artifact(rule_id, page)


def _leaves_nothing(pages: int) -> bool:
    """Open ``pages`` labelled pages one after another; afterwards nothing may run or lie about."""
    files_before = len(os.listdir("/proc/self/fd"))
    with servers.answering(answer_page) as base, Browser() as browser:
        for rule_id, page in islice(cycle(CASES), pages):
            Visitor(base, browser).artifact(rule_id, page)  # a new visitor remembers no page
        memory = rss_mb(os.getpid())
    processes = len(family(os.getpid())) - 1
    files = len(os.listdir("/proc/self/fd")) - files_before
    profiles = len(list(Path("/tmp").glob(f"hall-browser-{os.getpid()}-*")))
    print(
        f"{pages} pages in a row: {processes} processes, {profiles} profiles and {files} open files left, "
        f"{memory:.0f} MB at the end (at most {MOST_MB})",
        flush=True,
    )
    return not processes and not profiles and files <= 0 and memory <= MOST_MB


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
