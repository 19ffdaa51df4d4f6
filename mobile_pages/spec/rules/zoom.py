"""zoom: residents may enlarge the page with two fingers, or its text by the channel's font setting.

One public guide forbids pinch zoom, WCAG 1.4.4 forbids blocking it; text that is proven to grow
(MAS-LAY-04) satisfies both.
"""

from __future__ import annotations

from collections.abc import Iterable

from selectolax.lexbor import LexborNode

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule, Verdict
from mobile_pages.spec.dom import attribute, found, metas, page_of
from mobile_pages.spec.outcomes import decided, not_applicable
from mobile_pages.spec.rendered import ELDER, is_elder, measured, unopened_edition
from mobile_pages.spec.rules import text_zoom
from mobile_pages.spec.viewport import forbids_zoom, parse_viewport, scale

_LOWEST_MAXIMUM = 2.0
_WHERE = "页面头部的 viewport"
_ADVICE = "从 viewport 里删去 user-scalable 和 maximum-scale，让看不清小字的群众能用两指放大。"


_NONE = not_applicable("页面没有 viewport，浏览器不会禁止缩放")


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    if is_elder(artifact, profile) and artifact.declaration.elder_url != artifact.declaration.url:
        return _elder(artifact, profile)
    declared = metas(page_of(artifact), "viewport")
    if not declared:
        return _NONE
    blocking = [node for node in declared if _blocked(_content(node))]
    blocked = _blocked(_content(blocking[0])) if blocking else ""
    faults = found(blocking, where=_WHERE, advice=_ADVICE, measured=blocked)
    return _decided(artifact, profile, blocked, faults)


def _elder(artifact: Artifact, profile: Profile) -> Outcome:
    """Judge the elder edition by what its own page says in the browser; plain HTTP saw the entry alone."""
    rendering = measured(artifact, ELDER)
    if rendering is None:
        return unopened_edition(artifact, profile)
    content = rendering.metrics["viewport"]
    if not content:
        return _NONE
    blocked = _blocked(content)
    fault = Finding(_WHERE, _ADVICE, "meta[name=viewport]", content, blocked, rendering=ELDER)
    return _decided(artifact, profile, blocked, (fault,) if blocked else ())


def _decided(artifact: Artifact, profile: Profile, blocked: str, faults: Iterable[Finding]) -> Outcome:
    if blocked and text_zoom.judge(artifact, profile).verdict is Verdict.PASS:
        return decided((), measured=blocked, note="禁止两指缩放，但文字能跟随字号设置放大（见 MAS-LAY-04）")
    return decided(faults, measured=blocked or "可以缩放")


def _content(node: LexborNode) -> str:
    return attribute(node, "content")


def _blocked(content: str) -> str:
    """Return the properties that keep residents from zooming, ``""`` when none does."""
    properties = parse_viewport(content)
    maximum = scale(properties, "maximum-scale")
    blocked = [f"user-scalable={properties['user-scalable']}"] if forbids_zoom(properties) else []
    if maximum is not None and maximum < _LOWEST_MAXIMUM:
        blocked.append(f"maximum-scale={maximum:g}")
    return ", ".join(blocked)


RULE = Rule(
    id="zoom",
    code="MAS-LAY-03",
    needs=Need.STATIC,
    judge=judge,
    fix="<!-- 不写 user-scalable=no，不写小于 2 的 maximum-scale -->\n"
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
)
