"""Passwords and grants, without a database."""

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from app.core.access import Permission
from app.organisations.domain import (
    PERMISSIONS,
    SCOPE_OF,
    STANDS_ALONE,
    Grant,
    Role,
    ScopeKind,
    grants_problem,
    password_problem,
)


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("", id="none"),
        pytest.param("Xk7#mq2!wZ9", id="eleven characters"),
        pytest.param("x7" * 65, id="too long"),
        pytest.param("aaaaaaaaaaaaaaaa", id="one letter"),
        pytest.param("password1234", id="the word"),
        pytest.param("Passw0rd123456", id="the word in disguise"),
        pytest.param("zhang.san2016", id="the username"),
        pytest.param("abcdefghijklmnop", id="the alphabet"),
        pytest.param("qwerty123456qwerty", id="the keyboard"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused(password):
    assert password_problem(password, "zhang.san")


@pytest.mark.parametrize("password", ["紫荆花开在三月的珠江两岸呀", "correct horse battery", "k7#Mq2!wZ9pL"])
def test_a_decent_password_will_do(password):
    assert password_problem(password, "zhang.san") is None


@examples(st.text(max_size=200), st.text(alphabet="abc.", min_size=3, max_size=40))
def test_any_text_gets_a_verdict(password, username):
    verdict = password_problem(password, username)

    assert verdict is None or len(password) < 12 or len(password) > 128 or "密码" in verdict


def test_every_role_has_permissions_a_scope_and_a_name():
    assert set(PERMISSIONS) == set(SCOPE_OF) == set(Role)
    assert set.union(*map(set, PERMISSIONS.values())) == set(Permission)


def test_who_runs_the_system_or_reads_its_trail_may_not_work_on_pages():
    pages = {Permission.PAGES_REGISTER, Permission.PAGES_READ, Permission.PAGES_REVIEW}

    assert all(not PERMISSIONS[role] & pages for role in STANDS_ALONE)
    assert not PERMISSIONS[Role.AUDITOR] & PERMISSIONS[Role.SYSTEM_ADMINISTRATOR]


@examples(st.sampled_from(Role), st.sampled_from(ScopeKind), st.sampled_from(["", "440100"]))
def test_a_role_is_granted_over_its_own_kind_of_scope_only(role, kind, ref):
    fits = kind is SCOPE_OF[role] and (ref == "") is (kind is ScopeKind.PROVINCE)

    assert (grants_problem([Grant(role, kind, ref)]) is None) is fits
