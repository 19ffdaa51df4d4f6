"""Alipay with certificates: their numbers, whom they make us believe, and how they are replaced."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from alipay import DCAliPay
from cryptography import x509

from channels import registry
from channels.alipay.adapter import AlipayChannel
from channels.alipay.certificates import number, read, root_number
from channels.base import ChannelError, Outcome, Reply
from tests.channels import certificates as made
from tests.channels import platform_alipay as alipay
from tests.channels.builders import NOW, an_env
from tests.channels.server import Answer, Call, Platform, a_platform

DOWNLOAD = "alipay.open.app.alipaycert.download"
FILE = made.pem(made.root().certificate, made.other_root().certificate)
OLD, NEW = made.alipay_certificate(), made.alipay_certificate(made.rsa_key("new"), serial=9002)


class Gateway(alipay.Api):
    """The gateway in certificate mode; ``offered`` is what it hands out for any number asked for."""

    def __init__(self, signer: alipay.Signer, offered: str = "") -> None:
        super().__init__(signer=signer)
        self.offered = offered

    def __call__(self, call: Call) -> Answer:
        answer = super().__call__(call)
        if self.methods[-1] != DOWNLOAD:
            return answer
        content = base64.b64encode(self.offered.encode()).decode()
        member = f'{{"code":"10000","msg":"Success","alipay_cert_content":"{content}"}}'
        return Answer(f'{{"{DOWNLOAD.replace(".", "_")}_response":{member}}}'.encode())


def signer(certificate: x509.Certificate = OLD, which: str = "") -> alipay.Signer:
    key = made.rsa_key(which) if which else alipay.PLATFORM_KEY
    return alipay.Signer(key, number(certificate))


@contextmanager
def an_adapter(api: Gateway, **settings: str) -> Iterator[tuple[AlipayChannel, Platform]]:
    with a_platform(api) as server, an_env() as env:
        adapter = registry.build(made.config(server.base_url, **settings), env)
        assert isinstance(adapter, AlipayChannel)
        yield adapter, server


def test_a_certificates_number_is_what_the_sdk_says_where_that_is_right() -> None:
    certificate = made.alipay_certificate()

    assert number(certificate) == DCAliPay.get_cert_sn(made.pem(certificate))


def test_a_certificates_number_counts_places_and_no_missing_department() -> None:
    certificate = made.alipay_certificate(issuer=made.other_root(), serial=12)

    words = "CN=Test R2,O=测试机构,L=广州市,ST=广东省,C=CN12"
    assert number(certificate) == hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(FILE, id="blank lines between"),
        pytest.param(FILE.replace("\n", "\r\n"), id="made by Windows or a web form"),
        pytest.param(FILE.replace("-\n\n-", "-\n-"), id="no blank lines"),
        pytest.param(FILE.replace("\n", ""), id="no line ends"),
        pytest.param(FILE.replace("\n", " "), id="one line"),
        pytest.param(f"Certificate:\n  Data: x\n{FILE}\n\n\n", id="words around"),
    ],
)
def test_a_root_files_number_does_not_depend_on_its_line_ends(text: str) -> None:
    numbers = [number(made.root().certificate), number(made.other_root().certificate)]

    assert root_number(read(text)) == "_".join(numbers)


def test_a_root_files_number_is_what_the_sdk_says_where_that_is_right() -> None:
    names = made.pem(made.root().certificate, made.elliptic_root().certificate)

    assert root_number(read(names)) == DCAliPay.get_root_cert_sn(names)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(made.pem(made.elliptic_root().certificate), id="elliptic curve"),
        pytest.param("-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n", id="unreadable"),
        pytest.param("-----BEGIN CERTIFICATE-----\nQUJ\n-----END CERTIFICATE-----\n", id="no base64"),
    ],
)
def test_roots_of_other_algorithms_are_passed_over(block: str) -> None:
    text = f"{block}\n{made.pem(made.root().certificate)}\n{block}"

    assert root_number(read(text)) == number(made.root().certificate)


def test_requests_name_both_certificates_and_sign_the_names() -> None:
    api = Gateway(signer())

    with an_adapter(api) as (adapter, server):
        result = adapter.send(alipay.RECIPIENT, Reply("你好"))

    asked = api.asked[0]
    assert result.outcome is Outcome.ACCEPTED
    assert asked["app_cert_sn"] == number(made.app_certificate())
    assert asked["alipay_root_cert_sn"] == number(made.root().certificate)
    assert "app_cert_sn" in server.calls[0].target


def test_an_answer_under_a_new_certificate_makes_it_fetched_once() -> None:
    api = Gateway(signer(NEW, "new"), made.pem(NEW, made.intermediate().certificate))

    with an_adapter(api) as (adapter, _):
        outcomes = [adapter.send(alipay.RECIPIENT, Reply("你好")).outcome for _ in range(3)]
        event = adapter.parse(adapter.open(alipay.text("旧证书签名的消息")))

    assert outcomes == [Outcome.ACCEPTED] * 3
    assert api.methods.count(DOWNLOAD) == 1
    assert event.text == "旧证书签名的消息"


STRANGER = made.an_authority(made.intermediate().name, made.rsa_key("stranger"))
UNDER_AN_APP = made.Authority(made.app_certificate().subject, alipay.APP_KEY, made.app_certificate())


@pytest.mark.parametrize(
    ("changes", "chain"),
    [
        pytest.param({"issuer": STRANGER}, (STRANGER.certificate,), id="another root"),
        pytest.param({"organisation": "别的公司"}, (), id="another organisation"),
        pytest.param({"ends_at": NOW - timedelta(days=1)}, (), id="over"),
        pytest.param({"serial": 9003}, (), id="another number"),
        pytest.param({"issuer": UNDER_AN_APP}, (made.app_certificate(),), id="issued by an app"),
    ],
)
def test_a_certificate_that_is_not_alipays_is_not_believed(
    changes: Mapping[str, Any], chain: tuple[x509.Certificate, ...]
) -> None:
    fake = made.alipay_certificate(made.rsa_key("new"), **{"serial": 9002, **changes})
    named = NEW if "serial" in changes else fake
    offered = made.pem(fake, *chain, made.intermediate().certificate)
    api = Gateway(signer(named, "new"), offered)

    with an_adapter(api) as (adapter, _):
        result = adapter.send(alipay.RECIPIENT, Reply("你好"))

    assert (result.outcome, result.code) == (Outcome.AUTH, "bad_signature")


def test_a_message_whose_answer_cannot_be_verified_may_have_gone_out_all_the_same() -> None:
    api = Gateway(signer(NEW, "new"))

    def respond(call: Call) -> Answer:
        answer = api(call)
        return Answer(b"", status=403) if api.methods[-1] == DOWNLOAD else answer

    with a_platform(respond) as server, an_env() as env:
        adapter = registry.build(made.config(server.base_url), env)
        result = adapter.send(alipay.RECIPIENT, Reply("你好"))

    assert len(api.sent) == 1
    assert (result.outcome, result.code) == (Outcome.RETRYABLE, "unverified")


@pytest.mark.parametrize("offered", ["", "junk", FILE])
def test_what_is_no_certificate_is_not_believed(offered: str) -> None:
    with an_adapter(Gateway(signer(NEW, "new"), offered)) as (adapter, _):
        assert adapter.send(alipay.RECIPIENT, Reply("你好")).code == "bad_signature"


def test_an_answer_signed_by_another_key_than_its_certificate_is_refused() -> None:
    api = Gateway(alipay.Signer(made.rsa_key("new"), number(OLD)))

    with an_adapter(api) as (adapter, _), pytest.raises(ChannelError) as refused:
        adapter.read_menu()

    assert refused.value.code == "bad_signature"


def test_old_and_new_certificate_may_stand_side_by_side() -> None:
    both = made.pem(OLD, NEW, made.intermediate().certificate)
    api = Gateway(signer(NEW, "new"))

    with an_adapter(api, alipay_cert=both) as (adapter, _):
        outcome = adapter.send(alipay.RECIPIENT, Reply("你好")).outcome
        event = adapter.parse(adapter.open(alipay.text("旧")))

    assert (outcome, event.text) == (Outcome.ACCEPTED, "旧")
    assert DOWNLOAD not in api.methods


def test_the_gateway_check_is_answered_in_certificate_mode() -> None:
    with an_adapter(Gateway(signer())) as (adapter, _):
        answer = adapter.handshake(alipay.handshake())

    assert answer is not None
    assert alipay.accepts_handshake(answer)
    assert f"<app_cert_sn>{number(made.app_certificate())}</app_cert_sn><sign>".encode() in answer.body


def test_the_probe_says_when_a_certificate_ends() -> None:
    ends_at = NOW + timedelta(days=20)
    short = made.pem(made.alipay_certificate(ends_at=ends_at), made.intermediate().certificate)

    with an_adapter(Gateway(alipay.Signer()), alipay_cert=short) as (adapter, _):
        health = adapter.probe()

    assert (health.ok, health.token_expires_at) == (True, ends_at)


def test_the_probe_fails_once_a_certificate_has_ended() -> None:
    over = made.alipay_certificate(ends_at=NOW - timedelta(days=1))
    text = made.pem(over, made.intermediate().certificate)

    with an_adapter(Gateway(alipay.Signer()), alipay_cert=text) as (adapter, _):
        health = adapter.probe()

    assert (health.ok, health.code) == (False, "certificate_expired")


def problems(**changes: str) -> dict[str, str]:
    """Return what is said of an account in certificate mode, by field."""
    config = made.config()
    values = {**config.settings, **config.secrets, **changes}
    return {one.name: one.message for one in registry.check_settings("alipay", "gd-window", values)}


def test_a_whole_set_of_certificates_is_taken() -> None:
    assert problems() == {}


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        pytest.param("app_cert", "", "必须填写", id="no app certificate"),
        pytest.param("alipay_root_cert", "", "必须填写", id="no root"),
        pytest.param("app_cert", made.pem(OLD), "不是一对", id="Alipay's for the app's"),
        pytest.param("alipay_cert", made.pem(made.app_certificate()), "应用公钥证书", id="the app's twice"),
        pytest.param(
            "alipay_cert",
            made.pem(made.alipay_certificate(issuer=STRANGER), STRANGER.certificate),
            "根证书签发",
            id="of another root",
        ),
        pytest.param("alipay_cert", "-----BEGIN PRIVATE KEY-----", "私钥", id="a private key"),
        pytest.param("alipay_cert", "QUJD", "不是可用的 RSA 证书", id="no certificate"),
        pytest.param(
            "alipay_root_cert", made.pem(made.elliptic_root().certificate), "alipayRootCert", id="no RSA"
        ),
        pytest.param("app_private_key", made.pem(OLD), "这是证书", id="a certificate for the key"),
    ],
)
def test_a_wrong_paste_is_told_in_plain_words(field: str, value: str, word: str) -> None:
    found = problems(**{field: value})

    assert list(found) == [field]
    assert word in found[field]


def key_problems(**changes: str) -> dict[str, str]:
    config = alipay.config()
    values = {**config.settings, **config.secrets, **changes}
    return {one.name: one.message for one in registry.check_settings("alipay", "gd-window", values)}


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        pytest.param("alipay_public_key", "", "必须填写", id="nothing"),
        pytest.param(
            "alipay_public_key",
            alipay.bare(alipay.public_pem(alipay.APP_KEY)),
            "应用公钥",
            id="the app's own",
        ),
        pytest.param("alipay_public_key", alipay.private_pem(alipay.APP_KEY), "私钥", id="the private key"),
        pytest.param("alipay_public_key", made.pem(OLD), "这是证书", id="a certificate"),
        pytest.param("app_private_key", alipay.public_pem(alipay.APP_KEY), "这是公钥", id="a public key"),
        pytest.param(
            "app_private_key",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nQUJD\n-----END ENCRYPTED PRIVATE KEY-----",
            "密码",
            id="a locked key",
        ),
        pytest.param("seller_id", "2088", "2088 开头", id="no seller"),
    ],
)
def test_a_wrong_paste_in_key_mode_is_told_in_plain_words(field: str, value: str, word: str) -> None:
    found = key_problems(**{field: value})

    assert list(found) == [field]
    assert word in found[field]


def test_a_short_key_does_for_the_old_signature_only() -> None:
    short = alipay.private_pem(made.rsa.generate_private_key(65537, 1024))

    assert list(key_problems(app_private_key=short)) == ["app_private_key"]
    assert key_problems(app_private_key=short, sign_type="RSA") == {}


def test_secrets_stand_in_no_problem() -> None:
    config = replace(alipay.config(), secrets={"app_private_key": "MIIsecretsecret"})

    with an_env() as env, pytest.raises(registry.BadSettings) as refused:
        registry.build(config, env)

    assert "MIIsecret" not in str(refused.value)
