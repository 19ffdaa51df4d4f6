"""Visits a page through the guard and keeps what was seen. No database, no Flask."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from datetime import datetime
from functools import cache

from mobile_pages.artifact import Artifact, Declaration, Rendering, Trouble
from mobile_pages.gather.browser import BrowserMissing, BrowserPool
from mobile_pages.gather.page import PageLimits
from mobile_pages.gather.rendered import gather_rendered, openings_for
from mobile_pages.gather.static import gather_static
from mobile_pages.guard import Guard

_BROWSERS = 2
_WATCH_SECONDS = 1.0


@cache
def browsers() -> BrowserPool:
    """Return this process's browsers; each starts when first used, all end with the process."""
    pool = BrowserPool(_BROWSERS)
    atexit.register(pool.close)
    return pool


def gather(
    declaration: Declaration,
    guard: Guard,
    pool: BrowserPool,
    *,
    store_screenshot: Callable[[bytes], str],
    deadline_seconds: float,
    now: datetime,
    elder: bool = True,
) -> Artifact:
    """Collect everything the rules read; what a page does wrong is in the artifact, never raised.

    Args:
        deadline_seconds: for each opening of the page.
        elder: whether to open the elder edition too; without it only the standard profile can be judged.
    """
    static = gather_static(declaration, guard)
    renderings: tuple[Rendering, ...] = ()
    trouble: Trouble | None = None
    if static.entry.status == 0:
        trouble = Trouble("not_opened", "入口没有回应，未用浏览器打开。")
    else:
        limits = PageLimits(deadline_seconds=deadline_seconds, watch_seconds=_WATCH_SECONDS)
        try:
            with pool.lease() as browser:
                renderings = gather_rendered(
                    declaration,
                    browser,
                    guard=guard,
                    openings=openings_for(declaration, elder=elder),
                    store_screenshot=store_screenshot,
                    limits=limits,
                )
        except BrowserMissing as missing:
            trouble = missing.trouble
    return Artifact(declaration, now.isoformat(), static, renderings, trouble)
