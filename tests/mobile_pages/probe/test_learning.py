"""What the client learns besides of a page that opens, and what it makes of a maintenance page."""

import asyncio

import pytest

from mobile_pages.guard import Policy
from mobile_pages.probe.base import ProbeTarget, Verdict
from mobile_pages.probe.http import HttpProber
from tests.mobile_pages.probe.sites import Authority, answers, page, served

HTML = "Content-Type: text/html\r\n"
SITE = page("<title> 户政\n服务 </title><h1>办事", headers=HTML)


async def looked(handler, times=1, authority=None):
    tls = authority.server() if authority else None
    async with served(handler, tls=tls) as port:
        policy = Policy.allowing([("127.0.0.1/32", port)], test_or_demo=True)
        prober = HttpProber(policy, ca_file=str(authority.ca_file) if authority else None)
        scheme = "https" if authority else "http"
        target = ProbeTarget("t", f"{scheme}://127.0.0.1:{port}/", timeout_seconds=5)
        try:
            return [await prober.look(target) for _ in range(times)]
        finally:
            await prober.close()


def test_a_good_look_learns_certificate_protocol_addresses_and_title(tmp_path):
    (found,) = asyncio.run(looked(answers(SITE), authority=Authority(tmp_path)))

    seen = found.seen
    assert (seen.title, seen.addresses, seen.tls_version) == ("户政 服务", ("127.0.0.1",), "TLSv1.3")
    assert (seen.certificate.issuer, seen.certificate.not_after) == ("样例根证书", found.cert_not_after)
    assert seen.structure


def test_more_is_learnt_now_and_then_only():
    first, second = asyncio.run(looked(answers(SITE), times=2))

    assert (first.seen is None, second.seen) == (False, None)


def test_a_failed_look_learns_nothing_so_the_next_one_does():
    bad = page("", status="500 Oops")
    failed, good = asyncio.run(looked(answers(bad, SITE), times=2))

    assert (failed.seen, good.seen.title) == (None, "户政 服务")


PAGES = [
    pytest.param("系统升级，预计 18 点恢复。", "Retry-After: 7200\r\n", "maintenance_page", id="explained"),
    pytest.param("系统升级，预计 18 点恢复。", "", "http_status", id="no time told"),
    pytest.param("error", "Retry-After: 7200\r\n", "http_status", id="no reason told"),
]


@pytest.mark.parametrize(("text", "headers", "cause"), PAGES)
def test_only_an_explained_503_is_a_maintenance_page(text, headers, cause):
    answer = page(text, status="503 Service Unavailable", headers=HTML + headers)

    (found,) = asyncio.run(looked(answers(answer)))

    assert (found.verdict, found.cause) == (Verdict.DOWN, cause)
