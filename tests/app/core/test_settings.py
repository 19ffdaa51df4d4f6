import pytest

from config.settings import SECRETS, Settings, SettingsError
from tests.builders import an_environment


def test_everything_wrong_is_told_at_once_and_no_value_is_shown():
    env = an_environment(
        HALL_SECRET_KEY="short-and-secret",
        HALL_VAULT_KEYS="nonsense",
        DATABASE_URL="postgres://root:geheim@db/x",
        HALL_PROBE_INTERVAL_SECONDS="soon",
    )

    with pytest.raises(SettingsError) as told:
        Settings.from_env(env)

    names = ("HALL_SECRET_KEY", "HALL_VAULT_KEYS", "DATABASE_URL", "HALL_PROBE_INTERVAL_SECONDS")
    assert all(name in str(told.value) for name in names)
    assert not any(value in str(told.value) for value in ("short-and-secret", "geheim", "nonsense", "soon"))


def test_the_printed_settings_carry_no_secret():
    settings = Settings.from_env(an_environment(REDIS_URL="redis://:geheim@127.0.0.1"))

    assert "geheim" not in repr(settings)
    assert settings.secret_key not in repr(settings)
    assert repr(settings.audit_key) not in repr(settings)


@pytest.mark.parametrize("name", ["HALL_SECRET_KEY", "HALL_VAULT_KEYS", "HALL_AUDIT_KEY"])
def test_a_missing_secret_is_named(name):
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        Settings.from_env(an_environment(**{name: ""}))


def test_production_never_starts_without_its_secrets():
    with pytest.raises(SettingsError) as told:
        Settings.from_env({"HALL_ENV": "production"})

    assert all(f"{name} is not set" in str(told.value) for name in SECRETS)


@pytest.mark.parametrize("environment", ["demo", "test", ""])
def test_other_environments_may_leave_all_secrets_out_and_then_hold_none(environment):
    settings = Settings.from_env({"HALL_ENV": environment})

    assert (settings.secret_key, dict(settings.vault_keys), settings.audit_key) == ("", {}, b"")
    with pytest.raises(SettingsError, match="HALL_SECRET_KEY is not set.*HALL_AUDIT_KEY is not set"):
        settings.demand_secrets()


@pytest.mark.parametrize("cidr", ["127.0.0.1/32", "0.0.0.0/0", "[::1/128]", "[::/0]"])
def test_loopback_pages_are_never_allowed_in_production(cidr):
    env = an_environment(HALL_ENV="production", HALL_OUTBOUND_ALLOW=f"{cidr}:8102")

    with pytest.raises(SettingsError, match="loopback"):
        Settings.from_env(env)


@pytest.mark.parametrize(
    "value", ["127.0.0.1", "127.0.0.1/33:80", "10.0.0.0/8:0", "x:80", "1.2.3.4/32:99999"]
)
def test_a_malformed_exception_of_the_guard_is_refused(value):
    with pytest.raises(SettingsError, match="HALL_OUTBOUND_ALLOW"):
        Settings.from_env(an_environment(HALL_OUTBOUND_ALLOW=value))


@pytest.mark.parametrize(
    ("bind", "denied"), [("203.0.113.7", "203.0.113.7/32"), ("0.0.0.0", None), ("::1", "::1/128")]
)
def test_the_halls_own_listener_is_known_to_the_guard(bind, denied):
    settings = Settings.from_env(an_environment(HALL_BIND=bind, HALL_PORT="8443"))

    assert (settings.listens_on and settings.listens_on.cidr) == denied
    assert settings.listens_on is None or settings.listens_on.port == 8443


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        pytest.param("http://mail.example.cn", "a@example.cn", id="no mail server"),
        pytest.param("smtp+plain://mail.example.cn", "a@example.cn", id="unencrypted to another machine"),
        pytest.param("smtp://user:secret@mail.example.cn:x", "a@example.cn", id="no port"),
        pytest.param("smtp://mail.example.cn", "a b@example.cn", id="no address"),
        pytest.param("smtp://mail.example.cn", "", id="no sender"),
        pytest.param("", "a@example.cn", id="no server"),
    ],
)
def test_a_mail_server_is_set_whole_and_safe_or_not_at_all(url, sender):
    env = an_environment(HALL_SMTP_URL=url, HALL_MAIL_FROM=sender)

    with pytest.raises(SettingsError, match="HALL_SMTP_URL|HALL_MAIL_FROM") as refused:
        Settings.from_env(env)

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"HALL_VERIFY_URL": "https://register.example.cn"}, id="no secret"),
        pytest.param({"HALL_VERIFY_SECRET": "v" * 40}, id="no address"),
        pytest.param({"HALL_VERIFY_SECRET": "geheim"}, id="a short secret"),
        pytest.param(
            {
                "HALL_ENV": "production",
                "HALL_VERIFY_URL": "http://register.example.cn",
                "HALL_VERIFY_APP": "hall",
                "HALL_VERIFY_SECRET": "v" * 40,
            },
            id="numbers in the clear",
        ),
    ],
)
def test_a_provider_of_real_names_is_set_whole_and_safe_or_not_at_all(changes):
    with pytest.raises(SettingsError, match="HALL_VERIFY") as refused:
        Settings.from_env(an_environment(**changes))

    assert "geheim" not in str(refused.value)


def test_a_demo_with_the_sandbox_lets_it_play_the_provider():
    env = an_environment(HALL_ENV="demo", HALL_SANDBOX_URL="http://127.0.0.1:8101")

    settings = Settings.from_env(env)

    assert (settings.verify_url, settings.verify_app) == ("http://127.0.0.1:8101/real-name", "hall-demo")
    assert len(settings.verify_secret) == 64
    assert settings.verify_secret not in repr(settings)
    assert Settings.from_env({**env, "HALL_ENV": "test"}).verify_url == ""


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:3310", "tcp://127.0.0.1", "unix://run/clamd.ctl", "clamd:3310"]
)
def test_a_virus_scanner_is_named_by_port_or_socket(url):
    with pytest.raises(SettingsError, match="HALL_CLAMD_URL: must look like"):
        Settings.from_env(an_environment(HALL_CLAMD_URL=url))


def test_uploads_lie_beside_the_other_files_and_are_not_scanned_unless_told(tmp_path):
    plain = Settings.from_env(an_environment(HALL_VAR_DIR=str(tmp_path)))
    told = Settings.from_env(
        an_environment(HALL_CLAMD_URL="unix:///run/clamd.ctl", HALL_FILES_DIR="/srv/files")
    )

    assert (plain.files_dir, plain.clamd_url) == (tmp_path / "files", "")
    assert (str(told.files_dir), told.clamd_url) == ("/srv/files", "unix:///run/clamd.ctl")
