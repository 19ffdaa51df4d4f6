"""The process that opens pages in a browser: one request a line in, one answer a line out.

Run as ``python -m mobile_pages.probe.rendering`` by :mod:`mobile_pages.probe.browser`. The first
line is the guard's policy; the process ends with its input.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from mobile_pages.artifact import Request, Trouble
from mobile_pages.gather.browser import Browser, BrowserMissing
from mobile_pages.gather.page import Device, Page, PageLimits, PageTrouble
from mobile_pages.gather.pixels import is_one_colour
from mobile_pages.guard import Endpoint, Guard, Policy, Refused
from mobile_pages.probe.base import Cause, Verdict
from mobile_pages.proxy import FilteringProxy

_NEEDED = frozenset({"script", "stylesheet"})
_NAMES_SHOWN = 3
_TEXT_MOST = 100
# The first part decides; a page that prints megabytes is not carried over whole.
_VISIBLE_TEXT = "(document.body ? document.body.innerText : '').slice(0, 100000)"
_MARGIN_SECONDS = 8.0
"""For looking at what is there once the page has taken all its time."""
_FIRST_SCREEN = 740
_CAUSES: Mapping[str, Cause] = {
    "timeout": Cause.TIMEOUT,
    "unreachable": Cause.UNREACHABLE,
    "navigation_loop": Cause.REDIRECT_LOOP,
    "memory": Cause.TOO_LARGE,
    "crashed": Cause.BAD_ANSWER,
    "download": Cause.WRONG_CONTENT,
}


Judgement = tuple[Verdict, str, str]


@dataclass(frozen=True, slots=True)
class Sight:
    """What one opening of a page showed.

    Attributes:
        trouble: why it could not be opened, or not completely.
        text: what can be read; None when nothing could be looked at.
        one_colour: whether the first screen shows nothing but one colour.
        exceptions: of its scripts; ``requests``: all that it made.
    """

    trouble: Trouble | None
    text: str | None = None
    one_colour: bool = False
    exceptions: tuple[str, ...] = ()
    requests: tuple[Request, ...] = ()
    total_ms: int = 0

    @property
    def status(self) -> int | None:
        """Status code of the document; None when no answer came."""
        documents = [one for one in self.requests if one.kind == "document" and one.status]
        return documents[-1].status if documents else None

    @property
    def failed(self) -> list[Request]:
        """Scripts and style sheets that did not come."""
        return [one for one in self.requests if one.kind in _NEEDED and not 0 < one.status < 400]


def judged(sight: Sight, must_contain: Sequence[str] = (), must_not_contain: Sequence[str] = ()) -> Judgement:
    """Return what a sight says of its page: verdict, cause and one Chinese sentence."""
    return (
        _not_shown(sight)
        or _wrong_text(sight.text or "", must_contain, must_not_contain)
        or _not_sound(sight)
        or (Verdict.UP, Cause.NONE, "")
    )


def _not_shown(sight: Sight) -> Judgement | None:
    if sight.trouble is not None and sight.trouble.code == "browser_failed":
        return Verdict.UNKNOWN, Cause.PROBER_FAULT, sight.trouble.detail
    if sight.text is None and sight.trouble is not None:
        return Verdict.DOWN, _cause(sight.trouble, Cause.BAD_ANSWER), sight.trouble.detail
    if sight.status is not None and sight.status >= 400:
        return Verdict.DOWN, Cause.HTTP_STATUS, f"服务器返回状态码 {sight.status}。"
    if sight.one_colour and not (sight.text or "").strip():
        return Verdict.DOWN, Cause.BLANK_PAGE, "浏览器打开后是空白页。" + _script_errors(sight)
    return None


def _wrong_text(text: str, must_contain: Sequence[str], must_not_contain: Sequence[str]) -> Judgement | None:
    for wanted in must_contain:
        if wanted not in text:
            return Verdict.DOWN, Cause.WRONG_CONTENT, f"页面上没有显示“{wanted}”。"
    for unwanted in must_not_contain:
        if unwanted in text:
            return Verdict.DOWN, Cause.WRONG_CONTENT, f"页面上显示了“{unwanted}”。"
    return None


def _not_sound(sight: Sight) -> Judgement | None:
    if sight.trouble is not None:
        return Verdict.DEGRADED, _cause(sight.trouble, Cause.SLOW), sight.trouble.detail
    if sight.exceptions:
        return Verdict.DEGRADED, Cause.SCRIPT_ERROR, _script_errors(sight)
    if sight.failed:
        detail = f"页面引用的 {len(sight.failed)} 个文件打不开：{_names(sight.failed)}。"
        return Verdict.DEGRADED, Cause.RESOURCE_FAILED, detail
    return None


def _cause(trouble: Trouble, otherwise: Cause) -> str:
    return trouble.code if trouble.code.startswith("guard_") else _CAUSES.get(trouble.code, otherwise)


def _script_errors(sight: Sight) -> str:
    if not sight.exceptions:
        return ""
    first = " ".join(sight.exceptions[0].split())[:_TEXT_MOST]
    return f"脚本出错 {len(sight.exceptions)} 次：{first}"


def _names(requests: Sequence[Request]) -> str:
    """Return file names without what stands behind them: queries may hold anything."""
    return "、".join(
        (urlsplit(one.url).path.rpartition("/")[2] or "/")[:40] for one in requests[:_NAMES_SHOWN]
    )


def _policy(told: Mapping[str, Any]) -> Policy:
    return Policy(
        allow=tuple(Endpoint.parse(*entry) for entry in told["allow"]),
        deny=tuple(Endpoint.parse(*entry) for entry in told["deny"]),
        test_or_demo=told["test_or_demo"],
    )


def look(browser: Browser, guard: Guard, url: str, seconds: float) -> Sight:
    """Open a page once as a phone would."""
    limits = PageLimits(deadline_seconds=seconds + _MARGIN_SECONDS, load_seconds=seconds)
    try:
        guard.check(url)
        with (
            FilteringProxy(guard) as proxy,
            browser.open_page(Device(), proxy=proxy.address, limits=limits) as page,
        ):
            return _seen(page, page.go(url))
    except Refused as refused:
        code = "unreachable" if refused.code.startswith("dns_") else f"guard_{refused.code}"
        return Sight(Trouble(code, refused.detail_zh))
    except BrowserMissing as missing:
        return Sight(Trouble("browser_failed", missing.trouble.detail))
    except PageTrouble as error:
        return Sight(error.trouble)


def _seen(page: Page, trouble: Trouble | None) -> Sight:
    total_ms = page.elapsed_ms
    text = str(page.evaluate(_VISIBLE_TEXT))
    one_colour = not text.strip() and is_one_colour(page.screenshot(_FIRST_SCREEN))
    seen = tuple(page.observed.exceptions)
    return Sight(trouble, text, one_colour, seen, page.requests, total_ms)


def answer(browser: Browser, guard: Guard, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Open one page and return what it looks like, as :mod:`mobile_pages.probe.browser` reads it."""
    sight = look(browser, guard, asked["url"], asked["seconds"])
    verdict, cause, detail = judged(sight, asked["must_contain"], asked["must_not_contain"])
    return {
        "verdict": verdict.value,
        "cause": str(cause),
        "detail": detail,
        "status": sight.status,
        "total_ms": sight.total_ms,
    }


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main() -> None:
    """Answer requests until the input ends."""
    # The terminal's Ctrl-C also reaches us; the prober ends us by closing our input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    guard = Guard(_policy(json.loads(sys.stdin.readline())))
    with Browser() as browser:
        for line in sys.stdin:
            told = answer(browser, guard, json.loads(line))
            sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
