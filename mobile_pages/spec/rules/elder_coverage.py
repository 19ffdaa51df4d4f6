"""elder-coverage: the elder edition goes on behind the first page and down to the footer."""

from __future__ import annotations

from collections.abc import Mapping

from mobile_pages.artifact import Artifact, Rendering
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided, needs_review, not_run
from mobile_pages.spec.rendered import ELDER, ELDER_PAGE, elder_unopened, finding, measured

_LEAST_PX = 18.0
_FOOTER_ADVICE = "长辈版的页脚文字也要 18 像素以上。"
_PAGE_ADVICE = "从长辈版点进去的页面也要是长辈版，主要文字 18 像素以上；把长辈版的状态带到下一页。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    entry = measured(artifact, ELDER)
    if entry is None or not artifact.declaration.elder_url:
        return elder_unopened(artifact, profile)
    if "footer_fonts" not in entry.metrics:
        return not_run("这次采集还没有量页脚，请重新检查")
    opened = [one for one in artifact.renderings if one.label.startswith(f"{ELDER_PAGE}-")]
    pages = [one for one in opened if one.metrics and _answered(one)]
    faults = [*_footer(entry, "长辈版首页的页脚")]
    for page in pages:
        faults += _page(page)
    measured_text = f"首页和 {len(pages)} 个二级页，{len(faults)} 处不够大"
    if not faults and len(pages) < len(opened):
        return needs_review(f"{len(opened) - len(pages)} 个二级页打不开，没有量到")
    note = "" if opened else "没有找到同域名的二级页"
    return decided(faults, measured=measured_text, note=note)


def _page(page: Rendering) -> list[Finding]:
    name = f"二级页“{page.title}”" if page.title else "二级页"
    sizes = _sizes(page.metrics["body_fonts"]) or _sizes(page.metrics["fonts"])
    usual = max(sizes, key=lambda size: (sizes[size], size), default=_LEAST_PX)
    faults = _footer(page, f"{name}的页脚")
    if usual < _LEAST_PX:
        figure = f"正文 {usual:g} px"
        faults.append(
            Finding(name, _PAGE_ADVICE, snippet=page.final_url, measured=figure, rendering=page.label)
        )
    return faults


def _footer(rendering: Rendering, where: str) -> list[Finding]:
    least = min(_sizes(rendering.metrics["footer_fonts"]), default=_LEAST_PX)
    if least >= _LEAST_PX:
        return []
    footer = rendering.metrics["footer"]
    return [finding(footer, rendering, where=where, advice=_FOOTER_ADVICE, measured=f"{least:g} px")]


def _sizes(fonts: Mapping[str, int]) -> dict[float, int]:
    return {float(size): count for size, count in fonts.items()}


def _answered(page: Rendering) -> bool:
    """Say whether a page came and not an error; a lost page is the fault of another clause."""
    documents = [one.status for one in page.requests if one.kind == "document"]
    return not documents or 0 < documents[-1] < 400


RULE = Rule(
    id="elder-coverage",
    code="MAS-A11-08",
    needs=Need.RENDERED,
    judge=judge,
    fix="document.documentElement.classList.toggle('elder', localStorage.elder === '1');\n"
    ".elder footer { font-size: 18px; }",
)
