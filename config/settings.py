"""Typed settings, read once from the environment at start-up."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

DEFAULT_PORT = 8000
SECRETS = ("HALL_SECRET_KEY", "HALL_VAULT_KEYS", "HALL_AUDIT_KEY")


class SettingsError(ValueError):
    """One or more settings are missing or malformed; ``str()`` lists them all."""


class SecretMissing(RuntimeError):
    """Something needs a secret that this process was started without; ``str()`` names the variable."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not set, and this needs it")


class Environment(StrEnum):
    """What this installation is for. Loopback pages are checked in ``demo`` and ``test`` only."""

    DEMO = "demo"
    TEST = "test"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class AllowedTarget:
    """An address range that the outbound guard lets pass although it is not public."""

    cidr: str
    port: int


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between deployments. Units are in the names.

    Outside production a process may be started without the three secrets, e.g. to check pages in a
    department's CI. They are empty then, and what needs one refuses: no key is ever made up on the way.

    Attributes:
        base_url: address under which residents and platforms reach the hall, no trailing slash.
        trusted_hosts: ``Host`` values answered; others get 400.
        secret_key: signs cookies and forms.
        vault_keys: master keys by version; the highest wraps new data keys.
        audit_key: key of the HMAC chain.
        redis_url: shared caches and rate limits; ``""`` keeps them in process.
        trusted_proxies: how many reverse proxies stand before the hall; as many entries of
            ``X-Forwarded-For``, ``-Proto`` and ``-Host`` are believed, counted from the right.
        outbound_allow: exceptions of the outbound guard, on the resolved address.
        listens_on: the hall's own listener, which no page may be; None when it is not one address.
        probe_interval_seconds: default time between two looks at a page.
        probe_canaries: addresses that tell the prober whether its own network works; better several,
            on networks of different providers.
        down_grace_seconds: how long a page may be down before its entry is hidden.
        resident_idle_seconds: how long a resident's session lives unused.
        resident_session_seconds: how long it lives at most; signing in again costs one tap.
        smtp_url: mail server of the alerts: ``smtps://`` (TLS from the start), ``smtp://`` (STARTTLS
            demanded), ``smtp+plain://`` (this machine only); user and password where it asks for them.
        mail_from: address that alerts come from.
        site_id_code: 政府网站标识码 (ten characters), for the head of pages; ``""`` while there is none.
        icp_number: ICP 备案号, for the foot of pages.
        verify_url: provider of real-name checks, see docs/identity.md; ``""`` offers none.
        verify_app: what the provider calls the hall.
        verify_secret: signs what goes to the provider and comes back.
        files_dir: where residents' uploads lie, sealed; several web servers share it.
        clamd_url: ClamAV's daemon, ``tcp://host:port`` or ``unix:///path``; ``""``: uploads are not scanned.
        kept_days_decided: how long personal answers and files of a case that was decided are kept.
        kept_days_undecided: the same where it ended without a decision.
    """

    environment: Environment
    database_url: str
    base_url: str
    secret_key: str = field(repr=False)
    vault_keys: Mapping[int, bytes] = field(repr=False)
    audit_key: bytes = field(repr=False)
    redis_url: str = field(default="", repr=False)
    trusted_hosts: tuple[str, ...] = ()
    trusted_proxies: int = 0
    var_dir: Path = Path("var")
    outbound_allow: tuple[AllowedTarget, ...] = ()
    listens_on: AllowedTarget | None = None
    metrics_token: str = field(default="", repr=False)
    probe_interval_seconds: int = 60
    probe_timeout_seconds: float = 15.0
    probe_canaries: tuple[str, ...] = ()
    down_grace_seconds: int = 60
    check_deadline_seconds: float = 20.0
    sandbox_url: str = ""
    sample_pages_url: str = ""
    resident_idle_seconds: int = 2 * 3600
    resident_session_seconds: int = 12 * 3600
    smtp_url: str = field(default="", repr=False)
    mail_from: str = ""
    site_id_code: str = ""
    icp_number: str = ""
    verify_url: str = ""
    verify_app: str = ""
    verify_secret: str = field(default="", repr=False)
    files_dir: Path = Path("var/files")
    clamd_url: str = ""
    kept_days_decided: int = 1825
    kept_days_undecided: int = 180

    @property
    def may_reach_loopback(self) -> bool:
        """Tell whether pages on this machine may be checked: in demo and test only."""
        return self.environment is not Environment.PRODUCTION

    @property
    def has_secrets(self) -> bool:
        """Tell whether the three secrets are there; they come together or not at all."""
        return bool(self.secret_key)

    def demand_secrets(self) -> None:
        """Let pass who needs the secrets.

        Raises:
            SettingsError: this process was started without them; names all three variables.
        """
        if not self.has_secrets:
            raise SettingsError("; ".join(f"{name} is not set" for name in SECRETS))

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Build settings from ``DATABASE_URL``, ``REDIS_URL`` and the ``HALL_*`` variables.

        Raises:
            SettingsError: naming every missing or malformed variable at once; values are not shown.
        """
        read = _Reader(env)
        environment = read.one("HALL_ENV", Environment, default=Environment.DEMO)
        var_dir = Path(env.get("HALL_VAR_DIR") or "var")
        base_url = read.one("HALL_BASE_URL", _base_url, default=f"http://127.0.0.1:{DEFAULT_PORT}")
        hosts = read.one("HALL_TRUSTED_HOSTS", _words, default=_words(""))
        own_host = urlsplit(base_url).netloc
        # One or two of them are a slip and never meant.
        optional = environment is not Environment.PRODUCTION and not any(env.get(name) for name in SECRETS)
        settings = cls(
            environment=environment,
            database_url=read.one(
                "DATABASE_URL", _database_url, default=f"sqlite:///{var_dir.absolute()}/hall.sqlite"
            ),
            base_url=base_url,
            secret_key=read.secret("HALL_SECRET_KEY", _long_enough, nothing="", optional=optional),
            vault_keys=read.secret("HALL_VAULT_KEYS", _vault_keys, nothing={}, optional=optional),
            audit_key=read.secret("HALL_AUDIT_KEY", _key, nothing=b"", optional=optional),
            redis_url=read.one("REDIS_URL", _redis_url, default=""),
            trusted_hosts=(own_host, *hosts),
            trusted_proxies=read.one("HALL_TRUSTED_PROXIES", _between(0, 8), default=0),
            var_dir=var_dir,
            outbound_allow=read.one("HALL_OUTBOUND_ALLOW", _allowed_targets, default=()),
            listens_on=read.one("HALL_BIND", _listener(env.get("HALL_PORT", "")), default=None),
            metrics_token=env.get("HALL_METRICS_TOKEN", ""),
            probe_interval_seconds=read.one("HALL_PROBE_INTERVAL_SECONDS", _between(5, 86400), default=60),
            probe_timeout_seconds=float(read.one("HALL_PROBE_TIMEOUT_SECONDS", _between(1, 60), default=15)),
            probe_canaries=read.one(
                "HALL_PROBE_CANARIES",
                _addresses,
                # A demo may stand on a machine without any network: its own web server must do.
                default=() if environment is Environment.PRODUCTION else (f"{base_url}/healthz",),
            ),
            down_grace_seconds=read.one("HALL_DOWN_GRACE_SECONDS", _between(0, 86400), default=60),
            check_deadline_seconds=float(
                read.one("HALL_CHECK_DEADLINE_SECONDS", _between(2, 120), default=20)
            ),
            sandbox_url=read.one("HALL_SANDBOX_URL", _base_url, default=""),
            sample_pages_url=read.one("HALL_SAMPLE_PAGES_URL", _base_url, default=""),
            resident_idle_seconds=read.one(
                "HALL_RESIDENT_IDLE_SECONDS", _between(60, 30 * 86400), default=2 * 3600
            ),
            resident_session_seconds=read.one(
                "HALL_RESIDENT_SESSION_SECONDS", _between(60, 90 * 86400), default=12 * 3600
            ),
            smtp_url=read.one("HALL_SMTP_URL", _smtp_url, default=""),
            mail_from=read.one("HALL_MAIL_FROM", _mailbox, default=""),
            site_id_code=read.one("HALL_SITE_ID_CODE", str, default=""),
            icp_number=read.one("HALL_ICP_NUMBER", str, default=""),
            verify_url=read.one("HALL_VERIFY_URL", _base_url, default=""),
            verify_app=env.get("HALL_VERIFY_APP", ""),
            verify_secret=read.one("HALL_VERIFY_SECRET", _long_enough, default=""),
            files_dir=Path(env.get("HALL_FILES_DIR") or var_dir / "files"),
            clamd_url=read.one("HALL_CLAMD_URL", _clamd_url, default=""),
            kept_days_decided=read.one("HALL_KEPT_DAYS_DECIDED", _between(30, 36500), default=1825),
            kept_days_undecided=read.one("HALL_KEPT_DAYS_UNDECIDED", _between(30, 36500), default=180),
        )
        if len({bool(settings.verify_url), bool(settings.verify_app), bool(settings.verify_secret)}) > 1:
            read.problems.append("HALL_VERIFY_URL, _APP and _SECRET are set together or not at all")
        if environment is Environment.PRODUCTION and settings.verify_url.startswith("http:"):
            read.problems.append("HALL_VERIFY_URL: numbers of people go over https only")
        if bool(settings.smtp_url) is not bool(settings.mail_from):
            read.problems.append("HALL_SMTP_URL and HALL_MAIL_FROM are set together or not at all")
        if environment is Environment.PRODUCTION and any(
            _touches_loopback(target.cidr) for target in settings.outbound_allow
        ):
            read.problems.append("HALL_OUTBOUND_ALLOW: loopback is for demo and test only")
        if read.problems:
            raise SettingsError("; ".join(read.problems))
        return settings._with_simulator()

    def _with_simulator(self) -> Settings:
        """Return these settings with the sandbox as provider of real-name checks, in a demo without one."""
        if self.environment is not Environment.DEMO or self.verify_url or not self.sandbox_url:
            return self
        # Told to the sandbox by `flask demo accounts`; from a secret of ours, so that nothing more is kept.
        secret = hmac.new(self.secret_key.encode(), b"sandbox real-name checks", "sha256").hexdigest()
        return replace(
            self, verify_url=f"{self.sandbox_url}/real-name", verify_app="hall-demo", verify_secret=secret
        )


