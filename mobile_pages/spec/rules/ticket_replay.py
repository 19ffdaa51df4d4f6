"""ticket-replay: a sign-on ticket works once and for a minute."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from mobile_pages.artifact import Artifact, Fetch
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided, needs_review, not_run

_FIGURES = re.compile(r"[0-9a-fA-F]{4,}|\d+")
_ONCE_ADVICE = "票据换过一次身份后立即作废，第二次使用要拒绝并返回 401。"
_MINUTE_ADVICE = "票据从签发起 60 秒后作废，过期的要拒绝并返回 401。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    if not artifact.declaration.ticket_url:
        return needs_review("没有登记沙箱里的测试票据，机器无法重放，请在联调时核对")
    first, again = (artifact.static.extras.get(key) for key in ("ticket", "ticket-again"))
    if first is None or again is None:
        return not_run("测试票据还没有用过")
    if not _accepted(first):
        # Every check uses one up, so a later one of the same page finds it spent: no fault, no pass.
        return needs_review(f"测试票据第一次就没有被接受（返回 {first.status}），用过的请换一张新的")
    late = artifact.static.extras.get("ticket-expired")
    cases = [("第二次使用", again, _ONCE_ADVICE)]
    if late is not None:
        cases.append(("签发 60 秒后使用", late, _MINUTE_ADVICE))
    faults = [
        Finding("单点登录票据", advice, measured=f"{when}仍被接受")
        for when, fetch, advice in cases
        if _accepted(fetch) and _gist(fetch) == _gist(first)
    ]
    if faults:
        return decided(faults, measured=f"{len(faults)} 种作废的票据仍被接受")
    unclear = [when for when, fetch, _ in cases if not 400 <= fetch.status < 500]
    if unclear:
        return needs_review(f"{unclear[0]}时没有返回 4xx，机器不能断定是否拒绝")
    if late is None:
        return needs_review("重放已被拒绝；没有登记过期的测试票据，请在联调时核对 60 秒有效期")
    return decided((), measured="重放的和过期的票据都被拒绝")


def _accepted(fetch: Fetch) -> bool:
    return fetch.trouble is None and 200 <= fetch.status < 300


def _gist(fetch: Fetch) -> tuple[str, str]:
    """Return what stays the same when one page is opened twice: its path and its text without figures."""
    return urlsplit(fetch.final_url).path, _FIGURES.sub("", fetch.body)


RULE = Rule(
    id="ticket-replay",
    code="MAS-CHN-10",
    needs=Need.STATIC,
    judge=judge,
    questions=(
        "同一张票据第二次使用时被拒绝吗?",
        "签发超过 60 秒的票据被拒绝吗?",
    ),
    fix='if redis.getdel(f"ticket:{ticket}") is None:  # 取出即删，60 秒自动过期\n    abort(401)',
)
