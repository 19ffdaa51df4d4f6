"""What a newcomer sees in the first minutes, made through the same services as the real thing."""

from __future__ import annotations

import json
import os
import secrets
import string
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from app.channel_accounts import service as channel_accounts
from app.core.errors import Conflict
from app.mobile_access import service as mobile_access
from app.mobile_access.service import STATE_LABELS, THEME_LABELS, Filter, PageView, Registration, State
from app.organisations import service as organisations
from app.organisations.service import Principal, Role
from mobile_pages.guard import Guard

ACTOR = "system:demo"
# One good page waits for a reviewer, so that a newcomer finds something to decide.
HELD_FOR_REVIEW = "残疾人证"
WECHAT_ACCOUNTS = (("gd-wechat", "广东省网上办事大厅", "secure"), ("gz-wechat", "广州办事", "compat"))
# The page that falls down must be checked and published before it does; the watch then has time
# to confirm, hide and show it again while a newcomer is still looking.
OUTAGE = {"first_up_seconds": 75, "down_seconds": 75, "up_seconds": 180}
FALLS_DOWN = "MAS-MON-01"
# Pages that hang keep the checker busy to its deadline; they come last.
SLOW = "MAS-PRF-01"
_LETTERS = string.ascii_letters + string.digits


def make_accounts(sandbox_url: str, base_url: str, now: datetime) -> dict[str, dict[str, Any]]:
    """Return what the sandbox must know of each account, by key; accounts that exist are kept.

    The platform's own private key and what the hall's secrets look like from the other side are
    needed by the simulators only; nothing of it is stored anywhere but in the sandbox's file.
    """
    known = {account.key for account in channel_accounts.accounts(active_only=False)}
    made: dict[str, dict[str, Any]] = {}
    for key, name, mode in (
        ("gd-wechat", "广东省网上办事大厅", "secure"),
        ("gz-wechat", "广州办事", "compat"),
    ):
        if key not in known:
            made[key] = _wechat(key, name, mode, sandbox_url, now)
    if "gd-alipay" not in known:
        made["gd-alipay"] = _alipay("gd-alipay", "广东省网上办事大厅", sandbox_url, now)
    for key, account in made.items():
        account |= {"key": key, "callback_url": f"{base_url}/callbacks/{key}"}
    return made


def _wechat(key: str, name: str, mode: str, sandbox_url: str, now: datetime) -> dict[str, Any]:
    shared = {
        "app_id": f"wx{secrets.token_hex(8)}",
        "app_secret": secrets.token_hex(16),
        "token": _word(24),
        "aes_key": _aes_key(),
        "original_id": f"gh_{secrets.token_hex(6)}",
        "mode": mode,
    }
    places = {"api_base": f"{sandbox_url}/wechat", "login_base": f"{sandbox_url}/wechat"}
    channel_accounts.create_account(
        kind="wechat", key=key, name=name, values={**shared, **places}, actor=ACTOR, now=now
    )
    return {"kind": "wechat", "name": name, **shared}


def _alipay(key: str, name: str, sandbox_url: str, now: datetime) -> dict[str, Any]:
    ours, theirs = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    app_id = "2021" + "".join(secrets.choice(string.digits) for _ in range(12))
    channel_accounts.create_account(
        kind="alipay",
        key=key,
        name=name,
        values={
            "app_id": app_id,
            "app_private_key": _private_pem(ours),
            "alipay_public_key": _public_pem(theirs),
            "gateway": f"{sandbox_url}/alipay/gateway.do",
            "login_base": f"{sandbox_url}/alipay",
        },
        actor=ACTOR,
        now=now,
    )
    return {
        "kind": "alipay",
        "name": name,
        "app_id": app_id,
        "hall_public_key_pem": _public_pem(ours),
        "platform_private_key_pem": _private_pem(theirs),
        "charset": "GBK",
        "sign_type": "RSA2",
    }


