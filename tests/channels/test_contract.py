"""The contract's own data, the registry and the shared tools."""

from __future__ import annotations

import gzip
import importlib
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from channels import registry
from channels.base import (
    AccountConfig,
    Article,
    ChannelError,
    EventKind,
    InboundEvent,
    InboundRequest,
    MenuEntry,
    Rejected,
    Reply,
    Token,
    raw_parameters,
    stable_digest,
)
from channels.fields import base_url
from channels.http import call, whole_number
from channels.markup import cdata, fit, read_xml
from channels.tokens import MemoryTokenStore
from tests.channels.builders import NOW, an_env


def an_event(
    event_id: str = "1", sender: str = "u", occurred_at: datetime = NOW, account: str = "a"
) -> InboundEvent:
    return InboundEvent("stub", account, event_id, EventKind.TEXT, sender, occurred_at)


def or_refusal(read: Callable[[Any], Any], given: bytes | str) -> Any:
    """Return what was read, or the status it was refused with."""
    try:
        return read(given)
    except Rejected as rejected:
        return rejected.status


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: an_event(event_id=""), id="no id"),
        pytest.param(lambda: an_event(sender="x" * 129), id="endless sender"),
        pytest.param(lambda: an_event(account=""), id="no account"),
        pytest.param(lambda: an_event(occurred_at=NOW.replace(tzinfo=None)), id="time without a zone"),
        pytest.param(
            lambda: an_event(occurred_at=NOW.astimezone(timezone(timedelta(hours=8)))), id="time not in UTC"
        ),
        pytest.param(lambda: Reply(), id="empty reply"),
        pytest.param(lambda: Reply("a", (Article("b"),)), id="reply of both kinds"),
        pytest.param(lambda: MenuEntry("a"), id="menu entry that does nothing"),
        pytest.param(
            lambda: MenuEntry("a", url="https://a.cn/", key="b"), id="menu entry that does two things"
        ),
        pytest.param(lambda: Rejected("x", 500), id="rejection that is no 4xx"),
    ],
)
def test_what_cannot_be_is_not_made(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="."):
        make()


def test_an_event_is_frozen_and_hides_who_wrote_what() -> None:
    event = InboundEvent("stub", "a", "1", EventKind.TEXT, "resident-7", NOW, text="我的证件")

    assert "resident-7" not in repr(event)
    assert "我的证件" not in repr(event)
    with pytest.raises(FrozenInstanceError):
        event.text = ""  # type: ignore[misc]


def test_headers_are_found_whatever_their_case() -> None:
    req = InboundRequest("GET", headers={"X-Request-ID": "7"})

    assert (req.header("x-request-id"), req.header("other")) == ("7", "")


@given(left=st.lists(st.text(), max_size=4), right=st.lists(st.text(), max_size=4))
def test_digests_differ_when_any_part_does(left: list[str], right: list[str]) -> None:
    assert (stable_digest(*left) == stable_digest(*right)) == (left == right)


@given(encoded=st.binary(max_size=200))
def test_parameters_are_read_or_refused(encoded: bytes) -> None:
    values = or_refusal(raw_parameters, encoded)

    assert values == 400 or all(name.isascii() for name in values)


PARAMETER_PIECES = st.sampled_from([b"&", b"=", b"a", b"b", b"%41", b"%e6", b"+", b"%", b"\xe6", b"%zz", b""])


@given(encoded=st.lists(PARAMETER_PIECES, max_size=14).map(b"".join))
def test_parameters_are_split_as_the_library_splits_them(encoded: bytes) -> None:
    pairs = parse_qsl(encoded.decode("latin-1"), keep_blank_values=True, encoding="latin-1")

    values = or_refusal(raw_parameters, encoded)

    assert values in ({name: value.encode("latin-1") for name, value in pairs}, 400)
    twice = len(dict(pairs)) != len(pairs)
    assert (values == 400) == (twice or not all(name.isascii() for name, _ in pairs))


# A lone per cent sign would join with the letter after it.
@given(encoded=st.lists(PARAMETER_PIECES.filter(lambda piece: piece != b"%"), max_size=14).map(b"".join))
def test_a_query_without_anything_to_decode_is_read_as_any_other(encoded: bytes) -> None:
    quoted = encoded.replace(b"a", b"%61")  # takes the careful way

    assert or_refusal(InboundRequest.query, InboundRequest("GET", encoded)) == or_refusal(
        InboundRequest.query, InboundRequest("GET", quoted)
    )


def leaves(parent: Element, prefix: str = "") -> dict[str, str]:
    """Return what ``read_xml`` should, by a parser that is slower and well known."""
    found: dict[str, str] = {}
    counts: dict[str, int] = {}
    for child in parent:
        name = f"{prefix}{child.tag}"
        if child.tag in ("item", "List"):
            name = f"{name}.{counts.get(child.tag, 0)}"
            counts[child.tag] = counts.get(child.tag, 0) + 1
        found |= leaves(child, f"{name}.") if len(child) else {name: child.text or ""}
    return found


NODES = st.recursive(
    st.text(st.sampled_from('办a<&]>" \n'), max_size=6),
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(["A", "b", "MsgType"]), inner, max_size=3),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)


def written(name: str, node: Any) -> str:
    """Return a document; lists become repeated elements, text now and then a CDATA section or a comment."""
    if isinstance(node, dict):
        inner = " ".join(written(child, value) for child, value in node.items())
    elif isinstance(node, list):
        inner = "".join(written("item", value) for value in node)
    else:
        inner = cdata(node) if len(node) % 2 else f"<!--c-->{escape(node)}"
    return f"<{name} at='1'>{inner}</{name}>"


