"""viewport-width: the page is laid out to the width of the phone."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule, Verdict
from mobile_pages.spec.dom import attribute, metas, page_of, selector, snippet
from mobile_pages.spec.viewport import parse_viewport, scale

_ADVICE = (
    "在 <head> 里加一行 <meta name=viewport>，写 width=device-width, initial-scale=1，不要写固定的像素宽度。"
)


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    declared = metas(page_of(artifact), "viewport")
    if not declared:
        finding = Finding("页面头部 <head>", _ADVICE, measured="没有 viewport")
        return Outcome(Verdict.FAIL, (finding,), measured="没有 viewport")
    # Several declarations are merged by browsers, the later property wins.
    properties: dict[str, str] = {}
    for node in declared:
        properties |= parse_viewport(attribute(node, "content"))
    width = properties.get("width", "未写")
    initial = scale(properties, "initial-scale")
    measured = f"width={width}, initial-scale={'未写' if initial is None else f'{initial:g}'}"
    if width == "device-width" and initial in (None, 1.0):
        return Outcome(Verdict.PASS, measured=measured)
    last = declared[-1]
    finding = Finding("页面头部的 viewport", _ADVICE, selector(last), snippet(last), measured)
    return Outcome(Verdict.FAIL, (finding,), measured=measured)


RULE = Rule(
    id="viewport-width",
    code="MAS-LAY-01",
    needs=Need.STATIC,
    judge=judge,
    fix='<meta name="viewport" content="width=device-width, initial-scale=1">',
)
