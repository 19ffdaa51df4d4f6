"""development-traces: nothing of development is left in the page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborNode

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import (
    addresses,
    attribute,
    found,
    page_of,
    selector,
    shorten,
    text_of,
    visible_text,
)
from mobile_pages.spec.hosts import host_of, is_private, is_test_host
from mobile_pages.spec.outcomes import decided

_TOOL = re.compile(r"vconsole|\beruda\b|new\s+VConsole|weinre", re.I)
_SCRIPT_URL = re.compile(r"(?:https?|wss?)://[^\s\"'`<>\\)]+", re.I)
_CERTAIN = re.compile(r"lorem ipsum|测试(?:页|版|环境|数据|账号|内容|用户)|这是(?:一个)?测试|test page", re.I)
_POSSIBLE = re.compile(r"测试|演示数据|待替换|示例文字")
_CONTEXT = 12


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    page = page_of(artifact)
    tools = [one for one in page.css("script") if _TOOL.search(attribute(one, "src") + _inline(one))]
    advice = "上线前删去 vConsole、eruda 等调试工具，它们会把页面数据展示给所有人。"
    words, doubtful = _words(artifact)
    faults = (*found(tools, where="页面脚本", advice=advice), *_hosts(artifact), *words)
    return decided(
        faults,
        doubtful,
        measured=f"{sum(one.count for one in faults)} 处",
        reason="页面上有“测试”一类的字，请人工确认是不是业务用语",
    )


def _inline(node: LexborNode) -> str:
    return "" if "src" in node.attributes else node.text(deep=True)


def _hosts(artifact: Artifact) -> Iterator[Finding]:
    own = host_of(artifact.static.entry.final_url)
    places = {one.url: one.node for one in addresses(artifact)}
    for script in page_of(artifact).css("script"):
        places.update(dict.fromkeys(_SCRIPT_URL.findall(_inline(script)), script))
    inner = [
        url for url in places if (host := host_of(url)) != own and (is_private(host) or is_test_host(host))
    ]
    if is_test_host(own):
        inner.insert(0, artifact.static.entry.final_url)
    if inner:
        yield Finding(
            "页面里的地址",
            "把 localhost、内网地址和测试环境的域名换成正式地址，群众的手机打不开它们。",
            selector(places[inner[0]]) if inner[0] in places else "",
            shorten(inner[0]),
            host_of(inner[0]),
            len(inner),
        )


def _words(artifact: Artifact) -> tuple[list[Finding], list[Finding]]:
    """Return findings of words that are certainly and that are perhaps left over."""
    page = page_of(artifact)
    text = f"{text_of(page.css_first('head > title'))} {visible_text(page)}"
    advice = "删去测试文字和占位内容，换成正式的文字。"
    certain = list(_CERTAIN.finditer(text))
    if certain:
        return [_word(text, certain, advice)], []
    business = "测试" in artifact.declaration.name
    possible = [] if business else list(_POSSIBLE.finditer(text))
    return [], [_word(text, possible, advice)] if possible else []


def _word(text: str, matches: list[re.Match[str]], advice: str) -> Finding:
    first = matches[0]
    around = text[max(0, first.start() - _CONTEXT) : first.end() + _CONTEXT]
    return Finding("页面文字", advice, "", shorten(around), first.group(), len(matches))


RULE = Rule(
    id="development-traces",
    code="MAS-ENT-08",
    needs=Need.STATIC,
    judge=judge,
    fix="<!-- 正式环境不引用 vconsole.min.js；接口写正式域名或相对地址 -->\n"
    '<script src="/m/js/app.js"></script>',
)