class _Reader:
    """Reads variables one by one and remembers everything that is wrong."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.problems: list[str] = []

    def one(self, name: str, parse: Callable[[str], T], *, default: T) -> T:
        raw = self._env.get(name, "")
        if not raw:
            return default
        try:
            return parse(raw)
        except ValueError as error:
            # Our parsers' words only: a library's message may quote a secret.
            self.problems.append(f"{name}: {error if isinstance(error, _Said) else 'not a valid value'}")
            return default

    def secret(self, name: str, parse: Callable[[str], T], *, nothing: T, optional: bool) -> T:
        if not optional and not self._env.get(name):
            self.problems.append(f"{name} is not set")
        return self.one(name, parse, default=nothing)


class _Said(ValueError):
    """A parser's own words, free of the value."""


def _long_enough(raw: str) -> str:
    if len(raw) < 32:
        raise _Said("needs at least 32 characters")
    return raw


def _key(raw: str) -> bytes:
    try:
        key = base64.b64decode(raw, validate=True)
    except binascii.Error:
        raise _Said("is not base64") from None
    if len(key) != 32:
        raise _Said("must be 32 bytes in base64")
    return key


def _vault_keys(raw: str) -> dict[int, bytes]:
    keys: dict[int, bytes] = {}
    for part in raw.split(","):
        version, colon, key = part.partition(":")
        if not colon or not version.isdigit():
            raise _Said("must look like 1:BASE64[,2:BASE64…]")
        keys[int(version)] = _key(key)
    return keys


