"""The menus of an account in the console: those of some residents edited, all compared and published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from app.channel_accounts import service as channel_accounts
from app.conversations import menu_text
from app.conversations.forms import Form, first
from app.conversations.menu_text import SYSTEMS as SYSTEMS
from app.conversations.menu_text import BadMenu
from app.core import audit, db
from app.core.errors import Invalid
from app.mobile_access import service as mobile_access
from channels.base import Capability, MenuEntry, MenuRule

BLANK_RULES = 1
RULES_MAX = 20


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """A menu of some residents as staff write it."""

    tag: str
    system: str
    menu: str


@dataclass(frozen=True, slots=True)
class Written:
    """What the form holds; ``version`` is that of the menus that were edited."""

    version: int
    rules: tuple[WrittenRule, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """Lines that say what the platform has (``-``) and should have (``+``); none where both are alike.

    Attributes:
        rules: the same for the menus of some residents, in order, with for whom they hold.
    """

    lines: tuple[str, ...]
    rules: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def alike(self) -> bool:
        return not self.lines and not any(lines for _, lines in self.rules)


def written(account_id: int) -> Written:
    """Return the kept menus as staff edit them, with an empty one to begin another."""
    kept = channel_accounts.menu_rules(account_id)
    rules = [WrittenRule(rule.tag, rule.system, menu_text.write(rule.tree)) for rule in kept.rules]
    return Written(kept.version, (*rules, *[WrittenRule("", "", "")] * BLANK_RULES))


def read_form(form: Form) -> Written:
    """Return what a browser sent."""
    columns = (form.get("tag", ()), form.get("system", ()), form.get("menu", ()))
    version = first(form, "version")
    number = int(version) if version.isascii() and version.isdecimal() and len(version) < 9 else -1
    rules = (WrittenRule(tag.strip(), system, menu) for tag, system, menu in zip(*columns, strict=False))
    return Written(number, tuple(rules))


def save(account_id: int, given: Written, base_url: str, *, actor: str, now: datetime) -> None:
    """Keep the menus of some residents, once the platform's limits allow them.

    Raises:
        Invalid: ``fields`` says what is wrong, by ``rule-0`` and so on.
        Stale: somebody else changed them first.
    """
    problems: dict[str, str] = {}
    rules: list[MenuRule] = []
    positions: list[int] = []
    for position, one in enumerate(given.rules):
        if not one.menu.strip() and not one.tag:
            continue  # emptied, or never filled in
        try:
            rules.append(_rule(one))
            positions.append(position)
        except BadMenu as bad:
            problems[f"rule-{position}"] = str(bad)
    adapter = channel_accounts.adapter(account_id)
    if rules and Capability.MENU_RULES not in adapter.capabilities:
        raise Invalid("这个账号没有个性化菜单")
    if len(rules) > RULES_MAX:
        raise Invalid(f"个性化菜单最多 {RULES_MAX} 个")
    tree = mobile_access.menu_of(channel_accounts.get(account_id).kind, base_url)
    for violation in adapter.check_menu(tree, rules):
        place = "" if violation.rule is None else f"rule-{positions[violation.rule]}"
        problems.setdefault(place, violation.message)
    if problems:
        raise Invalid("菜单有误", fields=problems)
    channel_accounts.save_menu_rules(account_id, given.version, rules, actor=actor, now=now)


def ours(kind: str, base_url: str) -> str:
    """Return the menu that everybody else sees, as composed from the published pages."""
    return menu_text.write(mobile_access.menu_of(kind, base_url))


def compare(account_id: int, base_url: str) -> Compared:
    """Ask the platform what it has and set it against what it should have.

    Raises:
        ChannelError: the platform refused or was not reached.
    """
    adapter = channel_accounts.adapter(account_id)
    kind = channel_accounts.get(account_id).kind
    lines = _differing(mobile_access.menu_of(kind, base_url), adapter.read_menu())
    if Capability.MENU_RULES not in adapter.capabilities:
        return Compared(lines, ())
    wanted = {_key(rule): rule.tree for rule in channel_accounts.menu_rules(account_id).rules}
    standing = {_key(rule): rule.tree for rule in adapter.read_menu_rules()}
    both = [*wanted, *(key for key in standing if key not in wanted)]
    rules = ((key, _differing(wanted.get(key, ()), standing.get(key, ()))) for key in both)
    return Compared(lines, tuple((key, found) for key, found in rules if found))


def publish(account_id: int, base_url: str, actor: str, now: datetime) -> str:
    """Put the menus in place, those of all accounts of the kind; return why not, ``""`` when it was done."""
    account = channel_accounts.get(account_id)
    note = partial(audit.record, actor, "channel_menu.publish", "channel_account", account_id, {})
    db.transaction(note)
    try:
        mobile_access.publish_menus(account.kind, base_url=base_url, now=now)
    except mobile_access.MenuNotPublished as error:
        return channel_accounts.get(account_id).menu_error or str(error)
    return channel_accounts.get(account_id).menu_error or ""


def _rule(one: WrittenRule) -> MenuRule:
    tree = menu_text.read(one.menu)
    try:
        return MenuRule(tree, one.tag, one.system)
    except ValueError:
        raise BadMenu("要填写标签编号或选择手机系统") from None


def _differing(wanted: tuple[MenuEntry, ...], standing: tuple[MenuEntry, ...]) -> tuple[str, ...]:
    return tuple(menu_text.difference(wanted, standing)) if wanted != standing else ()


def _key(rule: MenuRule) -> str:
    return menu_text.labelled(rule)
