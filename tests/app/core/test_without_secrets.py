"""A process without secrets may check pages; it serves nobody and writes nothing that needs a key."""

import pytest

from app import create_app
from app.core import audit, db, migrate, vault
from app.core.audit import AuditLine
from config.settings import SecretMissing, Settings, SettingsError


@pytest.fixture
def bare(tmp_path):
    """The application over an empty, migrated database, without secrets."""
    url = f"sqlite:///{tmp_path}/hall.sqlite"
    migrate.upgrade(url)
    made = create_app(
        Settings.from_env({"HALL_ENV": "test", "DATABASE_URL": url, "HALL_VAR_DIR": str(tmp_path)})
    )
    with made.app_context():
        yield made
    made.extensions["hall_db"].dispose()


def test_no_request_is_answered(bare):
    with pytest.raises(SettingsError, match="HALL_SECRET_KEY is not set"):
        bare.test_client().get("/healthz")


def test_nothing_is_sealed_opened_or_looked_up(bare):
    with pytest.raises(SecretMissing, match="HALL_VAULT_KEYS"):
        db.transaction(lambda: vault.seal("phone", "020-12345"))
    with pytest.raises(SecretMissing, match="HALL_VAULT_KEYS"):
        vault.find("phone", "020-12345")


def test_what_would_be_audited_is_not_done_at_all(bare):
    with pytest.raises(SecretMissing, match="HALL_AUDIT_KEY"):
        db.transaction(lambda: audit.record("system", "page.registered", "page", 1))

    assert db.session().query(AuditLine).count() == 0


@pytest.mark.parametrize("command", [["hall", "check-settings"], ["hall", "prepare"], ["jobs", "work"]])
def test_commands_that_need_them_name_all_three(bare, command):
    told = bare.test_cli_runner().invoke(args=command)

    assert isinstance(told.exception, SettingsError)
    for name in ("HALL_SECRET_KEY", "HALL_VAULT_KEYS", "HALL_AUDIT_KEY"):
        assert f"{name} is not set" in str(told.exception)
