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

from app.alerts import service as alerts
from app.channel_accounts import service as channel_accounts
from app.channel_accounts.service import AccountView
from app.core.errors import Conflict
from app.demo import alipay, notices, wechat_mini
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
# Who gets the alerts on the sandbox's phone, and from which account.
WATCH = "demo-province-watch"
ALERTS_FROM = WECHAT_ACCOUNTS[0][0]
# Pages that hang keep the checker busy to its deadline; they come last.
SLOW = "MAS-PRF-01"
_LETTERS = string.ascii_letters + string.digits


def make_accounts(
    sandbox_url: str, base_url: str, told: Mapping[str, Mapping[str, Any]], now: datetime
) -> dict[str, dict[str, Any]]:
    """Return what the sandbox must know of each account, by key.

    An account that hall and sandbox know alike is kept. One that only the hall knows (its database
    was used with another sandbox, or a start was cut short) gets new secrets on both sides.

    The platform's own private key and what the hall's secrets look like from the other side are
    needed by the simulators only; nothing of it is stored anywhere but in the sandbox's file.

    Args:
        told: what the sandbox has been told already, by key.
    """
    known = {account.key: account for account in channel_accounts.accounts(active_only=False)}
    made: dict[str, dict[str, Any]] = {}
    for key, name, mode in WECHAT_ACCOUNTS:
        places = {"api_base": f"{sandbox_url}/wechat", "login_base": f"{sandbox_url}/wechat"}
        if not _agree(known.get(key), told.get(key), places):
            ours, theirs = _wechat(mode)
            made[key] = {"kind": "wechat", "name": name, **theirs}
            _put_account(known.get(key), "wechat", key, name, {**ours, **places}, now)
    key, name = wechat_mini.ACCOUNT
    places = {"api_base": f"{sandbox_url}/wechat"}
    if not _agree(known.get(key), told.get(key), places):
        ours, theirs = wechat_mini.sides(_wechat("secure")[0])
        made[key] = {"kind": wechat_mini.KIND, "name": name, **theirs}
        _put_account(known.get(key), wechat_mini.KIND, key, name, {**ours, **places}, now)
    gateway = {"gateway": f"{sandbox_url}/alipay/gateway.do"}
    for kind, (key, name), sides, places in (
        ("alipay", alipay.WINDOW, alipay.window_sides, {**gateway, "login_base": f"{sandbox_url}/alipay"}),
        ("alipay_mini", alipay.MINI, alipay.mini_sides, gateway),
    ):
        if not _agree(known.get(key), told.get(key), places):
            ours, theirs = sides(*_alipay())
            made[key] = {"kind": kind, "name": name, **theirs}
            _put_account(known.get(key), kind, key, name, {**ours, **places}, now)
    for key, account in {**told, **made}.items():
        address = f"{base_url}/callbacks/{key}"
        made[key] = {**notices.approved(account), **account, "key": key, "callback_url": address}
    return made


def _agree(account: AccountView | None, told: Mapping[str, Any] | None, places: Mapping[str, str]) -> bool:
    if account is None or told is None:
        return False
    wanted = {**places, "app_id": told["app_id"]}
    return all(account.settings.get(name) == value for name, value in wanted.items())


def _put_account(
    account: AccountView | None, kind: str, key: str, name: str, values: Mapping[str, str], now: datetime
) -> None:
    if account is None:
        channel_accounts.create_account(kind=kind, key=key, name=name, values=values, actor=ACTOR, now=now)
        return
    channel_accounts.update_account(
        account.id,
        version=account.version,
        name=account.name,
        values=values,
        active=account.active,
        actor=ACTOR,
    )


def _wechat(mode: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return a new account's secrets as the hall and as the sandbox need them."""
    shared = {
        "app_id": f"wx{secrets.token_hex(8)}",
        "app_secret": secrets.token_hex(16),
        "token": _word(24),
        "aes_key": _aes_key(),
        "original_id": f"gh_{secrets.token_hex(6)}",
        "mode": mode,
    }
    return shared, shared


def _alipay() -> tuple[dict[str, str], dict[str, str]]:
    """Return a new account's secrets as the hall and as the sandbox need them."""
    ours, theirs = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    app_id = "2021" + "".join(secrets.choice(string.digits) for _ in range(12))
    hall = {
        "app_id": app_id,
        "app_private_key": _private_pem(ours),
        "alipay_public_key": _public_pem(theirs),
    }
    sandbox = {
        "app_id": app_id,
        "hall_public_key_pem": _public_pem(ours),
        "platform_private_key_pem": _private_pem(theirs),
        "charset": "GBK",
        "sign_type": "RSA2",
    }
    return hall, sandbox


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


def read_sandbox_config(path: Path) -> dict[str, dict[str, Any]]:
    """Return the accounts the sandbox was told of, by key; none before the first start."""
    if not path.exists():
        return {}
    return {one["key"]: one for one in json.loads(path.read_text(encoding="utf-8"))["accounts"]}


def write_sandbox_config(
    path: Path,
    base_url: str,
    accounts: Mapping[str, Mapping[str, Any]],
    verification: Mapping[str, str] | None = None,
) -> None:
    """Write the sandbox's configuration (mode 0600).

    Args:
        verification: what hall and sandbox share for real-name checks; None when they do none.
    """
    config = {
        "hall_base": base_url,
        "accounts": list(accounts.values()),
        "outage": OUTAGE,
        "notify_scale": alipay.NOTIFY_SCALE,
        "verification": verification,
    }
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
    known = {page.url for page in sample_pages()}
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
    pages = [page for page in sample_pages() if page.url in urls and page.first_online_at is None]
    for page in pages:
        if page.state is State.PASSED and page.name != HELD_FOR_REVIEW:
            kinds = [channel.kind for channel in page.channels]
            # A person may be reviewing the same page in the console at this moment.
            with suppress(Conflict):
                mobile_access.approve(reviewer, page.id, kinds, version=page.version, now=now)
    return sum(page.state is State.CHECKING for page in pages)


def code_for_watch(now: datetime) -> str | None:
    """Return a code that binds the demo's watch (省级值守员) to who sends it; None when it is bound."""
    person = organisations.find_staff(WATCH)
    if alerts.bindings_of(person.id):
        return None
    return alerts.new_code(person.id, now=now)


def states() -> dict[str, int]:
    """Return how many pages stand in each state, by its Chinese name."""
    return dict(Counter(STATE_LABELS[page.state] for page in sample_pages()))


def sample_pages() -> list[PageView]:
    """Return every registered page."""
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
