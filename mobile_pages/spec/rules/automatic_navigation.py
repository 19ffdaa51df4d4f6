"""automatic-navigation: few redirects lead to the page, and it stays where it is."""

from __future__ import annotations

from itertools import takewhile
from urllib.parse import urlsplit

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import shorten
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import PLAIN, measured, unopened

_MOST_HOPS = 2
_ENDLESS = frozenset({"redirect_loop", "too_many_redirects"})
_ENDLESS_ADVICE = "检查登录判断和 http/https 的跳转规则是不是互相指来指去；登记最后到达的那个网址。"
_HOPS_ADVICE = "登记最终的网址，跳转不要超过 2 次。"
_HOST_ADVICE = "网址最后跳到了没有登记的域名，改登记，或让页面留在登记的域名下。"
_MOVE_ADVICE = "打开后不要自动跳到别的页面，也不要自动刷新；需要时放一个按钮让群众自己点。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    trouble = artifact.static.entry.trouble
    if trouble is not None and trouble.code in _ENDLESS:
        fault = Finding("入口网址", _ENDLESS_ADVICE, snippet=shorten(trouble.detail), measured="跳转没有尽头")
        return decided([fault], measured=trouble.detail)
    rendering = measured(artifact, PLAIN)
    if rendering is None:
        return unopened(artifact)
    declaration, moves = artifact.declaration, rendering.navigations[1:]
    # The browser follows redirects of HTTP before it shows a page, so they are no moves of the page.
    documents = [one for one in rendering.requests if one.kind == "document"]
    hops = len(list(takewhile(lambda one: 300 <= one.status < 400, documents)))
    faults: list[Finding] = []
    if hops > _MOST_HOPS:
        faults.append(Finding("入口网址", _HOPS_ADVICE, measured=f"跳转 {hops} 次", rendering=PLAIN))
    if moves:
        figure = f"自动跳转 {len(moves)} 次"
        faults.append(Finding("打开之后", _MOVE_ADVICE, snippet=moves[0], measured=figure, rendering=PLAIN))
    registered = {_host(declaration.url), *(one.lower() for one in declaration.domains)}
    if rendering.final_url and _host(rendering.final_url) not in registered:
        figure = f"停在 {_host(rendering.final_url)}"
        faults.append(
            Finding("最终网址", _HOST_ADVICE, snippet=rendering.final_url, measured=figure, rendering=PLAIN)
        )
    return decided(faults, measured=f"跳转 {hops} 次，自动跳转 {len(moves)} 次")


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()


RULE = Rule(
    id="automatic-navigation",
    code="MAS-TRN-07",
    needs=Need.ATTEMPT,  # a loop is seen without a browser, all else in one
    judge=judge,
    fix='<a class="button" href="/m/apply">开始办理</a>  <!-- 不写 location.href = … 自动跳转 -->',
)
