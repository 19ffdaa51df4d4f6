"""The demo's people: real names, an enterprise and a delegation, from the sandbox's register."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core import clock
from app.demo import people
from app.identity import service as identity
from tests.app.identity.people_builders import a_register, set_up, somebody
from tests.builders import settings_for

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def test_a_newcomer_finds_a_verified_person_an_enterprise_and_a_delegation(app, context):
    with a_register() as register, set_up(app, register):
        resident_id, now = somebody(), clock.system_clock()

        assert people.make_people(resident_id, now)
        acting = identity.acting_for(resident_id, on=clock.day_of(now))

        assert identity.real_name(resident_id).number == people.HOLDER[1]
        assert {one.name for one in acting} == {people.COMPANY[1], people.RELATIVE[2]}
        assert not people.make_people(resident_id, now)


def test_without_a_provider_nothing_is_made(app, context):
    resident_id = somebody()

    assert not people.make_people(resident_id, clock.system_clock())
    assert identity.person_of(resident_id) is None


def test_the_sandbox_is_told_what_it_needs_and_another_provider_tells_it_nothing(app, tmp_path):
    plain = settings_for("sqlite:///:memory:", tmp_path)
    own = replace(
        plain, sandbox_url="http://s", verify_url="http://s/real-name", verify_app="a", verify_secret="b"
    )

    assert people.verification_of(own) == {"app": "a", "secret": "b"}
    assert people.verification_of(replace(own, verify_url="https://register.example.cn")) is None
    assert people.verification_of(plain) is None