def _word(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _aes_key() -> str:
    # 43 characters that are the base64 of 32 bytes without the padding: the last one carries 4 bits.
    return _word(42) + secrets.choice("AEIMQUYcgkosw048")


def _private_pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _public_pem(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def write_sandbox_config(path: Path, base_url: str, made: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the sandbox's configuration (mode 0600); accounts written before are kept."""
    before = json.loads(path.read_text(encoding="utf-8"))["accounts"] if path.exists() else []
    kept = [account for account in before if account["key"] not in made]
    config = {"hall_base": base_url, "accounts": [*kept, *made.values()], "outage": OUTAGE}
    text = json.dumps(config, ensure_ascii=False, indent=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(
        os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
    fresh.replace(path)


def sample_registrations(rows: Sequence[Mapping[str, Any]], guard: Guard) -> list[tuple[str, Registration]]:
    """Return body name and registration of every sample page; asks the name server."""
    themes = {label: theme for theme, label in THEME_LABELS.items()}
    ordered = sorted(rows, key=lambda row: (FALLS_DOWN not in row["breaks"], SLOW in row["breaks"]))
    return [
        (
            row["body"],
            mobile_access.vetted(
                Registration(
                    name=row["name"],
                    url=row["url"],
                    theme=themes[row["theme"]],
                    channels=tuple(row["channels"]),
                    description=row["description"],
                    hotline=row["hotline"],
                    elder_url=row["elder_url"] or "",
                    health_url=row["health_url"] or "",
                    icp_number=row["icp_number"],
                ),
                guard,
            ),
        )
        for row in ordered
    ]


def register_samples(samples: Sequence[tuple[str, Registration]], now: datetime) -> int:
    """Register every sample page that is not there yet and start its check; return how many."""
    known = {page.url for page in _pages()}
    fresh = [(body, new) for body, new in samples if new.url not in known]
    for body_name, new in fresh:
        body = organisations.find_body(body_name)
        operator = _acting(Role.DEPARTMENT_OPERATOR, str(body.id))
        page = mobile_access.register(operator, body.id, new, now=now)
        mobile_access.start_check(operator, page.id, now=now)
    return len(fresh)


def publish_menus_again(base_url: str, now: datetime) -> None:
    """Put the menus of all accounts in place as they should be."""
    for kind in {account.kind for account in channel_accounts.accounts()}:
        mobile_access.publish_menus(kind, base_url=base_url, now=now)


def publish_passed(urls: Collection[str], now: datetime) -> int:
    """Approve every page at ``urls`` that passed its first check, but the one held back.

    What people register themselves, or took offline, they review themselves.

    Returns:
        how many are still being checked.
    """
    reviewer = _acting(Role.PROVINCE_REVIEWER)
    pages = [page for page in _pages() if page.url in urls and page.first_online_at is None]
    for page in pages:
        if page.state is State.PASSED and page.name != HELD_FOR_REVIEW:
            kinds = [channel.kind for channel in page.channels]
            # A person may be reviewing the same page in the console at this moment.
            with suppress(Conflict):
                mobile_access.approve(reviewer, page.id, kinds, version=page.version, now=now)
    return sum(page.state is State.CHECKING for page in pages)


def states() -> dict[str, int]:
    """Return how many pages stand in each state, by its Chinese name."""
    return dict(Counter(STATE_LABELS[page.state] for page in _pages()))


def _pages() -> list[PageView]:
    viewer, found, cursor = _acting(Role.PROVINCE_REVIEWER), [], None
    while True:
        part = mobile_access.listing(viewer, Filter(), cursor=cursor, limit=100)
        found += part.items
        cursor = part.next_cursor
        if cursor is None:
            return found


def _acting(role: Role, scope: str = "") -> Principal:
    """Return a principal that exists in memory only; nobody can sign in as it."""
    return Principal(0, "演示", (organisations.grant_for(role, scope),))
