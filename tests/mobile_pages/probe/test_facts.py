"""What a good look teaches besides, and what of it is told."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_pages.probe.facts import (
    WARN_DAYS,
    Certificate,
    ChangeKind,
    Facts,
    Seen,
    from_dict,
    learn,
    to_dict,
)

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def a_certificate(days=90.0, fingerprint="aa", issuer="样例机构"):
    return Certificate(fingerprint, issuer, "01", NOW + days * DAY)


def a_look(**changed):
    details = {
        "at": NOW,
        "addresses": ("203.0.113.1", "203.0.113.2"),
        "tls_version": "TLSv1.3",
        "certificate": a_certificate(),
        "title": "户政服务",
        "structure": "1f",
        **changed,
    }
    return Seen(**details)


def kinds(known, seen):
    return [one.kind for one in learn(known, seen)[1]]


KNOWN = learn(Facts(), a_look())[0]


def test_what_is_seen_first_is_no_change():
    facts, changes = learn(Facts(), a_look())

    assert changes == ()
    assert (facts.title, facts.tls_version) == ("户政服务", "TLSv1.3")


def test_a_look_like_the_last_changes_nothing_at_all():
    facts, changes = learn(KNOWN, a_look(at=NOW + DAY))

    assert facts is KNOWN
    assert changes == ()


def test_a_look_that_saw_less_takes_nothing_away():
    assert learn(KNOWN, Seen(NOW)) == (KNOWN, ())


CHANGES = [
    pytest.param({"certificate": a_certificate(fingerprint="bb")}, "certificate_changed", id="renewed"),
    pytest.param({"tls_version": "TLSv1.1"}, "tls_too_old", id="old TLS"),
    pytest.param({"addresses": ("203.0.113.9",)}, "addresses_changed", id="moved"),
    pytest.param({"title": "另一页"}, "title_changed", id="another title"),
    pytest.param({"structure": "2e"}, "structure_changed", id="another structure"),
]


@pytest.mark.parametrize(("seen", "kind"), CHANGES)
def test_a_change_is_told_once(seen, kind):
    facts, (change,) = learn(KNOWN, a_look(**seen))

    assert change.kind == kind
    assert change.text.endswith("。")
    assert kinds(facts, a_look(**seen)) == []


def test_servers_that_answer_in_turn_are_no_move():
    facts, changes = learn(KNOWN, a_look(addresses=("203.0.113.2", "203.0.113.3")))

    assert changes == ()
    assert kinds(facts, a_look(addresses=("203.0.113.3",))) == []


def test_another_issuer_is_urgent():
    _, (change,) = learn(KNOWN, a_look(certificate=a_certificate(fingerprint="bb", issuer="别的机构")))

    assert change.urgent


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60))
def test_an_ending_certificate_is_told_once_for_each_step(days):
    facts, told = KNOWN, 0
    for day in sorted(days):
        facts, changes = learn(facts, a_look(at=NOW + day * DAY))
        told += len(changes)

    steps = [step for step in WARN_DAYS if any(90 - day <= step for day in days)]
    reached = {min(step for step in WARN_DAYS if 90 - day <= step) for day in days if 90 - day <= 30}
    assert told == len(reached) <= len(steps)


def test_a_renewed_certificate_is_warned_of_anew():
    ending, _ = learn(KNOWN, a_look(at=NOW + 85 * DAY))
    renewed, _ = learn(ending, a_look(certificate=a_certificate(400, "bb"), at=NOW + 86 * DAY))

    assert (ending.warned_days, renewed.warned_days) == (7, None)
    assert kinds(renewed, a_look(certificate=a_certificate(400, "bb"), at=NOW + 375 * DAY)) == [
        ChangeKind.CERTIFICATE_EXPIRING
    ]


def test_a_renewed_certificate_that_ends_soon_is_both():
    assert kinds(KNOWN, a_look(certificate=a_certificate(2, "bb"))) == [
        ChangeKind.CERTIFICATE_CHANGED,
        ChangeKind.CERTIFICATE_EXPIRING,
    ]


@pytest.mark.parametrize("facts", [Facts(), KNOWN, replace(KNOWN, warned_days=3)])
def test_facts_go_to_json_and_back(facts):
    assert from_dict(json.loads(json.dumps(to_dict(facts)))) == facts


def test_nothing_stored_is_nothing_known():
    assert from_dict(None) == Facts()
