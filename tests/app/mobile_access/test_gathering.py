"""A check opens the elder edition when it is asked to."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from app.mobile_access.gathering import gather
from mobile_pages.artifact import Artifact, Declaration
from mobile_pages.gather.browser import BrowserPool
from mobile_pages.guard import Guard, Policy
from tests.mobile_pages.servers import html, serving

pytestmark = pytest.mark.browser

PAGE = "<!doctype html><html lang=zh-CN><title>社保查询</title><p>在这里查询参保状态和缴费记录。</p>"


def gathered(*, elder: bool) -> Artifact:
    with serving({"/": html(PAGE), "/elder": html(PAGE)}) as base, BrowserPool() as pool:
        guard = Guard(Policy.allowing([("127.0.0.1/32", urlsplit(base).port or 80)], test_or_demo=True))
        return gather(
            Declaration("社保查询", f"{base}/", "某单位", elder_url=f"{base}/elder"),
            guard,
            pool,
            store_screenshot=lambda png: "",
            deadline_seconds=10,
            now=datetime(2026, 3, 2, tzinfo=UTC),
            elder=elder,
        )


@pytest.mark.parametrize("elder", [True, False])
def test_the_elder_edition_is_opened_only_when_it_is_asked_for(elder: bool) -> None:
    artifact = gathered(elder=elder)

    assert artifact.rendering("plain-360") is not None
    assert (artifact.rendering("elder-360") is not None) is elder
