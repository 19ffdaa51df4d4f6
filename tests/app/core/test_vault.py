import pytest
from hypothesis import given as any_of
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.core import audit, db, vault
from app.core.errors import NotFound
from app.core.vault import Keyring, VaultDamaged, VaultEntry, mask
from tests.builders import a_key, settings_for

NUMBER = "99999919900101001X"


def test_a_sealed_value_opens_and_stands_nowhere_in_the_clear(app, given):
    token = given(vault.seal, "id_number", NUMBER, findable=True)

    with app.app_context():
        row = db.session().scalar(select(VaultEntry))
        assert vault.unseal("id_number", token) == NUMBER
        assert NUMBER.encode() not in row.ciphertext
        assert NUMBER not in f"{row.token}{row.blind_index}"


def test_a_number_is_found_again_without_opening_anything(app, given):
    token = given(vault.seal, "id_number", NUMBER, findable=True)

    with app.app_context():
        assert vault.find("id_number", NUMBER) == [token]
        assert vault.find("phone", NUMBER) == []


def test_a_ciphertext_moved_to_another_row_does_not_open(app, given):
    first, second = given(vault.seal, "a", "eins"), given(vault.seal, "a", "zwei")

    def swap():
        source = db.writing().get(VaultEntry, first)
        db.writing().execute(
            update(VaultEntry)
            .where(VaultEntry.token == second)
            .values(ciphertext=source.ciphertext, nonce=source.nonce)
        )

    given(swap)
    with app.app_context(), pytest.raises(VaultDamaged):
        vault.unseal("a", second)


def test_a_token_of_another_field_is_not_found(app, given):
    token = given(vault.seal, "totp_secret", "x")

    with app.app_context(), pytest.raises(NotFound):
        vault.unseal("phone", token)


FIRST, SECOND = f"1:{a_key('vault')}", f"2:{a_key('second')}"


@pytest.fixture
def masters(app, tmp_path):
    """Let the process have other master keys, as after a start with other settings."""

    def switch(*keys):
        settings = settings_for("sqlite:///x", tmp_path, HALL_VAULT_KEYS=",".join(keys))
        app.extensions["hall_keyring"] = Keyring(settings)

    before = app.extensions["hall_keyring"]
    yield switch
    app.extensions["hall_keyring"] = before


def test_a_new_master_key_seals_anew_and_old_values_still_open(app, given, masters):
    token = given(vault.seal, "a", NUMBER, findable=True)
    masters(FIRST, SECOND)

    newer = given(vault.seal, "a", "neu")

    with app.app_context():
        assert vault.unseal("a", token) == NUMBER
        assert vault.unseal("a", newer) == "neu"
        assert vault.find("a", NUMBER) == [token]


def test_a_master_key_is_not_needed_any_more_when_all_is_wrapped_anew(app, given, masters):
    token = given(vault.seal, "a", NUMBER, findable=True)
    masters(FIRST, SECOND)
    wrapped = given(vault.rewrap)
    masters(SECOND)

    with app.app_context():
        found, opened = vault.find("a", NUMBER), vault.unseal("a", token)

    assert (wrapped, found, opened) == (1, [token], NUMBER)
    assert given(vault.rewrap) == 0


def test_a_master_key_taken_away_too_early_is_told_and_nobody_is_kept_twice(app, given, masters):
    given(vault.seal, "a", NUMBER, findable=True)
    masters(SECOND)

    with pytest.raises(VaultDamaged):
        given(vault.seal, "a", NUMBER, findable=True)


def test_the_oldest_of_two_first_master_keys_is_missed_as_well(app, given, masters):
    masters(FIRST, SECOND)
    given(vault.seal, "a", NUMBER, findable=True)
    masters(SECOND)

    with pytest.raises(VaultDamaged):
        given(vault.seal, "a", NUMBER, findable=True)


def test_the_command_wraps_anew_and_leaves_a_line_in_the_trail(app, tables):
    said = app.test_cli_runner().invoke(args=["vault", "rewrap"])

    assert "0 keys wrapped anew" in said.output
    with app.app_context():
        assert [line.action for line in audit.recent(limit=1)] == ["vault.rewrap"]


@any_of(st.text(min_size=3, max_size=30))
def test_a_masked_number_shows_its_ends_only(number):
    assert mask(number)[1:-1] == "*" * (len(number) - 2)
