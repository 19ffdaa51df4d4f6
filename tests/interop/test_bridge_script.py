"""hall-bridge.js as other people's parsers see it: ECMAScript 5, and short because it was shortened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.node import Peer, Refused, a_peer

SCRIPTS = Path(__file__).resolve().parent.parent.parent / "app/portal/scripts"
SOURCE = (SCRIPTS / "hall-bridge.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def peer(with_node: None) -> Iterator[Peer]:
    with a_peer("bridge.mjs") as running:
        yield running


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.js")), ids=lambda path: path.name)
def test_old_phones_can_read_it(peer: Peer, path: Path) -> None:
    assert peer.ask("parse", text=path.read_text(encoding="utf-8"), year=5) is True


@pytest.mark.parametrize("text", ["const a = 1;", "var f = () => 1;", "var a = `x`;", "f(a, b,);"])
def test_the_parser_refuses_what_came_after(peer: Peer, text: str) -> None:
    with pytest.raises(Refused):
        peer.ask("parse", text=text, year=5)


def test_what_is_given_out_is_the_source_shortened(peer: Peer) -> None:
    made = peer.ask("shorten", text=SOURCE)

    given_out = {path.read_text(encoding="utf-8") for path in SCRIPTS.glob("*.min.js")}
    assert made in given_out, "run make bridge, and give a changed script a new version"


def test_it_evaluates_no_text() -> None:
    for forbidden in ("eval(", "new Function", "innerHTML", "document.write", "localStorage"):
        assert forbidden not in "".join(line for line in SOURCE.splitlines() if "//" not in line)
