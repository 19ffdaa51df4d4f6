"""Pages looked at in a real browser by a process of its own."""

import asyncio

import pytest

from mobile_pages.artifact import Request, Trouble
from mobile_pages.guard import Policy
from mobile_pages.probe.base import Verdict
from mobile_pages.probe.browser import RenderedProber
from mobile_pages.probe.rendering import Sight, judged
from mobile_pages.probe.targets import RenderedTarget
from tests.mobile_pages.servers import html, serving
from tests.processes import family, still_there, until


def a_request(kind="script", status=200):
    return Request(url="https://a.example.cn/app.js?token=1", kind=kind, status=status)


SIGHTS = [
    pytest.param(Sight(None, "办事"), "up", "", id="well"),
    pytest.param(Sight(None, "", one_colour=True), "down", "blank_page", id="blank"),
    pytest.param(Sight(None, ""), "up", "", id="a picture without text"),
    pytest.param(Sight(None, "x", exceptions=("TypeError: x",)), "degraded", "script_error", id="script"),
    pytest.param(
        Sight(None, "x", requests=(a_request(status=404),)),
        "degraded",
        "resource_failed",
        id="a file missing",
    ),
    pytest.param(Sight(None, "x", requests=(a_request("image", 404),)), "up", "", id="a picture missing"),
    pytest.param(
        Sight(None, "出错", requests=(a_request("document", 500),)), "down", "http_status", id="status"
    ),
    pytest.param(Sight(Trouble("timeout", "慢。")), "down", "timeout", id="never shown"),
    pytest.param(Sight(Trouble("timeout", "慢。"), "x"), "degraded", "timeout", id="never complete"),
    pytest.param(Sight(Trouble("browser_failed", "无。")), "unknown", "prober_fault", id="no browser"),
    pytest.param(
        Sight(Trouble("guard_private_address", "内。")), "down", "guard_private_address", id="guard"
    ),
]


@pytest.mark.parametrize(("sight", "verdict", "cause"), SIGHTS)
def test_a_sight_is_judged(sight, verdict, cause):
    found = judged(sight)

    assert found[:2] == (verdict, cause)
    assert bool(found[2]) == bool(cause)


def test_what_a_query_holds_is_not_told():
    assert "token" not in judged(Sight(None, "x", requests=(a_request(status=404),)))[2]


def test_texts_are_looked_for_in_what_is_shown():
    assert judged(Sight(None, "预约"), ["取号"])[1] == "wrong_content"
    assert judged(Sight(None, "预约"), [], ["预约"])[1] == "wrong_content"


async def looked(base, *paths, patience=60.0, **details):
    policy = Policy.allowing([("127.0.0.1/32", int(base.rpartition(":")[2]))], test_or_demo=True)
    prober = RenderedProber(policy, patience_seconds=patience, **details)
    targets = [RenderedTarget(path, f"{base}{path}", timeout_seconds=8, slow_ms=60_000) for path in paths]
    try:
        results = await asyncio.gather(*(prober.look(one) for one in targets))
        worker = prober._worker
        return results, worker and family(worker.pid)
    finally:
        await prober.close()


@pytest.mark.browser
def test_pages_are_opened_one_after_the_other_and_nothing_is_left_behind():
    pages = {
        "/good": html("<title>户政</title><h1>居住证办理</h1>"),
        "/blank": html("<div id=app></div><script>document.title = missing.name</script>"),
        "/script": html("<h1>办事</h1><script>nothing.here()</script>"),
    }

    with serving(pages) as base:
        (good, blank, script), processes = asyncio.run(looked(base, *pages))

    assert [one.verdict for one in (good, blank, script)] == ["up", "down", "degraded"]
    assert (blank.cause, script.cause) == ("blank_page", "script_error")
    until(lambda: not still_there(processes), "the worker and its browser have ended", 15)


def test_who_waits_too_long_is_missed():
    with serving({}) as base:
        results, _ = asyncio.run(looked(base, "/a", "/b", patience=0.01))

    assert Verdict.UNKNOWN in [one.verdict for one in results]
    assert "missed" in [one.cause for one in results]


def test_a_worker_that_takes_too_long_is_ended_and_says_nothing_of_the_page():
    with serving({}) as base:
        (found,), _ = asyncio.run(looked(base, "/a", page_seconds=0.05))

    assert (found.verdict, found.cause) == (Verdict.UNKNOWN, "prober_fault")
