"""What rules about rendered pages share: which opening to read, and findings from what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mobile_pages.artifact import Artifact, Rendering
from mobile_pages.spec.base import Finding, Outcome, Profile
from mobile_pages.spec.outcomes import not_applicable, not_run

PLAIN = "plain-360"
ELDER = "elder-360"
ELDER_PAGE = "elder-page"
SIGNED_IN = "signed-360"
CLIENT_NAMES: Mapping[str, str] = {
    "plain-360": "普通浏览器",
    "wechat-360": "微信",
    "alipay-360": "支付宝",
    "extra-360": "带多余参数打开",
    "elder-360": "长辈版",
    "signed-360": "登录后",
}


def edition(artifact: Artifact, profile: Profile) -> Rendering | None:
    """Return the measured opening of the edition that is judged.

    None when it could not be measured; :func:`unopened_edition` then says why. What the other edition
    shows never stands in for it.
    """
    return measured(artifact, edition_label(artifact, profile))


def edition_label(artifact: Artifact, profile: Profile) -> str:
    """Return which opening shows the edition that is judged: the elder one's own where it is registered."""
    return ELDER if is_elder(artifact, profile) else PLAIN


def is_elder(artifact: Artifact, profile: Profile) -> bool:
    """Say whether the elder edition is judged and stands under an address of its own."""
    return profile is Profile.ELDER and bool(artifact.declaration.elder_url)


def unopened_edition(artifact: Artifact, profile: Profile) -> Outcome:
    """Return «not run» with the reason why the edition that is judged was not measured."""
    return unopened(artifact, edition_label(artifact, profile))


def measured(artifact: Artifact, label: str) -> Rendering | None:
    """Return the opening with ``label`` if its page was measured."""
    rendering = artifact.rendering(label)
    return rendering if rendering is not None and rendering.metrics else None


def unopened(artifact: Artifact, label: str = PLAIN) -> Outcome:
    """Return «not run» with the reason why the opening with ``label`` was not measured."""
    rendering = artifact.rendering(label)
    trouble = rendering.trouble if rendering else artifact.rendered_trouble
    return not_run(trouble.detail if trouble else "没有用浏览器以这种方式打开页面")


def finding(
    entry: Mapping[str, Any], rendering: Rendering, *, where: str, advice: str, measured: str = ""
) -> Finding:
    """Return a finding about one measured element (see the keys in ``gather/rendered.py``)."""
    box = entry.get("box")
    return Finding(
        where=where,
        advice=advice,
        selector=entry.get("selector", ""),
        snippet=entry.get("snippet", ""),
        measured=measured,
        count=entry.get("count", 1),
        rendering=rendering.label,
        box=tuple(box) if box else None,
    )


def quoted(text: str) -> str:
    """Return a place in words: the text a resident sees there."""
    return f"“{text}”" if text else "页面元素"


def axe_says(rendering: Rendering, kind: str, *rules: str) -> list[dict[str, Any]]:
    """Return what axe-core told under ``rules``; empty where it was not asked.

    Args:
        kind: ``violations`` (sure of it) or ``incomplete`` (left open).
    """
    told = (rendering.metrics.get("axe") or {}).get("rules", {})
    return [entry for rule in rules for entry in told.get(rule, {}).get(kind, ())]


def besides(
    entries: Iterable[Mapping[str, Any]], known: Iterable[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Return the entries about families of elements that ``known`` does not name yet, each family once."""
    seen = {one["family"] for one in known if "family" in one}
    found = []
    for one in entries:
        if one["family"] not in seen:
            seen.add(one["family"])
            found.append(one)
    return found


def elder_unopened(artifact: Artifact, profile: Profile, label: str = ELDER) -> Outcome:
    """Return why there is nothing to judge of the elder edition."""
    if not artifact.declaration.elder_url:
        return not_applicable("没有登记长辈版")
    if profile is Profile.STANDARD and artifact.renderings and artifact.rendering(ELDER) is None:
        return not_applicable("本次只打开了标准版")
    return unopened(artifact, label)
