"""The worked examples of the official message-push document, and what must not open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.wechat import crypto

KEY = "A" * 43
APP_ID = "wxba5fad812f8e6fb9"
OTHER_KEY = "B" * 42 + "A"


def test_signs_the_address_check_of_the_official_example() -> None:
    signature = crypto.signature("AAAAA", "1714036504", "1514711492")

    assert signature == "f464b24fc39322e44b38aa78f5edd27bd1441696"


def test_encrypts_and_signs_the_reply_of_the_official_example() -> None:
    random, message = b"707722b803182950", b'{"demo_resp":"good luck"}'

    cipher = crypto.encrypt(KEY, APP_ID, message, random)

    assert (cipher[:8], cipher[-4:]) == ("ELGduP2Y", "SQ==")
    signature = crypto.signature("AAAAA", "1713424427", "415670741", cipher)
    assert signature == "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"


@given(message=st.binary(max_size=300), random=st.binary(min_size=16, max_size=16))
def test_opens_what_it_encrypted(message: bytes, random: bytes) -> None:
    cipher = crypto.encrypt(KEY, APP_ID, message, random)

    assert crypto.decrypt(KEY, APP_ID, cipher) == message


@given(cipher=st.one_of(st.text(max_size=60), st.binary(max_size=96).map(bytes.hex)))
def test_refuses_what_nobody_encrypted(cipher: str) -> None:
    with pytest.raises(crypto.CryptoError):
        crypto.decrypt(KEY, APP_ID, cipher)


@pytest.mark.parametrize(
    ("key", "app_id"),
    [pytest.param(KEY, "wx0", id="another account"), pytest.param(OTHER_KEY, APP_ID, id="another key")],
)
def test_refuses_a_message_meant_for_others(key: str, app_id: str) -> None:
    cipher = crypto.encrypt(KEY, APP_ID, b"<xml/>", b"0123456789abcdef")

    with pytest.raises(crypto.CryptoError):
        crypto.decrypt(key, app_id, cipher)
