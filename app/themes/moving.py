"""One way to move a theme application: the table of moves, a dated event, the audit line."""

from __future__ import annotations

from datetime import datetime

from app.core import audit, db
from app.core.errors import NotFound, Stale
from app.identity import service as identity
from app.themes import domain
from app.themes.domain import ENDED, Event, Who
from app.themes.models import ThemeApplication, ThemeApplicationEvent

SYSTEM = "system"


def locked(theme_application_id: int) -> ThemeApplication:
    """Return a theme application for writing.

    Raises:
        NotFound: there is none.
    """
    row = db.writing().get(ThemeApplication, theme_application_id, with_for_update=True)
    if row is None:
        raise NotFound("没有这个主题办件")
    return row


def mine_locked(resident_id: int, theme_application_id: int) -> ThemeApplication:
    """Return somebody's own for writing.

    Raises:
        NotFound: there is none, or it is another person's.
    """
    row = locked(theme_application_id)
    check_owner(row, resident_id)
    return row


def check_owner(row: ThemeApplication, resident_id: int) -> None:
    """Let pass whose it is, on any of the person's accounts.

    Raises:
        NotFound: it is another person's.
    """
    if row.resident_id != resident_id and row.resident_id not in identity.accounts_of(resident_id):
        raise NotFound("没有这个主题办件")


def check_version(row: ThemeApplication, version: int) -> None:
    """Refuse to write over what another device did meanwhile.

    Raises:
        Stale: ``version`` is not the newest.
    """
    if row.version != version:
        raise Stale


def make_move(
    row: ThemeApplication, event: Event, who: Who, *, actor: str, now: datetime, text: str = ""
) -> None:
    """Move ``row`` and write down that it moved.

    Raises:
        MoveNotAllowed: the table has no such move, or it is not theirs to make.
    """
    move = domain.move(row.state, event, who)
    row.state = move.to
    row.version += 1
    row.event_count += 1
    if move.to in ENDED:
        row.ended_at = now
    db.writing().add(
        ThemeApplicationEvent(
            theme_application_id=row.id,
            number=row.event_count,
            event=event,
            from_state=move.state,
            to_state=move.to,
            who=who,
            actor=actor,
            text=text,
            at=now,
        )
    )
    audit.record(actor, f"theme.{event}", "theme_application", row.id, {"to": move.to.value})
    db.writing().flush()
