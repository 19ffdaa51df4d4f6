"""timed-refresh: the page neither reloads nor moves on by itself, nor makes a sound unasked."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborNode

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import attribute, found, page_of, selector, shorten, snippet
from mobile_pages.spec.outcomes import decided

# HTML Standard, shared declarative refresh steps: what does not begin like this is no refresh at all.
_DELAY = re.compile(r"\s*(\d+)[\d.]*(?=[\s;,]|$)")
# ACT bc659a: a delay of more than twenty hours leaves everybody time enough.
_LONGEST_SECONDS = 72_000
_SCRIPTED = re.compile(
    r"set(?:Interval|Timeout)\s*\([^;]{0,200}?location(?:\.href\s*=|\.reload|\.replace|\s*=)", re.S
)
_REFRESH_ADVICE = "删去定时刷新或跳转，需要时放一个“刷新”按钮：操作慢的群众填到一半会丢内容。"
_SOUND_ADVICE = "去掉 autoplay，由群众自己点播放；确需自动播放的加上 muted 静音。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    page = page_of(artifact)
    playing = [
        node for node in page.css("audio[autoplay], video[autoplay]") if "muted" not in node.attributes
    ]
    # A film may have no sound, or buttons of the page's own; an audio without controls has neither.
    uncertain = [node for node in playing if "controls" in node.attributes or node.tag == "video"]
    uncontrolled = [node for node in playing if node not in uncertain] + page.css("bgsound")
    scripted = [node for node in page.css("script") if _SCRIPTED.search(node.text(deep=True))]
    faults = (
        *_refreshes(artifact),
        *found(uncontrolled, where="音视频", advice=_SOUND_ADVICE, measured="自动播放有声音"),
    )
    doubts = (
        *found(uncertain, where="音视频", advice=_SOUND_ADVICE, measured="自动播放，可能有声音"),
        *found(scripted, where="页面脚本", advice=_REFRESH_ADVICE, measured="脚本里有定时跳转"),
    )
    return decided(faults, doubts, measured=f"{sum(one.count for one in faults)} 处")


def _refreshes(artifact: Artifact) -> Iterator[Finding]:
    header = artifact.static.entry.header("refresh")
    if header is not None and _is_timed(header):
        yield Finding(
            "响应头 Refresh", _REFRESH_ADVICE, snippet=shorten(header), measured=f"{_delay(header)} 秒"
        )
    for node in _meta_refreshes(artifact):
        content = attribute(node, "content")
        if _is_timed(content):
            measured = f"{_delay(content)} 秒"
            yield Finding("页面头部 <head>", _REFRESH_ADVICE, selector(node), snippet(node), measured)
        return  # browsers obey the first one only


def _meta_refreshes(artifact: Artifact) -> list[LexborNode]:
    nodes = page_of(artifact).css("meta[http-equiv][content]")
    return [
        node
        for node in nodes
        if attribute(node, "http-equiv").lower() == "refresh" and _DELAY.match(attribute(node, "content"))
    ]


def _delay(content: str) -> int:
    match = _DELAY.match(content)
    return int(match.group(1)) if match else 0


def _is_timed(content: str) -> bool:
    """Say whether the delay gives no time; 0 is an immediate redirect, which MAS-TRN-07 judges."""
    return 0 < _delay(content) <= _LONGEST_SECONDS


RULE = Rule(
    id="timed-refresh",
    code="MAS-A11-05",
    needs=Need.STATIC,
    judge=judge,
    fix='<button type="button" onclick="location.reload()">刷新</button>\n'
    '<video src="guide.mp4" controls></video>',
)
