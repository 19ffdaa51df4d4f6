"""A good configuration is read; a bad one is refused with every problem named and no secret repeated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox import config
from tests.sandbox import builders


def written(tmp_path: Path, raw: Any, mode: int = 0o600) -> Path:
    path = tmp_path / "sandbox.json"
    path.write_text(raw if isinstance(raw, str) else json.dumps(raw), encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_file_with_both_kinds_is_read(tmp_path: Path) -> None:
    raw = builders.raw_config([builders.raw_wechat(), builders.raw_alipay()])

    loaded = config.load(written(tmp_path, raw))

    assert [account.kind for account in loaded.accounts] == ["wechat", "alipay"]
    assert loaded.answer_deadline_seconds == 5.0
    assert loaded.outage == config.OutagePlan(60, 75, 120)


def test_a_file_others_can_read_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, builders.raw_config([]), mode=0o644)

    with pytest.raises(config.ConfigError, match="0600"):
        config.load(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"'])
def test_a_file_that_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(config.ConfigError):
        config.load(written(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(config.ConfigError, match="读不了"):
        config.load(tmp_path / "nothing.json")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"mode": "open"}, "mode", id="unknown mode"),
        pytest.param({"aes_key": "short"}, "aes_key", id="short key"),
        pytest.param({"aes_key": "？" * 43}, "aes_key", id="key in Chinese"),
        pytest.param({"callback_url": "ftp://x"}, "callback_url", id="not http"),
        pytest.param({"callback_url": "http://[x"}, "callback_url", id="broken address"),
        pytest.param({"app_secret": ""}, "app_secret", id="empty secret"),
        pytest.param({"name": 5}, "name", id="number for a name"),
        pytest.param({"kind": "qq"}, "kind", id="unknown kind"),
    ],
)
def test_a_wrong_member_is_named(change: dict[str, Any], words: str) -> None:
    raw = builders.raw_config([builders.raw_wechat(**change)])

    with pytest.raises(config.ConfigError, match=words):
        config.parse(raw)


@pytest.mark.parametrize("name", ["hall_public_key_pem", "platform_private_key_pem"])
@pytest.mark.parametrize("value", ["", "-----BEGIN NOTHING-----", 7, None])
def test_a_key_that_is_none_is_named(name: str, value: Any) -> None:
    raw = builders.raw_config([builders.raw_alipay(**{name: value})])

    with pytest.raises(config.ConfigError, match=name):
        config.parse(raw)


def test_all_problems_come_at_once() -> None:
    raw = {"hall_base": "x", "outage": {"down_seconds": -1}, "accounts": [{"kind": "?"}, 5]}

    with pytest.raises(config.ConfigError) as caught:
        config.parse(raw)

    assert len(caught.value.problems) == 4


def test_two_accounts_with_one_key_are_refused() -> None:
    raw = builders.raw_config([builders.raw_wechat(), builders.raw_wechat()])

    with pytest.raises(config.ConfigError, match="不止一次"):
        config.parse(raw)


def test_secrets_do_not_show_in_the_representation() -> None:
    account = builders.wechat_account(app_secret="very-secret-word")

    assert "very-secret-word" not in repr(account)
