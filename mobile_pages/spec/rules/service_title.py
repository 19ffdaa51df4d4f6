"""service-title: the page's title is the name the service was registered under."""

from __future__ import annotations

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import page_of, shorten, text_of
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.titles import agree


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    declaration = artifact.declaration
    title = _title(artifact)
    measured = title or "空"
    if agree(title, declaration.name, declaration.body_name):
        return decided((), measured=measured)
    finding = Finding(
        "网页标题 <title>",
        f"把网页标题写成登记的服务名“{declaration.name}”，不要留空，也不要写成“首页”或单位名。",
        "head > title",
        shorten(f"<title>{title}</title>"),
        f"标题“{title}”，登记名“{declaration.name}”" if title else "标题为空",
    )
    return decided((finding,), measured=measured)


def _title(artifact: Artifact) -> str:
    """Return the title a resident sees: scripts may have set it, so the browser's word comes first."""
    rendered = next((one.title.strip() for one in artifact.renderings if one.title.strip()), "")
    # An svg may hold a title of its own; only the document's counts.
    return rendered or text_of(page_of(artifact).css_first("head > title"))


RULE = Rule(
    id="service-title",
    code="MAS-ENT-03",
    needs=Need.STATIC,
    judge=judge,
    fix="<title>社保查询</title>",
)
