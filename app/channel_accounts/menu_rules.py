"""The menus of some residents of an account (个性化菜单), kept beside its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from app.channel_accounts.models import MenuRules
from app.core import audit, db
from app.core.errors import Stale
from channels.base import MenuEntry, MenuRule


@dataclass(frozen=True, slots=True)
class MenuRulesView:
    """The menus of some residents; version 0 was never saved."""

    version: int
    rules: tuple[MenuRule, ...]


def menu_rules(account_id: int) -> MenuRulesView:
    """Return the menus of some residents, first the one that is tried first."""
    row = db.session().get(MenuRules, account_id)
    if row is None:
        return MenuRulesView(0, ())
    return MenuRulesView(row.version, tuple(_rule(kept) for kept in row.rules))


def save_menu_rules(
    account_id: int, version: int, rules: Sequence[MenuRule], *, actor: str, now: datetime
) -> None:
    """Keep the menus of some residents; whether the platform takes them is checked before.

    Raises:
        Stale: somebody else changed them first.
    """
    kept = [asdict(rule) for rule in rules]
    values = {"version": version + 1, "rules": kept, "changed_at": now}
    if version == 0:
        try:
            with db.writing().begin_nested():
                db.writing().add(MenuRules(account_id=account_id, **values))
        except IntegrityError:
            raise Stale from None
    else:
        seen = (MenuRules.account_id == account_id, MenuRules.version == version)
        if db.writing().execute(update(MenuRules).where(*seen).values(**values)).rowcount != 1:  # type: ignore[attr-defined]
            raise Stale
    audit.record(actor, "channel_menu_rules.save", "channel_account", account_id, {"rules": len(kept)})


def _rule(kept: Mapping[str, Any]) -> MenuRule:
    return MenuRule(_entries(kept["tree"]), kept["tag"], kept["system"])


def _entries(kept: Sequence[Mapping[str, Any]]) -> tuple[MenuEntry, ...]:
    return tuple(MenuEntry(one["name"], one["url"], one["key"], _entries(one["children"])) for one in kept)
