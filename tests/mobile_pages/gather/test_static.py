import gzip
import ssl
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from mobile_pages.artifact import Fetch
from mobile_pages.gather.static import fetch
from mobile_pages.gather.transport import Limits, PinnedCurl, exchange
from mobile_pages.guard import Guard, Pinned
from tests.mobile_pages import hostile
from tests.mobile_pages.hostile import a_guard_for, answer, by_path, redirect, serving

LIMITS = Limits(fetch_seconds=1.0, total_seconds=4.0)
PATIENT = Limits(fetch_seconds=10.0)


def fetched(behave: hostile.Behaviour, *, path: str = "/", limits: Limits = PATIENT) -> Fetch:
    with serving(behave) as server:
        return fetch(server.url(path), a_guard_for(server), limits=limits)


def trouble_of(one: Fetch) -> str:
    assert one.trouble is not None
    assert one.trouble.detail.endswith("。")
    return one.trouble.code


def test_a_plain_page_is_fetched_with_everything_rules_ask_for() -> None:
    page = "<!doctype html><meta charset=utf-8><title>办事</title>".encode()

    one = fetched(answer(page, headers=("X-Frame-Options: DENY", "Set-Cookie: a=1", "Set-Cookie: b=2")))

    assert (one.status, one.trouble, one.body, one.tls) == (200, None, page.decode(), None)
    assert one.header("X-FRAME-OPTIONS") == "DENY"
    assert [value for name, value in one.headers if name == "set-cookie"] == ["a=1", "b=2"]
    assert one.head_bytes == page.decode("latin-1")
    assert (one.body_bytes, one.decoded_bytes, one.truncated) == (len(page), len(page), False)


@pytest.mark.parametrize(
    ("behave", "code"),
    [
        pytest.param(hostile.hang, "timeout", id="hangs"),
        pytest.param(hostile.trickle, "timeout", id="trickles"),
        pytest.param(hostile.endless_headers, "headers_too_large", id="endless headers"),
        pytest.param(hostile.endless_interim_answers, "headers_too_large", id="endless interim answers"),
        pytest.param(hostile.endless_body, "too_large", id="endless body"),
        pytest.param(hostile.gzip_bomb, "too_large", id="gzip bomb"),
        pytest.param(hostile.reset_in_the_middle, "connection_closed", id="reset in the middle"),
        pytest.param(hostile.hang_up, "connection_closed", id="hangs up"),
        pytest.param(hostile.garbage, "not_http", id="no HTTP"),
        pytest.param(
            answer(b"\x1f\x8b broken", headers=("Content-Encoding: gzip",)), "bad_encoding", id="gzip"
        ),
        pytest.param(answer(status="200 OK\r\nContent-Length: 5"), "not_http", id="two lengths"),
    ],
)
def test_a_hostile_server_ends_as_a_trouble(behave: hostile.Behaviour, code: str) -> None:
    limits = LIMITS if code == "timeout" else PATIENT

    one = fetched(behave, limits=limits)

    assert trouble_of(one) == code
    assert one.decoded_bytes <= limits.decoded_bytes


def test_a_name_server_that_hangs_ends_as_a_timeout() -> None:
    with serving(answer()) as server:

        def resolve(host: str) -> list[str]:
            time.sleep(1.0)
            return ["127.0.0.1"]

        guard = a_guard_for(server, resolve=resolve)

        one = fetch(server.url(host="slow.example.cn"), guard, limits=Limits(fetch_seconds=0.2))

    assert trouble_of(one) == "timeout"
    assert server.heads == []


def test_what_arrived_before_the_cap_is_kept_and_marked() -> None:
    page = b"<!doctype html>" + b"x" * 5000

    one = fetched(answer(page), limits=Limits(decoded_bytes=1000))

    assert (trouble_of(one), one.truncated, one.body) == ("too_large", True, page[:1000].decode())


def test_nobody_listening_is_a_trouble() -> None:
    with serving(answer()) as server:
        guard = a_guard_for(server)

    assert trouble_of(fetch(server.url(), guard)) == "connect_failed"


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("x-gzip", gzip.compress)],
)
def test_compressed_pages_are_unpacked_and_both_sizes_told(encoding: str, pack) -> None:  # type: ignore[no-untyped-def]
    page = b"<!doctype html><title>ok</title>" + b" " * 10_000
    packed = pack(page)

    one = fetched(answer(packed, headers=(f"Content-Encoding: {encoding}",)))

    assert (one.body, one.body_bytes, one.decoded_bytes) == (page.decode(), len(packed), len(page))


