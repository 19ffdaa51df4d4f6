"""zoom: residents may enlarge the page with two fingers."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule, Verdict
from mobile_pages.spec.dom import attribute, metas, page_of, selector, snippet
from mobile_pages.spec.viewport import forbids_zoom, parse_viewport, scale

_LOWEST_MAXIMUM = 2.0


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    declared = metas(page_of(artifact), "viewport")
    if not declared:
        return Outcome(Verdict.NOT_APPLICABLE, reason="页面没有 viewport,浏览器不会禁止缩放")
    findings: list[Finding] = []
    for node in declared:
        properties = parse_viewport(attribute(node, "content"))
        maximum = scale(properties, "maximum-scale")
        blocked = [
            *(["user-scalable=" + properties["user-scalable"]] if forbids_zoom(properties) else []),
            *([f"maximum-scale={maximum:g}"] if maximum is not None and maximum < _LOWEST_MAXIMUM else []),
        ]
        if blocked:
            findings.append(
                Finding(
                    "页面头部的 viewport",
                    "从 viewport 里删去 user-scalable 和 maximum-scale,让看不清小字的群众能用两指放大。",
                    selector(node),
                    snippet(node),
                    ", ".join(blocked),
                )
            )
    if findings:
        return Outcome(Verdict.FAIL, tuple(findings), measured=findings[0].measured)
    return Outcome(Verdict.PASS, measured="可以缩放")


RULE = Rule(
    id="zoom",
    code="MAS-LAY-03",
    needs=Need.STATIC,
    judge=judge,
    fix="<!-- 不写 user-scalable=no,不写小于 2 的 maximum-scale -->\n"
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
)
