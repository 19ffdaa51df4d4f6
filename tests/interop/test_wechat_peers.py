"""Messages sealed by other people's libraries, answered by our callback over HTTP, opened by them again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import pytest
import requests
from defusedxml.ElementTree import fromstring

from channels.wechat import pages
from tests.channels import platform_wechat as wechat
from tests.interop.conftest import Hall
from tests.interop.node import Peer, a_peer

LIBRARIES = ("@wecom/crypto", "wechat-crypto")
WIRES = ("xml", "json")
CONTENTS = {
    "Chinese": "火星签证",
    "emoji": "👨‍👩‍👧‍👦🇨🇳签证𠮷",
    "1,000 characters": "粤" * 1000,
    "empty": "",
    "markup": "]]><b>&amp;",
}
QUOTED = 40
"""So much of what somebody wrote is said again in the answer."""


@dataclass(frozen=True)
class Account:
    """An account of ours and the library that plays the platform to it."""

    hall: Hall
    peer: Peer
    library: str
    key: str = wechat.KEY
    app_id: str = wechat.APP_ID

    def send(self, message: str, wire: str, nonce: str, **changed: str) -> requests.Response:
        """Seal ``message`` and call our address with it; ``changed`` are other parameters than signed."""
        now = str(int(datetime.now(UTC).timestamp()))
        sealed = self._ask("seal", message=message, timestamp=now, nonce=nonce)
        query = {
            "timestamp": now,
            "nonce": nonce,
            "encrypt_type": "aes",
            "msg_signature": sealed["signature"],
        }
        return self.hall.call("wechat", {**query, **changed}, outer(sealed["cipher"], wire))

    def open(self, answer: requests.Response, wire: str) -> Mapping[str, str]:
        """Check the signature of an answer with the library, open it and return its members."""
        assert answer.status_code == 200
        sealed = read(answer.text, wire)
        proof = {"timestamp": sealed["TimeStamp"], "nonce": sealed["Nonce"]}
        opened = self._ask("open", cipher=sealed["Encrypt"], **proof)
        assert opened["signature"] == sealed["MsgSignature"]
        assert opened["id"] == self.app_id
        return read(opened["message"], wire)

    def _ask(self, question: str, **given: Any) -> Any:
        account = {"token": wechat.TOKEN, "key": self.key, "appId": self.app_id}
        return self.peer.ask(question, library=self.library, account=account, **given)


@pytest.fixture(scope="module")
def peer(with_node: None) -> Iterator[Peer]:
    with a_peer("wechat.mjs") as running:
        yield running


@pytest.fixture(scope="module")
def served(hall: Hall) -> Hall:
    hall.add("wechat", wechat.config())
    return hall


@pytest.fixture(params=LIBRARIES)
def account(request: pytest.FixtureRequest, served: Hall, peer: Peer) -> Account:
    return Account(served, peer, request.param)


def outer(cipher: str, wire: str) -> str:
    if wire == "json":
        return json.dumps({"ToUserName": wechat.ORIGINAL_ID, "Encrypt": cipher})
    return f"<xml><ToUserName>{wechat.ORIGINAL_ID}</ToUserName><Encrypt>{cipher}</Encrypt></xml>"


def read(text: str, wire: str) -> dict[str, str]:
    """Return the members of a message; of XML those of the top only."""
    if wire == "json":
        return {name: str(value) for name, value in json.loads(text).items()}
    return {child.tag: child.text or "" for child in fromstring(text)}


def a_text(content: str, wire: str, message_id: str) -> str:
    now = int(datetime.now(UTC).timestamp())
    fields = {"ToUserName": wechat.ORIGINAL_ID, "FromUserName": wechat.RECIPIENT, "CreateTime": now}
    fields |= {"MsgType": "text", "Content": content, "MsgId": message_id}
    if wire == "json":
        return json.dumps(fields, ensure_ascii=False)
    return f"<xml>{''.join(f'<{name}>{escape(str(value))}</{name}>' for name, value in fields.items())}</xml>"


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_a_message_of_theirs_gets_an_answer_they_can_open(account: Account, wire: str, content: str) -> None:
    nonce = hashlib.sha1(f"{account.library}{wire}{content}".encode()).hexdigest()

    answer = account.send(a_text(content, wire, nonce), wire, nonce)

    said = account.open(answer, wire)
    assert (said["FromUserName"], said["ToUserName"]) == (wechat.ORIGINAL_ID, wechat.RECIPIENT)
    assert f"“{content[:QUOTED]}" in said["Content"]


def test_the_answer_goes_back_under_the_key_that_opened_the_message(account: Account) -> None:
    before = Account(account.hall, account.peer, account.library, key=wechat.OLD_KEY)
    nonce = f"rotation-{account.library}"

    answer = before.send(a_text("户口", "xml", nonce), "xml", nonce)

    assert "户口" in before.open(answer, "xml")["Content"]


def test_a_message_for_another_app_is_refused(account: Account) -> None:
    other = Account(account.hall, account.peer, account.library, app_id="wxffffffffffffffff")

    answer = other.send(a_text("户口", "xml", "other-app"), "xml", "other-app")

    assert answer.status_code == 403


def test_a_message_under_a_key_we_never_had_is_refused(account: Account) -> None:
    other = Account(account.hall, account.peer, account.library, key="Z" * 42 + "A")

    answer = other.send(a_text("户口", "xml", "other-key"), "xml", "other-key")

    assert answer.status_code == 400


def test_a_signature_of_theirs_over_something_else_is_refused(account: Account) -> None:
    answer = account.send(a_text("户口", "xml", "forged"), "xml", "forged", timestamp="1714112445")

    assert answer.status_code == 403


def test_a_repeat_sealed_anew_gets_the_same_answer_to_open(account: Account) -> None:
    message = a_text("居住证", "xml", f"repeat-{account.library}")

    first = account.send(message, "xml", f"first-{account.library}")
    again = account.send(message, "xml", f"again-{account.library}")

    assert first.content == again.content
    assert "居住证" in account.open(again, "xml")["Content"]


@pytest.mark.parametrize(
    "path",
    ["", "?params=value", "/a/b?x=1&y=%E7%B2%A4", "/%E7%B2%A4?a=b%26c"],
    ids=["host", "query", "path", "odd"],
)
def test_any_page_is_signed_as_they_sign_it(peer: Peer, path: str) -> None:
    given = {"ticket": wechat.TICKET, "nonce": "Wm3WZYTPz0wzccnW", "timestamp": 1414587457}
    url = f"http://mp.weixin.qq.com{path}"

    theirs = peer.ask("signPage", url=url, **given)

    assert pages.sign(wechat.TICKET, "Wm3WZYTPz0wzccnW", 1414587457, url) == theirs


@pytest.mark.parametrize(
    ("path", "published"),
    [
        pytest.param("", "f4d90daf4b3bca3078ab155816175ba34c443a7b", id="host"),
        pytest.param("?params=value", "0f9de62fce790f9a083d5c99e95740ceb90c27ed", id="with a query"),
    ],
)
def test_the_published_pages_are_signed_alike_by_all(peer: Peer, path: str, published: str) -> None:
    given = {"ticket": wechat.TICKET, "nonce": "Wm3WZYTPz0wzccnW", "timestamp": 1414587457}
    url = f"http://mp.weixin.qq.com{path}"

    theirs = peer.ask("signPage", url=url, **given)

    assert theirs == published
    assert pages.sign(wechat.TICKET, "Wm3WZYTPz0wzccnW", 1414587457, url) == published
