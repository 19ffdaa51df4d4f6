"""What must be equal when the same page is judged again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Profile
from mobile_pages.spec.engine import judge, load_rules
from tests.mobile_pages.spec.builders import BROWSER_RULES, PAGES, artifact_of

# How long something took differs from look to look, and so do the ports of this machine.
_VARYING = re.compile(r"\d+(?:\.\d+)? (?:毫秒|秒)|(?<=127\.0\.0\.1:)\d+")


def judged(artifacts: Iterable[Artifact]) -> list[dict[str, object]]:
    """Return per artifact every rule's verdict, figures and findings, without times and ports."""
    return [
        {
            result.id: _VARYING.sub("…", repr((result.verdict, result.measured, _findings(result.findings))))
            for result in judge(artifact, Profile.STANDARD).results
        }
        for artifact in artifacts
    ]


def differences(looks: Sequence[Mapping[str, Artifact]]) -> dict[str, list[str]]:
    """Return by page the ids of the rules that did not say the same in every one of ``looks``."""
    first, *others = [dict(zip(look, judged(look.values()), strict=True)) for look in looks]
    varying = {
        page: sorted({rule for other in others for rule in said if other[page].get(rule) != said[rule]})
        for page, said in first.items()
    }
    return {page: rules for page, rules in varying.items() if rules}


def _findings(findings: Iterable[Finding]) -> list[dict[str, object]]:
    return [asdict(one) for one in findings]


def static_pages() -> list[tuple[Path, Artifact]]:
    """Return every labelled page that needs no browser, with its artifact."""
    rules = [rule_id for rule_id in load_rules() if rule_id not in BROWSER_RULES]
    pages = [page for rule_id in rules for page in sorted((PAGES / rule_id).glob("*.html"))]
    return [(page, artifact_of(page)) for page in pages]
