import ssl
from collections.abc import Mapping
from typing import Any

import pytest

from mobile_pages.artifact import Artifact, Declaration, StaticPart
from mobile_pages.gather.static import gather_static, with_extra_parameters
from mobile_pages.gather.transport import Limits
from tests.mobile_pages import hostile
from tests.mobile_pages.hostile import a_guard_for, answer, by_path, serving

ENTRY = b"""<!doctype html><meta charset=utf-8><title>ok</title>
<a href="/a">a</a> <a href="/a#part">again</a> <a href="gone">gone</a> <a href="#top">top</a>
<a href="https://other.example.cn/">other</a> <a href="tel:12345">12345</a> <a href="javascript:void 0">js</a>
<a href="http://[">broken</a> <a>nowhere</a> <a href="/no-head">no head</a>"""


def a_site(entry: bytes = ENTRY, **more: hostile.Behaviour) -> hostile.Behaviour:
    def only_get(visit: hostile.Visit) -> None:
        answer(status="405 Method Not Allowed" if visit.method == "HEAD" else "200 OK")(visit)

    routes = {
        "/app/": answer(entry),
        "/a": answer(),
        "/no-head": only_get,
        "/app/?utm=1&ticketId=x&a=b%26c": answer(b"<title>with parameters"),
        "/health": answer(b'{"ok":true}', content_type="application/json"),
        "/MP_verify_x.txt": answer(b"abc123", content_type="application/octet-stream"),
    }
    return by_path(routes | {f"/{name}": behave for name, behave in more.items()})


def gathered(
    behave: hostile.Behaviour,
    *,
    limits: Limits | None = None,
    tls: ssl.SSLContext | None = None,
    **declared: Any,
) -> tuple[StaticPart, hostile.Server]:
    with serving(behave, tls=tls) as server:
        paths: Mapping[str, Any] = {"health_url": server.url("/health")} | declared
        declaration = Declaration("社保查询", server.url("/app/"), "某单位", **paths)
        return gather_static(declaration, a_guard_for(server), limits=limits), server


def test_the_entry_and_everything_beside_it_is_collected() -> None:
    part, _ = gathered(a_site(), verify_files={"wechat": ("MP_verify_x.txt", "abc123")})

    assert (part.entry.status, part.entry.trouble) == (200, None)
    assert sorted(part.extras) == ["error-page", "extra-parameter", "health", "verify:wechat"]
    assert part.extras["verify:wechat"].body == "abc123"
    assert part.extras["health"].body == '{"ok":true}'
    assert part.extras["extra-parameter"].body == "<title>with parameters"
    assert part.extras["error-page"].status == 404


def test_links_of_the_same_host_are_tried_once_each() -> None:
    part, server = gathered(a_site())

    assert part.links == (
        (server.url("/a"), 200),
        (server.url("/app/gone"), 404),
        (server.url("/no-head"), 200),
    )


def test_links_are_read_against_the_base_of_the_page() -> None:
    part, server = gathered(a_site(b'<base href="/deep/"><a href="x">x</a>'))

    assert part.links == ((server.url("/deep/x"), 404),)


def test_no_more_links_than_the_limit_are_tried() -> None:
    page = b"".join(b"<a href='/l%d'>x</a>" % n for n in range(50))

    part, _ = gathered(a_site(page), limits=Limits(link_count=3))

    assert len(part.links) == 3


def test_a_link_that_hangs_up_has_status_0() -> None:
    part, server = gathered(a_site(b"<a href='/bad'>x</a>", bad=hostile.hang_up))

    assert part.links == ((server.url("/bad"), 0),)


def test_links_for_which_the_time_was_too_short_are_not_called_dead() -> None:
    page = b"".join(b"<a href='/slow'>x</a><a href='/l%d'>x</a>" % n for n in range(3))

    part, server = gathered(a_site(page, slow=hostile.hang), limits=Limits(total_seconds=1.0))

    assert (server.url("/slow"), 0) not in part.links
    assert part.entry.status == 200


def test_links_that_take_their_time_are_waited_for_together() -> None:
    page = b"".join(b"<a href='/slow?%d'>x</a>" % n for n in range(6))

    def slow(visit: hostile.Visit) -> None:
        visit.over.wait(0.4)
        answer()(visit)

    part, _ = gathered(hostile.by_path({"/app/": answer(page)}, slow), limits=Limits(total_seconds=3.0))

    assert [status for _, status in part.links] == [200] * 6


def test_cookies_of_one_fetch_are_not_shown_to_the_next() -> None:
    cookies: list[str | None] = []

    def noted(visit: hostile.Visit) -> None:
        cookies.append(visit.header("Cookie"))
        answer(ENTRY, headers=("Set-Cookie: session=1; Path=/",))(visit)

    gathered(hostile.by_path({}, noted))

    assert len(cookies) > 4
    assert set(cookies) == {None}


@pytest.mark.parametrize(
    "behave", [hostile.hang, hostile.hang_up, hostile.garbage], ids=lambda one: one.__name__
)
def test_an_entry_that_does_not_answer_ends_the_visit(behave: hostile.Behaviour) -> None:
    part, server = gathered(behave, limits=Limits(fetch_seconds=0.5))

    assert part.entry.trouble is not None
    assert (part.links, part.extras, len(server.heads)) == ((), {}, 1)


def test_a_forbidden_entry_is_not_visited() -> None:
    with serving(a_site()) as server:
        part = gather_static(Declaration("社保查询", server.url("/app/"), "某单位"), a_guard_for())

    assert part.entry.trouble is not None
    assert (part.entry.trouble.code, part.extras, server.heads) == ("guard_private_address", {}, [])


@pytest.mark.parametrize("name", ["../../etc/passwd", "//other.example.cn/x", "a?b#c", "\\\\other\\x"])
def test_a_verification_file_s_name_cannot_lead_elsewhere(name: str) -> None:
    part, server = gathered(a_site(), verify_files={"wechat": (name, "")})

    assert part.extras["verify:wechat"].final_url.startswith(server.url("/"))
    assert part.extras["verify:wechat"].status == 404


@pytest.mark.parametrize(
    ("minimum", "expected"),
    [(ssl.TLSVersion.TLSv1_2, ()), (ssl.TLSVersion.MINIMUM_SUPPORTED, ("TLSv1", "TLSv1.1"))],
)
def test_old_tls_versions_that_a_server_accepts_are_told(
    tmp_path: Any, minimum: ssl.TLSVersion, expected: tuple[str, ...]
) -> None:
    context = hostile.tls_context(tmp_path)
    context.minimum_version = minimum
    context.set_ciphers("ALL:@SECLEVEL=0")

    part, _ = gathered(a_site(), tls=context)

    assert part.entry.tls is not None
    assert part.entry.tls.old_versions == expected


def test_what_was_collected_survives_as_json() -> None:
    part, server = gathered(a_site(), verify_files={"wechat": ("MP_verify_x.txt", "abc123")})
    artifact = Artifact(Declaration("社保查询", server.url(), "某单位"), "2026-01-01T00:00:00+00:00", part)

    assert Artifact.from_json(artifact.to_json()) == artifact


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.cn", "https://a.cn/?utm=1&ticketId=x&a=b%26c"),
        ("https://a.cn/x?y=1", "https://a.cn/x?y=1&utm=1&ticketId=x&a=b%26c"),
        ("https://a.cn/#/home", "https://a.cn/?utm=1&ticketId=x&a=b%26c#/home"),
    ],
)
def test_extra_parameters_stand_before_the_fragment(url: str, expected: str) -> None:
    assert with_extra_parameters(url) == expected
