"""Signed requests: what was signed passes, anything else is refused and says why."""

from __future__ import annotations

import hmac
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.third_parties import signing
from app.third_parties.domain import SKEW
from app.third_parties.signing import (
    ClockSkew,
    DigestWrong,
    SignatureMissing,
    SignatureWrong,
    SignedRequest,
)
from tests.builders import NOW

SECRET = "a-secret-of-the-department"
URL = "https://hall.example.gov.cn/api/v1/open/messages"
PARTS = st.text("abcXYZ09-._~%41&=+/?:@!$'()*,;", max_size=30).filter(lambda text: "%" not in text)


def a_request(method="POST", url=URL, body=b'{"a": 1}', **headers):
    return SignedRequest(method, url, {"Content-Type": "application/json", **headers}, body)


def signed(request, secret=SECRET, nonce="nonce-0001"):
    headers = signing.sign(request, key_id="gdt_1", secret=secret, created=NOW, nonce=nonce)
    return replace(request, headers=headers)


def check(request, secret=SECRET):
    claim = signing.read_claim(request)
    signing.verify(request, claim, secret)
    return claim


def test_what_was_signed_passes_and_says_who_when_and_with_which_nonce():
    claim = check(signed(a_request()))

    assert (claim.key_id, claim.created, claim.nonce) == ("gdt_1", int(NOW.timestamp()), "nonce-0001")


def test_fifteen_lines_without_a_library_make_the_same_signature():
    ours = signed(a_request(url=URL + "?b=2&a=1"))
    digest = b64encode(sha256(b'{"a": 1}').digest()).decode()
    inputs = '("@method" "@path" "@query" "content-digest")'
    inputs += f';created={int(NOW.timestamp())};keyid="gdt_1";nonce="nonce-0001"'
    lines = [
        '"@method": POST',
        '"@path": /api/v1/open/messages',
        '"@query": ?b=2&a=1',
        f'"content-digest": sha-256=:{digest}:',
        f'"@signature-params": {inputs}',
    ]

    mac = b64encode(hmac.new(SECRET.encode(), "\n".join(lines).encode(), sha256).digest()).decode()

    assert ours.headers["Signature-Input"] == f"hall={inputs}"
    assert ours.headers["Signature"] == f"hall=:{mac}:"


@settings(max_examples=50)
@given(PARTS, st.binary(max_size=40), st.sampled_from(["GET", "POST", "DELETE"]))
def test_every_request_that_was_signed_passes(query, body, method):
    request = signed(a_request(method, f"{URL}?{query}", body))

    assert check(request).key_id == "gdt_1"


@settings(max_examples=50)
@given(PARTS, PARTS)
def test_another_query_is_another_request(one, other):
    request = signed(a_request(url=f"{URL}?{one}"))
    moved = replace(request, url=f"{URL}?{other}")

    if one == other:
        assert check(moved)
    else:
        with pytest.raises(SignatureWrong):
            check(moved)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"method": "PUT"}, id="method"),
        pytest.param({"url": URL + "s"}, id="path"),
        pytest.param({"url": URL + "?x"}, id="query"),
    ],
)
def test_another_request_under_the_same_signature_is_refused(changed):
    request = replace(signed(a_request()), **changed)

    with pytest.raises(SignatureWrong):
        check(request)


def test_another_body_is_refused_by_its_digest():
    request = replace(signed(a_request()), body=b'{"a": 2}')

    with pytest.raises(DigestWrong):
        check(request)


def test_another_digest_is_refused_by_the_signature():
    other = signed(a_request(body=b"other")).headers["Content-Digest"]
    request = signed(a_request())

    with pytest.raises(SignatureWrong):
        check(replace(request, headers={**request.headers, "Content-Digest": other}))


def test_a_wrong_secret_is_told_the_digest_of_what_had_to_be_signed_and_no_more():
    request = signed(a_request(), secret="another")

    with pytest.raises(SignatureWrong) as refused:
        check(request)

    right = request.headers["Signature-Input"].removeprefix("hall=")
    lines = ['"@method": POST', '"@path": /api/v1/open/messages', '"@query": ?']
    lines += [f'"content-digest": {request.headers["Content-Digest"]}', f'"@signature-params": {right}']
    assert sha256("\n".join(lines).encode()).hexdigest() in str(refused.value)
    assert SECRET not in str(refused.value)