MARKUP_PIECES = [
    "<a>",
    "</a>",
    "<b>",
    "</b>",
    "<item>",
    "</item>",
    "<![CDATA[",
    "]]>",
    "]",
    "&amp;",
    "&",
    "<",
]
CHARACTERS = [
    ">",
    "\r",
    "\n",
    " ",
    "\t",
    "\x00",
    "\x1f",
    "\x7f",
    "\x85",
    "\ufffe",
    "\uffff",
    "\ud800",
    "办",
    "x",
    "𠮷",
]


@given(inner=st.lists(st.sampled_from(MARKUP_PIECES + CHARACTERS), max_size=12).map("".join))
def test_messages_of_the_usual_shape_are_read_as_all_others(inner: str) -> None:
    document = f"<xml>{inner}</xml>"

    assert or_refusal(read_xml, document) == or_refusal(read_xml, f"<!--not usual-->{document}")


VALUES = st.lists(st.sampled_from([*CHARACTERS, "]", "&", "<", "]]>", "[微笑]"]), max_size=5).map("".join)


@given(
    values=st.lists(VALUES, min_size=1, max_size=4), bare=st.booleans(), gap=st.sampled_from(["", "\n", " "])
)
def test_what_flat_messages_say_is_read_as_by_expat(values: list[str], bare: bool, gap: str) -> None:
    texts = [value if bare else f"<![CDATA[{value}]]>" for value in values]
    fields = gap.join(f"<f{number}>{text}</f{number}>" for number, text in enumerate(texts))
    document = f"<xml>{gap}{fields}{gap}</xml>{gap}"

    assert or_refusal(read_xml, document) == or_refusal(read_xml, f"<!--not usual-->{document}")


@given(node=NODES)
def test_messages_are_read_as_a_well_known_parser_reads_them(node: Any) -> None:
    document = written("xml", node)

    expected = leaves(fromstring(document))

    assert or_refusal(read_xml, document) in (expected, 400)
    assert document.count("<item") + document.count("<A") > 6 or read_xml(document) == expected


def test_an_account_of_no_known_kind_is_a_key_error() -> None:
    with an_env() as env, pytest.raises(KeyError):
        registry.build(AccountConfig("telegraph", "a", {}), env)


@pytest.mark.parametrize("account", ["", "A", "a/b", "-a", "a" * 41, "公众号"])
def test_an_account_name_that_fits_no_address_is_refused(account: str) -> None:
    problems = registry.check_settings("stub", account, {"secret": "s"})

    assert [problem.name for problem in problems] == ["account"]


def test_every_kind_has_another_end_to_test_against() -> None:
    for kind in registry.kinds():
        assert importlib.import_module(f"tests.channels.platform_{kind}").config().kind == kind


@pytest.mark.parametrize(
    "value",
    ["ftp://a.cn", "https://", "https://u:p@a.cn", "https://a.cn/?x", "https://a.cn:99999", "http://[", "a"],
)
def test_what_is_no_base_address_is_told(value: str) -> None:
    assert base_url(value)


def test_a_base_address_with_port_and_path_is_fine() -> None:
    assert base_url("http://127.0.0.1:8080/wechat") is None


def test_a_refresh_that_somebody_did_already_is_not_repeated() -> None:
    store = MemoryTokenStore()
    first = store.compare_and_refresh("k", 0, lambda: Token("one", NOW))

    late = store.compare_and_refresh("k", 0, lambda: Token("two", NOW))
    next_one = store.compare_and_refresh("k", first.version, lambda: Token("three", NOW))

    assert (late, next_one.value, next_one.version) == (first, "three", 2)


def test_a_refresh_that_fails_leaves_the_store_as_it_was() -> None:
    store = MemoryTokenStore()
    first = store.compare_and_refresh("k", 0, lambda: Token("one", NOW))

    def fail() -> Token:
        raise ChannelError("no", retryable=True)

    with pytest.raises(ChannelError):
        store.compare_and_refresh("k", first.version, fail)

    assert store.get("k") == first


@given(text=st.text(), limit=st.integers(3, 60))
def test_a_shortened_text_fits_and_is_a_beginning(text: str, limit: int) -> None:
    shown = fit(text, limit)

    assert len(shown.encode("utf-8", "replace")) <= limit
    assert shown == text or (shown.endswith("…") and text.startswith(shown[:-1]))


@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")))
def test_what_is_wrapped_is_read_back(text: str) -> None:
    assert read_xml(f"<xml><a>{cdata(text)}</a></xml>") == {"a": text}


@given(text=st.text(st.sampled_from('<>/&;!-[]"ab1 CDATA?x'), max_size=60))
def test_markup_is_read_or_refused(text: str) -> None:
    fields = or_refusal(read_xml, f"<xml>{text}</xml>")

    assert fields == 400 or all(isinstance(value, str) for value in fields.values())


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (7, 7),
        ("-1", -1),
        ("7200", 7200),
        (True, None),
        ("--5", None),
        ("", None),
        (1.5, None),
        ("9" * 40, None),
    ],
)
def test_numbers_of_all_spellings_are_read(value: object, number: int | None) -> None:
    assert whole_number(value) == number


def test_an_answer_in_compressed_chunks_is_read_whole() -> None:
    words = gzip.compress("办事".encode() * 9000)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for start in range(0, len(words), 7):
                chunk = words[start : start + 7]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.write(b"0\r\n\r\n")
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test output quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server, an_env() as env:
        thread = Thread(target=server.handle_request)
        thread.start()
        answer = call(env, "GET", f"http://127.0.0.1:{server.server_port}/")
        thread.join()

    assert answer.body == "办事".encode() * 9000
    assert answer.sent_at is not None
    assert answer.sent_at.tzinfo is UTC