def _words(raw: str) -> tuple[str, ...]:
    return tuple(raw.replace(",", " ").split())


def _base_url(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise _Said("must be an http(s) address")
    return raw.rstrip("/")


def _addresses(raw: str) -> tuple[str, ...]:
    for word in _words(raw):
        _base_url(word)
    return _words(raw)


def _database_url(raw: str) -> str:
    if not raw.startswith(("sqlite:///", "mysql+pymysql://")):
        raise _Said("must begin with sqlite:/// or mysql+pymysql://")
    return raw


def _smtp_url(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in {"smtp", "smtps", "smtp+plain"} or not parts.hostname or parts.port == 0:
        raise _Said("must look like smtp://user:password@host:587, smtps:// or smtp+plain://")
    if parts.scheme == "smtp+plain" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
        raise _Said("smtp+plain is for a server on this machine only")
    return raw


def _clamd_url(raw: str) -> str:
    parts = urlsplit(raw)
    by_port = parts.scheme == "tcp" and parts.hostname and parts.port
    if not by_port and not (parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc):
        raise _Said("must look like tcp://host:3310 or unix:///run/clamav/clamd.ctl")
    return raw


def _mailbox(raw: str) -> str:
    user, at, domain = raw.rpartition("@")
    if not (user and at and domain and raw.isascii() and raw.isprintable()) or set(raw) & set(' <>,;"()'):
        raise _Said("must be one e-mail address")
    return raw


def _redis_url(raw: str) -> str:
    if not raw.startswith(("redis://", "rediss://", "unix://")):
        raise _Said("must begin with redis://, rediss:// or unix://")
    return raw


def _allowed_targets(raw: str) -> tuple[AllowedTarget, ...]:
    targets = []
    for word in _words(raw):
        cidr, colon, port = word.rpartition(":")
        try:
            network = ipaddress.ip_network(cidr.strip("[]"))
        except ValueError:
            raise _Said("must look like 127.0.0.1/32:8102") from None
        if not colon or not port.isdigit() or not 0 < int(port) < 65536:
            raise _Said("must look like 127.0.0.1/32:8102")
        targets.append(AllowedTarget(str(network), int(port)))
    return tuple(targets)


def _listener(port: str) -> Callable[[str], AllowedTarget | None]:
    """Return a reader of the address that the hall listens on; None when it is every address."""

    def parse(raw: str) -> AllowedTarget | None:
        try:
            address = ipaddress.ip_address(raw)
        except ValueError:
            raise _Said("must be an IP address") from None
        number = int(port) if port.isdigit() else DEFAULT_PORT
        return None if address.is_unspecified else AllowedTarget(str(ipaddress.ip_network(address)), number)

    return parse


def _touches_loopback(cidr: str) -> bool:
    network = ipaddress.ip_network(cidr)
    return network.overlaps(ipaddress.ip_network("127.0.0.0/8" if network.version == 4 else "::1/128"))


def _between(low: int, high: int) -> Callable[[str], int]:
    def parse(raw: str) -> int:
        if not raw.isdigit() or not low <= int(raw) <= high:
            raise _Said(f"must be a whole number from {low} to {high}")
        return int(raw)

    return parse
