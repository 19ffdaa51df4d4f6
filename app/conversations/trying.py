"""What a resident would be answered, for staff to try; nothing is sent and nothing changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.channel_accounts import service as channel_accounts
from app.conversations import answering, rules, versions
from channels.base import EventKind, Reply


@dataclass(frozen=True, slots=True)
class Tried:
    """Which rule answers, and what is seen; ``name`` is ``""`` where nothing answers."""

    name: str
    lines: tuple[str, ...]


def try_it(account_id: int, kind: EventKind, said: str, base_url: str, now: datetime) -> Tried:
    """Return what the saved rules say to ``said``: words, a menu key or a scene, by ``kind``.

    Raises:
        NotFound: no such account.
    """
    account = channel_accounts.get(account_id)
    capabilities = channel_accounts.adapter(account_id).capabilities
    held = versions.current(account_id).rules
    text, action = (said, "") if kind is EventKind.TEXT else ("", said.strip())
    choice = rules.choose(held, kind, text, action)
    if choice is None:
        return Tried("", ())
    answer = answering.carry_out(choice, held, account, capabilities, kind, text, base_url, now)
    return Tried(answer.name, _lines(answer.reply))


def _lines(reply: Reply | None) -> tuple[str, ...]:
    if reply is None:
        return ("（不回复）",)
    if reply.handover:
        return ("（转给人工客服）",)
    if reply.image:
        return (f"（图片 {reply.image}）",)
    if reply.articles:
        return tuple(
            line for one in reply.articles for line in (f"【{one.title}】", one.description, one.url) if line
        )
    return tuple(reply.text.split("\n"))
