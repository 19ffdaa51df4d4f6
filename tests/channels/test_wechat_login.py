"""Sign-in in WeChat's web view: the grant, its renewal and what the resident agreed to show."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from channels.base import ChannelError, ChannelIdentity, LoginScope, Outcome, UserInfo
from tests.channels import platform_wechat as wechat
from tests.channels.builders import NOW, an_adapter
from tests.channels.server import a_platform


def signed_in(answers: dict[str, Any] | None = None, code: str = wechat.PROFILE_CODE) -> ChannelIdentity:
    with a_platform(wechat.Api(answers)) as server, an_adapter(wechat, server.base_url) as adapter:
        return adapter.exchange(code)


@pytest.mark.parametrize(
    ("code", "scope"), [(wechat.GOOD_CODE, LoginScope.BASE), (wechat.PROFILE_CODE, LoginScope.PROFILE)]
)
def test_a_sign_in_brings_a_grant_of_its_scope(code: str, scope: LoginScope) -> None:
    grant = signed_in(code=code).grant

    assert grant is not None
    assert (grant.scope, grant.expires_at) == (scope, NOW + timedelta(seconds=7200))


def test_no_token_shows_in_an_identity() -> None:
    identity = signed_in()

    assert "user-snsapi" not in repr(identity)
    assert identity.grant is not None
    assert "renew-snsapi" not in repr(identity.grant)


def test_name_picture_and_union_id_are_told() -> None:
    with a_platform(wechat.Api()) as server, an_adapter(wechat, server.base_url) as adapter:
        told = adapter.user_info(adapter.exchange(wechat.PROFILE_CODE))

    assert told == UserInfo(wechat.RECIPIENT, "粤小民", "https://thirdwx.qlogo.cn/1", "u1")


def test_a_preview_signs_nobody_in() -> None:
    answer = {"access_token": "t", "openid": "o-made-up", "scope": "snsapi_userinfo", "is_snapshotuser": 1}

    with pytest.raises(ChannelError) as refused:
        signed_in({"oauth2": answer})

    assert (refused.value.code, refused.value.outcome) == ("snapshot_user", Outcome.AUTH)


@pytest.mark.parametrize(
    "answer",
    [
        {"openid": "o1"},
        {"openid": "o1", "access_token": 7, "expires_in": 7200},
        {"openid": "o1", "access_token": "t", "expires_in": "soon"},
        {"openid": "o1", "access_token": "t", "expires_in": -1},
    ],
)
def test_a_sign_in_without_a_token_knows_who_but_grants_nothing(answer: dict[str, Any]) -> None:
    identity = signed_in({"oauth2": answer})

    assert (identity.subject, identity.grant) == ("o1", None)


@pytest.mark.parametrize("answer", [{}, {"openid": ""}, {"openid": 5}, {"openid": "o1", "unionid": 7}])
def test_an_answer_without_a_person_is_an_error(answer: dict[str, Any]) -> None:
    with pytest.raises(ChannelError) as failed:
        signed_in({"oauth2": answer})

    assert failed.value.code == "garbage"


@pytest.mark.parametrize("name", ["refresh_token", "userinfo"])
def test_an_answer_about_somebody_else_is_not_believed(name: str) -> None:
    identity = signed_in()
    answers = {name: {"openid": "o-other", "access_token": "t", "expires_in": 7200, "nickname": "别人"}}

    with (
        a_platform(wechat.Api(answers)) as server,
        an_adapter(wechat, server.base_url) as adapter,
        pytest.raises(ChannelError) as refused,
    ):
        adapter.refresh(identity) if name == "refresh_token" else adapter.user_info(identity)

    assert refused.value.code == "garbage"


def test_without_a_grant_nothing_is_asked() -> None:
    nobody = ChannelIdentity("gd-hall", wechat.RECIPIENT)

    with a_platform(wechat.Api()) as server, an_adapter(wechat, server.base_url) as adapter:
        for ask in (adapter.refresh, adapter.user_info):
            with pytest.raises(ChannelError, match="grant|agreed"):
                ask(nobody)

        assert server.calls == []


def test_a_renewal_the_platform_does_not_know_is_refused() -> None:
    identity = signed_in()
    assert identity.grant is not None
    stale = replace(identity, grant=replace(identity.grant, refresh_token="stale"))

    with (
        a_platform(wechat.Api()) as server,
        an_adapter(wechat, server.base_url) as adapter,
        pytest.raises(ChannelError) as refused,
    ):
        adapter.refresh(stale)

    assert (refused.value.code, refused.value.outcome) == ("40030", Outcome.AUTH)
