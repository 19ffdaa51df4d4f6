"""dead-links: every link of the entry page to its own site leads somewhere."""

from __future__ import annotations

from collections.abc import Iterator

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import Address, addresses, selector, shorten, snippet
from mobile_pages.spec.hosts import host_of, split
from mobile_pages.spec.outcomes import decided, not_applicable, not_run

# Answers of a page that lives but wants a sign-in, another method, or fewer requests.
_ALIVE = frozenset({401, 403, 405, 407, 429})


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    tried = artifact.static.links
    if not tried:
        return not_run("没有逐个打开链接") if _own_links(artifact) else not_applicable("入口页没有站内链接")
    dead = [(url, status) for url, status in tried if status not in _ALIVE and not 200 <= status < 400]
    return decided(_findings(artifact, dead), measured=f"{len(dead)}/{len(tried)} 个打不开")


def _own_links(artifact: Artifact) -> list[Address]:
    entry = artifact.static.entry
    here, host = entry.final_url.partition("#")[0], host_of(entry.final_url)
    return [
        one
        for one in addresses(artifact)
        if one.node.tag == "a"
        and split(one.url).scheme in ("http", "https")
        and host_of(one.url) == host
        and one.url.partition("#")[0] != here
    ]


def _findings(artifact: Artifact, dead: list[tuple[str, int]]) -> Iterator[Finding]:
    written = {one.url.partition("#")[0]: one for one in reversed(_own_links(artifact))}
    for status in dict.fromkeys(status for _, status in dead):
        urls = [url for url, answer in dead if answer == status]
        link = written.get(urls[0].partition("#")[0])
        text = snippet(link.node) if link else ""
        yield Finding(
            f"页面里的链接 {shorten(urls[0])}",
            "改成正确的地址，或删去这个链接；页面暂时停用的，也要给出说明页。",
            selector(link.node) if link else "",
            text,
            f"状态码 {status}" if status else "没有回应",
            len(urls),
        )


RULE = Rule(
    id="dead-links",
    code="MAS-CNT-04",
    needs=Need.STATIC,
    judge=judge,
    fix='<a href="canbao.html">参保状态</a>  <!-- 提交前逐个点开试一遍 -->',
)
