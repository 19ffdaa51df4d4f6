"""server-disclosure: answers tell an attacker neither versions nor the inside of the program."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mobile_pages.artifact import Artifact, Fetch
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import shorten
from mobile_pages.spec.outcomes import decided, not_run

_HEADERS = ("server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version", "x-generator", "via")
_VERSION = re.compile(r"/\s*v?\d|\d+\.\d+")
_TRACE = re.compile(
    r"Traceback \(most recent call last\)|\bat (?:java|javax|org|com|cn|sun)\.[\w.$]+\(|\.java:\d+\)"
    r"|SQLException|SQLSTATE\[|ORA-\d{5}|You have an error in your SQL syntax"
    r"|(?:Fatal|Parse) error:.{0,200} on line|System\.[\w.]+Exception|Werkzeug Debugger"
    r"|Whitelabel Error Page",
    re.S,
)
_BANNER = re.compile(r"(?:nginx|apache(?: tomcat)?|openresty|iis|weblogic|php)/\d[\d.]*", re.I)
_UNAUTHORISED = "备份与源码路径未获登记单位授权，没有探测"
_PATH = "path:"
_CONTENTS = {
    "/.git/HEAD": re.compile(r"ref:|[0-9a-f]{40}"),
    "/.svn/entries": re.compile(r"\d+\s|<\?xml"),
    "/.env": re.compile(r"(?m)^\s*(?:export\s+)?[A-Z][A-Z0-9_]*\s*="),
    "/index.php.bak": re.compile(r"<\?(?:php|=)", re.I),
}
"""How what lies there begins. The others are archives, which are no text."""
_PATH_ADVICE = "从网站目录里删掉这个文件（或整个目录），并在服务器上禁止访问以点开头的路径和备份文件。"
_COMPARED = 8
_UNCLEAR = "有的固定路径没有按“不存在”回答，机器不能断定，请人工打开看一看"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    entry = artifact.static.entry
    error_page = artifact.static.extras.get("error-page")
    answers = [("入口页", entry)] + ([("出错页", error_page)] if error_page is not None else [])
    findings = tuple(
        finding for where, fetch in answers for finding in (*_headers(where, fetch), *_body(where, fetch))
    )
    probed = {key: fetch for key, fetch in artifact.static.extras.items() if key.startswith(_PATH)}
    exposed, unclear = _exposed(probed, error_page)
    if not findings and not exposed and (error_page is None or error_page.trouble is not None):
        return not_run("没有取到出错页，不能判断是否泄露堆栈")
    return decided(
        (*findings, *exposed),
        unclear,
        measured=f"{len(findings) + len(exposed)} 处泄露",
        reason=_UNCLEAR,
        note=f"{len(probed)} 个固定路径都没有暴露" if probed else _UNAUTHORISED,
    )


def _exposed(
    probed: Mapping[str, Fetch], error_page: Fetch | None
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return the paths that give something away, and those of which one cannot tell.

    A site that answers every unknown address with a page of its own answers these with it too.
    """
    answers_all = error_page is not None and 200 <= error_page.status < 300
    exposed, unclear = [], []
    for key, fetch in probed.items():
        path = key.removeprefix(_PATH)
        if fetch.trouble is not None and not fetch.status:
            unclear.append(Finding(path, _PATH_ADVICE, measured=f"没有回答：{fetch.trouble.detail}"))
        elif fetch.hops or fetch.status != 200:
            continue
        elif not answers_all or _is_the_thing(path, fetch):
            exposed.append(Finding(path, _PATH_ADVICE, snippet=shorten(fetch.body), measured="返回 200"))
        elif error_page is not None and _begins(fetch) != _begins(error_page):
            unclear.append(Finding(path, _PATH_ADVICE, measured="返回 200，与出错页不同"))
    return tuple(exposed), tuple(unclear)


def _begins(fetch: Fetch) -> str:
    return fetch.body.strip()[:_COMPARED].lower()


def _is_the_thing(path: str, fetch: Fetch) -> bool:
    beginning = _CONTENTS.get(path)
    if beginning is None:
        return bool(fetch.decoded_bytes) and not (fetch.header("content-type") or "").startswith("text/html")
    return beginning.match(fetch.body.lstrip("\ufeff")) is not None


def _headers(where: str, fetch: Fetch) -> Iterator[Finding]:
    for name in _HEADERS:
        value = fetch.header(name)
        # "Via: 1.1 cache" names the protocol's version, not the program's.
        if value and _VERSION.search(value if name != "via" else value.partition(" ")[2]):
            yield Finding(
                f"{where}的响应头 {name}",
                "在服务器配置里隐藏软件版本号，攻击者会按版本找漏洞。",
                snippet=shorten(f"{name}: {value}"),
                measured=value,
            )


def _body(where: str, fetch: Fetch) -> Iterator[Finding]:
    trace = _TRACE.search(fetch.body)
    if trace is not None:
        yield Finding(
            f"{where}正文",
            "正式环境请关闭调试模式，出错时只显示一句说明和返回首页的链接，详细信息写进服务器日志。",
            snippet=shorten(fetch.body[trace.start() : trace.start() + 160]),
            measured="程序堆栈",
        )
    banner = _BANNER.search(fetch.body) if fetch.status >= 400 else None
    if banner is not None:
        yield Finding(
            f"{where}正文",
            "换成自己的出错页面，不要用服务器自带的、写着软件版本的那一页。",
            snippet=shorten(banner.group()),
            measured=banner.group(),
        )


RULE = Rule(
    id="server-disclosure",
    code="MAS-TRN-06",
    needs=Need.STATIC,
    judge=judge,
    fix="# nginx\nserver_tokens off;\nproxy_hide_header X-Powered-By;\nerror_page 404 500 /error.html;",
)