def test_brotli_is_unpacked() -> None:
    packed = bytes.fromhex("0b04803c703e6f6b3c2f703e03")  # <p>ok</p>

    one = fetched(answer(packed, headers=("Content-Encoding: br",)))

    assert (one.body, one.trouble) == ("<p>ok</p>", None)


@pytest.mark.parametrize("content_type", ["image/png", "application/pdf", "application/octet-stream"])
def test_what_is_no_text_is_not_stored(content_type: str) -> None:
    one = fetched(answer(b"\x89PNG words", content_type=content_type))

    assert (one.body, one.head_bytes, one.decoded_bytes) == ("", "", 10)


def test_binary_content_that_claims_to_be_a_page_is_not_stored() -> None:
    assert fetched(answer(b"PK\x03\x04\0\0\0\0")).body == ""


def test_redirects_are_followed_and_listed() -> None:
    site = by_path({"/": redirect("/a?x=1", "301 Moved"), "/a?x=1": redirect("b"), "/b": answer(b"<p>end")})

    one = fetched(site)

    assert [(hop.status, hop.location) for hop in one.hops] == [(301, "/a?x=1"), (302, "b")]
    assert (one.status, one.body, one.final_url.endswith("/b")) == (200, "<p>end", True)


def test_a_redirect_loop_is_found() -> None:
    one = fetched(by_path({"/": redirect("/a"), "/a": redirect("/")}))

    assert (trouble_of(one), len(one.hops)) == ("redirect_loop", 2)


def test_redirects_without_end_stop_at_the_limit() -> None:
    def onward(visit: hostile.Visit) -> None:
        redirect(f"{visit.path}x")(visit)

    one = fetched(onward)

    assert (trouble_of(one), len(one.hops)) == ("too_many_redirects", 6)


def test_a_gateway_that_sets_a_cookie_and_redirects_to_itself_is_passed() -> None:
    def gateway(visit: hostile.Visit) -> None:
        again = answer(b"", status="302 Found", headers=("Location: /", "Set-Cookie: pass=1"))
        (answer(b"<p>in") if visit.header("Cookie") == "pass=1" else again)(visit)

    assert fetched(gateway).body == "<p>in"


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://127.0.0.1:1/", "guard_private_address"),
        ("http://169.254.169.254/latest/meta-data/", "guard_private_address"),
        ("http://[::ffff:127.0.0.1]/", "guard_private_address"),
        ("http://2130706433:1/", "guard_private_address"),
        ("http://no-such-name.example.cn/", "guard_dns_failure"),
        ("file:///etc/passwd", "guard_scheme"),
        ("http://u:p@127.0.0.1/", "guard_userinfo"),
        ("http://[", "guard_url_syntax"),
    ],
)
def test_a_redirect_to_a_forbidden_place_is_not_followed(location: str, code: str) -> None:
    one = fetched(redirect(location))

    assert (trouble_of(one), one.status) == (code, 302)
    assert [hop.location for hop in one.hops] == [location]


def test_a_redirect_to_another_local_port_never_arrives() -> None:
    with serving(answer()) as other, serving(redirect(other.url())) as server:
        one = fetch(server.url(), a_guard_for(server))

    assert trouble_of(one) == "guard_private_address"
    assert other.heads == []


def test_an_address_the_guard_refuses_is_never_reached() -> None:
    with serving(answer()) as server:
        one = fetch(server.url(), a_guard_for())

    assert (trouble_of(one), one.status, server.heads) == ("guard_private_address", 0, [])


def test_the_checked_address_is_used_although_the_name_moves_on() -> None:
    with serving(answer(b"<p>first")) as server:
        answers = iter([["127.0.0.1"], ["127.0.0.2"]])
        guard = a_guard_for(server, resolve=lambda host: next(answers))

        one = fetch(server.url(host="rebinding.example.cn"), guard)

    assert (one.body, next(answers)) == ("<p>first", ["127.0.0.2"])
    assert b"Host: rebinding.example.cn:" in server.heads[0]


