"""One token for all processes: fetched once, whoever asks, however many at a time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.channel_accounts.domain import REFRESH_LEASE
from app.channel_accounts.models import ChannelToken
from app.channel_accounts.tokens import SharedTokens
from app.core import clock, db, vault
from app.core.vault import VaultEntry
from channels import registry
from channels.base import ChannelError, Token
from tests.channels import platform_wechat
from tests.channels.builders import an_env
from tests.channels.server import a_platform

LATER = datetime(2100, 1, 1, tzinfo=UTC)


def test_twelve_at_once_fetch_once_and_all_get_the_same(app, tables):
    fetched, got = [], []

    def fetch():
        fetched.append(1)
        return Token(f"token-{len(fetched)}", LATER)

    def ask():
        with app.app_context():
            got.append(SharedTokens().compare_and_refresh("wechat:wx1", 0, fetch).value)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(fetched) == 1
    assert set(got) == {"token-1"}
    assert len(got) == 12


def test_whoever_saw_an_old_version_gets_the_new_one_without_a_fetch(context):
    store = SharedTokens()
    first = store.compare_and_refresh("k", 0, lambda: Token("one", LATER))
    store.compare_and_refresh("k", first.version, lambda: Token("two", LATER))

    again = store.compare_and_refresh("k", first.version, lambda: pytest.fail("fetched"))

    assert (again.value, again.version) == ("two", 2)


def test_a_failed_fetch_leaves_the_store_as_it_was_and_the_way_free(context):
    store = SharedTokens()
    store.compare_and_refresh("k", 0, lambda: Token("one", LATER))

    def refuse():
        raise ChannelError("no", retryable=False)

    with pytest.raises(ChannelError):
        store.compare_and_refresh("k", 1, refuse)

    assert store.get("k").value == "one"
    assert store.compare_and_refresh("k", 1, lambda: Token("two", LATER)).value == "two"


def test_a_refresher_that_died_blocks_nobody_for_longer_than_its_lease(context):
    gone = clock.system_clock() - REFRESH_LEASE - timedelta(seconds=1)
    dead = ChannelToken(key="k", version=0, renewed_by="dead", renewed_until=gone)
    db.transaction(lambda: db.writing().add(dead))

    assert SharedTokens().compare_and_refresh("k", 0, lambda: Token("one", LATER)).value == "one"


def test_the_value_lies_sealed_and_the_old_one_is_forgotten(context):
    store = SharedTokens()
    store.compare_and_refresh("k", 0, lambda: Token("first-secret", LATER))
    store.compare_and_refresh("k", 1, lambda: Token("second-secret", LATER))

    entries = list(db.session().scalars(select(VaultEntry)))

    assert len(entries) == 1
    assert b"second-secret" not in entries[0].ciphertext


def test_a_token_whose_value_is_lost_is_fetched_anew(context):
    store = SharedTokens()
    store.compare_and_refresh("k", 0, lambda: Token("one", LATER))
    lost = db.session().scalar(select(ChannelToken.vault_token))
    db.transaction(lambda: vault.forget(lost))

    found = store.get("k")
    again = store.compare_and_refresh("k", found.version, lambda: Token("two", LATER))

    assert found.expires_at < clock.system_clock()
    assert (again.value, store.get("k").value) == ("two", "two")


def test_a_token_renewed_while_it_is_being_read_is_read_anew(app, context, monkeypatch):
    store = SharedTokens()
    store.compare_and_refresh("k", 0, lambda: Token("one", LATER))
    unseal = vault.unseal

    def renewed_in_between(*details):
        monkeypatch.setattr(vault, "unseal", unseal)  # once, between the row and its sealed value
        renew = threading.Thread(target=renew_elsewhere)
        renew.start()
        renew.join()
        return unseal(*details)

    def renew_elsewhere():
        with app.app_context():
            SharedTokens().compare_and_refresh("k", 1, lambda: Token("two", LATER))

    monkeypatch.setattr(vault, "unseal", renewed_in_between)

    assert store.get("k").value == "two"


def test_the_signature_of_pages_and_the_access_token_are_kept_side_by_side(context):
    api = platform_wechat.Api()

    with a_platform(api) as server, an_env(tokens=SharedTokens()) as env:
        for _ in range(2):
            adapter = registry.build(platform_wechat.config(server.base_url), env)
            adapter.page_config("https://hall.example.cn/", [])

    assert (api.issued, api.tickets) == (1, 1)
