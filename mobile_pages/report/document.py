"""A report as JSON, as it is stored and as departments get it through the API.

``schema.json`` beside this module describes the document.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mobile_pages.artifact import Artifact, Client, Trouble
from mobile_pages.spec.base import Finding, Profile, Severity, Verdict
from mobile_pages.spec.engine import EditionAnswer, Overall, Report, RuleResult, Totals
from mobile_pages.spec.severity import SeverityScale

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Timings:
    """How long the page took, milliseconds.

    Attributes:
        ttfb_ms: first byte of the entry; ``total_ms`` the whole exchange with redirects.
        first_text_ms: first readable text by opening, only those where text appeared.
    """

    ttfb_ms: int
    total_ms: int
    first_text_ms: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Screenshot:
    """Which opening a picture shows, and its content address (sha256 hex of the PNG)."""

    label: str
    client: Client
    width: int
    height: int
    sha256: str


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A report with what is shown beside it.

    Attributes:
        name: what the page is called; ``""`` when nobody said.
        refusal: why the address was not visited at all; the report then holds no results.
    """

    report: Report
    timings: Timings
    screenshots: tuple[Screenshot, ...] = ()
    name: str = ""
    refusal: Trouble | None = None


def stored(report: Report, artifact: Artifact) -> StoredReport:
    """Return a report as it reads after it was stored."""
    return StoredReport(report, _timings(artifact), _screenshots(artifact), artifact.declaration.name)


def refused(
    url: str, refusal: Trouble, *, profile: Profile, spec_version: str, collected_at: str, name: str = ""
) -> StoredReport:
    """Return the report on an address that may not be visited: undecided, no results, the reason."""
    report = Report(
        url=url,
        final_url=url,
        spec_version=spec_version,
        profile=profile,
        verdict=Overall.UNDECIDED,
        collected_at=collected_at,
        results=(),
        totals=Totals(),
        editions=(profile,),
    )
    return StoredReport(report, Timings(0, 0), name=name, refusal=refusal)


def to_json(report: Report, artifact: Artifact) -> dict[str, Any]:
    """Return the document of a report on ``artifact``; see :func:`document_of`."""
    return document_of(stored(report, artifact))


def document_of(one: StoredReport) -> dict[str, Any]:
    """Return the document, plain JSON values only.

    Its keys: ``format_version, url, final_url, spec_version, profile, editions, verdict, collected_at,
    totals, rules, uncovered, timings, screenshots``, and ``name`` and ``refusal`` (``code, detail``) where
    there is one. ``rules`` holds one object per rule in the order of the table: ``id, code, title, group,
    tier, since, severities, severity, verdict, measured, threshold, reason, findings, source, clause, fix,
    waiver, editions``; a finding holds ``where, advice, selector, snippet, measured, count, rendering, box,
    edition``.
    """
    document = dataclasses.asdict(one.report)
    rules = document.pop("results")
    made = {
        "format_version": FORMAT_VERSION,
        **document,
        "rules": [_rule_json(rule) for rule in rules],
        "uncovered": list(one.report.uncovered),
        "editions": list(one.report.editions),
        "timings": dataclasses.asdict(one.timings),
        "screenshots": [dataclasses.asdict(picture) for picture in one.screenshots],
    }
    if one.name:
        made["name"] = one.name
    if one.refusal is not None:
        made["refusal"] = dataclasses.asdict(one.refusal)
    return made


def from_json(document: Mapping[str, Any]) -> StoredReport:
    """Read what :func:`to_json` wrote, so that a stored report can be shown again.

    Raises:
        ValueError: not such a document, or of another format version.
    """
    if document.get("format_version") != FORMAT_VERSION:
        raise ValueError(f"not a report of format version {FORMAT_VERSION}")
    try:
        return StoredReport(
            report=_report(document),
            timings=Timings(**document["timings"]),
            screenshots=tuple(
                Screenshot(**{**one, "client": Client(one["client"])}) for one in document["screenshots"]
            ),
            name=document.get("name", ""),
            refusal=Trouble(**document["refusal"]) if "refusal" in document else None,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a report: {error}") from error


def _rule_json(rule: dict[str, Any]) -> dict[str, Any]:
    findings = [
        {**finding, "box": None if finding["box"] is None else list(finding["box"])}
        for finding in rule["findings"]
    ]
    return {**rule, "findings": findings, "editions": list(rule["editions"])}


def _timings(artifact: Artifact) -> Timings:
    entry = artifact.static.entry
    first_text_ms = {
        one.label: one.first_text_ms for one in artifact.renderings if one.first_text_ms is not None
    }
    return Timings(entry.ttfb_ms, entry.total_ms, first_text_ms)


def _screenshots(artifact: Artifact) -> tuple[Screenshot, ...]:
    return tuple(
        Screenshot(one.label, one.client, one.width, one.height, one.screenshot)
        for one in artifact.renderings
        if one.screenshot is not None
    )


def _report(document: Mapping[str, Any]) -> Report:
    return Report(
        url=document["url"],
        final_url=document["final_url"],
        spec_version=document["spec_version"],
        profile=Profile(document["profile"]),
        verdict=Overall(document["verdict"]),
        collected_at=document["collected_at"],
        results=tuple(_rule(one) for one in document["rules"]),
        totals=Totals(**document["totals"]),
        uncovered=tuple(document["uncovered"]),
        editions=tuple(Profile(one) for one in document.get("editions", [document["profile"]])),
    )


def _rule(raw: Mapping[str, Any]) -> RuleResult:
    return RuleResult(
        **{
            **raw,
            "severity": Severity(raw["severity"]),
            "verdict": Verdict(raw["verdict"]),
            "findings": tuple(_finding(one) for one in raw["findings"]),
            "severities": _scale(raw.get("severities")),
            "editions": tuple(_answer(one) for one in raw.get("editions", ())),
        }
    )


def _scale(raw: Mapping[str, str] | None) -> SeverityScale | None:
    return None if raw is None else SeverityScale(**{name: Severity(one) for name, one in raw.items()})


def _answer(raw: Mapping[str, str]) -> EditionAnswer:
    return EditionAnswer(
        profile=Profile(raw["profile"]),
        severity=Severity(raw["severity"]),
        verdict=Verdict(raw["verdict"]),
        measured=raw["measured"],
        reason=raw["reason"],
    )


def _finding(raw: Mapping[str, Any]) -> Finding:
    box = raw["box"]
    edition = raw.get("edition")
    return Finding(
        **{
            **raw,
            "box": None if box is None else tuple(box),
            "edition": None if edition is None else Profile(edition),
        }
    )