def test_a_name_that_turns_private_between_two_redirects_is_refused() -> None:
    with serving(redirect("/next")) as server:
        answers = iter([["127.0.0.1"], ["127.0.0.2"]])
        guard = a_guard_for(server, resolve=lambda host: next(answers))

        one = fetch(server.url(host="rebinding.example.cn"), guard)

    assert (trouble_of(one), len(server.heads)) == ("guard_private_address", 1)


def test_the_transport_connects_to_nothing_but_pinned_addresses_whatever_the_url_says() -> None:
    with serving(answer()) as server, PinnedCurl() as pinned_curl:
        pinned_curl.pin(
            Pinned(server.url(), "http", "other", server.port, ("127.0.0.2",)), time.monotonic() + 5
        )

        reply = exchange(pinned_curl, PATIENT, method="GET", user_agent="")

    assert reply.trouble is not None
    assert (reply.trouble.code, reply.status, server.heads) == ("connect_failed", 0, [])


def test_a_proxy_named_in_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answer(b"<p>direct")) as server, serving(answer(b"<p>proxy")) as proxy:
        for name in ("http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url())

        one = fetch(server.url(), a_guard_for(server))

    assert (one.body, proxy.heads) == ("<p>direct", [])


def secure(
    folder: Path, name: str = "dept.example.cn", *, trusted: bool = True, days: tuple[int, int] = (-1, 90)
) -> tuple[ssl.SSLContext, Path]:
    authority = hostile.an_authority(folder)
    return hostile.tls_context(
        folder, name, issuer=authority if trusted else None, days=days
    ), authority.ca_file


def fetched_securely(
    tls: tuple[ssl.SSLContext, Path], behave: hostile.Behaviour | None = None, names: Sequence[str] = ()
) -> Fetch:
    context, ca_file = tls
    with serving(behave or answer(b"<p>secure"), tls=context) as server:
        guard: Guard = a_guard_for(server, names=("dept.example.cn", *names))
        return fetch(server.url(host="dept.example.cn"), guard, limits=PATIENT, ca_file=ca_file)


def test_a_good_certificate_is_told_as_good(tmp_path: Path) -> None:
    one = fetched_securely(secure(tmp_path))

    assert one.tls is not None
    assert (one.tls.trusted, one.tls.host_matches, one.tls.problem) == (True, True, "")
    assert (one.tls.subject, one.tls.issuer) == ("CN=dept.example.cn", "CN=Test Root")
    assert one.tls.version == "TLSv1.3"
    assert (one.body, one.trouble) == ("<p>secure", None)


@pytest.mark.parametrize(
    ("options", "trusted", "host_matches", "words"),
    [
        pytest.param({"trusted": False}, False, True, "self-signed", id="self-signed"),
        pytest.param({"days": (-30, -1)}, False, True, "expired", id="expired"),
        pytest.param({"days": (1, 30)}, False, True, "not yet valid", id="not yet valid"),
        pytest.param({"name": "other.example.cn"}, True, False, "not valid for dept", id="other host"),
        pytest.param(
            {"name": "other.cn", "days": (-30, -1)}, False, False, "expired", id="expired, other host"
        ),
    ],
)
def test_a_bad_certificate_is_told_and_the_page_fetched_all_the_same(
    tmp_path: Path, options: dict[str, object], trusted: bool, host_matches: bool, words: str
) -> None:
    one = fetched_securely(secure(tmp_path, **options))  # type: ignore[arg-type]

    assert one.tls is not None
    assert (one.tls.trusted, one.tls.host_matches) == (trusted, host_matches)
    assert words in one.tls.problem
    assert (one.body, one.trouble) == ("<p>secure", None)


def test_a_redirect_from_https_to_http_is_refused(tmp_path: Path) -> None:
    one = fetched_securely(secure(tmp_path), redirect("http://dept.example.cn/"))

    assert (trouble_of(one), one.status) == ("guard_https_downgrade", 302)


def test_https_to_a_server_without_tls_is_a_trouble() -> None:
    with serving(hostile.garbage) as server:
        one = fetch(server.url().replace("http:", "https:"), a_guard_for(server), limits=PATIENT)

    assert (trouble_of(one), one.tls) == ("tls_failed", None)
