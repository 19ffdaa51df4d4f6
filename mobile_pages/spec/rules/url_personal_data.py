"""url-personal-data: no address carries a person's number or name, addresses end up in logs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote

from mobile_pages.artifact import Artifact
from mobile_pages.spec import personal
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import addresses, attribute, found, page_of, selector, shorten
from mobile_pages.spec.hosts import split
from mobile_pages.spec.outcomes import decided

_ID_KEY = re.compile(r"^(?:id_?card(?:_?no|_?num(?:ber)?)?|sfz(?:h|jh)?m?|zjhm?|cert_?no|gmsfhm)$", re.I)
_PHONE_KEY = re.compile(
    r"^(?:mobile|phone|tel|sj(?:h|hm)|lxdh|mobile_?(?:no|phone)|phone_?(?:no|number))$", re.I
)
_NAME_KEY = re.compile(
    r"^(?:xm|xingming|real_?name|true_?name|user_?name|person_?name|applicant_?name|cn_?name|姓名)$", re.I
)
_PERSON_NAME = re.compile(r"[\u4e00-\u9fff]{2,4}|[\u4e00-\u9fff]{1,10}·[\u4e00-\u9fff·]{1,10}")
_ADVICE = (
    "不要把姓名、证件号、手机号放进网址：改用 POST 提交，或只传服务器发的一次性编号。"
    "网址会留在浏览记录和日志里。"
)


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    findings = (*_addresses(artifact), *_forms(artifact))
    return decided(findings, measured=f"{sum(one.count for one in findings)} 处")


def _addresses(artifact: Artifact) -> Iterator[Finding]:
    entry = artifact.static.entry
    hops = [address for hop in entry.hops for address in (hop.url, hop.location)]
    yield from _finding("入口地址与跳转", [artifact.declaration.url, *hops, entry.final_url])
    requests = [one.url for rendering in artifact.renderings for one in rendering.requests]
    yield from _finding("打开页面时的请求", requests)
    inside = [one for one in addresses(artifact) if not one.raw.lower().startswith(("tel:", "sms:", "data:"))]
    told = [(one, _leaks(one.url)) for one in inside]
    leaking = [(one, leaks) for one, leaks in told if leaks]
    if leaking:
        first, leaks = leaking[0]
        shown = shorten(_hide(first.url))
        place = selector(first.node)
        yield Finding("页面里的链接", _ADVICE, place, shown, "、".join(leaks), len(leaking))


def _finding(where: str, urls: list[str]) -> Iterator[Finding]:
    leaking = [url for url in dict.fromkeys(urls) if _leaks(url)]
    if leaking:
        measured = "、".join(_leaks(leaking[0]))
        yield Finding(
            where, _ADVICE, snippet=shorten(_hide(leaking[0])), measured=measured, count=len(leaking)
        )


def _leaks(url: str) -> list[str]:
    """Return what kinds of personal data stand in ``url``, each once."""
    kinds = [hit.kind.value for hit in personal.find(unquote(url)) if hit.certain]
    for key, value in _parameters(url):
        if _ID_KEY.match(key) and re.fullmatch(r"\d{15}|\d{17}[\dXx]", value.strip()):
            kinds.append(personal.Kind.ID_NUMBER.value)
        elif _PHONE_KEY.match(key) and re.fullmatch(r"1[3-9]\d{9}", value.strip()):
            kinds.append(personal.Kind.MOBILE.value)
        elif _NAME_KEY.match(key) and _PERSON_NAME.fullmatch(value.strip()):
            kinds.append("姓名")
    return list(dict.fromkeys(kinds))


def _parameters(url: str) -> list[tuple[str, str]]:
    parts = split(url)
    # Single-page apps keep parameters behind the hash: #/detail?xm=…
    return parse_qsl(parts.query) + parse_qsl(parts.fragment.partition("?")[2])


def _hide(url: str) -> str:
    """Return ``url`` fit to be shown: values that leak become stars."""
    shown = unquote(url)
    for key, value in _parameters(url):
        if value and (_ID_KEY.match(key) or _PHONE_KEY.match(key) or _NAME_KEY.match(key)):
            shown = shown.replace(f"{key}={value}", f"{key}=***")
    return personal.masked(shown)


def _forms(artifact: Artifact) -> tuple[Finding, ...]:
    nodes = []
    for form in page_of(artifact).css("form"):
        names = [attribute(field, "name") for field in form.css("input[name]")]
        method = attribute(form, "method").lower()
        if method in ("", "get") and any(_ID_KEY.match(one) or _PHONE_KEY.match(one) for one in names):
            nodes.append(form)
    advice = '给表单写上 method="post":现在填的证件号、手机号会出现在网址里。'
    return found(nodes, where="以 GET 提交的表单", advice=advice)


RULE = Rule(
    id="url-personal-data",
    code="MAS-TRN-04",
    needs=Need.STATIC,
    judge=judge,
    fix='<form method="post" action="query.html">…</form>\n'
    '<a href="detail.html?ticket=7f3a9c">查看详情</a>  <!-- 一次性编号，不是证件号 -->',
)
