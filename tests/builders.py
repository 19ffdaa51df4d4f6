"""One builder per thing, with working defaults: name only what the test is about."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from config.settings import Settings


def a_key(name: str = "key") -> str:
    """Return 32 bytes in base64, the same for the same name."""
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


def an_environment(**changed: str) -> dict[str, str]:
    """Return the environment of a complete test installation."""
    return {
        "HALL_ENV": "test",
        "HALL_SECRET_KEY": "test" * 8,
        "HALL_VAULT_KEYS": f"1:{a_key('vault')}",
        "HALL_AUDIT_KEY": a_key("audit"),
        "HALL_TRUSTED_HOSTS": "localhost",
        **changed,
    }


def settings_for(url: str, var_dir: Path, **changed: str) -> Settings:
    """Return the settings of a test installation over the database at ``url``."""
    return Settings.from_env(an_environment(DATABASE_URL=url, HALL_VAR_DIR=str(var_dir), **changed))
