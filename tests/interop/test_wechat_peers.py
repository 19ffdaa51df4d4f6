"""Messages sealed by other people's libraries, answered by our callback over HTTP, opened by them again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import pytest
import requests
from defusedxml.ElementTree import fromstring

from channels import registry
from channels.base import Reply
from channels.wechat import pages
from channels.wechat.crypto import Sealer, decode_key
from tests.channels import platform_wechat as wechat
from tests.channels import platform_wechat_mini as wechat_mini
from tests.channels.builders import an_env
from tests.channels.test_wechat_inbound import DOC_APP, DOC_CIPHER, DOC_KEY, DOC_REPLY_CIPHER
from tests.interop.conftest import Hall
from tests.interop.node import Peer, a_peer

LIBRARIES = ("@wecom/crypto", "wechat-crypto")
WIRES = ("xml", "json")
CONTENTS = {
    "Chinese": "火星签证",
    "emoji": "👨‍👩‍👧‍👦🇨🇳签证𠮷",
    "1,000 characters": "粤" * 1000,
    "markup": "]]><b>&amp;",
}
QUOTED = 40
"""So much of what somebody wrote is said again in the answer."""


@dataclass(frozen=True)
class Account:
    """An account of ours and the library that plays the platform to it; ``place`` is its callback's key."""

    hall: Hall
    peer: Peer
    library: str
    key: str = wechat.KEY
    app_id: str = wechat.APP_ID
    place: str = "wechat"

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
        return self.hall.call(self.place, {**query, **changed}, outer(sealed["cipher"], wire))

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
    hall.add("mini", wechat_mini.config())
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


@pytest.mark.parametrize("wire", WIRES)
def test_an_empty_message_of_theirs_is_received_in_silence(account: Account, wire: str) -> None:
    nonce = f"empty-{account.library}-{wire}"

    answer = account.send(a_text("", wire, nonce), wire, nonce)

    assert (answer.status_code, answer.text) == (200, "success")


@pytest.mark.parametrize("content", [*CONTENTS.values(), ""], ids=[*CONTENTS.keys(), "empty"])
def test_a_mini_programs_message_of_theirs_is_received(account: Account, content: str) -> None:
    mini = replace(account, place="mini")
    nonce = hashlib.sha1(f"mini{account.library}{content}".encode()).hexdigest()

    answer = mini.send(a_text(content, "json", nonce), "json", nonce)

    # A mini program answers no message by itself: what we say follows as a message of our own.
    assert (answer.status_code, answer.text) == (200, "success")


@pytest.mark.parametrize(("what", "status"), [("app_id", 403), ("key", 400)])
def test_a_mini_program_takes_no_message_for_another(account: Account, what: str, status: int) -> None:
    changed = {"app_id": "wxffffffffffffffff"} if what == "app_id" else {"key": "Z" * 42 + "A"}
    other = replace(account, place="mini", **changed)

    answer = other.send(a_text("户口", "json", f"mini-{what}"), "json", f"mini-{what}")

    assert answer.status_code == status


def test_a_mini_programs_word_that_a_person_takes_over_can_be_opened_by_them(account: Account) -> None:
    with an_env(now=datetime.now(UTC)) as env:
        adapter = registry.build(wechat_mini.config(), env)
        request = wechat_mini.text("人工", at=env.clock())
        answer = adapter.seal(adapter.open(request), Reply(handover=True))

    sealed = requests.Response()
    sealed.status_code, sealed._content = answer.status, answer.body
    wire = "json" if answer.body.startswith(b"{") else "xml"
    assert account.open(sealed, wire)["MsgType"] == "transfer_customer_service"


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


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    ("cipher", "timestamp", "signature", "holds"),
    [
        pytest.param(
            DOC_CIPHER,
            "1714112445",
            "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
            '"hello world"',
            id="message",
        ),
        pytest.param(
            DOC_REPLY_CIPHER,
            "1713424427",
            "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1",
            "good luck",
            id="reply",
        ),
    ],
)
def test_the_published_message_is_read_alike_by_all(
    peer: Peer, library: str, cipher: str, timestamp: str, signature: str, holds: str
) -> None:
    account = {"token": "AAAAA", "key": DOC_KEY, "appId": DOC_APP}

    theirs = peer.ask(
        "open", library=library, account=account, cipher=cipher, timestamp=timestamp, nonce="415670741"
    )

    ours, _ = Sealer(DOC_APP, (("current", decode_key(DOC_KEY)),)).open(cipher)
    assert (theirs["signature"], theirs["id"]) == (signature, DOC_APP)
    assert theirs["message"] == ours
    assert holds in ours