def inputs_of(cover='"@method" "@path" "@query"', rest=';created=1;keyid="k";nonce="12345678"'):
    return f"hall=({cover}){rest}"


BAD_INPUTS = [
    pytest.param("", id="nothing"),
    pytest.param("hall", id="a flag"),
    pytest.param("hall=(((", id="cut off"),
    pytest.param("签名", id="not ASCII"),
    pytest.param("hall=" + "(" * 5000, id="huge"),
    pytest.param(inputs_of('"@method" "@path"'), id="query not covered"),
    pytest.param(inputs_of("1 2 3"), id="numbers covered"),
    pytest.param(inputs_of(rest=';created="x";keyid="k";nonce="12345678"'), id="created is no number"),
    pytest.param(inputs_of(rest=';created=999999999999999;keyid="k";nonce="12345678"'), id="end of time"),
    pytest.param(inputs_of(rest=';created=-1;keyid="k";nonce="12345678"'), id="before time"),
    pytest.param(inputs_of(rest=';created=1;nonce="12345678"'), id="no key"),
    pytest.param(inputs_of(rest=f';created=1;keyid="{"k" * 99}";nonce="12345678"'), id="long key"),
    pytest.param(inputs_of(rest=';created=1;keyid="k"'), id="no nonce"),
    pytest.param(inputs_of(rest=';created=1;keyid="k";nonce="1"'), id="short nonce"),
    pytest.param(inputs_of() + "," + inputs_of(), id="twice"),
    pytest.param(inputs_of() + ",other" + inputs_of()[4:], id="two signatures"),
]


@pytest.mark.parametrize("inputs", BAD_INPUTS)
def test_a_signature_of_another_shape_is_no_signature(inputs):
    request = a_request(body=b"", **{"Signature-Input": inputs, "Signature": "hall=:AAAA:"})

    with pytest.raises(SignatureMissing):
        signing.read_claim(request)


@pytest.mark.parametrize(
    "signature",
    ["", "hall", "hall=:", "hall=1", 'hall="text"', "other=:AAAA:", "hall=:!!!!:", "hall=:AAAA:,b=:AAAA:"],
)
def test_a_broken_signature_header_is_refused(signature):
    request = signed(a_request())
    broken = replace(request, headers={**request.headers, "Signature": signature})

    with pytest.raises((SignatureMissing, SignatureWrong)):
        check(broken)


@settings(max_examples=50)
@given(st.text(max_size=60), st.text(max_size=60))
def test_no_header_breaks_the_reader(inputs, signature):
    request = a_request(**{"Signature-Input": inputs, "Signature": signature})

    with pytest.raises(SignatureMissing):
        check(request)


@pytest.mark.parametrize("seconds", [-100, -1, 0, 1, 100])
def test_clocks_may_differ_by_a_hundred_seconds(seconds):
    claim = signing.Claim("k", int(NOW.timestamp()) + seconds, "12345678")

    signing.check_time(claim, NOW)


@pytest.mark.parametrize(("seconds", "words"), [(101, "快 101 秒"), (-101, "慢 101 秒"), (86400, "快 86400")])
def test_a_clock_further_off_is_told_by_how_much(seconds, words):
    claim = signing.Claim("k", int((NOW + timedelta(seconds=seconds)).timestamp()), "12345678")

    with pytest.raises(ClockSkew, match=words):
        signing.check_time(claim, NOW)


@pytest.mark.parametrize("parameter", [";expires=1", ";expires=-5", f";expires={int(NOW.timestamp()) - 1}"])
def test_a_signature_whose_own_time_is_over_does_not_count(parameter):
    inputs = f'hall=("@method" "@path" "@query");created={int(NOW.timestamp())};keyid="k";nonce="12345678"'

    claim = signing.read_claim(a_request(body=b"", **{"Signature-Input": inputs + parameter}))

    with pytest.raises(ClockSkew):
        signing.check_time(claim, NOW)


def test_the_window_is_that_of_the_security_rules():
    assert timedelta(seconds=100) == SKEW
